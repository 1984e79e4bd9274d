"""What is computed over bars before anything is decided on them: rates, inputs, sessions and charges, a column for each that trades."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.bars import Bars
from workbench.financing import Financing, financing
from workbench.rates import Conversion, Rates, conversion
from workbench.sessions import session_numbers
from workbench.strategy import Inputs, Strategy
from workbench.team import Team, layout_of, strategies_of

__all__ = ["inputs_over", "laid_out"]


def laid_out(
    strategy: Strategy | Team, market: Bars, currency: str, rates: Rates | None, newest: bool = False, fixed: Conversion | None = None
) -> dict[str, Any]:
    """Return what a set-up has of bars, by the names of its fields.

    With `newest` the stances are those of the last bar alone: what a live step takes in. `fixed` is the conversion where no rate moves.
    """
    layout = layout_of(strategy)
    bars, inputs, charges = layout.bars(market), inputs_over(strategy, market, newest), financing(market)
    if not layout.is_simple:
        charges = repeated(charges, layout.sources(len(market.instruments)))
    rest = {"inputs": inputs, "sessions": session_numbers(bars), "financing": charges}
    return {"bars": bars, "market": market, "conversion": fixed or conversion(currency, bars, rates), **rest}


def inputs_over(strategy: Strategy | Team, market: Bars, newest: bool = False) -> Inputs:
    """Return what a strategy, or a team of them, computes over bars: a column for each that trades."""
    layout = layout_of(strategy)
    if isinstance(strategy, Strategy) and layout.is_simple:
        return strategy.inputs(market, newest)
    parts, bars = strategies_of(strategy), layout.bars(market)
    series = [one.series(bars) for one in parts.values()]
    if isinstance(strategy, Team):
        series.append(strategy.series(bars))
    return stacked([one.inputs(market, newest) for one in parts.values()], [entries for _, entries in layout.parts], series)


def stacked(each: Sequence[Inputs], entries: Sequence[int], series: Sequence[np.ndarray | None]) -> Inputs:
    """Return the inputs of all strategies side by side, each column as often as there are entries, NaN where one has no such part.

    With them comes what all limits look back at.
    """
    found = {}
    for name in Inputs._fields[:-1]:
        if any(getattr(one, name) is not None for one in each):
            arrays = [getattr(one, name) if getattr(one, name) is not None else np.full_like(one.stance, np.nan) for one in each]
            found[name] = np.concatenate([np.repeat(array, k, axis=1) for array, k in zip(arrays, entries, strict=True)], axis=1)
    back = [array for array in series if array is not None]
    return Inputs(**found, series=np.concatenate(back, axis=1) if back else None)


def repeated(charges: Financing | None, sources: Sequence[int]) -> Financing | None:
    """Return the charges of instruments for each column that trades them; `sources` has the instrument of each."""
    if charges is None:
        return None
    columns = np.argsort(sources, kind="stable").reshape(max(sources) + 1, -1)
    rows = np.repeat(np.arange(len(charges.column)), columns.shape[1])
    moment, long, short = (array[rows] for array in (charges.moment, charges.long, charges.short))
    return charges._replace(moment=moment, column=columns[charges.column].ravel(), long=long, short=short)

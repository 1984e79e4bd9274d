"""What is computed over bars before anything is decided on them: rates, inputs, sessions and charges, a column for each that trades."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.bars import Bars
from workbench.financing import Financing, financing
from workbench.rates import Rates, conversion
from workbench.sessions import session_numbers
from workbench.strategy import Inputs, Strategy
from workbench.team import Team, expanded, names_in, stacked

__all__ = ["inputs_over", "laid_out"]


def laid_out(strategy: Strategy | Team, market: Bars, currency: str, rates: Rates | None, newest: bool = False) -> dict[str, Any]:
    """Return what a set-up has of bars, by the names of its fields.

    With `newest` the stances are those of the last bar alone: what a live step takes in.
    """
    names = names_in(strategy)
    bars, inputs, charges = expanded(market, names), inputs_over(strategy, market, newest), financing(market)
    if names:
        charges = repeated(charges, len(names), len(market.instruments))
    rest = {"inputs": inputs, "sessions": session_numbers(bars), "financing": charges}
    return {"bars": bars, "market": market, "conversion": conversion(currency, bars, rates), **rest}


def inputs_over(strategy: Strategy | Team, market: Bars, newest: bool = False) -> Inputs:
    """Return what a strategy, or a team of them, computes over bars: a column for each that trades."""
    if isinstance(strategy, Strategy):
        return strategy.inputs(market, newest)
    each, bars = strategy.strategies.values(), expanded(market, names_in(strategy))
    return stacked([one.inputs(market, newest) for one in each], [*(one.series(bars) for one in each), strategy.series(bars)])


def repeated(charges: Financing | None, times: int, n: int) -> Financing | None:
    """Return the charges of n instruments for each of so many strategies."""
    if charges is None:
        return None
    order = np.argsort(np.tile(charges.moment, times), kind="stable")
    column = np.concatenate([charges.column + k * n for k in range(times)])[order]
    moment, long, short = (np.tile(array, times)[order] for array in (charges.moment, charges.long, charges.short))
    return charges._replace(moment=moment, column=column, long=long, short=short)

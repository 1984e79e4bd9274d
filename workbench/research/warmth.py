"""Whether a part's look-back is long enough (SEMANTICS 6): a run begins with so many bars, and must say what research said."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from workbench.bars import Bars
from workbench.component import Component
from workbench.component_text import parts_of
from workbench.errors import ParameterError
from workbench.exits import Exit
from workbench.features import Feature
from workbench.research.audits import output_of, require_part, verdict
from workbench.signals import HigherTimeframe, SignalGenerator
from workbench.strategy import Strategy

__all__ = ["LookbackReport", "check_lookback", "history_from"]

#: How near two values are that differ by what older bars left behind.
NEAR = 1e-9
#: Bars of history before a run, in look-backs (SEMANTICS 7).
WARM_UP = 2
COLUMNS = ["component", "begun", "time", "expected", "got"]


@dataclass(frozen=True, slots=True)
class LookbackReport:
    """Whether older bars than the look-back matter.

    Parameters
    ----------
    failures : DataFrame
        Columns component, begun, time, expected, got: a value after the warm-up of bars that begin at `begun`, which all bars make
        another one; the first of each component and beginning.
    checked : int
        How many beginnings were tried.
    for_good : list of str
        Parts that hold an opinion for good: theirs goes back to the anchor, and nothing can be said of it.
    coarser : list of str
        Parts that make coarser bars of these: where they begin is within one of them, and nothing can be said of it; the part that
        is given the coarser bars is tried on these.
    """

    failures: pd.DataFrame
    checked: int
    for_good: list[str]
    coarser: list[str]

    @property
    def passed(self) -> bool:
        """Whether none does."""
        return self.failures.empty

    def __repr__(self) -> str:
        said = f"look-back: {'passed' if self.passed else f'FAILED at {len(self.failures)} values'}, {self.checked} beginnings tried"
        held = f"; {', '.join(self.for_good)}: held for good, from the first bar of a run on" if self.for_good else ""
        held += f"; {', '.join(self.coarser)}: not tried, its bars are coarser" if self.coarser else ""
        return said + held if self.passed else f"{said}{held}; {self._advice()}\n{self.failures.head().to_string(index=False)}"

    def _advice(self) -> str:
        names = " and ".join(self.failures["component"].unique())
        return f"say in a property lookback how many bars {names} needs: before them it has no opinion"

    def _repr_html_(self) -> str:
        return verdict(repr(self).splitlines()[0], self.failures.head(), vacuous=not self.checked)


def check_lookback(component: Component, bars: Bars, beginnings: int = 8, seed: int = 0) -> LookbackReport:
    """Begin at later bars, and compare what a part says after its warm-up with what it says over all bars.

    Parameters
    ----------
    component : SignalGenerator, Exit, Feature, Strategy or Team
        With all the parts in it, each by itself.
    bars : Bars
        Longer than twice the look-back, or nothing can be compared.
    beginnings : int, default 8
        How many, drawn at random.
    seed : int, default 0

    Returns
    -------
    LookbackReport

    Raises
    ------
    ParameterError
        The bars are too few, or it is a part that says nothing of bars.

    Examples
    --------
    >>> import workbench as wb
    >>> wb.check_lookback(wb.signals.MovingAverageCross(5, 20), wb.simulate(days=1, seed=1)).passed
    True
    """
    require_part(component, bars, "check_lookback")
    parts = list(_asked(component))
    longest = max((part.lookback for part in parts), default=0)
    if len(bars) <= 2 * longest:
        raise ParameterError(f"check_lookback needs more than twice the look-back of {longest} bars, got {len(bars)} bars")
    rng = np.random.default_rng(seed)
    starts = sorted({1, *rng.integers(1, len(bars) - longest, max(beginnings - 1, 0)).tolist()})
    rows = [row for part in parts for start in starts for row in _differing(part, bars, int(start))]
    rest = [part for part in _all(component) if part not in parts]
    coarser = sorted({type(part).__name__ for part in rest if isinstance(part, HigherTimeframe)})
    held = sorted({type(part).__name__ for part in rest if not isinstance(part, HigherTimeframe)})
    return LookbackReport(pd.DataFrame(rows, columns=COLUMNS), len(starts) if parts else 0, held, coarser)


def says_lookback(part: SignalGenerator | Exit | Feature) -> bool:
    """Return whether a part has a look-back of its own, rather than the 1 of its port."""
    ports = (SignalGenerator, Exit, Feature)
    return not any(isinstance(part, port) and type(part).lookback is port.lookback for port in ports)


def holds_for_good(part: Component) -> bool:
    """Return whether a part, or one in it, holds its last opinion until there is another, since the first bar."""
    return any(one.get_params(deep=False).get("hold", 0) is None for one in _all(part))


def _all(component: Component) -> list[Any]:
    """Return the signals, exits and features of a component, itself among them."""
    return [part for part in parts_of(component) if isinstance(part, (SignalGenerator, Exit, Feature))]


def _asked(component: Component) -> Iterator[Any]:
    """Yield the parts whose look-back can be tried: none that remembers for good, none that reads coarser bars than these."""
    for part in _all(component):
        if not holds_for_good(part) and not isinstance(part, HigherTimeframe):
            yield part


def _differing(part: Any, bars: Bars, start: int) -> Iterator[tuple[Any, ...]]:
    """Yield the first value after the warm-up, of each instrument, that differs from what all bars make of it."""
    whole = output_of(part, bars)[start:]
    later = bars.iloc[start:]
    found = output_of(part, later)
    warm = np.cumsum(later.present, axis=0) >= part.lookback  # each instrument counts its own bars
    far = warm & ~np.isclose(found, whole, rtol=NEAR, atol=0.0, equal_nan=True)
    for column in np.flatnonzero(far.any(axis=0)):
        row = int(np.argmax(far[:, column]))
        yield type(part).__name__, bars.index[start], later.index[row], float(whole[row, column]), float(found[row, column])


def history_from(strategy: Strategy, bars: Bars, row: int) -> int:
    """Return from which bar on the inputs at a row are computed as in a run: twice the look-back before it, of every instrument.

    All bars, where a part does not say how many it needs, or holds an opinion for good.
    """
    if holds_for_good(strategy) or not all(says_lookback(part) for part in _all(strategy)):
        return 0
    needed = WARM_UP * strategy.lookback
    if bars.whole:
        return max(0, row - needed)
    backwards = np.cumsum(bars.present[:row][::-1], axis=0).min(axis=1)
    return int(row - 1 - np.argmax(backwards >= needed)) if len(backwards) and backwards[-1] >= needed else 0

"""What a limit on losses measures of a result's book, step by step: by its own arithmetic, compiled where there is much of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from workbench.arrays import read_only
from workbench.past import AT, History, empty_past
from workbench.research.compiled import compiled_decision
from workbench.research.exposures import holdings_of
from workbench.risk import LossLimit

if TYPE_CHECKING:
    from workbench.research.result import Backtest

__all__ = ["measured_at_closes"]

#: Fewer past returns are looked at within a second as they are; to compile takes some seconds, the first time ever.
COMPILE_FROM = 500_000


class Form(NamedTuple):
    """How numbers are handed to a measure: as arrays where it is compiled, else as lists."""

    compiled: bool

    def given(self, array: Any) -> Any:
        """Return numbers that are only read."""
        return read_only(np.array(array, order="C")) if self.compiled else np.asarray(array).tolist()

    def room(self, array: Any) -> Any:
        """Return numbers that may be written to."""
        return np.array(array, dtype=float) if self.compiled else np.asarray(array, dtype=float).tolist()

    def memory(self, part: LossLimit, n: int) -> Any:
        """Return what the measure reckons in."""
        return np.array(part.memory(n)) if self.compiled else part.memory(n)


def measured_at_closes(part: LossLimit, result: Backtest) -> np.ndarray:
    """Return what a limit measures of what is held at each close, in account currency, shape (T,).

    0 where nothing is held; NaN where there are too few returns, or where an expansion breaks down.
    """
    setup, held, series = result.setup, holdings_of(result), part.series(result.bars)
    steps, n = held.quantity.shape
    form = Form(steps * part.lookback >= COMPILE_FROM)
    measure = compiled_decision(type(part).measure, "limit") if form.compiled else type(part).measure
    p = form.given([*part.parameters(setup.instruments, setup.currency), part.scratch, 0.0])  # the series begins with row 0
    ones, past = form.room(np.ones(n)), form.room(empty_past())
    history = History(past, form.given(series.T.ravel()), form.given(setup.days), form.memory(part, n))
    found, largest = np.zeros(steps), np.abs(held.notional).argmax(axis=1)
    for t in np.flatnonzero(held.quantity.any(axis=1)):
        past[AT], lots, worth = t, form.room(held.quantity[t]), form.room(held.value[t])
        found[t] = measure(p, p, int(largest[t]), 1.0, 0.0, lots, lots, worth, ones, ones, history)
    return np.where(np.isinf(found), np.nan, found)

"""Recorded bars, given again in the way a live source gives them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

import numpy as np

from workbench.bars import Bars
from workbench.data.adapter import DataAdapter, close_times, moment
from workbench.errors import DataError, ParameterError
from workbench.instrument import Instrument
from workbench.interval import canonical

__all__ = ["ReplayAdapter"]


class ReplayAdapter(DataAdapter):
    """A source that replays recorded bars.

    Parameters
    ----------
    bars : Bars
    speed : float, optional
        How many times faster than real time the stream runs; None: as fast as the bars are taken.
    start : str, datetime or Timestamp, optional
        The first label of the stream; what closed before it is history. Default: the first label.

    Examples
    --------
    >>> adapter = ReplayAdapter(wb.simulate(days=1, seed=1))
    >>> adapter.history(["SIM"], "1min", end="2024-01-01 00:05").shape
    (5, 1)
    """

    def __init__(self, bars: Bars, speed: float | None = None, start: Any = None) -> None:
        if speed is not None and not 0 < speed < float("inf"):
            raise ParameterError(f"ReplayAdapter: speed must be a positive number or None, got {speed!r}")
        self.bars = bars
        self.speed = speed
        self.start = None if start is None else moment(start, "start")
        self._seen = self.start if self.start is not None else int(bars.labels[0]) if len(bars) else 0

    def history(self, instruments: Sequence[Instrument | str], interval: str, start: Any = None, end: Any = None) -> Bars:
        """Return the recorded bars that opened at or after `start` and had closed by `end`.

        Parameters
        ----------
        instruments : sequence of Instrument or str
        interval : str
            The interval that was recorded.
        start, end : str, datetime or Timestamp, optional
            Without `end`: up to the newest bar that the stream has given, or to the stream's start.

        Returns
        -------
        Bars

        Raises
        ------
        DataError
            An instrument or interval that was not recorded.
        """
        bars = self._chosen(instruments, interval)
        known = close_times(bars) <= (self._seen if end is None else moment(end, "end"))
        if start is not None:
            known &= bars.labels >= moment(start, "start")
        return bars.take(_as_slice(known))

    async def stream(self, instruments: Sequence[Instrument | str], interval: str) -> AsyncIterator[Bars]:
        """Yield the recorded bars label after label, from `start` on."""
        import asyncio

        bars = self._chosen(instruments, interval)
        closes = close_times(bars)
        first = 0 if self.start is None else int(np.searchsorted(bars.labels, self.start))
        for row in range(first, len(bars)):
            if self.speed is not None and row > first:
                await asyncio.sleep((closes[row] - closes[row - 1]) / 1e9 / self.speed)
            else:
                await asyncio.sleep(0)
            self._seen = max(self._seen, int(closes[row]))
            yield bars.take(slice(row, row + 1))

    def _chosen(self, instruments: Sequence[Instrument | str], interval: str) -> Bars:
        if canonical(interval) != self.bars.interval:
            raise DataError(f"the recording holds bars of {self.bars.interval}, asked for {canonical(interval)}")
        symbols = [one if isinstance(one, str) else one.symbol for one in instruments]
        return self.bars if symbols == self.bars.symbols else self.bars[symbols]

    def __repr__(self) -> str:
        said = "".join(f", {name}={value!r}" for name, value in (("speed", self.speed), ("start", self.start)) if value is not None)
        return f"ReplayAdapter({self.bars!r}{said})"


def _as_slice(known: np.ndarray) -> slice:
    """Return rows that are True as a slice: labels and closes both rise."""
    rows = np.flatnonzero(known)
    return slice(rows[0], rows[-1] + 1) if len(rows) else slice(0, 0)

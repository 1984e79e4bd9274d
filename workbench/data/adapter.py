"""The port for market data: what a source of bars has to be able to do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from workbench.bars import Bars
from workbench.errors import DataError
from workbench.instrument import Instrument
from workbench.sessions import close_times

__all__ = ["DataAdapter", "Quote", "close_times", "moment"]


@dataclass(frozen=True, slots=True)
class Quote:
    """The best bid and ask of one instrument, and when the source knew them (nanoseconds since 1970, UTC)."""

    instrument: Instrument
    bid: float
    ask: float
    time: int

    @property
    def spread(self) -> float:
        """Ask less bid, in the quote currency."""
        return self.ask - self.bid


class DataAdapter(ABC):
    """A source of bars: their history, and each further bar when it has closed.

    =========  ==============================================================================================
    method     requirement
    =========  ==============================================================================================
    history    bars with open labels in UTC that had closed by `end`, and no others; a missing bar is absent,
               never filled; the same call gives the same bars, or the source says that it revised them
    stream     an async iterator; each item is Bars of one label, given once, after its close, in rising order;
               a bar that came too late for its label is given with a later step's call of `history`
    quotes     optional: the newest bid and ask where the source has them; empty where it has not
    =========  ==============================================================================================

    An adapter connects in its own thread and loop and never blocks the one it is used from for longer than a call takes.

    Examples
    --------
    A source of one's own:

    >>> class Mine(DataAdapter):
    ...     def history(self, instruments, interval, start=None, end=None):
    ...         return Bars.from_frames({i.symbol: download(i.symbol, start, end) for i in instruments}, interval=interval)
    ...     async def stream(self, instruments, interval):
    ...         while True:
    ...             yield await next_closed_bar(instruments, interval)
    """

    @abstractmethod
    def history(self, instruments: Sequence[Instrument | str], interval: str, start: Any = None, end: Any = None) -> Bars:
        """Return the bars that opened at or after `start` and had closed by `end`.

        Parameters
        ----------
        instruments : sequence of Instrument or str
        interval : str
        start, end : str, datetime or Timestamp, optional
            UTC where they name no zone. Without them: from the first, up to the newest closed bar.

        Returns
        -------
        Bars
            NaN where an instrument has no bar.
        """

    @abstractmethod
    def stream(self, instruments: Sequence[Instrument | str], interval: str) -> AsyncIterator[Bars]:
        """Yield Bars of one label each, after they have closed."""

    def quotes(self, instruments: Sequence[Instrument | str]) -> Mapping[str, Quote]:
        """Return the newest quote by symbol; empty where the source has none."""
        return {}


def moment(value: Any, name: str = "time") -> int:
    """Return a time as nanoseconds since 1970; UTC where it names no zone.

    Examples
    --------
    >>> moment("1970-01-02")
    86400000000000
    """
    try:
        stamp = pd.Timestamp(value)
    except (ValueError, TypeError):
        raise DataError(f"{name} must be a time such as '2024-01-31 16:00', got {value!r}") from None
    if pd.isna(stamp):
        raise DataError(f"{name} must be a time such as '2024-01-31 16:00', got {value!r}")
    return int((stamp.tz_localize("UTC") if stamp.tz is None else stamp).as_unit("ns").value)

"""All that a run needs of the paper venue: its account, its bars, and what it says, in one order."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from workbench.adapters.paper.connection import PaperConnection
from workbench.adapters.paper.execution import PaperAccount
from workbench.bars import FIELDS, Bars
from workbench.execution.port import Arrival, BarsClosed, Connected, Disconnected, MarketOver, VenueSaid
from workbench.execution.wire import event_from
from workbench.instrument import Instrument
from workbench.layout import SIMPLE, Layout

__all__ = ["PaperLink"]


class PaperLink:
    """A run's line to the paper venue.

    Parameters
    ----------
    address : path
        The file in which the venue says where it listens.
    instruments : sequence of Instrument
    interval : str
    layout : Layout, optional
        Which columns the account trades in, where they are not the instruments.
    """

    def __init__(self, address: Path, instruments: Sequence[Instrument], interval: str, layout: Layout = SIMPLE) -> None:
        self.address = Path(address)
        self.instruments = {i.symbol: i for i in instruments}
        #: What orders and fills are of.
        self.traded = {i.symbol: i for i in layout.instruments(instruments)}
        self.interval = interval
        self._connection: PaperConnection | None = None

    def open(self, put: Callable[[Arrival], None], since: Callable[[], int]) -> PaperAccount:
        """Connect, and put what arrives; `since` names the last message that is known. Return the account."""
        self._connection = PaperConnection(self.address, lambda said: put(self._read(said)), since).open()
        account = PaperAccount(self._connection)
        account.connect(list(self.traded.values()))
        return account

    def close(self) -> None:
        """End the connection."""
        if self._connection is not None:
            self._connection.close()

    def done(self, number: int) -> None:
        """Say that the step of these bars is decided: a market that moves step by step goes on."""
        if self._connection is not None:
            self._connection.say("done", number=number)

    def history(self, rows: int) -> Bars:
        """Return the newest closed bars, at most so many."""
        assert self._connection is not None
        return self._bars(self._connection.ask("history", rows=rows))

    def _read(self, said: Any) -> Arrival:
        if isinstance(said, (Connected, Disconnected)):
            return said
        if "over" in said:
            return MarketOver(said["number"])
        if "event" in said:
            return VenueSaid(said["number"], event_from(said["event"], self.traded))
        return BarsClosed(said["number"], self._bars(said), said["closed"], time.time_ns(), said["late"])

    def _bars(self, plain: dict[str, Any]) -> Bars:
        """Return bars from plain values, of the instruments that are there; None is a missing bar."""
        instruments = [instrument for symbol, instrument in self.instruments.items() if symbol in plain["bars"]]
        columns = [plain["bars"][instrument.symbol] for instrument in instruments]
        arrays = {name: np.array([column[k] for column in columns], dtype=float).T for k, name in enumerate(FIELDS)}
        index = pd.DatetimeIndex(np.array(plain["labels"], dtype="datetime64[ns]"), name="timestamp").tz_localize("UTC")
        return Bars(index, instruments, self.interval, arrays, plain.get("source", ""))

"""The paper venue keeps the contract: over its own wire, with its ledger on disk."""

from __future__ import annotations

import asyncio
import json
import os
import queue
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosedOK
from worked import market

from workbench import Instrument, Order
from workbench.adapters.paper import PaperAccount, PaperLink
from workbench.execution import Costs, PaperVenue
from workbench.execution.port import Connected, Disconnected, VenueEvent, VenueSaid
from workbench.execution.wire import order_plain
from workbench.journal import Journal
from workbench.practice.paper.exchange import Exchange
from workbench.practice.paper.feeds import Recorded
from workbench.practice.paper.server import PaperServer

from .contract import PATIENCE, Contract, Counterpart

SHARE = Instrument("ABC", tick_size=0.01)
#: More than any case lets pass.
BARS = 40


class Deaf(PaperServer):
    """A paper venue that hears, and whose answers may get lost."""

    silent = False

    async def _answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        said = await super()._answer(asked)
        if self.silent and asked["do"] == "submit":
            raise ConnectionClosedOK(None, None)
        return said


class PaperCounterpart(Counterpart):
    """A paper venue in a thread, its market moved bar by bar, its line opened and closed."""

    instrument = SHARE

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._port, self._server = 0, None
        self._exchange = self._do(self._made)
        self._told = 0
        self._arrived: queue.Queue[Any] = queue.Queue()
        self._kept: list[VenueEvent] = []
        self._open()
        self._link = PaperLink(folder / "venue.json", [SHARE], "1h")
        self._account = self._link.open(self._arrived.put, lambda: self._told)
        self._until(Connected)

    def _do(self, act: Callable[[], Any]) -> Any:
        """Do something in the venue's own thread."""

        async def done() -> Any:
            said = act()
            return await said if asyncio.iscoroutine(said) else said

        return asyncio.run_coroutine_threadsafe(done(), self._loop).result(PATIENCE)

    def _made(self) -> Exchange:
        self._ledger = Journal(self._folder / "ledger.db")
        self._ledger.take_over("venue")
        bars = market([(100.0, 100.0, 100.0, 100.0, self.ROOM * 10)] * BARS, SHARE)
        costs = Costs(commission=0.0, slippage=0.0, participation=0.1)
        exchange = Exchange(Recorded(bars), PaperVenue(100_000.0, costs), self._ledger)
        exchange.begin(1)
        return exchange

    def _open(self) -> None:
        async def listening() -> None:
            self._served = Deaf(self._exchange, "secret", None)
            self._server = await self._served.start(self._port)
            self._port = self._server.sockets[0].getsockname()[1]

        self._do(listening)
        said = {"port": self._port, "token": "secret", "pid": os.getpid()}
        (self._folder / "venue.json").write_text(json.dumps(said))

    def _shut(self) -> None:
        async def closed() -> None:
            self._served.market.cancel()
            self._server.close()
            await self._server.wait_closed()
            self._server = None

        self._do(closed)

    @property
    def account(self) -> PaperAccount:
        return self._account

    def _take(self, patience: float = PATIENCE) -> Any:
        arrival = self._arrived.get(timeout=patience)
        if not isinstance(arrival, (Connected, Disconnected)):
            self._told = max(self._told, int(arrival.number))
        if isinstance(arrival, VenueSaid):
            self._kept.append(arrival.event)
        return arrival

    def _until(self, kind: type) -> None:
        while not isinstance(self._take(), kind):
            pass

    def heard(self) -> list[VenueEvent]:
        while not self._arrived.empty():
            self._take()
        kept, self._kept = self._kept, []
        return kept

    def trade(self, low: float = 100.0, high: float = 100.0) -> None:
        async def passed() -> None:
            row, tape = self._exchange.row + 1, self._exchange.tape
            tape.low[0][row], tape.high[0][row] = low, high
            self._exchange.advance()
            await self._served._tell()

        self._do(passed)

    def cut(self) -> None:
        self._shut()
        self._until(Disconnected)

    def mend(self) -> None:
        self._served.silent = False
        if self._server is None:
            self._open()
        self._until(Connected)

    def lose_answers(self) -> None:
        self._served.silent = True

    def somebody_else(self, order: Order) -> None:
        async def submitted() -> None:
            self._exchange.submit(order_plain(order))
            await self._served._tell()

        self._do(submitted)

    def close(self) -> None:
        """End all of it."""
        self._link.close()
        if self._server is not None:
            self._shut()
        self._do(self._ledger.close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()
        self._loop.close()


class TestPaperVenue(Contract):
    """All cases of the contract."""

    @pytest.fixture
    def venue(self, tmp_path: Path) -> Iterator[PaperCounterpart]:
        counterpart = PaperCounterpart(tmp_path)
        yield counterpart
        counterpart.close()

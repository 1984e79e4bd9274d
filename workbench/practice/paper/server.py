"""The paper venue's wire: JSON over a websocket on this machine.

A client asks ``{"id": 1, "do": "submit", ...}`` and is answered ``{"id": 1, "ok": ...}`` or ``{"id": 1, "error": "..."}``.
After ``subscribe`` it is told everything with a running number above the one it names, in order: ``{"number", "event"}``
or ``{"number", "row", "labels", "closed", "late", "bars"}``, the bars of all instruments or of some. So nothing is missed over
a broken connection, and nothing told twice is taken twice.

The market moves by the clock, so many times faster than real time; or, without a speed, step by step: the next bar comes
when the session has done with the one before, and stands still while nobody is connected.
"""

from __future__ import annotations

import asyncio
import json
import logging
import math
import time
from collections.abc import Callable
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from workbench.bars import FIELDS, Bars
from workbench.errors import WorkbenchError
from workbench.execution.port import GRACE
from workbench.execution.wire import fill_plain, order_plain
from workbench.journal import Entry
from workbench.market import OrderKey
from workbench.practice.paper.exchange import Exchange, Message
from workbench.sessions import close_times

__all__ = ["PaperServer", "bars_plain"]

log = logging.getLogger("workbench.practice.paper")
#: Seconds between two looks at the clock while the market moves by it.
LOOK = 0.02
#: The least number of seconds that makes sense as a grace on a wire.
HURRIED = 0.02


class PaperServer:
    """Serves one exchange to whoever knows its token.

    Parameters
    ----------
    exchange : Exchange
    token : str
    speed : float, optional
        How many times faster than real time the market moves; None: step by step.
    clock : callable
        Seconds since 1970.
    """

    def __init__(self, exchange: Exchange, token: str, speed: float | None, clock: Callable[[], float] = time.time) -> None:
        self.exchange = exchange
        self._token = token
        self._speed = speed
        self._clock = clock
        self._moved = asyncio.Condition()
        self._done = 0
        row, self._began_at = self._began()
        #: When the bars closed that had passed by then.
        self._began_from = exchange.closes_at(max(row, 0))

    async def start(self, port: int = 0) -> Server:
        """Listen on this machine only; return the server."""
        server = await serve(self._talk, "127.0.0.1", port, compression=None, max_size=2**26, ping_interval=5, ping_timeout=10)
        self.market = asyncio.create_task(self._move())
        return server

    # -- the market's clock -----------------------------------------------------------------------------------------

    def _began(self) -> tuple[int, float]:
        """Return the row and the moment at which the market began to move by the clock: kept in the ledger."""
        known = next(iter(self.exchange.ledger.entries("began")), None)
        if known is None:
            known = Entry("began", "", {"row": self.exchange.row, "at": self._clock()})
            self.exchange.ledger.commit([known])
        return known.body["row"], known.body["at"]

    async def _move(self) -> None:
        """Let bars pass as they are due."""
        while not self.exchange.over:
            if self._speed is None:
                await self._done_with_the_newest()
                await self._advance()
            elif self._due():
                await self._advance()
            else:
                await asyncio.sleep(LOOK)
        if self._speed is None:
            await self._done_with_the_newest()
        self.exchange.end()
        await self._tell()

    async def _done_with_the_newest(self) -> None:
        async with self._moved:
            await self._moved.wait_for(lambda: self._done >= self.exchange.newest)

    def _due(self) -> bool:
        passed = self.exchange.closes_at(self.exchange.row + 1) - self._began_from
        return (self._clock() - self._began_at) * (self._speed or 1.0) >= passed / 1e9

    async def _advance(self) -> None:
        self.exchange.advance()
        await self._tell()
        await asyncio.sleep(0)

    async def _tell(self) -> None:
        async with self._moved:
            self._moved.notify_all()

    # -- one client ---------------------------------------------------------------------------------------------------

    async def _talk(self, client: ServerConnection) -> None:
        telling: asyncio.Task[None] | None = None
        try:
            async for text in client:
                asked = json.loads(text)
                if asked.get("token") != self._token:
                    await client.close(4401, "wrong token")
                    return
                await client.send(json.dumps({"id": asked["id"], **await self._answer(asked)}))
                if asked["do"] == "subscribe":
                    telling = asyncio.create_task(self._stream(client, int(asked["since"])))
        except ConnectionClosed:
            log.info("a client left without closing")
        finally:
            if telling is not None:
                telling.cancel()

    async def _answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        verb = VERBS.get(asked["do"])
        if verb is None:
            return {"error": f"unknown verb {asked['do']!r}"}
        try:
            before = self.exchange.head
            said = verb(self, asked)
            if asked["do"] == "done" or self.exchange.head > before:
                await self._tell()
            return {"ok": said}
        except WorkbenchError as error:
            return {"error": str(error)}

    async def _stream(self, client: ServerConnection, since: int) -> None:
        try:
            while True:
                for message in self.exchange.since(since):
                    await client.send(json.dumps(self._worded(message)))
                    since = message.number
                async with self._moved:
                    if self.exchange.head <= since:  # a client that only acts names a number beyond the log
                        await self._moved.wait()
        except ConnectionClosed:
            return
        except Exception:  # a line that says nothing more must not look alive
            log.exception("telling a client broke")
            await client.close(1011, "the venue could not go on telling")

    def _worded(self, message: Message) -> dict[str, Any]:
        if message.event is not None:
            return {"number": message.number, "event": message.event}
        if message.bars is None:
            return {"number": message.number, "over": True}
        closed = int(close_times(message.bars)[0])
        return {"number": message.number, "row": message.row, "closed": closed, "late": message.late, **bars_plain(message.bars)}

    # -- verbs --------------------------------------------------------------------------------------------------------

    def _subscribe(self, asked: dict[str, Any]) -> dict[str, Any]:
        exchange = self.exchange
        return {"head": exchange.head, "newest": exchange.newest, "row": exchange.row, "speed": self._speed, "grace": self._grace}

    @property
    def _grace(self) -> float:
        """Seconds that a client may wait for bars that are missing; a market that goes step by step has told all that are in time."""
        return HURRIED if self._speed is None else max(GRACE / self._speed, HURRIED)

    def _finished(self, asked: dict[str, Any]) -> dict[str, Any]:
        self._done = max(self._done, int(asked["number"]))
        return {}

    def _submit(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"taken": self.exchange.submit(asked["order"])}

    def _cancel(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"off": self.exchange.cancel(OrderKey(**asked["key"]))}

    def _amend(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"amended": self.exchange.amend(OrderKey(**asked["key"]), float(asked["price"]))}

    def _order(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"known": self.exchange.knows(OrderKey(**asked["key"]))}

    def _state(self, asked: dict[str, Any]) -> dict[str, Any]:
        venue = self.exchange.venue
        account = venue.account()
        return {
            "number": self.exchange.head,
            "orders": [order_plain(order) for order in venue.open_orders()],
            "positions": venue.positions(),
            "account": {"currency": account.currency, "cash": account.cash, "equity": account.equity, "margin": account.margin},
        }

    def _supports(self, asked: dict[str, Any]) -> list[str]:
        return sorted(self.exchange.venue.supports)

    def _executions(self, asked: dict[str, Any]) -> list[dict[str, Any]]:
        return [fill_plain(fill) for fill in self.exchange.venue.executions(int(asked.get("since", 0)))]

    def _history(self, asked: dict[str, Any]) -> dict[str, Any]:
        last = self.exchange.row + 1
        return bars_plain(self.exchange.bars(max(last - int(asked["rows"]), 0), last))


VERBS: dict[str, Callable[[PaperServer, dict[str, Any]], Any]] = {
    "subscribe": PaperServer._subscribe,
    "done": PaperServer._finished,
    "submit": PaperServer._submit,
    "cancel": PaperServer._cancel,
    "amend": PaperServer._amend,
    "order": PaperServer._order,
    "state": PaperServer._state,
    "supports": PaperServer._supports,
    "executions": PaperServer._executions,
    "history": PaperServer._history,
}


def bars_plain(bars: Bars) -> dict[str, Any]:
    """Return bars as plain values: labels, source, for each symbol its open, high, low, close and volume; None where there is none."""
    columns = {
        instrument.symbol: [[None if math.isnan(v) else v for v in bars.array(name)[:, j].tolist()] for name in FIELDS]
        for j, instrument in enumerate(bars.instruments)
    }
    return {"labels": bars.labels.tolist(), "bars": columns, "source": bars.source}

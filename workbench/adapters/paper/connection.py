"""One connection to the paper venue, in a thread and loop of its own, made again whenever it breaks."""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from workbench.errors import OrderRejected, OutcomeUnknown
from workbench.execution.port import Connected, Disconnected

__all__ = ["PaperConnection"]

log = logging.getLogger("workbench.adapters.paper")
#: Seconds: between two attempts to connect, and to wait for an answer.
PAUSE, PATIENCE = 0.2, 5.0
#: Without a bound on what is read ahead: a line that is closed in a flood of messages must still see the other side's goodbye.
SETTINGS: dict[str, Any] = {
    "compression": None, "proxy": None, "max_size": 2**26, "max_queue": None, "ping_interval": 5, "ping_timeout": 10, "close_timeout": 1,
}  # fmt: skip


class PaperConnection:
    """A connection that comes back by itself.

    Parameters
    ----------
    address : path
        The file in which the venue says where it listens and what token it wants; read at each attempt.
    put : callable
        Given, in the connection's thread: `Connected`, `Disconnected`, and as plain values whatever else the venue says.
    since : callable
        Returns the number of the last message that is known: the venue goes on after it.
    """

    def __init__(self, address: Path, put: Callable[[Any], None], since: Callable[[], int]) -> None:
        self._address = Path(address)
        self._put = put
        self._since = since
        self._loop = asyncio.new_event_loop()
        self._client: ClientConnection | None = None
        self._token = ""
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._ids = itertools.count(1)
        self._closing = False
        self._thread = threading.Thread(target=self._live, name="paper venue", daemon=True)

    def open(self) -> PaperConnection:
        """Begin to connect; return at once."""
        self._thread.start()
        return self

    def close(self) -> None:
        """End the connection and its thread."""
        if not self._thread.is_alive():
            return
        self._closing = True
        self._loop.call_soon_threadsafe(self._main.cancel)
        self._thread.join(PATIENCE)

    def ask(self, do: str, patience: float = PATIENCE, **more: Any) -> Any:
        """Ask the venue, and wait for its answer.

        Raises
        ------
        OutcomeUnknown
            No answer came: it may have heard, or not.
        OrderRejected
            The venue refused, in its words.
        """
        asked = asyncio.run_coroutine_threadsafe(self._ask(do, more), self._loop)
        try:
            answer = asked.result(patience)
        except (TimeoutError, ConnectionError, WebSocketException, asyncio.CancelledError) as error:
            asked.cancel()
            raise OutcomeUnknown(f"the paper venue did not answer to {do!r}: {str(error) or type(error).__name__}") from None
        if "error" in answer:
            raise OrderRejected("the paper venue refused", words=answer["error"])
        return answer["ok"]

    def say(self, do: str, **more: Any) -> None:
        """Tell the venue something, without waiting."""
        asyncio.run_coroutine_threadsafe(self._send(do, more), self._loop)

    # -- in the connection's thread -------------------------------------------------------------------------------------

    def _live(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._main = self._loop.create_task(self._keep())
        try:
            self._loop.run_until_complete(self._main)
        except asyncio.CancelledError:
            log.debug("the connection was closed")
        finally:
            self._loop.close()

    async def _keep(self) -> None:
        while not self._closing:
            why = "the venue is not there"
            try:
                where = json.loads(self._address.read_text())
                self._token = where["token"]
                async with connect(f"ws://127.0.0.1:{where['port']}", **SETTINGS) as client:
                    await self._serve(client)
            except (OSError, ValueError, KeyError, WebSocketException, TimeoutError) as error:
                why = str(error) or type(error).__name__
            except Exception as error:  # whatever it was, a line that is dead must not look alive
                log.exception("the line to the paper venue broke")
                why = f"{type(error).__name__}: {error}"
            self._gone(why)
            await asyncio.sleep(PAUSE)

    async def _serve(self, client: ClientConnection) -> None:
        reading = asyncio.create_task(self._read(client))
        self._client = client
        try:
            said = (await self._ask("subscribe", {"since": self._since()}))["ok"]
            self._put(Connected(said["head"], said["newest"], said["grace"]))
            await reading
        finally:
            reading.cancel()

    async def _read(self, client: ClientConnection) -> None:
        try:
            async for text in client:
                said = json.loads(text)
                if "id" in said:
                    future = self._waiting.pop(said["id"], None)
                    if future is not None and not future.done():
                        future.set_result(said)
                        await asyncio.sleep(0)  # `Connected` is put before what follows it
                else:
                    self._put(said)
        finally:
            self._give_up("the connection was closed")  # also what was asked before the venue took this client

    async def _ask(self, do: str, more: dict[str, Any]) -> Any:
        future: asyncio.Future[Any] = self._loop.create_future()
        number = await self._send(do, more, future)
        try:
            return await future
        finally:
            self._waiting.pop(number, None)

    async def _send(self, do: str, more: dict[str, Any], future: asyncio.Future[Any] | None = None) -> int:
        if self._client is None:
            raise ConnectionError("not connected")
        number = next(self._ids)
        if future is not None:
            self._waiting[number] = future
        await self._client.send(json.dumps({"id": number, "do": do, "token": self._token, **more}))
        return number

    def _gone(self, why: str) -> None:
        was, self._client = self._client, None
        self._give_up(why)
        if was is not None:
            self._put(Disconnected(why))

    def _give_up(self, why: str) -> None:
        """Tell all who wait for an answer that none will come."""
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(ConnectionError(why))
        self._waiting.clear()

"""The paper venue's process: what ``workbench venue paper FOLDER`` runs.

::

    FOLDER/market.json   what the market is, and the account (written once, when the account is made)
    FOLDER/bars/         recorded bars, where the market is a recording
    FOLDER/ledger.db     what came from outside, to the last order
    FOLDER/venue.json    where it listens now, its token and its process
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import signal
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from workbench.data import ParquetStore
from workbench.errors import RunError
from workbench.execution import Costs, PaperVenue
from workbench.instrument import Instrument
from workbench.journal import Journal
from workbench.layout import SIMPLE, Layout
from workbench.practice.paper.exchange import Exchange, some_late
from workbench.practice.paper.feeds import Endless, Feed, Recorded
from workbench.practice.paper.server import PaperServer
from workbench.writing import write_whole

__all__ = ["ADDRESS", "MARKET", "serve"]

MARKET, LEDGER, ADDRESS, LOCK, BARS = "market.json", "ledger.db", "venue.json", "venue.lock", "bars"


def serve(folder: Path) -> None:
    """Run the venue of an account until it is asked to end.

    Raises
    ------
    RunError
        Another process serves it already, or there is no such account.
    """
    if not (folder / MARKET).is_file():
        raise RunError(f"no paper account in {folder}: expected {MARKET}; `workbench run` makes one")
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise RunError(f"the paper venue of {folder} is running already") from None
    try:
        asyncio.run(_serve(folder))
    finally:
        lock.release()


async def _serve(folder: Path) -> None:
    terms = json.loads((folder / MARKET).read_text(encoding="utf-8"))
    ledger = Journal(folder / LEDGER)
    ledger.take_over(f"venue {os.getpid()}")
    late, layout = some_late(terms["late"], terms["seed"]), Layout.of(terms.get("strategies", SIMPLE.plain))
    exchange = Exchange(_feed(folder, terms), _account(terms), ledger, late, layout)
    exchange.begin(int(terms["history"]))
    token = secrets.token_urlsafe(16)
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    venue = PaperServer(exchange, token, terms["speed"])
    server = await venue.start(_last_port(folder))
    address = {"port": server.sockets[0].getsockname()[1], "token": token, "pid": os.getpid()}
    write_whole(folder / ADDRESS, json.dumps(address), private=True)
    moving = asyncio.ensure_future(ended.wait())
    await asyncio.wait([moving, venue.market], return_when=asyncio.FIRST_COMPLETED)
    if not ended.is_set():
        venue.market.result()  # raises what stopped the market, for instance a ledger that another venue took over
        await ended.wait()
    server.close()
    await server.wait_closed()


def _feed(folder: Path, terms: dict[str, Any]) -> Feed:
    instruments = tuple(Instrument(**one) for one in terms["instruments"])
    if terms["recorded"]:
        return Recorded(ParquetStore(folder / BARS).load([i.symbol for i in instruments], terms["interval"]))
    return Endless(instruments, terms["interval"], terms["seed"])


def _account(terms: dict[str, Any]) -> PaperVenue:
    costs = None if terms["costs"] is None else Costs(**terms["costs"])
    more = {
        "rejects": terms.get("rejects", 0.0),
        "seed": terms["seed"],
        "supports": terms.get("supports"),
        "margin": terms.get("margin", False),
    }
    return PaperVenue(terms["cash"], costs, terms["currency"], terms["rates"], **more)


def _last_port(folder: Path) -> int:
    """Return the port of the last time where it is free, so that a restart is found at once; else any."""
    import socket

    try:
        port = int(json.loads((folder / ADDRESS).read_text(encoding="utf-8"))["port"])
        with socket.socket() as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind(("127.0.0.1", port))
    except (OSError, ValueError, KeyError):
        return 0
    return port

"""The paper venue on a free port of this machine, in a thread: started, stopped and started again within a test."""

from __future__ import annotations

import asyncio
import json
import os
import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from paper_worlds import FREE

from workbench import Bars, Strategy, Team
from workbench.adapters.paper import PaperAccount, PaperLink
from workbench.execution import PaperVenue
from workbench.execution.port import Connected
from workbench.journal import Journal
from workbench.layout import SIMPLE, Layout
from workbench.practice.paper.exchange import Exchange, some_late
from workbench.practice.paper.feeds import Recorded
from workbench.practice.paper.server import PaperServer
from workbench.session.recorder import Recorder
from workbench.session.runner import Runner
from workbench.session.setup import set_up

PATIENCE = 10.0


class Serving:
    """A paper venue that can be stopped and started again; its ledger stays in the folder."""

    def __init__(
        self,
        folder: Path,
        bars: Bars,
        history: int = 20,
        speed: float | None = None,
        late: float = 0.0,
        layout: Layout = SIMPLE,
        **account: Any,
    ) -> None:
        self.folder, self.bars, self.history, self.speed, self.late = folder, bars, history, speed, late
        self.troubles = {name: account.pop(name) for name in ("supports", "rejects", "seed") if name in account}
        self.account = {"cash": 100_000.0, "costs": FREE} | account
        self.layout = layout
        self.address = folder / "venue.json"
        self.token = "secret"
        self.port = 0
        self._thread: threading.Thread | None = None

    def start(self) -> Serving:
        """Serve, on the port of the last time."""
        listening = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(listening)), daemon=True)
        self._thread.start()
        assert listening.wait(PATIENCE)
        return self

    async def _serve(self, listening: threading.Event) -> None:
        self.loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        ledger = Journal(self.folder / "ledger.db")
        ledger.take_over("venue")
        self.exchange = Exchange(
            Recorded(self.bars), PaperVenue(**self.account, **self.troubles), ledger, some_late(self.late, 1), self.layout
        )
        self.exchange.begin(self.history)
        served = PaperServer(self.exchange, self.token, self.speed)
        server = await served.start(self.port)
        self.port = server.sockets[0].getsockname()[1]
        self.address.write_text(json.dumps({"port": self.port, "token": self.token, "pid": os.getpid()}))
        listening.set()
        await self._ended.wait()
        served.market.cancel()
        server.close()
        await server.wait_closed()
        ledger.close()

    def stop(self) -> None:
        """End the venue; its connections break."""
        assert self._thread is not None
        self.loop.call_soon_threadsafe(self._ended.set)
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()

    def do(self, act: Callable[[Exchange], Any]) -> Any:
        """Do something with the exchange, in the venue's own thread."""

        async def done() -> Any:
            return act(self.exchange)

        return asyncio.run_coroutine_threadsafe(done(), self.loop).result(PATIENCE)

    def link(self) -> PaperLink:
        """Return a new line to this venue."""
        return PaperLink(self.address, self.bars.instruments, self.bars.interval, self.layout)

    def connected(self, since: int = 1 << 62) -> tuple[PaperLink, PaperAccount, queue.Queue[Any]]:
        """Return a line that is connected, its account, and what arrives."""
        link, arrived = self.link(), queue.Queue[Any]()
        account = link.open(arrived.put, lambda: since)
        assert isinstance(arrived.get(timeout=PATIENCE), Connected)
        return link, account, arrived


def until(true: Callable[[], Any], patience: float = PATIENCE) -> None:
    """Wait for something that another thread does."""
    deadline = time.monotonic() + patience
    while not true():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.002)


class Runs:
    """Runners of one strategy on one journal, one after the other."""

    def __init__(self, serving: Serving, strategy: Strategy | Team, folder: Path | None = None) -> None:
        self.serving, self.strategy = serving, strategy
        self.journal = Journal((folder or serving.folder) / "journal.db")
        self.count = 0

    def runner(self, **options: Any) -> Runner:
        """Return a new runner, as a new process would have it."""
        self.count += 1
        bars, account = self.serving.bars, self.serving.account
        return Runner(
            lambda some: set_up(self.strategy, some, **account),
            bars.instruments,
            bars.interval,
            options.pop("link", None) or self.serving.link(),
            self.journal,
            f"run {self.count}",
            self._listen,
            **options,
        )

    def _listen(self, session: Any) -> None:
        self.recorder = Recorder(session)

    def run(self, **options: Any) -> Runner:
        """Run until it is over; return the runner."""
        runner = self.runner(**options)
        runner.run()
        return runner


@contextmanager
def starting(folder: Path) -> Iterator[Callable[..., Runs]]:
    """Return what starts a venue, and runs on it; all are stopped at the end."""
    made: list[Runs] = []

    def start(bars: Bars, strategy: Strategy | Team, **options: Any) -> Runs:
        made.append(Runs(Serving(folder, bars, **options).start(), strategy))
        return made[-1]

    yield start
    for runs in made:
        runs.serving.stop()
        runs.journal.close()


class Background:
    """A runner in a thread of its own, as in the notebook."""

    def __init__(self, runner: Runner) -> None:
        self.runner = runner
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.runner.run()
        except BaseException as error:
            self.error = error

    def wait(self) -> Runner:
        """Wait for its end, and raise what it raised."""
        self._thread.join(60.0)
        assert not self._thread.is_alive()
        if self.error is not None:
            raise self.error
        return self.runner

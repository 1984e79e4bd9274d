"""A paper account on disk, and the process that serves it: made once, found again, started, watched, ended."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.bars import Bars
from workbench.data import ParquetStore
from workbench.errors import RunError
from workbench.instrument import Instrument
from workbench.live.release import Release
from workbench.saving import write_whole

__all__ = ["Market", "PaperAccountFolder"]

MARKET, ADDRESS, BARS, LOG = "market.json", "venue.json", "bars", "venue.log"
#: Seconds that a venue has to come up (a long ledger is lived through first), and to end.
PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Market:
    """What a paper account trades in.

    Parameters
    ----------
    bars : Bars, optional
        A recording; a simulated market without an end where not given.
    speed : float, optional
        How many times faster than real time; None: step by step, as fast as the session decides.
    seed : int, default 0
        Of the simulated market.
    history : int, default 500
        Bars that have closed already when the run begins.
    late : float, default 0
        The share of bars that come only with the next step: to see what a strategy does then (SEMANTICS 5).
    """

    bars: Bars | None = None
    speed: float | None = None
    seed: int = 0
    history: int = 500
    late: float = 0.0

    def __post_init__(self) -> None:
        if not 0.0 <= self.late < 1.0:
            raise RunError(f"late is a share of all bars, from 0 to under 1 (0.02: one in fifty), got {self.late!r}")

    def terms(self, release: Release) -> dict[str, Any]:
        """Return what the venue's process reads."""
        return {
            "instruments": [one.to_dict() for one in release.instruments],
            "interval": release.interval,
            "recorded": self.bars is not None,
            "source": "" if self.bars is None else self.bars.fingerprint,
            "speed": self.speed,
            "seed": self.seed,
            "late": self.late,
            "history": self.history if self.bars is None else min(self.history, max(len(self.bars) - 1, 1)),
            "cash": release.cash,
            "currency": release.currency,
            "costs": None if release.costs is None else release.costs.to_dict(),
            "rates": release.rates,
        }


class PaperAccountFolder:
    """The folder of a paper account, and its venue's process.

    Parameters
    ----------
    folder : Path
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> Path:
        """The file that says where the venue listens."""
        return self.folder / ADDRESS

    def traded(self) -> tuple[list[Instrument], str]:
        """Return what is traded on the account, and at what interval: of the account itself, whatever became of the release."""
        terms = json.loads((self.folder / MARKET).read_text(encoding="utf-8"))
        return [Instrument(**one) for one in terms["instruments"]], terms["interval"]

    def make(self, release: Release, market: Market | None) -> None:
        """Make the account, or check that it is the one that is meant.

        Raises
        ------
        RunError
            The account is there with other terms: the sentence names the first that differs.
        """
        terms = (market or Market()).terms(release)
        path = self.folder / MARKET
        if path.is_file():
            held = json.loads(path.read_text(encoding="utf-8"))
            kept = {"speed", "seed", "history", "late", "recorded", "source"} if market is None else set()
            other = next((name for name in terms if name not in kept and held.get(name) != terms[name]), None)
            if other is not None:
                said = f"{other} is {held.get(other)!r} there, {terms[other]!r} here"
                raise RunError(f"the paper account in {self.folder} is another one: {said}; choose another --account")
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        if market is not None and market.bars is not None:
            ParquetStore(self.folder / BARS).save(market.bars, replace=True)
        write_whole(path, json.dumps(terms, indent=2) + "\n")

    def serve(self) -> None:
        """Make sure that the venue's process runs: find it, or start it."""
        if self.alive:
            return
        with (self.folder / LOG).open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "workbench.cli", "venue", "paper", str(self.folder)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # it goes on when whoever started it is gone
            )
        self._wait_until_it_listens()

    def _wait_until_it_listens(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while not self.alive:
            ended = self._process is not None and self._process.poll() is not None
            if ended or time.monotonic() > deadline:
                last = (self.folder / LOG).read_text(errors="replace").strip().splitlines()[-1:]
                raise RunError(f"the paper venue does not come up: {last[0] if last else 'no message'}; see {self.folder / LOG}")
            time.sleep(0.02)

    @property
    def alive(self) -> bool:
        """Whether the venue listens."""
        if self._process is not None and self._process.poll() is not None:
            return False
        where = self._where()
        if where is None or not _exists(where["pid"]):
            return False
        with socket.socket() as tried:
            tried.settimeout(1.0)
            return tried.connect_ex(("127.0.0.1", where["port"])) == 0

    def end(self) -> None:
        """Ask the venue's process to end; its ledger stays."""
        where = self._where()
        if where is None or not _exists(where["pid"]):
            return
        os.kill(where["pid"], signal.SIGTERM)
        deadline = time.monotonic() + PATIENCE
        while _exists(where["pid"]) and time.monotonic() < deadline:
            if self._process is not None:
                self._process.poll()
            time.sleep(0.02)

    def _where(self) -> dict[str, Any] | None:
        try:
            return dict(json.loads(self.address.read_text(encoding="utf-8")))
        except (OSError, ValueError):
            return None


def _exists(pid: int) -> bool:
    """Whether a process is there and no zombie of ours."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True

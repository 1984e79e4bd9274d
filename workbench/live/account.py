"""A paper account on disk, and the process that serves it: made once, found again, started, watched, ended."""

from __future__ import annotations

import json
import math
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from workbench.bars import Bars
from workbench.data import ParquetStore
from workbench.errors import RunError
from workbench.execution.port import EVERYTHING
from workbench.instrument import Instrument
from workbench.layout import SIMPLE, Layout
from workbench.live.lease import is_held
from workbench.live.release import Release
from workbench.writing import write_whole

__all__ = ["Market", "PaperAccountFolder"]

MARKET, ADDRESS, BARS, LOG, LOCK = "market.json", "venue.json", "bars", "venue.log", "venue.lock"
#: Seconds that a venue has to come up (a long ledger is lived through first), and to end.
PATIENCE = 60.0


#: What a new account's market is where nothing is said.
DEFAULTS = {"seed": 0, "history": 500, "late": 0.0, "rejects": 0.0, "supports": None}
#: What an account of an earlier workbench does not say of itself.
EARLIER = {"strategies": SIMPLE.plain, "rejects": 0.0, "supports": None, "margin": False}


@dataclass(frozen=True, slots=True)
class Market:
    """What a paper account trades in. What is not said is what the account has, or the default of a new one.

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
    rejects : float, default 0
        The share of openings that the venue refuses.
    supports : sequence of str, optional
        What the venue takes, of `workbench.execution.port.EVERYTHING`; all of it where not given.

    Raises
    ------
    RunError
        A value that no market can have.
    """

    bars: Bars | None = None
    speed: float | None = None
    seed: int | None = None
    history: int | None = None
    late: float | None = None
    rejects: float | None = None
    supports: Sequence[str] | None = None

    def __post_init__(self) -> None:
        for name, wanted, holds in (
            ("speed", "a positive number (60: a minute passes in a second)", self.speed is None or 0.0 < self.speed < math.inf),
            ("seed", "a whole number that is not negative", self.seed is None or self.seed >= 0),
            ("history", "the number of bars that have closed, at least 1", self.history is None or self.history >= 1),
            ("late", "a share of all bars, from 0 to under 1 (0.02: one in fifty)", self.late is None or 0.0 <= self.late < 1.0),
            ("rejects", "a share of all openings, from 0 to 1 (0.02: one in fifty)", self.rejects is None or 0.0 <= self.rejects <= 1.0),
            ("supports", f"some of {', '.join(sorted(EVERYTHING))}, with 'market' among them", self._is_a_venue),
        ):
            if not holds:
                raise RunError(f"{name} must be {wanted}, got {getattr(self, name)!r}")

    @property
    def _is_a_venue(self) -> bool:
        """Whether `supports` is what a venue could take."""
        named = self.supports
        return named is None or (not isinstance(named, str) and "market" in named and set(named) <= EVERYTHING)

    def said(self) -> dict[str, Any]:
        """Return what was said, in the terms of the venue's process."""
        known = {name: getattr(self, name) for name in ("speed", *DEFAULTS) if getattr(self, name) is not None}
        if self.supports is not None:
            known["supports"] = sorted(set(self.supports))
        if self.bars is not None:
            known |= {"recorded": True, "source": self.bars.fingerprint}
            if self.history is not None:
                known["history"] = self._fitting(self.history)
        return known

    def terms(self) -> dict[str, Any]:
        """Return the terms of a new market."""
        terms = {"speed": None, "recorded": False, "source": "", "margin": True, **DEFAULTS} | self.said()
        return terms | {"history": self._fitting(terms["history"])}

    def _fitting(self, history: int) -> int:
        """Return a history that leaves at least one bar of a recording."""
        return history if self.bars is None else min(history, max(len(self.bars) - 1, 1))


def account_terms(release: Release) -> dict[str, Any]:
    """Return the terms of a release's account, as the venue's process reads them."""
    return {
        "instruments": [one.to_dict() for one in release.instruments],
        "interval": release.interval,
        "cash": release.cash,
        "currency": release.currency,
        "costs": None if release.costs is None else release.costs.to_dict(),
        "rates": release.rates,
        "strategies": release.layout.plain,
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
        self._reserved = FileLock(folder / "run.lock")

    @property
    def address(self) -> Path:
        """The file that says where the venue listens."""
        return self.folder / ADDRESS

    def traded(self) -> tuple[list[Instrument], str, Layout]:
        """Return what is traded on the account, at what interval, and by whom: of the account itself, whatever became of the release."""
        terms = self._terms()
        return [Instrument(**one) for one in terms["instruments"]], terms["interval"], Layout.of(terms["strategies"])

    def _terms(self) -> dict[str, Any]:
        """Return the terms that the account was made with; one of an earlier workbench has one strategy, and a venue that takes all."""
        return EARLIER | json.loads((self.folder / MARKET).read_text(encoding="utf-8"))

    def make(self, release: Release, market: Market | None) -> None:
        """Make the account, or check that it is the one that is meant.

        Raises
        ------
        RunError
            The account is there with other terms: the sentence names the first that differs.
        """
        market, path = market or Market(), self.folder / MARKET
        if path.is_file():
            held, said = self._terms(), account_terms(release) | market.said()
            other = next((name for name in said if held.get(name) != said[name]), None)
            if other is not None:
                raise RunError(
                    f"the paper account in {self.folder} is another one: {other} is {held.get(other)!r} there, {said[other]!r} here; "
                    "leave out what it has already, or promote under a new name to begin on a new account"
                )
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        if market.bars is not None:
            ParquetStore(self.folder / BARS).save(market.bars, replace=True)
        write_whole(path, json.dumps(account_terms(release) | market.terms(), indent=2) + "\n")

    def reserve(self) -> None:
        """Keep other runs off the account: a lease may be somebody else's where the environment names another folder for leases.

        Raises
        ------
        RunError
            Another run has it.
        """
        try:
            self._reserved.acquire(timeout=0)
        except Timeout:
            raise RunError(f"the paper account in {self.folder} is traded by another run, whose lease lies elsewhere") from None

    def let_go(self) -> None:
        """Let other runs have the account."""
        self._reserved.release()

    def market(self) -> str:
        """Return in words what the account trades in."""
        terms = self._terms()
        what = "a recording" if terms["recorded"] else f"a SIMULATED market, its prices made up (seed {terms['seed']})"
        pace = "step by step" if terms["speed"] is None else f"{terms['speed']:g} times as fast as real time"
        refuses = [f"which refuses {terms['rejects']:.3g} of all openings"] if terms["rejects"] else []
        takes = [f"which takes {', '.join(terms['supports'])} only"] if terms["supports"] is not None else []
        venue = f", at a venue {' and '.join(refuses + takes)}" if refuses or takes else ""
        return f"{what}, {pace}{venue}"

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
            gone = self._process is None or self._process.poll() is not None
            if (gone and not self._served) or time.monotonic() > deadline:
                last = (self.folder / LOG).read_text(errors="replace").strip().splitlines()[-1:]
                raise RunError(f"the paper venue does not come up: {last[0] if last else 'no message'}; see {self.folder / LOG}")
            time.sleep(0.02)

    @property
    def _served(self) -> bool:
        """Whether some process serves the account: it may still be living through its ledger, and not listen yet."""
        return is_held(FileLock(self.folder / LOCK))

    @property
    def pid(self) -> int:
        """The venue's process; 0 where none is noted."""
        where = self._where()
        return 0 if where is None else int(where["pid"])

    @property
    def alive(self) -> bool:
        """Whether the venue listens."""
        where = self._where()
        if where is None or not _exists(where["pid"]):
            return False
        if self._process is not None:
            self._process.poll()  # one of ours that has ended must not stay a zombie
        with socket.socket() as tried:
            tried.settimeout(1.0)
            return tried.connect_ex(("127.0.0.1", where["port"])) == 0

    def end(self) -> None:
        """Ask the venue's process to end; its ledger stays."""
        where = self._where()
        if where is None or not self._served or not _exists(where["pid"]):
            return  # a note outlives its process, and its number may be another's by now
        os.kill(where["pid"], signal.SIGTERM)
        deadline = time.monotonic() + PATIENCE
        while self._served and time.monotonic() < deadline:
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

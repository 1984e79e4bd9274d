"""Promotion: a strategy becomes a release, and from then on only that trades (the tested model is the one that trades).

::

    RELEASE/
      release.json     what it trades, at what interval, on what account; who made it, when, with which versions
      strategy/        the strategy as readable text, with the source of classes from a notebook
      manifest.json    sha256 of every file
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import numpy as np
import pandas as pd

from workbench.bars import Bars
from workbench.errors import RunError, did_you_mean
from workbench.execution import Costs
from workbench.instrument import Instrument
from workbench.interval import canonical
from workbench.layout import Layout
from workbench.live.places import is_name
from workbench.rates import common_currency
from workbench.risk.gate import Gate
from workbench.saving import manifest_hash
from workbench.session.setup import DEFAULT_CASH, Setup, set_up, strategy_of
from workbench.strategy import Strategy
from workbench.team import Team, layout_of, load_system
from workbench.version import __version__

__all__ = ["Release", "promote"]

TERMS, MANIFEST, STRATEGY = "release.json", "manifest.json", "strategy"


@dataclass(frozen=True, slots=True)
class Release:
    """A strategy with the terms that it trades on.

    Parameters
    ----------
    folder : Path
    name : str
        The deployment: it names the orders, and outlives runs.
    strategy : Strategy or Team
    instruments : tuple of Instrument
    interval : str
    cash : float
    currency : str
    costs : Costs or None
    rates : dict or None
    gate : Gate
        What every order of a run passes last.
    hash : str
        Names the release to its last byte.
    """

    folder: Path
    name: str
    strategy: Strategy | Team
    instruments: tuple[Instrument, ...]
    interval: str
    cash: float
    currency: str
    costs: Costs | None
    rates: dict[str, float] | None
    gate: Gate
    hash: str

    @classmethod
    def open(cls, folder: str | Path) -> Release:
        """Read a release, after checking every file against its manifest.

        Raises
        ------
        RunError
            There is none, or a byte of it was changed: the sentence names the file.
        """
        folder = Path(folder)
        digest = _verified(folder)
        terms = json.loads((folder / TERMS).read_text(encoding="utf-8"))
        return cls(
            folder,
            terms["name"],
            load_system(folder / STRATEGY),
            tuple(Instrument(**one) for one in terms["instruments"]),
            terms["interval"],
            terms["cash"],
            terms["currency"],
            None if terms["costs"] is None else Costs(**terms["costs"]),
            terms["rates"],
            Gate(**(terms.get("gate") or {})),
            digest,
        )

    @property
    def layout(self) -> Layout:
        """Which columns it trades in."""
        return layout_of(self.strategy)

    def setup(self, bars: Bars) -> Setup:
        """Return the strategy and its account over bars."""
        return set_up(self.strategy, bars, self.cash, self.costs, self.currency, self.rates, gate=self.gate)


def promote(
    strategy: Strategy | Team | Sequence[Strategy],
    bars: Bars | Sequence[Instrument],
    name: str,
    *,
    interval: str | None = None,
    cash: float = DEFAULT_CASH,
    currency: str | None = None,
    costs: Costs | None = None,
    rates: Mapping[str, float] | None = None,
    gate: Gate | None = None,
    start: Literal["join", "wait"] | None = None,
    folder: str | Path = "releases",
) -> Path:
    """Make a release of a strategy: the only thing that a run takes.

    Parameters
    ----------
    strategy : Strategy, Team or sequence of Strategy
    bars : Bars or sequence of Instrument
        What it trades; with instruments alone, `interval` is needed.
    name : str
        The deployment: letters, digits, ``-`` and ``_``. A new name begins a new record.
    interval : str, optional
    cash : float, default 100_000
        Of a paper account.
    currency, costs, rates : optional
        As in `wb.backtest`.
    gate : wb.risk.Gate, optional
        What every order passes last, whoever made it; the usual settings where not given.
    start : {"join", "wait"}, optional
        Whether the first stance is acted on or only noted; the strategy's own where not given.
    folder : path, default "releases"

    Returns
    -------
    Path
        The release's folder, ``FOLDER/NAME``.

    Raises
    ------
    RunError
        A release of this name is there, and it is another one.

    Examples
    --------
    >>> import tempfile, workbench as wb
    >>> where = wb.promote(wb.Strategy.example(), wb.sample("sp500"), "spx-trend", folder=tempfile.mkdtemp())
    >>> Release.open(where).name
    'spx-trend'
    """
    if not is_name(name):
        raise RunError(f"a release's name is made of letters, digits, - and _, got {name!r}")
    strategy = strategy_of(strategy)
    instruments = list(bars.instruments if isinstance(bars, Bars) else bars)
    interval = canonical(interval or (bars.interval if isinstance(bars, Bars) else ""))
    if start is not None:
        strategy = strategy.starting(start)
    if costs is not None and not isinstance(costs, Costs):
        raise RunError(f"a release has one wb.execution.Costs for all that it trades, got {type(costs).__name__}")
    if costs is not None and costs.quoted:
        raise RunError("Costs(quoted=...) needs the spread of each bar, and the bars of a run carry none yet: give spread= or slippage=")
    if gate is not None and not isinstance(gate, Gate):
        raise RunError(f"gate must be a wb.risk.Gate, got {gate!r}")
    kept = currency or common_currency(instruments)
    terms: dict[str, Any] = {
        "name": name,
        "instruments": [one.to_dict() for one in instruments],
        "interval": interval,
        "cash": float(cash),
        "currency": kept,
        "costs": None if costs is None else costs.to_dict(),
        "rates": None if rates is None else {pair: float(value) for pair, value in rates.items()},
        "gate": None if gate is None else asdict(gate),
    }
    set_up(strategy, _one_bar(instruments, interval), cash, costs, kept, rates)  # refuse now what could not start
    return _write(Path(folder) / name, strategy, terms)


def _one_bar(instruments: Sequence[Instrument], interval: str) -> Bars:
    index = pd.DatetimeIndex(["2024-01-02"], tz="UTC")
    ones = np.ones((1, len(instruments)))
    return Bars(index, instruments, interval, dict.fromkeys(("open", "high", "low", "close", "volume"), ones))


def _write(folder: Path, strategy: Strategy | Team, terms: dict[str, Any]) -> Path:
    """Write a release; the same one again changes nothing."""
    if (folder / MANIFEST).exists():
        return _same_or_refused(folder, strategy, terms)
    folder.mkdir(parents=True, exist_ok=True)
    strategy.save(folder / STRATEGY)
    made = {"made": f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC", "python": platform.python_version(), "workbench": __version__}
    (folder / TERMS).write_text(json.dumps(terms | made, indent=2) + "\n", encoding="utf-8")
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    hashes = {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    (folder / MANIFEST).write_bytes(_manifest(hashes))
    return folder


def _manifest(hashes: Mapping[str, str]) -> bytes:
    """Return a manifest as it is written: to its last byte, so that a change shows in any of them."""
    return (json.dumps(hashes, indent=2) + "\n").encode()


def _same_or_refused(folder: Path, strategy: Strategy | Team, terms: dict[str, Any]) -> Path:
    known = Release.open(folder)
    held = json.loads((folder / TERMS).read_text(encoding="utf-8"))
    different = next((name for name, value in terms.items() if held.get(name) != value), None)
    if different is not None:
        said = f"{different} is {held.get(different)!r} there and {terms[different]!r} here"
    elif repr(known.strategy) != repr(strategy):
        said = f"its strategy is {known.strategy!r}"
    elif _source_differs(folder / STRATEGY, strategy):
        said = "the source of its classes is another"
    else:
        return folder
    raise RunError(f"{folder} is another release: {said}; promote under a new name, so that its record stays its own")


def _source_differs(folder: Path, strategy: Strategy | Team) -> bool:
    """Whether a strategy that looks the same was written otherwise: classes of a notebook bring their source."""
    with TemporaryDirectory(prefix="workbench-") as draft:
        return manifest_hash(strategy.save(Path(draft))) != manifest_hash(folder)


def _verified(folder: Path) -> str:
    """Check every file of a release against its manifest; return the manifest's own hash."""
    if not (folder / MANIFEST).is_file():
        near = [path.name for path in folder.parent.glob("*") if (path / MANIFEST).is_file()] if folder.parent.is_dir() else []
        raise RunError(f"no release in {folder}{did_you_mean(folder.name, near)}")
    text = (folder / MANIFEST).read_bytes()
    try:
        hashes = json.loads(text)
    except ValueError:
        hashes = None
    if not isinstance(hashes, dict) or text != _manifest(hashes):
        raise RunError(f"{folder / MANIFEST} is not what was promoted: this release cannot be trusted")
    there = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()} - {MANIFEST}
    for name in sorted({*hashes, *there}):
        path = folder / name
        held = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "nothing"
        if hashes.get(name) != held:
            raise RunError(f"{path} is not what was promoted: this release is refused")
    return hashlib.sha256(text).hexdigest()

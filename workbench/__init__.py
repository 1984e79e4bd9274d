"""A notebook-first workbench for systematic trading.

``import workbench as wb`` is quick: every name is loaded when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from workbench.version import __version__ as __version__

if TYPE_CHECKING:
    from workbench import data, errors, execution, exits, features, indicators, models, research, risk, signals, sizing
    from workbench.bars import Bars
    from workbench.component import Component
    from workbench.data import ParquetStore, ReplayAdapter, read_bars, sample, simulate
    from workbench.instrument import Instrument
    from workbench.journal import Journal, MemoryJournal
    from workbench.live.release import promote
    from workbench.live.start import start
    from workbench.market import Decision, Fill, Order
    from workbench.panel import ControlPanel
    from workbench.portfolio import Ledger, Portfolio
    from workbench.research import Backtest, Readable, backtest, check_causality, check_parity, labels, validation
    from workbench.research.retraining import retrain
    from workbench.research.search import search
    from workbench.research.sensitivity import sensitivity
    from workbench.research.sheet import audit
    from workbench.research.sweep import sweep
    from workbench.research.walk_forward import walk_forward
    from workbench.research.warmth import check_lookback
    from workbench.session import Session
    from workbench.strategy import Strategy
    from workbench.team import Team

#: Rooms that are public as they stand and where they are, and the home of every other public name.
ROOMS = {
    name: name
    for name in ("data", "errors", "execution", "exits", "features", "indicators", "models", "research", "risk", "signals", "sizing")
}
ROOMS |= {"labels": "research.labels", "validation": "research.validation"}
HOMES = {
    "Backtest": "research",
    "Bars": "bars",
    "Component": "component",
    "ControlPanel": "panel",
    "Decision": "market",
    "Fill": "market",
    "Instrument": "instrument",
    "Journal": "journal",
    "Ledger": "portfolio",
    "MemoryJournal": "journal",
    "Order": "market",
    "ParquetStore": "data",
    "Portfolio": "portfolio",
    "Readable": "research",
    "ReplayAdapter": "data",
    "Session": "session",
    "Strategy": "strategy",
    "Team": "team",
    "audit": "research.sheet",
    "backtest": "research",
    "check_causality": "research",
    "check_lookback": "research.warmth",
    "check_parity": "research",
    "promote": "live.release",
    "start": "live.start",
    "read_bars": "data",
    "retrain": "research.retraining",
    "sample": "data",
    "sensitivity": "research.sensitivity",
    "search": "research.search",
    "sweep": "research.sweep",
    "walk_forward": "research.walk_forward",
    "simulate": "data",
}

__all__ = [
    "Backtest",
    "Bars",
    "Component",
    "ControlPanel",
    "Decision",
    "Fill",
    "Instrument",
    "Journal",
    "Ledger",
    "MemoryJournal",
    "Order",
    "ParquetStore",
    "Portfolio",
    "Readable",
    "ReplayAdapter",
    "Session",
    "Strategy",
    "Team",
    "audit",
    "backtest",
    "check_causality",
    "check_lookback",
    "check_parity",
    "data",
    "errors",
    "execution",
    "exits",
    "features",
    "indicators",
    "labels",
    "models",
    "promote",
    "read_bars",
    "research",
    "retrain",
    "risk",
    "sample",
    "search",
    "sensitivity",
    "signals",
    "simulate",
    "sizing",
    "start",
    "sweep",
    "validation",
    "walk_forward",
]


def __getattr__(name: str) -> Any:
    if name in ROOMS:
        return importlib.import_module(f"{__name__}.{ROOMS[name]}")
    if name in HOMES:
        found = getattr(importlib.import_module(f"{__name__}.{HOMES[name]}"), name)
        globals()[name] = found
        return found
    from workbench.errors import unknown_name

    raise unknown_name(__name__, name, __all__)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])

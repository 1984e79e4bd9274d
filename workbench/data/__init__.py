"""Bars from outside: files, the store, replay, the simulator and the sample (each loaded when it is first used)."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from workbench.errors import unknown_name

if TYPE_CHECKING:
    from workbench.data.adapter import DataAdapter, Quote
    from workbench.data.files import read_bars
    from workbench.data.guess import guess_instrument
    from workbench.data.repair import REPAIRS
    from workbench.data.replay import ReplayAdapter
    from workbench.data.samples import sample
    from workbench.data.simulator import simulate
    from workbench.data.store import ParquetStore

__all__ = ["REPAIRS", "DataAdapter", "ParquetStore", "Quote", "ReplayAdapter", "guess_instrument", "read_bars", "sample", "simulate"]

HOMES = {
    "DataAdapter": "adapter",
    "ParquetStore": "store",
    "Quote": "adapter",
    "REPAIRS": "repair",
    "ReplayAdapter": "replay",
    "guess_instrument": "guess",
    "read_bars": "files",
    "sample": "samples",
    "simulate": "simulator",
}


def __getattr__(name: str) -> Any:
    if name not in HOMES:
        raise unknown_name(__name__, name, __all__)
    return getattr(importlib.import_module(f"{__name__}.{HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)

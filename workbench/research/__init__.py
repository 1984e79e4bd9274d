"""Research: backtests, audits, reports (each loaded when it is first used)."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from workbench.errors import unknown_name

if TYPE_CHECKING:
    from workbench.research.audits import check_causality, check_parity
    from workbench.research.result import Backtest
    from workbench.research.running import backtest

__all__ = ["Backtest", "backtest", "check_causality", "check_parity"]

HOMES = {"Backtest": "result", "backtest": "running", "check_causality": "audits", "check_parity": "audits"}


def __getattr__(name: str) -> Any:
    if name not in HOMES:
        raise unknown_name(__name__, name, __all__)
    return getattr(importlib.import_module(f"{__name__}.{HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)

"""Research: backtests, audits, reports (each loaded when it is first used)."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from workbench.errors import unknown_name

if TYPE_CHECKING:
    from workbench.research.audits import check_causality, check_parity
    from workbench.research.execution_costs import compare_execution, plot_execution, shortfall
    from workbench.research.exposures import risk_contribution
    from workbench.research.pictures import plot_calibration, plot_importance, plot_leverage, plot_months, plot_rolling, returns_by_month
    from workbench.research.plots import plot_bars, plot_lines
    from workbench.research.readable import Readable
    from workbench.research.result import Backtest
    from workbench.research.risk_pictures import plot_exposure, plot_risk, plot_risk_contribution
    from workbench.research.running import backtest

__all__ = [
    "Backtest",
    "Readable",
    "backtest",
    "check_causality",
    "check_parity",
    "compare_execution",
    "plot_bars",
    "plot_calibration",
    "plot_execution",
    "plot_exposure",
    "plot_importance",
    "plot_leverage",
    "plot_lines",
    "plot_months",
    "plot_risk",
    "plot_risk_contribution",
    "plot_rolling",
    "returns_by_month",
    "risk_contribution",
    "shortfall",
]

HOMES = {
    "Backtest": "result",
    "Readable": "readable",
    "backtest": "running",
    "check_causality": "audits",
    "check_parity": "audits",
    "compare_execution": "execution_costs",
    "plot_bars": "plots",
    "plot_calibration": "pictures",
    "plot_execution": "execution_costs",
    "plot_exposure": "risk_pictures",
    "plot_importance": "pictures",
    "plot_leverage": "pictures",
    "plot_lines": "plots",
    "plot_months": "pictures",
    "plot_risk": "risk_pictures",
    "plot_risk_contribution": "risk_pictures",
    "plot_rolling": "pictures",
    "returns_by_month": "pictures",
    "risk_contribution": "exposures",
    "shortfall": "execution_costs",
}


def __getattr__(name: str) -> Any:
    if name not in HOMES:
        raise unknown_name(__name__, name, __all__)
    return getattr(importlib.import_module(f"{__name__}.{HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)

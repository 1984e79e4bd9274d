"""Risk managers: how much of an opening the book may still take; and the gate that every order passes."""

from workbench.errors import unknown_name
from workbench.risk._account import CoolDown, MaxDailyLoss, MaxDrawdown, MaxPositions, MaxTrades
from workbench.risk._base import Breach, RiskManager, Snapshot
from workbench.risk._exposure import MaxExposure
from workbench.risk._leverage import MaxLeverage
from workbench.risk._losses import ExpectedShortfall, LossLimit, ValueAtRisk
from workbench.risk._measures import expected_shortfall, value_at_risk
from workbench.risk._scenarios import DEPTH
from workbench.risk._volatility import MaxVolatility
from workbench.risk.gate import Gate, Latch, Situation, Verdict

__all__ = [
    "DEPTH",
    "Breach",
    "CoolDown",
    "ExpectedShortfall",
    "Gate",
    "Latch",
    "LossLimit",
    "MaxDailyLoss",
    "MaxDrawdown",
    "MaxExposure",
    "MaxLeverage",
    "MaxPositions",
    "MaxTrades",
    "MaxVolatility",
    "RiskManager",
    "Situation",
    "Snapshot",
    "ValueAtRisk",
    "Verdict",
    "expected_shortfall",
    "value_at_risk",
]


def __getattr__(name: str) -> object:
    raise unknown_name(__name__, name, __all__)

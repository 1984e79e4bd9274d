"""Risk managers: how much of an opening the book may still take; and the gate that every order passes."""

from workbench.errors import unknown_name
from workbench.risk._account import CoolDown, MaxDailyLoss, MaxDrawdown, MaxPositions, MaxTrades
from workbench.risk._base import RiskManager
from workbench.risk._exposure import MaxExposure
from workbench.risk._leverage import MaxLeverage
from workbench.risk.gate import Gate, Latch, Situation, Verdict

__all__ = [
    "CoolDown",
    "Gate",
    "Latch",
    "MaxDailyLoss",
    "MaxDrawdown",
    "MaxExposure",
    "MaxLeverage",
    "MaxPositions",
    "MaxTrades",
    "RiskManager",
    "Situation",
    "Verdict",
]


def __getattr__(name: str) -> object:
    raise unknown_name(__name__, name, __all__)

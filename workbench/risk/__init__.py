"""Risk managers: how much of an opening the book may still take."""

from workbench.errors import unknown_name
from workbench.risk._account import CoolDown, MaxDailyLoss, MaxDrawdown, MaxPositions, MaxTrades
from workbench.risk._base import RiskManager
from workbench.risk._exposure import MaxExposure
from workbench.risk._leverage import MaxLeverage

__all__ = [
    "CoolDown",
    "MaxDailyLoss",
    "MaxDrawdown",
    "MaxExposure",
    "MaxLeverage",
    "MaxPositions",
    "MaxTrades",
    "RiskManager",
]


def __getattr__(name: str) -> object:
    raise unknown_name(__name__, name, __all__)

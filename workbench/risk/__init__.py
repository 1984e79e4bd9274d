"""Risk managers: how much of an opening the book may still take."""

from workbench.errors import unknown_name
from workbench.risk._base import RiskManager
from workbench.risk._exposure import MaxExposure
from workbench.risk._leverage import MaxLeverage

__all__ = ["MaxExposure", "MaxLeverage", "RiskManager"]


def __getattr__(name: str) -> object:
    raise unknown_name(__name__, name, __all__)

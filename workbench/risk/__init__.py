"""Risk managers: how much of an opening the book may still take."""

from workbench.risk._base import RiskManager
from workbench.risk._exposure import MaxExposure
from workbench.risk._leverage import MaxLeverage

__all__ = ["MaxExposure", "MaxLeverage", "RiskManager"]

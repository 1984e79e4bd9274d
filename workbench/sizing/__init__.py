"""Position sizers: from a stance to the quantity that is asked for."""

from workbench.sizing._base import PositionSizer
from workbench.sizing._fixed import FixedFraction, FixedQuantity, MinimumSize
from workbench.sizing._risk_percent import RiskPercent

__all__ = ["FixedFraction", "FixedQuantity", "MinimumSize", "PositionSizer", "RiskPercent"]

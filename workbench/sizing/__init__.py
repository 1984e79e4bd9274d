"""Position sizers: from a stance to the quantity that is asked for."""

from workbench.errors import unknown_name
from workbench.sizing._base import PositionSizer
from workbench.sizing._fixed import FixedFraction, FixedQuantity, MinimumSize
from workbench.sizing._risk_percent import RiskPercent
from workbench.sizing._target_weights import TargetWeights

__all__ = ["FixedFraction", "FixedQuantity", "MinimumSize", "PositionSizer", "RiskPercent", "TargetWeights"]


def __getattr__(name: str) -> object:
    raise unknown_name(__name__, name, __all__)

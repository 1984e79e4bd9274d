"""Sizers: how much to ask for."""

from workbench.errors import unknown_name
from workbench.sizing._base import PositionSizer
from workbench.sizing._fixed import FixedFraction, FixedQuantity, MinimumSize
from workbench.sizing._kelly import Kelly
from workbench.sizing._rebalance import Rebalance
from workbench.sizing._risk_percent import RiskPercent
from workbench.sizing._scaled import Scaled
from workbench.sizing._target_weights import TargetWeights
from workbench.sizing._volatility_target import EqualRisk, VolatilityTarget

__all__ = [
    "EqualRisk",
    "FixedFraction",
    "FixedQuantity",
    "Kelly",
    "MinimumSize",
    "PositionSizer",
    "Rebalance",
    "RiskPercent",
    "Scaled",
    "TargetWeights",
    "VolatilityTarget",
]


def __getattr__(name: str) -> object:
    raise unknown_name(__name__, name, __all__)

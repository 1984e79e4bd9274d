"""Features: from closed bars to the numbers that a model learns from."""

from workbench.errors import unknown_name
from workbench.features._base import Feature
from workbench.features._calendar import Hour, Weekday
from workbench.features._price import MeanDistance, RangePosition, Returns, Rsi, TrueRange, Volatility, VolumeRatio
from workbench.features._table import names, newest, table

__all__ = [
    "Feature",
    "Hour",
    "MeanDistance",
    "RangePosition",
    "Returns",
    "Rsi",
    "TrueRange",
    "Volatility",
    "VolumeRatio",
    "Weekday",
    "names",
    "newest",
    "table",
]


def __getattr__(name: str) -> object:
    raise unknown_name(__name__, name, __all__)

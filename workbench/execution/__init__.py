"""Execution: the port to venues, the fill rules, costs, algorithms and the paper venue."""

from workbench.errors import unknown_name
from workbench.execution._algorithms import ExecutionAlgorithm, Limit, Market, Progress, StopEntry, WorkingAlgorithm
from workbench.execution._slicing import Iceberg, LimitChase, Sliced, Twap, Vwap, volume_profile
from workbench.execution.costs import Costs
from workbench.execution.paper import PaperVenue
from workbench.execution.port import ExecutionModule, OrderAccepted, OrderAmended, OrderEnded, OrderFilled, PositionCharged

__all__ = [
    "Costs",
    "ExecutionAlgorithm",
    "ExecutionModule",
    "Iceberg",
    "Limit",
    "LimitChase",
    "Market",
    "OrderAccepted",
    "OrderAmended",
    "OrderEnded",
    "OrderFilled",
    "PaperVenue",
    "PositionCharged",
    "Progress",
    "Sliced",
    "StopEntry",
    "Twap",
    "Vwap",
    "WorkingAlgorithm",
    "volume_profile",
]


def __getattr__(name: str) -> object:
    raise unknown_name(__name__, name, __all__)

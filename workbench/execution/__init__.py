"""Execution: the port to venues, the fill rules, costs, algorithms and the paper venue."""

from workbench.errors import unknown_name
from workbench.execution._algorithms import ExecutionAlgorithm, Limit, Market
from workbench.execution.costs import Costs
from workbench.execution.paper import PaperVenue
from workbench.execution.port import ExecutionModule, OrderAccepted, OrderAmended, OrderEnded, OrderFilled, PositionCharged

__all__ = [
    "Costs",
    "ExecutionAlgorithm",
    "ExecutionModule",
    "Limit",
    "Market",
    "OrderAccepted",
    "OrderAmended",
    "OrderEnded",
    "OrderFilled",
    "PaperVenue",
    "PositionCharged",
]


def __getattr__(name: str) -> object:
    raise unknown_name(__name__, name, __all__)

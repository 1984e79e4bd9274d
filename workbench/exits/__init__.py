"""Exits: the stops and the target that every opening carries, what moves them, and how long it may last."""

from workbench.errors import unknown_name
from workbench.exits._atr_stop import AtrStop
from workbench.exits._base import Exit
from workbench.exits._break_even import BreakEven
from workbench.exits._distances import Distances, distance_of, distances, require_fitting
from workbench.exits._stop_loss import StopLoss
from workbench.exits._take_profit import TakeProfit
from workbench.exits._time_stop import TimeStop
from workbench.exits._trailing_stop import TrailingStop

__all__ = [
    "AtrStop",
    "BreakEven",
    "Distances",
    "Exit",
    "StopLoss",
    "TakeProfit",
    "TimeStop",
    "TrailingStop",
    "distance_of",
    "distances",
    "require_fitting",
]


def __getattr__(name: str) -> object:
    raise unknown_name(__name__, name, __all__)

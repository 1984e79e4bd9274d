"""Exits: the protective stop and the target that every opening carries."""

from workbench.errors import unknown_name
from workbench.exits._atr_stop import AtrStop
from workbench.exits._base import Exit
from workbench.exits._take_profit import TakeProfit

__all__ = ["AtrStop", "Exit", "TakeProfit"]


def __getattr__(name: str) -> object:
    raise unknown_name(__name__, name, __all__)

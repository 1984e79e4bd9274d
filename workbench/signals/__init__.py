"""Signal generators: from closed bars to a stance."""

from workbench.errors import unknown_name
from workbench.signals._base import SignalGenerator
from workbench.signals._breakout import Breakout
from workbench.signals._moving_average import MovingAverageCross
from workbench.signals._votes import AllAgree, Majority

__all__ = ["AllAgree", "Breakout", "Majority", "MovingAverageCross", "SignalGenerator"]


def __getattr__(name: str) -> object:
    raise unknown_name(__name__, name, __all__)

"""Signal generators: from closed bars to a stance."""

from workbench.signals._base import SignalGenerator
from workbench.signals._breakout import Breakout
from workbench.signals._moving_average import MovingAverageCross
from workbench.signals._votes import AllAgree, Majority

__all__ = ["AllAgree", "Breakout", "Majority", "MovingAverageCross", "SignalGenerator"]

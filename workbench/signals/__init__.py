"""Signal generators: from closed bars to a stance."""

from workbench.errors import unknown_name
from workbench.signals._base import SignalGenerator
from workbench.signals._breakout import Breakout
from workbench.signals._models import Classifier, Regressor
from workbench.signals._moving_average import MovingAverageCross
from workbench.signals._stacked import Stacked, Stance
from workbench.signals._trained import TrainedSignal
from workbench.signals._votes import AllAgree, Majority

__all__ = [
    "AllAgree",
    "Breakout",
    "Classifier",
    "Majority",
    "MovingAverageCross",
    "Regressor",
    "SignalGenerator",
    "Stacked",
    "Stance",
    "TrainedSignal",
]


def __getattr__(name: str) -> object:
    raise unknown_name(__name__, name, __all__)

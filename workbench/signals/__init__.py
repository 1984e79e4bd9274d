"""Signal generators: from closed bars to a stance."""

from workbench.errors import unknown_name
from workbench.signals._base import SignalGenerator
from workbench.signals._bollinger import Bollinger
from workbench.signals._breakout import Breakout
from workbench.signals._calendar import Calendar
from workbench.signals._cross_sectional import CrossSectionalMomentum
from workbench.signals._crossing import Crossing
from workbench.signals._donchian import Donchian
from workbench.signals._health import Health, health
from workbench.signals._higher_timeframe import HigherTimeframe
from workbench.signals._keltner import Keltner
from workbench.signals._macd import Macd
from workbench.signals._meta_labelled import MetaLabelled
from workbench.signals._models import Classifier, Regressor
from workbench.signals._momentum import Momentum
from workbench.signals._moving_average import MovingAverageCross
from workbench.signals._pairs import PairsSpread
from workbench.signals._relative_strength import RelativeStrength
from workbench.signals._stacked import Stacked, Stance
from workbench.signals._time_of_day import TimeOfDay
from workbench.signals._trained import TrainedSignal
from workbench.signals._volatility_regime import VolatilityRegime
from workbench.signals._votes import AllAgree, AnyOf, Majority
from workbench.signals._weighted import Weighted
from workbench.signals._zscore import ZScore

__all__ = [
    "AllAgree",
    "AnyOf",
    "Bollinger",
    "Breakout",
    "Calendar",
    "Classifier",
    "CrossSectionalMomentum",
    "Crossing",
    "Donchian",
    "Health",
    "HigherTimeframe",
    "Keltner",
    "Macd",
    "Majority",
    "MetaLabelled",
    "Momentum",
    "MovingAverageCross",
    "PairsSpread",
    "Regressor",
    "RelativeStrength",
    "SignalGenerator",
    "Stacked",
    "Stance",
    "TimeOfDay",
    "TrainedSignal",
    "VolatilityRegime",
    "Weighted",
    "ZScore",
    "health",
]


def __getattr__(name: str) -> object:
    raise unknown_name(__name__, name, __all__)

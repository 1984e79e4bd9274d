"""Indicators: causal functions of bars, computed once per Bars object and parameter.

Each instrument's missing bars are skipped and stay NaN. Running averages go from the first bar on, so the value at a bar
does not depend on how many bars follow (law 1), and equals that of a longer history to 1e-9 once its look-back has passed;
what a window decides (deviation, z-score, volatility, momentum) is worked out from the window alone, to the last bit.
"""

from workbench.errors import unknown_name
from workbench.indicators._averages import ema, ema_lookback, sma, wilder, wilder_lookback
from workbench.indicators._bands import Bands, Channel, bollinger, donchian, keltner, keltner_lookback
from workbench.indicators._base import compare
from workbench.indicators._deviations import deviation, ewma_lookback, ewma_volatility, volatility, volatility_quantile, zscore
from workbench.indicators._garch import garch_lookback, garch_volatility
from workbench.indicators._oscillators import MacdLines, macd, macd_lookback, momentum, rsi, rsi_lookback
from workbench.indicators._ranges import atr, atr_lookback, highest, lowest, true_range

__all__ = [
    "Bands",
    "Channel",
    "MacdLines",
    "atr",
    "atr_lookback",
    "bollinger",
    "compare",
    "deviation",
    "donchian",
    "ema",
    "ema_lookback",
    "ewma_lookback",
    "ewma_volatility",
    "garch_lookback",
    "garch_volatility",
    "highest",
    "keltner",
    "keltner_lookback",
    "lowest",
    "macd",
    "macd_lookback",
    "momentum",
    "rsi",
    "rsi_lookback",
    "sma",
    "true_range",
    "volatility",
    "volatility_quantile",
    "wilder",
    "wilder_lookback",
    "zscore",
]


def __getattr__(name: str) -> object:
    raise unknown_name(__name__, name, __all__)

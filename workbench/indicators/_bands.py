"""Bands and channels about the price."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

from workbench.bars import Bars
from workbench.indicators._averages import ema, ema_lookback, sma
from workbench.indicators._base import require_number
from workbench.indicators._deviations import deviation
from workbench.indicators._ranges import atr, atr_lookback, highest, lowest

__all__ = ["Bands", "Channel", "bollinger", "donchian", "keltner", "keltner_lookback"]


class Bands(NamedTuple):
    """A middle with a band on each side: DataFrames of shape (T, N) in price units."""

    mid: pd.DataFrame
    upper: pd.DataFrame
    lower: pd.DataFrame


class Channel(NamedTuple):
    """The edges of a channel: DataFrames of shape (T, N) in price units."""

    upper: pd.DataFrame
    lower: pd.DataFrame


def bollinger(bars: Bars, window: int = 20, width: float = 2.0, field: str = "close") -> Bands:
    """Return Bollinger's bands: the simple mean, and `width` standard deviations of the population (ddof 0) on each side.

    Parameters
    ----------
    bars : Bars
    window : int, default 20
        Bars.
    width : float, default 2
        Standard deviations.
    field : str, default "close"

    Returns
    -------
    Bands
        NaN in the first `window` - 1 bars and at holes.

    References
    ----------
    Bollinger, J. (2001). Bollinger on Bollinger Bands.

    Examples
    --------
    >>> import workbench as wb
    >>> mid, upper, lower = bollinger(wb.simulate(days=2, seed=1))
    >>> bool((upper >= mid).iloc[19:].all(axis=None))
    True
    """
    require_number("bollinger", "width", width)
    mid, away = sma(bars, window, field), deviation(bars, window, 0, field)
    return bars.memo(("indicator", "bollinger", field, window, width), lambda: _about(mid, away * width))


def keltner(bars: Bars, window: int = 20, atr_window: int = 10, multiple: float = 2.0) -> Bands:
    """Return Keltner's bands: the exponential mean of the close, and `multiple` average true ranges on each side.

    The mean is `ema`, the range Wilder's `atr`, each with its own start; this is Raschke's form of Keltner's channel.

    Parameters
    ----------
    bars : Bars
    window : int, default 20
        Bars of the mean.
    atr_window : int, default 10
        Bars of the average true range.
    multiple : float, default 2

    Returns
    -------
    Bands
        NaN until both windows are full, and at holes.

    References
    ----------
    Keltner, C. W. (1960). How to Make Money in Commodities.

    Examples
    --------
    >>> import workbench as wb
    >>> mid, upper, lower = keltner(wb.simulate(days=2, seed=1))
    >>> bool((upper > lower).iloc[19:].all(axis=None))
    True
    """
    require_number("keltner", "multiple", multiple)
    mid, away = ema(bars, window), atr(bars, atr_window)
    return bars.memo(("indicator", "keltner", window, atr_window, multiple), lambda: _about(mid, away * multiple))


def keltner_lookback(window: int = 20, atr_window: int = 10) -> int:
    """Return after how many bars older ones weigh less than 1e-10 in the bands of `keltner`."""
    return max(ema_lookback(window), atr_lookback(atr_window))


def donchian(bars: Bars, window: int = 20) -> Channel:
    """Return Donchian's channel: the highest high and the lowest low of the last `window` bars, the newest included.

    Parameters
    ----------
    bars : Bars
    window : int, default 20
        Bars.

    Returns
    -------
    Channel
        NaN in the first `window` - 1 bars and at holes.

    References
    ----------
    Donchian, R. D. (1960). High finance in copper. Financial Analysts Journal 16(6).

    Examples
    --------
    >>> import workbench as wb
    >>> upper, lower = donchian(wb.simulate(days=2, seed=1))
    >>> bool((upper > lower).iloc[19:].all(axis=None))
    True
    """
    return Channel(highest(bars, window), lowest(bars, window))


def _about(mid: pd.DataFrame, away: pd.DataFrame) -> Bands:
    return Bands(mid, mid + away, mid - away)

"""How much of an order a bar has room for, and what the order does to the price: the market is not endless.

The square-root law: an order of Q moves the price by about Y x volatility x sqrt(Q / V), volatility and volume V over the same time,
Y near 1 (Torre, BARRA Market Impact Model Handbook, 1997; Almgren, Thum, Hauptmann and Li, Direct Estimation of Equity Market Impact,
2005). Both are taken from the bars before the fill, so nobody looks ahead; the room is that of the bar itself, as at a venue.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import islice, pairwise

__all__ = ["WINDOW", "against", "beyond", "impact_of", "room_in", "usual"]

#: How many bars before a fill say how much the price moves, and how much is traded.
WINDOW = 20
#: How many steps back they may lie: no more than a run keeps at hand.
REACH = 1_000


def room_in(volume: float, participation: float) -> float:
    """Return the quantity that all orders together fill in a bar: a share of its volume; none where no volume is known."""
    return volume * participation if volume > 0.0 else 0.0


def beyond(price: float, side: float, high: float, low: float) -> float:
    """Return what share of a bar's range lies beyond a limit: about so much of its volume traded through it.

    Examples
    --------
    >>> beyond(100.0, 1.0, high=103.0, low=99.0)
    0.25
    """
    through = price - low if side > 0 else high - price
    return min(max(through / (high - low), 0.0), 1.0) if high > low else float(through > 0.0)


def impact_of(coefficient: float, quantity: float, volatility: float, volume: float) -> float:
    """Return by what share of it an order of a quantity moves the price: none where volatility or volume are not known.

    Examples
    --------
    >>> impact_of(1.0, 100.0, 0.02, 10_000.0)
    0.002
    """
    if not (volatility > 0.0 and volume > 0.0):
        return 0.0
    return coefficient * volatility * math.sqrt(abs(quantity) / volume)


def against(side: float, moved: float) -> float:
    """Return by what share of a price an impact moves it against a fill: what a sale brings is divided by what a purchase is multiplied by.

    So an order that is far too large for its market sells for next to nothing, and never for less than that.

    Examples
    --------
    >>> against(1.0, 0.25), against(-1.0, 0.25)
    (0.25, 0.2)
    """
    return moved if side > 0.0 else moved / (1.0 + moved)


def usual(close: Sequence[float], volume: Sequence[float], row: int, first: int = 0) -> tuple[float, float]:
    """Return volatility and volume of a bar, as the bars before a row had them: the standard deviation of returns, and the mean.

    Parameters
    ----------
    close, volume : sequence of float
        Columns of one instrument; NaN where it had no bar.
    row : int
        The bar of the fill: not looked at.
    first : int, default 0
        The oldest row that is there.

    Returns
    -------
    volatility, volume : float
        NaN with fewer than 2 returns, or none of the volumes known.
    """
    own = (k for k in range(row - 1, max(row - REACH, first) - 1, -1) if close[k] == close[k])  # others may have had bars since
    known = list(islice(own, WINDOW + 1))[::-1]
    returns = [close[k] / close[before] - 1.0 for before, k in pairwise(known)]
    volumes = [volume[k] for k in known[-WINDOW:] if volume[k] > 0.0]
    mean = math.fsum(returns) / len(returns) if returns else math.nan
    spread = math.sqrt(math.fsum((one - mean) ** 2 for one in returns) / (len(returns) - 1)) if len(returns) > 1 else math.nan
    return spread, math.fsum(volumes) / len(volumes) if volumes else math.nan

"""The triple barrier: which of an upper, a lower and a vertical barrier the price touches first."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd

from workbench.alignment import aligned
from workbench.bars import Bars
from workbench.errors import ParameterError, did_you_mean
from workbench.research.labels.table import TIE, Own, each_instrument, keys_of, label_table, require_bars, require_count, widths

__all__ = ["triple_barrier"]

NAMES = np.array(["", "upper", "lower", "vertical"], dtype=object)
UNKNOWN, UPPER, LOWER, VERTICAL = range(len(NAMES))


class _Touches(NamedTuple):
    """For each event its barrier (a number of `NAMES`), the own bar that touched it, and the price of the touch."""

    barrier: np.ndarray
    bar: np.ndarray
    price: np.ndarray


def triple_barrier(
    bars: Bars,
    upper: float | None,
    lower: float | None,
    vertical: int,
    events: Any = None,
    volatility: Any = None,
    path: Literal["close", "high_low"] = "close",
    at_vertical: Literal["sign", "zero"] = "sign",
    side: Any = None,
) -> pd.DataFrame:
    """Label events by the barrier that the price touches first.

    The entry is the close of the event's bar; barriers are tested from the instrument's next bar on. A price within 1e-9 of
    a barrier touches it (SEMANTICS 6).

    Parameters
    ----------
    bars : Bars of shape (T, N)
    upper, lower : float or None
        Distance of the barriers from the entry, above 0: shares of the price, or multiples of the volatility. None: no such
        barrier (the book writes 0 for it).
    vertical : int
        After how many of the instrument's own bars the label ends in any case, at least 1.
    events : DatetimeIndex, MultiIndex (timestamp, symbol), what is indexed by one, or DataFrame of booleans (T, N), optional
        The bars to label; every bar where not given. A DatetimeIndex means each symbol that has a bar then.
    volatility : DataFrame of shape (T, N) or Series, optional
        As a share of the price, known at the close of its bar (it must be causal). Where it is NaN or not above 0 there is no label.
    path : {"close", "high_low"}, default "close"
        What touches a barrier. With ``"high_low"`` the touch is at the barrier, or at the open of a bar that opens beyond it;
        a bar that reaches both barriers touches the lower one (with a `side` below 0 the upper one), as stops come before targets
        (SEMANTICS 23).
    at_vertical : {"sign", "zero"}, default "sign"
        The label at the vertical barrier: the sign of the return, or 0.
    side : DataFrame of shape (T, N) or Series, optional
        The stance of a primary signal, for `meta_labels`. Where it is below 0 the two distances change places, as a short position
        has its target (`upper`) below the entry and its stop (`lower`) above; label, `barrier` and `ret` still tell of the price.

    Returns
    -------
    DataFrame
        A label table (`workbench.research.labels`) of the events, with `barrier`. An event whose bars end before the vertical
        barrier, none being touched, is unknown: NaN, NaT and ``""``.

    Raises
    ------
    ParameterError
        A distance that is no number above 0, an event without a bar, an unknown word.

    Notes
    -----
    Lopez de Prado, Advances in Financial Machine Learning (2018), 3.4 and 3.6.

    Examples
    --------
    >>> import workbench as wb
    >>> labels = wb.labels.triple_barrier(wb.simulate(days=1, seed=1), upper=0.002, lower=0.001, vertical=60)
    >>> sorted(labels["barrier"].unique())
    ['', 'lower', 'upper', 'vertical']
    """
    _one_of(path, ("close", "high_low"), "path")
    _one_of(at_vertical, ("sign", "zero"), "at_vertical")
    vertical = require_count(vertical, "vertical")
    up, down = (_distances(x, volatility, require_bars(bars, "triple_barrier"), n) for x, n in ((upper, "upper"), (lower, "lower")))
    short = np.zeros(bars.shape, bool) if side is None else aligned(side, bars, "side", "a stance") < 0
    up, down = np.where(short, down, up), np.where(short, up, down)
    chosen = bars.present if events is None else keys_of(events, bars, "events")
    end, barrier, ret = np.full(bars.shape, -1), np.zeros(bars.shape, int), np.full(bars.shape, np.nan)
    for own in each_instrument(bars):
        column, events_at = own.column, np.flatnonzero(chosen[own.rows, own.column])
        rows = own.rows[events_at]
        entry = own.prices["close"][events_at]
        levels = entry * (1 + up[rows, column]), entry * (1 - down[rows, column])
        found = _touches(own, events_at, levels, short[rows, column], vertical, path)
        known = found.barrier != UNKNOWN
        end[rows[known], column] = own.rows[found.bar[known]]
        barrier[rows, column], ret[rows, column] = found.barrier, found.price / entry - 1
    sign = np.where(np.abs(ret) > TIE, np.sign(ret), 0.0) if at_vertical == "sign" else 0.0
    label = np.select([barrier == UPPER, barrier == LOWER], [1.0, -1.0], sign)
    return label_table(bars, chosen, end, label=label, ret=ret, barrier=NAMES[barrier])


def _one_of(word: str, known: tuple[str, ...], name: str) -> None:
    if word not in known:
        raise ParameterError(f"{name} must be {' or '.join(map(repr, known))}, got {word!r}{did_you_mean(str(word), known)}")


def _distances(multiple: float | None, volatility: Any, bars: Bars, name: str) -> np.ndarray:
    """Return how far a barrier lies from each close: one at the close itself would be touched by whatever comes."""
    if multiple is not None and multiple == 0:
        raise ParameterError(f"{name} must be a number above 0, or None for no barrier on that side, got {multiple!r}")
    return widths(multiple, volatility, bars, name)


def _touches(own: Own, at: np.ndarray, levels: tuple[np.ndarray, np.ndarray], short: np.ndarray, vertical: int, path: str) -> _Touches:
    """Return what each event touches first."""
    upper, lower = levels
    names = ("close", "close", "close") if path == "close" else ("open", "high", "low")
    first, high, low = (own.prices[name] for name in names)
    tested = ~np.isnan(upper) & ~np.isnan(lower)
    end = at + vertical
    above, below = _first(high, at, upper * (1 - TIE), vertical), _first(-low, at, -lower * (1 + TIE), vertical)
    bar = np.minimum(np.minimum(above, below), np.minimum(end, len(first) - 1))
    opens_above, opens_below = first[bar] >= upper * (1 - TIE), first[bar] <= lower * (1 + TIE)
    up = tested & (bar == above) & ((above < below) | opens_above | (short & ~opens_below))
    down = tested & (bar == below) & ~up
    timed_out = tested & (bar == end) & ~up & ~down
    barrier = np.select([up, down, timed_out], [UPPER, LOWER, VERTICAL], UNKNOWN)
    prices = [np.maximum(upper, first[bar]), np.minimum(lower, first[bar]), own.prices["close"][bar]]
    return _Touches(barrier, bar, np.select([up, down, timed_out], prices, np.nan))


def _first(values: np.ndarray, at: np.ndarray, levels: np.ndarray, vertical: int) -> np.ndarray:
    """Return for each event the first later bar whose value reaches its level; a bar after the vertical barrier where none does.

    Maxima over 1, 2, 4 ... bars let all events skip together, in as many passes as the logarithm of `vertical`.
    """
    maxima = [values]
    while 1 << len(maxima) <= vertical:
        half, longer = 1 << (len(maxima) - 1), maxima[-1].copy()
        longer[:-half] = np.maximum(longer[:-half], maxima[-1][half:])
        maxima.append(longer)
    bar = at + 1
    for power in reversed(range(len(maxima))):
        bar += (maxima[power][np.minimum(bar, len(values) - 1)] < levels).astype(int) << power
    return np.where(bar < len(values), bar, at + vertical + 1)

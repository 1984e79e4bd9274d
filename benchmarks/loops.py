"""The rules as plain loops that share nothing with the package: exact answers, and the floor that a kernel can reach.

numba compiles them unchanged for a million bars; on small data they run as they stand.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

__all__ = ["Answer", "account", "compiled", "pairs", "portfolio", "risk", "stances"]

FAST, SLOW, WINDOW, MULTIPLE, TIE = 10, 50, 14, 2.0, 1e-9


class Answer(NamedTuple):
    """Round trips (an open one counts), how many of them a stop ended, and equity at the last close."""

    trades: int
    stops: int
    equity: float


def stances(close: Any, fast: int, slow: int) -> Any:
    """Return 1 where the fast mean lies above the slow one, 0 where not, -1 before both are known; a tie is not above."""
    out = np.full(len(close), -1)
    quick, lazy = 0.0, 0.0
    for t in range(len(close)):
        quick += close[t]
        lazy += close[t]
        if t >= fast:
            quick -= close[t - fast]
        if t >= slow:
            lazy -= close[t - slow]
        if t >= slow - 1:
            out[t] = 1 if quick * slow - lazy * fast > TIE * lazy * fast else 0
    return out


def account(first: Any, close: Any, stance: Any, cash: float, fee: float, quantity: float) -> tuple[int, int, float]:
    """Hold one quantity while the stance is 1; decided at the close, filled at the next open."""
    held, trades = 0.0, 0
    for t in range(1, len(close)):
        if stance[t - 1] == 1 and held == 0.0:
            held = quantity
            cash -= held * first[t] * (1.0 + fee)
            trades += 1
        elif stance[t - 1] == 0 and held > 0.0:
            cash += held * first[t] * (1.0 - fee)
            held = 0.0
    return trades, 0, cash + held * close[-1]


def pairs(first: Any, close: Any, windows: Any, begin: int, end: int, cash: float, fee: float, equity: Any, trades: Any) -> None:
    """Write equity and trades of `account` with one unit for some pairs of windows, shape (pairs, 2): one pass a pair, no arrays."""
    for k in range(begin, end):
        fast, slow = windows[k, 0], windows[k, 1]
        quick, lazy, held, purse, count, stance = 0.0, 0.0, 0.0, cash, 0, -1
        for t in range(len(close)):
            if stance == 1 and held == 0.0:
                held = 1.0
                purse -= first[t] * (1.0 + fee)
                count += 1
            elif stance == 0 and held > 0.0:
                purse += first[t] * (1.0 - fee)
                held = 0.0
            quick += close[t]
            lazy += close[t]
            if t >= fast:
                quick -= close[t - fast]
            if t >= slow:
                lazy -= close[t - slow]
            if t >= slow - 1:
                stance = 1 if quick * slow - lazy * fast > TIE * lazy * fast else 0
        equity[k], trades[k] = purse + held * close[-1], count


def risk(
    first: Any, high: Any, low: Any, close: Any, stance: Any, cash: float, fee: float, share: float, their_order: bool
) -> tuple[int, int, float]:
    """Risk a share of the cash to a stop at a multiple of the mean true range; enter at an upward crossing only.

    `their_order` is how vectorbt takes a bar: no stop on the bar of the entry, the stop before an exit that is due at
    the open, the size cut at the fill rather than at the decision.
    """
    ranges, total = np.zeros(WINDOW), 0.0
    held, stop, wish, distance = 0.0, 0.0, 0.0, 0.0
    trades, stops, leaving = 0, 0, False
    for t in range(len(close)):
        if their_order and held > 0.0 and low[t] <= stop:
            leaving = False
            cash += held * min(stop, first[t]) * (1.0 - fee)
            held = 0.0
            stops += 1
        if wish > 0.0:
            held = min(wish, cash / (first[t] * (1.0 + fee))) if their_order else wish
            cash -= held * first[t] * (1.0 + fee)
            stop = first[t] - distance
            trades += 1
        elif leaving and held > 0.0:
            cash += held * first[t] * (1.0 - fee)
            held = 0.0
        wish, leaving = 0.0, False
        if not their_order and held > 0.0 and low[t] <= stop:
            cash += held * min(stop, first[t]) * (1.0 - fee)
            held = 0.0
            stops += 1
        reach = high[t] - low[t]
        if t > 0:
            reach = max(reach, abs(high[t] - close[t - 1]), abs(low[t] - close[t - 1]))
        total += reach - ranges[t % WINDOW]
        ranges[t % WINDOW] = reach
        if t > 0 and stance[t] == 1 and stance[t - 1] == 0 and held == 0.0:
            distance = MULTIPLE * total / WINDOW
            wish = share * cash / distance
            if not their_order:
                wish = np.floor(min(wish, cash / (close[t] * (1.0 + fee))) * 1e8 + 1e-3) / 1e8
        elif stance[t] == 0 and held > 0.0:
            leaving = True
    return trades, stops, cash + held * close[-1]


def portfolio(first: Any, close: Any, stance: Any, cash: float, fee: float, share: float) -> tuple[int, int, float]:
    """Hold a share of equity of every symbol whose stance is 1; arrays of shape (T, N), one purse."""
    steps, n = close.shape
    held, wish = np.zeros(n), np.zeros(n)
    trades = 0
    for t in range(steps):
        for j in range(n):
            if wish[j] < 0.0:
                cash += held[j] * first[t, j] * (1.0 - fee)
                held[j] = 0.0
        for j in range(n):
            if wish[j] > 0.0:
                held[j] = wish[j]
                cash -= held[j] * first[t, j] * (1.0 + fee)
                trades += 1
            wish[j] = 0.0
        equity = cash
        for j in range(n):
            equity += held[j] * close[t, j]
        for j in range(n):
            if stance[t, j] == 1 and held[j] == 0.0:
                wish[j] = np.floor(share * equity / close[t, j] * 1e8 + 1e-3) / 1e8
            elif stance[t, j] == 0 and held[j] > 0.0:
                wish[j] = -1.0
    equity = cash
    for j in range(n):
        equity += held[j] * close[-1, j]
    return trades, 0, equity


def compiled(loop: Any) -> Any:
    """Return a loop as machine code, which lets other threads run meanwhile."""
    import numba

    return numba.njit(nogil=True)(loop)

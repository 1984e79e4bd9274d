"""What a book would have made in the past: plain scalars that the kernel compiles.

`memory` holds, for each past step that counts, what the book would have made in it (the first `window` places) and what one more lot of
an instrument would have (the next); the third `window` places are for the columns of these steps, and for sorting; the moments lie
behind them.
"""

from __future__ import annotations

from typing import Any

__all__ = ["DEPTH", "made_with", "moments", "scenarios", "select"]

#: How far back, in windows, the steps are looked for at which all that is held had a bar.
DEPTH = 2


def scenarios(
    j: int,
    side: float,
    first: int,
    window: int,
    scaled: float,
    hi: Any,
    lo: Any,
    price: Any,
    unit: Any,
    series: Any,
    days: Any,
    at: int,
    memory: Any,
) -> int:
    """Write what the book, and one lot more, would have made in the last steps, newest first; return how many steps were found.

    The number of different days among them goes into place ``3 x window`` of the memory, their columns into its third part. `at` is
    the newest column of `series`, whose rows are the instruments' returns from row `first` on; where `scaled`, each is multiplied by the
    instrument's number in the row as many instruments further on.
    """
    found = 0
    start = at
    memory[3 * window] = 0.0
    while found < window and start >= 0 and at - start < DEPTH * window:
        size = min(window - found, start + 1, DEPTH * window - (at - start))
        for k in range(size):
            memory[found + k] = 0.0
        for i in range(len(hi)):
            held = hi[i] if abs(hi[i]) >= abs(lo[i]) else lo[i]
            if i == j:
                held = hi[i] if side > 0 else lo[i]
                add_made(found, window, (side * price[i]) * unit[i], i, len(hi), first, scaled, start, at, size, len(days), series, memory)
            if held != 0.0:
                add_made(found, 0, (held * price[i]) * unit[i], i, len(hi), first, scaled, start, at, size, len(days), series, memory)
        found = kept_of(found, size, start, window, days, memory)
        start -= size
    return found


def add_made(
    found: int,
    part: int,
    worth: float,
    i: int,
    n: int,
    first: int,
    scaled: float,
    start: int,
    at: int,
    size: int,
    stride: int,
    series: Any,
    memory: Any,
) -> None:
    """Add what an instrument would have made in some steps to one part of the memory; to the second part, in place of what is there."""
    if scaled != 0.0:
        worth = worth * series[(first + n + i) * stride + at]
    row = (first + i) * stride + start
    if part == 0:
        for k in range(size):
            memory[found + k] = memory[found + k] + worth * series[row - k]
    else:
        for k in range(size):
            memory[part + found + k] = worth * series[row - k]


def kept_of(found: int, size: int, start: int, window: int, days: Any, memory: Any) -> int:
    """Close the gaps of steps at which something had no bar, count the days, note the columns; return how many steps there are now."""
    kept = found
    for k in range(size):
        made, more = memory[found + k], memory[window + found + k]
        if made == made and more == more:
            memory[kept] = made
            memory[window + kept] = more
            memory[2 * window + kept] = start - k
            kept += 1
            if memory[3 * window] == 0.0 or days[start - k] != memory[3 * window + 1]:
                memory[3 * window] = memory[3 * window] + 1.0
                memory[3 * window + 1] = days[start - k]
    return kept


def made_with(x: float, count: int, window: int, memory: Any) -> None:
    """Write what the book with x more lots would have made into the third part of the memory."""
    for k in range(count):
        memory[2 * window + k] = memory[k] + x * memory[window + k]


def select(rank: int, count: int, window: int, memory: Any) -> float:
    """Return the number of a rank (0 the smallest) in the third part of the memory, which it partly sorts (Hoare, 1961)."""
    base = 2 * window
    left = 0
    right = count - 1
    while left < right:
        pivot = memory[base + (left + right) // 2]
        i = left
        k = right
        while i <= k:
            while memory[base + i] < pivot:
                i += 1
            while memory[base + k] > pivot:
                k -= 1
            if i <= k:
                held = memory[base + i]
                memory[base + i] = memory[base + k]
                memory[base + k] = held
                i += 1
                k -= 1
        if rank <= k:
            right = k
        elif rank >= i:
            left = i
        else:
            break
    return memory[base + rank]


def moments(count: int, window: int, memory: Any) -> None:
    """Write the means of both parts, and their mixed central moments up to the fourth order, behind the three parts of the memory.

    From place ``3 x window + 3`` on: the means; variance, mixed, variance of the second; four of third order, five of fourth.
    """
    o = 3 * window + 3
    for k in range(14):
        memory[o + k] = 0.0
    for k in range(count):
        memory[o] = memory[o] + memory[k]
        memory[o + 1] = memory[o + 1] + memory[window + k]
    memory[o] = memory[o] / count
    memory[o + 1] = memory[o + 1] / count
    for k in range(count):
        a = memory[k] - memory[o]
        b = memory[window + k] - memory[o + 1]
        aa = a * a
        bb = b * b
        memory[o + 2] = memory[o + 2] + aa
        memory[o + 3] = memory[o + 3] + a * b
        memory[o + 4] = memory[o + 4] + bb
        memory[o + 5] = memory[o + 5] + aa * a
        memory[o + 6] = memory[o + 6] + aa * b
        memory[o + 7] = memory[o + 7] + a * bb
        memory[o + 8] = memory[o + 8] + bb * b
        memory[o + 9] = memory[o + 9] + aa * aa
        memory[o + 10] = memory[o + 10] + aa * a * b
        memory[o + 11] = memory[o + 11] + aa * bb
        memory[o + 12] = memory[o + 12] + a * bb * b
        memory[o + 13] = memory[o + 13] + bb * bb
    for k in range(2, 14):
        memory[o + k] = memory[o + k] / count

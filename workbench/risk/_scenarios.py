"""What a book would have made in the past: plain scalars that the kernel compiles.

`memory` holds, for each past step that counts, what the book would have made in it (the first `window` places) and what one more lot of
an instrument would have (the next); the third `window` places are for sorting, the moments lie behind them.

What the book would have made is added up in blocks of instruments, and the blocks in their order. The sums of the blocks are kept from one
decision of a step to the next: of hundreds of instruments the one that was decided before has changed, and its block alone is added up
anew. What comes out is the same as without that memory, to the last bit.
"""

from __future__ import annotations

import math
from typing import Any

__all__ = ["DEPTH", "kept_places", "made_with", "moments", "scenarios", "select", "spread"]

#: How far back, in windows, the steps are looked for at which all that is held had a bar.
DEPTH = 2
#: How many instruments a block has.
BLOCK = 32
#: In place of what an instrument is worth that is not held.
NOTHING = math.inf


def scenarios(
    j: int,
    side: float,
    first: int,
    window: int,
    scaled: float,
    kept: int,
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

    The number of different days among them goes into place ``3 x window`` of the memory. `at` is the newest column of `series`, whose
    rows are the instruments' returns from row `first` on; where `scaled`, each is multiplied by the instrument's number in the row as
    many instruments further on. From place `kept` of the memory on lie the sums of blocks.
    """
    n, depth, stride = len(hi), DEPTH * window, len(days)
    more = worth_of((side * price[j]) * unit[j], scaled, (first + n + j) * stride + at, series)
    renew(j, side, first, depth, scaled, kept, hi, lo, price, unit, series, stride, at, memory)
    found = 0
    back = 0
    memory[3 * window] = 0.0
    while found < window and back <= at and back < depth:
        size = min(window - found, at + 1 - back, depth - back)
        if memory[kept + 1] < back + size:
            for b in range(blocks_of(n)):
                add_up(b, int(memory[kept + 1]), back + size, n, depth, first * stride + at, stride, kept, series, memory)
            memory[kept + 1] = float(back + size)
        total(found, back, size, n, depth, kept, memory)
        newest = (first + j) * stride + at - back
        for k in range(size):
            memory[window + found + k] = more * series[newest - k]
        found = kept_of(found, size, at - back, window, days, memory)
        back += size
    return found


def blocks_of(n: int) -> int:
    """Return into how many blocks so many instruments fall."""
    return (n + BLOCK - 1) // BLOCK


def kept_places(n: int, window: int) -> int:
    """Return how many places the sums of blocks take: a stamp, how far back they go, what is held, and the sums themselves."""
    return 2 + n + blocks_of(n) * DEPTH * window


def worth_of(worth: float, scaled: float, place: int, series: Any) -> float:
    """Return what moves with an instrument's returns: its worth, times the volatility of now where the returns are over that of then."""
    return worth * series[place] if scaled != 0.0 else worth


def renew(
    j: int,
    side: float,
    first: int,
    depth: int,
    scaled: float,
    kept: int,
    hi: Any,
    lo: Any,
    price: Any,
    unit: Any,
    series: Any,
    stride: int,
    at: int,
    memory: Any,
) -> None:
    """Bring what is held up to date, and with it the sums of the blocks in which something has changed since the decision before.

    Of instrument j the position that the order would enlarge counts, of any other one the larger that it could come to.
    """
    n = len(hi)
    if memory[kept] != at + 1.0:  # another step: every price has moved
        memory[kept] = at + 1.0
        memory[kept + 1] = 0.0
    known = int(memory[kept + 1])
    for b in range(blocks_of(n)):
        changed = False
        for i in range(b * BLOCK, min((b + 1) * BLOCK, n)):
            held = hi[i] if abs(hi[i]) >= abs(lo[i]) else lo[i]
            if i == j:
                held = hi[i] if side > 0 else lo[i]
            worth = NOTHING
            if held != 0.0:
                worth = worth_of((held * price[i]) * unit[i], scaled, (first + n + i) * stride + at, series)
            if memory[kept + 2 + i] != worth:
                memory[kept + 2 + i] = worth
                changed = True
        if changed and known > 0:
            add_up(b, 0, known, n, depth, first * stride + at, stride, kept, series, memory)


def add_up(b: int, begin: int, end: int, n: int, depth: int, newest: int, stride: int, kept: int, series: Any, memory: Any) -> None:
    """Write what the instruments of a block would have made, from `begin` to `end` steps back."""
    place = kept + 2 + n + b * depth + begin
    for k in range(end - begin):
        memory[place + k] = 0.0
    for i in range(b * BLOCK, min((b + 1) * BLOCK, n)):
        worth = memory[kept + 2 + i]
        if worth != NOTHING:
            row = newest + i * stride - begin
            for k in range(end - begin):
                memory[place + k] = memory[place + k] + worth * series[row - k]


def total(found: int, back: int, size: int, n: int, depth: int, kept: int, memory: Any) -> None:
    """Add the blocks up to what the book would have made in some steps."""
    place = kept + 2 + n + back
    for k in range(size):
        memory[found + k] = memory[place + k]
    for b in range(1, blocks_of(n)):
        for k in range(size):
            memory[found + k] = memory[found + k] + memory[place + b * depth + k]


def kept_of(found: int, size: int, start: int, window: int, days: Any, memory: Any) -> int:
    """Close the gaps of steps at which something had no bar, count the days; return how many steps there are now."""
    kept = found
    for k in range(size):
        made, more = memory[found + k], memory[window + found + k]
        if made == made and more == more:
            memory[kept] = made
            memory[window + kept] = more
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


def spread(count: int, window: int, memory: Any) -> None:
    """Write the means of both parts, their variances and how they move together (ddof 0), behind the three parts of the memory.

    From place ``3 x window + 3`` on: the means; variance, mixed, variance of the second.
    """
    mean = 0.0
    more_mean = 0.0
    for k in range(count):
        mean = mean + memory[k]
        more_mean = more_mean + memory[window + k]
    mean = mean / count
    more_mean = more_mean / count
    square = 0.0
    cross = 0.0
    more_square = 0.0
    for k in range(count):
        a = memory[k] - mean
        b = memory[window + k] - more_mean
        square = square + a * a
        cross = cross + a * b
        more_square = more_square + b * b
    o = 3 * window + 3
    memory[o] = mean
    memory[o + 1] = more_mean
    memory[o + 2] = square / count
    memory[o + 3] = cross / count
    memory[o + 4] = more_square / count


def moments(count: int, window: int, memory: Any) -> None:
    """Write what `spread` does, and behind it the mixed central moments: four of third order, five of fourth."""
    spread(count, window, memory)
    o = 3 * window + 3
    for k in range(5, 14):
        memory[o + k] = 0.0
    for k in range(count):
        a = memory[k] - memory[o]
        b = memory[window + k] - memory[o + 1]
        aa = a * a
        bb = b * b
        memory[o + 5] = memory[o + 5] + aa * a
        memory[o + 6] = memory[o + 6] + aa * b
        memory[o + 7] = memory[o + 7] + a * bb
        memory[o + 8] = memory[o + 8] + bb * b
        memory[o + 9] = memory[o + 9] + aa * aa
        memory[o + 10] = memory[o + 10] + aa * a * b
        memory[o + 11] = memory[o + 11] + aa * bb
        memory[o + 12] = memory[o + 12] + a * bb * b
        memory[o + 13] = memory[o + 13] + bb * bb
    for k in range(5, 14):
        memory[o + k] = memory[o + k] / count

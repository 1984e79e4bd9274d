"""What a book would have made in the past: plain scalars that the kernel compiles.

`memory` holds, for each past step that counts, what the book would have made in it (the first `window` places) and what one more lot of
an instrument would have (the next); the third `window` places are for the columns of these steps, and for sorting; the moments lie
behind them, and then a fourth window for what is added up.

What the book would have made is added up in blocks of instruments, and the blocks in their order. The sums of the blocks are kept from one
decision of a step to the next: of hundreds of instruments the one that was decided before has changed, and its block alone is added up
anew. What comes out is the same as without that memory, to the last bit.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

__all__ = ["DEPTH", "Returns", "kept_places", "made_with", "moments", "scenarios", "scratch_places", "select", "variances"]

#: How far back, in windows, the steps are looked for at which all that is held had a bar.
DEPTH = 2
#: How many instruments a block has.
BLOCK = 32
#: Where the fourth part of the memory begins behind the third, which the moments follow.
FOURTH = 20
#: In place of what an instrument is worth that is not held.
NOTHING = math.inf


class Returns(NamedTuple):
    """The past returns of the instruments, and the memory of the limit that looks back at them.

    Parameters
    ----------
    series : list of float
        Rows of returns, an instrument's from row ``first + i`` on, each `stride` long.
    at : int
        The newest column of them.
    n : int
        How many instruments there are.
    scaled : float
        Whether each return is to be multiplied by the instrument's newest number in the row `n` further on; 0 for no.
    depth : int
        How many steps back anything is looked for.
    memory : list of float
    kept : int
        The place in it from which on the limit keeps its sums: a stamp, how far back they go, what every instrument is worth, then a
        row of sums for each block, the oldest step first.
    """

    series: Any
    stride: int
    first: int
    at: int
    n: int
    scaled: float
    depth: int
    memory: Any
    kept: int


def kept_places(n: int, window: int) -> int:
    """Return how many places of the memory a limit keeps to itself."""
    return 2 + n + blocks_of(n) * DEPTH * window


def scratch_places(window: int) -> int:
    """Return how many places any limit reckons in."""
    return 4 * window + FOURTH


def blocks_of(n: int) -> int:
    """Return into how many blocks so many instruments fall."""
    return (n + BLOCK - 1) // BLOCK


def scenarios(j: int, side: float, window: int, hi: Any, lo: Any, price: Any, unit: Any, days: Any, r: Returns) -> int:
    """Write what the book, and one lot more, would have made in the last steps, newest first; return how many steps were found.

    The number of different days among them goes into place ``3 x window`` of the memory, their columns into its third part.
    """
    renew(j, side, hi, lo, price, unit, r)
    more = moving((side * price[j]) * unit[j], j, r)
    r.memory[3 * window] = 0.0
    found = 0
    back = 0
    while found < window and back <= r.at and back < r.depth:
        size = min(window - found, r.at + 1 - back, r.depth - back)
        reach(back + size, r)
        total(back, size, window, r)
        found = take(found, back, size, window, more, j, days, r)
        back += size
    return found


def moving(worth: float, i: int, r: Returns) -> float:
    """Return what moves with an instrument's returns: its worth, times its volatility of now where they are over that of then."""
    return worth * r.series[(r.first + r.n + i) * r.stride + r.at] if r.scaled != 0.0 else worth


def renew(j: int, side: float, hi: Any, lo: Any, price: Any, unit: Any, r: Returns) -> None:
    """Bring what is held up to date, and with it the sums of the blocks in which something has changed since the decision before.

    Of instrument j the position that the order would enlarge counts, of any other one the larger that it could come to.
    """
    if r.memory[r.kept] != r.at + 1.0:  # another step: every price has moved
        r.memory[r.kept] = r.at + 1.0
        r.memory[r.kept + 1] = 0.0
    known = int(r.memory[r.kept + 1])
    worths = r.memory[r.kept + 2 : r.kept + 2 + r.n]
    for b in range(blocks_of(r.n)):
        changed = False
        for i in range(b * BLOCK, min((b + 1) * BLOCK, r.n)):
            held = hi[i] if abs(hi[i]) >= abs(lo[i]) else lo[i]
            if i == j:
                held = hi[i] if side > 0 else lo[i]
            worth = moving((held * price[i]) * unit[i], i, r) if held != 0.0 else NOTHING
            if worths[i] != worth:
                worths[i] = worth
                changed = True
        if changed and known > 0:
            add_up(b, 0, known, r)


def reach(end: int, r: Returns) -> None:
    """Let the sums of all blocks go back so many steps."""
    known = int(r.memory[r.kept + 1])
    if known < end:
        for b in range(blocks_of(r.n)):
            add_up(b, known, end, r)
        r.memory[r.kept + 1] = float(end)


def add_up(b: int, begin: int, end: int, r: Returns) -> None:
    """Write what the instruments of a block would have made, from `begin` to `end` steps back."""
    size = end - begin
    last = r.kept + 2 + r.n + (b + 1) * r.depth - begin
    sums = r.memory[last - size : last]
    for k in range(size):
        sums[k] = 0.0
    for i in range(b * BLOCK, min((b + 1) * BLOCK, r.n)):
        worth = r.memory[r.kept + 2 + i]
        if worth != NOTHING:
            last = (r.first + i) * r.stride + r.at + 1 - begin
            returns = r.series[last - size : last]
            for k in range(size):
                sums[k] = sums[k] + worth * returns[k]


def total(back: int, size: int, window: int, r: Returns) -> None:
    """Add the blocks up to what the book would have made in some steps, the oldest first: in the fourth part of the memory."""
    made = r.memory[FOURTH + 3 * window : FOURTH + 3 * window + size]
    for k in range(size):
        made[k] = 0.0
    for b in range(blocks_of(r.n)):
        last = r.kept + 2 + r.n + (b + 1) * r.depth - back
        sums = r.memory[last - size : last]
        for k in range(size):
            made[k] = made[k] + sums[k]


def take(found: int, back: int, size: int, window: int, more: float, j: int, days: Any, r: Returns) -> int:
    """Take over the steps at which everything had a bar, newest first, count their days, note their columns; return how many there are."""
    memory, newest = r.memory, r.at - back
    made = memory[FOURTH + 3 * window : FOURTH + 3 * window + size]
    last = (r.first + j) * r.stride + newest + 1
    returns = r.series[last - size : last]
    count = memory[3 * window]
    day = memory[3 * window + 1]
    for k in range(size - 1, -1, -1):
        extra = more * returns[k]
        if made[k] == made[k] and extra == extra:
            memory[found] = made[k]
            memory[window + found] = extra
            memory[2 * window + found] = newest + 1 - size + k
            found += 1
            if count == 0.0 or days[newest + 1 - size + k] != day:
                count = count + 1.0
                day = float(days[newest + 1 - size + k])
    memory[3 * window] = count
    memory[3 * window + 1] = day
    return found


def made_with(x: float, count: int, window: int, memory: Any) -> None:
    """Write what the book with x more lots would have made into the third part of the memory."""
    book, more, made = memory[:count], memory[window : window + count], memory[2 * window : 2 * window + count]
    for k in range(count):
        made[k] = book[k] + x * more[k]


def select(rank: int, count: int, window: int, memory: Any) -> float:
    """Return the number of a rank (0 the smallest) in the third part of the memory, which it partly sorts (Hoare, 1961)."""
    made = memory[2 * window : 2 * window + count]
    left = 0
    right = count - 1
    while left < right:
        pivot = made[(left + right) // 2]
        i = left
        k = right
        while i <= k:
            while made[i] < pivot:
                i += 1
            while made[k] > pivot:
                k -= 1
            if i <= k:
                held = made[i]
                made[i] = made[k]
                made[k] = held
                i += 1
                k -= 1
        if rank <= k:
            right = k
        elif rank >= i:
            left = i
        else:
            break
    return made[rank]


def variances(count: int, window: int, memory: Any) -> None:
    """Write the means of both parts, their variances and how they move together (ddof 0), behind the three parts of the memory.

    From place ``3 x window + 3`` on: the means; variance, mixed, variance of the second.
    """
    book, more = memory[:count], memory[window : window + count]
    mean = 0.0
    more_mean = 0.0
    for k in range(count):
        mean = mean + book[k]
        more_mean = more_mean + more[k]
    mean = mean / count
    more_mean = more_mean / count
    square = 0.0
    cross = 0.0
    more_square = 0.0
    for k in range(count):
        a = book[k] - mean
        b = more[k] - more_mean
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
    """Write what `variances` does, and behind it the mixed central moments: four of third order, five of fourth."""
    variances(count, window, memory)
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

"""What a book could lose, and how much more of one instrument keeps it within a limit: plain scalars that the kernel compiles.

`memory` is that of `workbench.risk._scenarios`.
"""

from __future__ import annotations

import math
from typing import Any

from workbench.risk._room import UNLIMITED
from workbench.risk._scenarios import made_with, select

__all__ = ["modified_at", "normal_room", "quantile_at", "quantile_room", "scan_room", "shortfall_room", "tail_sums"]

#: Beyond this skew Cornish and Fisher's quantiles do not rise with the probability, whatever the tails: 6 (sqrt(2) - 1).
MOST_SKEW = 2.485281374238570
#: Relative room for float arithmetic.
TINY = 1e-12


def quantile_at(x: float, part: float, count: int, window: int, memory: Any) -> float:
    """Return the quantile, interpolated between two numbers as numpy does, of what the book with x more lots would have made."""
    made_with(x, count, window, memory)
    place = (count - 1) * part
    rank = math.floor(place)
    low = select(rank, count, window, memory)
    share = place - rank
    if share == 0.0 or rank + 1 >= count:
        return low
    high = math.inf
    above = memory[2 * window + rank + 1 : 2 * window + count]  # what is above the rank lies behind it
    for k in range(len(above)):
        high = min(high, above[k])
    return low + (high - low) * share


def quantile_room(part: float, limit: float, count: int, window: int, memory: Any) -> float:
    """Return up to how many lots the quantile's loss stays within a limit: exactly, from crossing to crossing.

    What each past step would have made is a line in the size. Between two crossings of the limit by any of them the number of steps
    below it stays the same; only where that is one more than the rank does the interpolation between two steps decide.
    """
    book, more = memory[:count], memory[window : window + count]
    floor = min(-limit, quantile_at(0.0, part, count, window, memory))
    if floor != floor:  # nothing lies below it
        return 0.0
    place = (count - 1) * part
    rank = math.floor(place)
    share = place - rank
    x = earliest(rank + 1, floor, count, window, memory)
    if not x < math.inf:
        return UNLIMITED
    for _ in range(2 * count + 2):
        following = math.inf
        for k in range(count):
            if more[k] != 0.0:
                crossing = (floor - book[k]) / more[k]
                if crossing > x:
                    following = min(following, crossing)
        middle = 0.5 * (x + following) if following < math.inf else 2.0 * x + 1.0
        below = 0
        for k in range(count):
            below += int(book[k] + middle * more[k] < floor)
        if below > rank + 1 or (below == rank + 1 and share == 0.0):
            return x
        if below == rank + 1:
            end = between(x, middle, following, share, floor, count, window, memory)
            if end < following:
                return end
        if not following < math.inf:
            return UNLIMITED
        x = following
    return x


def earliest(rank: int, floor: float, count: int, window: int, memory: Any) -> float:
    """Return the size from which on so many steps could lie below the floor: the crossing downwards that makes their number full."""
    book, more = memory[:count], memory[window : window + count]
    missing = rank
    falling = 0
    for k in range(count):
        if book[k] < floor:
            missing -= 1
        elif more[k] < 0.0:
            memory[2 * window + falling] = (floor - book[k]) / more[k]
            falling += 1
    if missing <= 0:
        return 0.0
    return max(select(missing - 1, falling, window, memory), 0.0) if missing <= falling else math.inf


def between(x: float, middle: float, following: float, share: float, floor: float, count: int, window: int, memory: Any) -> float:
    """Return where the interpolated quantile falls below the floor, or `following`: which steps are below it does not change before.

    The quantile lies between the best of those below and the worst of those above; each is a line until another one takes its place.
    """
    book, more = memory[:count], memory[window : window + count]
    top = -1
    bottom = -1
    for k in range(count):
        made = book[k] + x * more[k]
        if book[k] + middle * more[k] < floor:
            if top < 0 or made > book[top] + x * more[top]:
                top = k
        elif bottom < 0 or made < book[bottom] + x * more[bottom]:
            bottom = k
    if bottom < 0:
        return x
    for _ in range(2 * count):
        end = following
        next_top = top
        next_bottom = bottom
        for k in range(count):
            under = book[k] + middle * more[k] < floor
            other = top if under else bottom
            steeper = more[k] - more[other]
            if (steeper > 0.0) if under else (steeper < 0.0):
                meet = (book[other] - book[k]) / steeper
                if x <= meet < end:
                    end = meet
                    next_top = k if under else top
                    next_bottom = bottom if under else k
        level = (1.0 - share) * book[top] + share * book[bottom]
        slope = (1.0 - share) * more[top] + share * more[bottom]
        if slope < 0.0 and (floor - level) / slope < end:
            return max((floor - level) / slope, x)
        if not end < following:
            return following
        x = end
        top = next_top
        bottom = next_bottom
    return x


def tail_sums(x: float, tail: int, count: int, window: int, memory: Any) -> None:
    """Write the sums of both parts over the `tail` worst steps of the book with x more lots into the last places of the memory."""
    book, more = memory[:count], memory[window : window + count]
    made_with(x, count, window, memory)
    worst = select(tail - 1, count, window, memory)
    made = 0.0
    extra = 0.0
    left = tail
    for k in range(count):
        if book[k] + x * more[k] < worst:
            made = made + book[k]
            extra = extra + more[k]
            left -= 1
    for k in range(count):
        if left > 0 and book[k] + x * more[k] == worst:
            made = made + book[k]
            extra = extra + more[k]
            left -= 1
    memory[3 * window + 1] = made
    memory[3 * window + 2] = extra


def shortfall_room(tail: int, limit: float, count: int, window: int, memory: Any) -> float:
    """Return up to how many lots the mean loss of the worst steps stays within a limit.

    That mean is convex in the size and made of straight pieces: Newton's steps from the right end at its root.
    """
    tail_sums(0.0, tail, count, window, memory)
    most = max(limit, -memory[3 * window + 1] / tail)
    for k in range(count):  # where the size is endless only one lot more counts
        memory[2 * window + k] = memory[window + k]
    worst = select(tail - 1, count, window, memory)
    book = 0.0
    more = 0.0
    left = tail
    for k in range(count):
        if left > 0 and memory[window + k] <= worst:
            book = book + memory[k]
            more = more + memory[window + k]
            left -= 1
    if not more < 0.0:
        return UNLIMITED
    x = -(most * tail + book) / more
    for _ in range(100):
        if not x > 0.0:
            return 0.0
        tail_sums(x, tail, count, window, memory)
        book = memory[3 * window + 1]
        more = memory[3 * window + 2]
        if -(book + x * more) <= most * tail * (1.0 + TINY):
            return x
        if not more < 0.0:
            return 0.0
        x = -(most * tail + book) / more
    return x


def normal_room(times: float, limit: float, mean: float, more_mean: float, square: float, cross: float, more_square: float) -> float:
    """Return up to how many lots ``times x deviation - mean`` stays within a limit: the root of a square.

    Of the book `mean` and `square` (its variance), of one lot more those with `more_`, and `cross`, how both move together.
    """
    now = times * math.sqrt(square) - mean
    most = max(limit, now)
    gap = most + mean
    bend = times * times * more_square - more_mean * more_mean
    slope = times * times * cross - gap * more_mean
    if not gap >= 0.0:
        return 0.0
    if bend <= 0.0 and more_mean >= 0.0:  # the mean of one lot more outruns its deviation
        return UNLIMITED
    rest = times * times * square - gap * gap if now < most else 0.0
    root = math.sqrt(max(slope * slope - bend * rest, 0.0))
    if slope > 0.0:
        return -rest / (slope + root)
    return (root - slope) / bend if bend > 0.0 else 0.0


def modified_at(x: float, z: float, part: float, shortfall: float, strict: float, window: int, memory: Any) -> float:
    """Return Cornish and Fisher's value at risk, or shortfall, of the book with x more lots.

    `z` is the normal quantile of `part`, below 0. The expansion is one only where its quantiles rise with the probability
    (Maillard, 2012): where it is not, a `strict` answer is infinite.
    """
    o = 3 * window + 3
    mean = memory[o] + x * memory[o + 1]
    square = memory[o + 2] + 2.0 * x * memory[o + 3] + x * x * memory[o + 4]
    if not square > 0.0:
        return -mean
    deviation = math.sqrt(square)
    third = memory[o + 5] + 3.0 * x * memory[o + 6] + 3.0 * x * x * memory[o + 7] + x * x * x * memory[o + 8]
    fourth = memory[o + 9] + 4.0 * x * memory[o + 10] + 6.0 * x * x * memory[o + 11]
    fourth = fourth + 4.0 * x * x * x * memory[o + 12] + x * x * x * x * memory[o + 13]
    skew = third / (square * deviation)
    excess = fourth / (square * square) - 3.0
    eighth = excess / 8.0
    bend = skew * skew / 9.0 - 4.0 * (eighth - skew * skew / 6.0) * (1.0 - eighth + 5.0 * skew * skew / 36.0)
    if strict != 0.0 and (bend > 0.0 or abs(skew) > MOST_SKEW):
        return math.inf
    h = z + (z * z - 1.0) * skew / 6.0 + (z * z * z - 3.0 * z) * excess / 24.0 - (2.0 * z * z * z - 5.0 * z) * skew * skew / 36.0
    if shortfall == 0.0:
        return -mean - h * deviation
    return -mean - deviation * min(tail_mean(h, skew, excess) / part, h)


def tail_mean(h: float, skew: float, excess: float) -> float:
    """Return the mean below h, times its probability, of a distribution with this skew and excess (Boudt, Peterson and Croux, 2008)."""
    density = math.exp(-0.5 * h * h) / math.sqrt(2.0 * math.pi)
    under = 0.5 * math.erfc(-h / math.sqrt(2.0))
    h2 = h * h
    one = h * density - under
    two = h2 * density + 2.0 * density
    three = (h2 * h + 3.0 * h) * density - 3.0 * under
    four = (h2 * h2 + 4.0 * h2) * density + 8.0 * density
    six = (h2 * h2 * h2 + 6.0 * h2 * h2 + 24.0 * h2) * density + 48.0 * density
    found = density + (four - 6.0 * two + 3.0 * density) * excess / 24.0 + (three - 3.0 * one) * skew / 6.0
    return -(found + (six - 15.0 * four + 45.0 * two - 15.0 * density) * skew * skew / 72.0)


def scan_room(z: float, part: float, shortfall: float, limit: float, scale: float, window: int, memory: Any) -> float:
    """Return up to how many lots Cornish and Fisher's measure stays within a limit: looked for in steps of a fraction of `scale`.

    It need not rise with the size, so there is no closed form: the first step beyond the limit is halved until it is met.
    """
    now = modified_at(0.0, z, part, shortfall, 1.0, window, memory)
    if not now < math.inf:
        return 0.0
    most = max(limit, now) + TINY * abs(limit)
    step = scale / 64.0
    low = 0.0
    high = step
    while modified_at(high, z, part, shortfall, 1.0, window, memory) <= most:
        low = high
        high = high + step
        if high > 8.0 * scale:
            step = step * 2.0
        if not high < UNLIMITED:
            return UNLIMITED
    for _ in range(100):
        middle = 0.5 * (low + high)
        if not low < middle < high:
            break
        if modified_at(middle, z, part, shortfall, 1.0, window, memory) <= most:
            low = middle
        else:
            high = middle
    return low

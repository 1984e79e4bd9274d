"""How much more of an instrument keeps a loss within its limit: each measure against a formula of its own (SEMANTICS 20, 33)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from scipy import integrate, stats

from workbench.past import empty_memory
from workbench.risk._room import UNLIMITED
from workbench.risk._scenarios import moments, scratch_places
from workbench.risk._tail import modified_at, normal_room, quantile_room, scan_room, shortfall_room

Array = np.ndarray[Any, np.dtype[np.float64]]
Measure = Callable[[Array], float]


def memory_of(book: Sequence[float] | Array, more: Sequence[float] | Array) -> Any:
    """Return a memory with what a book, and one lot more, would have made."""
    n = len(book)
    memory = empty_memory(scratch_places(n))
    for k in range(n):
        memory[k], memory[n + k] = float(book[k]), float(more[k])
    return memory


def quantile_loss(part: float) -> Measure:
    return lambda made: -float(np.quantile(made, part))


def shortfall_loss(tail: int) -> Measure:
    return lambda made: -float(np.sort(made)[:tail].mean())


def normal_loss(times: float) -> Measure:
    return lambda made: times * float(made.std()) - float(made.mean())


def expansion(made: Array, part: float) -> tuple[float, float, float]:
    """Return Cornish and Fisher's quantile, skew and excess; by scipy."""
    z, s, k = float(stats.norm.ppf(part)), float(stats.skew(made)), float(stats.kurtosis(made))
    return z + (z * z - 1) * s / 6 + (z**3 - 3 * z) * k / 24 - (2 * z**3 - 5 * z) * s * s / 36, s, k


def slope(s: float, k: float) -> list[float]:
    """Return the slope of the expansion's quantile in the normal one, as a square's three numbers."""
    return [k / 8 - s * s / 6, s / 3, 1 - k / 8 + 5 * s * s / 36]


def rises(s: float, k: float) -> bool:
    """Whether the expansion's quantiles rise with the probability: its slope has no root, and is above 0 in the middle."""
    return not np.isreal(np.roots(slope(s, k))).any() and slope(s, k)[2] > 0


def modified_loss(part: float, short: bool) -> Measure:
    def loss(made: Array) -> float:
        if not made.any():
            return 0.0
        h, s, k = expansion(made, part)
        if not rises(s, k):
            return math.inf
        if not short:
            return -float(made.mean()) - h * float(made.std())

        def density(z: float) -> float:
            third, fourth, sixth = z**3 - 3 * z, z**4 - 6 * z**2 + 3, z**6 - 15 * z**4 + 45 * z**2 - 15
            return float(stats.norm.pdf(z)) * (1 + s / 6 * third + k / 24 * fourth + s * s / 72 * sixth)

        below = integrate.quad(lambda z: z * density(z), -40, h, limit=200)[0]
        return -float(made.mean()) - float(made.std()) * min(below / part, h)

    return loss


def require_largest(found: float, measure: Measure, limit: float, book: Array, more: Array, top: float = 60.0) -> None:
    """Require that the loss stays within its limit at every size up to the one found, and does not just beyond it."""
    now = measure(book)
    most = max(limit, now)
    end = min(found, top) * (1 - 1e-9)  # where an expansion breaks down, rounding decides
    for x in np.linspace(0, end, 60):
        assert measure(book + x * more) <= most + 1e-8 * (1 + abs(most)), (x, found)
    if found < top:
        assert measure(book + (found * (1 + 1e-6) + 1e-6) * more) > most - 1e-12, found


def books(seed: int, n: int = 21) -> tuple[Array, Array, float]:
    """Return what a book and one lot more made, and a limit that is breached, reached or not; some lots hedge, some only gain or lose."""
    rng = np.random.default_rng(seed)
    book = rng.normal(0.1, 1.0, n) * (seed % 5 != 0)
    more = rng.normal(0, 1, n) - rng.choice([0.0, 0.6]) * book
    more += rng.choice([0.0, 0.0, 4.0, -4.0])
    limit = max(float(np.quantile(-book, 0.9)), 0.2) * float(rng.choice([0.5, 1.0, 1.5, 4.0]))
    return book, more, limit


SEEDS = range(60)


@pytest.mark.parametrize("part", [0.05, 0.1, 0.13], ids=["of one step", "of two steps", "interpolated"])
def test_20_the_largest_size_within_a_quantile(part: float) -> None:
    for seed in SEEDS:
        book, more, limit = books(seed)
        found = quantile_room(part, limit, 21, 21, memory_of(book, more))
        require_largest(found, quantile_loss(part), limit, book, more)


def test_20_a_quantile_over_steps_that_were_alike() -> None:
    for seed in SEEDS:
        book, more, limit = (np.repeat(one, 3) if isinstance(one, np.ndarray) else one for one in books(seed, 7))
        found = quantile_room(0.05, limit, 21, 21, memory_of(book, more))
        require_largest(found, quantile_loss(0.05), limit, book, more)


def test_20_what_makes_up_for_the_only_step_that_it_spoils_is_free() -> None:
    # of 21 steps one may be below the floor: the worst one is saved long before another one falls below
    book, more = [-10.0, *[0.0] * 20], [1.0, -0.01, *[0.0] * 19]
    assert quantile_room(0.05, 5.0, 21, 21, memory_of(book, more)) == UNLIMITED


def test_33_a_limit_that_is_no_number_leaves_nothing() -> None:
    book, more, _ = books(1)
    assert quantile_room(0.05, math.nan, 21, 21, memory_of(book, more)) == 0.0
    assert not shortfall_room(2, math.nan, 21, 21, memory_of(book, more)) > 0.0


@pytest.mark.parametrize("tail", [1, 2, 5])
def test_20_the_largest_size_within_a_shortfall(tail: int) -> None:
    for seed in SEEDS:
        book, more, limit = books(seed)
        require_largest(shortfall_room(tail, limit, 21, 21, memory_of(book, more)), shortfall_loss(tail), limit, book, more)


def test_20_the_largest_size_within_a_normal_loss() -> None:
    ends = set()
    for seed in SEEDS:
        book, more, limit = books(seed)
        memory = memory_of(book, more)
        moments(21, 21, memory)
        found = normal_room(1.6, limit, *memory[3 * 21 + 3 : 3 * 21 + 8])
        require_largest(found, normal_loss(1.6), limit, book, more)
        ends.add("free" if found == UNLIMITED else "lost" if more.mean() < -3 and found > 0 else "")
    assert ends == {"free", "lost", ""}


@pytest.mark.parametrize("short", [False, True], ids=["value at risk", "shortfall"])
def test_20_the_largest_size_within_a_modified_loss(short: bool) -> None:
    z = float(stats.norm.ppf(0.1))
    for seed in range(0, 60, 4 if short else 1):
        book, more, limit = books(seed, 40)
        memory, measure = memory_of(book, more), modified_loss(0.1, short)
        moments(40, 40, memory)
        if not measure(book) < math.inf:
            continue
        found = scan_room(z, 0.1, float(short), limit, 1.0, 40, memory)
        require_largest(found, measure, limit, book, more, 20.0)


@pytest.mark.parametrize("short", [False, True], ids=["value at risk", "shortfall"])
def test_33_a_modified_loss_is_that_of_its_formula(short: bool) -> None:
    broken = 0
    for seed in SEEDS:
        made = np.random.default_rng(seed).standard_t(4, 60) * (1 + seed % 3) + (seed % 7) * np.eye(60)[0] * 2
        memory = memory_of(made, np.zeros(60))
        moments(60, 60, memory)
        found, expected = (
            modified_at(0.0, float(stats.norm.ppf(0.05)), 0.05, float(short), 1.0, 60, memory),
            modified_loss(0.05, short)(made),
        )
        assert found == pytest.approx(expected, rel=1e-6)
        broken += found == math.inf
    assert 0 < broken < len(SEEDS)


def test_33_a_book_whose_expansion_breaks_down_takes_nothing_more() -> None:
    book = np.array([-30.0, *[1.0] * 20])
    memory, z = memory_of(book, np.zeros(21)), float(stats.norm.ppf(0.05))
    moments(21, 21, memory)
    assert modified_at(0.0, z, 0.05, 0.0, 1.0, 21, memory) == math.inf
    assert scan_room(z, 0.05, 0.0, 1e9, 1.0, 21, memory) == 0.0


def test_33_a_modified_shortfall_is_never_below_the_value_at_risk() -> None:
    met = 0
    for seed in range(400):
        rng = np.random.default_rng(seed)
        memory, part = memory_of(rng.gamma(0.5, 1.0, 21), np.zeros(21)), float(rng.choice([0.01, 0.05, 0.1]))
        z = float(stats.norm.ppf(part))
        moments(21, 21, memory)
        shortfall, quantile = (modified_at(0.0, z, part, short, 0.0, 21, memory) for short in (1.0, 0.0))
        assert shortfall >= quantile - 1e-12
        met += shortfall == quantile
    assert met > 20


def test_33_a_skew_beyond_all_bounds_is_no_expansion_though_its_slope_never_changes_sign() -> None:
    # two kinds of outliers among hundreds of steps: the expansion falls everywhere
    made = np.concatenate([np.zeros(879), np.full(10, -6.0), [-30.0]])
    _, s, k = expansion(made, 0.05)
    assert not np.isreal(np.roots(slope(s, k))).any()
    assert slope(s, k)[2] < 0
    memory = memory_of(made, np.zeros(890))
    moments(890, 890, memory)
    assert modified_at(0.0, float(stats.norm.ppf(0.05)), 0.05, 0.0, 1.0, 890, memory) == math.inf

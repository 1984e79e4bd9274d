"""Law 4: for any book, signal and prices, no limit is newly breached by an opening order (SEMANTICS 18-22).

Random books of every kind of instrument, random limits near to what they measure, random orders; what is allowed is held against a
measure of its own (`limit_worlds`), which asks the code for nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest
from limit_worlds import Array, World, margin_and_fees, measured, random_limits, random_order, random_world

import workbench as wb
from workbench.market import Book, Market
from workbench.preview_effects import looked_back
from workbench.risk import LossLimit, RiskManager

BOOKS, CHUNK, ORDERS = 1_600, 200, 2
CHUNKS = range(0, BOOKS, CHUNK)
#: Relative room: of a limit (SEMANTICS 20), and for two ways to add up.
TOLERANCE, NOISE = 1e-9, 2e-9


@dataclass(repr=False)
class Case:
    """A world, its limits, an order, and what was allowed of it."""

    world: World
    limits: list[RiskManager]
    j: int
    order: wb.Order
    allowed: float

    @property
    def closing(self) -> float:
        return min(max(-self.order.sign * self.world.held[self.j], 0.0), self.order.quantity)

    @property
    def opened(self) -> float:
        return self.allowed - self.closing

    @property
    def least(self) -> float:
        """The smallest opening that the venue takes."""
        one = self.order.instrument
        return max(one.min_quantity or 0.0, one.min_notional / (self.world.price[self.j] * one.multiplier))

    def books(self, sizes: Array) -> Array:
        """Return the book after the closing part and so much more, one row a size."""
        book = np.tile(self.world.held, (len(sizes), 1))
        book[:, self.j] += self.order.sign * (self.closing + sizes)
        book[np.abs(book) < 1e-12] = 0.0
        return book

    def figures(self, sizes: Array) -> list[tuple[Array, float]]:
        """Return every figure that is limited, at each size, and its limit."""
        books = self.books(sizes)
        found = [one for limit in self.limits for one in measured(limit, self.world, books, self.j)]
        if self.world.portfolio.buying_power:
            found.append(margin_and_fees(self.world, books, self.j, sizes))
        return found

    def fits(self, sizes: Array, noise: float = NOISE, less: float = 0.0) -> Array:
        """Whether at each size every figure is within its limit, or was beyond it and has not grown; the first size is 0.

        `less`: by which share a figure must have become smaller that was beyond its limit.
        """
        found = np.full(len(sizes), self.world.equity > 0)
        for value, most in self.figures(sizes):
            beyond = not value[0] <= most + TOLERANCE * abs(most)
            before = value[0] if math.isfinite(value[0]) else math.nan  # what is not known fits nowhere
            found &= value <= (before * (1 - less) + noise * abs(before) if beyond else most + (TOLERANCE + noise) * abs(most))
        return found

    def __str__(self) -> str:
        order = self.order
        return f"seed {self.world.seed}: {self.allowed} of {order.side} {order.quantity} {order.instrument.symbol}, {self.limits}"


def strategy(limits: list[RiskManager]) -> wb.Strategy:
    return wb.Strategy(wb.signals.Breakout(), risk=limits)


def random_cases(seed: int) -> list[Case]:
    """Return some orders for one book."""
    rng, world = np.random.default_rng(50_000 + seed), random_world(seed)
    return [random_case(rng, world) for _ in range(ORDERS)]


def random_case(rng: np.random.Generator, world: World) -> Case:
    j, order = random_order(rng, world)
    case = Case(world, [], j, order, 0.0)
    ends = case.books(np.array([0.0, order.quantity - case.closing]))
    case.limits = random_limits(rng, world, ends[0], ends[1], j)
    case.allowed = strategy(case.limits).preview(order, world.portfolio).quantity
    return case


@pytest.fixture(scope="module", params=CHUNKS, ids=lambda first: f"books {first}-{first + CHUNK - 1}")
def cases(request: pytest.FixtureRequest) -> list[Case]:
    return [case for seed in range(request.param, request.param + CHUNK) for case in random_cases(seed)]


def test_at_every_size_up_to_what_is_allowed_no_limit_is_newly_breached(cases: list[Case]) -> None:
    wrong = [str(case) for case in cases if case.opened > 0 and not case.fits(case.opened * np.linspace(0, 1, 17)).all()]
    assert not wrong, "\n".join(wrong)


def test_one_step_more_would_breach_a_limit(cases: list[Case]) -> None:
    wrong = [str(case) for case in cases if could_be_more(case)]
    assert not wrong, "\n".join(wrong)


def could_be_more(case: Case) -> bool:
    """Whether a limit cut, and what it left could be a step larger (or large enough for the venue) all the same."""
    one, world = case.order.instrument, case.world
    step, least = one.step[0] / one.step[1], case.least
    noise = 1e-6 * (np.abs(world.held * world.each).sum() + abs(world.equity)) / world.each[case.j]
    more = max(case.opened + step, math.ceil(least / step - 1e-9) * step) + noise
    if case.closing + more > case.order.quantity or (case.order.sign < 0 and not one.can_short):
        return False
    sizes = np.concatenate([[0.0], case.opened + (more - case.opened) * np.linspace(0, 1, 9)[1:]])
    return bool(case.fits(sizes, 0.0, less=1e-9)[1:].all())


def test_a_closing_is_never_cut(cases: list[Case]) -> None:
    closing = [case for case in cases if case.closing > 0]
    assert len(closing) > len(cases) / 10
    assert all(case.allowed >= case.closing for case in closing)
    assert all(case.allowed == case.order.quantity for case in closing if case.order.quantity <= abs(case.world.held[case.j]))


def test_an_order_that_reduces_what_is_breached_and_breaches_nothing_passes_in_full(cases: list[Case]) -> None:
    reducing = 0
    for case in cases:
        asked, can = case.order.quantity - case.closing, case.order.sign > 0 or case.order.instrument.can_short
        sizes = asked * np.linspace(0, 1, 17)
        if asked >= case.least and can and case.fits(sizes, -2 * TOLERANCE, less=1e-9)[1:].all():
            assert case.allowed == case.order.quantity, str(case)
            reducing += any(value[0] > most * (1 + TOLERANCE) for value, most in case.figures(sizes))
    assert reducing > 0


def test_the_order_of_the_chain_changes_nothing(cases: list[Case]) -> None:
    several = [case for case in cases if len(case.limits) > 1 and case.opened > 0]
    for case in several:
        turned = strategy(case.limits[::-1]).preview(case.order, case.world.portfolio)
        assert turned.quantity == case.allowed, str(case)
    assert len(several) > len(cases) / 10


def test_what_is_no_number_never_allows_more(cases: list[Case]) -> None:
    for case in cases:
        for limit in case.limits:
            whole = room_of(limit, case, "", 0)
            for what in ("equity", "closes", "units", "bases", "highest", "lowest"):
                for i in {case.j, case.world.seed % len(case.world.held)}:
                    spoilt = room_of(limit, case, what, i)
                    assert not spoilt > whole, (what, i, str(case), whole, spoilt)


def room_of(limit: RiskManager, case: Case, what: str, i: int) -> float:
    """Ask a limit about a book in which one number is none."""
    world, names = case.world, case.world.portfolio.symbols
    held = case.books(np.zeros(1))[0].tolist()
    columns = {
        "closes": world.portfolio.price,
        "units": world.portfolio.unit,
        "bases": world.portfolio.base,
        "highest": held,
        "lowest": held,
    }
    given = {name: dict(zip(names, values, strict=True)) for name, values in columns.items()}
    if what in given:
        given[what][names[i]] = math.nan
    equity = math.nan if what == "equity" else world.equity
    highest, lowest = given.pop("highest"), given.pop("lowest")
    book = Book(world.currency, equity, equity, highest, highest, lowest)
    if isinstance(limit, LossLimit):
        book = Book(world.currency, equity, equity, highest, highest, lowest, looked_back(limit, world.portfolio))
    market = Market(0, case.order.instrument, dict(zip(names, world.instruments, strict=True)), **given)
    order = wb.Order(case.order.instrument, case.order.side, 1e12)
    return max(limit.allowed(order, book, market)[0], 0.0)

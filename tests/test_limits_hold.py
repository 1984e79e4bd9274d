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
from workbench.risk import RiskManager

BOOKS, CHUNK = 4_000, 250
CHUNKS = range(0, BOOKS, CHUNK)
#: Relative room: of a limit (SEMANTICS 20), and for two ways to add up.
TOLERANCE, NOISE = 1e-9, 2e-9


@dataclass
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


def random_case(seed: int) -> Case:
    rng = np.random.default_rng(50_000 + seed)
    world = random_world(seed)
    j, order = random_order(rng, world)
    case = Case(world, [], j, order, 0.0)
    ends = case.books(np.array([0.0, order.quantity - case.closing]))
    case.limits = random_limits(rng, world, ends[0], ends[1], j)
    case.allowed = strategy(case.limits).preview(order, world.portfolio).quantity
    return case


@pytest.fixture(scope="module", params=CHUNKS, ids=lambda first: f"books {first}-{first + CHUNK - 1}")
def cases(request: pytest.FixtureRequest) -> list[Case]:
    return [random_case(seed) for seed in range(request.param, request.param + CHUNK)]


def test_at_every_size_up_to_what_is_allowed_no_limit_is_newly_breached(cases: list[Case]) -> None:
    wrong = [str(case) for case in cases if case.opened > 0 and not case.fits(case.opened * np.linspace(0, 1, 17)).all()]
    assert not wrong, "\n".join(wrong)


def test_one_step_more_would_breach_a_limit(cases: list[Case]) -> None:
    wrong = [str(case) for case in cases if could_be_more(case)]
    assert not wrong, "\n".join(wrong)


def could_be_more(case: Case) -> bool:
    """Whether a limit cut, and what it left could be a step larger (or large enough for the venue) all the same."""
    one, world = case.order.instrument, case.world
    step = one.step[0] / one.step[1]
    least = max(one.min_quantity or 0.0, one.min_notional / (world.price[case.j] * one.multiplier))
    noise = 1e-6 * (np.abs(world.held * world.each).sum() + abs(world.equity)) / world.each[case.j]
    more = max(case.opened + step, math.ceil(least / step - 1e-9) * step) + noise
    if case.closing + more > case.order.quantity or (case.order.sign < 0 and not one.can_short):
        return False
    sizes = np.concatenate([[0.0], case.opened + (more - case.opened) * np.linspace(0, 1, 9)[1:]])
    return bool(case.fits(sizes, 0.0, less=1e-9)[1:].all())


def test_a_closing_is_never_cut(cases: list[Case]) -> None:
    closing = [case for case in cases if case.closing > 0]
    assert len(closing) > CHUNK / 10
    assert all(case.allowed >= case.closing for case in closing)
    assert all(case.allowed == case.order.quantity for case in closing if case.order.quantity <= abs(case.world.held[case.j]))

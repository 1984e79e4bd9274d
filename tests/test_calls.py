"""How connectors call: within budgets and a time, reads again, orders once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from workbench.errors import (
    InsufficientFunds,
    InvalidOrder,
    OrderError,
    OrderRejected,
    OutcomeUnknown,
    ParameterError,
    Throttled,
    VenueError,
    WorkbenchError,
)
from workbench.execution.calls import Budget, Calls, rejection


class Clock:
    """Seconds that pass when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


class Venue:
    """Does what a script says, call by call: an answer, or an error."""

    def __init__(self, *script: Any) -> None:
        self.script = list(script)
        self.asked = 0

    def __call__(self, patience: float) -> Any:
        self.asked += 1
        said = self.script.pop(0)
        if isinstance(said, BaseException):
            raise said
        return said


@pytest.fixture
def clock() -> Clock:
    return Clock()


def calls(clock: Clock, *budgets: Budget, **more: Any) -> Calls:
    return Calls(budgets, clock=clock, sleep=clock.sleep, **more)


# -- reads and orders ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [TimeoutError("late"), ConnectionError("cut"), OutcomeUnknown("503")])
def test_a_read_is_tried_again_with_growing_pauses(clock: Clock, error: Exception) -> None:
    venue = Venue(error, error, error, "balance")
    assert calls(clock).read(venue) == "balance"
    assert venue.asked == 4
    assert clock.slept == [0.25, 0.5, 1.0]


def test_a_venue_that_throttles_and_does_not_say_for_how_long_is_left_alone_for_a_second(clock: Clock) -> None:
    line, venue = calls(clock), Venue(Throttled("slow down"), "taken", "balance")
    with pytest.raises(Throttled):
        line.send(venue)
    assert line.send(venue) == "taken"
    assert clock.now == 101.0


def test_a_read_that_the_venue_has_shut_out_for_longer_than_it_may_take_says_so_at_once(clock: Clock) -> None:
    line, venue = calls(clock), Venue(Throttled("banned", 600.0), "never")
    for asked in (1, 1):  # the venue is not asked again
        with pytest.raises(Throttled):
            line.read(venue)
        assert (venue.asked, clock.now) == (asked, 100.0)


def test_an_answer_is_waited_for_no_longer_than_the_call_may_take(clock: Clock) -> None:
    given: list[float] = []

    def slow(patience: float) -> Any:
        given.append(patience)
        clock.now += patience
        raise TimeoutError

    with pytest.raises(VenueError):
        calls(clock, patience=10.0, in_all=25.0).read(slow)
    assert given == [10.0, 10.0, 4.25]
    assert clock.now <= 125.0 + 0.5
    busy = Budget(1, 8.0, clock)
    line = calls(clock, busy, patience=10.0)
    line.send(lambda patience: given.append(patience))
    line.send(lambda patience: given.append(patience))
    assert given[-2:] == [10.0, 2.0]


def test_a_read_that_gets_no_answer_raises_and_is_never_an_empty_one(clock: Clock) -> None:
    venue = Venue(*[TimeoutError()] * 50)
    with pytest.raises(OutcomeUnknown, match="no answer came: TimeoutError"):
        calls(clock, in_all=10.0).read(venue)
    assert 4 <= venue.asked <= 8
    assert clock.now - 100.0 <= 15.0


@pytest.mark.parametrize("error", [OrderRejected("no"), InsufficientFunds("none"), ValueError("a bug"), KeyError("x")])
def test_what_is_an_answer_or_a_fault_of_ours_is_not_asked_again(clock: Clock, error: Exception) -> None:
    venue = Venue(error)
    with pytest.raises(type(error)):
        calls(clock).read(venue)
    assert venue.asked == 1


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (TimeoutError(), OutcomeUnknown),
        (ConnectionResetError("reset"), OutcomeUnknown),
        (OutcomeUnknown("504"), OutcomeUnknown),
        (Throttled("429", 3.0), Throttled),
        (InvalidOrder("lot size"), InvalidOrder),
    ],
)
def test_an_order_is_sent_once_whatever_comes_back(clock: Clock, error: Exception, raised: type[Exception]) -> None:
    venue = Venue(error)
    with pytest.raises(raised):
        calls(clock).send(venue)
    assert venue.asked == 1
    assert clock.slept == []


def test_each_call_is_given_its_time(clock: Clock) -> None:
    given: list[float] = []
    ask: Callable[[float], None] = given.append
    calls(clock, patience=3.5).send(ask)
    calls(clock, patience=3.5).read(ask)
    assert given == [3.5, 3.5]


# -- budgets -------------------------------------------------------------------------------------------------------------------


def test_calls_wait_for_room_in_every_budget(clock: Clock) -> None:
    asked: list[float] = []
    some = calls(clock, Budget(2, 10.0, clock), Budget(5, 60.0, clock), in_all=100.0)
    for _ in range(6):
        some.read(lambda patience: asked.append(clock.now - 100.0))
    assert asked == [0.0, 0.0, 10.0, 10.0, 20.0, pytest.approx(60.0)]


def test_a_heavy_call_waits_until_enough_has_run_out(clock: Clock) -> None:
    budget = Budget(10, 60.0, clock)
    for weight in (4.0, 3.0, 2.0):
        budget.take(weight)
        clock.now += 10.0
    assert budget.wait(1.0) == 0.0
    assert budget.wait(5.0) == 30.0  # the first has to go
    assert budget.wait(8.0) == 40.0  # the second too
    with pytest.raises(ParameterError, match="weight 11 is more than the 10 that are allowed"):
        budget.wait(11.0)


def test_no_more_than_the_limit_leaves_in_any_stretch_of_time(clock: Clock) -> None:
    left: list[float] = []
    some = calls(clock, Budget(7, 5.0, clock), in_all=1e6)
    for k in range(200):
        some.read(lambda patience: left.append(clock.now))
        clock.now += (k % 5) * 0.3
    for first in left:
        assert sum(first <= one < first + 5.0 for one in left) <= 7


def test_what_the_venue_says_of_later_holds_for_everything(clock: Clock) -> None:
    budget = Budget(100, 1.0, clock)
    some = calls(clock, budget)
    with pytest.raises(Throttled):
        some.send(Venue(Throttled("418: banned", 20.0)))
    venue = Venue("served")
    with pytest.raises(Throttled, match=r"no room for 20\.0 s: it was not asked"):
        some.send(venue)
    assert venue.asked == 0
    assert some.read(venue) == "served"
    assert clock.now >= 120.0


def test_a_read_that_is_throttled_waits_as_long_as_the_venue_says(clock: Clock) -> None:
    venue = Venue(Throttled("429", 7.0), "served")
    assert calls(clock, Budget(100, 1.0, clock)).read(venue) == "served"
    assert clock.now >= 107.0


@pytest.mark.parametrize("given", [(0, 1.0), (1, 0.0), (float("nan"), 1.0), (1, float("inf"))])
def test_a_budget_that_is_none_is_refused(given: tuple[float, float]) -> None:
    with pytest.raises(ParameterError, match="Budget: "):
        Budget(*given)


# -- a venue's no ---------------------------------------------------------------------------------------------------------------


def test_a_rejection_keeps_the_venues_own_words() -> None:
    kinds = {-2010: InsufficientFunds, -1013: InvalidOrder}
    error = rejection(kinds, "buy 1 BTCUSDT", -2010, "Account has insufficient balance.")
    assert isinstance(error, InsufficientFunds)
    assert isinstance(error, OrderError)
    assert (error.code, error.words) == ("-2010", "Account has insufficient balance.")
    assert str(error) == "buy 1 BTCUSDT (the venue: -2010 Account has insufficient balance.)"
    unheard = rejection(kinds, "buy 1 BTCUSDT", -9999, "new")
    assert type(unheard) is OrderRejected


def test_a_venue_that_did_not_answer_has_not_refused() -> None:
    assert not issubclass(VenueError, OrderError)
    assert issubclass(VenueError, WorkbenchError)
    assert {OutcomeUnknown, Throttled} <= set(VenueError.__subclasses__())


def test_the_pause_that_a_venue_asks_for_is_kept_where_no_budget_is_known(clock: Clock) -> None:
    began, venue = clock.now, Venue(Throttled("429", 7.0), "served")
    assert calls(clock).read(venue) == "served"
    assert clock.now - began >= 7.0
    assert venue.asked == 2

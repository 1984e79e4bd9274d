"""Every known trap, put into Session or paper venue one at a time, makes parity fail and names where.

The parity tests are worth what they catch. Each mutation changes one thing on the Session's side only; the kernel stays as it is.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from types import FunctionType
from typing import Any, NamedTuple

import pandas as pd
import pytest
from markets import RATES, Case, Restless, random_market

from workbench import Strategy
from workbench.decision import buying_power_room, opening, whole_steps
from workbench.execution import Costs, Limit, PaperVenue, _algorithms, _depth, _desk, _holding, _offers, paper
from workbench.execution._desk import Desk
from workbench.execution.fills import limit_inside, stop_inside
from workbench.exits import AtrStop, TakeProfit
from workbench.grid import quantity_of, round_away
from workbench.money import fee_of, worth
from workbench.portfolio import Portfolio
from workbench.portfolio import _portfolio as ledger
from workbench.research.comparing import compare
from workbench.research.engine import run_kernel
from workbench.research.running import run_session
from workbench.risk import MaxExposure, MaxLeverage
from workbench.session import Session, deciding
from workbench.session.deciding import Decider
from workbench.session.record import Record
from workbench.session.state import State
from workbench.session.tape import Tape
from workbench.signals import Breakout
from workbench.sizing import FixedFraction, FixedQuantity, RiskPercent

Patch = pytest.MonkeyPatch

SEEDS = range(8)
RESTLESS = Restless(0.3)
STRATEGIES = {
    "exits": Strategy(RESTLESS, RiskPercent(0.01), [AtrStop(5, 0.7), TakeProfit(multiple=1.0)], [MaxLeverage(3)]),
    "book": Strategy(
        RESTLESS,
        FixedFraction(1.0),
        [AtrStop(8, 2)],
        [MaxExposure(0.9, "asset_class", "equity"), MaxLeverage(1.5)],
        Limit(0.004, 3, "cross"),
    ),
    "limits": Strategy(RESTLESS, FixedFraction(0.3), [AtrStop(8, 1), TakeProfit(percent=0.003)], [MaxLeverage(1)], Limit(0.002, 2)),
    "exact": Strategy(RESTLESS, FixedQuantity(0.29)),
    "power": Strategy(Breakout(3), FixedFraction(40.0)),
    "waits": Strategy(RESTLESS, FixedFraction(0.2), start="wait"),
}
COSTS = Costs(commission=0.0003, minimum=2.0, slippage=0.0005)


@lru_cache
def case(name: str, seed: int) -> Case:
    account = {"cash": 100_000.0, "costs": COSTS, "currency": "USD", "rates": RATES, "buying_power": name != "book"}
    return Case(seed, STRATEGIES[name], random_market(seed, 4), account)


@lru_cache
def researched(name: str, seed: int) -> Record:
    return run_kernel(case(name, seed).setup(), compiled=False)


def differences(name: str, seed: int) -> pd.DataFrame:
    """Return how the Session, as it now is, differs from the kernel."""
    one = case(name, seed)
    return compare(researched(name, seed), run_session(one.setup()), one.bars)


def with_names(function: Any, **names: Any) -> Any:
    """Return a function that finds other things under some of its module's names."""
    return FunctionType(function.__code__, function.__globals__ | names, function.__name__, function.__defaults__)


# -- the traps of KERNEL.md's table -----------------------------------------------------------------------------------


def equity_one_bar_old(patch: Patch) -> None:
    closing, opens = Session._close_what_turned, Session._open

    def late(self: Any, row: int, equity: float) -> list[int]:
        self.late, self.newest = getattr(self, "newest", equity), equity
        return closing(self, row, self.late)

    patch.setattr(Session, "_close_what_turned", late)
    patch.setattr(Session, "_open", lambda self, row, equity, wanted: opens(self, row, self.late, wanted))


def symbols_in_another_order(patch: Patch) -> None:
    opens = Session._open
    patch.setattr(Session, "_open", lambda self, row, equity, wanted: opens(self, row, equity, wanted[::-1]))


def whole_bar_symbol_by_symbol(patch: Patch) -> None:
    def observe(self: Any, tape: Tape, row: int) -> None:
        self.tape, self.row = tape, row
        for j, desk in enumerate(self._desks):
            if tape.open[j][row] == tape.open[j][row]:
                for phase in paper.AT_THE_OPEN:
                    phase(desk, tape.open[j][row])
                desk.inside(tape.high[j][row], tape.low[j][row])
            else:
                desk.wait()

    patch.setattr(PaperVenue, "observe", observe)


def stop_before_the_exit_due_at_the_open(patch: Patch) -> None:
    def stops_first(self: Desk, first: float) -> None:
        tape, row = self.till.tape, self.till.row
        held = math.copysign(1, self.lots)
        if self.closing and self.stop and stop_inside(held, self.stop.price, tape.high[self.j][row], tape.low[self.j][row]):
            self._leave(self.stop, self.depth.slipped(self.stop.price, -held, abs(self.lots)), abs(self.lots))

    patch.setattr(paper, "AT_THE_OPEN", (stops_first, *paper.AT_THE_OPEN))


def values(book: Portfolio) -> list[float]:
    """Return what each open position adds to equity."""
    rows = zip(book.lots, book.specs, book.price, book.basis, book.unit, strict=True)
    return [worth(quantity_of(lots, s.number, s.power), price, basis, unit) for lots, s, price, basis, unit in rows if lots]


def sum_of_the_values_then_cash(patch: Patch) -> None:
    value = Portfolio.value
    patch.setattr(Portfolio, "value", lambda self: (sum(values(self)) + self.cash, value(self)[1]))


def positions_in_another_order(patch: Patch) -> None:
    value = Portfolio.value

    def backwards(self: Portfolio) -> tuple[float, float]:
        equity = self.cash
        for one in reversed(values(self)):
            equity = equity + one
        return equity, value(self)[1]

    patch.setattr(Portfolio, "value", backwards)


def price_times_unit_first(patch: Patch) -> None:
    patch.setattr(ledger, "worth", lambda quantity, price, basis, unit: quantity * ((price - basis) * unit))


def fee_taken_apart(patch: Patch) -> None:
    patch.setattr(ledger, "cash_after", lambda cash, quantity, price, basis, unit, fee: cash - (quantity * (price - basis)) * unit - fee)


def target_before_stop(patch: Patch) -> None:
    inside = Desk.inside

    def target_first(self: Desk, high: float, low: float) -> None:
        held = math.copysign(1, self.lots)
        if self.target and self.limit_entry != self.till.row and limit_inside(-held, self.target.price, high, low):
            self._leave(self.target, self.target.price, abs(self.lots))
        inside(self, high, low)

    patch.setattr(Desk, "inside", target_first)


def stop_asleep_on_the_entry_bar(patch: Patch) -> None:
    enter, inside = Desk._enter, Desk.inside
    entered: dict[int, int] = {}

    def noted(self: Desk, order: Any, price: float, *more: Any, **kinds: Any) -> None:
        enter(self, order, price, *more, **kinds)
        entered[id(self)] = self.till.row

    def asleep(self: Desk, high: float, low: float) -> None:
        stop, sleeps = self.stop, entered.get(id(self)) == self.till.row
        self.stop = None if sleeps else stop
        inside(self, high, low)
        self.stop = stop if sleeps and self.lots else self.stop

    patch.setattr(Desk, "_enter", noted)
    patch.setattr(Desk, "inside", asleep)


def resting_openings_not_in_the_book(patch: Patch) -> None:
    patch.setattr(Decider, "_enter", lambda self, j, order: None)


def openings_of_the_step_not_in_the_book(patch: Patch) -> None:
    patch.setattr(deciding, "enter_book", lambda *_: None)


def floor_without_tolerance(patch: Patch) -> None:
    floored = with_names(whole_steps, lots_of=lambda quantity, number, power: math.floor(quantity * power / number))
    patch.setattr(deciding, "opening", with_names(opening, whole_steps=floored))


# -- more of the kind -------------------------------------------------------------------------------------------------


def closings_of_the_step_not_done(patch: Patch) -> None:
    begin = Decider.begin

    def undone(self: Any, row: int, equity: float) -> None:
        for state in self.states:
            state.closed_at = -1
        begin(self, row, equity)

    patch.setattr(Decider, "begin", undone)


def limit_filled_at_the_touch(patch: Patch) -> None:
    patch.setattr(_offers, "limit_inside", lambda side, limit, high, low: low <= limit if side > 0 else high >= limit)


def slippage_on_limits(patch: Patch) -> None:
    enter = Desk._enter

    def moved(self: Desk, order: Any, price: float, *more: Any, **kinds: Any) -> None:
        enter(self, order, price if order.price is None else self.depth.slipped(price, order.sign, 0), *more, **kinds)

    patch.setattr(Desk, "_enter", moved)


def stop_rounded_towards_the_market(patch: Patch) -> None:
    patch.setattr(_holding, "stop_level", lambda held, filled, distance, *tick: round_away(filled - held * distance, -held, *tick))


def limit_rounded_towards_the_market(patch: Patch) -> None:
    patch.setattr(_algorithms, "limit_price", lambda side, close, offset, *tick: round_away(close * (1.0 - side * offset), -side, *tick))


def fills_at_the_rate_of_their_own_bar(patch: Patch) -> None:
    observe = PaperVenue.observe

    def early(self: Any, tape: Tape, row: int) -> None:
        tape.advance(row)
        observe(self, tape, row)

    patch.setattr(PaperVenue, "observe", early)


def rates_of_the_step_before(patch: Patch) -> None:
    advance = Tape.advance

    def late(self: Tape, row: int) -> None:
        advance(self, row)
        self.unit[:] = [rates[max(row - 1, 0)] for rates in self.unit_rows] if self.moving else self.unit

    patch.setattr(Tape, "advance", late)


def can_short_ignored(patch: Patch) -> None:
    begin = Session._begin

    def all_short(self: Session, *args: Any) -> None:
        begin(self, *args)
        self._short = [True] * len(self._short)

    patch.setattr(Session, "_begin", all_short)


def gapped_stop_at_its_own_price(patch: Patch) -> None:
    patch.setattr(_desk, "stop_at_open", lambda *_: False)


def target_in_the_bar_of_a_limit_entry(patch: Patch) -> None:
    enter = Desk._enter

    def forgets(self: Desk, order: Any, price: float, *more: Any, **kinds: Any) -> None:
        enter(self, order, price, *more, **kinds)
        self.limit_entry = -1

    patch.setattr(Desk, "_enter", forgets)


def limit_works_a_bar_too_long(patch: Patch) -> None:
    submit = PaperVenue.submit

    def longer(self: Any, order: Any) -> None:
        submit(self, order)
        self._desk(order.instrument.symbol).opening_left += 1

    patch.setattr(PaperVenue, "submit", longer)


def opening_never_too_old(patch: Patch) -> None:
    patch.setattr(_desk, "too_old", lambda *_: False)


def least_fee_forgotten(patch: Patch) -> None:
    patch.setattr(_depth, "fee_of", lambda *numbers: fee_of(*numbers[:-2], 0.0, numbers[-1]))


def back_in_after_a_stop(patch: Patch) -> None:
    filled = State.filled

    def forgets(self: State, fill: Any, *more: float) -> None:
        filled(self, fill, *more)
        if fill.key.leg == "stop":
            self.acted = self.wish = 0

    patch.setattr(State, "filled", forgets)


def opening_not_withdrawn_when_the_stance_turns(patch: Patch) -> None:
    patch.setattr(Session, "withdraw", lambda self, state: None)


def buying_power_without_slippage(patch: Patch) -> None:
    room = with_names(buying_power_room, slipped=lambda price, *_: price)
    patch.setattr(deciding, "opening", with_names(opening, buying_power_room=room))


def no_stop_out(patch: Patch) -> None:
    patch.setattr(Session, "_stop_out", lambda self, row, equity, wanted: None)


def first_stance_acted_on_at_once(patch: Patch) -> None:
    init = State.__init__
    patch.setattr(State, "__init__", lambda self, waiting: init(self, False))


class Trap(NamedTuple):
    """A mutation, the strategy that shows it, in how many of the markets at least, and a leg that the differences name.

    Without a leg only bits of the equity differ.
    """

    mutate: Callable[[Patch], None]
    strategy: str
    least: int
    leg: str = ""


TRAPS = [
    Trap(equity_one_bar_old, "exits", 8, "open"),
    Trap(symbols_in_another_order, "book", 8, "open"),
    Trap(whole_bar_symbol_by_symbol, "exits", 6, "open"),
    Trap(stop_before_the_exit_due_at_the_open, "exits", 6, "stop"),
    Trap(sum_of_the_values_then_cash, "exits", 4),
    Trap(positions_in_another_order, "exits", 2),
    Trap(price_times_unit_first, "exits", 2),
    Trap(fee_taken_apart, "exits", 5),
    Trap(target_before_stop, "exits", 5, "target"),
    Trap(stop_asleep_on_the_entry_bar, "exits", 7, "stop"),
    Trap(resting_openings_not_in_the_book, "book", 6, "open"),
    Trap(openings_of_the_step_not_in_the_book, "book", 8, "open"),
    Trap(floor_without_tolerance, "exact", 5, "open"),
    Trap(closings_of_the_step_not_done, "book", 6, "open"),
    Trap(limit_filled_at_the_touch, "limits", 2, "open"),
    Trap(slippage_on_limits, "limits", 8, "open"),
    Trap(stop_rounded_towards_the_market, "exits", 6, "stop"),
    Trap(limit_rounded_towards_the_market, "limits", 6, "open"),
    Trap(fills_at_the_rate_of_their_own_bar, "exits", 2, "close"),
    Trap(rates_of_the_step_before, "exits", 2, "open"),
    Trap(can_short_ignored, "exits", 2, "open"),
    Trap(gapped_stop_at_its_own_price, "exits", 6, "stop"),
    Trap(target_in_the_bar_of_a_limit_entry, "limits", 6, "target"),
    Trap(limit_works_a_bar_too_long, "limits", 8, "open"),
    Trap(opening_never_too_old, "exits", 2, "open"),
    Trap(least_fee_forgotten, "exits", 3, "open"),
    Trap(back_in_after_a_stop, "exits", 8, "open"),
    Trap(opening_not_withdrawn_when_the_stance_turns, "limits", 5, "open"),
    Trap(buying_power_without_slippage, "power", 6, "open"),
    Trap(no_stop_out, "power", 3, "close"),
    Trap(first_stance_acted_on_at_once, "waits", 8, "open"),
]


def named(found: pd.DataFrame) -> set[str]:
    """Require that each difference says where it is, and return the legs of the orders that differ."""
    of_orders = found["what"].isin(["order", "fill"])
    assert found["time"].notna().all()
    assert (found["symbol"].ne("") | found["what"].isin(["equity", "cash"])).all()
    assert (found["leg"].ne("") == of_orders).all()
    return set(found["leg"][of_orders])


@pytest.mark.parametrize("name", STRATEGIES)
def test_without_a_mutation_nothing_differs(name: str) -> None:
    assert all(differences(name, seed).empty for seed in SEEDS)
    assert sum(len(researched(name, seed).orders) for seed in SEEDS) > 400


@pytest.mark.parametrize("trap", TRAPS, ids=[trap.mutate.__name__.replace("_", " ") for trap in TRAPS])
def test_a_mutation_is_caught_and_named(trap: Trap, monkeypatch: pytest.MonkeyPatch) -> None:
    trap.mutate(monkeypatch)
    caught = [found for seed in SEEDS if len(found := differences(trap.strategy, seed))]
    legs = set().union(*map(named, caught))
    print(f"\n{trap.mutate.__name__}: {len(caught)} of {len(SEEDS)} markets, orders that differ: {sorted(legs)}")
    assert len(caught) >= trap.least
    assert trap.leg in legs if trap.leg else all("equity" in set(found["what"]) for found in caught)

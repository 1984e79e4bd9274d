"""The Session: its events, its one step, and its journal."""

from __future__ import annotations

import gc
import logging
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from markets import RATES, random_market
from worked import market, plan

import laws
from workbench import Bars, MemoryJournal, ReplayAdapter, Session, Strategy, backtest
from workbench.errors import ParameterError
from workbench.execution import Costs, Limit, PaperVenue
from workbench.exits import AtrStop, TakeProfit
from workbench.journal import Entry
from workbench.market import Order
from workbench.risk import MaxLeverage, RiskManager
from workbench.session import Decided, EventBus, HandlerFailed, OrderAccepted, OrderEnded, OrderFilled, OrderSent, StepClosed
from workbench.session.recorder import Recorder
from workbench.signals import Breakout
from workbench.sizing import RiskPercent

KINDS = (Decided, OrderSent, OrderAccepted, OrderFilled, OrderEnded, StepClosed)
STRATEGY = Strategy(Breakout(4), RiskPercent(0.01), [AtrStop(5), TakeProfit()], [MaxLeverage(2)], Limit(0.001, 2, "cross"))
ACCOUNT: dict[str, Any] = {"cash": 50_000.0, "currency": "USD", "rates": RATES}


@pytest.fixture
def bars() -> Bars:
    return random_market(3)


def session_on(bars: Bars, journal: MemoryJournal | None = None, venue: PaperVenue | None = None) -> Session:
    return Session(STRATEGY, data=ReplayAdapter(bars), execution=venue or PaperVenue(**ACCOUNT), journal=journal)


# -- the bus ----------------------------------------------------------------------------------------------------------


def test_handlers_are_called_in_the_order_in_which_they_subscribed() -> None:
    bus, seen = EventBus(), []
    for name in "abc":
        bus.on(StepClosed, lambda event, name=name: seen.append((name, event.step)))
    bus.emit(StepClosed(7, 0, 1.0))
    assert seen == [("a", 7), ("b", 7), ("c", 7)]


def test_only_handlers_of_the_type_are_called() -> None:
    bus, seen = EventBus(), []
    bus.on(OrderSent, seen.append)
    bus.emit(StepClosed(0, 0, 1.0))
    assert seen == []


@pytest.mark.parametrize("kind", [int, Order, object], ids=lambda kind: kind.__name__)
def test_an_unknown_type_of_event_is_refused(kind: type) -> None:
    with pytest.raises(ParameterError, match=f"a session tells Decided, OrderSent, .*got '{kind.__name__}'"):
        EventBus().on(kind, print)


def raising(event: Any) -> None:
    raise ZeroDivisionError(f"no {type(event).__name__}")


def test_a_failing_handler_is_told_and_stops_nobody(caplog: pytest.LogCaptureFixture) -> None:
    bus, seen, failed = EventBus(), [], []
    bus.on(StepClosed, raising)
    bus.on(StepClosed, seen.append)
    bus.on(HandlerFailed, failed.append)
    with caplog.at_level(logging.ERROR, "workbench.session"):
        bus.emit(StepClosed(3, 0, 1.0))
    assert [event.step for event in seen] == [3]
    assert (failed[0].handler, failed[0].event, type(failed[0].error)) == ("raising", StepClosed(3, 0, 1.0), ZeroDivisionError)
    assert "a handler of StepClosed failed" in caplog.text


def test_a_failing_handler_of_failures_does_not_go_round_for_ever() -> None:
    bus = EventBus()
    bus.on(HandlerFailed, raising)
    bus.on(StepClosed, raising)
    bus.emit(StepClosed(0, 0, 1.0))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_failing_handler_does_not_stop_trading(bars: Bars, kind: type, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "workbench.session")
    session, failed = session_on(bars), []
    recorder = Recorder(session)
    session.on(kind, raising)
    session.on(HandlerFailed, failed.append)
    session.run()
    assert failed
    laws.same_bits(recorder.record(), backtest(STRATEGY, bars, **ACCOUNT).record)


# -- a new component joins by subscribing -----------------------------------------------------------------------------


class Turnover:
    """A component that the session knows nothing of."""

    def __init__(self, session: Session) -> None:
        self.traded: Counter[str] = Counter()
        self.steps = 0
        session.on(OrderFilled, self.add)
        session.on(StepClosed, self.count)

    def add(self, event: OrderFilled) -> None:
        self.traded[event.fill.instrument.symbol] += event.fill.quantity * event.fill.price

    def count(self, event: StepClosed) -> None:
        self.steps += 1


def test_a_new_component_joins_by_subscribing(bars: Bars) -> None:
    session = session_on(bars)
    turnover = Turnover(session)
    session.run()
    fills = backtest(STRATEGY, bars, **ACCOUNT).fills
    expected = (fills["quantity"].abs() * fills["price"]).groupby(fills["symbol"]).sum()
    assert turnover.steps == len(bars)
    assert dict(turnover.traded) == pytest.approx(expected.to_dict())


def test_listening_changes_nothing(bars: Bars) -> None:
    alone, heard = session_on(bars).run(), session_on(bars)
    for kind in KINDS:
        heard.on(kind, lambda event: None)
    assert heard.run().equity == alone.equity
    assert heard.portfolio.cash == alone.portfolio.cash


def told(session: Session) -> list[Any]:
    """Return the list in which all that a session tells will stand."""
    events: list[Any] = []
    for kind in KINDS:
        session.on(kind, events.append)
    return events


def key_of(event: Any) -> Any:
    return (
        event.order.key if isinstance(event, OrderSent | OrderAccepted) else event.fill.key if isinstance(event, OrderFilled) else event.key
    )


def test_each_order_is_told_from_its_sending_to_its_end(bars: Bars) -> None:
    session = session_on(bars)
    events = told(session)
    session.run()
    lives: dict[Any, str] = {}
    for event in (e for e in events if not isinstance(e, Decided | StepClosed)):
        lives[key_of(event)] = lives.get(key_of(event), "") + type(event).__name__.removeprefix("Order")[0]
    protective = {"A", "AF", "AE"}  # stop and target rest with the fill of their entry, nobody sends them
    assert {life for key, life in lives.items() if key.leg in ("stop", "target")} <= protective
    assert {life for key, life in lives.items() if key.leg in ("open", "close")} <= {"S", "SA", "SAF", "SAE"}
    assert min(Counter(lives.values())[life] for life in ("SAF", "SAE", "AF", "AE")) > 10


def test_the_equity_told_is_that_of_the_backtest(bars: Bars) -> None:
    session, equity = session_on(bars), []
    session.on(StepClosed, lambda event: equity.append(event.equity))
    session.run()
    assert equity == backtest(STRATEGY, bars, **ACCOUNT).equity.tolist()


# -- a run ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pieces", [(1,), (7, 50, 1), (10_000,)], ids=str)
def test_a_run_in_pieces_is_the_same_run(bars: Bars, pieces: tuple[int, ...]) -> None:
    session = session_on(bars)
    recorder = Recorder(session)
    for steps in pieces:
        session.run(steps)
    session.run()
    assert session.steps_done == len(bars)
    laws.same_bits(recorder.record(), backtest(STRATEGY, bars, **ACCOUNT).record)


def test_the_run_leaves_the_garbage_collector_as_it_was(bars: Bars) -> None:
    before = gc.get_threshold(), gc.get_freeze_count()
    session_on(bars).run()
    assert (gc.get_threshold(), gc.get_freeze_count()) == before


def test_ledger_and_venue_agree_to_the_last_bit(bars: Bars) -> None:
    session = session_on(bars)
    for _ in range(len(bars)):
        session.step()
        account = session.execution.account()
        assert (account.cash, account.equity) == (session.portfolio.cash, session.portfolio.equity)
        assert session.portfolio.reconcile(session.execution.positions()).empty


class Half(RiskManager):
    """Leaves half of what is asked, in words."""

    def limit(self, order, portfolio, market):
        return order.quantity / 2, f"half of {order.quantity:g}"


def test_what_a_limit_of_ones_own_said_is_kept_beside_its_decision() -> None:
    # decision 0 buys, 1 closes, 2 sells short; limits 0 and 2 are the user's own
    strategy = plan("+.0-.", quantity=8, risk=[Half(), MaxLeverage(10), Half()])
    session = Session(strategy, data=ReplayAdapter(market([100] * 5)), execution=PaperVenue(10_000.0)).run()
    assert session.sleeves.at[0].decider.said == {(0, 0): "half of 8", (0, 2): "half of 4", (2, 0): "half of 8", (2, 2): "half of 4"}


# -- the journal ------------------------------------------------------------------------------------------------------


class Witness(MemoryJournal):
    """A journal that notes when it was written to."""

    def __init__(self, log: list[tuple[str, Any]]) -> None:
        super().__init__()
        self.log = log

    def commit(self, entries: Sequence[Entry]) -> None:
        super().commit(entries)
        self.log.append(("commit", tuple(entry.key for entry in entries)))


class WatchedVenue(PaperVenue):
    """A venue that notes when it was handed an order."""

    log: list[tuple[str, Any]]

    def submit(self, order: Order) -> None:
        self.log.append(("submit", order.key))
        super().submit(order)


def watched(bars: Bars) -> tuple[Session, list[tuple[str, Any]]]:
    log: list[tuple[str, Any]] = []
    venue = WatchedVenue(**ACCOUNT)
    venue.log = log
    return session_on(bars, Witness(log), venue), log


def test_intents_are_journaled_before_they_are_sent(bars: Bars) -> None:
    session, log = watched(bars)
    session.run()
    written: set[Any] = set()
    for what, keys in log:
        if what == "commit":
            written.update(keys)
        else:
            assert keys in written
    sent = [key for what, key in log if what == "submit"]
    assert len(sent) == len(set(sent)) == len(written) > 100


def test_all_intents_of_a_step_are_one_commit(bars: Bars) -> None:
    session, log = watched(bars)
    commits = []
    for _ in range(len(bars)):
        session.step()
        commits.append([keys for what, keys in log if what == "commit"])
        log.clear()
    assert {len(step) for step in commits} == {0, 1}
    assert max(len(keys) for step in commits for keys in step) > 1


def test_the_journal_holds_the_orders_as_they_were_sent(bars: Bars) -> None:
    journal = MemoryJournal()
    session, sent = session_on(bars, journal), []
    session.on(OrderSent, lambda event: sent.append(event.order))
    session.run()
    assert [entry.body for entry in journal.entries("intent")] == sent
    assert [entry.key for entry in journal.entries("intent")] == [order.key for order in sent]


def test_nothing_is_sent_where_the_journal_cannot_write(bars: Bars) -> None:
    session, log = watched(bars)

    def full(entries: Sequence[Entry]) -> None:
        raise OSError("no space left")

    session.journal.commit = full  # type: ignore[method-assign]
    with pytest.raises(OSError, match="no space left"):
        session.run()
    assert log == []
    assert session.execution.open_orders() == []


def test_a_key_is_journaled_once() -> None:
    journal = MemoryJournal()
    journal.commit([Entry("intent", 1, "buy"), Entry("intent", 2, "sell"), Entry("fill", 1, "bought")])
    journal.commit([Entry("intent", 1, "buy again")])
    assert [entry.body for entry in journal.entries("intent")] == ["buy", "sell"]
    assert [entry.body for entry in journal.entries()] == ["buy", "sell", "bought"]
    assert len(journal) == 3


# -- what is refused, and what is assumed -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"strategies": [STRATEGY, Breakout()]}, "expected a list of wb.Strategy, got a Breakout in it"),
        ({"strategies": Breakout()}, "expected a wb.Strategy, got Breakout"),
        ({"data": "bars"}, r"data must be a wb.ReplayAdapter\(bars\), got str"),
        ({"execution": "paper"}, "execution must be a wb.execution.PaperVenue, got str"),
    ],
    ids=["a list with a signal", "a signal", "no adapter", "no venue"],
)
def test_wrong_use_gets_a_sentence(bars: Bars, given: dict[str, Any], said: str) -> None:
    chosen = {"strategies": STRATEGY, "data": ReplayAdapter(bars), "execution": PaperVenue(**ACCOUNT)} | given
    with pytest.raises(ParameterError, match=said):
        Session(**chosen)


def test_a_list_with_one_strategy_is_taken(bars: Bars) -> None:
    session = Session([STRATEGY], data=ReplayAdapter(bars), execution=PaperVenue(**ACCOUNT))
    assert session.run().equity == session_on(bars).run().equity


def test_the_venue_brings_cash_costs_and_rates(bars: Bars) -> None:
    costs = Costs(commission=0.002, slippage=0.003)
    session = session_on(bars, venue=PaperVenue(costs=costs, buying_power=False, **(ACCOUNT | {"cash": 9_000.0})))
    expected = backtest(STRATEGY, bars, costs=costs, buying_power=False, **(ACCOUNT | {"cash": 9_000.0}))
    assert session.run().equity == expected.equity.iloc[-1]
    assert not np.isclose(session.equity, backtest(STRATEGY, bars, **ACCOUNT).equity.iloc[-1])

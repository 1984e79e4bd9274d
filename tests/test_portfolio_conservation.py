"""What happens to random accounts: nothing is made and nothing lost, to the last digit."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from worked import CONTRACT, EURUSD, SHARE

from workbench import Fill, Instrument, Ledger, Portfolio
from workbench.market import OrderKey

EURO_SHARE = Instrument("SAP", quote="EUR")
BITCOIN = Instrument("BTCUSDT", "crypto")
PERPETUAL = Instrument("ETHUSDT", "crypto", "perpetual")
TRADED = [SHARE, CONTRACT, EURUSD, EURO_SHARE, BITCOIN, PERPETUAL]
VENUES = ("here", "there")
#: Worked out by hand: what one unit of each is worth in dollars; a bitcoin's fee is worth what the bitcoin is.
RATES = {"EURUSD": 1.25, "USDT/USD": 0.99, "BNB/USD": 600.0}
WORTH = {"USD": Fraction(1), "EUR": Fraction(5, 4), "USDT": Fraction(99, 100), "BNB": Fraction(600)}
START = 1_000_000

cents = st.integers(1, 2_000_000).map(lambda n: n / 100)
places = st.sampled_from(VENUES)
numbers = st.integers(0, len(TRADED) - 1)
fills = st.tuples(
    st.just("fill"),
    numbers,
    places,
    st.integers(-400, 400).filter(bool),
    cents,
    st.integers(-20, 900).map(lambda n: n / 1000),
    st.booleans(),
)
moves = st.one_of(
    st.tuples(st.just("deposit"), cents, places, st.sampled_from(["USD", "EUR", "USDT"])),
    st.tuples(st.just("withdrawal"), cents, places),
    st.tuples(st.just("income"), numbers, places, st.sampled_from(["funding", "swap", "interest", "tax"]), st.integers(-9999, 9999)),
    st.tuples(st.just("dividend"), numbers, places, cents),
    st.tuples(st.just("split"), numbers, places, st.sampled_from([2, Fraction(3, 2), Fraction(1, 3), Fraction(7, 5)])),
)
lives = st.lists(st.one_of(fills, fills, moves), max_size=25)
lasts = st.lists(cents, min_size=len(TRADED), max_size=len(TRADED))


class Oracle:
    """The plainest account there is: what was paid and received, and what is left is worth its price."""

    def __init__(self) -> None:
        self.money = Fraction(START)
        self.deposited = Fraction(START)
        self.held: dict[tuple[str, int], Fraction] = defaultdict(Fraction)

    def happen(self, book: Ledger, what: str, *rest: Any) -> None:
        """Book one event here and in the ledger."""
        getattr(self, what)(book, *rest)

    def fill(self, book: Ledger, j: int, venue: str, lots: int, price: float, fee: float, in_coin: bool) -> None:
        quantity = lots * float(TRADED[j].quantity_step or 1) * (10**6 if TRADED[j] is BITCOIN else 1)
        exact, coin = Fraction(str(quantity)), TRADED[j] is BITCOIN and in_coin and abs(quantity) > 0.9
        currency = "BTC" if coin else "BNB" if in_coin else str(TRADED[j].quote)
        book.fill("2026-01-05", TRADED[j], quantity, price, fee, currency, venue)
        self.held[venue, j] += exact - (Fraction(str(fee)) if coin else 0)
        self.money -= value(j, exact, price) + (0 if coin else Fraction(str(fee)) * WORTH[currency])

    def deposit(self, book: Ledger, amount: float, venue: str, currency: str) -> None:
        book.deposit("2026-01-05", amount, currency, venue, rate=float(WORTH[currency]))
        worth = Fraction(str(amount)) * WORTH[currency]
        self.money, self.deposited = self.money + worth, self.deposited + worth

    def withdrawal(self, book: Ledger, amount: float, venue: str) -> None:
        there = book.balances.set_index(["venue", "currency"])["balance"].get((venue, "USD"), 0.0)
        if amount <= there:
            book.withdraw("2026-01-05", amount, venue=venue)
            self.money, self.deposited = self.money - Fraction(str(amount)), self.deposited - Fraction(str(amount))

    def income(self, book: Ledger, j: int, venue: str, kind: str, amount: int) -> None:
        if (venue, j) in self.held:
            book.income("2026-01-05", kind, amount / 100, TRADED[j], venue=venue)
            self.money += Fraction(amount, 100) * WORTH[str(TRADED[j].quote)]

    def dividend(self, book: Ledger, j: int, venue: str, each: float) -> None:
        if (venue, j) in self.held:
            book.dividend("2026-01-05", TRADED[j], each, venue=venue)
            self.money += value(j, self.held[venue, j], each)

    def split(self, book: Ledger, j: int, venue: str, ratio: Fraction) -> None:
        if (venue, j) in self.held:
            book.split("2026-01-05", TRADED[j], ratio, venue)
            self.held[venue, j] *= ratio

    def equity(self, last: list[float]) -> Fraction:
        return self.money + sum(value(j, quantity, last[j]) for (_, j), quantity in self.held.items())


def value(j: int, quantity: Fraction, price: float) -> Fraction:
    return quantity * Fraction(str(price)) * Fraction(TRADED[j].multiplier) * WORTH[str(TRADED[j].quote)]


def lived(life: list[Any]) -> tuple[Ledger, Oracle]:
    book, oracle = Ledger("USD"), Oracle()
    book.deposit("2026-01-05", START, venue="here")
    for event in life:
        oracle.happen(book, *event)
    return book, oracle


def prices(last: list[float]) -> dict[str, float]:
    """Return last prices; that of the pair is the rate that `WORTH` says."""
    last[2] = 1.25
    return {instrument.symbol: price for instrument, price in zip(TRADED, last, strict=True)}


def filled_by(instrument: Instrument, lots: int, price: float, fee: float) -> Fill:
    """Return a session's fill of signed lots."""
    number, power = instrument.step
    return Fill(OrderKey("", 0, "open"), instrument, "buy" if lots > 0 else "sell", abs(lots) * number / power, price, fee, 0)


@given(lives, lasts)
@settings(max_examples=100)
def test_equity_conserves_to_the_last_digit(life: list[Any], last: list[float]) -> None:
    book, oracle = lived(life)

    now = book.at(prices(last), RATES)
    assert now.exact == oracle.equity(last)
    assert now.profit == float(oracle.equity(last) - oracle.deposited)


@given(lives, lasts)
@settings(max_examples=40)
def test_balances_positions_and_profits_add_up(life: list[Any], last: list[float]) -> None:
    book, _ = lived(life)
    now, found = book.at(prices(last), RATES), book.balances
    money = found.drop(columns=["venue", "currency", "balance"]).mul(found["currency"].map(WORTH).astype(float), axis=0).sum()
    expected = money.sum() + now.positions["unrealised"].sum()
    assert abs(now.equity - expected) <= 1e-9 * (START + money.abs().sum() + now.positions["value"].abs().sum())


@given(lives, lasts)
@settings(max_examples=40)
def test_fifo_and_lifo_realise_the_same_once_everything_is_flat(life: list[Any], last: list[float]) -> None:
    book, oracle = lived(life)
    for (venue, j), quantity in oracle.held.items():
        if quantity:
            book.fill("2026-01-06", TRADED[j], -quantity, last[j], venue=venue)
    totals = [sum(one.profit for h in book._matched(m).holdings.values() for one in h.closed) for m in ("fifo", "lifo")]
    assert totals[0] == totals[1]
    assert book.lots("fifo").empty
    assert book.at(rates=RATES).positions.empty


@given(lives, lasts, st.sampled_from([2, Fraction(3, 2), Fraction(1, 3)]))
@settings(max_examples=40)
def test_a_split_changes_no_value(life: list[Any], last: list[float], ratio: Fraction) -> None:
    book, oracle = lived(life)
    before, after = book.at(prices(last), RATES).exact, dict(prices(last))
    for venue, j in oracle.held:
        if TRADED[j] is not EURUSD:  # its price is a rate, of money that does not split
            book.split("2026-01-06", TRADED[j], ratio, venue)
            after[TRADED[j].symbol] = Fraction(str(last[j])) / ratio
    assert book.at(after, RATES).exact == before


@given(lives, lasts, cents)
@settings(max_examples=40)
def test_a_deposit_changes_no_profit(life: list[Any], last: list[float], amount: float) -> None:
    book, _ = lived(life)
    before = book.at(prices(last), RATES).profit
    book.deposit("2026-01-06", amount, "EUR", "there", rate=1.25)
    assert book.at(prices(last), RATES).profit == before


@given(st.lists(st.tuples(st.integers(-90, 90).filter(bool), cents), min_size=1, max_size=12), cents)
@settings(max_examples=40)
def test_a_netting_account_is_the_sum_of_hedged_tickets(made: list[tuple[int, float]], last: float) -> None:
    netted, hedged = Ledger(), Ledger(hedging=[""])
    for ticket, (lots, price) in enumerate(made, 1):
        netted.fill("2026-01-05", EURUSD, lots / 100, price, 0.5)
        hedged.fill("2026-01-05", EURUSD, lots / 100, price, 0.5, ticket=str(ticket))
    net, now = netted.at({"EURUSD": last}), hedged.at({"EURUSD": last})
    assert net.exact == now.exact
    assert net.positions["quantity"].sum() == pytest.approx(now.positions["quantity"].sum(), abs=1e-12)
    assert len(now.positions) == len(made)
    assert net.exposure("instrument").sum() == now.exposure("instrument").sum()


@given(st.lists(st.tuples(numbers, st.integers(-400, 400).filter(bool), cents, st.integers(0, 900)), max_size=25), lasts)
@settings(max_examples=40)
def test_a_portfolio_and_a_ledger_are_worth_the_same(made: list[tuple[int, int, float, int]], last: list[float]) -> None:
    rates = {"EURUSD": 1.25, "USDTUSD": 0.99}
    portfolio = Portfolio("USD", START, dict.fromkeys(TRADED, 0.0), prices(last), {**rates, "BTCUSDT": last[4]})
    filled = [filled_by(TRADED[j], lots, price, fee / 100) for j, lots, price, fee in made]
    for one in filled:
        portfolio.apply(one)
    portfolio.mark(prices(last))
    book = Ledger.of(filled, cash=START)
    scale = START + sum(one.quantity * one.price * 100_000 for one in filled) + 100_000 * portfolio.positions["quantity"].abs().sum() * 2e4
    assert abs(portfolio.equity - (book.at(prices(last), rates).equity if filled else START)) <= 1e-9 * scale

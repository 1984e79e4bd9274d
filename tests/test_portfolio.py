"""The ledger: positions, cash, profit; nothing is made or lost whatever is filled."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from worked import CONTRACT, EURUSD, SHARE, USDJPY

from workbench import Fill, Instrument, Portfolio
from workbench.errors import DataError, ParameterError
from workbench.market import OrderKey

EURO_SHARE = Instrument("SAP", quote="EUR")
FRACTIONAL = Instrument("FRC", quantity_step=0.01)
HERE = Instrument("ABC", region="US")
TRADED = [SHARE, CONTRACT, EURUSD, USDJPY, EURO_SHARE, FRACTIONAL]
RATES = {"EURUSD": 1.25, "USDJPY": 160.0}
#: What one unit of each quote currency is worth, worked out by hand.
WORTH = {"USD": Fraction(1), "EUR": Fraction(5, 4), "JPY": Fraction(1, 160)}
KEY = OrderKey("", 0, "open")


def fill(instrument: Instrument, lots: float, price: float, fee: float = 0.0) -> Fill:
    """Return a fill of signed lots."""
    number, power = instrument.step
    return Fill(KEY, instrument, "buy" if lots > 0 else "sell", abs(lots) * number / power, price, fee, 0)


def flat(*instruments: Instrument, cash: float = 100_000.0) -> Portfolio:
    prices = {i.symbol: RATES.get(i.symbol, 1.0) for i in instruments}
    return Portfolio("USD", cash, dict.fromkeys(instruments, 0.0), prices, RATES)


def in_euros(instrument: Instrument, held: float = 0.0) -> Portfolio:
    """Return a euro account beside the pair that turns dollars into euros, at 1.00."""
    return Portfolio("EUR", 100_000.0, {instrument: held, EURUSD: 0.0}, {instrument.symbol: 100.0, "EURUSD": 1.0})


def after(portfolio: Portfolio, *fills: Fill) -> Portfolio:
    for one in fills:
        portfolio.apply(one)
    return portfolio


# -- by hand ----------------------------------------------------------------------------------------------------------


def test_a_share_is_paid_in_full() -> None:
    book = after(flat(SHARE), fill(SHARE, 10, 50.0, fee=2.0))
    book.mark({"ABC": 60.0})
    assert (book.cash, book.equity, book.fees_paid) == (99_498.0, 100_098.0, 2.0)
    assert book.positions.loc["ABC"].to_dict() == {
        "quantity": 10.0, "average_price": 50.0, "last_price": 60.0, "value": 600.0, "unrealised": 100.0,
    }  # fmt: skip


def test_a_contract_moves_profit_only() -> None:
    book = after(flat(CONTRACT), fill(CONTRACT, -3, 50.0, fee=2.0))
    book.mark({"FUT": 40.0})
    assert (book.cash, book.equity) == (99_998.0, 100_028.0)
    assert book.account.margin == 3 * 40 * 0.1


@pytest.mark.parametrize("instrument", [SHARE, CONTRACT], ids=["funded", "margined"])
def test_scale_in_partial_close_through_zero_and_back(instrument: Instrument) -> None:
    book = after(flat(instrument), fill(instrument, 10, 100.0), fill(instrument, 30, 120.0))
    assert book.positions["average_price"].tolist() == [115.0]
    after(book, fill(instrument, -20, 125.0))
    assert (book.realised, book.positions["quantity"].tolist()) == (200.0, [20.0])
    after(book, fill(instrument, -25, 105.0))
    assert (book.realised, book.positions["average_price"].tolist()) == (0.0, [105.0])
    after(book, fill(instrument, 5, 100.0))
    assert (book.realised, book.cash, book.equity) == (25.0, 100_025.0, 100_025.0)
    assert book.positions.empty


def test_money_of_other_currencies_is_converted() -> None:
    book = after(flat(EURO_SHARE, USDJPY), fill(EURO_SHARE, 10, 100.0), fill(USDJPY, 200, 158.4))
    book.mark({"SAP": 110.0, "USDJPY": 160.0})
    assert book.cash == 100_000 - 10 * 100 * 1.25
    assert book.positions["unrealised"].tolist() == pytest.approx([125.0, 2 * 1.6 * 100_000 / 160], rel=1e-12)
    assert book.equity == pytest.approx(100_000 + 125 + 2000, rel=1e-12)


def test_a_fee_of_a_fill_through_zero_is_booked_once() -> None:
    book = after(flat(CONTRACT), fill(CONTRACT, 4, 100.0), fill(CONTRACT, -10, 100.0, fee=7.0))
    book.mark({"FUT": 100.0})
    assert book.fees_paid == pytest.approx(7.0, rel=1e-15)
    assert book.equity == pytest.approx(99_993.0, rel=1e-15)


def test_many_small_fills_leave_whole_steps() -> None:
    # KERNEL trap 3: a running float sum of 0.1 would be off after three
    book = after(flat(FRACTIONAL), *[fill(FRACTIONAL, 10, 1.0)] * 1000)
    assert book.positions["quantity"].tolist() == [100.0]
    after(book, *[fill(FRACTIONAL, -10, 1.0)] * 1000)
    assert book.positions.empty


@pytest.mark.parametrize(
    ("lots", "rate", "profit"),
    [(500, 1.25, -10_000.0), (500, 0.8, 12_500.0), (-500, 1.25, 10_000.0)],
    ids=["dearer euro", "cheaper euro", "sold short"],
)
def test_what_was_paid_for_a_share_stays_at_the_rate_of_its_entry(lots: float, rate: float, profit: float) -> None:
    # 50,000 dollars were 50,000 euros at 1.00
    book, given = after(in_euros(SHARE), fill(SHARE, lots, 100.0)), in_euros(SHARE, lots)
    for one in (book, given):
        one.mark({"EURUSD": rate})
        assert one.positions["unrealised"].tolist() == [profit]
    after(book, fill(SHARE, -lots, 100.0))
    assert (book.realised, book.cash, book.equity) == (profit, 100_000 + profit, 100_000 + profit)


def test_what_was_paid_for_a_share_is_the_mean_of_its_entries() -> None:
    # 100 at 100 and 1.00, 300 at 50 and 1.25: 10,000 + 12,000 euros for 400. 200 sold at 75 and 1.25 bring 12,000 for 11,000
    book = after(in_euros(SHARE), fill(SHARE, 100, 100.0))
    book.mark({"EURUSD": 1.25})
    after(book, fill(SHARE, 300, 50.0), fill(SHARE, -200, 75.0))
    assert (book.realised, book.cash) == (1000.0, 90_000.0)
    book.mark({"ABC": 75.0})
    assert book.positions["unrealised"].tolist() == [1000.0]


def test_of_a_margined_position_only_the_profit_is_turned_over() -> None:
    book = after(in_euros(CONTRACT), fill(CONTRACT, 500, 100.0))
    book.mark({"EURUSD": 1.25, "FUT": 110.0})
    assert book.positions["unrealised"].tolist() == [4000.0]
    after(book, fill(CONTRACT, -500, 110.0))
    assert (book.realised, book.cash) == (4000.0, 104_000.0)


# -- conservation -----------------------------------------------------------------------------------------------------

Flow = tuple[int, int, int, float]
rates = st.tuples(st.integers(50, 200), st.integers(50, 200))
flows = st.lists(
    st.tuples(st.integers(0, len(TRADED) - 1), st.integers(-40, 40).filter(bool), st.integers(1, 20_000), st.floats(0, 50)), max_size=30
)


def marks(last: list[int]) -> dict[str, float]:
    """Return last prices in cents; those of the pairs are rates, and stay what `WORTH` says."""
    return {i.symbol: cents / 100 for i, cents in zip(TRADED, last, strict=True)} | RATES


def profit_of(instrument: Instrument, lots: int, price: float) -> Fraction:
    """Return what so many lots are worth at a price, exactly."""
    step = Fraction(str(instrument.quantity_step))
    return lots * step * Fraction(price) * Fraction(instrument.multiplier) * WORTH[str(instrument.quote)]


@given(flows, st.lists(st.integers(1, 20_000), min_size=len(TRADED), max_size=len(TRADED)))
def test_equity_is_the_start_and_all_that_was_gained_less_fees(made: list[Flow], last: list[int]) -> None:
    book = flat(*TRADED)
    gained, scale, held = Fraction(0), Fraction(100_000), [0] * len(TRADED)
    for j, lots, cents, fee in made:
        after(book, fill(TRADED[j], lots, cents / 100, fee))
        value = profit_of(TRADED[j], lots, cents / 100)
        gained, scale, held[j] = gained - value - Fraction(fee), scale + abs(value), held[j] + lots
    book.mark(marks(last))
    worth = [profit_of(i, lots, price) for i, lots, price in zip(TRADED, held, marks(last).values(), strict=True)]
    assert book.lots == held
    assert abs(Fraction(book.equity) - 100_000 - gained - sum(worth)) <= Fraction(1, 10**9) * (scale + sum(map(abs, worth)))


@given(st.lists(st.tuples(flows, rates), max_size=6), st.lists(st.integers(1, 20_000), min_size=len(TRADED), max_size=len(TRADED)))
def test_equity_is_start_and_realised_and_unrealised_less_fees(made: list[tuple[list[Flow], tuple[int, int]]], last: list[int]) -> None:
    book, scale, fees = flat(*TRADED), Fraction(100_000), 0.0
    for day, (euro, yen) in made:
        for j, lots, cents, fee in day:
            after(book, fill(TRADED[j], lots, cents / 100, fee))
            scale, fees = scale + 160 * abs(profit_of(TRADED[j], lots, cents / 100)), fees + fee
        book.mark(marks(last) | {"EURUSD": euro / 100, "USDJPY": float(yen)})
    expected = 100_000 + book.realised + book.positions["unrealised"].sum() - book.fees_paid
    scale += sum(abs(Fraction(v)) for v in book.positions["value"])
    assert abs(book.equity - expected) <= 1e-9 * float(scale)
    assert book.fees_paid == pytest.approx(fees, rel=1e-12)


@given(flows)
def test_realised_profit_is_that_of_average_cost(made: list[Flow]) -> None:
    book = after(flat(*TRADED), *(fill(TRADED[j], lots, cents / 100) for j, lots, cents, _ in made))
    held, average, realised, scale = [0] * len(TRADED), [Fraction(0)] * len(TRADED), Fraction(0), Fraction(1)
    for j, lots, cents, _ in made:
        closing = 0 if held[j] * lots >= 0 else (min(abs(held[j]), abs(lots)) if lots > 0 else -min(abs(held[j]), abs(lots)))
        opened = lots - closing
        each = profit_of(TRADED[j], 1, 1.0)
        realised += -closing * each * (Fraction(cents / 100) - average[j])
        kept = held[j] + closing
        if opened:
            average[j] = (kept * average[j] + opened * Fraction(cents / 100)) / (kept + opened)
        held[j], scale = kept + opened, scale + abs(profit_of(TRADED[j], lots, cents / 100))
    assert abs(Fraction(book.realised) - realised) <= Fraction(1, 10**9) * scale


@given(flows, flows)
def test_when_everything_is_closed_only_cash_is_left(made: list[Flow], prices: list[Flow]) -> None:
    book = after(flat(*TRADED), *(fill(TRADED[j], lots, cents / 100, fee) for j, lots, cents, fee in made))
    for j, lots in enumerate(list(book.lots)):
        if lots:
            after(book, fill(TRADED[j], -lots, 33.3))
    assert book.positions.empty
    assert book.equity == book.cash
    assert book.account.margin == 0.0


# -- exposure ---------------------------------------------------------------------------------------------------------


def test_30_exposure_by_currency() -> None:
    held = {EURUSD: 4, USDJPY: -2, EURO_SHARE: 100, SHARE: 10, CONTRACT: 5}
    found = Portfolio("USD", 1e6, held, {"SAP": 200.0, "ABC": 50.0, "FUT": 80.0}, RATES).exposure("currency")
    assert found.to_dict() == pytest.approx({"EUR": 500_000 + 25_000, "USD": -500_000 - 200_000 + 500, "JPY": 200_000}, rel=1e-12)
    assert found.name == "exposure in USD"


def test_30_a_coin_is_a_group_of_its_own() -> None:
    bitcoin = Instrument("BTCUSD", "crypto")
    book = Portfolio("USD", 1e6, {bitcoin: 0.5}, {"BTCUSD": 40_000.0})
    assert book.exposure().to_dict() == {"BTC": 20_000.0}


@pytest.mark.parametrize(
    ("by", "expected"),
    [("instrument", {"ABC": 500.0, "FUT": -400.0}), ("asset_class", {"equity": 500.0, "commodity": -400.0}), ("region", {"US": 500.0})],
)
def test_exposure_by_other_groups(by: str, expected: dict[str, float]) -> None:
    book = Portfolio("USD", 0.0, {HERE: 10, CONTRACT: -5}, {"ABC": 50.0, "FUT": 80.0})
    assert book.exposure(by).to_dict() == expected


pairs = st.lists(st.integers(-500, 500), min_size=5, max_size=5)
CROSSES = [Instrument(name, "fx", multiplier=100_000) for name in ("EURUSD", "USDJPY", "EURGBP", "GBPJPY", "EURJPY")]


@given(pairs)
def test_30_the_legs_of_pairs_sum_to_nothing(lots: list[int]) -> None:
    # EURUSD 1.25, USDJPY 160, EURGBP 0.8 and what follows from them
    prices = dict(zip([i.symbol for i in CROSSES], [1.25, 160.0, 0.8, 250.0, 200.0], strict=True))
    book = Portfolio("USD", 0.0, {i: n / 100 for i, n in zip(CROSSES, lots, strict=True)}, prices)
    gross = sum(abs(n) for n in lots) * 1000 * 1.5625 + 1
    assert abs(book.exposure("currency").sum()) <= 1e-9 * gross


def test_30_the_legs_of_a_pair_sum_to_nothing_after_a_mark() -> None:
    book = Portfolio("USD", 100_000, {EURUSD: 1}, {"EURUSD": 1.25})
    book.mark({"EURUSD": 1.5})
    assert book.exposure("currency").to_dict() == pytest.approx({"EUR": 150_000, "USD": -150_000})


# -- rates that move with their pairs ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "rates", [None, {"EURUSD": 1.25}, {"EUR/USD": 1.25}, {"USDEUR": 0.8}], ids=["none", "given", "with a slash", "turned"]
)
def test_a_mark_of_a_pair_moves_the_conversion_that_comes_from_it(rates: dict[str, float] | None) -> None:
    held = {EURO_SHARE: 100, EURUSD: 1}
    book = Portfolio("USD", 0.0, held, {"SAP": 10.0, "EURUSD": 1.25}, rates)
    assert book.exposure().to_dict() == {"EUR": 100_000 * 1.25 + 1250.0, "USD": -125_000.0}
    book.mark({"EURUSD": 1.5})
    assert book.exposure().to_dict() == {"EUR": 100_000 * 1.5 + 1500.0, "USD": -150_000.0}


def test_a_rate_stays_where_another_symbol_is_marked() -> None:
    future = Instrument("6E", "fx", "future", base="EUR", quote="USD")
    book = Portfolio("USD", 0.0, {EURO_SHARE: 100, future: 1}, {"SAP": 10.0, "6E": 1.25}, {"EURUSD": 1.25})
    book.mark({"6E": 1.5})
    assert book.positions["value"].tolist() == [1250.0, 1.5]


def test_a_mark_moves_no_portfolio_that_was_widened_from_it() -> None:
    book = Portfolio("USD", 0.0, {EURO_SHARE: 100, EURUSD: 1}, {"SAP": 10.0, "ABC": 50.0}, {"EURUSD": 1.25})
    wider = book.with_instrument(SHARE)
    wider.mark({"EURUSD": 1.5, "SAP": 20.0})
    assert (book.equity, wider.equity) == (1250.0, 25_000.0 + 3000.0)
    assert book.rates == {"EURUSD": 1.25}


# -- by hand made, widened, compared ----------------------------------------------------------------------------------


def test_a_pair_takes_its_price_from_the_rates() -> None:
    assert Portfolio("USD", 0, {EURUSD: 1}, rates={"EURUSD": 1.25}).positions["last_price"].tolist() == [1.25]


def test_a_column_is_added_for_one_more_instrument() -> None:
    book = Portfolio("USD", 5000.0, {SHARE: 10}, {"ABC": 50.0, "FUT": 80.0}, buying_power=True)
    wider = book.with_instrument(CONTRACT)
    assert (wider.symbols, wider.equity, wider.buying_power) == (["ABC", "FUT"], 5500.0, True)
    assert wider.with_instrument(SHARE) is wider
    assert book.symbols == ["ABC"]


def test_an_added_column_changes_no_equity() -> None:
    book = Portfolio("USD", 100_000, {EURUSD: 1}, {"EURUSD": 1.25, "ABC": 50.0})
    book.mark({"EURUSD": 1.5})
    assert book.with_instrument(SHARE).equity == book.equity == 125_000


def test_an_added_column_keeps_what_was_earned_and_paid() -> None:
    book = after(flat(SHARE), fill(SHARE, 10, 50.0, fee=2.0), fill(SHARE, -5, 60.0))
    book.given["FUT"] = 80.0
    wider = book.with_instrument(CONTRACT)
    assert (wider.realised, wider.fees_paid) == (50.0, 2.0)
    assert wider.positions.equals(book.positions)


@pytest.mark.parametrize("instrument", [SHARE, CONTRACT, EURUSD], ids=["funded", "margined", "pair"])
def test_a_fill_of_what_is_not_held_yet_is_taken_in(instrument: Instrument) -> None:
    book = after(Portfolio("USD", 100_000.0), fill(instrument, 10, 50.0, fee=2.0))
    assert book.positions["quantity"].tolist() == [10 * float(instrument.quantity_step or 0)]
    assert book.positions[["average_price", "last_price", "unrealised"]].to_numpy().tolist() == [[50.0, 50.0, 0.0]]
    assert (book.equity, book.fees_paid) == (99_998.0, 2.0)


def test_a_fill_that_cannot_be_converted_changes_nothing() -> None:
    book = Portfolio("USD", 100_000.0, {SHARE: 10}, {"ABC": 50.0})
    with pytest.raises(DataError, match="no conversion rate from EUR to the account currency USD"):
        book.apply(fill(EURO_SHARE, 10, 50.0))
    assert (book.symbols, book.specs, book.price, book.equity) == (["ABC"], book.specs[:1], [50.0], 100_500.0)


@pytest.mark.parametrize(
    "ask", [Portfolio.with_instrument, lambda book, other: book.apply(fill(other, 1, 50.0))], ids=["widened", "filled"]
)
def test_another_instrument_of_a_held_symbol_is_refused(ask: Any) -> None:
    book = Portfolio("USD", 0.0, {CONTRACT: 1}, {"FUT": 50.0})
    with pytest.raises(ParameterError, match=r"Portfolio: FUT is Instrument\('FUT', .*\) here, got Instrument\('FUT', .*multiplier=5"):
        ask(book, Instrument("FUT", "commodity", "future", multiplier=5))
    assert book.positions["quantity"].tolist() == [1.0]


@pytest.mark.parametrize(
    ("venue", "rows"),
    [
        ({"ABC": 10.0, "FUT": -5.0}, []),
        ({"ABC": 9.0, "FUT": -5.0}, [("ABC", 10.0, 9.0)]),
        ({"ABC": 10.0}, [("FUT", -5.0, 0.0)]),
        ({"ABC": 10.0, "FUT": -5.0, "XYZ": 1.0}, [("XYZ", 0.0, 1.0)]),
        ({"ABC": 10.0, "FUT": 5.0, "XYZ": 0.0}, [("FUT", -5.0, 5.0)]),
    ],
    ids=["equal", "less", "missing", "unknown to us", "other side"],
)
def test_differences_from_a_venue(venue: dict[str, float], rows: list[tuple[str, float, float]]) -> None:
    found = Portfolio("USD", 0.0, {SHARE: 10, CONTRACT: -5}, {"ABC": 50.0, "FUT": 80.0}).reconcile(venue)
    assert list(found[["symbol", "ours", "theirs"]].itertuples(index=False, name=None)) == rows
    assert list(found.columns) == ["what", "venue", "symbol", "ticket", "ours", "theirs"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"positions": {SHARE: 1}}, "no price of ABC: give prices={'ABC': ...}"),
        ({"positions": {SHARE: 1}, "prices": {"ABD": 1.0}}, "; did you mean 'ABD'?"),
        ({"positions": {SHARE: 1}, "prices": {"ABC": 0.0}}, "the price of ABC must be a positive number, got 0.0"),
        ({"positions": {SHARE: 1.5}, "prices": {"ABC": 1.0}}, "1.5 of ABC is not a multiple of its step 1"),
        ({"positions": {SHARE: float("nan")}, "prices": {"ABC": 1.0}}, "the quantity of ABC must be a number, got nan"),
        ({"positions": {SHARE: float("inf")}, "prices": {"ABC": 1.0}}, "the quantity of ABC must be a number, got inf"),
        ({"positions": {SHARE: 1}, "prices": {"ABC": "5"}}, "the price of ABC must be a positive number, got '5'"),
        ({"positions": {SHARE: 1, HERE: 2}, "prices": {"ABC": 1.0}}, "ABC is Instrument('ABC', region='US') here, got Instrument('ABC')"),
        ({"cash": float("nan")}, "cash must be a number, got nan"),
    ],
    ids=["no price", "misspelt", "price of nothing", "off the grid", "quantity", "endless", "price in words", "one symbol twice", "cash"],
)
def test_a_wrong_portfolio_gets_a_sentence(arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(ParameterError) as caught:
        Portfolio("USD", **arguments)
    assert said in str(caught.value)


@pytest.mark.parametrize("price", [float("nan"), 0.0, -1.0, float("inf"), None, "5"])
def test_a_mark_at_no_price_changes_nothing(price: Any) -> None:
    book = Portfolio("USD", 0.0, {SHARE: 1, EURUSD: 1}, {"ABC": 50.0}, {"EURUSD": 1.25})
    with pytest.raises(ParameterError, match=f"Portfolio: the price of ABC must be a positive number, got {price!r}"):
        book.mark({"EURUSD": 1.5, "ABC": price})
    assert (book.price, book.rates, book.equity) == ([50.0, 1.25], {"EURUSD": 1.25}, 50.0)


def test_wrong_questions_get_a_sentence() -> None:
    book = Portfolio("USD", 0.0, {SHARE: 1}, {"ABC": 50.0})
    with pytest.raises(ParameterError, match=r"exposure: unknown group 'curency'; did you mean 'currency'\?"):
        book.exposure("curency")
    with pytest.raises(ParameterError, match=r"no position in 'ABD' to mark; did you mean 'ABC'\?"):
        book.mark({"ABD": 1.0})


def test_an_empty_portfolio() -> None:
    book = Portfolio("EUR", 5.0)
    assert (book.equity, book.account.currency, len(book.exposure())) == (5.0, "EUR", 0)
    assert isinstance(book.positions, pd.DataFrame)
    assert list(book.positions.columns) == ["quantity", "average_price", "last_price", "value", "unrealised"]

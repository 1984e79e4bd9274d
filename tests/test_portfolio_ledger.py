"""The ledger by hand: fees in coins, tickets, splits, dividends, several currencies, lots for the tax return."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pandas as pd
import pytest
from worked import CONTRACT, EURUSD, SHARE

from workbench import Fill, Instrument, Ledger, Order, Portfolio
from workbench.errors import ParameterError
from workbench.market import OrderKey, Position

BITCOIN = Instrument("BTCUSDT", "crypto", venue="binance")
PERPETUAL = Instrument("BTCUSDT", "crypto", "perpetual", venue="futures")
EURO_SHARE = Instrument("SAP", quote="EUR", region="EU")
DAY = "2026-01-05"
KEY = OrderKey("", 0, "open")


def ledger(cash: float = 10_000.0, **arguments: Any) -> Ledger:
    book = Ledger(**arguments)
    book.deposit(DAY, cash)
    return book


def traded(*fills: tuple[float, float], instrument: Instrument = SHARE, fee: float = 0.0) -> Ledger:
    """Return a ledger of fills (quantity, price), one a day."""
    book = ledger()
    for day, (quantity, price) in enumerate(fills, 6):
        book.fill(f"2026-01-{day:02}", instrument, quantity, price, fee)
    return book


def only(frame: pd.DataFrame) -> dict[str, Any]:
    """Return the one row of a table."""
    assert len(frame) == 1
    return dict(frame.iloc[0])


# -- fees -------------------------------------------------------------------------------------------------------------


def test_rule_29_a_fee_in_the_base_coin_lessens_the_position_and_leaves_dust() -> None:
    # 1 bitcoin for 50,000, and 0.001000004 of it kept by the venue: 0.99899999 in steps, 0.000000006 below one
    book = Ledger("USDT")
    book.deposit(DAY, 60_000, venue="binance")
    book.fill(DAY, BITCOIN, 1, 50_000, fee=0.001000004, fee_currency="BTC")
    held = only(book.at({"BTCUSDT": 50_000}).positions)
    assert (held["quantity"], held["dust"], held["average_price"]) == (0.99899999, 6e-9, 50_000.0)
    assert book.at({"BTCUSDT": 50_000}).exact == 60_000 - Fraction("50.0002")
    assert only(book.balances)["balance"] == 10_000.0


def test_rule_29_dust_is_valued_but_no_position_to_the_venue() -> None:
    book = Ledger("USDT")
    book.fill(DAY, BITCOIN, 0.00000001, 50_000, fee=0.000000004, fee_currency="BTC")
    assert book.reconcile({}, venue="binance").empty
    assert only(book.at({"BTCUSDT": 60_000}).positions)["value"] == pytest.approx(0.00036, rel=1e-12)


def test_rule_29_a_fee_in_a_third_coin_is_booked_in_that_coin() -> None:
    book = Ledger("USDT")
    book.fill(DAY, BITCOIN, 1, 50_000, fee=0.05, fee_currency="BNB")
    assert dict(zip(book.balances["currency"], book.balances["balance"], strict=True)) == {"BNB": -0.05, "USDT": -50_000.0}
    assert book.at({"BTCUSDT": 50_000}, {"BNBUSDT": 600}).profit == -30.0


def test_a_rebate_is_a_fee_below_zero() -> None:
    assert traded((10, 50.0), fee=-0.25).at({"ABC": 50.0}).profit == 0.25


def test_cents_add_up_to_the_last_one() -> None:
    book = ledger()
    for _ in range(1000):
        book.fill(DAY, SHARE, 1, 0.1, fee=0.01)
    assert book.at({"ABC": 0.3}).exact == 10_000 + 200 - 10


# -- positions --------------------------------------------------------------------------------------------------------


def test_a_position_has_its_average_price() -> None:
    book = traded((10, 100.0), (30, 120.0), (-20, 125.0))
    held = only(book.at({"ABC": 130.0}).positions)
    assert (held["quantity"], held["average_price"], held["value"], held["unrealised"]) == (20.0, 115.0, 2600.0, 300.0)
    assert only(book.balances)["realised"] == 200.0


def test_a_fill_through_zero_closes_first_and_then_opens() -> None:
    book = traded((10, 100.0), (-25, 110.0), fee=5.0)
    held = only(book.at({"ABC": 100.0}).positions)
    assert (held["quantity"], held["average_price"], held["unrealised"]) == (-15.0, 110.0, 150.0)
    closed = only(book.tax_report())
    assert (closed["profit"], closed["fees"]) == (100.0 - 5.0 - 2.0, 7.0)


def test_rule_14_a_hedging_account_keeps_its_tickets_and_a_netting_one_nets() -> None:
    hedged, netted = ledger(hedging=["mt5"]), ledger()
    for ticket, lots, price in (("1", 1.0, 1.10), ("2", -0.6, 1.12)):
        hedged.fill(DAY, EURUSD, lots, price, venue="mt5", ticket=ticket)
        netted.fill(DAY, EURUSD, lots, price, venue="mt5")
    now, net = hedged.at({"EURUSD": 1.11}), netted.at({"EURUSD": 1.11})
    assert now.positions[["ticket", "quantity", "unrealised"]].to_numpy().tolist() == [["1", 1.0, 1000.0], ["2", -0.6, 600.0]]
    assert only(net.positions)["quantity"] == 0.4
    assert now.exact == net.exact == 11_600


def test_a_ticket_is_closed_by_its_number() -> None:
    book = ledger(hedging=["mt5"])
    book.fill(DAY, EURUSD, 1.0, 1.10, venue="mt5", ticket="1")
    book.fill(DAY, EURUSD, 1.0, 1.20, venue="mt5", ticket="2")
    book.fill("2026-01-06", EURUSD, -1.0, 1.25, venue="mt5", ticket="2")
    assert only(book.tax_report("fifo"))["profit"] == pytest.approx(5000.0, rel=1e-12)
    assert only(book.at({"EURUSD": 1.25}).positions)["ticket"] == "1"


# -- what is no fill --------------------------------------------------------------------------------------------------


def test_a_deposit_is_no_profit_and_a_withdrawal_no_loss() -> None:
    book = traded((10, 100.0))
    book.deposit("2026-02-01", 5000)
    book.withdraw("2026-02-02", 2500)
    assert (book.at({"ABC": 110.0}).profit, book.at({"ABC": 110.0}).equity) == (100.0, 12_600.0)


def test_a_foreign_deposit_gains_what_its_currency_gains() -> None:
    book = ledger()
    book.deposit(DAY, 1000, "EUR", rate=1.10)
    assert book.at(rates={"EURUSD": 1.10}).profit == 0.0
    assert book.at(rates={"EURUSD": 1.25}).profit == 150.0


def test_funding_and_swap_are_told_apart() -> None:
    book = Ledger("USDT")
    book.fill(DAY, PERPETUAL, -2, 50_000)
    book.income("2026-01-06", "funding", 12.5, PERPETUAL)
    book.income("2026-01-06", "borrow", -2.25, PERPETUAL)
    row = only(book.balances)
    assert (row["funding"], row["borrow"], row["balance"]) == (12.5, -2.25, 10.25)
    assert book.at({"BTCUSDT": 50_000}).profit == 10.25


@pytest.mark.parametrize(("quantity", "paid"), [(100, 24.0), (-100, -24.0)], ids=["long", "short"])
def test_a_dividend_is_paid_on_what_is_open(quantity: float, paid: float) -> None:
    book = traded((quantity, 50.0))
    book.dividend("2026-02-01", SHARE, 0.24)
    assert only(book.balances)["dividend"] == paid


@pytest.mark.parametrize(
    ("ratio", "price", "quantity", "dust", "average"),
    [(2, 55.0, 20.0, 0.0, 50.0), (1.5, 220 / 3, 15.0, 0.0, 200 / 3), (Fraction(1, 4), 440.0, 2.0, 0.5, 400.0)],
    ids=["two for one", "three for two", "one for four"],
)
def test_a_split_changes_no_value(ratio: float, price: float, quantity: float, dust: float, average: float) -> None:
    book = traded((10, 100.0))
    book.split("2026-02-01", SHARE, ratio)
    now = book.at({"ABC": price})
    held = only(now.positions)
    assert (held["quantity"], held["dust"]) == (quantity, dust)
    assert (held["average_price"], now.profit) == (pytest.approx(average, rel=1e-12), pytest.approx(100.0, rel=1e-12))


def test_a_split_keeps_the_day_and_the_cost_of_a_lot() -> None:
    book = traded((10, 100.0))
    book.split("2026-02-01", SHARE, 4)
    book.fill("2026-02-02", SHARE, -40, 30.0)
    closed = only(book.tax_report())
    assert (closed["quantity"], closed["open_price"], closed["cost"], closed["profit"]) == (40.0, 25.0, 1000.0, 200.0)
    assert str(closed["opened"]) == "2026-01-06 00:00:00+00:00"


# -- currencies and venues --------------------------------------------------------------------------------------------


def test_an_exchange_of_money_changes_no_equity_at_its_rate() -> None:
    book = ledger()
    book.exchange(DAY, 1250, "USD", 1000, "EUR")
    assert book.at(rates={"EURUSD": 1.25}).profit == 0.0
    assert book.balances[["currency", "balance"]].to_numpy().tolist() == [["EUR", 1000.0], ["USD", 8750.0]]


def test_rule_30_a_loan_in_the_currency_of_a_share_nets_it() -> None:
    book = traded((10, 100.0), instrument=EURO_SHARE)
    now = book.at({"SAP": 110.0}, {"EURUSD": 1.25})
    assert now.exposure("currency").to_dict() == {"EUR": 125.0}
    assert now.exposure("region").to_dict() == {"EU": 1375.0}


def test_exposure_is_summed_over_venues() -> None:
    book = ledger()
    book.fill(DAY, SHARE, 10, 50.0, venue="here")
    book.fill(DAY, SHARE, -4, 50.0, venue="there")
    now = book.at({"ABC": 50.0})
    assert now.exposure("instrument").to_dict() == {"ABC": 300.0}
    assert now.exposure("venue").to_dict() == {"here": 500.0, "there": -200.0}


def test_a_price_of_a_pair_is_a_rate() -> None:
    book = ledger()
    book.fill(DAY, EURUSD, 1, 1.10)
    book.fill(DAY, EURO_SHARE, 10, 100.0)
    assert book.at({"EURUSD": 1.25, "SAP": 110.0}, {"EURUSD": 1.0}).profit == 15_000 + 125


# -- lots -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "prices", "left"),
    [("fifo", [100.0, 120.0], [120.0, 130.0]), ("lifo", [130.0, 120.0], [100.0, 120.0])],
)
def test_a_closing_takes_the_oldest_or_the_newest_lots(method: str, prices: list[float], left: list[float]) -> None:
    book = traded((10, 100.0), (10, 120.0), (10, 130.0), (-15, 125.0))
    report = book.tax_report(method)
    assert report["open_price"].tolist() == prices
    assert report["quantity"].tolist() == [10.0, 5.0]
    assert book.lots(method)["open_price"].tolist() == left


def test_a_short_sale_brings_its_money_first() -> None:
    closed = only(traded((-10, 50.0), (10, 40.0), fee=1.0).tax_report())
    assert [closed[name] for name in ("side", "cost", "proceeds", "fees", "profit", "days")] == ["short", 400.0, 500.0, 2.0, 98.0, 1.0]


def test_each_side_of_a_share_is_converted_at_the_rate_of_its_day() -> None:
    # bought for 1,000 euros at 1.10, sold for 1,200 at 1.25
    rates = pd.Series([1.10, 1.25], pd.to_datetime(["2026-01-06", "2026-01-07"], utc=True))
    closed = only(traded((10, 100.0), (-10, 120.0), instrument=EURO_SHARE, fee=2.0).tax_report(rates={"EURUSD": rates}))
    assert [closed[name] for name in ("cost", "proceeds", "fees", "profit")] == [1100.0, 1500.0, 4.7, 395.3]


def test_of_a_margined_position_the_profit_is_converted_at_the_closing() -> None:
    future = Instrument("FDAX", "index", "future", quote="EUR")
    rates = pd.Series([1.10, 1.25], pd.to_datetime(["2026-01-06", "2026-01-07"], utc=True))
    assert only(traded((1, 100.0), (-1, 120.0), instrument=future).tax_report(rates={"EURUSD": rates}))["profit"] == 25.0


def test_a_table_without_rows_has_its_form_too() -> None:
    empty, full = Ledger().tax_report(), traded((1, 50.0), (-1, 50.0)).tax_report()
    assert empty.dtypes.to_dict() == full.dtypes.to_dict()
    assert str(empty["closed"].dtype) == "datetime64[ns, UTC]"


def test_the_statement_is_what_was_booked() -> None:
    book = traded((10, 50.0), fee=1.0)
    book.income("2026-02-01", "interest", 0.5)
    found = book.statement
    assert found["kind"].tolist() == ["deposit", "fill", "interest"]
    assert found.loc[1, ["symbol", "quantity", "price", "fee", "currency"]].tolist() == ["ABC", 10.0, 50.0, 1.0, "USD"]
    assert found["amount"].isna().tolist() == [False, True, False]


def test_the_fills_of_a_session_make_a_ledger() -> None:
    fills = [Fill(KEY, SHARE, side, 10, price, 1.0, label) for side, price, label in (("buy", 50.0, 10**18), ("sell", 60.0, 2 * 10**18))]
    book, portfolio = Ledger.of(fills, cash=1000), Portfolio("USD", 1000, {SHARE: 0}, {"ABC": 60.0})
    for fill in fills:
        portfolio.apply(fill)
    assert book.at().equity == portfolio.equity == 1098.0


# -- beside a venue ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "told",
    [
        {"ABC": 10},
        pd.DataFrame({"symbol": ["ABC", "ABC"], "quantity": [4, 6]}),
        [Position(SHARE, 10.0, 50.0, 50.0, 0.0)],
    ],
    ids=["mapping", "table", "positions"],
)
def test_equal_books_have_no_differences(told: Any) -> None:
    assert traded((10, 50.0)).reconcile(told, {"USD": 9500.004}, orders=[]).empty


def test_differences_are_listed_one_a_row() -> None:
    ours = Order(SHARE, "buy", 5, "limit", 49.0)
    found = traded((10, 50.0)).reconcile({"ABC": 9, "XYZ": 1}, {"USD": 9500.0, "EUR": 3.0}, orders=[], working=[ours])
    assert found[["what", "symbol", "ours", "theirs"]].to_numpy().tolist() == [
        ["position", "ABC", 10.0, 9.0],
        ["position", "XYZ", 0.0, 1.0],
        ["cash", "EUR", 0.0, 3.0],
        ["order", "ABC limit at 49", 5.0, 0.0],
    ]


def test_tickets_are_compared_one_by_one() -> None:
    book = ledger(hedging=["mt5"])
    book.fill(DAY, EURUSD, 1.0, 1.10, venue="mt5", ticket="1")
    told = pd.DataFrame({"symbol": ["EURUSD"], "ticket": ["2"], "quantity": [1.0]})
    assert book.reconcile(told, venue="mt5")["ticket"].tolist() == ["1", "2"]


# -- refused ----------------------------------------------------------------------------------------------------------

REFUSED: dict[str, tuple[Callable[[Ledger], Any], str]] = {
    "unknown instrument": (lambda b: b.split(DAY, CONTRACT, 2), "FUT was never traded"),
    "another instrument": (lambda b: b.fill(DAY, Instrument("ABC", quote="EUR"), 1, 5.0), "ABC is Instrument('ABC') here, got"),
    "negative price": (lambda b: b.fill(DAY, SHARE, 1, -5.0), "the price of ABC must be a positive number, got -5.0"),
    "no quantity": (lambda b: b.fill(DAY, SHARE, 0, 5.0), "a fill of ABC must buy or sell something, got 0"),
    "no number": (lambda b: b.fill(DAY, SHARE, "ten", 5.0), "the quantity of ABC must be a number, got 'ten'"),
    "split of 0": (lambda b: b.split(DAY, SHARE, 0), "the split ratio of ABC must be a positive number, got 0"),
    "too much withdrawn": (lambda b: b.withdraw(DAY, 99_999), "a withdrawal of 99,999.00 USD is more than the 9,500.00 there"),
    "foreign deposit": (lambda b: b.deposit(DAY, 5, "EUR"), "a deposit in EUR needs rate=, what one EUR was worth in USD that day"),
    "unknown income": (lambda b: b.income(DAY, "fundng", 5), "unknown kind of income 'fundng'; did you mean 'funding'?"),
    "back in time": (lambda b: b.deposit("2020-01-01", 5), "bookings come in the order of time, got 2020-01-01"),
    "no time": (lambda b: b.deposit("yesterdy", 5), "a booking needs a time such as '2026-01-05 14:30', got 'yesterdy'"),
    "ticket": (lambda b: b.fill(DAY, SHARE, 1, 5.0, ticket="1"), "the account nets: leave ticket='1' out"),
    "no ticket": (lambda b: b.fill(DAY, SHARE, 1, 5.0, venue="mt5"), "mt5 keeps tickets apart: give ticket="),
    "no price": (lambda b: b.at({"ABD": 5.0}).equity, "no price of ABC: give prices={'ABC': ...}; did you mean 'ABD'?"),
    "method": (lambda b: b.tax_report("fifi"), "unknown method 'fifi'; did you mean 'fifo'?"),
    "group": (lambda b: b.at({"ABC": 5.0}).exposure("curency"), "unknown group 'curency'; did you mean 'currency'?"),
    "venue's column": (lambda b: b.reconcile(pd.DataFrame({"symbl": []})), "the positions need a column 'symbol'; did you mean 'symbl'?"),
    "venue's number": (lambda b: b.reconcile({"ABC": "many"}), "the venue's ABC must be a number, got 'many'"),
}


@pytest.mark.parametrize(("asked", "said"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_is_refused_in_a_sentence(asked: Callable[[Ledger], Any], said: str) -> None:
    book = Ledger(hedging=["mt5"])
    book.deposit(DAY, 10_000)
    book.fill(DAY, SHARE, 10, 50.0)
    before = len(book.bookings)
    with pytest.raises(ParameterError) as caught:
        asked(book)
    assert said in str(caught.value)
    assert len(book.bookings) == before


def test_a_fee_in_a_currency_without_a_rate_is_refused_where_it_is_valued() -> None:
    book = ledger()
    book.fill(DAY, SHARE, 10, 50.0, fee=0.01, fee_currency="BNB")
    with pytest.raises(ParameterError, match=r"no rate from BNB to USD: give rates=\{'BNBUSD': \.\.\.\}"):
        _ = book.at({"ABC": 50.0}).equity


def test_a_rate_that_was_not_known_yet_is_refused() -> None:
    rates = pd.Series([1.1], pd.to_datetime(["2026-06-01"], utc=True))
    with pytest.raises(ParameterError, match="no rate of EURUSD is known at 2026-01-07"):
        traded((10, 100.0), (-10, 120.0), instrument=EURO_SHARE).tax_report(rates={"EURUSD": rates})


def test_a_fee_cannot_be_all_that_was_bought() -> None:
    with pytest.raises(ParameterError, match="the fee of 1 BTC is all that was bought of BTCUSDT"):
        Ledger().fill(DAY, BITCOIN, 1, 50_000, fee=1, fee_currency="BTC")


def test_a_ticket_is_not_closed_beyond_what_it_holds() -> None:
    book = ledger(hedging=["mt5"])
    book.fill(DAY, EURUSD, 1.0, 1.10, venue="mt5", ticket="1")
    with pytest.raises(ParameterError, match="ticket 1 holds 1 of EURUSD, it cannot be closed by -2"):
        book.fill(DAY, EURUSD, -2.0, 1.10, venue="mt5", ticket="1")

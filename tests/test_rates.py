"""Conversion into the account currency (SEMANTICS 28), worked by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from worked import COIN, EURUSD, SHARE, USDJPY, both, market, plan

from workbench import Bars, Instrument, backtest
from workbench.errors import DataError
from workbench.quality import SuspectDataWarning
from workbench.rates import common_currency, conversion

EURO_SHARE = Instrument("SAP", quote="EUR")
EURGBP = Instrument("EURGBP", "fx", multiplier=100_000)
NAN = float("nan")


def known(values: list[float], times: list[str]) -> pd.Series:
    return pd.Series(values, pd.DatetimeIndex(times, tz="UTC"), dtype=float)


# -- which currency ---------------------------------------------------------------------------------------------------


def test_the_currency_that_all_share() -> None:
    assert common_currency([SHARE, EURUSD]) == "USD"


def test_no_guess_where_they_differ() -> None:
    with pytest.raises(DataError, match=r"priced in EUR, JPY, USD: say which the account is kept in, currency='EUR'"):
        common_currency([SHARE, USDJPY, EURO_SHARE])


# -- rates that stand still -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("instrument", "currency", "rates", "unit", "base"),
    [
        (SHARE, "USD", {}, 1.0, 0.0),
        (SHARE, "EUR", {"EURUSD": 1.25}, 0.8, 0.0),
        (SHARE, "EUR", {"EUR/USD": 1.25}, 0.8, 0.0),
        (EURO_SHARE, "USD", {"EURUSD": 1.25}, 1.25, 0.0),
        (EURO_SHARE, "JPY", {"EURUSD": 1.25, "USDJPY": 160.0}, 200.0, 0.0),
        (EURGBP, "USD", {"EURUSD": 1.25, "GBPUSD": 1.5}, 150_000.0, 125_000.0),
        (Instrument("ES", "index", "future", multiplier=50), "EUR", {"EURUSD": 1.25}, 40.0, 0.0),
        (Instrument("6E", "fx", "future", multiplier=125_000), "USD", {}, 125_000.0, 0.0),
    ],
    ids=["same", "turned over", "with a slash", "as it is", "two steps", "both legs", "future", "currency future"],
)
def test_unit_and_base_by_hand(instrument: Instrument, currency: str, rates: dict[str, float], unit: float, base: float) -> None:
    found = conversion(currency, market([1, 1, 1], instrument), rates)
    assert not found.moving
    assert found.unit.tolist() == [[pytest.approx(unit, rel=1e-15)]]
    assert found.base.tolist() == [[pytest.approx(base, rel=1e-15)]]
    assert found.fresh.tolist() == [[1]]


def test_the_shortest_way_is_taken() -> None:
    rates = {"EURGBP": 0.5, "GBPUSD": 9.0, "EURUSD": 1.25}
    assert conversion("USD", market([1, 1], EURO_SHARE), rates).unit[0, 0] == 1.25


# -- rates that move --------------------------------------------------------------------------------------------------


def test_a_pair_among_the_bars_gives_the_rate_of_each_close() -> None:
    found = conversion("EUR", market({SHARE: [10, 10, 10], EURUSD: [1.25, 1.6, 2.0]}))
    assert found.moving
    np.testing.assert_allclose(found.unit[:, 0], [0.8, 0.625, 0.5], rtol=1e-15)
    np.testing.assert_allclose(found.base[:, 1], 100_000, rtol=1e-15)
    assert found.unit.shape == found.base.shape == found.fresh.shape == (3, 2)


def test_a_pair_among_the_bars_wins_over_the_rate_given() -> None:
    found = conversion("EUR", market({SHARE: [10, 10], EURUSD: [1.25, 1.6]}), {"EURUSD": 9.9})
    np.testing.assert_allclose(found.unit[:, 0], [0.8, 0.625], rtol=1e-15)


def test_over_a_hole_the_last_close_is_the_rate() -> None:
    found = conversion("EUR", market({SHARE: [10] * 4, EURUSD: [None, 1.25, None, 1.6]}))
    np.testing.assert_allclose(found.unit[1:, 0], [0.8, 0.8, 0.625], rtol=1e-15)
    assert np.isnan(found.unit[0, 0])
    assert found.fresh[:, 0].tolist() == [0, 1, 1, 1]


@pytest.mark.parametrize(("interval", "days"), [("1D", 5), ("12h", 3)])
def test_28_a_rate_grows_too_old(interval: str, days: int) -> None:
    steps = days * (1 if interval == "1D" else 2)
    found = conversion("EUR", market({SHARE: [10] * (steps + 2), EURUSD: [1.25] + [None] * (steps + 1)}, interval=interval))
    assert found.fresh[:, 0].tolist() == [1] * (steps + 1) + [0]
    assert found.unit[-1, 0] == pytest.approx(0.8)


@pytest.mark.parametrize(
    ("time", "row"),
    [("2024-01-01 01:00", 0), ("2024-01-01 01:00:01", 1), ("2024-01-01 02:00", 1), ("2023-12-31", 0)],
    ids=["at the close", "a second later", "at the next close", "long before"],
)
def test_a_series_counts_from_when_it_is_known(time: str, row: int) -> None:
    # hourly bars of 00:00, 01:00, 02:00 close at 01:00, 02:00, 03:00
    found = conversion("EUR", market([10, 10, 10]), {"EURUSD": known([1.25], [time])})
    assert found.fresh[:, 0].tolist() == [int(t >= row) for t in range(3)]
    np.testing.assert_allclose(found.unit[row:, 0], 0.8, rtol=1e-15)


def test_a_series_gives_its_last_value() -> None:
    series = known([1.25, 1.6, 2.0], ["2024-01-01 00:30", "2024-01-01 01:30", "2024-01-01 01:59"])
    found = conversion("EUR", market([10, 10, 10]), {"EURUSD": series})
    np.testing.assert_allclose(found.unit[:, 0], [0.8, 0.5, 0.5], rtol=1e-15)


def test_a_series_grows_too_old() -> None:
    found = conversion("EUR", market([10] * 7, interval="1D"), {"EURUSD": known([1.25], ["2024-01-02"])})
    # closes at midnight of 2 ... 8 January; more than five days after the 2nd from the 8th on
    assert found.fresh[:, 0].tolist() == [1, 1, 1, 1, 1, 1, 0]


def test_28_a_missing_value_of_a_series_leaves_the_last_known() -> None:
    series = known([1.25, NAN, 1.6], ["2024-01-01 00:30", "2024-01-01 01:30", "2024-01-01 02:30"])
    found = conversion("EUR", market([10, 10, 10]), {"EURUSD": series})
    np.testing.assert_allclose(found.unit[:, 0], [0.8, 0.8, 0.625], rtol=1e-15)


# -- closes as rates --------------------------------------------------------------------------------------------------

FX = market([1.25, 1.6, 2.0], EURUSD)


@pytest.mark.parametrize("rates", [FX, {"EURUSD": FX}, {"EUR/USD": FX}], ids=["all pairs", "by name", "with a slash"])
def test_28_bars_count_from_the_close_of_each_bar_on(rates: Any) -> None:
    traded = conversion("EUR", market({SHARE: [10, 10, 10], EURUSD: [1.25, 1.6, 2.0]}))
    found = conversion("EUR", market([10, 10, 10]), rates)
    np.testing.assert_allclose(found.unit[:, 0], [0.8, 0.625, 0.5], rtol=1e-15)
    assert found.unit[:, 0].tolist() == traded.unit[:, 0].tolist()
    assert found.fresh[:, 0].tolist() == [1, 1, 1]


def test_28_the_close_of_a_day_is_not_known_within_it() -> None:
    # 46 hours: the day's close is known at midnight, when the bar of 23:00 closes
    found = conversion("EUR", market([10] * 46), market([1.25, 2.0], EURUSD, "1D"))
    assert np.isnan(found.unit[:23, 0]).all()
    assert found.unit[23:, 0].tolist() == [0.8] * 23


def test_28_a_pair_closes_later_than_a_share_of_the_same_day() -> None:
    # New York closes at 21:00 UTC, the pair's day at midnight
    spy = market([10, 10, 10], Instrument("SPY", calendar="XNYS"), "1D", "2024-01-02")
    found = conversion("EUR", spy, market([1.25, 1.6, 2.0], EURUSD, "1D", "2024-01-02"))
    np.testing.assert_allclose(found.unit[:, 0], [np.nan, 0.8, 0.625], rtol=1e-15)
    assert found.fresh[:, 0].tolist() == [0, 1, 1]


def test_28_a_hole_of_the_pair_is_no_close() -> None:
    fx = market({EURUSD: [1.25, None, 1.6], USDJPY: [125, 128, 160]})
    found = conversion("EUR", market([10, 10, 10]), fx)
    np.testing.assert_allclose(found.unit[:, 0], [0.8, 0.8, 0.625], rtol=1e-15)
    yen = conversion("USD", market([10, 10, 10], Instrument("TOYO", quote="JPY")), fx)
    np.testing.assert_allclose(yen.unit[:, 0], [1 / 125, 1 / 128, 1 / 160], rtol=1e-15)


def test_28_closes_grow_too_old() -> None:
    found = conversion("EUR", market([10] * 7, interval="1D"), market([1.25], EURUSD, "1D"))
    assert found.fresh[:, 0].tolist() == [1] * 6 + [0]
    assert conversion("EUR", market([10, 10]), {"EURUSD": FX.iloc[:0]}).fresh.tolist() == [[0], [0]]


def test_28_coins_at_spot_are_rates_too() -> None:
    traded = {SHARE: [10, 10], COIN: [40_000, 50_000], Instrument("BTCUSD", "crypto"): [39_000, 48_000]}
    found = conversion("USD", market(traded))
    np.testing.assert_allclose(found.unit[:, 1], [39_000 / 40_000, 48_000 / 50_000], rtol=1e-15)
    assert found.base.tolist() == [[0, 0, 0]] * 2
    coins = conversion("BTC", market([40_000, 50_000], COIN))
    np.testing.assert_allclose(coins.unit[:, 0], [1 / 40_000, 1 / 50_000], rtol=1e-15)


@pytest.mark.parametrize("kind", ["perpetual", "future", "cfd"])
def test_28_a_price_that_is_not_of_today_is_no_rate(kind: Any) -> None:
    with pytest.raises(DataError, match="no conversion rate from USDT to the account currency BTC"):
        conversion("BTC", market([40_000, 50_000], Instrument("BTCUSDT", "crypto", kind)))


@pytest.mark.parametrize("rates", [FX, {"EURUSD": FX}], ids=["all pairs", "by name"])
def test_28_every_engine_takes_bars_as_rates(rates: Any) -> None:
    # 10 x 100 USD: 800 EUR paid at 1.25, worth 625 at 1.6 and 500 at 2.0
    result = both(plan("+..", quantity=10), market([100, 100, 100]), currency="EUR", cash=10_000, rates=rates)
    assert result.equity.tolist() == [10_000.0, 9825.0, 9700.0]


def test_28_an_account_is_kept_in_a_coin() -> None:
    # half a coin is worth half a coin at any price, and the cash that paid for it was one
    result = both(plan("+..", quantity=0.5), market([40_000, 40_000, 50_000], COIN), currency="BTC", cash=1.0)
    assert result.equity.tolist() == pytest.approx([1.0, 1.0, 1.0])


# -- ages while the market is open ------------------------------------------------------------------------------------

WEEKDAYS = Instrument("EURUSD", "fx", multiplier=100_000, calendar="24/5")


def last_fresh(bars: Bars, rates: Any = None) -> str:
    """Return the last label at which the rate of the first instrument is recent enough."""
    fresh = conversion("EUR", bars, rates).fresh[:, 0]
    return str(bars.index[fresh == 1][-1])[:16]


@pytest.mark.parametrize(
    ("pair", "interval", "expected"),
    [
        # the last close is that of Friday the 5th; without a calendar five days later, or 72 hours
        (EURUSD, "1D", "2024-01-10 00:00"),
        (EURUSD, "1h", "2024-01-08 23:00"),
        # Monday to Friday are five sessions, and the weekend after them adds none; Monday to Wednesday are three
        (WEEKDAYS, "1D", "2024-01-14 00:00"),
        (WEEKDAYS, "1h", "2024-01-10 23:00"),
    ],
    ids=["daily", "hourly", "daily by a calendar", "hourly by a calendar"],
)
def test_28_age_counts_while_the_market_of_the_pair_is_open(pair: Instrument, interval: str, expected: str) -> None:
    day = 24 if interval == "1h" else 1
    closes = [1.25] * day + [None] * 13 * day  # from Friday on, two weeks
    traded = market({SHARE: [10] * 14 * day, pair: closes}, interval=interval, start="2024-01-05")
    assert last_fresh(traded) == expected
    alone, rates = (market(rows, one, interval, "2024-01-05") for one, rows in ((SHARE, [10] * 14 * day), (pair, [1.25] * day)))
    assert last_fresh(alone, rates) == expected


def test_28_a_holiday_adds_no_age() -> None:
    # New York: closed on Monday the 15th of January 2024. After Friday the 12th five sessions are over on Monday the 22nd
    pair = Instrument("EURUSD", "fx", calendar="XNYS")
    days = [10] * 14
    assert last_fresh(market({SHARE: days, pair: [1.25, *[None] * 13]}, interval="1D", start="2024-01-12")) == "2024-01-22 00:00"


def test_28_every_engine_opens_on_a_rate_that_has_not_aged() -> None:
    rows = {SHARE: [100] * 9, WEEKDAYS: [1.25, *[None] * 8]}  # decided on Friday the 12th: seven days, five sessions
    bars = market(rows, interval="1D", start="2024-01-05")
    assert len(both(plan(".......+.", "."), bars, currency="EUR").fills) == 1
    plain = market({SHARE: rows[SHARE], EURUSD: rows[WEEKDAYS]}, interval="1D", start="2024-01-05")
    assert len(both(plan(".......+.", "."), plain, currency="EUR").fills) == 0


def test_28_rates_that_are_known_only_later_are_not_looked_up_in_the_calendar() -> None:
    rates = market([1.25], WEEKDAYS, "1D", "2024-01-09")
    found = conversion("EUR", market([10] * 6, interval="1D", start="2024-01-05"), rates)
    assert found.fresh[:, 0].tolist() == [0, 0, 0, 0, 1, 1]
    assert conversion("EUR", market([10, 10]), {"EURUSD": rates.iloc[:0]}).fresh.tolist() == [[0], [0]]


# -- closes at their labels -------------------------------------------------------------------------------------------

SAID = "rates of EURUSD from a Series: each counts as known at its own time, so a close belongs at the close of its bar"


@pytest.mark.parametrize(("before", "after"), [(0, 0), (5, 0), (0, 5), (5, 5)], ids=["the same", "earlier too", "later too", "both"])
def test_28_closes_at_their_labels_are_warned_of(before: int, after: int) -> None:
    times = pd.date_range("2024-01-01", periods=3 + before + after, freq="h", tz="UTC") - pd.Timedelta(hours=before)
    with pytest.warns(SuspectDataWarning) as caught:
        conversion("EUR", market([10, 10, 10]), {"EURUSD": pd.Series(1.25, times)})
    assert [str(warning.message) for warning in caught] == [
        "the rates of EURUSD have the labels of the bars, and a rate counts as known at its own time: "
        "hand closes over as Bars, rates={'EURUSD': bars_of_the_pair}, or each is known one bar early"
    ]
    assert caught[0].filename == __file__


@pytest.mark.parametrize(
    "times",
    [["2024-01-01 01:00", "2024-01-01 02:00"], ["2024-01-01", "2024-01-01 02:00"], ["2024-01-01 00:30", "2024-01-01 01:30"]],
    ids=["the closes", "not all labels", "between"],
)
def test_28_other_times_are_taken_without_a_word(times: list[str]) -> None:
    assert conversion("EUR", market([10, 10, 10]), {"EURUSD": known([1.25, 1.6], times)}).assumptions == (SAID,)


def test_28_a_result_says_when_a_series_counts() -> None:
    bars, closes = market([10, 10, 10]), known([1.25, 1.6, 2.0], ["2024-01-01 01:00", "2024-01-01 02:00", "2024-01-01 03:00"])
    found = [backtest(plan("+.."), bars, currency="EUR", rates=rates).assumptions for rates in ({"EURUSD": closes}, FX, {"EURUSD": 1.25})]
    assert [SAID in said for said in found] == [True, False, False]


def test_a_series_that_is_used_twice_is_said_once() -> None:
    bars = market({SHARE: [10, 10], Instrument("TOYO", quote="JPY"): [1000, 1000]})
    with pytest.warns(SuspectDataWarning) as caught:
        found = conversion("EUR", bars, {"EURUSD": pd.Series(1.25, bars.index), "USDJPY": 150.0})
    assert (len(caught), found.assumptions) == (1, (SAID,))


def test_bars_without_the_pair_are_refused() -> None:
    words = r"the bars given as rates of EURUSD have no such pair, only ABC, USDJPY: wb.Instrument\('EURUSD', asset_class='fx'\) is one"
    with pytest.raises(DataError, match=words):
        conversion("EUR", market([10, 10]), {"EURUSD": market({SHARE: [1, 1], USDJPY: [150, 150]})})


# -- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rates", "said"),
    [
        ({}, "no conversion rate from USD to the account currency EUR: give rates={'USDEUR': ...} or add the pair to the bars"),
        ({"EUR": 1.0}, "rates are given by pair of currencies such as 'EURUSD', got 'EUR'"),
        ({5: 1.0}, "rates are given by pair of currencies such as 'EURUSD', got 5"),
        ({"EURUSD": 0.0}, "the rate of EURUSD must be a positive number, got 0.0"),
        ({"EURUSD": -1.0}, "the rate of EURUSD must be a positive number, got -1.0"),
        ({"EURUSD": NAN}, "the rate of EURUSD must be a positive number, got nan"),
        ({"EURUSD": pd.Series([1.25], pd.DatetimeIndex(["2024-01-01"]))}, "the rates of EURUSD must be indexed by rising UTC times"),
        ({"EURUSD": known([1, 2], ["2024-01-02", "2024-01-01"])}, "the rates of EURUSD must be indexed by rising UTC times"),
    ],
    ids=["none", "one currency", "number", "zero", "negative", "nan", "naive", "falling"],
)
def test_a_wrong_rate_gets_a_sentence(rates: dict[Any, Any], said: str) -> None:
    with pytest.raises(DataError) as caught:
        conversion("EUR", market([10, 10]), rates)
    assert str(caught.value) == said


def test_the_rate_that_the_sentence_asks_for_is_taken() -> None:
    bars = market([40_000, 40_000], Instrument("BTCUSDT", "crypto"))
    with pytest.raises(DataError, match=r"give rates=\{'USDTUSD': ...\}"):
        conversion("USD", bars)
    assert conversion("USD", bars, {"USDTUSD": 0.999}).unit[0, 0] == 0.999

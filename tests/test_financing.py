"""Funding, swap and borrow from outside series (SEMANTICS 31): charged by hand, in every engine, and told of."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from markets import RATES, Restless, random_market
from markets_held import financed
from worked import EURUSD, SHARE, both, fills, market, plan

import workbench as wb
from workbench.errors import DataError
from workbench.execution.port import PositionCharged
from workbench.execution.wire import event_from, event_plain
from workbench.financing import financing
from workbench.session.setup import set_up

PERPETUAL = wb.Instrument("ETHUSDT", "crypto", "perpetual")
OTHER = wb.Instrument("BTCUSDT", "crypto", "perpetual")
PAIR = wb.Instrument("EURUSD", "fx", multiplier=1_000)
INDEX = wb.Instrument("SPX", "index", "cfd")


def frame(values: dict[str, float], symbol: str = "ETHUSDT", day: str = "2024-01-") -> pd.DataFrame:
    """Return what is paid, by day and hour of January 2024."""
    return pd.DataFrame({symbol: values.values()}, pd.DatetimeIndex([day + time for time in values], tz="UTC"), dtype=float)


def funded(bars: wb.Bars, values: dict[str, float], name: str = "funding", symbol: str = "ETHUSDT") -> wb.Bars:
    return bars.with_extra(name, frame(values, symbol), known_at="0s")


def swapped(bars: wb.Bars, long: float, short: float, times: list[str], symbol: str) -> wb.Bars:
    one = funded(bars, dict.fromkeys(times, long), "swap_long", symbol)
    return funded(one, dict.fromkeys(times, short), "swap_short", symbol)


# -- one charge -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("stance", "paid"), [("+", [0, 0, 1.1, 1.1]), ("-", [0, 0, -1.1, -1.1])], ids=["long pays", "short receives"])
def test_rule_31_funding_is_charged_at_the_close_that_it_falls_on(stance: str, paid: list[float]) -> None:
    # 10 at 100 from 01:00 on; at 03:00 the bar of 02:00 closes at 110: 10 x 0.001 x 110
    bars = market([100, 100, 110, 110], PERPETUAL)
    with_it, without = (both(plan(f"{stance}...", quantity=10), one) for one in (funded(bars, {"01 03:00": 0.001}), bars))
    assert (without.equity - with_it.equity).tolist() == pytest.approx(paid)
    assert with_it.stats["funding paid"] == pytest.approx(paid[-1])


@pytest.mark.parametrize(
    ("time", "paid"),
    [("01:00", 0.0), ("01:01", 1.0), ("02:00", 1.0), ("02:30", 1.0), ("03:00", 1.0), ("03:01", 0.0), ("09:00", 0.0)],
    ids=["before its open", "in its first bar", "at the close", "in a bar", "when sold", "after", "after the last bar"],
)
def test_rule_31_the_position_held_at_that_time_pays(time: str, paid: float) -> None:
    # bought at the open of 01:00, sold at that of 03:00: what falls just at an open is of those who held before
    result = both(plan("+.0..", quantity=10), funded(market([100] * 5, PERPETUAL), {f"01 {time}": 0.001}))
    assert result.equity.iloc[-1] == 100_000.0 - paid
    assert result.trades["funding"].tolist() == [paid]


def test_rule_31_below_zero_a_long_position_receives() -> None:
    result = both(plan("+...", quantity=10), funded(market([100] * 4, PERPETUAL), {"01 02:00": -0.002, "01 03:00": 0.0005}))
    assert result.equity.tolist() == [100_000.0, 100_002.0, 100_001.5, 100_001.5]


def test_rule_31_several_in_one_bar_are_all_charged() -> None:
    days = market([100, 100, 100], PERPETUAL, interval="1D")
    result = both(plan("+..", quantity=10), funded(days, {"02 08:00": 0.001, "02 16:00": 0.002, "03 00:00": 0.003}))
    assert result.equity.tolist() == pytest.approx([100_000.0, 99_994.0, 99_994.0])


def test_rule_31_over_a_hole_the_last_close_counts() -> None:
    bars = market({PERPETUAL: [100, 100, None, 120], OTHER: [1, 1, 1, 1]})
    result = both(plan("+...", "....", quantity=10), funded(bars, {"01 02:30": 0.001}))
    assert result.equity.tolist() == [100_000.0, 100_000.0, 99_999.0, 100_199.0]


def test_rule_31_between_sessions_those_pay_who_held_overnight() -> None:
    # New York closes at 21:00 UTC: at 22:00 the first position is held, and the second not yet, both change hands at the next open
    held, next_day = wb.Instrument("AAA", calendar="XNYS", can_short=True), wb.Instrument("BBB", calendar="XNYS")
    bars = market({held: [100] * 4, next_day: [100] * 4}, interval="1D", start="2024-01-02")
    rates = pd.DataFrame({"AAA": [0.01], "BBB": [0.01]}, pd.DatetimeIndex(["2024-01-03 22:00"], tz="UTC"))
    result = both(plan("+0..", ".+..", quantity=10), bars.with_extra("funding", rates, known_at="0s"))
    assert [(row, leg) for row, leg, _, _ in fills(result)] == [(1, "open"), (2, "close"), (2, "open")]
    assert result.trades.set_index("symbol")["funding"].to_dict() == {"AAA": 10.0, "BBB": 0.0}


def test_rule_31_a_charge_is_booked_at_the_last_completed_steps_rate() -> None:
    # at the close of row 2 the rate becomes 2.0; 10 x 0.01 x 100 USD are booked at 1.25, 8 EUR
    bars = market({wb.Instrument("SPX", "index", "future"): [100] * 4, EURUSD: [1.25, 1.25, 2.0, 2.0]})
    result = both(plan("+...", "....", quantity=10), funded(bars, {"01 03:00": 0.01}, symbol="SPX"), currency="EUR")
    assert result.equity.iloc[-1] == 99_992.0
    assert result.trades["funding"].tolist() == [pytest.approx(8.0)]


# -- swap and borrow --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("stance", "paid"), [("+", 0.66), ("-", -0.11)])
def test_rule_31_a_swap_has_two_sides(stance: str, paid: float) -> None:
    # 2 lots of 1,000 at 1.1 are 2,200 USD; a night costs a long 0.0001 of it and brings a short 0.00005 / 3
    bars = swapped(market([1.1] * 6, PAIR, "1D"), 0.0001, -0.00005 / 3, ["02 22:00", "03 22:00", "04 22:00"], "EURUSD")
    result = both(plan(f"{stance}.....", quantity=2), bars)
    assert 100_000.0 - result.equity.iloc[-1] == pytest.approx(paid)


def test_rule_31_borrowing_is_paid_by_the_day() -> None:
    # 3.65 % a year of 1,000 short is 0.10 a day; sold on Thursday, over the weekend three midnights fall before Monday's open
    bars = market([100, 100, None, None, 100, 100], interval="1D", start="2024-01-04")
    result = both(plan("-.....", quantity=10), funded(bars, {"01 00:00": 0.0365}, "borrow", "ABC"))
    assert (100_000.0 - result.equity).round(9).tolist() == [0.0, 0.1, 0.4, 0.5]
    assert both(plan("+.....", quantity=10), funded(bars, {"01 00:00": 0.0365}, "borrow", "ABC")).stats["funding paid"] == 0.0


def test_rule_31_the_rate_of_borrowing_is_that_known_at_midnight() -> None:
    bars = funded(market([100] * 5, interval="1D"), {"01 00:00": 0.0365, "04 00:00": 0.365}, "borrow", "ABC")
    result = both(plan("-....", quantity=10), bars)
    assert (100_000.0 - result.equity).round(9).tolist() == [0.0, 0.1, 1.1, 2.1, 3.1]


# -- what follows from it ---------------------------------------------------------------------------------------------


def test_rule_31_funding_can_stop_an_account_out() -> None:
    # 50 at 100 with 1,000 keep 250; 0.16 of 5,000 is 800
    result = both(plan("+....", quantity=50), funded(market([100] * 5, PERPETUAL), {"01 03:00": 0.16}), cash=1_000)
    assert result.trades["exit"].tolist() == ["stop-out"]


def test_rule_31_a_trade_that_loses_by_its_funding_has_lost() -> None:
    # 10 won and 15 of funding, twice: after two losses in a row nothing opens
    bars = funded(market([100, 100, 101, 100, 100, 101, 100, 100], PERPETUAL), {"01 01:30": 0.015, "01 04:30": 0.015})
    result = both(plan("+0.+0.+.", quantity=10, risk=[wb.risk.CoolDown(2, 5)]), bars)
    assert result.trades["funding"].tolist() == [15.0, 15.0]
    assert result.trades["profit"].tolist() == [-5.0, -5.0]


def test_rule_31_charges_fall_while_nothing_is_held_and_are_not_made_up_for() -> None:
    bars = funded(market([100] * 9, PERPETUAL), {f"01 0{hour}:00": 0.001 for hour in range(1, 9)})
    result = both(plan(".....+..", quantity=10), bars)
    assert result.equity.tolist() == [100_000.0] * 6 + [99_999.0, 99_998.0, 99_998.0]


def test_rule_31_the_venues_account_and_the_session_agree() -> None:
    bars = funded(market([100, 100, 110, 110], PERPETUAL), {"01 02:00": 0.001, "01 03:00": 0.002})
    venue, told = wb.execution.PaperVenue(10_000, wb.execution.Costs(commission=0.0, slippage=0.0)), []
    session = wb.Session(plan("+...", quantity=10), data=wb.ReplayAdapter(bars), execution=venue)
    session.on(PositionCharged, told.append)
    session.run()
    assert [event.amount for event in told] == pytest.approx([1.0, 2.2])
    assert venue.account().cash == session.portfolio.cash == pytest.approx(9_996.8)
    assert session.portfolio.earned == pytest.approx(-3.2)


def test_a_charge_goes_over_the_wire() -> None:
    event = PositionCharged("ETHUSDT", 0.1 + 0.2, 60)
    assert event_from(event_plain(event), {}) == event


@pytest.mark.parametrize("seed", range(6))
def test_profits_of_trades_add_up_to_the_profit_of_the_account(seed: int) -> None:
    rng = np.random.Generator(np.random.PCG64(seed))
    bars = financed(rng, random_market(seed, 3))
    result = wb.backtest(wb.Strategy(Restless(0.3), wb.sizing.FixedFraction(0.3)), bars, currency="USD", rates=RATES)
    assert abs(result.stats["funding paid"]) > 0
    assert result.trades["profit"].sum() == pytest.approx(result.equity.iloc[-1] - 100_000, abs=1e-6)


def test_bars_from_a_row_on_keep_the_charges_of_their_rows() -> None:
    bars = funded(market([100] * 8, PERPETUAL), {f"01 0{hour}:30": hour / 1_000 for hour in range(1, 8)})
    whole, cut = set_up(plan("+"), bars), set_up(plan("+"), bars.iloc[3:])
    assert whole.financing is not None
    assert cut.financing is not None
    later = whole.since(3).financing
    assert later is not None
    assert later.long.tolist()[1:] == cut.financing.long.tolist()
    assert later.moment.tolist()[1:] == cut.financing.moment.tolist()


# -- what a result says -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("instrument", "give", "missing"),
    [
        (PERPETUAL, lambda bars: funded(bars, {"01 02:00": 0.0}), "funding not modelled"),
        (INDEX, lambda bars: swapped(bars, 0.0, 0.0, ["01 02:00"], "SPX"), "funding not modelled"),
        (PAIR, lambda bars: swapped(bars, 0.0, 0.0, ["01 02:00"], "EURUSD"), "swap not modelled"),
        (SHARE, lambda bars: funded(bars, {"01 00:00": 0.01}, "borrow", "ABC"), "borrow costs of short positions not modelled"),
    ],
    ids=["perpetual", "cfd", "pair", "share"],
)
def test_rule_31_what_data_say_is_not_said_to_be_missing(
    instrument: wb.Instrument, give: Callable[[wb.Bars], wb.Bars], missing: str
) -> None:
    bars = market([1.0] * 30, instrument)
    said = [list(wb.backtest(plan("+"), one).assumptions) for one in (bars, give(bars))]
    assert [f"{instrument.symbol}: {missing}" in lines for lines in said] == [True, False]
    assert [any("from data" in line for line in lines) for lines in said] == [False, True]


def test_rule_31_a_result_says_whose_funding_is_known_and_from_when_to_when() -> None:
    bars = market({PERPETUAL: [1] * 9, OTHER: [1] * 9})
    said = wb.backtest(plan("+", "+"), funded(bars, {"01 00:30": 0.1, "01 02:00": 0.1, "01 03:00": math.nan, "01 04:00": 0.1})).assumptions
    assert "ETHUSDT: funding from data, 2 values from 2024-01-01 02:00 to 2024-01-01 04:00 UTC" in said
    assert "BTCUSDT: funding not modelled" in said


def test_rule_31_data_of_another_time_model_nothing() -> None:
    result = wb.backtest(plan("+"), funded(market([1] * 3, PERPETUAL), {"09 00:00": 0.1}))
    assert "ETHUSDT: funding not modelled" in result.assumptions


def test_without_data_nothing_is_said_to_be_paid() -> None:
    result = wb.backtest(plan("+.."), market([1] * 3, PERPETUAL))
    assert math.isnan(result.stats["funding paid"])
    assert result.trades["funding"].tolist() == [0.0]


def test_other_rates_make_another_account() -> None:
    bars = market([1] * 30, PERPETUAL, interval="1D")  # two rates of one day: only the last of them is in the bars' own fingerprint
    prints = [wb.backtest(plan("+"), funded(bars, {"02 08:00": rate, "02 16:00": 0.1})).fingerprint for rate in (0.1, 0.2)]
    assert prints[0]["account"] != prints[1]["account"]


# -- refusals ---------------------------------------------------------------------------------------------------------


def series(bars: wb.Bars) -> wb.Bars:
    return bars.with_extra("funding", frame({"01 02:00": 0.1})["ETHUSDT"], known_at="0s")


@pytest.mark.parametrize(
    ("give", "said"),
    [
        (series, "the outside series 'funding' is charged on positions: a DataFrame of times x symbols; take another name for a Series"),
        (
            lambda bars: funded(bars, {"01 02:00": 0.1, "01 03:00": 1.5}),
            "the funding of ETHUSDT at 2024-01-01 03:00 UTC must be a share of the notional (0.0001 = 1 basis point), got 1.5",
        ),
        (lambda bars: funded(bars, {"01 02:00": math.inf}, "borrow"), "the borrow of ETHUSDT at 2024-01-01 02:00 UTC must be a share"),
        (
            lambda bars: funded(bars, {"01 02:00": 0.1}, "swap_short"),
            "ETHUSDT has 'swap_short' and no 'swap_long': give both, 0 where nothing is paid",
        ),
    ],
    ids=["a series", "no share", "infinite", "half a swap"],
)
def test_a_wrong_series_gets_a_sentence_before_anything_happens(give: Callable[[wb.Bars], wb.Bars], said: str) -> None:
    with pytest.raises(DataError) as caught:
        wb.backtest(plan("+"), give(market([100] * 4, PERPETUAL)))
    assert said in str(caught.value)


def test_symbols_that_are_not_among_the_bars_are_passed_over() -> None:
    rates: Any = pd.DataFrame({"BTCUSDT": [0.1]}, pd.DatetimeIndex(["2024-01-01 02:00"], tz="UTC"))
    found = financing(market([1] * 4, PERPETUAL).with_extra("funding", rates, known_at="0s"))
    assert found is not None
    assert (len(found.moment), found.modelled) == (0, frozenset())

"""Sessions: when a step of daily bars is known, and which instruments cannot share one (SEMANTICS 1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from worked import SHARE, market, plan

import workbench as wb
from workbench.errors import DataError
from workbench.sessions import close_times

BITCOIN = wb.Instrument("BTCUSD", "crypto")
SYDNEY, TOKYO, NEW_YORK = (wb.Instrument(name, calendar=name) for name in ("XASX", "XTKS", "XNYS"))
#: The winter of 2024: Sydney trades from 23:00 UTC of the day before to 05:00, Tokyo from 00:00 to 06:00, New York from 14:30 to 21:00.
DAY = "2024-01-10"


def days(*instruments: wb.Instrument, start: str = DAY, count: int = 3) -> wb.Bars:
    return market({one: [100.0] * count for one in instruments}, interval="1D", start=start)


def still(bars: wb.Bars) -> wb.Strategy:
    return plan(*["..."] * len(bars.symbols))


ENGINES: dict[str, Callable[[wb.Strategy, wb.Bars], Any]] = {
    "backtest": wb.backtest,
    "session": lambda strategy, bars: wb.Session(strategy, wb.ReplayAdapter(bars)),
    "parity": wb.check_parity,
}


@pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES.keys())
@pytest.mark.parametrize("other", [BITCOIN, SHARE], ids=["coin", "share"])
@pytest.mark.parametrize("order", [1, -1], ids=["other first", "Sydney first"])
def test_rule_01_a_fill_before_its_decision_is_refused(engine: Callable[..., Any], other: wb.Instrument, order: int) -> None:
    bars = days(*(other, SYDNEY)[::order])
    with pytest.raises(DataError) as caught:
        engine(still(bars), bars)
    assert str(caught.value) == (
        f"XASX and {other.symbol} cannot share a strategy: the step 2024-01-10 is decided when {other.symbol} closes, "
        "2024-01-11 00:00 UTC, and the next session of XASX opens before that, 2024-01-10 23:00 UTC; trade them in two strategies"
    )


TOGETHER = {
    "coin and New York": lambda: days(BITCOIN, NEW_YORK),
    "New York closes before Sydney opens": lambda: days(SYDNEY, NEW_YORK),
    "three": lambda: days(SYDNEY, TOKYO, NEW_YORK),
    "an open at the moment of the decision": lambda: days(BITCOIN, TOKYO),
    "winter in Sydney": lambda: days(BITCOIN, SYDNEY, start="2024-07-10"),
    "alone": lambda: days(SYDNEY),
    "alone, simulated on holidays too": lambda: wb.simulate([SYDNEY], days=10, interval="1D", start="2024-12-20"),
    "nothing to fill": lambda: days(BITCOIN, SYDNEY, count=1),
    "hours": lambda: market({BITCOIN: [100.0] * 3, SYDNEY: [100.0] * 3}, interval="1h", start="2024-01-09 23:00"),
}


@pytest.mark.parametrize("bars", TOGETHER.values(), ids=TOGETHER.keys())
def test_rule_01_what_opens_after_each_decision_is_traded_together(bars: Callable[[], wb.Bars]) -> None:
    assert len(wb.backtest(still(bars()), bars()).equity) == len(bars())


def test_rule_01_a_step_without_a_bar_of_the_instrument_counts_too() -> None:
    # a stop-out on Sunday, known at midnight, would close at Sydney's open an hour before
    bars = market({SYDNEY: [100.0, None, None, 100.0], BITCOIN: [100.0] * 4}, interval="1D", start="2024-01-12")
    with pytest.raises(
        DataError, match=r"the step 2024-01-14 is decided when BTCUSD closes, 2024-01-15 00:00 UTC, .* 2024-01-14 23:00 UTC"
    ):
        wb.backtest(still(bars), bars)


def test_rule_01_a_holiday_adds_no_close() -> None:
    # Monday 8 January 2024 is a holiday in Tokyo: the step is known when Sydney closes
    bars = market({SYDNEY: [100.0, 100.0], TOKYO: [None, 100.0]}, interval="1D", start="2024-01-08")
    assert pd.to_datetime(close_times(bars)).tolist() == [pd.Timestamp("2024-01-08 05:00"), pd.Timestamp("2024-01-09 06:00")]
    assert len(wb.backtest(still(bars), bars).equity) == 2


def test_no_calendar_is_asked_for_where_no_instrument_names_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.sessions.session_times", lambda *_: pytest.fail("a calendar was asked for"))
    bars = days(SHARE, BITCOIN)
    assert len(wb.backtest(still(bars), bars).equity) == 3

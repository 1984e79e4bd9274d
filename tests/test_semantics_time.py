"""SEMANTICS 1-8: time and bars, warm-up, anchor, recomputation. Numbers are worked by hand."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
from worked import FREE, OTHER, SHARE, Given, Script, both, fills, market, opened, plan

import workbench as wb
from workbench.data.adapter import close_times
from workbench.errors import DataError

HOUR = pd.Timedelta("1h")


class Whole(wb.signals.SignalGenerator):
    """Keeps what it is handed."""

    def generate(self, bars: wb.Bars) -> pd.DataFrame:
        self.seen_ = [*getattr(self, "seen_", []), bars]
        return np.sign(bars.close - 100.0)


class WholeMarket(Whole):
    """Keeps what it is handed, and gets all instruments at once."""

    cross_sectional: ClassVar[bool] = True


class Tomorrow(wb.signals.SignalGenerator):
    """Looks ahead."""

    def generate(self, bars: wb.Bars) -> pd.DataFrame:
        return np.sign(bars.close.shift(-1) - bars.close)


def rates(*known: tuple[str, float]) -> dict[str, pd.Series]:
    """Return EURUSD as known from some moments on."""
    return {"EURUSD": pd.Series([value for _, value in known], pd.DatetimeIndex([time for time, _ in known], tz="UTC"))}


# -- 1: a step is a label; a component sees what was known at its close -----------------------------------------------


def test_rule_01_there_is_one_step_for_each_label():
    bars = market({SHARE: [100, None, 100, 100], OTHER: [None, 50, 50, None]})
    result = both(plan("+...", "...."), bars)
    assert len(result.equity) == len(bars) == 4


def test_rule_01_a_decision_at_a_close_fills_from_the_next_bar_on():
    result = both(plan("+.."), market([(100, 109, 91, 108), 103, 104]))
    assert fills(result) == [(1, "open", 1.0, 103.0)]
    assert result.decisions["close"].tolist() == [108.0]


def test_rule_01_a_bar_closes_one_interval_after_its_label():
    bars = market([1, 1], interval="15min")
    assert pd.to_datetime(close_times(bars)).tolist() == [pd.Timestamp("2024-01-01 00:15"), pd.Timestamp("2024-01-01 00:30")]


@pytest.mark.parametrize(
    ("day", "close"),
    [("2024-01-02", "21:00"), ("2024-07-02", "20:00"), ("2024-07-03", "17:00")],
    ids=["winter", "summer", "early close"],
)
def test_rule_01_a_daily_bar_with_a_calendar_closes_with_its_session(day, close):
    bars = market([1], wb.Instrument("SPY", calendar="XNYS"), "1D", day)
    assert pd.to_datetime(close_times(bars)).tolist() == [pd.Timestamp(f"{day} {close}")]


@pytest.mark.parametrize(
    ("second", "shares"),
    [("2024-01-01 01:00", 16.0), ("2024-01-01 01:00:00.000000001", 12.0)],
    ids=["known at the close", "one nanosecond later"],
)
def test_rule_01_a_rate_counts_from_the_close_at_which_it_is_known(second, shares):
    # 1,000 EUR: at 1.25 a share of 100 USD costs 80 EUR, 12.5 of them; at 1.60 it costs 62.50 EUR, 16 of them
    known = rates(("2024-01-01 00:30", 1.25), (second, 1.60))
    result = both(plan("+.", sizer=wb.sizing.FixedFraction(1.0)), market([100, 100]), cash=1000, currency="EUR", rates=known)
    assert opened(result) == [shares]


def test_rule_01_a_rate_of_after_the_session_close_is_not_known_to_its_daily_bar():
    # New York closes at 21:00 UTC: the rate of 23:00 belongs to the next step
    known = rates(("2024-01-02 12:00", 1.25), ("2024-01-02 23:00", 1.60))
    bars = market([100, 100], wb.Instrument("SPY", calendar="XNYS"), "1D", "2024-01-02")
    result = both(plan("+.", sizer=wb.sizing.FixedFraction(1.0)), bars, cash=1000, currency="EUR", rates=known)
    assert opened(result) == [12.0]


# -- 2: labels are OPEN times in UTC ----------------------------------------------------------------------------------


def hourly(*times: str) -> pd.DataFrame:
    return pd.DataFrame(100.0, pd.DatetimeIndex(times, tz="UTC"), ["open", "high", "low", "close"])


def test_rule_02_open_stamps_are_taken_as_they_are_and_said():
    bars = wb.read_bars(hourly("2024-01-02 10:00", "2024-01-02 11:00"), SHARE)
    assert bars.index[0] == pd.Timestamp("2024-01-02 10:00", tz="UTC")
    assert any("stamp='open'" in line for line in bars.assumptions)


def test_rule_02_close_stamps_lose_one_interval():
    bars = wb.read_bars(hourly("2024-01-02 10:00", "2024-01-02 11:00"), SHARE, stamp="close")
    assert bars.index.tolist() == [pd.Timestamp("2024-01-02 09:00", tz="UTC"), pd.Timestamp("2024-01-02 10:00", tz="UTC")]


def test_rule_02_a_daily_bar_is_labelled_with_its_session_date():
    frame = hourly("2024-01-02 21:00", "2024-01-03 21:00")
    bars = wb.read_bars(frame, SHARE, stamp="close", interval="1D")
    assert bars.index.tolist() == [pd.Timestamp("2024-01-02", tz="UTC"), pd.Timestamp("2024-01-03", tz="UTC")]


def test_rule_02_a_calendar_that_contradicts_the_stamp_raises():
    # New York trades from 14:30 to 21:00 UTC in winter: 30-minute bars stamped 15:00 ... 21:00 are stamped with their close
    index = pd.date_range("2024-01-02 15:00", "2024-01-02 21:00", freq="30min", tz="UTC")
    frame = pd.DataFrame(100.0, index, ["open", "high", "low", "close"])
    spy = wb.Instrument("SPY", calendar="XNYS")
    with pytest.raises(DataError, match="close"):
        wb.read_bars(frame, spy, stamp="open")
    assert wb.read_bars(frame, spy, stamp="close").index[0] == pd.Timestamp("2024-01-02 14:30", tz="UTC")


# -- 3: the index is the union of labels ------------------------------------------------------------------------------


def test_rule_03_a_label_that_nobody_has_does_not_exist():
    bars = market({SHARE: [100, None, None, 100], OTHER: [50, 50, None, 50]})
    assert ((bars.index - bars.index[0]) // HOUR).tolist() == [0, 1, 3]
    assert np.isnan(bars.close["ABC"].iloc[1])


def test_rule_03_decisions_need_a_bar():
    result = both(plan(".++", "..."), market({SHARE: [100, None, 101], OTHER: [50, 50, 50]}))
    assert result.decisions["time"].tolist() == [result.bars.index[2]]


def test_rule_03_marks_use_the_last_close():
    # bought at 100, last seen at 104: worth 104 while there is no bar, then 90
    bars = market({SHARE: [100, (100, 104, 100, 104), None, 90], OTHER: [50, 50, 50, 50]})
    result = both(plan("+...", "...."), bars, cash=1000)
    assert result.equity.tolist() == [1000.0, 1004.0, 1004.0, 990.0]


# -- 4: blocks without holes ------------------------------------------------------------------------------------------

HOLED = {SHARE: [100, None, 102, 103], OTHER: [50, 51, 52, 53], wb.Instrument("TWIN"): [10, None, 11, 12]}


def test_rule_04_generate_gets_blocks_that_share_one_index_without_holes():
    signal = Whole()
    stances = signal.stances(market(HOLED))
    assert [bars.symbols for bars in signal.seen_] == [["ABC", "TWIN"], ["XYZ"]]
    assert all(not bars.close.isna().any().any() for bars in signal.seen_)
    assert np.isnan(stances["ABC"].iloc[1])
    assert stances["ABC"].dropna().tolist() == [0.0, 1.0, 1.0]


def test_rule_04_a_cross_sectional_signal_gets_the_whole_frame():
    signal = WholeMarket()
    signal.stances(market(HOLED))
    assert [bars.shape for bars in signal.seen_] == [(4, 3)]
    assert np.isnan(signal.seen_[0].close["ABC"].iloc[1])


@pytest.mark.parametrize(
    "signal",
    [
        wb.signals.MovingAverageCross(2, 5),
        wb.signals.Breakout(4),
        wb.signals.AllAgree([wb.signals.MovingAverageCross(2, 5), wb.signals.Breakout(4)]),
        wb.signals.Majority([wb.signals.MovingAverageCross(2, 5), wb.signals.Breakout(4)], hold=3),
    ],
    ids=lambda s: type(s).__name__,
)
def test_rule_04_grouping_changes_no_value(signal):
    rng = np.random.default_rng(4)
    walk = 100 + np.cumsum(rng.integers(-2, 3, (80, 3)), axis=0)
    rows = [[None if rng.random() < 0.2 and t else float(p) for t, p in enumerate(column)] for column in walk.T]
    bars = market(dict(zip((SHARE, OTHER, wb.Instrument("TWIN")), rows, strict=True)))
    together = signal.stances(bars)
    for symbol in bars.symbols:
        alone = signal.stances(bars[[symbol]])[symbol]
        pd.testing.assert_series_equal(together[symbol].loc[alone.index], alone, check_freq=False)


def test_rule_04_a_vote_with_a_cross_sectional_voter_holds_by_each_instruments_own_bars():
    # ABC says + once; its hole is none of its bars, so one bar of hold reaches its next bar, and no further
    bars = market({SHARE: [1, None, 1, 1], OTHER: [1, 1, 1, 1]})
    vote = wb.signals.Majority([Script(["+...", "...."]), Script(["+...", "...."])], hold=1)
    stances = vote.stances(bars)["ABC"].tolist()
    assert stances[2] == 1.0
    assert np.isnan(stances[3])


# -- 6: look-back, ties, events ---------------------------------------------------------------------------------------


def test_rule_06_the_stance_is_nan_before_the_lookback():
    # fast 1, slow 3: three closes are needed, the third bar is the first with a stance
    stances = wb.signals.MovingAverageCross(1, 3).stances(market([10, 11, 12, 9]))["ABC"].tolist()
    assert np.isnan(stances[:2]).all()
    assert stances[2:] == [1.0, -1.0]  # 12 > 11; 9 < 10.67


class Early(Given):
    """Gives stances before its look-back."""

    @property
    def lookback(self) -> int:
        return 3


def test_rule_06_the_base_class_enforces_the_lookback():
    stances = Early([1.0, 1.0, 1.0, 1.0]).stances(market([10, 10, 10, 10]))["ABC"]
    assert stances.isna().tolist() == [True, True, False, False]


def test_rule_06_a_composite_has_the_largest_lookback_of_its_parts():
    vote = wb.signals.AllAgree([wb.signals.MovingAverageCross(2, 30), wb.signals.Breakout(55)])
    assert vote.lookback == 56
    strategy = wb.Strategy(vote, exits=[wb.exits.AtrStop(100, average="simple")])
    assert strategy.lookback == 101  # a hundred true ranges, the first of which needs the close before it


@pytest.mark.parametrize(
    ("last", "stance"),
    [(100.0, 0.0), (100.0 * (1 + 3e-9), 1.0), (100.0 * (1 + 1e-9), 0.0), (100.0 * (1 - 3e-9), -1.0)],
    ids=["equal", "above", "a tie of 1e-9", "below"],
)
def test_rule_06_a_tie_is_flat(last, stance):
    # the mean of (100, last) moves half as far as the last close: 3e-9 above is 1.5e-9, 1e-9 is 0.5e-9
    assert wb.signals.MovingAverageCross(1, 2).stances(market([100.0, last]))["ABC"].iloc[1] == stance


def test_rule_06_a_breakout_says_its_event_and_nothing_between():
    # window 2: highs before are 11, 11, 12 ...; a close equal to the highest high is a tie and no break
    bars = market([(10, 11, 9, 10), (10, 11, 9, 10), (11, 12, 10, 12), (12, 12, 11, 12), (11, 11, 8, 8), (8, 9, 8, 9)])
    stances = wb.signals.Breakout(2).stances(bars)["ABC"].tolist()
    assert stances[2] == 1.0
    assert stances[4] == -1.0
    assert np.isnan([stances[row] for row in (0, 1, 3, 5)]).all()


def test_rule_06_acted_holds_what_a_breakout_said_once():
    bars = market([(10, 11, 9, 10), (10, 11, 9, 10), (11, 12, 10, 12), 12, (11, 11, 8, 8), 8])
    result = both(wb.Strategy(wb.signals.Breakout(2), wb.sizing.FixedQuantity(1)), bars)
    assert fills(result) == [(3, "open", 1.0, 12.0), (5, "close", -1.0, 8.0), (5, "open", -1.0, 8.0)]


@pytest.mark.parametrize(
    "signal",
    [
        wb.signals.MovingAverageCross(3, 7),
        wb.signals.Breakout(6),
        wb.signals.AllAgree([wb.signals.Breakout(3), wb.signals.Breakout(5)], hold=4),
        wb.signals.Majority([wb.signals.Breakout(3), wb.signals.MovingAverageCross(2, 4)], hold=9),
    ],
    ids=lambda s: type(s).__name__,
)
def test_rule_06_bars_older_than_the_lookback_change_no_stance(signal):
    rng = np.random.default_rng(6)
    bars = market([float(p) for p in 500 + np.cumsum(rng.integers(-9, 10, 300))])
    whole = signal.stances(bars)["ABC"]
    for end in range(100, 300, 7):
        short = signal.stances(bars.iloc[end - signal.lookback : end])["ABC"]
        np.testing.assert_array_equal(short.iloc[-1:], whole.iloc[end - 1 : end])


@pytest.mark.parametrize("exit_", [wb.exits.AtrStop(5), wb.exits.AtrStop(5, average="simple"), wb.exits.TakeProfit(0.02)], ids=repr)
def test_rule_06_bars_older_than_the_lookback_change_no_distance(exit_):
    rng = np.random.default_rng(6)
    shut = 500 + np.cumsum(rng.integers(-9, 10, 300))  # a gap at every open: the true range needs the close before
    bars = market([(float(p) + 40, float(p) + 41, float(p) - 1, float(p)) for p in shut])
    whole = exit_.distance(bars).to_numpy()[-1, 0]
    short = exit_.distance(bars.iloc[len(bars) - exit_.lookback :]).to_numpy()[-1, 0]
    assert abs(short - whole) <= 1e-9 * abs(whole)


# -- 7: the anchor ----------------------------------------------------------------------------------------------------

RANGES = [(10, 12, 10, 11), (11, 12, 8, 9), (9, 10, 9, 10), (10, 11, 6, 7), (7, 8, 7, 8)]


@pytest.mark.parametrize(
    ("first", "distances"),
    [(0, [np.nan, 3.0, 2.0, 3.5, 2.25]), (1, [np.nan, 2.5, 3.75, 2.375])],
    ids=["first bar", "a later first bar"],
)
def test_rule_07_the_anchor_is_the_first_bar_handed_over(first, distances):
    # true ranges 2 (high - low of the first bar), 4, 1, 5, 1; Wilder over 2: mean of the first two, then the mean with the next
    found = wb.exits.AtrStop(2, 1.0).distance(market(RANGES[first:]))["ABC"]
    np.testing.assert_array_equal(found, distances)


def test_rule_07_a_backtest_is_anchored_at_its_first_bar():
    signal = Whole()
    both(wb.Strategy(signal, wb.sizing.FixedQuantity(1)), market([99, 101, 102]))
    assert {bars.index[0] for bars in signal.seen_} == {pd.Timestamp("2024-01-01", tz="UTC")}


# -- 8: one block or bar by bar ---------------------------------------------------------------------------------------


def test_rule_08_a_backtest_computes_the_block_once():
    signal = Whole()
    wb.backtest(wb.Strategy(signal, wb.sizing.FixedQuantity(1)), market([99, 101, 102]), costs=FREE)
    assert [len(bars) for bars in signal.seen_] == [3]


def test_rule_08_parity_recomputes_a_hundred_steps_in_the_live_way():
    bars = wb.simulate(days=1, seed=8)
    report = wb.check_parity(wb.Strategy(wb.signals.MovingAverageCross(3, 9)), bars)
    assert (report.recomputed, len(report.differences)) == (100, 0)


def test_rule_08_parity_finds_a_signal_that_looks_ahead():
    report = wb.check_parity(wb.Strategy(Tomorrow()), market([10, 11, 10, 12, 9]))
    assert set(report.differences["what"]) == {"recomputed"}


def test_rule_08_one_step_at_a_time_is_the_same_as_all_at_once():
    bars = market([100, 101, 99, 103, 98])
    strategy = plan("+-+-.")
    one, all_at_once = (wb.Session(strategy, data=wb.ReplayAdapter(bars)) for _ in range(2))
    for _ in range(5):
        assert one.step() is None
    assert (one.equity, one.portfolio.cash) == (all_at_once.run().equity, all_at_once.portfolio.cash)

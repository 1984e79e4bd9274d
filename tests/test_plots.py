"""Pictures: what is drawn, and that thinning loses no extreme."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from worked import CONTRACT, SHARE, both, market, plan

import workbench as wb
from workbench.research import plots
from workbench.research.plots import MOST_POINTS, plot_backtest, plot_bars, thinned
from workbench.research.statistics import drawdown

BARS = market({SHARE: [100, 100, 110, 105, 120, 118], CONTRACT: [50, 50, 50, None, 50, 50]})
RESULT = both(plan("+.-+..", "+.....", quantity=3), BARS, cash=10_000)
FIGURE = plot_backtest(RESULT)


def traces(figure: object) -> dict[str, object]:
    return {trace.name: trace for trace in figure.data}  # type: ignore[attr-defined]


def long_index(count: int) -> pd.DatetimeIndex:
    return pd.date_range("2024-01-01", periods=count, freq="1min", tz="UTC")


# -- the backtest -----------------------------------------------------------------------------------------------------


def test_a_backtest_has_price_trades_equity_and_drawdown() -> None:
    assert list(traces(FIGURE)) == ["close", "exit", "long entry", "short entry", "equity", "drawdown"]
    assert [trace.mode for trace in FIGURE.data] == ["lines", "markers", "markers", "markers", "lines", "lines"]


def test_the_lines_are_those_of_the_result() -> None:
    found = traces(FIGURE)
    assert list(found["close"].y) == [100, 100, 110, 105, 120, 118]
    assert list(found["equity"].y) == RESULT.equity.tolist()
    assert list(found["drawdown"].y) == pytest.approx((drawdown(RESULT.equity) * 100).tolist())
    assert pd.DatetimeIndex(found["equity"].x).equals(BARS.index)


def test_the_marks_are_those_of_the_trades() -> None:
    found, trades = traces(FIGURE), RESULT.trades[RESULT.trades["symbol"] == "ABC"]
    assert list(found["long entry"].y) == trades.loc[trades["side"] == "long", "entry_price"].tolist()
    assert list(found["short entry"].y) == trades.loc[trades["side"] == "short", "entry_price"].tolist()
    assert list(found["exit"].y) == trades.loc[trades["exit"] != "open", "exit_price"].tolist()


def test_the_symbol_that_was_traded_most_is_shown() -> None:
    assert [note.text for note in FIGURE.layout.annotations[:3]] == ["ABC: close and trades", "Equity in USD", "Drawdown, %"]
    turned = both(plan("+.....", "+.-+..", quantity=3), BARS, cash=10_000)
    assert plot_backtest(turned).layout.annotations[0].text == "FUT: close and trades"


def test_a_result_without_trades_is_drawn_too() -> None:
    figure = plot_backtest(both(plan("..."), market([100, 101, 102])))
    assert list(traces(figure)) == ["close", "equity", "drawdown"]


def test_of_many_trades_the_last_are_marked_and_it_is_said() -> None:
    stances = "+-" * 250 + "."
    figure = plot_backtest(both(plan(stances), market([100] * 501, CONTRACT)))
    found = traces(figure)
    assert len(found["long entry"].y) + len(found["short entry"].y) == 400
    assert figure.layout.annotations[0].text == "FUT: close and trades (the last 400 of 500)"


def test_a_simulated_market_is_named_so() -> None:
    bars = wb.simulate(days=1, seed=1)
    assert "simulated market" in wb.backtest(wb.Strategy(wb.signals.Breakout()), bars).plot().layout.title.text
    assert "simulated market" in plot_bars(bars).layout.title.text
    assert "simulated" not in FIGURE.layout.title.text


def test_the_plot_of_a_result_is_this_one() -> None:
    assert RESULT.plot().to_json() == FIGURE.to_json()


# -- the bars ---------------------------------------------------------------------------------------------------------


def test_bars_without_volume_are_one_panel() -> None:
    figure = plot_bars(BARS, "FUT")
    assert list(traces(figure)) == ["close"]
    assert list(figure.data[0].y) == [50] * 5
    assert figure.layout.title.text == "FUT, 1h (1 of 2 symbols)"


def test_bars_with_volume_are_two_panels() -> None:
    bars = wb.simulate(days=1, seed=1)
    figure = plot_bars(bars)
    assert list(traces(figure)) == ["close", "volume"]
    assert list(figure.data[1].y) == bars.volume.iloc[:, 0].tolist()


# -- thinning ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 10, MOST_POINTS])
def test_few_points_stay(count: int) -> None:
    index, values = long_index(count), np.arange(count, dtype=float)
    assert thinned(index, values)[0] is index
    assert thinned(index, values)[1] is values


@settings(max_examples=20)
@given(st.integers(MOST_POINTS + 1, 30_000), st.integers(0, 2**31))
def test_every_high_and_low_of_a_part_of_the_screen_is_kept(count: int, seed: int) -> None:
    values = np.random.default_rng(seed).normal(size=count).cumsum()
    index, kept = thinned(long_index(count), values)
    assert len(kept) <= MOST_POINTS + 2
    assert index.is_monotonic_increasing
    assert index.is_unique
    assert (kept[0], kept[-1], kept.max(), kept.min()) == (values[0], values[-1], values.max(), values.min())
    parts = np.array_split(values, 500)
    rows = long_index(count).get_indexer(index)
    edges = np.cumsum([0] + [len(part) for part in parts])
    for part, first, last in zip(parts[::50], edges[::50], edges[1::50], strict=False):
        mine = kept[(rows >= first - 20) & (rows < last + 20)]
        assert mine.max() >= part.max()
        assert mine.min() <= part.min()


def test_points_that_are_kept_are_points_of_the_line() -> None:
    values = np.random.default_rng(1).normal(size=10_000)
    index, kept = thinned(long_index(10_000), values)
    np.testing.assert_array_equal(kept, values[long_index(10_000).get_indexer(index)])


def test_a_low_beside_a_hole_is_kept() -> None:
    values = np.zeros(10_000)
    values[5000], values[5001] = np.nan, -7.0
    assert np.nanmin(thinned(long_index(10_000), values)[1]) == -7.0


def test_a_long_run_is_drawn_thinned() -> None:
    bars = wb.simulate(bars=20_000, seed=3)
    figure = plots.plot_bars(bars)
    close = bars.close.iloc[:, 0]
    assert len(figure.data[0].y) <= MOST_POINTS + 2
    assert (max(figure.data[0].y), min(figure.data[0].y)) == (close.max(), close.min())

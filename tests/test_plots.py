"""Pictures: what is drawn, and that thinning loses no extreme."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from worked import CONTRACT, EURUSD, SHARE, both, market, plan

import workbench as wb
from workbench.errors import ParameterError
from workbench.research import plots
from workbench.research.plots import MOST_POINTS, buy_and_hold, plot_backtest, plot_bars, plot_lines, thinned
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
    modes = {trace.name: trace.mode for trace in FIGURE.data}
    trips, entries = dict.fromkeys(("won", "lost", "still open"), "lines+markers"), dict.fromkeys(("long entry", "short entry"), "markers")
    assert modes == {"close": "lines", **trips, **entries, "equity": "lines", "drawdown": "lines"}


def test_the_lines_are_those_of_the_result() -> None:
    found = traces(FIGURE)
    assert list(found["close"].y) == [100, 100, 110, 105, 120, 118]
    assert list(found["equity"].y) == RESULT.equity.tolist()
    assert list(found["drawdown"].y) == pytest.approx((drawdown(RESULT.equity) * 100).tolist())
    assert pd.DatetimeIndex(found["equity"].x).equals(BARS.index)


def test_the_price_has_about_half_of_the_height() -> None:
    low, high = FIGURE.layout.yaxis.domain
    assert 0.4 < high - low < 0.6


@pytest.mark.parametrize("name", ["won", "lost", "still open"])
def test_a_trade_is_a_line_from_its_entry_to_its_exit(name: str) -> None:
    trades = RESULT.trades[RESULT.trades["symbol"] == "ABC"]
    kind = np.where(trades["exit"] == "open", "still open", np.where(trades["profit"] > 0, "won", "lost"))
    mine, drawn = trades[kind == name], traces(FIGURE)[name]
    assert list(drawn.y) == [one for t in mine.itertuples() for one in (t.entry_price, t.exit_price, None)]
    assert list(drawn.x[0::3]) == mine["entered"].tolist()
    assert list(drawn.x[1::3]) == mine["exited"].fillna(BARS.index[-1]).tolist()
    assert drawn.marker.color == "rgba(0,0,0,0)"


def test_the_entries_are_small_triangles() -> None:
    found, trades = traces(FIGURE), RESULT.trades[RESULT.trades["symbol"] == "ABC"]
    for side, mark in (("long", "triangle-up"), ("short", "triangle-down")):
        drawn = found[f"{side} entry"]
        assert list(drawn.y) == trades.loc[trades["side"] == side, "entry_price"].tolist()
        assert (drawn.marker.symbol, drawn.marker.size, drawn.visible) == (mark, 6, True)


def test_a_mark_says_when_what_how_it_ended_and_what_it_brought() -> None:
    found = traces(FIGURE)
    assert found["long entry"].hovertext[0] == "2024-01-01 01:00 UTC · long 3 @ 100 · close · +15.00 USD"
    assert list(found["won"].hovertext[:3]) == [
        "2024-01-01 01:00 UTC · long 3 @ 100 · close · +15.00 USD",
        "2024-01-01 03:00 UTC · exit of long 3 @ 105 · close · +15.00 USD",
        None,
    ]
    assert found["still open"].hovertext[1] == "2024-01-01 05:00 UTC · still long 3 @ 118 · open · -6.00 USD"


def test_days_are_dates_and_large_profits_whole() -> None:
    bars = market([941.33, 941.33, 980.5, 980.5], CONTRACT, interval="1D")
    words = traces(plot_backtest(both(plan("-.0.", quantity=500), bars, cash=1_000_000)))["lost"].hovertext
    assert words[0] == "2024-01-02 · short 500 @ 941.33 · close · -19,585 USD"


def test_lines_say_their_date_and_their_amount() -> None:
    found = traces(FIGURE)
    assert found["equity"].hovertemplate == "%{x|%Y-%m-%d %H:%M UTC} · equity %{y:,.2f} USD<extra></extra>"
    assert found["drawdown"].hovertemplate == "%{x|%Y-%m-%d %H:%M UTC} · drawdown %{y:,.2f} %<extra></extra>"
    assert FIGURE.layout.hovermode == "closest"


def test_the_symbol_that_was_traded_most_is_shown() -> None:
    titles = [note.text for note in FIGURE.layout.annotations[:3]]
    assert titles == ["ABC: close and trades (1 of 2 symbols)", "Equity in USD", "Drawdown, %"]
    turned = both(plan("+.....", "+.-+..", quantity=3), BARS, cash=10_000)
    assert plot_backtest(turned).layout.annotations[0].text == "FUT: close and trades (1 of 2 symbols)"


def test_a_symbol_may_be_chosen() -> None:
    figure = plot_backtest(RESULT, "FUT")
    assert figure.layout.annotations[0].text == "FUT: close and trades (1 of 2 symbols)"
    assert list(traces(figure)["close"].y) == [50] * 5


def test_a_wrong_symbol_is_one_sentence() -> None:
    with pytest.raises(ParameterError, match=r"^plot: no bars of 'FTU'; did you mean 'FUT'\?$"):
        plot_backtest(RESULT, "FTU")


def test_a_result_without_trades_is_drawn_too() -> None:
    figure = plot_backtest(both(plan("..."), market([100, 101, 102])))
    assert list(traces(figure)) == ["close", "buy and hold", "equity", "drawdown"]
    assert figure.layout.annotations[0].text == "ABC: close and trades"


def test_many_entries_wait_in_the_legend() -> None:
    stances = "+-" * 100 + "."
    found = traces(plot_backtest(both(plan(stances), market([100] * 201, CONTRACT))))
    assert (found["long entry"].visible, found["short entry"].visible) == ("legendonly", "legendonly")
    assert sum(len(found[name].y) for name in ("lost", "still open")) == 3 * 200


def test_of_very_many_trades_the_last_are_drawn_and_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plots, "MOST_TRADES", 40)
    figure = plot_backtest(both(plan("+-" * 25 + "."), market([100] * 51, CONTRACT)))
    assert sum(len(traces(figure)[name].y) for name in ("lost", "still open")) == 3 * 40
    assert figure.layout.annotations[0].text == "FUT: close and trades (the last 40 of 50 trades)"


def test_a_simulated_market_is_named_so() -> None:
    bars = wb.simulate(days=1, seed=1)
    assert "Simulated market" in wb.backtest(wb.Strategy(wb.signals.Breakout()), bars).plot().layout.title.text
    assert "simulated market" in plot_bars(bars).layout.title.text
    assert not FIGURE.layout.title.text


def test_the_plot_of_a_result_is_this_one() -> None:
    assert RESULT.plot().to_json() == FIGURE.to_json()


# -- buy and hold -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("instrument", [SHARE, CONTRACT], ids=["funded", "margined"])
def test_buy_and_hold_puts_all_cash_into_the_first_known_close(instrument: wb.Instrument) -> None:
    result = both(plan("....."), market([100, 110, None, 90, 120], instrument), cash=10_000)
    drawn = traces(plot_backtest(result))["buy and hold"]
    assert list(drawn.y) == pytest.approx([10_000, 11_000, 9_000, 12_000])
    assert (drawn.line.dash, drawn.line.width) == ("5px,2px", 1.0)


def test_buy_and_hold_is_in_account_currency() -> None:
    # 8,000 EUR at 1.25: the profit of 2,000 USD is turned over at 1.5
    result = both(plan("..."), market([1.25, 1.25, 1.5], EURUSD), currency="EUR", cash=8_000)
    passive = buy_and_hold(result)
    assert passive is not None
    assert passive.tolist() == pytest.approx([8_000, 8_000, 8_000 + 2_000 / 1.5])


def test_there_is_no_yardstick_for_several_symbols() -> None:
    assert buy_and_hold(RESULT) is None
    assert "buy and hold" not in traces(FIGURE)


def test_a_yardstick_does_not_flatten_the_equity() -> None:
    tame = plot_backtest(both(plan("+...", quantity=1), market([100, 100, 101, 103], SHARE), cash=1_000))
    assert tame.layout.yaxis2.range is None
    wild = plot_backtest(both(plan("+...", quantity=1), market([100, 100, 200, 900], SHARE), cash=100_000))
    assert wild.layout.yaxis2.range[1] < 110_000
    assert "buy and hold leaves the picture" in wild.layout.annotations[1].text


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
@given(st.integers(MOST_POINTS + 1, 60_000), st.integers(0, 2**31))
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
    values = np.random.default_rng(1).normal(size=50_000)
    index, kept = thinned(long_index(50_000), values)
    np.testing.assert_array_equal(kept, values[long_index(50_000).get_indexer(index)])


def test_a_low_beside_a_hole_is_kept() -> None:
    values = np.zeros(50_000)
    values[5000], values[5001] = np.nan, -7.0
    assert np.nanmin(thinned(long_index(50_000), values)[1]) == -7.0


def test_a_long_run_is_drawn_thinned_and_says_so() -> None:
    bars = wb.simulate(bars=25_000, seed=3)
    figure = plot_bars(bars)
    close = bars.close.iloc[:, 0]
    assert len(figure.data[0].y) <= MOST_POINTS + 2
    assert (max(figure.data[0].y), min(figure.data[0].y)) == (close.max(), close.min())
    assert "thinned from 25,000 points" in figure.layout.title.text
    assert "thinned" in plot_lines(bars.close, "Closes").layout.title.text


def test_the_panels_of_a_long_backtest_say_that_they_are_thinned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plots, "MOST_POINTS", 4)
    titles = [note.text for note in plot_backtest(RESULT, "FUT").layout.annotations[:3]]
    assert titles == [
        "FUT: close and trades (1 of 2 symbols, thinned from 5 points)",
        "Equity in USD (thinned from 6 points)",
        "Drawdown, % (thinned from 6 points)",
    ]


def test_a_series_is_one_line() -> None:
    equity = pd.Series([1.0, 2.0], pd.date_range("2024-01-01", periods=2, tz="UTC"), name="equity")
    assert [(line.name, list(line.y)) for line in plot_lines(equity, "Equity").data] == [("equity", [1.0, 2.0])]

"""Pictures of risk, by what is drawn in them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from worked import CONTRACT, EURUSD, OTHER, SHARE, both, market, plan

import workbench as wb
from workbench.errors import ParameterError
from workbench.research.risk_pictures import LABEL, MOST_GROUPS, RED, plot_exposure, plot_risk, plot_risk_contribution
from workbench.research.risk_states import state_of
from workbench.risk import MaxExposure, MaxLeverage

PRICES = {"EURUSD": 1.25, "ABC": 100.0}
BOOK = wb.Portfolio("USD", 100_000, {EURUSD: -1, SHARE: 300}, PRICES)
NET, GROSS = MaxExposure({"EUR": 100_000, "USD": 200_000}), MaxExposure(2.0, of="equity", scope="gross")
RESULT = both(
    plan("+.-..", quantity=2, risk=[MaxLeverage(2), NET]), market([1.25, 1.25, 1.25, 1.5, 1.5], EURUSD), cash=100_000, buying_power=False
)


def traces(figure: Any) -> dict[str, Any]:
    return {trace.name: trace for trace in figure.data}


def labels(figure: Any) -> list[str]:
    return [note.text for note in figure.layout.annotations if note.name == LABEL]


def bar(trace: Any) -> dict[str, float]:
    return dict(zip(trace.y, trace.x, strict=True))


# -- exposure ---------------------------------------------------------------------------------------------------------


def test_a_portfolio_is_bars_against_limits() -> None:
    found = traces(plot_exposure(BOOK, limits=[NET, GROSS, MaxLeverage(2)]))
    assert bar(found["gross"]) == {"USD": 155_000, "EUR": 125_000}
    assert bar(found["net"]) == {"USD": 155_000, "EUR": -100_000}
    beyond = found["net, beyond its limit"]
    assert (bar(beyond), list(beyond.base), beyond.marker.color) == ({"EUR": -25_000}, [-100_000], RED)
    strokes = list(zip(found["net limit"].y, found["net limit"].x, strict=True))
    assert strokes == [("USD", 200_000), ("USD", -200_000), ("EUR", 100_000), ("EUR", -100_000)]
    assert bar(found["gross limit"]) == {"USD": 2 * BOOK.equity, "EUR": 2 * BOOK.equity}


def test_beside_each_group_stands_what_it_is_and_how_much_of_its_limit_that_uses() -> None:
    figure = plot_exposure(BOOK, limits=[NET, GROSS])
    assert labels(figure) == ["155,000 net · 78 % of net limit", "-125,000 net · 125 % of net limit"]
    assert [note.font.color == RED for note in figure.layout.annotations if note.name == LABEL] == [False, True]
    assert labels(plot_exposure(BOOK)) == ["155,000 net", "-125,000 net"]


def test_groups_by_a_tag_of_the_instruments() -> None:
    oil, bank = wb.Instrument("XOM", tags={"sector": "energy"}), wb.Instrument("JPM", tags={"sector": "banks"})
    held = wb.Portfolio("USD", 0.0, {oil: 3, bank: -1}, {"XOM": 100.0, "JPM": 50.0})
    figure = plot_exposure(held, "sector", MaxExposure(400, by="sector"))
    assert labels(figure) == ["300 net · 75 % of net limit", "-50 net · 12 % of net limit"]


def test_without_limits_there_are_bars_alone() -> None:
    assert list(traces(plot_exposure(BOOK))) == ["gross", "net"]
    assert list(traces(plot_exposure(BOOK, "asset_class", limits=NET))) == ["gross", "net"]


def test_a_result_shows_how_far_each_group_went_and_its_lines_over_time() -> None:
    figure = plot_exposure(RESULT)
    lines = [trace for trace in figure.data if trace.type == "scatter" and trace.mode == "lines"]
    assert [line.name for line in lines] == ["EUR", "USD", *["limit of EUR"] * 2, *["limit of USD"] * 2]
    exposure = RESULT.exposure()
    assert list(lines[0].y) == exposure["EUR"].tolist()
    assert set(lines[2].y) | set(lines[3].y) == {100_000, -100_000}
    bars = bar(traces(figure)["net"])["EUR"] + bar(traces(figure)["net, beyond its limit"])["EUR"]
    assert bars == exposure["EUR"].min()


def test_limits_of_equity_move_with_it_and_gross_has_a_panel() -> None:
    figure = plot_exposure(RESULT, limits=GROSS)
    (limit,) = [trace for trace in figure.data if trace.name == "limit of each"]
    assert list(limit.y) == (RESULT.equity * 2).tolist()
    assert [note.text for note in figure.layout.annotations if note.name != LABEL][1:] == ["Net, at each close", "Gross, at each close"]
    assert labels(figure)[-1] == f"limit of each: {RESULT.equity.iloc[-1] * 2:,.0f}"


def test_of_many_groups_the_largest_are_drawn_and_it_is_said() -> None:
    names = [wb.Instrument(f"S{k}") for k in range(MOST_GROUPS + 3)]
    held = wb.Portfolio("USD", 0.0, {one: k + 1 for k, one in enumerate(names)}, {one.symbol: 10.0 for one in names})
    figure = plot_exposure(held, "instrument")
    assert next(iter(bar(traces(figure)["gross"]))) == f"S{MOST_GROUPS + 2}"
    assert len(bar(traces(figure)["gross"])) == MOST_GROUPS
    assert f"({MOST_GROUPS} of {MOST_GROUPS + 3})" in figure.layout.annotations[0].text


def test_an_empty_book_is_a_picture_too() -> None:
    assert not plot_exposure(wb.Portfolio("USD", 10.0)).data
    assert "nothing is held" in plot_risk_contribution(wb.Portfolio("USD", 10.0), market([100] * 5)).layout.title.text


# -- contributions ----------------------------------------------------------------------------------------------------


def test_each_position_is_a_bar_and_a_hedge_has_another_colour() -> None:
    bars = market({SHARE: [100, 110, 99], CONTRACT: [100, 110, 99]})
    held = wb.Portfolio("USD", 0.0, {SHARE: 3, CONTRACT: -1}, {"ABC": 100.0, "FUT": 100.0})
    figure = plot_risk_contribution(held, bars, window=2)
    found, deviation = traces(figure), float(np.std([0.1, -0.1], ddof=1))
    assert bar(found["in the book"]) == pytest.approx({"FUT": -100 * deviation, "ABC": 300 * deviation})
    assert list(found["in the book"].text) == ["-50 %", "150 %"]
    assert len(set(found["in the book"].marker.color)) == 2
    assert f"{200 * deviation:,.2f} USD in all" in figure.layout.title.text


# -- the managers -----------------------------------------------------------------------------------------------------


def test_every_manager_has_a_panel_with_its_state_its_limit_and_its_cuts() -> None:
    figure = plot_risk(RESULT)
    titles = [note.text for note in figure.layout.annotations if note.name != LABEL]
    assert titles[0] == "MaxLeverage: gross notional over equity (2 cuts)"
    assert titles[1] == "MaxExposure: net exposure of the fullest currency, share of its limit (2 cuts, beyond its limit at 2 closes)"
    state, limit, cuts = figure.data[:3]
    assert list(state.y)[:2] == [0.0, pytest.approx(RESULT.exposure()["EUR"].iloc[1] / 1e5)]
    assert list(limit.y) == [2, 2]
    assert pd.DatetimeIndex(cuts.x, tz="UTC").tolist() == [RESULT.bars.index[0], RESULT.bars.index[2]]
    assert cuts.hovertext[0].endswith("00:00 UTC · EURUSD: 2.0 -> 1.6")
    assert figure.data[3].customdata[1] == "EUR"


def test_each_limit_has_its_number_beside_it_and_what_lies_beyond_is_shaded() -> None:
    figure = plot_risk(RESULT)
    assert [(note.text, note.yref) for note in figure.layout.annotations if note.name == LABEL] == [("2 x", "y"), ("100 %", "y2")]
    (shade,) = [trace for trace in figure.data if trace.name == "beyond its limit"]
    measured = state_of(NET, RESULT).measure
    assert list(shade.y) == measured.clip(lower=100).tolist()
    assert measured.max() > 100


def test_the_legend_names_each_kind_of_line_once() -> None:
    named = [trace.name for trace in plot_risk(RESULT).data if trace.showlegend]
    assert sorted(named) == ["beyond its limit", "cut an opening", "limit", "measured"]


def test_a_strategy_without_managers_is_refused() -> None:
    with pytest.raises(ParameterError, match="no risk managers to draw"):
        plot_risk(both(plan("+.."), market({OTHER: [1, 1, 1]})))

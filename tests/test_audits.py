"""The laws as calls: what `check_causality` and `check_parity` say, and whom they refuse."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pandas as pd
import pytest
from worked import Stop, market, plan

import workbench as wb
from workbench.errors import CausalityError, ParameterError
from workbench.research import audits
from workbench.research.audits import CUTS, CausalityReport, ParityReport

BARS = wb.simulate(["A", "B"], bars=300, seed=6)
CROSS = wb.Strategy(wb.signals.MovingAverageCross(3, 9), exits=[wb.exits.AtrStop(5)])


class Tomorrow(wb.signals.SignalGenerator):
    """Looks one bar ahead."""

    def generate(self, bars: wb.Bars) -> pd.DataFrame:
        return np.sign(bars.close.shift(-1) - bars.close)


class Widest(wb.exits.Exit):
    """Knows the widest bar of all."""

    def distance(self, bars: wb.Bars) -> pd.DataFrame:
        return bars.close * 0 + (bars.high - bars.low).max()


class Tenth(wb.sizing.PositionSizer):
    """A sizer that is not compiled."""

    def size(self, signal: float, portfolio: Any, market: Any) -> float:
        return float(0.1 * portfolio.equity / market.price)


# -- causality --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", [wb.signals.Breakout(), wb.exits.AtrStop(), CROSS], ids=["signal", "exit", "strategy"])
def test_what_does_not_look_ahead_passes(part: wb.Component) -> None:
    report = wb.check_causality(part, BARS)
    assert report.passed
    assert report.failures.columns.tolist() == ["component", "time", "expected", "got"]
    assert 80 < report.checked <= CUTS + 1
    report.require()


@pytest.mark.parametrize(
    ("part", "name"),
    [
        (Tomorrow(), "Tomorrow"),
        (Widest(), "Widest"),
        (wb.Strategy(Tomorrow()), "Tomorrow"),
        (wb.Strategy(wb.signals.Breakout(), exits=[Widest()]), "Widest"),
    ],
    ids=["signal", "exit", "strategy by its signal", "strategy by its exit"],
)
def test_what_looks_ahead_is_named(part: wb.Component, name: str) -> None:
    report = wb.check_causality(part, BARS)
    assert not report.passed
    assert set(report.failures["component"]) == {name}
    with pytest.raises(CausalityError, match=f"{name} looks ahead: at 2024-01-01 .* with later bars and .* without them"):
        report.require()


def test_a_failure_has_both_values() -> None:
    bars = market([100, 101, 99] * 20)
    found = wb.check_causality(Tomorrow(), bars, seed=3).failures
    assert len(found) > 20
    assert found["expected"].tolist() == np.sign(bars.close["ABC"].shift(-1) - bars.close["ABC"])[found["time"]].tolist()
    assert found["got"].isna().all()


def test_as_many_steps_are_tried_as_were_asked_for() -> None:
    assert wb.check_causality(Tomorrow(), market([100, 101, 99])).checked == 3
    assert wb.check_causality(wb.signals.Breakout(), BARS.iloc[:100], cuts=100).checked == 100


def test_the_last_step_is_always_tried() -> None:
    tried: list[int] = []

    class Watching(wb.signals.Breakout):
        def generate(self, bars: wb.Bars) -> pd.DataFrame:
            tried.append(len(bars))
            return super().generate(bars)

    report = wb.check_causality(Watching(3), BARS, cuts=5, seed=1)
    assert tried[0] == tried[-1] == 300
    assert report.checked == len(tried) - 1 <= 6
    again = [len(tried), wb.check_causality(Watching(3), BARS, cuts=5, seed=1), len(tried)]
    assert tried[: report.checked + 1] == tried[again[0] :]


@pytest.mark.parametrize(
    ("part", "bars", "said"),
    [
        (wb.sizing.FixedQuantity(), BARS, "check_causality takes a signal, an exit, a feature, a strategy or a team, got FixedQuantity"),
        (wb.signals.Breakout(), BARS.iloc[:1], "check_causality needs at least two bars, got 1"),
        (wb.signals.Breakout, BARS, "check_causality takes a signal, an exit, a feature, a strategy or a team, got "),
    ],
    ids=["sizer", "one bar", "a class"],
)
def test_a_wrong_question_gets_a_sentence(part: Any, bars: wb.Bars, said: str) -> None:
    with pytest.raises(ParameterError) as caught:
        wb.check_causality(part, bars)
    assert said in str(caught.value)


def test_a_report_of_causality_in_words() -> None:
    assert repr(wb.check_causality(wb.signals.Breakout(), BARS, cuts=3)).startswith("causality: passed, ")
    failed = CausalityReport(pd.DataFrame([("X", 1, 2.0, 3.0)], columns=["component", "time", "expected", "got"]), 9)
    assert repr(failed).startswith("causality: FAILED at 1 values\ncomponent")


# -- parity -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("strategy", "engines"),
    [(CROSS, ("kernel (plain)", "session")), (wb.Strategy(wb.signals.MovingAverageCross(3, 9), Tenth()), ("session", "session"))],
    ids=["compiled", "own sizer"],
)
def test_research_and_replay_agree(strategy: wb.Strategy, engines: tuple[str, str]) -> None:
    report = wb.check_parity(strategy, BARS)
    assert report.differences.empty
    assert report.engines == engines
    assert report.orders == len(wb.backtest(strategy, BARS).orders) > 20
    assert report.recomputed == CUTS


def test_every_option_of_a_backtest_is_taken() -> None:
    options = {
        "cash": 5000,
        "costs": wb.execution.Costs(commission=0.01),
        "currency": "EUR",
        "rates": {"EURUSD": 1.25},
        "buying_power": False,
    }
    report = wb.check_parity(CROSS, BARS, **options, cuts=7)
    assert report.differences.empty
    assert report.recomputed == 7
    assert report.orders == len(wb.backtest(CROSS, BARS, **options).orders)


def test_what_looks_ahead_differs_when_recomputed() -> None:
    report = wb.check_parity(wb.Strategy(Tomorrow()), BARS, cuts=20)
    assert set(report.differences["what"]) == {"recomputed"}
    assert set(report.differences["field"]) == {"stance"}
    assert set(report.differences["symbol"]) <= {"A", "B"}
    assert "differences in" in repr(report)
    assert "recomputed" in repr(report)


def test_a_stop_that_looks_ahead_differs_by_its_name() -> None:
    report = wb.check_parity(wb.Strategy(wb.signals.Breakout(5), exits=[Widest()]), BARS, cuts=20)
    assert set(report.differences["field"]) == {"stop"}


def test_a_difference_of_the_engines_is_named_by_its_order(monkeypatch: pytest.MonkeyPatch) -> None:
    session = audits.run_session

    def worse(setup: Any) -> Any:
        record = session(setup)
        fills = record.fills.copy()
        fills["price"][0] += 0.01
        return dataclasses.replace(record, fills=fills)

    monkeypatch.setattr(audits, "run_session", worse)
    found = wb.check_parity(plan("+.", exits=[Stop(5.0)]), market([100, 100])).differences
    assert found[["what", "symbol", "leg", "field"]].to_numpy().tolist() == [["fill", "ABC", "open", "price"]]
    assert found["got"][0] == found["expected"][0] + 0.01


@pytest.mark.parametrize("wrong", [{"strategy": wb.signals.Breakout()}, {"bars": None}, {"cash": -1}], ids=["strategy", "bars", "cash"])
def test_a_wrong_parity_check_gets_a_sentence(wrong: dict[str, Any]) -> None:
    given = {"strategy": CROSS, "bars": BARS} | wrong
    with pytest.raises(ParameterError, match=r"expected (a )?wb\.|cash must be"):
        wb.check_parity(given.pop("strategy"), given.pop("bars"), **given)


def test_a_report_of_parity_in_words_and_for_the_notebook() -> None:
    good = ParityReport(pd.DataFrame(), 52, 100, ("kernel", "session"))
    assert repr(good) == "parity: 0 differences in 52 orders (kernel against session)"
    assert "<table" not in good._repr_html_()
    bad = ParityReport(pd.DataFrame({"what": ["<fill>"]}), 52, 100, ("kernel", "session"))
    assert repr(bad).splitlines()[0] == "parity: 1 differences in 52 orders (kernel against session)"
    assert "&lt;fill&gt;" in bad._repr_html_()
    assert "parity: 1 differences in 52 orders" in bad._repr_html_()


@pytest.mark.parametrize("check", [wb.check_causality, wb.check_lookback], ids=lambda check: check.__name__)
def test_what_is_no_part_and_no_bars_gets_a_sentence(check: Any) -> None:
    for given, sentence in (
        ((BARS, CROSS), "the part comes first, then the bars"),
        ((CROSS, BARS.close), "expected wb.Bars, got DataFrame"),
        (("cross", BARS), "takes a signal, an exit, a feature, a strategy or a team, got str"),
    ):
        with pytest.raises(ParameterError, match=sentence):
            check(*given)

"""The benchmarks' own data and loops: known bytes, known answers, and the package agrees with them. Nothing is timed here."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import workbench as wb
from benchmarks import __main__ as table
from benchmarks import answers, cold, data, learning, limits, live, loops, peers, rules, scaling, sweeps
from benchmarks.loops import Answer
from benchmarks.timing import Disagreement, Line, Taken, agree, in_turn
from benchmarks.warm import quiet

BARS = 20_000
CROSS, RISK = Answer(287, 0, 999_418.1848521004), Answer(287, 135, 933_089.875644713)
RULES = [
    pytest.param(rules.cross, rules.CROSS_FEE, answers.cross_answer, CROSS, id="A"),
    pytest.param(rules.risk, rules.RISK_FEE, answers.risk_answer, RISK, id="D"),
]


@pytest.fixture(scope="module")
def minutes() -> pd.DataFrame:
    return data.minutes(BARS)


def test_the_data_are_the_same_bytes_everywhere(minutes: pd.DataFrame) -> None:
    assert data.digest(minutes) == "de3704589fd84e21"


def test_a_shorter_walk_is_the_beginning_of_a_longer_one(minutes: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(data.minutes(500), minutes.iloc[:500], check_freq=False)


def test_every_bar_holds_its_open_and_close(minutes: pd.DataFrame) -> None:
    body = minutes[["open", "close"]]
    assert (minutes["high"] >= body.max(axis=1)).all()
    assert (minutes["low"] <= body.min(axis=1)).all()
    assert (minutes["low"] > 0).all()


def test_each_symbol_walks_for_itself() -> None:
    days = data.daily(symbols=3, length=50)
    assert list(days) == ["S000", "S001", "S002"]
    assert len({data.digest(frame) for frame in days.values()}) == 3


@pytest.mark.parametrize(("strategy", "fee", "answer", "known"), RULES)
def test_the_loop_gives_the_known_answer(strategy: object, fee: float, answer: object, known: Answer, minutes: pd.DataFrame) -> None:
    assert answer(minutes, machine=False) == pytest.approx(known)  # type: ignore[operator]


@pytest.mark.parametrize(("strategy", "fee", "answer", "known"), RULES)
def test_the_backtest_agrees_with_the_loop(strategy: object, fee: float, answer: object, known: Answer, minutes: pd.DataFrame) -> None:
    bars = rules.bars_of({"X": minutes}, "1min")
    result = wb.backtest(strategy(), bars, cash=rules.CASH, costs=rules.costs(fee))  # type: ignore[operator]
    assert rules.answer_of(result) == pytest.approx(known, rel=1e-12)


def test_the_order_within_a_bar_matters(minutes: pd.DataFrame) -> None:
    theirs = answers.risk_answer(minutes, machine=False, their_order=True)
    assert theirs.trades == RISK.trades
    assert theirs.stops > RISK.stops


def test_fresh_bars_remember_nothing(minutes: pd.DataFrame) -> None:
    bars = rules.bars_of({"X": minutes.iloc[:100]}, "1min")
    again = rules.fresh(bars)
    assert again is not bars
    assert again.fingerprint == bars.fingerprint


def test_different_results_are_refused() -> None:
    agree("same", (1.0, 2.0), (1.0, 2.0 + 1e-12))
    with pytest.raises(Disagreement, match="one trade more: got"):
        agree("one trade more", (14, 5.0), (13, 5.0))


def test_calls_are_timed_in_turn() -> None:
    called: list[str] = []
    taken = in_turn({"a": lambda: called.append("a"), "b": lambda: called.append("b")}, rounds=3)
    assert called == ["a", "b"] * 4
    assert len(taken["a"].seconds) == 3
    assert 0 <= taken["b"].best <= taken["b"].median


def test_a_process_is_measured(tmp_path: Path) -> None:
    measured = cold.run("print('equity', 1.5)", tmp_path)
    assert measured.equity == 1.5
    assert 1 < measured.megabytes < 100
    assert measured.seconds > 0


# -- sweeps -----------------------------------------------------------------------------------------------------------


FASTS, SLOWS = (3, 10), (20, 50, 80)
WINDOWS = [(fast, slow) for fast in FASTS for slow in SLOWS]


def test_the_loop_over_pairs_is_the_loop_pair_by_pair(minutes: pd.DataFrame) -> None:
    few = minutes.iloc[:1_500]
    found, (first, close) = sweeps.loop_found(few, WINDOWS, machine=False)(), answers.columns(few, "open", "close")
    for k, windows in enumerate(WINDOWS):
        alone = loops.account(first, close, loops.stances(close, *windows), rules.CASH, rules.CROSS_FEE, 1.0)
        assert (found.trades[k], found.equity[k]) == (alone[0], alone[2])
    assert found.trades[WINDOWS.index((10, 50))] == answers.cross_answer(few, machine=False).trades > 0


def test_the_sweep_agrees_with_the_loop_for_every_pair(minutes: pd.DataFrame) -> None:
    few = minutes.iloc[:3_000]
    sweeps.same(sweeps.our_found(few, FASTS, SLOWS)(), sweeps.loop_found(few, WINDOWS, machine=False)(), "sweep")
    wrong = sweeps.loop_found(few, WINDOWS, machine=False)()
    with pytest.raises(Disagreement, match="sweep, trades"):
        sweeps.same(wrong._replace(trades=wrong.trades + 1), wrong, "sweep")


def test_all_pairs_of_the_benchmark_are_strategies() -> None:
    assert len(sweeps.PAIRS) == len(set(sweeps.PAIRS)) == 1_000
    assert all(fast < slow for fast, slow in sweeps.PAIRS + sweeps.OWN)
    assert len(sweeps.OWN) == 60


def test_a_signal_of_ones_own_gives_the_same_equity_in_a_sweep_as_alone() -> None:
    swept, alone, ratio = sweeps.own_signal([(5, 20), (8, 30)], bars=400, rounds=1)
    assert ratio.median == swept.median / alone.median
    assert ratio.met is (ratio.median <= 1.3)


def test_backtesting_py_takes_other_windows(minutes: pd.DataFrame) -> None:
    with quiet():
        test = peers.backtesting_py(minutes.iloc[:1_500], None, rules.CASH, rules.CROSS_FEE)
        few, many = (test.run(windows=windows)["# Trades"] for windows in ((40, 200), (3, 20)))
    assert 0 < few < many


# -- machine learning, and growth -------------------------------------------------------------------------------------


def test_the_walk_forward_is_bare_scikit_learn_stance_by_stance(minutes: pd.DataFrame) -> None:
    bars, (recipe, _) = rules.bars_of({"X": minutes.iloc[:1_600]}, "1min"), learning.recipes()["scaler and logistic regression"]
    walked, bare = learning.walk(recipe, bars, folds=3), learning.bare(recipe, bars, folds=3)
    assert learning.same_stances(walked, bare) == 1_200
    with pytest.raises(Disagreement, match="fold 1, stances"):
        learning.same_stances(walked, [bare[0], 1.0 - bare[1], bare[2]])


def test_a_grid_has_as_many_pairs_as_it_says() -> None:
    for size in scaling.COMBINATIONS:
        grid = scaling.grid_of(size)
        assert len(grid["signal__fast"]) * len(grid["signal__slow"]) == size
        assert max(grid["signal__fast"]) < min(grid["signal__slow"])


@pytest.mark.parametrize("calls", [scaling.bars((100, 200)), scaling.symbols((1, 2), 100)], ids=["bars", "symbols"])
def test_what_grows_is_what_is_backtested(calls: scaling.Calls) -> None:
    sizes = [len(call().bars) * len(call().bars.symbols) for call in calls.values()]  # type: ignore[attr-defined]
    assert sizes == [100, 200]


def test_the_slope_is_one_where_the_cost_is_in_proportion() -> None:
    assert scaling.slope({10: Taken((0.1,)), 100: Taken((1.0,)), 1_000: Taken((10.0,))}) == pytest.approx((1.0, 1.0))
    assert scaling.slope({10: Taken((1.0,)), 100: Taken((1.0,)), 1_000: Taken((100.0,))}) == pytest.approx((1.0, 2.0))


# -- limits -----------------------------------------------------------------------------------------------------------

LOSSES = limits.loss_limits(limit=0.005, window=40)


@pytest.mark.parametrize("compiled", [False, True], ids=["plain", "compiled"])
@pytest.mark.parametrize("part", LOSSES.values(), ids=LOSSES)
def test_numpy_allows_of_each_opening_what_the_limit_allowed(part: wb.risk.ValueAtRisk, compiled: bool) -> None:
    setup = limits.book(part, symbols=40, days=70)
    asked = limits.decided(setup, compiled, range(40, 70))
    assert limits.same_rooms("a small book", setup, asked, 40) == len(asked) > 500
    assert sum(0 < one.allowed < one.asked for one in asked) > 50
    assert sum(one.allowed == one.asked for one in asked) > 50


def test_another_quantity_is_refused() -> None:
    setup = limits.book(LOSSES["ValueAtRisk, historical"], symbols=5, days=60)
    asked = limits.decided(setup, False, range(40, 60))
    wrong = asked[-1]._replace(allowed=asked[-1].allowed * (1 + 1e-6))
    with pytest.raises(Disagreement, match=r"a small book, step 59, S00\d: got"):
        limits.same_rooms("a small book", setup, [*asked[:-1], wrong], 40)


def test_the_book_of_a_decision_holds_what_was_decided_before_it() -> None:
    setup = limits.book(LOSSES["ExpectedShortfall, gaussian"], symbols=6, days=50)
    asked = limits.decided(setup, False, [45])
    for earlier, later in pairwise(asked):
        assert earlier.held[earlier.j] == later.held[later.j] == 0.0
        assert later.held[earlier.j] == pytest.approx(earlier.side * earlier.allowed, rel=1e-6)


def test_limits_far_away_change_no_order(minutes: pd.DataFrame) -> None:
    bars = limits.mixed(dict.fromkeys(("A", "B", "C", "D"), minutes.iloc[:600]), "1min")
    lines, said = limits.kernel("few bars", rules.cross(), bars, rounds=1)
    assert [line.who for line in lines].count("ratio") == len(limits.chains()) - 1
    assert "few bars" in said


# -- live -------------------------------------------------------------------------------------------------------------


def test_live_steps_are_timed_from_the_bar_to_the_order() -> None:
    lines, said = live.measure(history=60, steps=80, wide=3)
    assert [line.unit for line in lines] == ["ms"] * len(lines)
    assert all(0.0 < line.best <= line.median or line.who == "workbench" for line in lines)
    assert "of 80 steps sent an order" in said[0]
    assert live.percentile([3.0, 1.0, 2.0], 0.5) == 2.0


def test_a_day_is_replayed_to_the_kernels_equity() -> None:
    lines, said = live.day(symbols=4, hours=2)
    assert lines[0].median > 0.0
    assert "a day of 4 symbols" in said[0]


# -- the table --------------------------------------------------------------------------------------------------------


def test_the_table_says_whether_a_target_is_met() -> None:
    line = Line("kernel", "alone", "workbench", 38.0, 51.25, "M bars/s", ">= 40 M bars/s", False)
    assert table.cells(line) == ("kernel", "alone", "workbench", "38.0 M bars/s", "51.2 M bars/s", ">= 40 M bars/s", "NO")
    assert "NO" in table.text([line]).splitlines()[1]
    assert json.loads(json.dumps(line.to_dict()))["median"] == 38.0


def measured(line: Line, *said: str) -> dict[str, Any]:
    return {"machine": table.machine(), "lines": [line.to_dict()], "agreement": list(said)}


def test_the_page_holds_the_machine_and_what_agreed() -> None:
    page = table.markdown({"cold": measured(Line("cold", "import", "workbench", 0.02, 0.02, "s", note="once"), "A: equal")})
    assert "## Cold start\n" in page
    assert "| cold | import | workbench | 0.020 s | 0.020 s |" in page
    assert "- A: equal\n- workbench: once\n" in page
    assert str(Path.home()) not in page


def test_a_part_alone_is_written_beside_the_others(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(table, "REPORT", tmp_path / "results.json")
    monkeypatch.setattr(table, "PAGE", tmp_path / "RESULTS.md")
    cold = measured(Line("cold", "import", "workbench", 0.02, 0.02, "s"))
    table.REPORT.write_text(json.dumps({"cold": cold}))
    monkeypatch.setitem(table.PARTS, "limits", ("limits", lambda: ([Line("limits", "alone", "workbench", 2.0, 3.0, "x")], ["equal"])))
    table.main(["limits"])
    assert "- equal" in capsys.readouterr().out
    report = json.loads(table.REPORT.read_text())
    assert report["cold"] == cold
    assert report["limits"]["lines"][0]["median"] == 2.0
    assert table.PAGE.read_text() == table.markdown(report)
    with pytest.raises(SystemExit, match="no part is named 'limit'; there are cold, answers"):
        table.main(["limit"])


def test_the_page_that_is_kept_is_what_the_figures_say() -> None:
    assert table.PAGE.read_text() == table.markdown(json.loads(table.REPORT.read_text()))


def test_no_shared_folder_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORKBENCH_SHARED", raising=False)
    assert "not compared" in answers.shared_answers()[0]

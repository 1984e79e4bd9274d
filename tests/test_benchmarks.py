"""The benchmarks' own data and loops: known bytes, known answers, and the package agrees with them. Nothing is timed here."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

import workbench as wb
from benchmarks import __main__ as table
from benchmarks import answers, cold, data, rules
from benchmarks.loops import Answer
from benchmarks.timing import Disagreement, Line, agree, in_turn

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


def test_the_table_says_whether_a_target_is_met() -> None:
    line = Line("kernel", "alone", "workbench", 38.0, 51.25, "M bars/s", ">= 40 M bars/s", False)
    assert table.cells(line) == ("kernel", "alone", "workbench", "38.0 M bars/s", "51.2 M bars/s", ">= 40 M bars/s", "NO")
    assert "NO" in table.text([line]).splitlines()[1]
    assert json.loads(json.dumps(line.to_dict()))["median"] == 38.0


def test_the_page_holds_the_machine_and_what_agreed() -> None:
    page = table.markdown([Line("cold", "import", "workbench", 0.02, 0.02, "s")], ["A: equal"], table.machine())
    assert "| cold | import | workbench | 0.020 s | 0.020 s |" in page
    assert "- A: equal" in page
    assert str(Path.home()) not in page


def test_no_shared_folder_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORKBENCH_SHARED", raising=False)
    assert "not compared" in answers.shared_answers()[0]

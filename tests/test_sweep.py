"""A sweep: every combination as its own backtest would be, whoever runs it, and taken up again where it was interrupted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest

import workbench as wb
from workbench.errors import ParameterError
from workbench.research import parallel
from workbench.research.parallel import chunk_size
from workbench.research.surface import heat_map
from workbench.research.sweep import combinations
from workbench.sizing import FixedFraction, FixedQuantity, RiskPercent

BARS = wb.simulate("SIM", bars=600, interval="1h", seed=3)
STRATEGY = wb.Strategy(wb.signals.MovingAverageCross(5, 20), exits=[wb.exits.AtrStop(5)])
GRID = {"signal__fast": [3, 5, 8], "signal__slow": [20, 30]}


def own_signal() -> Any:
    """Return a user's own signal, of a class that no other process can import: as one from a notebook's cell."""

    class Above(wb.signals.SignalGenerator):
        window: int = 5

        def generate(self, bars: wb.Bars) -> pd.DataFrame:
            return np.sign(bars.close - bars.close.rolling(self.window).mean())

    return Above()


def swept(strategy: wb.Strategy = STRATEGY, parameters: Any = GRID, bars: wb.Bars = BARS, **options: Any) -> Any:
    return wb.sweep(strategy, bars, parameters, progress=False, **options)


def require_same(left: pd.DataFrame, right: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(pd.DataFrame(left), pd.DataFrame(right), check_exact=True)


def test_each_row_is_the_backtest_of_its_strategy() -> None:
    found = swept(cash=50_000.0)
    assert found[["signal__fast", "signal__slow"]].to_numpy().tolist() == [[f, s] for f in (3, 5, 8) for s in (20, 30)]
    for row in found.index:
        stats = wb.backtest(found.strategy(row), BARS, cash=50_000.0).stats
        for name in found.columns.drop(found.parameters):
            assert found[name][row] == pytest.approx(stats[name], rel=0, abs=0, nan_ok=True), name


def test_whole_parts_are_tried_too() -> None:
    found = swept(parameters={"sizer": [FixedFraction(0.5), RiskPercent(0.02)], "signal__fast": [3, 5]})
    assert found["sizer"].tolist() == ["FixedFraction(fraction=0.5)"] * 2 + ["RiskPercent(risk=0.02)"] * 2
    assert found.strategy(2).sizer.risk == 0.02
    assert found["end equity"].nunique() == 4


def test_the_strategy_that_is_varied_stays_as_it_was() -> None:
    before = repr(STRATEGY)
    swept()
    assert repr(STRATEGY) == before


def test_combinations_that_make_no_strategy_are_told_and_left_out() -> None:
    found = swept(parameters={"signal__fast": [5, 30], "signal__slow": [20, 40]})
    assert found.index.tolist() == [0, 1, 3]
    assert found.refused.index.tolist() == [2]
    assert "fast must be at least 1 bar and below slow, got fast=30, slow=20" in found.refused["reason"][2]


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        (
            {"signal__fsat": [5]},
            "no combination makes a strategy; the first: MovingAverageCross has no parameter 'fsat'; did you mean 'fast'?",
        ),
        (
            {"fast": [5]},
            "no combination makes a strategy; the first: Strategy has no parameter 'fast'; did you mean 'signal__fast'?",
        ),
        ({"signal__fast": []}, "signal__fast has no value to try"),
        ({"signal__fast": 5}, "signal__fast takes a list of values to try, got 5"),
        ({"signal__fast": "57"}, "signal__fast takes a list of values to try, got '57'"),
        ([("signal__fast", [5])], "parameters are values to try by name, {'signal__fast': [5, 10]}, got ('signal__fast', [5])"),
        (5, "parameters are values to try by name, {'signal__fast': [5, 10]}, got 5"),
        (
            {"signal__fast": np.array([[1, 2]])},
            "no combination makes a strategy; the first: MovingAverageCross.fast must be int, got array([1, 2]) (ndarray)",
        ),
    ],
    ids=["unknown", "of a part", "none", "a number", "a text", "a pair", "no grid", "rows of an array"],
)
def test_a_grid_that_cannot_be_is_refused(parameters: Any, sentence: str) -> None:
    with pytest.raises(ParameterError) as refused:
        swept(parameters=parameters)
    assert str(refused.value) == sentence


def test_combinations_turn_the_last_parameter_fastest_and_follow_each_other() -> None:
    found = combinations([{"a": [1, 2], "b": range(2)}, {"a": np.array([7])}])
    assert found == [{"a": 1, "b": 0}, {"a": 1, "b": 1}, {"a": 2, "b": 0}, {"a": 2, "b": 1}, {"a": 7}]
    assert type(found[-1]["a"]) is int


def test_a_row_that_is_not_there_is_no_strategy() -> None:
    found = swept(parameters={"signal__fast": [3, 30]})
    for row, said in ((-1, "is none of the 2"), (2, "is none of the 2"), (1, "made no strategy")):
        with pytest.raises(ParameterError, match=f"candidate {row} {said}"):
            found.strategy(row)


def test_a_model_that_does_not_fit_is_told_and_left_out() -> None:
    strategy = wb.Strategy(wb.signals.Classifier.example())
    found = swept(strategy, {"signal__features": [strategy.signal.features, [wb.features.Returns(5)]]})
    assert list(found.index) == [0]
    assert "these are not the features of the model" in found.refused["reason"][1]


def test_the_best_is_a_strategy() -> None:
    found = swept()
    assert found.best("end equity").signal.get_params() == {
        name.removeprefix("signal__"): found[name][found["end equity"].idxmax()] for name in found.parameters
    }
    assert found.best("max drawdown %", most=False).signal.fast == found["signal__fast"][found["max drawdown %"].idxmin()]
    with pytest.raises(ParameterError, match="no column 'sharp'; did you mean 'Sharpe'"):
        found.best("sharp")


@pytest.mark.parametrize("backend", ["sequential", "threading", "loky"])
def test_who_runs_it_changes_nothing(monkeypatch: pytest.MonkeyPatch, backend: str) -> None:
    monkeypatch.setattr(parallel, "_backend", lambda *_: backend)
    monkeypatch.setattr(parallel, "chunk_size", lambda *_: 1)
    strategy = wb.Strategy(own_signal(), FixedQuantity(3))
    grid = {"signal__window": [3, 5, 9, 20, 40]}
    require_same(
        swept(strategy, grid, jobs=2),
        pd.concat([pd.DataFrame(swept(strategy, {"signal__window": [w]})) for w in grid["signal__window"]]).set_axis(
            pd.RangeIndex(5, name="candidate")
        ),
    )


def test_a_backend_that_the_user_chose_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = swept(jobs=1)
    monkeypatch.setattr(parallel, "_backend", lambda *_: pytest.fail("the user has chosen"))
    with joblib.parallel_config(backend="threading", n_jobs=2):
        require_same(swept(), expected)


@pytest.mark.parametrize(
    ("count", "jobs", "cost", "expected"),
    [(1000, 2, 0.002, 125), (1000, 2, 0.05, 10), (1000, 8, 0.0001, 32), (5, 8, 3.0, 1), (9_000, 2, 0.0, 250)],
    ids=["a share", "half a second", "many workers", "long ones", "at most"],
)
def test_a_task_holds_half_a_second_of_work(count: int, jobs: int, cost: float, expected: int) -> None:
    assert chunk_size(count, jobs, cost) == expected


def test_what_makes_no_strategy_does_not_make_the_rest_seem_quick(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[int] = []
    monkeypatch.setattr(parallel, "chunk_size", lambda count, jobs, cost: told.append(count) or count)
    found = swept(parameters={"signal__slow": [4, 20, 30, 40], "signal__fast": [5, 6]}, jobs=1)
    assert found.refused.index.tolist() == [0, 1]
    assert told == [8 - 2 - parallel.ALONE]


def test_the_pieces_are_for_the_workers_that_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[int] = []
    monkeypatch.setattr(parallel, "chunk_size", lambda count, jobs, cost: told.append(jobs) or 1)
    for jobs in (None, 3):
        with joblib.parallel_config(backend="threading", n_jobs=5):
            swept(jobs=jobs)
    assert told == [5, 3]


@pytest.mark.parametrize("jobs", [0, -2])
def test_a_number_of_workers_that_cannot_be_is_refused(jobs: int) -> None:
    with pytest.raises(ParameterError, match=f"jobs must be at least 1, or -1 for all processors, got {jobs}"):
        swept(jobs=jobs)


# -- counted, and taken up again --------------------------------------------------------------------------------------


def test_every_candidate_is_counted_once(tmp_path: Path) -> None:
    study = wb.validation.Study(tmp_path / "study.jsonl")
    swept(study=study)
    swept(study=tmp_path / "study.jsonl", parameters=GRID | {"signal__slow": [30, 40]})
    assert len(study) == 9
    assert 0 <= study.deflated(wb.backtest(swept().best(), BARS)) <= 1


def test_an_interrupted_sweep_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept, ran = tmp_path / "deep" / "sweep.jsonl", []
    one = parallel.Task._one

    def counted(self: Any, base: Any, values: Any, *more: Any) -> Any:
        ran.append(values)
        if len(ran) == 4:
            raise KeyboardInterrupt
        return one(self, base, values, *more)

    monkeypatch.setattr(parallel.Task, "_one", counted)
    with pytest.raises(KeyboardInterrupt):
        swept(resume=kept, jobs=1)
    done = len(kept.read_text().splitlines()) - 1
    again = swept(resume=kept, jobs=1)
    assert (done, len(ran)) == (3, 4 + 3)
    require_same(again, swept())
    require_same(swept(resume=kept), again)


def test_a_torn_line_is_done_again(tmp_path: Path) -> None:
    kept = tmp_path / "sweep.jsonl"
    whole = swept(resume=kept)
    text = kept.read_text()
    kept.write_text(text[: len(text) - 40])
    require_same(swept(resume=kept), whole)
    assert sum("figures" in json.loads(line) for line in kept.read_text().splitlines() if line.endswith("}")) == 6


def test_a_part_whose_code_has_changed_is_done_again(tmp_path: Path) -> None:
    def part(side: int) -> Any:
        class Own(wb.signals.SignalGenerator):
            def generate(self, bars: wb.Bars) -> pd.DataFrame:
                return side * np.sign(bars.close.diff())

        return Own()

    kept = tmp_path / "sweep.jsonl"
    before = swept(parameters={"signal": [part(1), wb.signals.Breakout(5)]}, resume=kept)
    after = swept(parameters={"signal": [part(-1), wb.signals.Breakout(5)]}, resume=kept)
    assert (after["end equity"] == before["end equity"]).tolist() == [False, True]
    require_same(after, swept(parameters={"signal": [part(-1), wb.signals.Breakout(5)]}))


@pytest.mark.parametrize("kind", [pd.Series, pd.DataFrame, lambda values: lambda: values], ids=["Series", "frame", "code"])
def test_candidates_that_are_written_alike_are_not_the_same(tmp_path: Path, kind: Any) -> None:
    class Given(wb.signals.SignalGenerator):
        sides: Any

        def generate(self, bars: wb.Bars) -> pd.DataFrame:
            sides = self.sides() if callable(self.sides) else self.sides
            return np.sign(bars.close.diff()) * np.asarray(sides).ravel()[0]

    options = {"parameters": {"signal__sides": [kind([1.0, 2.0]), kind([-1.0, 2.0])]}, "study": tmp_path / "study.jsonl"}
    once = swept(wb.Strategy(Given(kind([0.5, 2.0]))), resume=tmp_path / "sweep.jsonl", **options)
    assert once["end equity"].nunique() == 2
    assert len(wb.validation.Study(tmp_path / "study.jsonl")) == 2
    require_same(swept(wb.Strategy(Given(kind([0.5, 2.0]))), resume=tmp_path / "sweep.jsonl", **options), once)


def test_what_a_file_keeps_of_something_else_is_refused(tmp_path: Path) -> None:
    swept(resume=tmp_path / "sweep.jsonl")
    with pytest.raises(ParameterError, match="keeps a sweep of another strategy, other bars, another account or another version"):
        swept(resume=tmp_path / "sweep.jsonl", cash=1.0)


def fraction(share: float) -> Any:
    """Return a user's sizer, whose code is another for another share."""
    space: dict[str, Any] = {"Sizer": wb.sizing.PositionSizer, "__name__": "cells"}
    exec(f"class Mine(Sizer):\n    def size(self, signal, portfolio, market):\n        return {share}\n", space)
    return space["Mine"]()


def test_a_part_whose_code_was_changed_is_done_again(tmp_path: Path) -> None:
    kept = tmp_path / "sweep.jsonl"
    before = swept(parameters={"sizer": [fraction(1), RiskPercent()]}, resume=kept)
    after = swept(parameters={"sizer": [fraction(3), RiskPercent()]}, resume=kept)
    assert before["end equity"][0] != after["end equity"][0]
    assert len(kept.read_text().splitlines()) == 1 + 3
    require_same(after, swept(parameters={"sizer": [fraction(3), RiskPercent()]}))


def test_what_was_kept_without_a_study_is_done_again_for_one(tmp_path: Path) -> None:
    kept, study = tmp_path / "sweep.jsonl", wb.validation.Study(tmp_path / "study.jsonl")
    require_same(swept(resume=kept), swept(resume=kept, study=study))
    assert len(study) == 6
    assert len(kept.read_text().splitlines()) == 1 + 6 + 6
    swept(resume=kept, study=study)
    swept(resume=kept)
    assert len(kept.read_text().splitlines()) == 1 + 6 + 6


# -- the picture ------------------------------------------------------------------------------------------------------


def test_the_map_shows_the_best_of_each_cell() -> None:
    found = swept(parameters=GRID | {"exits__atrstop__multiple": [1.0, 3.0]})
    (cells,) = found.heat_map("end equity").data
    assert (list(cells.x), list(cells.y)) == (["3", "5", "8"], ["20", "30"])
    best = found.groupby(["signal__slow", "signal__fast"])["end equity"].max().unstack()
    assert np.array_equal(np.array(cells.z, dtype=float), best.to_numpy())


def test_the_best_cell_is_framed() -> None:
    figure = swept().heat_map("end equity", x="signal__slow", y="signal__fast")
    (frame,) = figure.layout.shapes
    found = swept()
    row = found["end equity"].idxmax()
    assert (figure.data[0].x[round(frame.x0 + 0.5)], figure.data[0].y[round(frame.y0 + 0.5)]) == (
        str(found["signal__slow"][row]),
        str(found["signal__fast"][row]),
    )


def test_numbers_rise_along_the_axes_and_parts_keep_their_order() -> None:
    found = swept(parameters={"signal__fast": [8, 3, 15], "sizer": [RiskPercent(0.02), FixedFraction(0.5)]})
    (cells,) = found.heat_map("end equity").data
    assert list(cells.x) == ["3", "8", "15"]
    assert list(cells.y) == ["RiskPercent(risk=0.02)", "FixedFraction(fraction=0.5)"]
    assert cells.z[0][0] == found["end equity"][2]


def test_what_was_drawn_is_put_into_classes() -> None:
    rng = np.random.default_rng(1)
    table = pd.DataFrame({"a": rng.uniform(1, 5, 60), "b": rng.integers(2, 40, 60), "Sharpe": rng.normal(size=60)})
    (cells,) = heat_map(table, "Sharpe", "a", "b").data
    assert (len(cells.x), len(cells.y)) == (10, 10)
    first = table.nsmallest(6, "a")
    assert cells.x[0] == f"{first['a'].min():.4g} to {first['a'].max():.4g}"
    assert np.nanmax(np.array(cells.z)[:, 0]) == first["Sharpe"].max()


def test_what_traded_nothing_is_an_empty_cell() -> None:
    found = swept(parameters={"signal__fast": [3, 5], "signal__slow": [20, 700]})
    (cells,) = found.heat_map().data
    assert (list(cells.x), list(cells.y)) == (["3", "5"], ["20", "700"])
    assert np.isnan(np.array(cells.z, dtype=float)).tolist() == [[False, False], [True, True]]


def test_a_map_of_nothing_is_refused() -> None:
    with pytest.raises(ParameterError, match="no candidate has a Sharpe: nothing was traded"):
        swept(parameters={"signal__slow": [700, 800]}).heat_map()


def test_one_parameter_makes_one_line() -> None:
    (cells,) = swept(parameters={"signal__fast": [3, 5]}).heat_map("end equity").data
    assert np.array(cells.z).shape == (1, 2)

"""A walk-forward: chosen or trained on what was known, traded on what came next."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

import workbench as wb
from workbench.component import clone
from workbench.component_text import models_of
from workbench.errors import ParameterError
from workbench.research.walk_forward import Fold, WalkForwardResult, cut

BARS = wb.simulate("SIM", bars=600, interval="1h", seed=3)
STRATEGY = wb.Strategy(wb.signals.MovingAverageCross(5, 20))
GRID = {"signal__fast": [3, 5, 8], "signal__slow": [20, 30]}


class Drift(wb.signals.SignalGenerator):
    """A signal with something to train: the sign that most labels had."""

    window: int = 3

    def fit(self, bars: wb.Bars, labels: pd.DataFrame) -> Drift:
        """Remember the sign, and what it was shown."""
        self.sign_ = float(np.sign(labels["label"].sum()))
        self.seen_ = (bars.index[0], bars.index[-1], len(bars))
        return self

    def generate(self, bars: wb.Bars) -> pd.DataFrame:
        """Return the sign at every bar."""
        return bars.close * 0 + self.sign_


def following(bars: wb.Bars) -> pd.DataFrame:
    """Label each bar with the sign of the next one; the last has none yet."""
    close = bars.close.iloc[:, 0]
    label = np.sign(close.shift(-1) - close).where(close.shift(-1).notna())
    index = pd.MultiIndex.from_product([bars.index, bars.symbols], names=["timestamp", "symbol"])
    return pd.DataFrame({"label": label.to_numpy()}, index)


def horizon(bars: wb.Bars) -> pd.DataFrame:
    """Label each bar with where the close went in five bars."""
    return wb.labels.fixed_horizon(bars, 5)


def walked(strategy: wb.Strategy = STRATEGY, parameters: Any = GRID, **options: Any) -> Any:
    return wb.walk_forward(strategy, BARS, parameters, **{"folds": 4, "progress": False} | options)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ((100, 4, None, 0, 10), [(0, 20, 40), (0, 40, 60), (0, 60, 80), (0, 80, 100)]),
        ((103, 4, None, 5, 10), [(0, 23, 43), (0, 43, 63), (0, 63, 83), (0, 83, 103)]),
        ((100, 4, 40, 0, 10), [(0, 40, 55), (15, 55, 70), (30, 70, 85), (45, 85, 100)]),
        ((100, 2, 40, 10, 10), [(0, 50, 75), (25, 75, 100)]),
    ],
    ids=["anchored", "with a rest and a gap", "rolling", "rolling with a gap"],
)
def test_the_bars_are_cut_into_test_parts_up_to_the_last(options: Any, expected: list[tuple[int, int, int]]) -> None:
    assert cut(*options) == [Fold(*one) for one in expected]


def test_each_fold_is_the_best_of_its_training_part_traded_on_its_test_part() -> None:
    found = walked(cash=50_000.0)
    size = len(BARS) // 5
    for k, (chosen, result) in enumerate(zip(found.strategies, found.results, strict=True)):
        begin = len(BARS) - size * (4 - k)
        best = wb.sweep(STRATEGY, BARS.iloc[:begin], GRID, cash=50_000.0, progress=False).best()
        assert repr(chosen) == repr(best)
        assert (result.bars.index[0], len(result.bars)) == (BARS.index[begin], size)
        assert result.equity.index.equals(BARS.index[begin : begin + size])


def test_the_equity_goes_on_from_fold_to_fold() -> None:
    found = walked(cash=50_000.0)
    for before, after in zip(found.results, found.results[1:], strict=False):
        assert after.setup.cash == before.record.equity[-1]
    assert found.equity.index.is_monotonic_increasing
    assert found.folds["end equity"].iloc[-1] == found.equity.iloc[-1]


def test_what_comes_later_changes_nothing_of_what_was_traded() -> None:
    changed = BARS["SIM"].copy()
    changed.iloc[480:] *= 1.1
    bars = wb.Bars.from_frames({"SIM": changed}, interval="1h", instruments=BARS.instruments)
    other = wb.walk_forward(STRATEGY, bars, GRID, folds=4, progress=False)
    pd.testing.assert_series_equal(other.equity.iloc[:360], walked().equity.iloc[:360], check_exact=True)


def test_a_test_part_is_traded_as_if_all_bars_before_were_there() -> None:
    found = walked(folds=2)
    setup = found.results[1].setup
    whole = found.strategies[1].inputs(BARS).stance[-len(setup.bars) :]
    np.testing.assert_array_equal(setup.inputs.stance, whole)


class Above(wb.signals.SignalGenerator):
    """A signal in five lines: how many bars it needs it does not say."""

    window: int = 100

    def generate(self, bars: wb.Bars) -> pd.DataFrame:
        """Return the side of the mean."""
        return np.sign(bars.close - bars.close.rolling(self.window).mean())


@pytest.mark.parametrize(
    ("signal", "bars"),
    [
        (Above(), BARS),
        (wb.signals.Majority([wb.signals.Breakout(30), wb.signals.Breakout(40), wb.signals.Breakout(50)]), BARS),
        (wb.signals.MovingAverageCross(5, 20), wb.simulate(["A", "B"], bars=600, interval="1h", seed=4, missing=0.7)),
    ],
    ids=["says nothing of its look-back", "holds opinions for good", "most bars are missing"],
)
def test_a_test_part_is_warm_from_its_first_bar_on(signal: Any, bars: wb.Bars) -> None:
    strategy = wb.Strategy(signal)
    found = wb.walk_forward(strategy, bars, {"sizer__fraction": [0.5, 0.6]}, folds=4, by="end equity", progress=False)
    whole = strategy.inputs(bars).stance
    for result in found.results:
        begin = bars.index.get_loc(result.bars.index[0])
        np.testing.assert_array_equal(result.setup.inputs.stance, whole[begin : begin + len(result.bars)])


def test_a_signal_is_trained_on_its_training_part_alone() -> None:
    found = walked(wb.Strategy(Drift()), None, labels=following, gap=3)
    for chosen, row in zip(found.strategies, found.folds.itertuples(), strict=True):
        assert chosen.signal.seen_[1] == row[2]  # "train to"
        assert BARS.index.get_loc(row[3]) - BARS.index.get_loc(row[2]) == 4
    assert len({id(chosen.signal) for chosen in found.strategies}) == 4


def test_a_table_of_labels_that_says_when_each_is_known_may_reach_further() -> None:
    strategy = wb.Strategy(wb.signals.Classifier(LogisticRegression(), [wb.features.Returns(3)]))
    whole = wb.labels.fixed_horizon(BARS, 5)
    before = walked(strategy, None, labels=lambda known: wb.labels.fixed_horizon(known, 5))
    pd.testing.assert_frame_equal(walked(strategy, None, labels=lambda known: whole).folds, before.folds)


def test_weights_beside_the_labels_reach_every_fold() -> None:
    strategy = wb.Strategy(wb.signals.Classifier(LogisticRegression(), [wb.features.Returns(3)]))

    def weighed(known: wb.Bars) -> pd.DataFrame:
        labels = wb.labels.fixed_horizon(known, 5)
        return labels.assign(weight=wb.labels.uniqueness_weights(labels, decay=0.1))

    plain, found = (walked(strategy, None, labels=made) for made in (lambda known: wb.labels.fixed_horizon(known, 5), weighed))
    for one, other in zip(plain.strategies, found.strategies, strict=True):
        assert one.signal.trained.speaker.coef_[0, 0] != other.signal.trained.speaker.coef_[0, 0]


def test_models_that_another_one_listens_to_are_trained_before_it() -> None:
    inner = wb.signals.Classifier(LogisticRegression(), [wb.features.Returns(3)])
    stack = wb.signals.Stacked(LogisticRegression(), [inner, wb.signals.Breakout(5)])
    found = walked(wb.Strategy(stack), None, labels=lambda known: wb.labels.fixed_horizon(known, 5), folds=2)
    assert found.strategies[0].signal.signals[0].trained.card.last < found.strategies[1].signal.signals[0].trained.card.last


def test_folds_tell_what_was_chosen_and_how_it_did() -> None:
    found = walked()
    assert found.folds.columns[:6].tolist() == ["train from", "train to", "test from", "test to", "signal__fast", "signal__slow"]
    assert found.folds["out-of-sample trades"].tolist() == [len(result.trades) for result in found.results]
    assert found.folds["in-sample trades"].notna().all()
    assert walked(in_sample=False).folds["in-sample trades"].isna().all()
    assert found.trades["fold"].nunique() == 4
    assert "signal__fast" in repr(found)
    assert all(f"{found.folds['test from'][0]:%Y-%m-%d}" in page for page in (repr(found), found._repr_html_()))


def test_a_walk_is_judged_without_a_count_of_trials(tmp_path: Any) -> None:
    study = wb.validation.Study(tmp_path / "study.jsonl")
    with pytest.raises(ParameterError, match=r"got WalkForwardResult: wb.validation.probabilistic_sharpe\(walked.returns\) judges"):
        study.deflated(walked())
    assert 0 <= wb.validation.probabilistic_sharpe(walked().returns) <= 1


def test_strategy_and_bars_the_wrong_way_round_are_told() -> None:
    with pytest.raises(ParameterError, match="the strategy comes first, then the bars"):
        wb.walk_forward(BARS, STRATEGY, GRID)  # type: ignore[arg-type]


def test_efficiency_compares_the_same_folds() -> None:
    folds = pd.DataFrame({"in-sample annual return %": [10.0, 50.0, 20.0], "out-of-sample annual return %": [5.0, np.nan, 10.0]})
    assert WalkForwardResult([], [], folds).efficiency == 0.5


def test_every_trial_is_counted(tmp_path: Any) -> None:
    walked(study=tmp_path / "study.jsonl")
    assert len(wb.validation.Study(tmp_path / "study.jsonl")) == 4 * 6 + 4  # the candidates of each fold, and what it traded
    walked(study=tmp_path / "study.jsonl", by="end equity", most=False)
    assert len(wb.validation.Study(tmp_path / "study.jsonl")) == 4 * 6 + 2 * 4


def test_the_figures_are_those_of_a_backtest_and_of_all_parts() -> None:
    found = walked(cash=50_000.0)
    assert found.stats.index.tolist() == found.results[0].stats.index.tolist()
    for name in ("trades", "orders", "fees", "openings refused"):
        assert found.stats[name] == pytest.approx(sum(result.stats[name] for result in found.results))
    assert found.stats["time in market %"] == pytest.approx(np.mean([result.stats["time in market %"] for result in found.results]))
    assert found.stats["return %"] == pytest.approx((found.equity.iloc[-1] / 50_000.0 - 1) * 100)
    assert wb.validation.probabilistic_sharpe(found) == wb.validation.probabilistic_sharpe(found.returns)


@pytest.mark.parametrize(("bars", "shown"), [("1D", "annual return %"), ("1h", "Sharpe"), ("1min", "return %")])
def test_the_picture_compares_the_folds_by_what_they_are_long_enough_for(bars: str, shown: str) -> None:
    market = wb.simulate("SIM", bars=1000, interval=bars, seed=3)
    found = wb.walk_forward(STRATEGY, market, GRID, folds=4, by="end equity", progress=False)
    line, inside, outside = found.plot().data
    assert (line.name, inside.name, outside.name) == ("equity", "in-sample", "out-of-sample")
    assert list(outside.y) == found.folds[f"out-of-sample {shown}"].tolist()
    assert len(set(outside.x)) == 4
    assert len([shape for shape in found.plot().layout.shapes if shape.type == "line"]) == 4


def test_models_on_top_of_models_are_trained_from_the_inside_out() -> None:
    inner = wb.signals.Classifier(LogisticRegression(), [wb.features.Returns(3)])
    stacked = wb.signals.Stacked(LogisticRegression(), [wb.signals.Breakout(10), inner], hold=20)
    found = walked(wb.Strategy(stacked), None, labels=horizon)
    for chosen, row in zip(found.strategies, found.folds.itertuples(), strict=True):
        assert all(pd.Timestamp(model.card.last) < row[3] for model in models_of(chosen))
    assert len({model.id for chosen in found.strategies for model in models_of(chosen)}) == 8


def test_a_model_that_has_seen_the_test_is_refused() -> None:
    trained = wb.signals.Classifier(LogisticRegression(), [wb.features.Returns(3)])
    grid = {"signal__threshold": [0.45, 0.5]}
    with pytest.raises(ParameterError, match=r"was trained on bars up to .*, and would be tested on bars from .*: it has seen them"):
        walked(wb.Strategy(clone(trained).fit(BARS, horizon(BARS))), grid)
    early = BARS.iloc[:100]
    assert len(walked(wb.Strategy(clone(trained).fit(early, horizon(early))), grid, by="end equity").folds) == 4


def test_an_error_says_in_which_training_part_it_came_up() -> None:
    with pytest.raises(ParameterError, match="no candidate has a Sharpe") as refused:
        walked(parameters={"signal__slow": [200]})
    assert refused.value.__notes__ == [f"This happened in the training part from {BARS.index[0]} to {BARS.index[119]}."]


def test_it_is_readable() -> None:
    found = walked()
    head, names, *rows = repr(found).splitlines()
    assert head.startswith("walk-forward: 4 folds, tested 2024-01-06 to 2024-01-25, return ")
    assert names.split()[:4] == ["train", "from", "train", "to"]
    assert (len(rows), "00:00+00:00" in repr(found)) == (4, False)
    assert "<table" in found._repr_html_()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"parameters": None}, "got neither"),
        ({"labels": following}, "got both"),
        ({"parameters": None, "labels": following}, r"no signal of this strategy is trained: MovingAverageCross has no fit\(\)"),
        (
            {"folds": 29},
            "a training part must be longer than the strategy's look-back of 20 bars, got 600 bars, 29 folds, train=None, gap=0",
        ),
        (
            {"strategy": wb.Strategy(Drift()), "parameters": None, "labels": lambda known: following(BARS)},
            r"labels was asked for training bars up to 2024-01-05 23:00:00\+00:00, and labels bars up to 2024-01-25 23:00:00\+00:00",
        ),
        ({"train": 598}, "there is not a bar left for each test part, got 600 bars, 4 folds, train=598, gap=0"),
        ({"folds": 0}, "folds must be at least 1 and gap at least 0, got folds=0, gap=0"),
        ({"folds": 4.0}, "folds must be a whole number, got 4.0"),
        ({"train": 0.5}, "train must be a whole number, got 0.5"),
        ({"parameters": None, "labels": following(BARS)}, "labels takes a function that makes the labels .* got DataFrame"),
    ],
    ids=[
        "neither",
        "both",
        "nothing to train",
        "too many folds",
        "labels of all bars",
        "no test part",
        "no fold",
        "half a fold",
        "a share",
        "labels made already",
    ],
)
def test_what_cannot_be_walked_is_refused(options: Any, sentence: str) -> None:
    with pytest.raises(ParameterError, match=sentence):
        walked(**options)


def test_the_strategy_comes_first() -> None:
    with pytest.raises(ParameterError, match="the strategy comes first, then the bars"):
        wb.walk_forward(BARS, STRATEGY, GRID, progress=False)

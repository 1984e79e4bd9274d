"""Training anew makes a challenger, never a silent swap."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from sklearn.linear_model import LogisticRegression

import workbench as wb
from workbench.errors import ParameterError, RunError
from workbench.live.notebook import execute
from workbench.live.parameters import RetrainParameters
from workbench.research.retraining import retrain

BARS = wb.simulate("SIM", bars=600, interval="1h", seed=3)


def labelled(bars: wb.Bars) -> Any:
    return wb.labels.fixed_horizon(bars, 5)


@pytest.fixture
def strategy() -> wb.Strategy:
    signal = wb.signals.Classifier(LogisticRegression(), [wb.features.Returns(3), wb.features.MeanDistance(10)])
    return wb.Strategy(signal.fit(BARS.iloc[:300], labelled(BARS.iloc[:300]), label="5 bars"))


def test_it_registers_a_challenger_and_changes_nothing_else(strategy: wb.Strategy, tmp_path: Path) -> None:
    registry, before = wb.models.Registry(tmp_path), strategy.signal.model
    registry.register(before, "trend")
    registry.promote("trend", "the first")
    found = retrain(strategy, BARS, labelled, registry, "trend", why="every month")
    assert strategy.signal.model is before
    assert registry.champion("trend") == before
    assert registry.challenger("trend") == found.challenger != before
    assert registry.log["why"].tolist()[-1] == "every month"


def test_what_is_registered_was_not_trained_on_what_it_is_judged_by(strategy: wb.Strategy, tmp_path: Path) -> None:
    card = retrain(strategy, BARS, labelled, tmp_path, "trend", why="test", holdout=0.2).challenger.card
    assert card.last < BARS.index[480].isoformat()
    assert (card.label, set(card.scores) >= {"held-out trades"}) == ("5 bars", True)
    alone = wb.signals.Classifier(LogisticRegression(), strategy.signal.features).fit(BARS.iloc[:480], labelled(BARS.iloc[:480]))
    assert alone.model.sha256 == card.sha256


def test_both_are_judged_on_the_same_held_out_bars(strategy: wb.Strategy, tmp_path: Path) -> None:
    found = retrain(strategy, BARS, labelled, tmp_path, "trend", why="test", holdout=0.5)
    assert found.comparison.index.tolist() == ["champion", "challenger"]
    # trained on the same bars, with the same recipe: the same model
    assert found.comparison.loc["champion"].tolist() == pytest.approx(found.comparison.loc["challenger"].tolist(), nan_ok=True)
    assert found.drift["rows"].max() == 300
    assert "until it is promoted" in found._repr_html_()


def test_the_champion_is_the_one_of_the_registry(strategy: wb.Strategy, tmp_path: Path) -> None:
    registry = wb.models.Registry(tmp_path)
    first = retrain(strategy, BARS, labelled, registry, "trend", why="first")
    assert (first.champion, registry.promote("trend", "better")) == (strategy.signal.model, first.challenger)
    second = retrain(strategy, BARS, labelled, registry, "trend", why="second", holdout=0.1)
    assert second.champion == first.challenger
    assert f"champion {first.challenger.id}" in repr(second)
    # it was trained on 450 of 600 bars less the 5 whose labels were not known, and the last 60 are held out
    assert second.comparison["bars trained on"].tolist() == [0.0, 0.0]


def test_it_is_said_how_many_of_the_bars_the_champion_knows(tmp_path: Path) -> None:
    signal = wb.signals.Classifier(LogisticRegression(), [wb.features.Returns(3)]).fit(BARS, labelled(BARS))
    found = retrain(wb.Strategy(signal), BARS, labelled, tmp_path, "trend", why="test", holdout=0.5)
    assert found.comparison["bars trained on"].tolist() == [295.0, 0.0]


def test_it_is_compared_at_the_costs_of_the_account(strategy: wb.Strategy, tmp_path: Path) -> None:
    free = wb.execution.Costs(commission=0, slippage=0)
    dear, cheap = (retrain(strategy, BARS, labelled, tmp_path, "trend", why="test", costs=costs) for costs in (None, free))
    assert (cheap.comparison["return %"] > dear.comparison["return %"]).all()
    assert (cheap.comparison["trades"] == dear.comparison["trades"]).all()


def test_both_are_judged_on_the_account_that_was_given(strategy: wb.Strategy, tmp_path: Path) -> None:
    dear = {"cash": 20_000.0, "costs": wb.execution.Costs(commission=0.01), "currency": "USD", "buying_power": False}
    found = retrain(strategy, BARS, labelled, tmp_path, "trend", why="test", **dear).comparison
    cheap = retrain(strategy, BARS, labelled, tmp_path, "trend", why="test").comparison
    assert (found["Sharpe"] < cheap["Sharpe"]).all()


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        (labelled(BARS), "labels takes a function that makes the labels .* got DataFrame"),
        (lambda known: labelled(BARS)["label"], "labels was asked for training bars up to .*, and labels bars up to"),
    ],
    ids=["a table", "of all bars"],
)
def test_what_knows_the_held_out_bars_is_refused(strategy: wb.Strategy, tmp_path: Path, labels: Any, sentence: str) -> None:
    with pytest.raises(ParameterError, match=sentence):
        retrain(strategy, BARS, labels, tmp_path, "trend", why="test")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("holdout", [0.0, 1.0, -1.0])
def test_something_must_be_held_out(strategy: wb.Strategy, tmp_path: Path, holdout: float) -> None:
    with pytest.raises(ParameterError, match="holdout must be a share of the bars between 0 and 1"):
        retrain(strategy, BARS, labelled, tmp_path, "trend", why="test", holdout=holdout)


def test_a_strategy_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="a strategy with one trained signal is retrained, got one with 0"):
        retrain(wb.Strategy(wb.signals.Breakout()), BARS, labelled, tmp_path, "trend", why="test")


def test_what_is_no_function_of_bars_makes_no_labels(strategy: wb.Strategy, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="labels takes a function that makes the labels of the bars it is given"):
        retrain(strategy, BARS, labelled(BARS), tmp_path, "trend", why="test")


# -- the notebook -----------------------------------------------------------------------------------------------------


def given(tmp_path: Path, strategy: wb.Strategy) -> dict[str, Any]:
    """Return the parameters of the notebook, with what they name."""
    wb.ParquetStore(tmp_path / "bars").save(BARS)
    strategy.save(tmp_path / "strategy")
    where = {"strategy": str(tmp_path / "strategy"), "store": str(tmp_path / "bars"), "registry": str(tmp_path / "models")}
    return where | {"symbols": ["SIM"], "interval": "1h", "name": "trend", "horizon": 5}


def test_papermill_runs_the_notebook_and_leaves_a_challenger(strategy: wb.Strategy, tmp_path: Path) -> None:
    output = execute(given(tmp_path, strategy), tmp_path / "retrained.ipynb", "retrain.ipynb", RetrainParameters)
    (card,) = wb.models.Registry(tmp_path / "models").cards("trend").to_dict("records")
    assert card["role"] == "challenger"
    assert "nothing trades with it until it is promoted" in output.read_text()


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"horizn": 5}, "unknown parameter 'horizn'; did you mean 'horizon'?"),
        ({"horizon": 0}, "parameter 'horizon': input should be greater than or equal to 1, got 0"),
        ({"strategy": "nowhere"}, "parameter 'strategy': no folder 'nowhere'"),
    ],
    ids=["unknown", "out of range", "no folder"],
)
def test_a_typo_stops_it_before_papermill(strategy: wb.Strategy, tmp_path: Path, wrong: dict[str, Any], sentence: str) -> None:
    with pytest.raises(RunError, match=re.escape(sentence)):
        execute(given(tmp_path, strategy) | wrong, tmp_path / "out.ipynb", "retrain.ipynb", RetrainParameters)
    assert not (tmp_path / "out.ipynb").exists()

"""What was tested is what trades: a strategy with a model is saved, promoted and run with the very bytes, or refused."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from test_model_files import crafted
from trained import FEATURES, bars, trained

import workbench as wb
from workbench.cli import main
from workbench.component_text import from_dict, to_dict
from workbench.errors import StrategyError, WorkbenchError
from workbench.live.release import Release, promote
from workbench.models import Registry
from workbench.signals import Classifier, Majority, MovingAverageCross, Stacked

ROOT = Path(__file__).resolve().parents[1]
STRATEGY = wb.Strategy(trained("forest"), wb.sizing.RiskPercent(0.01), [wb.exits.AtrStop(5)])
MODEL = trained("forest").trained

READ = """
import sys, pandas as pd
import workbench as wb
from workbench.live.release import Release
{before}
opened = Release.open(sys.argv[1])
bars = wb.simulate(["AAA", "BBB"], bars=260, interval="1h", seed=4, missing=0.05)
print(opened.strategy.signal.model.hash if hasattr(opened.strategy.signal, "model") else "")
print(pd.util.hash_pandas_object(opened.strategy.signal.stances(bars)).sum())
print([name for name in ("sklearn", "skops", "scipy", "numba") if name in sys.modules])
"""


def fresh(release: Path, before: str = "") -> subprocess.CompletedProcess[str]:
    """Open a release in a process of its own, and have it say its stances."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-W", "error", "-c", READ.format(before=before), str(release)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=environment)


def reseal(folder: Path) -> None:
    """Write both manifests of a release anew, as somebody would who changed a file on purpose."""
    for inner in (folder / "strategy", folder):
        files = sorted(path for path in inner.rglob("*") if path.is_file() and path != inner / "manifest.json")
        hashes = {str(path.relative_to(inner)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
        (inner / "manifest.json").write_text(json.dumps(hashes, indent=2) + "\n")


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(WorkbenchError) as caught:
        call()
    return str(caught.value)


@pytest.fixture
def release(tmp_path: Path) -> Path:
    return promote(STRATEGY, bars(), "forest-1", folder=tmp_path)


# -- saved ------------------------------------------------------------------------------------------------------------


def test_a_model_is_saved_by_file_and_named_by_its_hashes(tmp_path: Path) -> None:
    folder = STRATEGY.save(tmp_path / "kept")
    where = f"models/{MODEL.id}"
    text = json.loads((folder / "strategy.json").read_text())
    assert text["signal"]["model"] == {"model": where, "sha256": MODEL.sha256, "card": MODEL.hash}
    manifest = json.loads((folder / "manifest.json").read_text())
    assert sorted(manifest) == [f"{where}/card.json", f"{where}/model.skops", "strategy.json"]
    assert (manifest[f"{where}/model.skops"], manifest[f"{where}/card.json"]) == (MODEL.sha256, MODEL.hash)


def test_a_saved_strategy_comes_back_with_its_model_and_trades_alike(tmp_path: Path) -> None:
    back = wb.Strategy.load(STRATEGY.save(tmp_path))
    assert repr(back) == repr(STRATEGY)
    assert back.signal.model == MODEL  # type: ignore[attr-defined]
    one, other = (wb.backtest(strategy, bars()).orders for strategy in (STRATEGY, back))
    assert len(one) > 10
    assert one.equals(other)


def test_models_deep_inside_are_saved_too_and_each_once(tmp_path: Path) -> None:
    stack = Stacked(LogisticRegression(), [trained("logistic"), MovingAverageCross(2, 5)], hold=5)
    stack.fit(bars(), wb.features.table(FEATURES, bars())["returns_2"].gt(0).astype(float))
    votes = wb.Strategy(Majority([stack, trained("logistic"), trained("forest")], hold=20))
    folder = votes.save(tmp_path)
    names = {stack.trained.id, trained("logistic").trained.id, MODEL.id}
    assert {path.name for path in (folder / "models").iterdir()} == names
    assert repr(wb.Strategy.load(folder)) == repr(votes)


def test_saving_another_strategy_takes_the_models_of_before_away(tmp_path: Path) -> None:
    STRATEGY.save(tmp_path)
    wb.Strategy(MovingAverageCross()).save(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["manifest.json", "strategy.json"]


def test_an_estimator_that_was_never_trained_cannot_be_saved(tmp_path: Path) -> None:
    STRATEGY.save(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    raw = wb.Strategy(Classifier(LogisticRegression(), list(FEATURES)))
    assert refusal(lambda: raw.save(tmp_path)) == (
        "Classifier.model holds a LogisticRegression, which has no text form; train it first, signal.fit(bars, labels): a model is saved"
    )
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    assert "train it first, signal.fit(bars, labels)" in refusal(lambda: promote(raw, bars(), "raw", folder=tmp_path))


def test_a_text_alone_names_its_model_and_does_not_have_it() -> None:
    text = to_dict(trained("forest"))
    with pytest.raises(StrategyError, match=f"names the trained model models/{MODEL.id}, and none came with it"):
        from_dict(text)
    other = trained("logistic").trained
    with pytest.raises(StrategyError, match=f"models/{MODEL.id} is another model than the one that was saved"):
        from_dict(text, models=lambda words: other)


@pytest.mark.parametrize("name", ["models/../../other", "/etc", "models/ABC", "models/0123456789abc"])
def test_a_model_is_read_from_the_strategy_s_own_folder_only(tmp_path: Path, name: str) -> None:
    folder = STRATEGY.save(tmp_path)
    (folder / "strategy.json").write_text((folder / "strategy.json").read_text().replace(f"models/{MODEL.id}", name))
    hashes = json.loads((folder / "manifest.json").read_text())
    hashes["strategy.json"] = hashlib.sha256((folder / "strategy.json").read_bytes()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(hashes))
    assert f"names the model {name!r}: expected models/ and twelve digits" in refusal(lambda: wb.Strategy.load(folder))


# -- promoted ---------------------------------------------------------------------------------------------------------


def test_a_promoted_model_says_the_same_in_a_fresh_process(release: Path) -> None:
    done = fresh(release)
    assert done.returncode == 0, done.stderr
    model, stances, _ = done.stdout.splitlines()
    assert model == MODEL.hash
    assert stances == str(pd.util.hash_pandas_object(STRATEGY.signal.stances(bars())).sum())


def test_a_release_without_a_model_does_not_import_scikit_learn(tmp_path: Path) -> None:
    done = fresh(promote(wb.Strategy(MovingAverageCross()), bars(), "plain", folder=tmp_path))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"


def test_another_version_of_scikit_learn_is_refused_in_the_process_that_has_it(release: Path) -> None:
    before = "import workbench.models._card as card\nkept = card.version\n"
    before += "card.version = lambda name: '9.9.0' if name == 'scikit-learn' else kept(name)"
    done = fresh(release, before)
    assert done.returncode != 0
    assert "and here is 9.9.0: train it again, or install scikit-learn" in done.stderr.splitlines()[-1]


def test_the_same_strategy_again_is_the_same_release(release: Path) -> None:
    assert promote(Release.open(release).strategy, bars(), release.name, folder=release.parent) == release
    other = wb.Strategy(trained("logistic"), wb.sizing.RiskPercent(0.01), [wb.exits.AtrStop(5)])
    assert "is another release: its strategy is Strategy(" in refusal(lambda: promote(other, bars(), release.name, folder=release.parent))


def swap(name: str, change: Callable[[Any], Any]) -> Callable[[Path], None]:
    """Return how to change a JSON file of a release's model or strategy and seal it again."""

    def changed(release: Path) -> None:
        path = next(release.rglob(name))
        path.write_text(json.dumps(change(json.loads(path.read_text()))))
        reseal(release)

    return changed


def spoil(release: Path) -> None:
    path = next(release.rglob("model.skops"))
    path.write_bytes(path.read_bytes()[:-1] + b"x")


def spoil_and_seal(release: Path) -> None:
    spoil(release)
    reseal(release)


def foreign(release: Path) -> None:
    """Put a file in the model's place that asks for another type, with its hash on the card, and seal it all again."""
    path = next(release.rglob("model.skops"))
    path.write_bytes(crafted("os", "system"))
    swap("card.json", lambda card: card | {"sha256": hashlib.sha256(path.read_bytes()).hexdigest()})(release)


def turned(text: Any) -> Any:
    text["signal"]["features"].reverse()
    return text


SPOILT = "model.skops is not what was promoted: this release is refused"
CHANGES = pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (spoil, SPOILT),
        (spoil_and_seal, "model.skops is not the file of its card: their sha256 differ, so it is refused"),
        (swap("strategy.json", turned), "they are out of order: range_position_10 stands where returns_2 stood"),
        (swap("card.json", lambda card: card | {"expires": None, "trials": 2}), "is another model than the one that was saved"),
        (
            swap("card.json", lambda card: card | {"versions": {"scikit-learn": "1.1.0"}}),
            "was trained with scikit-learn 1.1.0, and here is",
        ),
        (foreign, "model.skops is refused: it holds os.system, and a model is made of scikit-learn's own types only"),
    ],
    ids=["a byte", "a byte, sealed again", "features out of order", "another card", "another version", "a foreign type"],
)


@CHANGES
def test_a_release_whose_model_was_changed_is_refused(release: Path, change: Callable[[Path], None], sentence: str) -> None:
    change(release)
    assert sentence in refusal(lambda: Release.open(release))


@CHANGES
def test_research_refuses_it_too(release: Path, change: Callable[[Path], None], sentence: str) -> None:
    change(release)
    expected = "is not what was saved: its hash differs from manifest.json" if sentence is SPOILT else sentence
    assert expected in refusal(lambda: wb.backtest(wb.Strategy.load(release / "strategy"), bars()))


@CHANGES
def test_no_run_is_started_with_it(
    release: Path,
    change: Callable[[Path], None],
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    change(release)
    monkeypatch.chdir(release.parent)
    monkeypatch.setattr(sys, "argv", ["workbench", "run", release.name])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr().err
    assert (ended.value.code, said.count("workbench: "), "Traceback" in said) == (2, 1, False)
    assert sentence in said
    assert [path.name for path in release.parent.iterdir()] == [release.name]


def test_a_model_that_has_expired_trades_nothing_in_research_which_says_so(tmp_path: Path) -> None:
    late = trained("logistic").trained.noted(expires="2020-01-01")
    opened = Release.open(promote(wb.Strategy(Classifier(late, list(FEATURES))), bars(), "late", folder=tmp_path))
    assert wb.backtest(opened.strategy, bars()).orders.empty
    reasons = opened.strategy.signal.refusals(bars())["reason"]  # type: ignore[attr-defined]
    assert set(reasons) == {"the model expired at 2020-01-01T00:00:00+00:00"}
    line = f"the model {late.id} expired at 2020-01-01T00:00:00+00:00: it predicts nothing of the last 260 of 260 steps"
    assert line in str(wb.backtest(opened.strategy, bars()).assumptions)
    assert "expired at" not in str(wb.backtest(STRATEGY, bars()).assumptions)


def test_the_champion_of_a_registry_is_the_model_that_trades(tmp_path: Path) -> None:
    registry = Registry(tmp_path / "models")
    registry.register(MODEL, "trend")
    registry.promote("trend", "best of three")
    strategy = wb.Strategy(Classifier(registry.champion("trend"), list(FEATURES)))
    opened = Release.open(promote(strategy, bars(), "champion", folder=tmp_path))
    assert opened.strategy.signal.model == MODEL  # type: ignore[attr-defined]


# -- a feature of one's own -------------------------------------------------------------------------------------------

SCRIPT = '''
import sys
import pandas as pd
import workbench as wb
from sklearn.linear_model import LogisticRegression
from workbench.features import Feature, RangePosition

class Gap(Feature):
    """The open over the close before it, less 1."""
    window: int = 1

    @property
    def lookback(self):
        return self.window + 1

    def compute(self, bars):
        return bars.open / bars.close.shift(self.window) - 1

if __name__ == "__main__":
    bars = wb.simulate(["AAA", "BBB"], bars=260, interval="1h", seed=4, missing=0.05)
    up = (bars.close.shift(-1) > bars.close).astype(float)
    signal = wb.signals.Classifier(LogisticRegression(), [Gap(2), RangePosition(10)]).fit(bars, up)
    print(wb.promote(wb.Strategy(signal), bars, "gap", folder=sys.argv[1]))
    print(pd.util.hash_pandas_object(signal.stances(bars)).sum())
'''


def test_a_feature_of_a_script_is_promoted_with_its_model(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(SCRIPT)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(tmp_path / "mine.py"), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    release, stances = done.stdout.splitlines()
    opened = Release.open(release).strategy
    assert "class Gap(Feature):" in next(Path(release).rglob("parts.py")).read_text()
    assert opened.signal.trained.card.names == ["gap_2", "range_position_10"]  # type: ignore[attr-defined]
    assert str(pd.util.hash_pandas_object(opened.signal.stances(bars())).sum()) == stances

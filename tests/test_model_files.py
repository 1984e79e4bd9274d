"""Files of models: the same bytes for the same estimator, and nothing is made from them that is not on the list."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from trained import KINDS, estimator, trained

from workbench.errors import ModelError
from workbench.models import calibrated, tuned_threshold
from workbench.models._files import TRUSTED, dumped, loaded

ROOT = Path(__file__).resolve().parents[1]
X = np.random.default_rng(0).normal(size=(200, 3))
Y = (X[:, 0] + np.random.default_rng(1).normal(size=200) > 0).astype(int)


class Foreign(ClassifierMixin, BaseEstimator):
    """An estimator of a user's own: another process cannot find it."""

    def fit(self, rows: Any, labels: Any) -> Foreign:
        self.classes_ = np.unique(labels)
        return self


def others() -> dict[str, Any]:
    from sklearn.ensemble import GradientBoostingRegressor, VotingClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.tree import DecisionTreeClassifier

    plain = LogisticRegression()
    return {
        "sigmoid": calibrated(plain, 2, 3),
        "isotonic": calibrated(DecisionTreeClassifier(max_depth=2), 2, 3, "isotonic"),
        "temperature": calibrated(plain, 2, 3, "temperature"),
        "threshold": tuned_threshold(plain, 2, 3),
        "voting": VotingClassifier([("a", plain)], voting="soft"),
        "gradient": GradientBoostingRegressor(n_estimators=3),
    }


@pytest.mark.parametrize("kind", [*KINDS, *others()])
def test_an_estimator_comes_back_and_predicts_the_same_bits(kind: str) -> None:
    fitted = (others()[kind] if kind in others() else estimator(kind)).fit(X, Y)
    back = loaded(dumped(fitted))
    say = "predict_proba" if hasattr(fitted, "predict_proba") else "predict"
    assert getattr(back, say)(X).tobytes() == getattr(fitted, say)(X).tobytes()
    assert dumped(back) == dumped(fitted)


def test_another_process_makes_the_same_bytes() -> None:
    code = "from trained import trained; print(trained('forest').model.sha256)"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")])}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True, timeout=120)
    assert done.stdout.strip() == trained("forest").model.sha256


def test_the_list_is_fixed_and_holds_private_parts_of_scikit_learn_only() -> None:
    assert isinstance(TRUSTED, tuple)
    assert all(name.startswith("sklearn.") for name in TRUSTED)
    assert list(TRUSTED) == sorted(set(TRUSTED))


# -- what is refused --------------------------------------------------------------------------------------------------


def crafted(module: str, name: str, loader: str = "ObjectNode") -> bytes:
    """Return a file that asks for an object of a type."""
    out = io.BytesIO()
    node = {"__class__": name, "__module__": module, "__loader__": loader, "__id__": 1, "content": None}
    if loader == "ReduceNode":
        node |= {"__reduce__": {"args": {"__class__": "tuple", "__module__": "builtins", "__loader__": "TupleNode", "content": []}}}
    with zipfile.ZipFile(out, "w") as made:
        made.writestr("schema.json", json.dumps(node | {"protocol": 2, "_skops_version": "0.16.0"}))
    return out.getvalue()


def test_an_estimator_of_one_s_own_is_refused_by_name_when_it_is_trained() -> None:
    with pytest.raises(
        ModelError, match=r"Foreign holds [a-z.]*test_model_files.Foreign, and a model is made of scikit-learn's own types only"
    ):
        dumped(Foreign().fit(X, Y))


@pytest.mark.parametrize(("module", "name"), [("os", "system"), ("subprocess", "Popen"), ("sklearn.base", "clone")])
def test_a_foreign_type_is_refused_by_name(module: str, name: str) -> None:
    with pytest.raises(ModelError, match=rf"model.skops is refused: it holds {module}.{name}, and a model is made of"):
        loaded(crafted(module, name), "model.skops")


def test_the_module_of_a_foreign_type_is_not_even_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "malice.py").write_text(f"open({str(tmp_path / 'it ran')!r}, 'w')\nclass Evil:\n    pass\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ModelError, match=r"it holds malice\.Evil"):
        loaded(crafted("malice", "Evil"))
    assert "malice" not in sys.modules
    assert not (tmp_path / "it ran").exists()


@pytest.mark.parametrize("data", [b"", b"no zip", dumped(estimator("logistic"))[:-40]], ids=["nothing", "text", "cut off"])
def test_what_is_no_model_gets_a_sentence(data: bytes) -> None:
    with pytest.raises(ModelError, match=r"model\.skops is no model that can be read: "):
        loaded(data, "model.skops")

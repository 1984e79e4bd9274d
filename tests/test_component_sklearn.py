"""scikit-learn's own functions, pickling and copying work on a component."""

from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from component_samples import Doubled, Model, Threshold, Whole, X, Y, whole
from sklearn.base import TransformerMixin, is_classifier
from sklearn.base import clone as sklearn_clone
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, ParameterGrid, cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from workbench import component as component_module
from workbench.component import clone


@pytest.mark.parametrize("copier", [clone, sklearn_clone, copy.deepcopy, lambda part: pickle.loads(pickle.dumps(part))])
def test_copies_are_new_all_the_way_down(copier: Any) -> None:
    part = whole()
    twin = copier(part)
    assert repr(twin) == repr(part)
    assert twin is not part
    assert twin.signal is not part.signal
    assert twin.risk[0] is not part.risk[0]


def test_clone_leaves_state_behind_and_copies_data() -> None:
    part = Model(LogisticRegression(C=3.0).fit(X, Y))
    part.model_ = 1  # type: ignore[attr-defined]
    twin = sklearn_clone(part)
    assert twin.estimator.C == 3.0
    assert not hasattr(twin, "model_")
    assert not hasattr(twin.estimator, "coef_")
    series = pd.Series([1.0])
    assert clone(Whole(extra=series)).extra is not series


def test_clone_copies_the_output_config() -> None:
    assert sklearn_clone(Doubled().set_output(transform="pandas"))._sklearn_output_config == {"transform": "pandas"}


def test_parameter_grid() -> None:
    grid = [
        whole().set_params(**params).get_params() for params in ParameterGrid({"signal__fast": [2, 3], "risk__maxleverage__limit": [1.0]})
    ]
    assert [(params["signal__fast"], params["risk__maxleverage__limit"]) for params in grid] == [(2, 1.0), (3, 1.0)]


def test_grid_search_finds_the_level() -> None:
    search = GridSearchCV(Threshold(), {"level": [-0.5, 0.25, 0.5]}, cv=2).fit(X, Y)
    assert search.best_params_ == {"level": 0.25}
    assert search.best_score_ == 1.0
    assert is_classifier(search.best_estimator_)


PARALLEL = """
import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.model_selection import GridSearchCV
from workbench.component import Component

class Base(Component):
    names: list[str] | None = None

class Threshold(ClassifierMixin, Base):
    level: float = 0.0
    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self
    def predict(self, X):
        return (np.asarray(X)[:, 0] > self.level).astype(int)

if __name__ == "__main__":
    X = np.linspace(-1, 1, 40).reshape(-1, 1)
    print(GridSearchCV(Threshold(), {"level": [-0.5, 0.25]}, cv=2, n_jobs=2).fit(X, X[:, 0] > 0.25).best_estimator_)
"""


def test_grid_search_in_processes_with_a_class_of_main(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(PARALLEL)
    env = os.environ | {"PYTHONPATH": str(Path(component_module.__file__).parents[1])}
    done = subprocess.run([sys.executable, str(tmp_path / "script.py")], capture_output=True, text=True, timeout=120, check=True, env=env)
    assert done.stdout.strip() == "Threshold(names=None, level=0.25)"


def test_cross_val_score_and_check_is_fitted() -> None:
    assert cross_val_score(Threshold(0.25), X, Y, cv=2).tolist() == [1.0, 1.0]
    check_is_fitted(Threshold().fit(X, Y))
    with pytest.raises(Exception, match="not fitted"):
        check_is_fitted(Threshold())


def test_pipeline_grid_and_html() -> None:
    pipe = Pipeline([("double", Doubled()), ("level", Threshold())])
    search = GridSearchCV(pipe, {"double__factor": [1.0, 2.0], "level__level": [0.5]}, cv=2).fit(X, Y)
    assert search.best_params_ == {"double__factor": 2.0, "level__level": 0.5}
    assert "Doubled" in pipe._repr_html_()
    assert "Doubled(factor=2.0)" in repr(pipe)


def test_set_output_makes_frames_of_a_transformer() -> None:
    frame = pd.DataFrame({"a": [1.0, 2.0]})
    assert isinstance(Doubled().fit(frame).transform(frame), np.ndarray)
    out = Doubled().set_output(transform="pandas").fit(frame).transform(X=frame)
    assert out["a_doubled"].tolist() == [2.0, 4.0]
    both = Pipeline([("one", Doubled()), ("two", Doubled())]).set_output(transform="pandas").fit_transform(frame)
    assert list(both.columns) == ["a_doubled_doubled"]


def test_set_output_in_a_column_transformer_and_with_the_mixin() -> None:
    frame = pd.DataFrame({"a": [1.0, 2.0]})
    columns = ColumnTransformer([("d", Doubled(), ["a"])]).set_output(transform="pandas")
    assert list(columns.fit_transform(frame).columns) == ["d__a_doubled"]

    class Mixed(TransformerMixin, Doubled):
        def transform(self, X: Any) -> Any:
            return super().transform(X)

    assert list(Mixed().set_output(transform="pandas").fit_transform(frame).columns) == ["a_doubled"]


def test_global_transform_output_is_obeyed() -> None:
    import sklearn

    frame = pd.DataFrame({"a": [1.0]})
    with sklearn.config_context(transform_output="pandas"):
        assert isinstance(Doubled().fit(frame).transform(frame), pd.DataFrame)


def test_components_work_inside_estimators_with_random_state_objects() -> None:
    part = Whole(extra=np.random.default_rng(1))
    assert sklearn_clone(part).extra.random() == np.random.default_rng(1).random()

"""Parts that the tests of components try things on."""

from __future__ import annotations

import sys
import types
from collections.abc import Sequence
from dataclasses import field
from enum import Enum
from typing import Any, Literal

import numpy as np
import pandas as pd
import pytest
from sklearn.base import ClassifierMixin
from sklearn.linear_model import LogisticRegression

from workbench.component import Component
from workbench.errors import ParameterError


class Side(Enum):
    BUY = 1
    SELL = 2


class Signal(Component):
    SCALE = 2  # a constant, no parameter

    @property
    def lookback(self) -> int:
        return 0


class Cross(Signal):
    """Long while fast is above slow."""

    fast: int = 10
    slow: int = 50

    def check(self) -> None:
        if self.fast >= self.slow:
            raise ParameterError(f"fast must be below slow, got {self.fast} and {self.slow}")

    @property
    def lookback(self) -> int:
        return self.slow


class Limit(Component):
    limit: float


class MaxLeverage(Limit):
    limit: float = 3.0


class MaxExposure(Limit):
    limit: float = 1.0
    by: Literal["currency", "region"] = "currency"


class Whole(Component):
    signal: Signal = field(default_factory=Cross)
    risk: list[Limit] = field(default_factory=list)
    note: str | None = None
    extra: Any = None

    def check(self) -> None:
        if self.note == "refused":
            raise ParameterError("this note is refused")


class Typed(Component):
    number: float = 1.0
    count: int = 1
    flag: bool = False
    name: str = "a"
    kind: Literal["a", 1] = "a"
    maybe: int | None = None
    part: Signal | None = None
    parts: Sequence[Signal] = ()
    table: dict[str, float] = field(default_factory=dict)
    pair: tuple[int, str] = (1, "a")
    side: Side = Side.BUY
    unknown: NotThere = None  # type: ignore[name-defined]  # noqa: F821 - an annotation that cannot be resolved
    anything: Any = None
    frame: pd.DataFrame | None = None


class Threshold(ClassifierMixin, Component):
    """A classifier with scikit-learn's mixin: 1 above the level."""

    level: float = 0.0

    def fit(self, X: Any, y: Any) -> Threshold:
        self.classes_ = np.unique(y)
        return self

    def predict(self, X: Any) -> Any:
        return (np.asarray(X)[:, 0] > self.level).astype(int)


class Doubled(Component):
    factor: float = 2.0

    def fit(self, X: Any, y: Any = None) -> Doubled:
        self.names_ = list(X.columns) if hasattr(X, "columns") else [f"x{i}" for i in range(X.shape[1])]
        return self

    def transform(self, X: Any) -> Any:
        return np.asarray(X) * self.factor

    def get_feature_names_out(self, input_features: Any = None) -> Any:
        return np.asarray([f"{name}_doubled" for name in self.names_], dtype=object)


class Model(Component):
    estimator: Any = field(default_factory=LogisticRegression)


def whole() -> Whole:
    return Whole(Cross(5, 20), [MaxExposure(0.5), MaxLeverage(2.0), MaxExposure(0.8, by="region")])


X = np.linspace(-1, 1, 40).reshape(-1, 1)
Y = (X[:, 0] > 0.25).astype(int)


FAKES = """
from workbench.component import Component

class Trend(Component):
    n: int = 1
    inner: Component | None = None
    more: object = None

class _Base(Component):
    pass

class Other(Trend):
    pass
"""


def stand_in_room(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """Return a stand-in room of the package, with a public module over a private one."""
    public, private = types.ModuleType("workbench.fakes"), types.ModuleType("workbench.fakes._one")
    public.__path__ = []
    monkeypatch.setitem(sys.modules, "workbench.fakes", public)
    monkeypatch.setitem(sys.modules, "workbench.fakes._one", private)
    exec(FAKES, vars(private))
    public.Trend, public.Other = private.Trend, private.Other  # type: ignore[attr-defined]
    public.__spec__ = types.SimpleNamespace(name="workbench.fakes", loader=None)  # type: ignore[assignment]
    return public

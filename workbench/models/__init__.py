"""Trained models: values with a card, files that cannot run code, a registry, and drift.

A model is trained by a signal, `wb.signals.Classifier` or `wb.signals.Regressor`; nothing here is needed to use one.
"""

from workbench.errors import unknown_name
from workbench.models._card import Card, Column, moment, versions
from workbench.models._drift import drift
from workbench.models._model import Model, require_names
from workbench.models._registry import Registry
from workbench.models._time_order import calibrated, require_time_order, tuned_threshold
from workbench.models._training import Sample, one_number, sample, train

__all__ = [
    "Card",
    "Column",
    "Model",
    "Registry",
    "Sample",
    "calibrated",
    "drift",
    "moment",
    "one_number",
    "require_names",
    "require_time_order",
    "sample",
    "train",
    "tuned_threshold",
    "versions",
]


def __getattr__(name: str) -> object:
    raise unknown_name(__name__, name, __all__)

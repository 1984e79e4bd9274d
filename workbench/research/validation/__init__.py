"""Validation: honest folds, honest figures, and a count of all that was tried."""

from workbench.errors import unknown_name
from workbench.research.statistics import performance
from workbench.research.validation.audit import audit_split
from workbench.research.validation.distribution import Distribution, PermutationTest
from workbench.research.validation.monte_carlo import MonteCarlo, monte_carlo
from workbench.research.validation.overfitting import cscv, probability_of_overfitting
from workbench.research.validation.permutation import permutation_test, permute_bars, total_return
from workbench.research.validation.purged import CombinatorialPurged, PurgedKFold
from workbench.research.validation.resampling import bootstrap
from workbench.research.validation.sharpe import (
    Moments,
    deflated_sharpe,
    expected_best,
    minimum_track_record,
    moments,
    probabilistic_sharpe,
    sharpe,
)
from workbench.research.validation.study import Study
from workbench.research.validation.trial import Trial
from workbench.research.validation.walk_forward import WalkForward

__all__ = [
    "CombinatorialPurged",
    "Distribution",
    "Moments",
    "MonteCarlo",
    "PermutationTest",
    "PurgedKFold",
    "Study",
    "Trial",
    "WalkForward",
    "audit_split",
    "bootstrap",
    "cscv",
    "deflated_sharpe",
    "expected_best",
    "minimum_track_record",
    "moments",
    "monte_carlo",
    "performance",
    "permutation_test",
    "permute_bars",
    "probabilistic_sharpe",
    "probability_of_overfitting",
    "sharpe",
    "total_return",
]


def __getattr__(name: str) -> object:
    raise unknown_name(__name__, name, __all__)

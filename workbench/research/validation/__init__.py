"""Validation: honest folds, honest figures, and a count of all that was tried."""

from workbench.errors import unknown_name
from workbench.research.validation.audit import audit_split
from workbench.research.validation.purged import CombinatorialPurged, PurgedKFold
from workbench.research.validation.walk_forward import WalkForward

__all__ = [
    "CombinatorialPurged",
    "PurgedKFold",
    "WalkForward",
    "audit_split",
]


def __getattr__(name: str) -> object:
    raise unknown_name(__name__, name, __all__)

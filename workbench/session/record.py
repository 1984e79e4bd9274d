"""What happened, in rows: the same form from the kernel and from the Session, so that the two can be compared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Record"]


@dataclass(frozen=True, slots=True)
class Record:
    """Orders, fills and decisions as arrays of records (`workbench.records`), and the equity at each step.

    Parameters
    ----------
    orders, fills, decisions : ndarray of records
    equity : ndarray of shape (T,)
        In account currency, at the close of each step.
    cash : float
        At the end.
    engine : str
        Who wrote it: ``"kernel"``, ``"kernel (plain)"`` or ``"session"``.
    """

    orders: np.ndarray
    fills: np.ndarray
    decisions: np.ndarray
    equity: np.ndarray
    cash: float
    engine: str

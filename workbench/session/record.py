"""What happened, in rows: the same form from the kernel and from the Session, so that the two can be compared."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from workbench.errors import ParameterError

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

    def since(self, row: int) -> Record:
        """Return the record from a row on, which becomes row 0; nothing may have happened before it.

        Raises
        ------
        ParameterError
            An order, a fill or a decision is older.
        """
        first = min((int(rows["t"].min()) for rows in (self.orders, self.fills, self.decisions) if len(rows)), default=row)
        if first < row:
            raise ParameterError(
                f"a record can be cut at a row before which nothing happened: got row {row}, the first of it is of row {first}"
            )
        orders, fills, decisions = (_moved(rows, "t", row) for rows in (self.orders, self.fills, self.decisions))
        return replace(self, orders=_moved(orders, "end", row), fills=fills, decisions=decisions, equity=self.equity[row:])


def _moved(rows: np.ndarray, field: str, by: int) -> np.ndarray:
    """Return rows with a row number moved; -1 is none."""
    moved = rows.copy()
    moved[field] -= np.where(moved[field] >= 0, by, 0)
    return moved

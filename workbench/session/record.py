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
    equities : ndarray of shape (T, strategies), optional
        Of a team: the equity of each strategy at the close of each step.
    """

    orders: np.ndarray
    fills: np.ndarray
    decisions: np.ndarray
    equity: np.ndarray
    cash: float
    engine: str
    equities: np.ndarray | None = None

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
        each = None if self.equities is None else self.equities[row:]
        return replace(self, orders=_moved(orders, "end", row), fills=fills, decisions=decisions, equity=self.equity[row:], equities=each)

    def of(self, columns: range, equity: np.ndarray) -> Record:
        """Return what the record has of some columns, which become the first; the equity is theirs, the cash is not known."""
        rows = {name: getattr(self, name) for name in ("orders", "fills", "decisions")}
        mine = {name: np.flatnonzero((one["j"] >= columns.start) & (one["j"] < columns.stop)) for name, one in rows.items()}
        orders, fills, decisions = (rows[name][mine[name]] for name in rows)
        for one in (orders, fills, decisions):
            one["j"] -= columns.start
        orders["decision"] = _place(orders["decision"], mine["decisions"])
        orders["parent"] = _place(orders["parent"], mine["orders"])
        fills["order"] = _place(fills["order"], mine["orders"])
        return replace(self, orders=orders, fills=fills, decisions=decisions, equity=equity, cash=float("nan"), equities=None)


def _moved(rows: np.ndarray, field: str, by: int) -> np.ndarray:
    """Return rows with a row number moved; -1 is none."""
    moved = rows.copy()
    moved[field] -= np.where(moved[field] >= 0, by, 0)
    return moved


def _place(numbers: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """Return the numbers of rows among those that are kept; -1 is none."""
    return np.where(numbers >= 0, np.searchsorted(kept, numbers), -1)

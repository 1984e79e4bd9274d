"""Sizes that a signal gives as weights."""

from __future__ import annotations

from typing import Any

from workbench.errors import ParameterError
from workbench.sizing._base import PositionSizer

__all__ = ["TargetWeights"]


class TargetWeights(PositionSizer):
    """The stance is the weight: a stance of 0.25 puts a quarter of equity, times `gross`, into the position as notional.

    For signals whose stances are shares of a book, such as `CrossSectionalMomentum`. Sized at entry from that step's
    snapshot, and not maintained (SEMANTICS 13): a later change of the weight without a change of its sign is no event.

    Parameters
    ----------
    gross : float, default 1
        What a weight of 1 is, as a multiple of equity; above 1 only where margin allows.

    Examples
    --------
    >>> TargetWeights(gross=1.5)
    TargetWeights(gross=1.5)
    """

    gross: float = 1.0

    def check(self) -> None:
        """Refuse a multiple that is not positive."""
        if not 0 < self.gross < float("inf"):
            raise ParameterError(f"TargetWeights: gross must be a positive number (1 = all of equity), got {self.gross!r}")

    def parameters(self) -> tuple[float, ...]:
        """Return the multiple."""
        return (float(self.gross),)

    @staticmethod
    def decision(
        p: Any, spec: Any, side: float, stance: float, equity: float, price: float, unit: float, distance: float, measured: float, past: Any
    ) -> float:
        """Return |stance| x gross x equity / (price x unit)."""
        return (abs(stance) * p[0] * equity) / (price * unit)

"""Sizes that need no more than price and equity."""

from __future__ import annotations

import math
from typing import Any

from workbench.errors import ParameterError
from workbench.sizing._base import PositionSizer

__all__ = ["FixedFraction", "FixedQuantity", "MinimumSize"]


class FixedQuantity(PositionSizer):
    """The same quantity each time.

    Parameters
    ----------
    quantity : float, default 1
        Lots, shares, contracts or coins.

    Examples
    --------
    >>> FixedQuantity(4)
    FixedQuantity(quantity=4)
    """

    quantity: float = 1.0

    def check(self) -> None:
        """Refuse a quantity that is not positive."""
        if not 0 < self.quantity < float("inf"):
            raise ParameterError(f"FixedQuantity: quantity must be a positive number, got {self.quantity!r}")

    def parameters(self) -> tuple[float, ...]:
        """Return the quantity."""
        return (float(self.quantity),)

    @staticmethod
    def decision(
        p: Any, spec: Any, side: float, stance: float, equity: float, price: float, unit: float, distance: float, measured: float, past: Any
    ) -> float:
        """Return the quantity."""
        return p[0]


class FixedFraction(PositionSizer):
    """A fraction of equity as notional: 0.5 puts half of equity into the position.

    Parameters
    ----------
    fraction : float, default 0.95
        Above 1 only where margin allows; limits and buying power cut it.

    Examples
    --------
    >>> FixedFraction(0.5)
    FixedFraction(fraction=0.5)
    """

    fraction: float = 0.95

    def check(self) -> None:
        """Refuse a fraction that is not positive."""
        if not 0 < self.fraction < float("inf"):
            raise ParameterError(f"FixedFraction: fraction must be a positive number (0.5 = half of equity), got {self.fraction!r}")

    def parameters(self) -> tuple[float, ...]:
        """Return the fraction."""
        return (float(self.fraction),)

    @staticmethod
    def decision(
        p: Any, spec: Any, side: float, stance: float, equity: float, price: float, unit: float, distance: float, measured: float, past: Any
    ) -> float:
        """Return fraction x equity / (price x unit)."""
        return (p[0] * equity) / (price * unit)

    def words(self, equity: float, distance: float, currency: str) -> str:
        """Return the money that goes in."""
        return f"{self.fraction * equity:,.2f} {currency}"


class MinimumSize(PositionSizer):
    """The smallest order that the venue takes: minimum quantity and minimum notional, rounded up to the step.

    Examples
    --------
    >>> MinimumSize()
    MinimumSize()
    """

    @staticmethod
    def decision(
        p: Any, spec: Any, side: float, stance: float, equity: float, price: float, unit: float, distance: float, measured: float, past: Any
    ) -> float:
        """Return the larger of the two minimums, rounded up to the step."""
        least = max(spec.min_quantity, spec.min_notional / (price * spec.multiplier))
        steps = least * spec.power / spec.number
        return math.ceil(steps - min(1e-9 * steps, 1e-3)) * spec.number / spec.power

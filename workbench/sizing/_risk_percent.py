"""Size by the money at risk."""

from __future__ import annotations

from typing import Any, ClassVar

from workbench.errors import ParameterError
from workbench.sizing._base import PositionSizer

__all__ = ["RiskPercent"]

#: Half of the equity on one stop is beyond any plan.
MOST = 0.5


class RiskPercent(PositionSizer):
    """Risk a fraction of equity between the decision's close and the nearest protective stop (SEMANTICS 16).

    ``risk x equity / (distance x multiplier x rate)``; costs are not part of the risk. A strategy without a stop is
    refused.

    Parameters
    ----------
    risk : float, default 0.005
        Fraction of equity, below 0.5: 0.005 is half a percent.

    Examples
    --------
    >>> RiskPercent(risk=0.01)
    RiskPercent(risk=0.01)
    """

    risk: float = 0.005
    needs_stop: ClassVar[bool] = True

    def check(self) -> None:
        """Refuse a risk outside (0, 0.5): who writes 1 or 0.5 means percent."""
        if not 0 < self.risk < MOST:
            raise ParameterError(f"RiskPercent: risk is a fraction of equity below {MOST} (0.005 = half a percent), got {self.risk!r}")

    def parameters(self) -> tuple[float, ...]:
        """Return the fraction at risk."""
        return (float(self.risk),)

    @staticmethod
    def decision(
        p: Any, spec: Any, side: float, stance: float, equity: float, price: float, unit: float, distance: float, measured: float, past: Any
    ) -> float:
        """Return risk x equity / (distance x unit)."""
        return (p[0] * equity) / (distance * unit)

    def words(self, equity: float, distance: float, currency: str) -> str:
        """Return the money at risk, and the way to the stop."""
        return f"{self.risk * equity:,.2f} {currency} at risk, {distance:.6g} to the stop"

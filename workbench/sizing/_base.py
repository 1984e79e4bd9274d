"""The port of position sizers."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from workbench.component import Component
from workbench.market import Book, Market
from workbench.spec import spec_of

__all__ = ["PositionSizer"]


class PositionSizer(Component):
    """Says how much to ask for when a stance turns; the limits cut it, lots are made once, last.

    A sizer of your own is five lines::

        class TenthOfEquity(PositionSizer):
            part: float = 0.1
            def size(self, signal, portfolio, market):
                return self.part * portfolio.equity / (market.price * market.unit)

    It backtests through the Session. To run in the fast kernel too, give it a `decision`: a static method in plain
    arithmetic, ``decision(p, spec, side, stance, equity, price, unit, distance) -> quantity``, where `p` holds what
    `parameters()` returns, `spec` the instrument's numbers (`workbench.records.SPEC`), `unit` turns quantity x price
    into account currency and `distance` is that to the nearest stop.
    """

    decision: ClassVar[Callable[..., float] | None] = None
    #: Whether it cannot size without a protective stop.
    needs_stop: ClassVar[bool] = False

    def size(self, signal: float, portfolio: Book, market: Market) -> float:
        """Return the quantity to ask for.

        Parameters
        ----------
        signal : float
            The side: +1 long, -1 short. Conviction does not reach a sizer (SEMANTICS 12), but for `TargetWeights`.
        portfolio : Book
            Positions, cash and equity before this step's orders.
        market : Market
            This step's closes and rates.

        Returns
        -------
        float
            In lots, shares, contracts or coins, >= 0; NaN or 0: nothing is opened, with the reason.
        """
        decide = type(self).decision
        if decide is None:
            raise NotImplementedError(f"{type(self).__name__} must define size(self, signal, portfolio, market)")
        spec = spec_of(market.instrument)
        distance = market.inputs.get("stop_distance", float("nan"))
        side = 1.0 if signal > 0 else -1.0
        return decide(self.parameters() or (0.0,), spec, side, signal, portfolio.equity, market.price, market.unit, distance)

    def parameters(self) -> tuple[float, ...]:
        """Return the numbers that `decision` gets as `p`."""
        return ()

    def words(self, equity: float, distance: float, currency: str) -> str:
        """Return how the size came about, for the trace of a decision; nothing where the repr says it all."""
        return ""

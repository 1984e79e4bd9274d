"""Execution algorithms: how a decided opening is put to the venue."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from typing import ClassVar, Literal

from workbench.component import Component
from workbench.errors import ParameterError
from workbench.execution.fills import limit_price
from workbench.market import Market as MarketSnapshot
from workbench.market import Order

__all__ = ["ExecutionAlgorithm", "Limit", "Market"]


class ExecutionAlgorithm(Component):
    """Turns an opening into the orders that are sent. Closings always go at market.

    One of your own is five lines::

        class BelowTheClose(ExecutionAlgorithm):
            def plan(self, parent, market):
                return [replace(parent, type="limit", price=0.999 * market.price, bars=1)]

    It backtests through the Session; `compiled` algorithms run in the fast kernel too.
    """

    #: Whether the research kernel knows this algorithm.
    compiled: ClassVar[bool] = False

    @abstractmethod
    def plan(self, parent: Order, market: MarketSnapshot) -> list[Order]:
        """Return the child orders of an opening.

        Parameters
        ----------
        parent : Order
            At market, with side, quantity and the distances of its protective orders.
        market : Market
            This step's closes.

        Returns
        -------
        list of Order
            Empty where no order can be placed.
        """


class Market(ExecutionAlgorithm):
    """Send at market: filled at the instrument's next open, moved against us by the slippage.

    Examples
    --------
    >>> Market()
    Market()
    """

    compiled: ClassVar[bool] = True

    def plan(self, parent: Order, market: MarketSnapshot) -> list[Order]:
        """Return the order as it is."""
        return [parent]


class Limit(ExecutionAlgorithm):
    """Rest a limit that is better than the decision's close; it must be traded through to fill (SEMANTICS 23, 27).

    Parameters
    ----------
    offset : float, default 0.0005
        How much better than the close, as a share of it; 0 rests at the close.
    bars : int, default 1
        For how many of its instrument's bars it works.
    then : {"cancel", "cross"}, default "cancel"
        What becomes of it at the close of the last: taken off, or sent on at market.

    Examples
    --------
    >>> Limit(offset=0.001, then="cross")
    Limit(offset=0.001, bars=1, then='cross')
    """

    offset: float = 0.0005
    bars: int = 1
    then: Literal["cancel", "cross"] = "cancel"
    compiled: ClassVar[bool] = True

    def check(self) -> None:
        """Refuse an offset outside [0, 1) and fewer than one bar."""
        if not 0 <= self.offset < 1:
            raise ParameterError(f"Limit: offset is a share of the close between 0 and 1 (0.001 = 10 basis points), got {self.offset!r}")
        if self.bars < 1:
            raise ParameterError(f"Limit: bars must be at least 1, got {self.bars}")

    def plan(self, parent: Order, market: MarketSnapshot) -> list[Order]:
        """Return the order as a limit; none where its price would lie below the first tick."""
        price = limit_price(float(parent.sign), market.price, float(self.offset), *parent.instrument.tick)
        if not price > 0.0:
            return []
        return [replace(parent, type="limit", price=price, bars=self.bars, then=self.then)]

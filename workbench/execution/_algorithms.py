"""Execution algorithms: how a decided opening is put to the venue."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from typing import ClassVar, Literal, NamedTuple

from workbench.component import Component
from workbench.errors import ParameterError
from workbench.execution.fills import limit_price
from workbench.market import Market as MarketSnapshot
from workbench.market import Order

__all__ = ["ExecutionAlgorithm", "Limit", "Market", "Progress", "WorkingAlgorithm", "limit_of", "require_offset"]


class Progress(NamedTuple):
    """How far an order is that is worked over several bars.

    Parameters
    ----------
    closes : int
        How many closes lie between the decision and this one: 0 at the decision.
    asked : float
        The quantity that was decided.
    decided : float
        The close that it was decided on.
    interval : int
        Length of a bar in nanoseconds.
    time : int, default 0
        The label of the bar that has closed, in nanoseconds.
    out : float, default 0
        What of it is out now.
    """

    closes: int
    asked: float
    decided: float
    interval: int
    time: int = 0
    out: float = 0.0


class ExecutionAlgorithm(Component):
    """Turns an opening into the orders that are sent. Closings always go at market.

    One of your own is five lines::

        class BelowTheClose(ExecutionAlgorithm):
            def plan(self, parent, market):
                return [replace(parent, type="limit", price=0.999 * market.price, bars=1)]

    It backtests through the Session; `compiled` algorithms run in the fast kernel too. One that works an order over several bars is a
    `WorkingAlgorithm`.
    """

    #: Whether the research kernel knows this algorithm.
    compiled: ClassVar[bool] = False

    #: Which order types it sends (`ExecutionModule.supports`).
    sends: ClassVar[frozenset[str]] = frozenset({"market", "limit"})
    #: At how many closes it is asked what to send, that of the decision included.
    closes: ClassVar[int] = 1

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


class WorkingAlgorithm(ExecutionAlgorithm):
    """Works an opening over several bars: at each close it is asked what to send.

    One of your own is five lines::

        class InThirds(WorkingAlgorithm):
            closes = 3
            def work(self, parent, market, progress):
                return [replace(parent, quantity=parent.quantity / (3 - progress.closes))]

    One order of it is out at a time. The limits were asked once, for the whole of it, which counts in full until it is done; a stance that
    turns, a stop or a kill ends it, and while a run is paused nothing of it is sent. It backtests through the Session.
    """

    @abstractmethod
    def work(self, parent: Order, market: MarketSnapshot, progress: Progress) -> list[Order]:
        """Return what is sent at a close: at most one order, in the place of the one that is out; none leaves that alone.

        Parameters
        ----------
        parent : Order
            At market, with the quantity that has not filled yet.
        market : Market
            This step's closes.
        progress : Progress
            How far it is.
        """

    def is_last(self, progress: Progress) -> bool:
        """Whether it is asked for the last time."""
        return progress.closes + 1 >= self.closes

    def plan(self, parent: Order, market: MarketSnapshot) -> list[Order]:
        """Return what is added to a position by its sizer: that is not worked."""
        return [parent]


class Market(ExecutionAlgorithm):
    """Send at market: filled at the instrument's next open, moved against us by the slippage.

    Examples
    --------
    >>> Market()
    Market()
    """

    compiled: ClassVar[bool] = True
    sends: ClassVar[frozenset[str]] = frozenset({"market"})

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
        require_offset(self, self.offset)
        if self.bars < 1:
            raise ParameterError(f"Limit: bars must be at least 1, got {self.bars}")

    def plan(self, parent: Order, market: MarketSnapshot) -> list[Order]:
        """Return the order as a limit; none where its price would lie below the first tick."""
        return limit_of(parent, market.price, self.offset, self.bars, self.then)


def require_offset(algorithm: ExecutionAlgorithm, offset: float) -> None:
    """Refuse how much better than a close a limit is, where that is no share of it."""
    if not 0 <= offset < 1:
        who = type(algorithm).__name__
        raise ParameterError(f"{who}: offset is a share of the close between 0 and 1 (0.001 = 10 basis points), got {offset!r}")


def limit_of(parent: Order, close: float, offset: float, bars: int, then: str = "cancel") -> list[Order]:
    """Return an order as a limit that is better than a close by a share of it; none where that lies below the first tick."""
    price = limit_price(float(parent.sign), close, float(offset), *parent.instrument.tick)
    return [replace(parent, type="limit", price=price, bars=bars, then=then)] if price > 0.0 else []

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

__all__ = ["ExecutionAlgorithm", "Limit", "Market", "Progress", "StopEntry", "WorkingAlgorithm", "limit_of", "require_offset"]


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
        How long it is from one of its closes to the next, in nanoseconds: a bar, or as many as an order needs
        to meet one (`Costs.latency`).
    time : int, default 0
        The label of the bar that has closed, in nanoseconds.
    out : float, default 0
        What of it is out now.
    bars : int, default 1
        How many bars lie between its closes.
    """

    closes: int
    asked: float
    decided: float
    interval: int
    time: int = 0
    out: float = 0.0
    bars: int = 1


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
        For how many of its instrument's bars it works, where `time_in_force` says nothing else.
    then : {"cancel", "cross"}, default "cancel"
        What becomes of it when its time is over: taken off, or sent on at market.
    time_in_force : {"gtc", "day", "ioc", "fok"}, default "gtc"
        ``"day"``: to the end of the day of its first bar. ``"ioc"``, ``"fok"``: at its first open as much as there is, or all or nothing.
    post_only : bool, default False
        Whether it is refused where its first bar opens beyond it: it never takes what is there (`Costs.maker`).

    Notes
    -----
    With `time_in_force` or `post_only` a backtest runs through the Session.

    Examples
    --------
    >>> Limit(offset=0.001, then="cross")
    Limit(offset=0.001, bars=1, then='cross', time_in_force='gtc', post_only=False)
    """

    offset: float = 0.0005
    bars: int = 1
    then: Literal["cancel", "cross"] = "cancel"
    time_in_force: Literal["gtc", "day", "ioc", "fok"] = "gtc"
    post_only: bool = False

    def check(self) -> None:
        """Refuse an offset outside [0, 1), fewer than one bar, and to rest and not to rest at once."""
        require_offset(self, self.offset)
        if self.bars < 1:
            raise ParameterError(f"Limit: bars must be at least 1, got {self.bars}")
        if self.post_only and self.time_in_force in ("ioc", "fok"):
            raise ParameterError(f"Limit: post_only rests and {self.time_in_force!r} does not: choose one")

    @property
    def compiled(self) -> bool:  # type: ignore[override]
        """Whether it is the plain one."""
        return self.time_in_force == "gtc" and not self.post_only

    @property
    def sends(self) -> frozenset[str]:  # type: ignore[override]
        """A limit with what it asks for; a market order where it may cross."""
        also = {self.time_in_force} - {"gtc"} | ({"post_only"} if self.post_only else set())
        return frozenset({"limit", "market"} | also)

    def plan(self, parent: Order, market: MarketSnapshot) -> list[Order]:
        """Return the order as a limit; none where its price would lie below the first tick."""
        bars = self.bars if self.time_in_force == "gtc" else 0
        orders = limit_of(parent, market.price, self.offset, bars, self.then)
        if self.compiled:
            return orders
        return [replace(order, time_in_force=self.time_in_force, post_only=self.post_only) for order in orders]


class StopEntry(ExecutionAlgorithm):
    """Enter once the price has gone on in the direction of the stance: a stop order beyond the decision's close.

    Set off inside a bar it fills at its price, at an open beyond it at the open, both moved against it by the slippage. It backtests
    through the Session.

    Parameters
    ----------
    offset : float, default 0.001
        How far beyond the close, as a share of it: above for a buy.
    bars : int, default 1
        For how many of its instrument's bars it waits.
    limit : float, optional
        What it may cost at most, so much further, as a share of the close: a stop-limit order. At an open beyond that it rests there.

    Examples
    --------
    >>> StopEntry(offset=0.002, bars=3)
    StopEntry(offset=0.002, bars=3, limit=None)
    """

    offset: float = 0.001
    bars: int = 1
    limit: float | None = None

    def check(self) -> None:
        """Refuse an offset or a limit outside [0, 1), and fewer than one bar."""
        require_offset(self, self.offset)
        if self.limit is not None and not 0 <= self.limit < 1:
            raise ParameterError(f"StopEntry: limit is a share of the close between 0 and 1, beyond the offset, got {self.limit!r}")
        if self.bars < 1:
            raise ParameterError(f"StopEntry: bars must be at least 1, got {self.bars}")

    @property
    def sends(self) -> frozenset[str]:  # type: ignore[override]
        """A stop order, or a stop-limit order."""
        return frozenset({"stop" if self.limit is None else "stop_limit"})

    def plan(self, parent: Order, market: MarketSnapshot) -> list[Order]:
        """Return the order as a stop; none where a price would lie below the first tick."""
        side, tick = float(parent.sign), parent.instrument.tick
        price = limit_price(-side, market.price, self.offset, *tick)
        if self.limit is None:
            return [replace(parent, type="stop", price=price, bars=self.bars)] if price > 0.0 else []
        most = limit_price(-side, market.price, self.offset + self.limit, *tick)
        if not min(price, most) > 0.0:
            return []
        return [replace(parent, type="stop_limit", price=price, limit_price=most, bars=self.bars)]


def require_offset(algorithm: ExecutionAlgorithm, offset: float) -> None:
    """Refuse how much better than a close a limit is, where that is no share of it."""
    if not 0 <= offset < 1:
        who = type(algorithm).__name__
        raise ParameterError(f"{who}: offset is a share of the close between 0 and 1 (0.001 = 10 basis points), got {offset!r}")


def limit_of(parent: Order, close: float, offset: float, bars: int, then: str = "cancel") -> list[Order]:
    """Return an order as a limit that is better than a close by a share of it; none where that lies below the first tick."""
    price = limit_price(float(parent.sign), close, float(offset), *parent.instrument.tick)
    return [replace(parent, type="limit", price=price, bars=bars, then=then)] if price > 0.0 else []

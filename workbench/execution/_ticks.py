"""Quotes or trades inside the bars: what an instrument's orders at the paper venue meet one after the other, where they are given."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from workbench.errors import DataError, ParameterError, did_you_mean
from workbench.execution._desk import Desk
from workbench.execution._offers import Offer, at_the_open, inside, set_off_at_open
from workbench.execution.costs import Costs
from workbench.execution.fills import limit_inside, stop_at_open, stop_inside
from workbench.instrument import Instrument
from workbench.market import Order

__all__ = ["TickDesk", "Ticks"]

SIDES, PRICE = ("bid", "ask"), "price"
#: So many times beyond its bar a tick is no odd print: it is on another scale.
FAR = 1.5


class Ticks:
    """The quotes or the trades of one instrument, in the order of time.

    Parameters
    ----------
    symbol : str
    frame : DataFrame
        Indexed by time (UTC where it has no zone), with the columns bid and ask of quotes, or price of trades. Rows with a NaN are
        left out.

    Raises
    ------
    ParameterError
        Not in the order of time, no such columns, or a price that none can be.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"bid": [99.0], "ask": [101.0]}, pd.DatetimeIndex(["2026-01-05 10:00"]))
    >>> [(bid, ask) for _, bid, ask in Ticks("ABC", frame).between(0, 2**62)]
    [(99.0, 101.0)]
    """

    __slots__ = ("ask", "bid", "quoted", "symbol", "times")

    def __init__(self, symbol: str, frame: Any) -> None:
        import pandas as pd

        self.symbol, who = symbol, f"PaperVenue: ticks of {symbol}"
        if not isinstance(frame, pd.DataFrame) or not isinstance(frame.index, pd.DatetimeIndex):
            raise ParameterError(f"{who} are a DataFrame indexed by time, got {type(frame).__name__}")
        #: Whether they are quotes: what is bought then costs the ask, and what is sold brings the bid.
        self.quoted = set(SIDES) <= set(frame.columns)
        if not self.quoted and PRICE not in frame.columns:
            near = did_you_mean(str(frame.columns[0]) if len(frame.columns) else "", (*SIDES, PRICE))
            raise ParameterError(f"{who} have the columns bid and ask, or price; got {', '.join(map(str, frame.columns)) or 'none'}{near}")
        if not frame.columns.is_unique:
            raise ParameterError(f"{who} have each column once, got {', '.join(map(str, frame.columns))}")
        known = frame[list(SIDES) if self.quoted else [PRICE, PRICE]].dropna()
        index = known.index.tz_localize("UTC") if known.index.tz is None else known.index.tz_convert("UTC")
        self.times: np.ndarray = index.as_unit("ns").asi8
        try:
            self.bid, self.ask = (known.iloc[:, k].to_numpy(float) for k in (0, 1))
        except (TypeError, ValueError) as error:
            raise ParameterError(f"{who}: prices are numbers: {error}") from None
        if not index.is_monotonic_increasing:
            raise ParameterError(f"{who} must be in the order of time: frame.sort_index() puts them there")
        wrong = np.flatnonzero(~((self.bid > 0.0) & (self.ask >= self.bid) & np.isfinite(self.ask)))
        if len(wrong):
            first = wrong[0]
            raise ParameterError(f"{who}: prices are positive, the ask not below the bid; got {self.bid[first]:g} and {self.ask[first]:g} "
                                 f"at {index[first]}")  # fmt: skip

    def between(self, first: int, end: int) -> Iterator[tuple[int, float, float]]:
        """Yield time, bid and ask of the ticks from one moment to before another, in nanoseconds."""
        rows = slice(*np.searchsorted(self.times, [first, end]))
        yield from zip(self.times[rows].tolist(), self.bid[rows].tolist(), self.ask[rows].tolist(), strict=True)


class TickDesk(Desk):
    """One instrument of an account whose bars have ticks in them: each is met by itself, so nothing of their order is guessed.

    A bar without any fills as it does at a `Desk`, and a stop that the bar reached beyond all of its ticks fills at its level.

    Parameters
    ----------
    till : Till
    j : int
    instrument : Instrument
    spec : Any
    costs : Costs
    ticks : Ticks
    """

    __slots__ = ("_now", "ticks")

    def __init__(self, till: Any, j: int, instrument: Instrument, spec: Any, costs: Costs, ticks: Ticks) -> None:
        super().__init__(till, j, instrument, spec, costs)
        self.ticks = ticks
        self._now: int | None = None

    @property
    def now(self) -> int:
        """The time of the tick, inside a bar that has some."""
        return self.till.label if self._now is None else self._now

    @property
    def _due_target(self) -> Order | None:
        """The target, in every bar: what came first is known."""
        return self.target if self._now is not None else super()._due_target

    def by_ticks(self, first: float, high: float, low: float, halts: Sequence[tuple[int, int]] = ()) -> bool:
        """Fill by the ticks of the bar that is looked at, those in a halt left out; False where it has none."""
        label, gapped, entry = self.till.label, self._gapped(first), self.entry
        end = label + self.till.tape.interval
        ticks = list(self.ticks.between(label, end))
        self._compare(ticks, high, low)
        self.depth.priced, self.depth.piece = self.ticks.quoted, 1.0 / max(len(ticks), 1)
        for time, bid, ask in ticks:
            if not any(start <= time < over for start, over in halts):
                self._now = time
                self._meet(bid, ask)
            if not self.busy:
                break
        self._now, self.depth.priced, self.depth.piece = None, False, 1.0
        if ticks and not any(start <= label and end <= over for start, over in halts):  # else nothing was traded between them either
            self._between_ticks(ticks, high, low, first if gapped and self.entry is entry else None)
        if ticks and self.opening is not None and self.opening.type != "market" and self.opening_waits.met:
            self._bar_over(high, low, over=False)
        return bool(ticks)

    def _compare(self, ticks: Sequence[tuple[int, float, float]], high: float, low: float) -> None:
        """Refuse ticks that all lie far beyond their bar: other units, or a split that only one of them knows of."""
        if not ticks or not (all(ask < low / FAR for *_, ask in ticks) or all(bid > high * FAR for _, bid, _ in ticks)):
            return
        time, bid, ask = ticks[0]
        moment = datetime.fromtimestamp(time // 1_000_000_000, tz=UTC)
        tick, bar = f"a tick of {self.ticks.symbol} at {moment:%Y-%m-%d %H:%M:%S} UTC is {bid:g} to {ask:g}", f"from {low:g} to {high:g}"
        raise DataError(f"PaperVenue: {tick}, and its bar goes {bar}: ticks and bars are on one scale")

    def _gapped(self, first: float) -> bool:
        """Whether a bar opens beyond the stop of what was held before it."""
        return (
            bool(self.lots) and self.stop is not None and self.stop.price is not None and stop_at_open(self._held, self.stop.price, first)
        )

    def _between_ticks(self, ticks: Sequence[tuple[int, float, float]], high: float, low: float, gap: float | None) -> None:
        """Fill a stop that the bar reached where no tick shows it: a gap in the ticks must not save a position."""
        stop, held = self.stop, self._held
        if not self.lots or stop is None or stop.price is None or self.triggered:
            return
        unseen = low < min(bid for _, bid, _ in ticks) if held > 0 else high > max(ask for *_, ask in ticks)
        if unseen and stop_inside(held, stop.price, high, low):
            self._stopped(stop, stop.price if gap is None else gap)

    def _meet(self, bid: float, ask: float) -> None:
        """Fill what one tick fills: closings, openings, the stop, else the target."""
        self.close_at_open(bid if self.lots > 0 else ask)
        if self.opening is not None:
            self._open_at(self.opening, ask if self.opening.sign > 0 else bid)
        if self.lots:
            self._protect_at(bid if self.lots > 0 else ask)

    def _open_at(self, order: Order, price: float) -> None:
        waits = self.opening_waits
        if order.type == "market" or not waits.met or waits.is_over(order, self.now):
            self.open_at_open(price)
        elif not (self.lots and self.closing is not None):
            offer = self._offered(order, price)
            if offer is not None:
                self._in_the_queue(order, offer, price, price)
            waits.off = waits.off or set_off_at_open(order, price)

    def _offered(self, order: Order, price: float) -> Offer | None:
        """Return what a tick offers an order that rests: a limit its own price, what is set off the tick's."""
        limit = order.type == "limit" or (self.opening_waits.off and order.limit_price is not None)
        return inside(order, price, price, self.opening_waits.off) if limit else at_the_open(order, price, self.opening_waits.off)

    def _protect_at(self, price: float) -> None:
        self.stop_at_open(price)
        target = self._due_target
        if self.lots and target is not None and target.price is not None and limit_inside(-self._held, target.price, price, price):
            lots = self.depth.room_in_the_queue("target", abs(self.lots), target.price, -self._held, price, price)
            self._leave(target, target.price, lots, maker=True)

"""The paper venue: an account whose orders fill by the bars, with the same fill rules as the research kernel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from workbench.errors import OrderError
from workbench.execution.costs import Costs, costs_for
from workbench.execution.fills import (
    limit_at_open,
    limit_inside,
    stop_at_open,
    stop_inside,
    stop_level,
    target_level,
    too_old,
)
from workbench.execution.port import (
    Ending,
    ExecutionModule,
    OrderAccepted,
    OrderAmended,
    OrderEnded,
    OrderFilled,
    PositionCharged,
    VenueEvent,
)
from workbench.grid import lots_exactly, quantity_of
from workbench.instrument import Instrument
from workbench.market import Account, Fill, Order, OrderKey, Side
from workbench.money import average_of, carried, cash_after, fee_of, slipped, worth
from workbench.rates import Rates
from workbench.spec import spec_of

__all__ = ["PaperVenue"]


class Desk:
    """What rests at the venue for one instrument, and what is held of it."""

    __slots__ = ("basis", "closing", "limit_entry", "lots", "opening", "opening_left", "opening_since", "stop", "target")

    def __init__(self) -> None:
        self.lots = 0
        self.basis = 0.0
        self.opening: Order | None = None
        self.opening_left = 0
        self.opening_since = 0
        self.closing: Order | None = None
        self.stop: Order | None = None
        self.target: Order | None = None
        self.limit_entry = -1

    @property
    def busy(self) -> bool:
        """Whether the next bar can do anything here."""
        return self.opening is not None or self.stop is not None or self.closing is not None or self.target is not None

    def orders(self) -> list[Order]:
        """Return all that rests."""
        return [order for order in (self.opening, self.closing, self.stop, self.target) if order is not None]


class PaperVenue(ExecutionModule):
    """An account that fills by closed bars, pessimistically (SEMANTICS 23-27).

    Protective orders are part of the opening that they protect: the venue rests them when it fills, at the distances that
    it carries, so they are in force on the entry bar and stay when the session is gone.

    Parameters
    ----------
    cash : float, default 100_000
    costs : Costs or mapping of str to Costs, optional
        The usual costs of each market where not given.
    currency : str, optional
        That of the instruments where they share one.
    rates : mapping, optional
        Conversion rates by pair, as in `wb.backtest`.
    buying_power : bool, default True

    Examples
    --------
    >>> PaperVenue(cash=10_000).account().cash
    10000.0
    """

    def __init__(
        self,
        cash: float = 100_000.0,
        costs: Costs | Mapping[str, Costs] | None = None,
        currency: str | None = None,
        rates: Rates | None = None,
        buying_power: bool = True,
    ) -> None:
        self.cash = float(cash)
        self.costs = costs
        self.currency = currency or ""
        self.rates = rates
        self.buying_power = buying_power
        self.instruments: tuple[Instrument, ...] = ()
        self._desks: list[Desk] = []
        self._events: list[VenueEvent] = []
        self._fills: list[Fill] = []
        self._busy = 0
        self._tape: Any = None
        self._row = -1

    def connect(self, instruments: Sequence[Instrument]) -> None:
        """Open a desk for each instrument."""
        if self._desks:
            raise OrderError("paper venue: this account has been traded by a session already; make a new PaperVenue")
        self.instruments = tuple(instruments)
        costs = costs_for(self.costs, self.instruments)
        self._specs = [spec_of(i, c.numbers(i)) for i, c in zip(self.instruments, costs, strict=True)]
        self._column = {i.symbol: j for j, i in enumerate(self.instruments)}
        self._desks = [Desk() for _ in self.instruments]

    # -- orders -------------------------------------------------------------------------------------------------

    def submit(self, order: Order) -> bool:
        """Rest an opening or a closing until the instrument's next bar."""
        if order.key is None:
            raise OrderError(f"paper venue: an order for {order.instrument.symbol} has no key")
        desk = self._desk(order.instrument.symbol)
        if order.reduce_only and not desk.lots:
            # a protective order was quicker: there is nothing left to close
            self._events += [OrderAccepted(order), OrderEnded(order.key, "cancelled", self._label)]
            return True
        if order.reduce_only:
            desk.closing = order
        else:
            desk.opening, desk.opening_left, desk.opening_since = order, order.bars, self._row
        self._busy = 1
        self._events.append(OrderAccepted(order))
        return True

    def cancel(self, key: OrderKey) -> bool:
        """Take an order off; whether it was there."""
        desk = self._desk(key.instrument)
        for name in ("opening", "closing", "stop", "target"):
            order = getattr(desk, name)
            if order is not None and order.key == key:
                setattr(desk, name, None)
                self._events.append(OrderEnded(key, "cancelled", self._label))
                return True
        return False

    def amend(self, key: OrderKey, price: float) -> bool:
        """Have a resting stop or target work at another price; whether it was there."""
        desk = self._desk(key.instrument)
        for name in ("stop", "target"):
            order = getattr(desk, name)
            if order is not None and order.key == key:
                setattr(desk, name, replace(order, price=price))
                self._events.append(OrderAmended(key, price, self._label))
                return True
        return False

    def events(self) -> list[VenueEvent]:
        """Return what happened since the last call."""
        events = self._events
        if events:
            self._events = []
        return events

    def open_orders(self) -> list[Order]:
        """Return what rests, instrument by instrument."""
        return [order for desk in self._desks for order in desk.orders()]

    def executions(self, since: int = 0) -> list[Fill]:
        """Return the fills of labels from `since` on."""
        return [fill for fill in self._fills if fill.label >= since]

    def positions(self) -> dict[str, float]:
        """Return the signed quantities held, by symbol."""
        return {i.symbol: self._quantity(j, self._desks[j].lots) for j, i in enumerate(self.instruments) if self._desks[j].lots}

    def account(self) -> Account:
        """Return cash, equity and margin at the last closes."""
        equity, margin = self.cash, 0.0
        for j, desk in enumerate(self._desks):
            if desk.lots:
                spec, price, unit = self._specs[j], self._tape.price[j], self._tape.unit[j]
                quantity = self._quantity(j, desk.lots)
                equity = equity + worth(quantity, price, desk.basis, unit)
                if spec.margined or quantity < 0.0:
                    margin = margin + (abs(quantity) * price) * unit * spec.margin
        return Account(self.currency, self.cash, equity, margin)

    @property
    def _label(self) -> int:
        return int(self._tape.label[self._row]) if self._row >= 0 else 0

    def _desk(self, symbol: str) -> Desk:
        if symbol not in self._column:
            raise OrderError(f"paper venue: no instrument {symbol!r} here; it was connected with {', '.join(self._column)}")
        return self._desks[self._column[symbol]]

    def _quantity(self, j: int, lots: int) -> float:
        spec = self._specs[j]
        return quantity_of(lots, spec.number, spec.power)

    # -- the bar ------------------------------------------------------------------------------------------------

    def observe(self, tape: Any, row: int) -> None:
        """Fill what the bars of a closed step fill, and charge what holding costs: before the open's fills, and at the close."""
        self._tape, self._row = tape, row
        charges = tape.charges.get(row)
        if charges:
            self._charge(charges, 2 * row)
        if self._busy:
            self._fill()
        if charges:
            self._charge(charges, 2 * row + 1)

    def _charge(self, charges: Sequence[tuple[int, int, float, float]], now: int) -> None:
        """Take from the cash what positions are charged at a moment, at the last completed step's rate."""
        for moment, j, long, short in charges:
            lots = self._desks[j].lots
            if moment == now and lots:
                amount = carried(self._quantity(j, lots), long, short, self._tape.unit[j])
                self.cash = self.cash - amount
                self._events.append(PositionCharged(self.instruments[j].symbol, amount, self._label))

    def _fill(self) -> None:
        """Fill what the bars fill: at the open over all instruments, then inside, one by one."""
        tape, row = self._tape, self._row
        busy = [j for j, desk in enumerate(self._desks) if desk.busy]
        present = [j for j in busy if tape.open[j][row] == tape.open[j][row]]
        self._at_open(present)
        for j in busy:
            if j in present:
                self._inside(j)
            else:
                self._wait(j)
        self._busy = int(any(desk.busy for desk in self._desks))

    def _at_open(self, present: list[int]) -> None:
        first = self._tape.open
        row = self._row
        for j in present:
            desk = self._desks[j]
            if desk.closing is not None:
                price = self._slipped(first[j][row], j, -1.0 if desk.lots > 0 else 1.0)
                (self._trim if desk.closing.key is not None and desk.closing.key.leg == "trim" else self._leave)(j, desk.closing, price)
        for j in present:
            if self._desks[j].opening is not None:
                self._open_at_open(j, first[j][row])
        for j in present:
            desk = self._desks[j]
            target = desk.target
            if target is None or target.price is None or desk.limit_entry == row:
                continue
            if limit_at_open(-1.0 if desk.lots > 0 else 1.0, target.price, first[j][row]):
                self._leave(j, target, first[j][row])
        for j in present:
            desk = self._desks[j]
            if desk.stop is not None and desk.stop.price is not None:
                held = 1.0 if desk.lots > 0 else -1.0
                if stop_at_open(held, desk.stop.price, first[j][row]):
                    self._leave(j, desk.stop, self._slipped(first[j][row], j, -held))

    def _open_at_open(self, j: int, first: float) -> None:
        desk = self._desks[j]
        order = desk.opening
        assert order is not None
        if too_old(self._tape.waited(j, desk.opening_since, self._row), self._tape.interval):
            self._end_opening(desk, "expired")
        elif order.price is None:
            self._enter(j, order, self._slipped(first, j, float(order.sign)))
        elif limit_at_open(float(order.sign), order.price, first):
            desk.limit_entry = self._row
            self._enter(j, order, first)

    def _inside(self, j: int) -> None:
        desk, row = self._desks[j], self._row
        high, low = self._tape.high[j][row], self._tape.low[j][row]
        order = desk.opening
        if order is not None and order.price is not None:
            if limit_inside(float(order.sign), order.price, high, low):
                desk.limit_entry = row
                self._enter(j, order, order.price)
            else:
                desk.opening_since = row
                desk.opening_left -= 1
                if desk.opening_left == 0:
                    self._end_opening(desk, "lapsed")
        if not desk.lots:
            return
        held = 1.0 if desk.lots > 0 else -1.0
        stop, target = desk.stop, desk.target
        if stop is not None and stop.price is not None and stop_inside(held, stop.price, high, low):
            self._leave(j, stop, self._slipped(stop.price, j, -held))
        elif target is not None and target.price is not None and desk.limit_entry != row and limit_inside(-held, target.price, high, low):
            self._leave(j, target, target.price)

    def _wait(self, j: int) -> None:
        """Let an opening go whose instrument has had no bar for too long."""
        desk = self._desks[j]
        if desk.opening is not None and too_old(self._tape.waited(j, desk.opening_since, self._row) + 1, self._tape.interval):
            self._end_opening(desk, "expired")

    # -- fills --------------------------------------------------------------------------------------------------

    def _slipped(self, price: float, j: int, side: float) -> float:
        return slipped(price, side, self._specs[j].slip_rate, self._specs[j].slip_offset)

    def _end_opening(self, desk: Desk, status: Ending) -> None:
        order, desk.opening = desk.opening, None
        if order is not None and order.key is not None:
            self._events.append(OrderEnded(order.key, status, self._label))

    def _enter(self, j: int, order: Order, price: float) -> None:
        """Fill an opening and rest its protective orders."""
        desk, spec = self._desks[j], self._specs[j]
        more = order.key is not None and order.key.leg == "add"
        if more != bool(desk.lots):  # an opening is for a flat instrument, an addition for one that is held
            self._end_opening(desk, "rejected")
            return
        lots = lots_exactly(order.quantity, spec.number, spec.power) * order.sign
        average = average_of(self._quantity(j, desk.lots), desk.basis, self._quantity(j, lots), price)
        self._book(j, order, lots, price, 0.0 if spec.funded else price)
        desk.basis = 0.0 if spec.funded else average
        desk.lots = desk.lots + lots
        desk.opening = None
        if more:
            self._follow(j)
            return
        held = float(order.sign)
        if order.stop_distance is not None:
            level = stop_level(held, price, order.stop_distance, spec.tick_number, spec.tick_power)
            desk.stop = self._rest(order, "stop", level)
        if order.target_distance is not None:
            level = target_level(held, price, order.target_distance, spec.tick_number, spec.tick_power)
            desk.target = self._rest(order, "target", level)

    def _rest(self, entry: Order, leg: str, level: float) -> Order:
        assert entry.key is not None
        side: Side = "sell" if entry.side == "buy" else "buy"
        key = replace(entry.key, leg=leg, child=0)
        kind = "stop" if leg == "stop" else "limit"
        order = Order(entry.instrument, side, entry.quantity, kind, level, key, reduce_only=True, reason=f"{leg} of the entry")
        self._events.append(OrderAccepted(order, entry.key))
        return order

    def _trim(self, j: int, order: Order, price: float) -> None:
        """Fill an order that makes a position smaller; one as large as what is left of it closes it."""
        desk, spec = self._desks[j], self._specs[j]
        lots = lots_exactly(order.quantity, spec.number, spec.power)
        if lots >= abs(desk.lots):
            self._leave(j, order, price)
            return
        self._book(j, order, lots * order.sign, price, desk.basis)
        desk.lots += lots * order.sign
        desk.closing = None
        self._follow(j)

    def _follow(self, j: int) -> None:
        """Have stop and target stand for what is held (SEMANTICS 27)."""
        desk = self._desks[j]
        quantity = self._quantity(j, abs(desk.lots))
        for name in ("stop", "target"):
            order = getattr(desk, name)
            if order is not None and order.key is not None and order.price is not None:
                setattr(desk, name, replace(order, quantity=quantity))
                self._events.append(OrderAmended(order.key, order.price, self._label, quantity))

    def _leave(self, j: int, order: Order, price: float) -> None:
        """Fill whatever closed a position, and take off what else was there to close it, or to add to it."""
        desk = self._desks[j]
        self._book(j, order, -desk.lots, price, desk.basis)
        desk.lots = 0
        if desk.opening is not None and desk.opening.key is not None and desk.opening.key.leg == "add":
            self._end_opening(desk, "cancelled")
        for other in (desk.closing, desk.stop, desk.target):
            if other is not None and other is not order and other.key is not None:
                self._events.append(OrderEnded(other.key, "cancelled", self._label))
        desk.closing = desk.stop = desk.target = None

    def _book(self, j: int, order: Order, lots: int, price: float, basis: float) -> None:
        assert order.key is not None
        spec, unit = self._specs[j], self._tape.unit[j]
        quantity = self._quantity(j, lots)
        fee = fee_of(quantity, price, unit, spec.multiplier, spec.fee_rate, spec.fee_unit, spec.fee_minimum, spec.fee_most)
        self.cash = cash_after(self.cash, quantity, price, basis, unit, fee)
        fill = Fill(order.key, order.instrument, order.side, abs(quantity), price, fee, self._label)
        self._fills.append(fill)
        self._events.append(OrderFilled(fill))

"""The paper venue: an account whose orders fill by the bars, with the same fill rules as the research kernel."""

from __future__ import annotations

import math
import random
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from workbench.dust import Dust
from workbench.errors import OrderError, ParameterError, did_you_mean
from workbench.execution._depth import Taken
from workbench.execution._desk import Desk
from workbench.execution._terms import by_symbol, finite, halts_of, supported
from workbench.execution._ticks import TickDesk, Ticks
from workbench.execution.costs import Costs, costs_for, specs_for
from workbench.execution.port import EVERYTHING, ExecutionModule, OrderEnded, OrderFilled, PositionCharged, VenueEvent
from workbench.grid import on_grid
from workbench.instrument import Instrument
from workbench.market import Account, Fill, Order, OrderKey
from workbench.money import below_minimum, carried, worth
from workbench.rates import Rates

__all__ = ["PaperVenue"]


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
        Whether a session keeps to what the account can pay for (SEMANTICS 22).
    margin : bool, default False
        Whether the venue refuses openings by itself that the account has no margin for, at the last closes: as brokers do. What a
        session has checked at its decision it takes; a crossing or a slice that comes when the price has gone on it may not.
    ticks : mapping of str to DataFrame, optional
        By symbol, the quotes (columns bid and ask) or trades (price) inside its bars, indexed by time in UTC. Orders meet them one by
        one: at the other side of the quote, after their latency, stop or target by whichever was reached first. A bar without ticks
        fills by its prices.
    rejects : float, default 0
        The share of all openings that is refused, for a strategy to be tried against: the same ones each time.
    halts : mapping of str to list of (start, end), optional
        By symbol, times in which it is not traded though there are bars, in UTC: what rests waits, ``{"ABC": [("2026-01-05 15:00",
        "2026-01-05 16:30")]}``; the end is not part of it. It is looked up by the time at which a bar opens: a halt within a day stops no
        daily bar. Of ticks it is looked up by their own.
    seed : int, default 0
        Says which openings are refused.
    supports : collection of str, optional
        What it can do, for a strategy to be tried at a simpler venue; all of `workbench.execution.port.EVERYTHING` where not given.
        A closing is reduce-only here in any case.

    Examples
    --------
    >>> PaperVenue(cash=10_000).account().cash
    10000.0
    """

    supports = EVERYTHING

    def __init__(
        self,
        cash: float = 100_000.0,
        costs: Costs | Mapping[str, Costs] | None = None,
        currency: str | None = None,
        rates: Rates | None = None,
        buying_power: bool = True,
        rejects: float = 0.0,
        halts: Mapping[str, Sequence[tuple[Any, Any]]] | None = None,
        seed: int = 0,
        supports: Collection[str] | None = None,
        margin: bool = False,
        ticks: Mapping[str, Any] | None = None,
    ) -> None:
        if supports is not None:
            self.supports = supported(supports)
        self.rejects, self.seed = finite(rejects, "rejects", "a share of all openings between 0 and 1"), seed
        if not 0 <= self.rejects <= 1:
            raise ParameterError(f"PaperVenue: rejects is a share of all openings between 0 and 1, got {rejects!r}")
        self._halts = halts_of({} if halts is None else halts)
        self._ticks = {symbol: Ticks(symbol, frame) for symbol, frame in by_symbol({} if ticks is None else ticks, "ticks").items()}
        self.ticked = frozenset(self._ticks)
        self.cash = finite(cash, "cash", "a sum of money")
        #: What purchases left below a step, by instrument: worth money, and no position.
        self.dust = Dust()
        #: By instrument, what orders have taken of the newest bar.
        self.taken: dict[str, Taken] = {}
        self.costs = costs
        self.currency = currency or ""
        self.rates = rates
        for name, switch in (("buying_power", buying_power), ("margin", margin)):
            if not isinstance(switch, bool):
                raise ParameterError(f"PaperVenue: {name} is True or False, got {switch!r}")
        self.buying_power, self.margin = buying_power, margin
        self.instruments: tuple[Instrument, ...] = ()
        self.tape: Any = None
        self.row = -1
        self._desks: list[Desk] = []
        self._events: list[VenueEvent] = []
        self._fills: list[Fill] = []
        #: The desks with anything that a bar could fill.
        self._busy: set[int] = set()

    @property
    def by_volume(self) -> bool:
        """Whether what fills depends on how much is traded."""
        given = self.costs.values() if isinstance(self.costs, Mapping) else [self.costs]
        return any(one is not None and one.by_volume for one in given)

    @property
    def quoted(self) -> bool:
        """Whether what a fill costs depends on the spread that the bars carry."""
        given = self.costs.values() if isinstance(self.costs, Mapping) else [self.costs]
        return any(one is not None and bool(one.quoted) for one in given)

    def connect(self, instruments: Sequence[Instrument]) -> None:
        """Open a desk for each instrument."""
        if self._desks:
            raise OrderError("paper venue: this account has been traded by a session already; make a new PaperVenue")
        self.instruments = tuple(instruments)
        self._column = {i.symbol: j for j, i in enumerate(self.instruments)}
        costs = costs_for(self.costs, self.instruments)
        each = enumerate(zip(self.instruments, specs_for(self.instruments, costs), costs, strict=True))
        self._desks = [self._desk_for(j, *rest) for j, rest in each]
        known = {one.traded_as for one in self.instruments}
        for what, symbol in [*(("halts", one) for one in self._halts), *(("ticks", one) for one in self._ticks)]:
            if symbol not in known:
                raise ParameterError(f"PaperVenue: {what} of {symbol!r}, which is not traded{did_you_mean(symbol, known)}")

    def _desk_for(self, j: int, instrument: Instrument, spec: Any, costs: Costs) -> Desk:
        ticks = self._ticks.get(instrument.traded_as)
        return Desk(self, j, instrument, spec, costs) if ticks is None else TickDesk(self, j, instrument, spec, costs, ticks)

    # -- orders -------------------------------------------------------------------------------------------------

    def submit(self, order: Order) -> bool:
        """Rest an opening or a closing until the instrument's next bar."""
        why = self.why_not(order)
        if why:
            raise OrderError(f"paper venue: {why}")
        desk = self._desk(order.instrument.symbol)
        if not order.reduce_only and self._refuses(order, desk):
            assert order.key is not None
            self.tell(OrderEnded(order.key, "rejected", self.label))
            return True
        desk.take(order)
        self._busy.add(desk.j)
        return True

    def why_not(self, order: Order) -> str:
        """Return why an order is not taken; empty where it is."""
        symbol = order.instrument.symbol
        if order.key is None:
            return f"an order for {symbol} has no key"
        if symbol not in self._column:
            return f"no instrument {symbol!r} here; it was connected with {', '.join(self._column)}"
        if order.reduce_only and order.type != "market":
            return f"a closing for {symbol} goes by market order, got {order.type}; a stop and a target come with the opening"
        with_it = {"stop"} if order.stop_distance is not None else set()
        with_it |= {"limit"} if order.target_distance is not None else set()
        missing = (order.needs | with_it) - self.supports
        if missing:
            return (
                f"{', '.join(sorted(missing))} orders are not taken here, got one for {symbol}; what is: {', '.join(sorted(self.supports))}"
            )
        return off_grid(self._desks[self._column[symbol]].spec, order)

    def cancel(self, key: OrderKey) -> bool:
        """Take an order off; whether it was there."""
        return self._desk(key.instrument).cancel(key)

    def amend(self, key: OrderKey, price: float) -> bool:
        """Have a resting stop or target work at another price; whether it was there."""
        return self._desk(key.instrument).amend(key, price)

    def events(self) -> list[VenueEvent]:
        """Return what happened since the last call."""
        events = self._events
        if events:
            self._events = []
        return events

    def open_orders(self) -> list[Order]:
        """Return what rests, instrument by instrument."""
        return [order for desk in self._desks for order in desk.orders]

    def executions(self, since: int = 0) -> list[Fill]:
        """Return the fills of labels from `since` on."""
        return [fill for fill in self._fills if fill.label >= since]

    def positions(self) -> dict[str, float]:
        """Return the signed quantities held, by symbol."""
        return {desk.instrument.symbol: desk.quantity for desk in self._desks if desk.lots}

    def account(self) -> Account:
        """Return cash, equity and margin at the last closes."""
        equity, margin = self.cash, 0.0
        for j, desk in enumerate(self._desks):
            if desk.lots:
                price, unit, quantity = self.tape.price[j], self.tape.unit[j], desk.quantity
                equity = equity + worth(quantity, price, desk.basis, unit)
                if desk.spec.margined or quantity < 0.0:
                    margin = margin + (abs(quantity) * price) * unit * desk.spec.margin
        if self.dust.any:
            equity = equity + self.dust.all_worth(self.tape.price, self.tape.unit)
        return Account(self.currency, self.cash, equity, margin)

    def _desk(self, symbol: str) -> Desk:
        if symbol not in self._column:
            raise OrderError(f"paper venue: no instrument {symbol!r} here; it was connected with {', '.join(self._column)}")
        return self._desks[self._column[symbol]]

    # -- what desks book into (`Till`) -----------------------------------------------------------------------------

    @property
    def label(self) -> int:
        """The label of the newest bar."""
        return int(self.tape.label[self.row]) if self.row >= 0 else 0

    def tell(self, event: VenueEvent) -> None:
        """Keep what happened for whoever asks."""
        self._events.append(event)
        if type(event) is OrderFilled:
            self._fills.append(event.fill)

    # -- the bar ------------------------------------------------------------------------------------------------

    def observe(self, tape: Any, row: int) -> None:
        """Fill what the bars of a closed step fill, and charge what holding costs: before the open's fills, and at the close."""
        self.tape, self.row = tape, row
        charges = tape.charges.get(row)
        if charges:
            self._charge(charges, 2 * row)
        if self._busy:
            self._fill()
        if charges:
            self._charge(charges, 2 * row + 1)

    def _is_halted(self, desk: Desk) -> bool:
        """Whether an instrument is not traded in the bar that is looked at."""
        return any(start <= self.label < end for start, end in self._halts.get(desk.instrument.traded_as, ()))

    def _refuses(self, order: Order, desk: Desk) -> bool:
        """Whether an opening is refused: by chance, below the smallest order, or beyond the margin."""
        if self.rejects and self._is_unlucky(order.key):
            return True
        if self.row < 0:
            return False
        return below_minimum(order.quantity, self.tape.price[desk.j], desk.spec) or (self.margin and self._is_too_large(order, desk))

    def _is_unlucky(self, key: OrderKey | None) -> bool:
        """Whether an opening is one of those that are refused: the same decision each time, whoever sends it."""
        assert key is not None
        return random.Random(f"{self.seed} {key.instrument} {key.label} {key.leg} {key.child}").random() < self.rejects

    def _is_too_large(self, order: Order, desk: Desk) -> bool:
        """Whether an opening needs more than there is, beside what is held and on its way; what is being closed is done with."""
        tape, needed = self.tape, 0.0
        for j, other in enumerate(self._desks):
            opening = order if other is desk else other.opening
            quantity = other.staying + (0.0 if opening is None else opening.quantity)
            if quantity:
                needed = needed + (quantity * tape.price[j]) * tape.unit[j] * other.spec.margin
        return needed > self.account().equity * (1.0 + TIE)

    def _charge(self, charges: Sequence[tuple[int, int, float, float]], now: int) -> None:
        """Take from the cash what positions are charged at a moment, at the last completed step's rate."""
        for moment, j, long, short in charges:
            desk = self._desks[j]
            if moment == now and desk.lots:
                amount = carried(desk.quantity, long, short, self.tape.unit[j])
                self.cash = self.cash - amount
                self.tell(PositionCharged(desk.instrument.symbol, amount, self.label))

    def _fill(self) -> None:
        """Fill what the bars fill: at the open phase by phase over all instruments, then inside, one by one."""
        tape, row = self.tape, self.row
        busy = [self._desks[j] for j in sorted(self._busy)]
        if self._ticks:
            busy = [desk for desk in busy if not self._by_ticks(desk)]
        opens = [(desk, tape.open[desk.j][row]) for desk in busy if not desk.is_calm(tape.high[desk.j][row], tape.low[desk.j][row])]
        if not opens:
            return
        if self._halts:
            opens = [(desk, math.nan if self._is_halted(desk) else first) for desk, first in opens]
        present = [(desk, first) for desk, first in opens if first == first]
        for phase in AT_THE_OPEN:
            for desk, first in present:
                phase(desk, first)
        for desk, first in opens:
            if first == first:
                desk.inside(tape.high[desk.j][row], tape.low[desk.j][row])
            else:
                desk.wait()
            if not desk.busy:
                self._busy.discard(desk.j)

    def _by_ticks(self, desk: Desk) -> bool:
        """Whether a bar has ticks, which then have filled what they fill."""
        first, high, low = (prices[desk.j][self.row] for prices in (self.tape.open, self.tape.high, self.tape.low))
        if first != first or not isinstance(desk, TickDesk):
            return False
        if not desk.by_ticks(first, high, low, self._halts.get(desk.instrument.traded_as, ())):
            return False
        if not desk.busy:
            self._busy.discard(desk.j)
        return True


#: What a limit allows besides, relative: float arithmetic (SEMANTICS 20).
TIE = 1e-9


def off_grid(spec: Any, order: Order) -> str:
    """Return what of an order lies off the instrument's grids; empty where nothing does."""
    instrument = order.instrument
    if not on_grid(order.quantity, spec.number, spec.power):
        return f"the quantity of {instrument.symbol} goes in steps of {instrument.quantity_step:g}, got {order.quantity!r}"
    for price in (order.price, order.limit_price):
        if price is not None and instrument.tick_size is not None and not on_grid(price, spec.tick_number, spec.tick_power):
            return f"the price of {instrument.symbol} goes in ticks of {instrument.tick_size:g}, got {price!r}"
    return ""


#: What happens at the open, in this order: each over all instruments before the next.
AT_THE_OPEN = (Desk.close_at_open, Desk.open_at_open, Desk.take_profit_at_open, Desk.stop_at_open)

"""The port of risk managers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import field
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np

from workbench.bars import Bars
from workbench.component import Component
from workbench.errors import StrategyError
from workbench.instrument import Instrument
from workbench.market import Book, Market, Order
from workbench.past import History, empty_memory

__all__ = ["Breach", "RiskManager", "Snapshot", "snapshot_of"]


class Snapshot(NamedTuple):
    """Book and market as lists in the order of the instruments: what a limit's decision reads."""

    j: int
    equity: float
    hi: Sequence[float]
    lo: Sequence[float]
    price: Sequence[float]
    unit: Sequence[float]
    base: Sequence[float]
    history: History
    first: int = 0


class Breach(NamedTuple):
    """A limit that what is held has outgrown: which share of each position may stay, and why in words."""

    shares: Sequence[float]
    why: str


class RiskManager(Component):
    """Says how much of an opening order the book may take. Closing orders are never given to it (SEMANTICS 18-21).

    A limit is a cap that does not depend on the size asked. One of your own is five lines::

        class NotOnOneName(RiskManager):
            share: float = 0.2
            def limit(self, order, portfolio, market):
                room = self.share * portfolio.equity / (market.price * market.unit)
                return room, f"at most {self.share:.0%} of equity in one name"

    It backtests through the Session. To run in the fast kernel too, give it a `decision`: a static method in plain
    arithmetic, ``decision(p, table, j, side, equity, hi, lo, price, unit, base, history) -> quantity``; `p` holds what
    `parameters()` returns and `table` what `table()` returns; `hi` and `lo` are the positions that open orders could
    still lead to, `price` the last closes, `unit` turns quantity x price into account currency, and `base` is what one
    lot's base currency is worth there; `history` is what there is to look back
    at (`workbench.past.History`).
    """

    #: What becomes of a breach in mid-life, by prices that drift for one: an alert, or the book is reduced as well (SEMANTICS 21).
    on_breach: Literal["alert", "reduce"] = field(default="alert", kw_only=True)

    decision: ClassVar[Callable[..., float] | None] = None
    #: Whether it looks at the account's past equity, or at its day: what `workbench.past.remember` keeps.
    remembers: ClassVar[bool] = False

    def allowed(self, order: Order, portfolio: Book, market: Market) -> tuple[float, str]:
        """Return the quantity that is allowed, and why: your own `limit`, or the shipped `decision`.

        (Shipped managers have a *parameter* named `limit`; the method that asks them is this one.)

        Parameters
        ----------
        order : Order
            An opening, with the quantity that is asked for.
        portfolio : Book
            Positions, and what open orders could still make of them; closings of this step count as done.
        market : Market
            This step's closes and rates.

        Returns
        -------
        quantity : float
            The most that this manager allows, >= 0; NaN counts as nothing.
        reason : str
            In words, for the trace.
        """
        own = getattr(self, "limit", None)
        if callable(own):
            answer = own(order, portfolio, market)
            if not isinstance(answer, tuple) or len(answer) != 2:
                raise StrategyError(f"{type(self).__name__}.limit must return a quantity and a reason, got {answer!r}")
            quantity, reason = answer
            return quantity, str(reason)
        decide = type(self).decision
        if decide is None:
            raise NotImplementedError(f"{type(self).__name__} must define limit(self, order, portfolio, market)")
        instruments = list(market.instruments.values())
        s = snapshot_of(portfolio, market)
        if any(held != held for held in (*s.hi, *s.lo)):  # a maximum would hide it
            return 0.0, "a position is no number"
        table = self.table(instruments, portfolio.currency)
        n, history = len(instruments), s.history._replace(memory=self.memory(len(instruments)))
        places = (float(self.scratch), float(s.first)) if self.series_rows(n) else ()
        p = (*self.parameters(instruments, portfolio.currency), *places)
        room = decide(p, table, s.j, float(order.sign), s.equity, s.hi, s.lo, s.price, s.unit, s.base, history)
        return min(room, order.quantity), self.explain(s, instruments, portfolio.currency, float(order.sign))

    def parameters(self, instruments: Sequence[Instrument], currency: str) -> tuple[float, ...]:
        """Return the numbers that `decision` gets as `p`."""
        return (0.0,)

    def table(self, instruments: Sequence[Instrument], currency: str) -> Sequence[float]:
        """Return what `decision` gets as `table`: rows of one number an instrument, one after the other."""
        return (0.0,)

    def series(self, bars: Bars) -> np.ndarray | None:
        """Return rows of numbers that `decision` looks back at, shape (T, rows): causal; None for nothing.

        The last two of the numbers that `decision` gets as `p` are then the place in ``history.memory`` from which on it may keep
        something (`kept`), and the number of the first row in ``history.series``.
        """
        return None

    def series_rows(self, n: int) -> int:
        """Return how many rows `series` has over n instruments."""
        return 0

    @property
    def lookback(self) -> int:
        """Steps that `decision` looks back at."""
        return 1

    @property
    def scratch(self) -> int:
        """How many numbers of ``history.memory`` the `decision` reckons in: the first ones, any other limit does so too."""
        return 1

    def kept(self, n: int) -> int:
        """Return how many numbers of ``history.memory`` the `decision` keeps over n instruments, from one to the next in a step."""
        return 0

    def memory(self, n: int) -> memoryview:
        """Return a memory for this manager alone."""
        return empty_memory(self.scratch + self.kept(n))

    def explain(self, snapshot: Snapshot, instruments: Sequence[Instrument], currency: str, side: float) -> str:
        """Return why the limit allows what it allows, in words."""
        return f"allowed by {self!r}"

    def breach(self, snapshot: Snapshot, instruments: Sequence[Instrument], currency: str) -> Breach | None:
        """Return what may stay of a book that this limit would not let open any more; None while it is within, or where none can be named.

        Parameters
        ----------
        snapshot : Snapshot
            What is held, as both the highest and the lowest positions; closings of this step count as done.
        """
        return None

    def notes(self, instruments: Sequence[Instrument]) -> list[str]:
        """Return what a user should know of this limit on these instruments, for the assumptions of a result."""
        return []

    def words(self, equity: float, currency: str) -> str:
        """Return the limit itself in words, for the trace of a backtest."""
        return repr(self)


def snapshot_of(book: Book, market: Market) -> Snapshot:
    """Return book and market as lists in the order of the instruments."""
    symbols: Any = list(market.instruments)
    return Snapshot(
        symbols.index(market.instrument.symbol),
        book.equity,
        [book.highest.get(s, 0.0) for s in symbols],
        [book.lowest.get(s, 0.0) for s in symbols],
        [market.closes[s] for s in symbols],
        [market.units[s] for s in symbols],
        [market.bases[s] for s in symbols],
        book.history,
    )

"""The paper venue without its wire: a market that moves on, an account whose orders rest, a ledger that outlives the process.

The ledger is a journal of what came from outside: bars that passed, orders taken, orders taken off. All else follows
from it, so a venue that was killed comes back by living through its ledger once more - the same fills, the same numbers.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import asdict
from typing import Any, NamedTuple

import numpy as np

from workbench.bars import FIELDS, Bars
from workbench.errors import OrderError
from workbench.execution.paper import PaperVenue
from workbench.execution.wire import event_plain, order_from, order_plain
from workbench.instrument import Instrument
from workbench.journal import Entry, JournalPort
from workbench.layout import SIMPLE, Layout
from workbench.market import Order, OrderKey
from workbench.practice.paper.feeds import BLOCK, Feed
from workbench.rates import common_currency, conversion
from workbench.session.columns import Window
from workbench.session.tape import MarketTape
from workbench.sessions import close_times, session_numbers

__all__ = ["Exchange", "Message", "some_late"]

#: How many messages, and rows of bars, are kept at hand; who asks for older ones has the venue live through its ledger again.
KEPT = 2 * BLOCK


class Message(NamedTuple):
    """What the venue told, under its running number: an event, bars, or neither: no further bar will come.

    `bars` is a row of all instruments, or of some: the others come by themselves, so many nanoseconds `late`.
    """

    number: int
    row: int
    event: dict[str, Any] | None = None
    bars: Bars | None = None
    late: int = 0


class Told(NamedTuple):
    """A message as it is kept: bars by their columns."""

    row: int
    event: dict[str, Any] | None = None
    columns: tuple[int, ...] = ()
    late: int = 0


#: Whether the bar of a row and column comes late.
Lateness = Callable[[int, int], bool]


def some_late(share: float, seed: int) -> Lateness:
    """Return what makes a share of all bars come late: each time the same."""
    return lambda row, column: random.Random(f"{seed} {row} {column}").random() < share


class Exchange:
    """An account at the paper venue, and the market that it trades in.

    Parameters
    ----------
    feed : Feed
    venue : PaperVenue
        Fresh: the ledger brings it to where it was.
    ledger : JournalPort
    late : callable, optional
        Says which bars a client is told of only with the next row.
    layout : Layout, optional
        Which columns the account trades in, where they are not the instruments.
    keep : int, optional
        How many messages and rows are kept at hand at least.
    """

    def __init__(
        self,
        feed: Feed,
        venue: PaperVenue,
        ledger: JournalPort,
        late: Lateness = lambda row, column: False,
        layout: Layout = SIMPLE,
        keep: int = KEPT,
    ) -> None:
        self.venue = venue
        self.ledger = ledger
        self.row = -1
        self.newest = 0
        self._feed, self._fresh, self._is_late, self._keep = feed, deepcopy(venue), late, keep
        self._layout = layout
        self._log: list[Told] = []
        self._let_go = 0
        self._behind: list[tuple[int, int]] = []
        self._history = 0
        self._ended = False
        self._blocks = feed.blocks()
        self._past: list[Bars] = []
        self._past_row = 0
        self._known: dict[str, OrderKey] = {}
        self._asks = venue.by_volume, venue.quoted
        self._extend()
        traded = layout.instruments(self._past[0].instruments)
        self.instruments = {i.symbol: i for i in traded}
        self._symbols = self._past[0].symbols
        self._columns = layout.firsts(len(self._symbols))
        venue.connect(traded)
        for entry in ledger.entries():
            self._live_through(entry)

    def begin(self, rows: int) -> None:
        """Let the first rows pass at once, as history, where nothing has happened yet."""
        if self.row < 0 and rows:
            self.ledger.commit([Entry("history", "", {"rows": rows})])
            self._history = rows
            self._pass_by(rows)

    # -- what clients ask -------------------------------------------------------------------------------------------

    def submit(self, plain: dict[str, Any]) -> bool:
        """Take an order: durable before it is accepted; one whose key was taken before changes nothing."""
        order = order_from(plain, self.instruments)
        assert order.key is not None
        if str(order.key) in self._known:
            return False
        why = self.venue.why_not(order)
        if why:
            raise OrderError(why)
        self.ledger.commit([Entry("submit", order.key, plain)])
        self._take(order)
        return True

    def cancel(self, key: OrderKey) -> bool:
        """Take an order off; whether it was there."""
        if all(order.key != key for order in self.venue.open_orders()):
            return False
        self.ledger.commit([Entry("cancel", key, {"order": order_plain(Order(self._instrument(key), "buy", 1.0, key=key))})])
        return self._off(key)

    def amend(self, key: OrderKey, price: float) -> bool:
        """Have a resting order work at another price; whether it was there."""
        if all(order.key != key for order in self.venue.open_orders()):
            return False
        self.ledger.commit([Entry("amend", f"{key} {price!r} {self.head}", {"key": asdict(key), "price": price})])
        return self._move(key, price)

    def knows(self, key: OrderKey) -> bool:
        """Whether an order of this key was ever taken."""
        return str(key) in self._known

    # -- the market -------------------------------------------------------------------------------------------------

    def advance(self) -> bool:
        """Let one bar pass: fills first, then it is told. False where the recording is over."""
        if self.row + 1 >= len(self.tape) and not self._extend():
            return False
        self.ledger.commit([Entry("bar", self.tape.label[self.row + 1], {"row": self.row + 1})])
        self._pass()
        return True

    @property
    def over(self) -> bool:
        """Whether no bar is left."""
        return self.row + 1 >= len(self.tape) and not self._extend()

    def end(self) -> None:
        """Tell, once, that no further bar will come."""
        if not self._ended:
            self.ledger.commit([Entry("end", "", {})])
            self._end()

    def closes_at(self, row: int) -> int:
        """Return when a row's bars close, nanoseconds since 1970."""
        if row < getattr(self._closes, "first", 0):
            return self._again().closes_at(row)
        return int(self._closes[row])

    def bars(self, first: int, last: int) -> Bars:
        """Return the bars of the rows from `first` up to `last`, not included."""
        if first < self._past_row:
            return self._again().bars(first, last)
        return self._slice(first, last)

    @property
    def head(self) -> int:
        """The number of the newest message."""
        return self._let_go + len(self._log)

    def since(self, number: int) -> Iterator[Message]:
        """Yield what was told after a running number, up to now."""
        while number < self.head:
            if number < self._let_go:  # also while the one before was on its way
                older, last = self._again(), self._let_go
                yield from (older._message(k) for k in range(number + 1, last + 1))
                number = last
            else:
                number += 1
                yield self._message(number)

    # -- how it comes about -------------------------------------------------------------------------------------------

    def _extend(self) -> bool:
        block = next(self._blocks, None)
        if block is None:
            return False
        venue, traded = self.venue, self._layout.bars(block)
        if not self._past:
            self.tape = MarketTape(len(traded.instruments), block.interval_ns, *self._asks)
            self._closes: Any = []
            venue.currency = venue.currency or common_currency(block.instruments)
        elif len(self._past) == 1 and not self._past_row:  # a recording is one block, of which no bar has passed
            self.tape.shorten(self._keep)
            self._closes = Window(self._closes, self._keep)
        self._past.append(block)
        self.tape.add(traded, conversion(venue.currency, traded, venue.rates), session_numbers(traded))
        self._closes += close_times(block).tolist()
        while len(self.tape) - self._past_row - len(self._past[0]) > self._keep:
            self._past_row += len(self._past.pop(0))
        self._forget(next((k for k, told in enumerate(self._log) if told.row >= self._past_row), 0))
        return True

    def _again(self) -> Exchange:
        """Return this venue as its ledger has it, with all that it ever told."""
        return Exchange(self._feed, deepcopy(self._fresh), self.ledger, self._is_late, self._layout, 1 << 62)

    def _message(self, number: int) -> Message:
        told = self._log[number - self._let_go - 1]
        bars = self.bars(told.row, told.row + 1) if told.columns else None
        if bars is not None and len(told.columns) < len(self._symbols):
            bars = bars[[self._symbols[j] for j in told.columns]]
        return Message(number, told.row, told.event, bars, told.late)

    def _slice(self, first: int, last: int) -> Bars:
        begin, found = self._past_row, []
        for block in self._past:
            if first < begin + len(block) and begin < last:
                found.append(block.take(slice(max(first - begin, 0), last - begin)))
            begin += len(block)
        return _joined(found or [self._past[-1].take(slice(0, 0))])

    def _instrument(self, key: OrderKey) -> Instrument:
        return self.instruments[key.instrument]

    def _live_through(self, entry: Entry) -> None:
        if entry.kind == "submit":
            self._take(order_from(entry.body, self.instruments))
        elif entry.kind == "cancel":
            self._off(OrderKey(**entry.body["order"]["key"]))
        elif entry.kind == "amend":
            self._move(OrderKey(**entry.body["key"]), entry.body["price"])
        elif entry.kind == "history":
            self._history = entry.body["rows"]
            self._pass_by(self._history)
        elif entry.kind == "bar":
            self._pass_by(1)
        elif entry.kind == "end":
            self._end()

    def _pass_by(self, rows: int) -> None:
        for _ in range(rows):
            if self.row + 1 < len(self.tape) or self._extend():
                self._pass()

    def _take(self, order: Order) -> None:
        assert order.key is not None
        self._known[str(order.key)] = order.key
        self.venue.submit(order)
        self._tell()

    def _off(self, key: OrderKey) -> bool:
        done = self.venue.cancel(key)
        self._tell()
        return done

    def _move(self, key: OrderKey, price: float) -> bool:
        done = self.venue.amend(key, price)
        self._tell()
        return done

    def _end(self) -> None:
        self._ended = True
        self._catch_up()
        self._put(Told(-1))

    def _pass(self) -> None:
        self.row += 1
        self.venue.observe(self.tape, self.row)
        self._tell()
        self.tape.advance(self.row)
        self._catch_up()
        self._behind = self._late_cells(self.row)
        in_time = tuple(j for j in range(len(self._symbols)) if (self.row, j) not in self._behind)
        if any(self._has(j, self.row) for j in in_time):
            self.newest = self._put(Told(self.row, None, in_time))

    def _late_cells(self, row: int) -> list[tuple[int, int]]:
        """Return which bars of a row come late, as (row, column); those of the history are all there."""
        if row < self._history:
            return []
        return [(row, j) for j in range(len(self._symbols)) if self._has(j, row) and self._is_late(row, j)]

    def _has(self, j: int, row: int) -> bool:
        """Whether an instrument has a bar in a row."""
        close = self.tape.close[self._columns[j]][row]
        return close == close

    def _catch_up(self) -> None:
        """Tell the bars that come late, each by itself."""
        for row, j in self._behind:
            self.newest = self._put(Told(row, None, (j,), max(self._closes[self.row] - self._closes[row], 1)))
        self._behind = []

    def _tell(self) -> None:
        for event in self.venue.events():
            self._put(Told(self.row, event_plain(event)))

    def _put(self, told: Told) -> int:
        """Keep a message, and return its number."""
        self._log.append(told)
        if len(self._log) > 2 * self._keep:
            self._forget(len(self._log) - self._keep)
        return self.head

    def _forget(self, messages: int) -> None:
        """Let go of the oldest messages: they are told from the ledger, where anybody asks for them."""
        self._let_go += messages
        del self._log[:messages]


def _joined(blocks: list[Bars]) -> Bars:
    """Return blocks that follow each other as one."""
    like = blocks[0]
    if len(blocks) == 1:
        return like
    arrays = {name: np.concatenate([block.array(name) for block in blocks]) for name in FIELDS}
    index = like.index.append([block.index for block in blocks[1:]])
    return like.with_rows(index, arrays)

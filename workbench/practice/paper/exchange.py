"""The paper venue without its wire: a market that moves on, an account whose orders rest, a ledger that outlives the process.

The ledger is a journal of what came from outside: bars that passed, orders taken, orders taken off. All else follows
from it, so a venue that was killed comes back by living through its ledger once more - the same fills, the same numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from workbench.bars import FIELDS, Bars
from workbench.execution.paper import PaperVenue
from workbench.execution.wire import event_plain, order_from, order_plain
from workbench.instrument import Instrument
from workbench.journal import Entry, JournalPort
from workbench.market import Order, OrderKey
from workbench.practice.paper.feeds import Feed
from workbench.rates import common_currency, conversion
from workbench.session.tape import MarketTape
from workbench.sessions import close_times, session_numbers

__all__ = ["Exchange", "Message"]


class Message(NamedTuple):
    """What the venue told, under its running number: an event, the bars of a row, or (row -1) that no further bar will come."""

    number: int
    event: dict[str, Any] | None
    row: int


class Exchange:
    """An account at the paper venue, and the market that it trades in.

    Parameters
    ----------
    feed : Feed
    venue : PaperVenue
        Fresh: the ledger brings it to where it was.
    ledger : JournalPort
    """

    def __init__(self, feed: Feed, venue: PaperVenue, ledger: JournalPort) -> None:
        self.venue = venue
        self.ledger = ledger
        self.log: list[Message] = []
        self.row = -1
        self.newest = 0
        self._ended = False
        self._blocks = feed.blocks()
        self._past: list[Bars] = []
        self._known: dict[str, OrderKey] = {}
        self._extend()
        self.instruments = {i.symbol: i for i in self._past[0].instruments}
        venue.connect(self._past[0].instruments)
        for entry in ledger.entries():
            self._live_through(entry)

    def begin(self, rows: int) -> None:
        """Let the first rows pass at once, as history, where nothing has happened yet."""
        if self.row < 0 and rows:
            self.ledger.commit([Entry("history", "", {"rows": rows})])
            self._pass_by(rows)

    # -- what clients ask -------------------------------------------------------------------------------------------

    def submit(self, plain: dict[str, Any]) -> bool:
        """Take an order: durable before it is accepted; one whose key was taken before changes nothing."""
        order = order_from(plain, self.instruments)
        assert order.key is not None
        if str(order.key) in self._known:
            return False
        self.ledger.commit([Entry("submit", order.key, plain)])
        self._take(order)
        return True

    def cancel(self, key: OrderKey) -> bool:
        """Take an order off; whether it was there."""
        if all(order.key != key for order in self.venue.open_orders()):
            return False
        self.ledger.commit([Entry("cancel", key, {"order": order_plain(Order(self._instrument(key), "buy", 1.0, key=key))})])
        return self._off(key)

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
        return self._closes[row]

    def bars(self, first: int, last: int) -> Bars:
        """Return the bars of the rows from `first` up to `last`, not included."""
        return self._slice(first, last)

    def since(self, number: int) -> Iterator[Message]:
        """Return what was told after a running number."""
        return iter(self.log[number:])

    # -- how it comes about -------------------------------------------------------------------------------------------

    def _extend(self) -> bool:
        block = next(self._blocks, None)
        if block is None:
            return False
        venue = self.venue
        if not self._past:
            self.tape = MarketTape(len(block.instruments), block.interval_ns)
            self._closes: list[int] = []
            venue.currency = venue.currency or common_currency(block.instruments)
        self._past.append(block)
        self.tape.add(block, conversion(venue.currency, block, venue.rates), session_numbers(block))
        self._closes += close_times(block).tolist()
        return True

    def _slice(self, first: int, last: int) -> Bars:
        begin, found = 0, []
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
        elif entry.kind == "history":
            self._pass_by(entry.body["rows"])
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

    def _end(self) -> None:
        self._ended = True
        self.log.append(Message(len(self.log) + 1, None, -1))

    def _pass(self) -> None:
        self.row += 1
        self.venue.observe(self.tape, self.row)
        self._tell()
        self.tape.advance(self.row)
        self.newest = len(self.log) + 1
        self.log.append(Message(self.newest, None, self.row))

    def _tell(self) -> None:
        for event in self.venue.events():
            self.log.append(Message(len(self.log) + 1, event_plain(event), self.row))


def _joined(blocks: list[Bars]) -> Bars:
    """Return blocks that follow each other as one."""
    like = blocks[0]
    if len(blocks) == 1:
        return like
    arrays = {name: np.concatenate([block.array(name) for block in blocks]) for name in FIELDS}
    index = like.index.append([block.index for block in blocks[1:]])
    return Bars(index, like.instruments, like.interval, arrays, like.source, like.assumptions)

"""The lives of a session's orders: every word of the venue moves one on, and what no life should see is said (SEMANTICS 37)."""

from __future__ import annotations

from collections.abc import Iterable, KeysView
from dataclasses import replace
from typing import NamedTuple

from workbench.execution.orders import Finding, Life
from workbench.execution.port import OrderAccepted, OrderAmended, OrderEnded, OrderFilled, PositionCharged, VenueEvent
from workbench.grid import quantity_of
from workbench.market import Fill, Order, OrderKey
from workbench.portfolio import Portfolio

__all__ = ["Lives", "Oddity"]


class Oddity(NamedTuple):
    """What is wrong with a word of the venue about an instrument, and whether nothing more may be sent until a person has looked."""

    instrument: str
    text: str
    halts: bool


class Lives:
    """How each order stands that a session ever sent, or that its venue rested for it, by the text of its key.

    Parameters
    ----------
    portfolio : Portfolio
        Knows the grids of the instruments.
    """

    def __init__(self, portfolio: Portfolio) -> None:
        self._portfolio = portfolio
        self._lives: dict[str, Life] = {}
        #: Of openings that are worked, by what their children's keys share: the steps that were asked for, and those that have filled.
        self._worked: dict[tuple[str, object], list[int]] = {}

    @property
    def keys(self) -> KeysView[str]:
        """The keys of all of them."""
        return self._lives.keys()

    @property
    def all(self) -> dict[str, Life]:
        """All of them, by key."""
        return dict(self._lives)

    def of(self, order: Order) -> Life:
        """Return the life of an order."""
        return self._lives.get(str(order.key), Life(self._lots(order)))

    def filled(self, key: OrderKey) -> int:
        """Return how many steps of an order have filled, as far as was told."""
        life = self._lives.get(str(key))
        return 0 if life is None else life.filled

    def sent(self, order: Order) -> None:
        """Note that an order is on its way."""
        self._lives[str(order.key)] = Life(self._lots(order), "submitting")

    def works(self, parent: Order) -> None:
        """Note an opening whose children together may fill as much as it asks for."""
        assert parent.key is not None
        self._worked.setdefault((parent.key.instrument, parent.key.label), [self._lots(parent), 0])

    def doubt(self, keys: Iterable[str]) -> None:
        """Note of which orders it is not known whether they arrived."""
        for key in keys:
            self._lives[key] = self._lives[key].moved("unknown")[0]

    def doubtful(self, orders: Iterable[Order]) -> list[Order]:
        """Return the orders of which the venue has said nothing yet."""
        return [order for order in orders if self.of(order).doubtful]

    def cancelling(self, key: OrderKey) -> None:
        """Note that an order is to be taken off."""
        life = self._lives.get(str(key))
        if life is not None:
            self._lives[str(key)] = life.moved("cancelling")[0]

    def has_booked(self, event: VenueEvent) -> bool:
        """Whether an event is a fill that is booked already, by the venue's name of it."""
        if not isinstance(event, OrderFilled) or not event.fill.name:
            return False
        life = self._lives.get(str(event.fill.key))
        return life is not None and event.fill.name in life.fills

    def is_taken(self, event: VenueEvent) -> bool:
        """Whether an event is about an order that the venue has said that it took."""
        life = self._lives.get(str(event.key)) if isinstance(event, OrderEnded) else None
        return life is not None and life.state in ("working", "partial", "cancelling")

    def counted(self, event: VenueEvent) -> VenueEvent:
        """Return an event that was heard, what is left of an opening by our count: fills may come in another order than they happened."""
        if not isinstance(event, OrderFilled) or event.fill.key.leg not in ("open", "add") or str(event.fill.key) not in self._lives:
            return event
        life, j = self._lives[str(event.fill.key)], self._portfolio.column[event.fill.instrument.symbol]
        spec = self._portfolio.specs[j]
        left = quantity_of(life.left, spec.number, spec.power)
        return event if left == event.fill.left else OrderFilled(replace(event.fill, left=left))

    def heard(self, event: VenueEvent) -> Oddity | None:
        """Move a life on by what the venue says; return what is wrong with that."""
        if isinstance(event, PositionCharged):
            return None
        told = event.order if isinstance(event, OrderAccepted) else event.fill if isinstance(event, OrderFilled) else event
        if str(told.key) not in self._lives and not isinstance(event, OrderAccepted):
            return self._unknown(event)
        before = self._lives.get(str(told.key), Life(0, "submitting"))
        life, finding = self._moved(before, event)
        self._lives[str(told.key)] = life
        of_all = self._said_of_all(event)
        said = _said(str(told.key), before, life, finding, event) or of_all
        return Oddity(told.key.instrument, said, finding != "late" or bool(of_all)) if said and told.key is not None else None

    def _said_of_all(self, event: VenueEvent) -> str:
        """Count a fill for the opening that it is a part of; return what is wrong with all of them together."""
        if not isinstance(event, OrderFilled) or event.fill.key.leg != "open":
            return ""
        key = event.fill.key
        counted = self._worked.get((key.instrument, key.label))
        if counted is None:
            return ""
        counted[1] += self._lots(event.fill)
        asked, filled = counted
        more = f"the parts of the opening {key} were filled {filled} of {asked} steps in all: more than was asked for"
        return f"{more}, so the session halts" if filled > asked else ""

    def _unknown(self, event: OrderFilled | OrderEnded | OrderAmended) -> Oddity | None:
        """Return what is wrong with news of an order that was never sent from here: it is somebody else's (see `LiveSession.foreign`)."""
        if not isinstance(event, OrderFilled):
            return None
        key = event.fill.key
        return Oddity(key.instrument, f"order {key} was filled, and was never sent from here: the session halts", True)

    def _moved(self, life: Life, event: VenueEvent) -> tuple[Life, Finding]:
        if isinstance(event, OrderFilled):
            return life.with_fill(self._lots(event.fill), event.fill.name)
        if isinstance(event, OrderAccepted):
            rested = event.parent is not None  # by the venue itself, with the opening that it protects
            return (Life(self._lots(event.order), "working"), "") if rested else life.moved("working")
        if isinstance(event, OrderEnded):
            # it was asked for, and is not there; one that was seen to work cannot never have been
            doubted = event.status == "absent" and life.state == "submitting"
            return (life.moved("unknown")[0] if doubted else life).moved(event.status)
        if isinstance(event, OrderAmended) and event.quantity is not None:
            return life.resized(self._portfolio.lots_in(self._portfolio.column[event.key.instrument], event.quantity)), ""
        return life, ""

    def _lots(self, order: Order | Fill) -> int:
        return self._portfolio.lots_in(self._portfolio.column[order.instrument.symbol], order.quantity)


def _said(key: str, before: Life, life: Life, finding: Finding, event: VenueEvent) -> str:
    """Return what a person should know of a word that did not fit."""
    if finding == "late":
        return f"order {key} was filled after it had been {before.state}: it is booked, and what it opened is closed"
    if finding == "overfill":
        return f"order {key} was filled {life.filled} of {life.lots} steps: more than was asked for, so the session halts"
    if finding == "impossible":
        word = event.status if isinstance(event, OrderEnded) else "filled" if isinstance(event, OrderFilled) else "working"
        return f"order {key} is {before.state} here and {word} at the venue, which cannot be: the session halts"
    return ""

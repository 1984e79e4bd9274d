"""All that a venue may say of one order, in every order, twice and too late: the book is what has filled, and nothing is lost."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import permutations
from typing import Any

import pytest
from paper_worlds import Fed, state_of
from worked import market, plan

from workbench.execution.port import OrderAccepted, OrderEnded, OrderFilled, VenueSaid
from workbench.market import Fill, Order

ASKED = 3
#: What the venue says is left after each fill, in the order in which they happened there.
LEFT = {"a": 2.0, "b": 1.0, "c": 0.0, "d": 0.0}
#: What an honest venue may say of an order, whatever its line does with it.
HONEST = ("ack", "a", "b", "b", "cancelled")
#: And what none should.
ALL = ("ack", "a", "b", "c", "d", "cancelled", "expired", "rejected", "absent", "a")


class World:
    """A live session with one opening of 3 in doubt, and a venue that says what it is told to."""

    def __init__(self) -> None:
        self.fed = Fed(plan(".+........", quantity=float(ASKED)), market([100.0] * 10))
        self.fed.line.cut = lambda asked: True
        self.fed.run(1)
        (self.order,) = self.fed.session.doubtful
        self.session, self.number = self.fed.session, 10_000
        self.mark = len(list(self.fed.journal.entries("alert")))

    def say(self, word: str) -> None:
        """Have the venue say a word."""
        key, label, instrument = self.order.key, int(self.fed.bars.labels[2]), self.order.instrument
        assert key is not None
        event: Any = OrderEnded(key, word, label)  # type: ignore[arg-type]
        if word == "ack":
            event = OrderAccepted(self.order)
        elif len(word) == 1:
            event = OrderFilled(Fill(key, instrument, "buy", 1.0, 100.0, 0.0, label, name=word, left=LEFT[word]))
        self.number += 1
        self.session.told([VenueSaid(self.number, event)])

    @property
    def oddities(self) -> list[str]:
        """What the session said was wrong."""
        return [entry.body["text"] for entry in self.fed.journal.entries("alert")][self.mark :]


def after(words: Sequence[str]) -> World:
    world = World()
    for word in words:
        world.say(word)
    return world


def check(world: World, words: Sequence[str]) -> None:
    """Require what holds after any words at all."""
    session, filled = world.session, {word for word in words if len(word) == 1}
    assert session.portfolio.lots[0] == len(filled)
    assert session.portfolio.cash == 100_000 - 100.0 * len(filled)
    ends = [place for place, word in enumerate(words) if word in ("cancelled", "expired", "rejected", "absent")]
    fresh = [place for place, word in enumerate(words) if len(word) == 1 and word not in words[:place]]
    if len(filled) > ASKED:
        assert session.mode == "HALTED"
    if session.mode == "RUNNING" and ends and fresh and fresh[-1] > ends[0] and len(filled) < ASKED:
        assert world.oddities  # a fill after the end is said
    if session.mode == "HALTED":
        assert world.oddities
    key = world.order.key
    assert sum(order.key == key for order in session.working) <= 1
    life = session.lives.of(world.order)
    opening = session.states[0].opening
    assert opening is None or opening.quantity == ASKED - len(filled)
    assert life.filled == len(filled)
    assert not life.over or all(order.key != key for order in session.working)


@pytest.mark.parametrize("first", sorted(set(HONEST)))
def test_an_honest_venue_is_understood_in_every_order(first: str) -> None:
    for words in {one for one in permutations(HONEST) if one[0] == first}:
        world = after(words)
        check(world, words)
        late = [word for word in ("a", "b") if words.index(word) > words.index("cancelled")]
        assert world.session.mode == "RUNNING", words
        assert bool(world.oddities) is bool(late), (words, world.oddities)
        assert (world.session.portfolio.lots[0] != 0 and world.session.states[0].leaves) is bool(late), (
            words
        )  # what filled after the end is closed again
        assert world.session.states[0].opening is None


def test_a_book_does_not_depend_on_the_order_of_the_words() -> None:
    books = {(w.session.portfolio.lots[0], w.session.portfolio.cash) for w in map(after, set(permutations(HONEST)))}
    assert books == {(2, 99_800.0)}


@pytest.mark.parametrize("seed", range(6))
def test_whatever_is_said_the_book_is_what_has_filled(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(60):
        words = chance.sample(ALL, chance.randint(1, len(ALL)))
        world = after(words)
        check(world, words)
        again, _ = world.fed.again()
        assert state_of(again) == state_of(world.session), words


@pytest.mark.parametrize(
    ("words", "halts"),
    [
        (("rejected", "ack"), True),
        (("rejected", "a"), True),
        (("absent", "a"), True),
        (("absent",), False),
        (("ack", "absent"), True),  # it worked there, and the venue has never had it
        (("a", "b", "c", "d"), True),
        (("ack", "a", "rejected"), True),
        (("ack", "a", "b", "c"), False),
        (("a", "b", "c", "ack", "cancelled"), False),
        (("cancelled", "ack", "expired", "rejected"), False),
    ],
)
def test_what_cannot_be_halts_and_what_can_does_not(words: tuple[str, ...], halts: bool) -> None:
    assert (after(words).session.mode == "HALTED") is halts


def test_after_a_break_a_fill_that_was_missed_is_told_once() -> None:
    world = after(("ack", "a", "a", "b", "a", "c", "b"))
    check(world, ("a", "b", "c"))
    assert (world.session.mode, world.oddities) == ("RUNNING", [])
    assert isinstance(world.order, Order)

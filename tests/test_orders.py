"""The life of an order: the table, and every order in which a venue's words may come (SEMANTICS 37)."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import permutations
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.execution.orders import ENDED, LEGAL, Finding, Life, State

STATES: tuple[State, ...] = get_args(State)
LIVE = [state for state in STATES if state not in ENDED]

#: What may be said of an order: a state, or a fill of so many lots under a name.
Word = Any


def lived(life: Life, words: Iterable[Word]) -> tuple[Life, list[Finding]]:
    """Return the life after words, and what was odd about each."""
    found: list[Finding] = []
    for word in words:
        life, finding = life.with_fill(*word) if isinstance(word, tuple) else life.moved(word)
        found.append(finding)
    return life, found


SENT = Life(10, "submitting")


# -- the table --------------------------------------------------------------------------------------------------------


def test_the_table_names_every_state_and_nothing_else() -> None:
    assert set(LEGAL) == set(STATES)
    assert set().union(*LEGAL.values()) <= set(LIVE)
    assert set(STATES) > ENDED


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("to", STATES)
def test_a_state_is_reached_by_the_table_alone(state: State, to: State) -> None:
    life, finding = Life(10, state).moved(to)
    if state in LEGAL[to] and (state, to) != ("cancelling", "working"):
        assert (life.state, finding) == (to, "") or (state, to) == ("cancelling", "partial")
    elif life.state != state:  # what a venue works is alive, whatever we had concluded
        assert (state, life.state, finding) in [(one, to, "impossible") for one in ("denied", "rejected", "absent")]
        assert to in ("working", "partial")
    else:
        assert finding in ("again", "impossible")


def test_doubt_is_left_by_evidence_alone() -> None:
    doubt = Life(10, "unknown")
    assert {to for to in STATES if doubt.moved(to)[1] == ""} == {
        "working", "partial", "filled", "cancelled", "expired", "lapsed", "rejected", "absent",
    }  # fmt: skip
    assert [Life(10, state).moved("absent")[1] for state in ("submitting", "working", "partial")] == ["impossible"] * 3
    assert doubt.left == 10
    assert doubt.doubtful


# -- one after the other ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "state", "filled", "findings"),
    [
        (["working", (10, "a")], "filled", 10, ["", ""]),
        ([(4, "a"), "working", (6, "b")], "filled", 10, ["", "again", ""]),
        (["working", (4, "a"), "cancelling", "cancelled"], "cancelled", 4, [""] * 4),
        (["working", "cancelling", (10, "a"), "cancelled"], "filled", 10, ["", "", "", "again"]),
        (["working", "cancelled", (4, "a")], "cancelled", 4, ["", "", "late"]),
        (["working", "cancelled", (10, "a")], "filled", 10, ["", "", "late"]),
        (["working", (10, "a"), (1, "b")], "filled", 11, ["", "", "overfill"]),
        (["working", (4, "a"), (4, "a")], "partial", 4, ["", "", "again"]),
        (["rejected", (10, "a")], "filled", 10, ["", "impossible"]),
        (["rejected", "working"], "working", 0, ["", "impossible"]),
        (["unknown", "absent", "working"], "working", 0, ["", "", "impossible"]),
        (["unknown", "absent", "cancelled"], "absent", 0, ["", "", "impossible"]),
        (["working", (4, "a"), "rejected"], "partial", 4, ["", "", "impossible"]),
        (["working", (4, "a"), "unknown", "working"], "partial", 4, [""] * 4),
        (["working", "expired", "cancelled"], "expired", 0, ["", "", "again"]),
        (["working", "cancelling", "working"], "cancelling", 0, ["", "", "again"]),
    ],
)
def test_a_life_as_it_comes(words: list[Word], state: State, filled: int, findings: list[Finding]) -> None:
    life, found = lived(SENT, words)
    assert (life.state, life.filled, found) == (state, filled, findings)


def test_what_could_not_be_taken_off_works_as_before() -> None:
    for first, expected in (([], "working"), ([(4, "a")], "partial")):
        life, _ = lived(SENT, ["working", *first, "cancelling"])
        assert life.cancel_refused().state == expected
    ended, _ = lived(SENT, ["working", "cancelling", "cancelled"])
    assert ended.cancel_refused() is ended


def test_an_order_that_was_never_sent_has_no_news() -> None:
    life, finding = Life(10).with_fill(3, "a")
    assert (life.filled, finding) == (3, "impossible")
    assert Life(10).moved("working")[1] == "impossible"
    assert Life(10).moved("denied")[0].left == 0


# -- in any order -----------------------------------------------------------------------------------------------------

#: What a venue tells of one order, in the order in which it happened.
TALES: dict[str, list[Word]] = {
    "filled in parts": ["working", (3, "a"), (3, "b"), (4, "c")],
    "a cancellation that comes too late": ["working", (4, "a"), "cancelling", (6, "b"), "cancelled"],
    "the rest taken off": ["working", (4, "a"), "cancelling", "cancelled"],
    "lost and found": ["unknown", "working", (4, "a"), (6, "b")],
    "the rest expired": ["working", (4, "a"), (2, "b"), "expired"],
}


@pytest.mark.parametrize("tale", TALES)
def test_every_order_of_the_words_books_every_fill_once(tale: str) -> None:
    words = TALES[tale]
    filled = sum(word[0] for word in words if isinstance(word, tuple))
    for told in permutations([*words, words[1]]):  # one of them comes twice
        life, found = lived(SENT, told)
        assert life.filled == filled
        assert (life.state == "filled") == (filled == 10)
        assert life.over
        assert not {"overfill", "impossible"} & set(found)


WORDS = st.one_of(st.sampled_from(STATES), st.tuples(st.integers(1, 6), st.sampled_from("abcdef")))


@settings(max_examples=400, deadline=None)
@given(st.lists(WORDS, max_size=14), st.sampled_from(STATES))
def test_whatever_is_said_money_is_booked_once_and_an_end_stays(words: list[Word], begun: State) -> None:
    life, booked = Life(10, begun), dict[str, int]()
    for word in words:
        before = life
        life, finding = lived(life, [word])[0], lived(life, [word])[1][0]
        if isinstance(word, tuple):
            booked.setdefault(word[1], word[0])
        assert life.filled == sum(booked.values())
        assert (finding == "overfill") <= (life.filled > life.lots)
        if life.filled >= life.lots and isinstance(word, tuple) and finding != "again":
            assert life.state == "filled"
        if before.over and life.state != before.state:  # only money, or an order that works after all, opens an end again
            assert life.state == "filled" or (finding == "impossible" and before.state in ("denied", "rejected", "absent"))
        assert life.left >= 0
        assert (life.left == 0) >= life.over

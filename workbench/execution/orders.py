"""The life of an order: which state may follow which, and what each word of a venue makes of it (SEMANTICS 37).

Words come late, twice and in any order. A fill is money: it is booked whatever the state says, and where the table has no way to
it somebody has to look. What a venue has not said is not guessed: an order in doubt is UNKNOWN until there is evidence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["ENDED", "LEGAL", "Finding", "Life", "State"]

State = Literal[
    "intended", "denied", "submitting", "unknown", "working", "partial", "cancelling",
    "filled", "cancelled", "expired", "lapsed", "rejected", "absent",
]  # fmt: skip
#: What is odd about a word: it came twice, after the end, on top of all that was asked for, or the table has no way to it.
Finding = Literal["", "again", "late", "overfill", "impossible"]

#: Until it ends; the ends of what a venue had taken, and of what it never had, or never had as far as it said.
ALIVE: frozenset[State] = frozenset({"submitting", "unknown", "working", "partial", "cancelling"})
CROSSED: frozenset[State] = frozenset({"cancelled", "expired", "lapsed"})
UNTAKEN: frozenset[State] = frozenset({"denied", "rejected", "absent"})
ENDED: frozenset[State] = CROSSED | UNTAKEN | {"filled"}
#: From where an order may come into each state. A venue's word ends what it had taken; "absent" is concluded from UNKNOWN alone.
LEGAL: dict[State, frozenset[State]] = {
    "intended": frozenset(),
    "denied": frozenset({"intended"}),
    "submitting": frozenset({"intended"}),
    "unknown": ALIVE - {"unknown"},
    "working": frozenset({"submitting", "unknown", "cancelling"}),
    "partial": ALIVE - {"partial"},
    "cancelling": frozenset({"working", "partial"}),
    "filled": ALIVE,
    "cancelled": ALIVE,
    "expired": ALIVE,
    "lapsed": ALIVE,
    "rejected": ALIVE - {"partial"},
    "absent": frozenset({"unknown"}),
}
#: What a venue says of orders that it has, or had.
TAKEN: frozenset[State] = CROSSED | {"working", "partial"}
#: Steps back that only a cancellation that was refused takes: that an order works is no news while it is to be taken off.
REFUSED = frozenset({("cancelling", "working"), ("cancelling", "partial")})


@dataclass(frozen=True, slots=True)
class Life:
    """Where an order stands: a value, handed back changed.

    Parameters
    ----------
    lots : int
        What was asked for, in steps of its instrument.
    state : str, default "intended"
        See `LEGAL`.
    filled : int, default 0
        What has filled so far.
    fills : frozenset of str
        The venue's names of the fills that are booked.

    Examples
    --------
    >>> life = Life(10).moved("submitting")[0]
    >>> life, finding = life.with_fill(4, "a")  # before the venue said that it took it
    >>> life.state, life.left, finding
    ('partial', 6, '')
    >>> life.with_fill(4, "a")[1]
    'again'
    """

    lots: int
    state: State = "intended"
    filled: int = 0
    fills: frozenset[str] = frozenset()

    @property
    def left(self) -> int:
        """How much could still fill, in steps: nothing after the end."""
        return 0 if self.over else max(self.lots - self.filled, 0)

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self.state in ENDED

    @property
    def doubtful(self) -> bool:
        """Whether the venue has said nothing of it yet: it is asked for, and counts at full size."""
        return self.state in ("submitting", "unknown")

    def moved(self, to: State) -> tuple[Life, Finding]:
        """Return the life in another state, and what is odd about that.

        A word that comes after the end, or a second time, changes nothing. Nor does one that the table has no way to - but an order that
        a venue works after all is alive, whatever had been concluded of it.
        """
        if to == "working" and self.filled:
            to = "partial"
        if self.state in LEGAL[to] and (self.state, to) not in REFUSED:
            return self._in(to), ""
        if self.state in UNTAKEN and to in TAKEN:
            return (self if to in CROSSED else self._in(to)), "impossible"
        if self.over or to == self.state or (to in ALIVE and self.state in ALIVE):
            return self, "again"
        return self, "impossible"

    def with_fill(self, lots: int, name: str = "") -> tuple[Life, Finding]:
        """Return the life after a fill, and what is odd about that; a fill whose name is booked already changes nothing."""
        if name and name in self.fills:
            return self, "again"
        filled = self.filled + lots
        whole = filled >= self.lots
        state: State = "filled" if whole else self.state if self.over or self.state == "cancelling" else "partial"
        life = Life(self.lots, state, filled, self.fills | {name} if name else self.fills)
        if filled > self.lots:
            return life, "overfill"
        if self.state in UNTAKEN or self.state == "intended":
            return life, "impossible"
        return life, "late" if self.over else ""

    def resized(self, lots: int) -> Life:
        """Return the life of an order that asks for another quantity by now, what has filled not counted."""
        return Life(self.filled + lots, self.state, self.filled, self.fills)

    def cancel_refused(self) -> Life:
        """Return the life of an order that could not be taken off: it works as before."""
        return self._in("partial" if self.filled else "working") if self.state == "cancelling" else self

    def _in(self, state: State) -> Life:
        return Life(self.lots, state, self.filled, self.fills)

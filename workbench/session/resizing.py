"""Positions that change their size while they are held: what a breached limit reduces, and what a rebalance resizes (SEMANTICS 13, 21)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from workbench.grid import lots_exactly, lots_of, quantity_of
from workbench.money import below_minimum
from workbench.portfolio import Portfolio
from workbench.records import REDUCED, RESIZED
from workbench.resampling import start_of
from workbench.risk import Breach, Snapshot
from workbench.session.deciding import Decider
from workbench.session.setup import Setup
from workbench.session.state import State
from workbench.session.tape import Tape

__all__ = ["Change", "Resizer"]

#: Relative room for float arithmetic when what may stay is made whole steps.
TOLERANCE = 1e-9
#: How often what may stay is looked at anew; at the last time nothing of what is too much stays.
LOOKS = 9


class Change(NamedTuple):
    """A position that changes: by so many steps, below 0 where it is made smaller, what the sizer asked for, and the decision's code."""

    j: int
    lots: int
    asked: float
    code: int


class Resizer:
    """Looks at what is held, once per decided step."""

    def __init__(self, setup: Setup, portfolio: Portfolio, states: Sequence[State], tape: Tape, decider: Decider) -> None:
        self.setup = setup
        self.portfolio = portfolio
        self.states = states
        self.tape = tape
        self.decider = decider
        #: The limits that were breached at the last look, by their place.
        self.breached: set[int] = set()
        #: The columns that it looks after: those of its strategy, or of the whole account.
        self._seen = setup.mine or range(len(states))
        self._said = [float("nan")] * len(states)
        self._begun: int | None = None

    def alerts(self, row: int, equity: float) -> list[str]:
        """Return what a person should know: which limits have come to be breached since the last look."""
        decided_now = [state.closes and state.closed_at == row for state in self.states]
        found = dict(self._breaches(row, equity, self.portfolio.lots, decided_now))
        new = [f"{type(self.setup.strategy.risk[k]).__name__} is breached: {one.why}" for k, one in found.items() if k not in self.breached]
        self.breached = set(found)
        return new

    def changes(self, row: int, equity: float) -> list[Change]:
        """Return which positions change: what the limits demand, else what the sizer asks for; none by less than a venue takes."""
        for j in self._seen:
            stance = self.tape.stance[j][row]
            if stance == stance:
                self._said[j] = stance
        reduced = {change.j: change for change in map(self._as_an_order, self._reduced(row, equity)) if change is not None}
        due = self._resized(row, equity) if self._is_due(row) else ()
        resized = {change.j: change for change in map(self._as_an_order, due) if change is not None}
        for j, change in resized.items():  # the smaller one counts, and nothing is added to what is to be reduced
            if j not in reduced or change.lots < reduced[j].lots:
                reduced[j] = change
        return [reduced[j] for j in sorted(reduced)]

    def _as_an_order(self, change: Change) -> Change | None:
        """Return a change that a venue takes as an order: of what a limit demands at least the smallest one, or all that is held."""
        j, held = change.j, abs(self.portfolio.lots[change.j])
        price, spec = self.tape.price[j], self.setup.specs[j]
        if change.lots > 0 or -change.lots >= held or not below_minimum(self.quantity(change), price, spec):
            return change
        if change.code != REDUCED:
            return None
        smallest = lots_exactly(self.setup.instruments[j].smallest(price), spec.number, spec.power)
        return change._replace(lots=-min(smallest, held))

    # -- limits -------------------------------------------------------------------------------------------------------

    def _breaches(self, row: int, equity: float, lots: Sequence[int], closed: Sequence[bool]) -> Iterator[tuple[int, Breach]]:
        """Yield the limits that so many steps of each instrument breach, but for those that are closed, by their place in the chain.

        For a person only what closes in this same step is closed: a closing may be in doubt for long. For what is made smaller whatever is
        being closed is: nothing else is sold in its place.
        """
        if not any(lots):
            return
        tape, setup = self.tape, self.setup
        grids = [(spec.number, spec.power) for spec in setup.specs]
        held = [0.0] * len(lots)
        for j in self._seen:
            held[j] = 0.0 if closed[j] else quantity_of(lots[j], *grids[j])
        history, some = self.decider.looked_back(row), next((j for j, quantity in enumerate(held) if quantity), 0)
        for k, part in enumerate(setup.strategy.risk):
            first = int(setup.rules.limit_p[k][-1]) if part.series_rows(len(held)) else 0
            snapshot = Snapshot(some, equity, held, held, tape.price, tape.unit, tape.base, history, first)
            found = part.breach(snapshot, setup.instruments, setup.currency)
            if found is not None:
                yield k, found

    def _reduced(self, row: int, equity: float) -> Iterator[Change]:
        risk = self.setup.strategy.risk
        if all(part.on_breach != "reduce" for part in risk):
            return
        kept = self._within(row, equity)
        for j in self._seen:
            less = abs(kept[j]) - abs(self.portfolio.lots[j])
            if less and self.states[j].closing is None:
                yield Change(j, less, float("nan"), REDUCED)

    def _within(self, row: int, equity: float) -> list[int]:
        """Return how many steps of each position may stay, so that every limit that reduces is kept.

        Whole steps of a hedge, or another limit's cut, may leave a limit breached: each further look takes ten times as much more off.
        """
        lots, closed = list(self.portfolio.lots), [state.closes for state in self.states]
        for look in range(LOOKS):
            shares = [1.0] * len(lots)
            for k, found in self._breaches(row, equity, lots, closed):
                if self.setup.strategy.risk[k].on_breach == "reduce":
                    shares = [min(one, other) for one, other in zip(shares, found.shares, strict=True)]
            if min(shares) >= 1.0:
                break
            less = 1.0 - 10.0 ** (look + 1 - LOOKS) if look else 1.0
            lots = [int(n * max(one * less, 0.0) * (1.0 + TOLERANCE)) if one < 1.0 else n for n, one in zip(lots, shares, strict=True)]
        return lots

    # -- the sizer ----------------------------------------------------------------------------------------------------

    def _is_due(self, row: int) -> bool:
        """Whether a new interval of the rebalance has begun since the last one; the first step begins one, and holds nothing yet."""
        every = self.setup.rules.rebalance
        if not every:
            return False
        begun, before = start_of(self.tape.label[row], every), self._begun
        self._begun = begun
        return begun != before

    def _resized(self, row: int, equity: float) -> Iterator[Change]:
        """Yield what a sizer would hold otherwise by now, beyond the band."""
        if not equity > 0.0:
            return
        self.decider.begin(row, equity)
        for j in self._seen:
            state = self.states[j]
            held = abs(self.portfolio.lots[j])
            waits = state.closing is not None or state.reserved is not None or state.crossing is not None
            if not held or waits or self.tape.close[j][row] != self.tape.close[j][row]:
                continue
            asked = self.decider.asked(row, j, state, self._said[j], equity)
            spec = self.setup.specs[j]
            wanted = lots_of(asked, spec.number, spec.power) if asked == asked else -1
            if wanted >= 0 and abs(wanted - held) > self.setup.rules.band * held:
                yield Change(j, wanted - held, asked, RESIZED)

    def quantity(self, change: Change) -> float:
        """Return by how much a position changes, above 0."""
        spec = self.setup.specs[change.j]
        return quantity_of(abs(change.lots), spec.number, spec.power)

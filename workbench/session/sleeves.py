"""A strategy's sleeve of an account: its part of the capital, what it decides by, and what it remembers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from workbench.money import worth
from workbench.past import NOW, count_trade, remember
from workbench.portfolio import Portfolio
from workbench.session.deciding import Decider
from workbench.session.ending import Ender
from workbench.session.resizing import Change, Resizer
from workbench.session.setup import Setup
from workbench.session.state import State
from workbench.session.tape import Tape

__all__ = ["Sleeve", "Sleeves"]


class Sleeve(NamedTuple):
    """What one strategy decides by; `ender` is None where no exit of it moves or ends anything at a close."""

    setup: Setup
    decider: Decider
    ender: Ender | None
    resizer: Resizer

    @classmethod
    def of(cls, setup: Setup, portfolio: Portfolio, states: Sequence[State], tape: Tape, above: Decider | None = None) -> Sleeve:
        """Return the sleeve of a set-up."""
        decider = Decider(setup, portfolio, states, tape, above)
        ender = Ender(setup, portfolio, states, tape) if setup.rules.moves else None
        return cls(setup, decider, ender, Resizer(setup, portfolio, states, tape, decider))


class Sleeves:
    """All sleeves of an account: one, whose equity is the account's, or those of a team.

    Parameters
    ----------
    setup : Setup
    portfolio : Portfolio
        The account.
    states : sequence of State
    tape : Tape
    """

    def __init__(self, setup: Setup, portfolio: Portfolio, states: Sequence[State], tape: Tape) -> None:
        self._portfolio, self._states, self._tape = portfolio, states, tape
        #: What has the limits on the whole account of a team.
        self.whole = Sleeve.of(setup.members[-1], portfolio, states, tape) if setup.is_team else None
        above = None if self.whole is None else self.whole.decider
        self.each = [Sleeve.of(one, portfolio, states, tape, above) for one in setup.members[:-1] or (setup,)]
        #: The sleeve of each column.
        self.at = [sleeve for sleeve in self.each for _ in sleeve.setup.mine]
        self.all = [*self.each, self.whole] if self.whole is not None else self.each
        self._owners = [""] if setup.team is None else [*(f"{name}: " for name in setup.team.strategies), "the account: "]
        #: What each of them remembers: the number of the step that is decided is written there.
        self.pasts = [sleeve.decider.past for sleeve in self.all]
        self.remembers = any(sleeve.setup.rules.remembers for sleeve in self.all)
        #: Whether anybody asks at each close what a sleeve is worth.
        self.valued = self.remembers or self.whole is not None
        self.moves = any(sleeve.ender is not None for sleeve in self.each)
        self.works = any(sleeve.setup.strategy.execution.closes > 1 for sleeve in self.each)
        self.resizes = any(sleeve.setup.rules.resizes for sleeve in self.all)
        #: The cash of each sleeve of a team, as if it were an account of its own.
        self._purse = [sleeve.setup.cash for sleeve in self.each]
        #: The equity of each strategy of a team at the last close.
        self.values: list[float] = []
        self._number = [k for k, sleeve in enumerate(self.each) for _ in sleeve.setup.mine]
        if self.whole is not None:
            for k, sleeve in enumerate(self.each):
                sleeve.decider.cash = partial(self._purse.__getitem__, k)

    def decider(self, j: int) -> Decider:
        """Return what decides a column."""
        return self.at[j].decider

    def moved(self, j: int, cash: float) -> None:
        """Note that cash moved for a column: below zero it was paid."""
        self._purse[self._number[j]] += cash

    def equity(self, sleeve: Sleeve, account: float) -> float:
        """Return the equity of a sleeve, given that of the account."""
        if self.whole is None or sleeve is self.whole:
            return account
        portfolio, mine = self._portfolio, sleeve.setup.mine
        price, unit = portfolio.price, portfolio.unit
        held = sum(worth(portfolio.quantity(j), price[j], portfolio.basis[j], unit[j]) for j in mine if portfolio.lots[j])
        dust = sum(portfolio.remains.worth(j, price[j], unit[j]) for j in mine if j in portfolio.remains) if portfolio.remains.any else 0.0
        return self._purse[self.each.index(sleeve)] + held + dust

    def close(self, row: int, days: Sequence[int] | None, account: float) -> None:
        """Value what each strategy of a team has of the account at a close, and take the step into what is remembered."""
        self.value(account)
        if self.remembers and days is not None:
            for sleeve in self.all:
                rules = sleeve.setup.rules
                remember(sleeve.decider.past, row, days[row], self.equity(sleeve, account), rules.drawdown, rules.rearm)

    def value(self, account: float) -> None:
        """Value what each strategy of a team has of the account."""
        if self.whole is not None:
            self.values = [self.equity(sleeve, account) for sleeve in self.each]

    def own(self, j: int, account: float) -> float:
        """Return the equity that the strategy of a column sees: its part of the account, or all of it."""
        return self.values[self._number[j]] if self.values else account

    def tell(self, row: int) -> None:
        """Tell each of them which step is decided."""
        for past in self.pasts:
            past[NOW] = row

    def name(self, account: str, deployment: str) -> None:
        """Say whose orders these are (SEMANTICS 35)."""
        for sleeve in self.all:
            sleeve.decider.account, sleeve.decider.deployment = account, deployment

    def begin(self, row: int, account: float) -> None:
        """Have each of them look at its book before the openings of a step."""
        for sleeve in self.all:
            sleeve.decider.begin(row, self.equity(sleeve, account))

    def changes(self, row: int, account: float) -> dict[int, Change]:
        """Return by column how much larger or smaller positions should be; of two changes of one the smaller size."""
        found: dict[int, Change] = {}
        for sleeve in self.all:
            for change in sleeve.resizer.changes(row, self.equity(sleeve, account)):
                known = found.get(change.j)
                found[change.j] = change if known is None or change.lots < known.lots else known
        return found

    def alerts(self, row: int, account: float) -> list[str]:
        """Return which limits have come to be breached since the last look, in words; of a team with whose they are."""
        looked = zip(self._owners, self.all, strict=True)
        return [owner + text for owner, sleeve in looked for text in sleeve.resizer.alerts(row, self.equity(sleeve, account))]

    def worked(self, row: int) -> list[tuple[int, State]]:
        """Return the columns with an opening that is worked over several bars, where the instrument has a bar."""
        close = self._tape.close
        return [(j, one) for j, one in enumerate(self._states) if one.work is not None and close[j][row] == close[j][row]]

    def count_trade(self, j: int, gain: float) -> None:
        """Count a trade of a column that has closed."""
        count_trade(self.at[j].decider.past, gain)
        if self.whole is not None:
            count_trade(self.whole.decider.past, gain)

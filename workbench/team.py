"""Several strategies in one account: a share of its capital each, limits of their own, and limits on the account."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import field
from itertools import count
from pathlib import Path

import numpy as np

from workbench.bars import Bars
from workbench.component import Component
from workbench.errors import ParameterError, StrategyError, did_you_mean
from workbench.layout import Layout
from workbench.records import MOST_LIMITS
from workbench.risk import RiskManager
from workbench.strategy import Strategy

__all__ = ["Team", "layout_of", "load_system", "strategies_of"]


class Team(Component):
    """Several strategies that trade one account, each as if it had an account of its own with its share of the capital.

    What a strategy holds is its own: two of them may be long and short of the same instrument. Its positions, orders and trades stand under
    ``name/SYMBOL``, its sizer sees its own equity - its share of the cash at the start and what it has made since - and so do its limits.
    The limits of the team, and the buying power, see the whole account, after those of the strategy. Openings are decided in the order of
    the strategies.

    Parameters
    ----------
    strategies : dict of str to Strategy
        By name.
    shares : dict of str to float, optional
        Of the cash at the start, adding up to 1 at most; equal ones where not given. What is left over is nobody's.
    risk : sequence of RiskManager, default []
        Of the account as a whole. ``by="strategy"`` limits the exposure of each strategy.

    Examples
    --------
    >>> import workbench as wb
    >>> trend = wb.Strategy(wb.signals.MovingAverageCross())
    >>> team = Team({"trend": trend, "swing": wb.Strategy(wb.signals.RelativeStrength())}, {"trend": 0.7, "swing": 0.3})
    >>> team.share_of("swing")
    0.3
    """

    strategies: Mapping[str, Strategy]
    shares: Mapping[str, float] | None = None
    risk: Sequence[RiskManager] = field(default_factory=list)

    @classmethod
    def example(cls) -> Team:
        """Return two rules that halve an account."""
        from workbench.risk import MaxLeverage
        from workbench.signals import Breakout, MovingAverageCross

        return cls({"trend": Strategy(MovingAverageCross()), "breakout": Strategy(Breakout())}, risk=[MaxLeverage(1.5)])

    @classmethod
    def of(cls, strategies: Sequence[Strategy]) -> Team:
        """Return a team of strategies that have no names: those of their signals, numbered where they are alike."""
        found: dict[str, Strategy] = {}
        for strategy in strategies:
            kind = type(strategy.signal).__name__
            numbered = (kind if number == 1 else f"{kind}_{number}" for number in count(1))
            found[next(name for name in numbered if name not in found)] = strategy
        return cls(found)

    def check(self) -> None:
        """Refuse names that are none, shares that do not add up, and strategies that one account cannot carry together."""
        if not self.strategies:
            raise ParameterError("Team: strategies is empty; give them by name, wb.Team({'trend': wb.Strategy(...)})")
        for name in self.strategies:
            if not isinstance(name, str) or not name.replace("-", "").replace("_", "").isalnum() or "__" in name:
                raise ParameterError(f"Team: a name is made of letters, digits, - and single _, got {name!r}")
        self._check_shares()
        if len({strategy.day for strategy in self.strategies.values()}) > 1:
            raise ParameterError("Team: one account has one day: give all its strategies the same day=")
        most = max(len(strategy.risk) for strategy in self.strategies.values()) + len(self.risk)
        if most > MOST_LIMITS:
            raise ParameterError(f"Team: an opening passes at most {MOST_LIMITS} limits, those of the team included, got {most}")
        self.as_strategy()  # what no strategy may have, its account may not have either

    def _check_shares(self) -> None:
        if self.shares is None:
            return
        for name in (*self.shares, *self.strategies):
            if name not in self.strategies:
                raise ParameterError(f"Team: there is no strategy {name!r} to give a share{did_you_mean(name, self.strategies)}")
            if name not in self.shares:
                raise ParameterError(f"Team: {name!r} has no share: shares must name every strategy")
            if not 0 < self.shares[name] <= 1:
                raise ParameterError(f"Team: the share of {name!r} must be above 0 and at most 1, got {self.shares[name]!r}")
        total = math.fsum(self.shares.values())
        if total > 1 + 1e-9:
            raise ParameterError(f"Team: the shares add up to {total:g}, and there is one account: at most 1")

    def share_of(self, name: str) -> float:
        """Return the share of a strategy."""
        return 1.0 / len(self.strategies) if self.shares is None else float(self.shares[name])

    def as_strategy(self) -> Strategy:
        """Return the team's limits as those of a strategy that never decides: what the account as a whole passes."""
        first = next(iter(self.strategies.values()))
        return Strategy(first.signal, risk=list(self.risk), day=self.day)

    def series(self, bars: Bars) -> np.ndarray | None:
        """Return what the team's own limits look back at, shape (T, rows); None for nothing."""
        return self.as_strategy().series(bars)

    def starting(self, start: str) -> Team:
        """Return the same team, whose strategies act on their first stance or only note it."""
        return Team({name: one.starting(start) for name, one in self.strategies.items()}, self.shares, self.risk)

    def save(self, path: str | Path) -> Path:
        """Write the team as a folder of readable text, and prove that it can be read back (`wb.Strategy.save`)."""
        from workbench.saving import save

        return save(self, Path(path))

    @classmethod
    def load(cls, path: str | Path, modules: Sequence[str] = ()) -> Team:
        """Read a team from its folder (`wb.Strategy.load`)."""
        team = load_system(path, modules)
        if not isinstance(team, cls):
            raise StrategyError(f"{path} holds a strategy, not a team: wb.Strategy.load reads it")
        return team

    @property
    def start(self) -> str:
        """Whether the strategies act on their first stance ("join") or only note it ("wait"); "each" where they differ."""
        starts = {one.start for one in self.strategies.values()}
        return starts.pop() if len(starts) == 1 else "each"

    @property
    def day(self) -> str:
        """When a day turns, for all of them."""
        return next(iter(self.strategies.values())).day

    @property
    def lookback(self) -> int:
        """The largest look-back of the strategies and the team's limits, in bars."""
        return max(*(one.lookback for one in self.strategies.values()), *(part.lookback for part in self.risk), 1)


def load_system(path: str | Path, modules: Sequence[str] = ()) -> Strategy | Team:
    """Read whatever trades from its folder: a strategy, or a team of them.

    Raises
    ------
    StrategyError
        It is neither, or is not what was saved.
    """
    from workbench.saving import load

    system = load(Path(path), tuple(modules))
    if not isinstance(system, (Strategy, Team)):
        raise StrategyError(f"{path} holds a {type(system).__name__}, neither a strategy nor a team of them")
    return system


def strategies_of(system: Strategy | Team) -> dict[str, Strategy]:
    """Return the strategies by their names; "" where there is one."""
    return dict(system.strategies) if isinstance(system, Team) else {"": system}


def layout_of(system: Strategy | Team) -> Layout:
    """Return which columns a system trades in."""
    return Layout(tuple((name, one.most_entries) for name, one in strategies_of(system).items()))

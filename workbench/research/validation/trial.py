"""A trial: what is kept of a backtest so that it is counted."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass

import numpy as np

from workbench.component_display import literal
from workbench.research.result import Backtest
from workbench.research.statistics import daily_returns
from workbench.research.validation.sharpe import moments

__all__ = ["Trial"]


@dataclass(frozen=True, slots=True)
class Trial:
    """One thing that was tried: plain text and numbers, so a worker can hand it over.

    Parameters
    ----------
    strategy, bars, account : str
        Fingerprints: of parameters and code, of the data, of cash, costs and rates. The same three are the same trial.
    parameters : str
        The strategy as it is written.
    sharpe : float
        Of daily returns, per day; NaN where they do not vary or the account lost everything.
    periods : int
        Days.
    skew, kurtosis : float
        Raw kurtosis: 3 for a normal distribution.
    outcome : str
        Fingerprint of the daily returns: parameters that changed nothing have the same.
    time : str
        When it was recorded, ISO, UTC; empty before.
    """

    strategy: str
    bars: str
    account: str
    parameters: str
    sharpe: float
    periods: int
    skew: float
    kurtosis: float
    outcome: str
    time: str = ""

    @property
    def key(self) -> str:
        """What makes it this trial and no other."""
        return f"{self.strategy}/{self.bars}/{self.account}"

    @classmethod
    def of(cls, result: Backtest) -> Trial:
        """Return the trial that a backtest was.

        Examples
        --------
        >>> import workbench as wb
        >>> Trial.of(wb.backtest(wb.Strategy(wb.signals.MovingAverageCross()), wb.simulate(days=5, seed=1))).periods
        5
        """
        printed = result.fingerprint
        returns = daily_returns(result.equity, result.setup.cash).to_numpy()
        found = moments(returns) if np.isfinite(returns).all() else moments(np.full(1, math.nan))._replace(periods=len(returns))
        outcome = hashlib.sha256(np.round(returns, 12).tobytes()).hexdigest()[:16]
        prints = printed["strategy"], printed["bars"], printed["account"]
        return cls(*prints, literal(result.strategy), found.sharpe, found.periods, found.skew, found.kurtosis, outcome)

"""The audit sheet of a strategy: all that can be asked of it before it is trusted with an account, on one page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workbench.bars import Bars
from workbench.execution.costs import Costs
from workbench.rates import Rates
from workbench.research.assumptions import Assumptions
from workbench.research.audits import CausalityReport, ParityReport, check_causality, check_parity
from workbench.research.running import backtest
from workbench.research.sensitivity import Sensitivity, sensitivity
from workbench.research.warmth import LookbackReport, check_lookback
from workbench.session.setup import DEFAULT_CASH
from workbench.strategy import Strategy
from workbench.team import Team

__all__ = ["Audit", "audit"]


@dataclass(frozen=True, slots=True)
class Audit:
    """What was found of a strategy.

    Parameters
    ----------
    causality : CausalityReport
    lookback : LookbackReport
    parity : ParityReport
    sensitivity : Sensitivity
    assumptions : Assumptions
        What its backtest rests on.
    """

    causality: CausalityReport
    lookback: LookbackReport
    parity: ParityReport
    sensitivity: Sensitivity
    assumptions: Assumptions

    @property
    def sound(self) -> bool:
        """Whether it does not look ahead, warms up in time, and does in replay what research says: what to ask before a promotion.

        Of a strategy that sent no order, or whose opinions are held for good, it says nothing: its parts say so.
        """
        return self.causality.passed and self.lookback.passed and self.parity.differences.empty

    @property
    def passed(self) -> bool:
        """Whether it is sound, and no small change turns its gain into a loss."""
        return self.sound and self.sensitivity.passed

    def _parts(self) -> tuple[Any, ...]:
        return self.causality, self.lookback, self.parity, self.sensitivity

    def __repr__(self) -> str:
        return "\n".join([*(repr(part) for part in self._parts()), repr(self.assumptions)])

    def _repr_html_(self) -> str:
        pages = "".join(part._repr_html_() for part in self._parts())
        return f"{pages}<details><summary>Assumptions</summary>{self.assumptions._repr_html_()}</details>"


def audit(
    strategy: Strategy | Team,
    bars: Bars,
    *,
    cash: float = DEFAULT_CASH,
    costs: Costs | Mapping[str, Costs] | None = None,
    currency: str | None = None,
    rates: Rates | None = None,
    buying_power: bool = True,
) -> Audit:
    """Ask all audits of a strategy: causality, look-back, parity, sensitivity; with the assumptions of its backtest.

    Parameters
    ----------
    strategy, bars, cash, costs, currency, rates, buying_power
        As in `wb.backtest`.

    Returns
    -------
    Audit

    Examples
    --------
    >>> import workbench as wb
    >>> wb.audit(wb.Strategy(wb.signals.MovingAverageCross(5, 20)), wb.simulate(days=3, interval="5min", seed=1)).sound
    True
    """
    account: dict[str, Any] = {"cash": cash, "costs": costs, "currency": currency, "rates": rates, "buying_power": buying_power}
    return Audit(
        check_causality(strategy, bars),
        check_lookback(strategy, bars),
        check_parity(strategy, bars, **account),
        sensitivity(strategy, bars, **account),
        backtest(strategy, bars, **account).assumptions,
    )

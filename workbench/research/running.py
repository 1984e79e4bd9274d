"""The backtest: a strategy on bars, through the kernel where every part is compiled, through the Session where not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workbench.bars import Bars
from workbench.execution.costs import Costs
from workbench.rates import Rates
from workbench.research.engine import run_kernel
from workbench.research.result import Backtest
from workbench.session.record import Record
from workbench.session.setup import DEFAULT_CASH, Setup, set_up
from workbench.strategy import Strategy
from workbench.team import Team

__all__ = ["backtest", "run_session"]


def backtest(
    strategy: Strategy | Team | Sequence[Strategy],
    bars: Bars,
    *,
    cash: float = DEFAULT_CASH,
    costs: Costs | Mapping[str, Costs] | None = None,
    currency: str | None = None,
    rates: Rates | None = None,
    buying_power: bool = True,
) -> Backtest:
    """Run a strategy over bars.

    Parameters
    ----------
    strategy : Strategy, Team or sequence of Strategy
        Several share the account (`wb.Team`).
    bars : Bars of shape (T, N)
    cash : float, default 100_000
        In account currency.
    costs : Costs or mapping of str to Costs, optional
        The usual ones of each market where not given: pessimistic, and printed with the result.
    currency : str, optional
        Account currency; that of the instruments where they share one.
    rates : mapping of str to float or Series, optional
        Conversion rates by pair, ``{"EURUSD": 1.10}``; pairs among the bars are used too.
    buying_power : bool, default True
        Whether margin and fees limit openings (SEMANTICS 22).

    Returns
    -------
    Backtest

    Raises
    ------
    ParameterError, DataError, StrategyError
        Before anything happens, in one sentence.

    Examples
    --------
    >>> import workbench as wb
    >>> result = wb.backtest(wb.Strategy(wb.signals.MovingAverageCross()), wb.simulate(days=5, seed=1))
    >>> len(result.equity) == len(result.bars)
    True
    """
    setup = set_up(strategy, bars, cash, costs, currency, rates, buying_power)
    return Backtest(setup, run_kernel(setup) if setup.rules.compiled else run_session(setup))


def run_session(setup: Setup) -> Record:
    """Run a strategy through the Session and the paper venue, and return the record."""
    from workbench.session.events import HandlerFailed
    from workbench.session.recorder import Recorder
    from workbench.session.session import Session

    session, failed = Session.of(setup), list[HandlerFailed]()
    session.on(HandlerFailed, failed.append)
    recorder = Recorder(session)
    session.run()
    if failed:  # a record with a hole is none
        raise failed[0].error
    return recorder.record()

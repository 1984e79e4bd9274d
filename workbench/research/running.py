"""The backtest: a strategy on bars, through the kernel where every part is compiled, through the Session where not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workbench.bars import Bars
from workbench.data import ReplayAdapter
from workbench.errors import ParameterError
from workbench.execution import Costs, PaperVenue
from workbench.rates import Rates
from workbench.research.engine import run_kernel
from workbench.research.result import Backtest
from workbench.session.record import Record
from workbench.session.setup import DEFAULT_CASH, Setup, replayed, set_up
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
    venue: PaperVenue | None = None,
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
    venue : PaperVenue, optional
        Where it trades, through the Session: one that refuses some orders, halts, or knows the quotes inside the bars. Cash, costs and
        whatever else of the account is asked for here are its own then.

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
    if venue is not None:
        if (cash, costs, currency, rates, buying_power) != (DEFAULT_CASH, None, None, None, True):
            raise ParameterError(
                "backtest: the account is the venue's: give cash, costs, currency, rates and buying_power to PaperVenue(...)"
            )
        setup = replayed(strategy, ReplayAdapter(bars), venue)
        return Backtest(setup, run_session(setup, venue))
    setup = set_up(strategy, bars, cash, costs, currency, rates, buying_power)
    return Backtest(setup, run_kernel(setup) if setup.rules.compiled else run_session(setup))


def run_session(setup: Setup, venue: PaperVenue | None = None) -> Record:
    """Run a strategy through the Session and the paper venue, its costs' or a given one, and return the record."""
    from workbench.session.events import HandlerFailed
    from workbench.session.recorder import Recorder
    from workbench.session.session import Session

    session, failed = Session.of(setup, venue), list[HandlerFailed]()
    session.on(HandlerFailed, failed.append)
    recorder = Recorder(session)
    session.run()
    if failed:  # a record with a hole is none
        raise failed[0].error
    return recorder.record()

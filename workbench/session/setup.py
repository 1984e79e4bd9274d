"""What a backtest, a replay and a live session all start from: one account, one strategy, bound to instruments."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from workbench.bars import Bars
from workbench.data import ReplayAdapter
from workbench.errors import ParameterError, StrategyError
from workbench.execution.costs import Costs, costs_for, specs_for
from workbench.execution.paper import PaperVenue
from workbench.financing import Financing
from workbench.instrument import Instrument
from workbench.layout import Layout
from workbench.rates import Conversion, Rates, common_currency
from workbench.risk import RiskManager
from workbench.risk.gate import Gate
from workbench.session.holding import unserved
from workbench.session.laying import laid_out
from workbench.sessions import day_numbers, require_later_opens
from workbench.strategy import Inputs, Rules, Strategy
from workbench.team import Team, layout_of, strategies_of

__all__ = ["DEFAULT_CASH", "Setup", "replayed", "require_strategy_and_bars", "set_up", "strategy_of"]

DEFAULT_CASH = 100_000.0
DEFAULT_GATE = Gate()
SPOKEN = {"amend": "resting orders that move", "reduce_only": "reduce-only orders"}


@dataclass(frozen=True, slots=True)
class Setup:
    """A strategy, or a team of them, an account and the bars they meet.

    Parameters
    ----------
    market : Bars
        The bars themselves; those of a team, `bars`, have a column of each instrument for each strategy.
    specs : list
        Instruments with their costs in plain numbers, in the order of `Bars`.
    conversion : Conversion
    inputs : Inputs
    rules : Rules
    sessions : ndarray of shape (T, N) or (T, 1), or None
        Running numbers of daily sessions; one column where all instruments have the same.
    financing : Financing or None
        What holding a position costs, where data say so.
    gate : Gate
        What every order of a live session passes last.
    columns : range, optional
        Which of the columns are this strategy's; all of them where not given.
    team : Team, optional
        Where several strategies share the account; `strategy` has the limits on all of it then.
    members : tuple of Setup
        Of a team: one set-up for each strategy, over all columns; and last one that has the limits on the whole account.
    """

    strategy: Strategy
    bars: Bars
    market: Bars
    currency: str
    cash: float
    costs: list[Costs]
    specs: list[Any]
    conversion: Conversion
    inputs: Inputs
    rules: Rules
    sessions: np.ndarray | None
    buying_power: bool
    rates: Rates | None
    financing: Financing | None
    gate: Gate = DEFAULT_GATE
    columns: range | None = None
    members: tuple[Setup, ...] = ()
    team: Team | None = None

    @property
    def instruments(self) -> tuple[Instrument, ...]:
        """The instruments, in the order of `Bars`."""
        return self.bars.instruments

    @property
    def days(self) -> np.ndarray:
        """The number of each step's day (SEMANTICS 32)."""
        return day_numbers(self.bars, self.strategy.day)

    @property
    def interval_ns(self) -> int:
        """Length of a bar in nanoseconds."""
        return self.bars.interval_ns

    def on(self, bars: Bars, newest: bool = False) -> Setup:
        """Return the same strategy and account over other bars of the same instruments.

        With `newest` the stances are those of the last bar alone: what a live step takes in.
        """
        # of a single row nobody can tell whether its rates move
        fixed = self.conversion if len(self.bars) > 1 and not self.conversion.moving else None
        return self.changed(**laid_out(self.system, bars, self.currency, self.rates, newest, fixed))

    def knowing(self, market: Bars) -> Setup:
        """Return the set-up over the same bars, as far as they are known: nothing is computed anew."""
        return self.changed(market=market, bars=self.layout.bars(market))

    def with_inputs(self, inputs: Inputs) -> Setup:
        """Return the set-up with other inputs."""
        return self.changed(inputs=inputs)

    def trading(self, system: Strategy | Team) -> Setup:
        """Return the same account over the same bars, traded by another strategy or team."""
        if isinstance(system, Strategy) and self.layout.is_simple and layout_of(system).is_simple:
            rules = _bound(system, self.instruments, self.currency, self.costs)
            return replace(self, strategy=system, inputs=system.inputs(self.bars), rules=rules)
        return set_up(system, self.market, self.cash, self.market_costs, self.currency, self.rates, self.buying_power, self.gate)

    def changed(self, **changes: Any) -> Setup:
        """Return the set-up with what it shares with its members changed."""
        return replace(self, **changes, members=tuple(replace(one, **changes) for one in self.members))

    @property
    def is_team(self) -> bool:
        """Whether several strategies share the account."""
        return self.team is not None

    @property
    def system(self) -> Strategy | Team:
        """What trades: the strategy, or the team of them."""
        return self.team or self.strategy

    @property
    def layout(self) -> Layout:
        """Which columns the bars have."""
        return layout_of(self.system)

    @property
    def strategies(self) -> list[Strategy]:
        """Each strategy."""
        return list(strategies_of(self.system).values())

    @property
    def market_costs(self) -> dict[str, Costs]:
        """The costs of each instrument of the market, by its symbol."""
        symbols = self.market.symbols
        return {symbols[j]: costs for j, costs in zip(self.layout.sources(len(symbols)), self.costs, strict=True)}

    @property
    def limits(self) -> list[RiskManager]:
        """Each limit of each strategy, and those on the whole account of a team."""
        own = [part for one in self.strategies for part in one.risk]
        return [*own, *(self.team.risk if self.team is not None else ())]

    def columns_of(self, symbol: str) -> list[int]:
        """Return the columns that trade an instrument of the market."""
        symbols = self.market.symbols
        return self.layout.columns(len(symbols))[symbols.index(symbol)]

    def of(self, j: int) -> Setup:
        """Return the set-up of the strategy that a column belongs to."""
        return next((one for one in self.members if j in one.mine), self)

    def limits_at(self, j: int) -> list[RiskManager]:
        """Return the limits that an opening of a column passes: those of its strategy, then those of the team."""
        own = self.of(j).strategy.risk
        return [*own, *(self.team.risk if self.team is not None else ())]

    @property
    def mine(self) -> range:
        """The columns of the strategy."""
        return range(len(self.instruments)) if self.columns is None else self.columns

    def since(self, row: int) -> Setup:
        """Return the set-up from a row on: all that was computed over the bars before it stays as it was."""
        inputs = Inputs(*(None if array is None else array[row:] for array in self.inputs))  # type: ignore[arg-type]
        unit, base, fresh, assumptions = self.conversion
        moving = Conversion(unit[row:], base[row:], fresh[row:], assumptions) if self.conversion.moving else self.conversion
        sessions = None if self.sessions is None else self.sessions[row:]
        charges = self.financing and self.financing.since(row)
        cut: dict[str, Any] = {
            "bars": self.bars.iloc[row:],
            "conversion": moving,
            "inputs": inputs,
            "sessions": sessions,
            "financing": charges,
        }
        return self.changed(**cut, market=self.market.iloc[row:])


def require_strategy_and_bars(strategy: object, bars: object) -> None:
    """Refuse anything but one strategy and bars, with what was probably meant."""
    require_system_and_bars(strategy, bars)
    if isinstance(strategy, Team):
        raise ParameterError("expected one strategy, got a team: take its strategies one by one, team.strategies['name']")


def require_system_and_bars(strategy: object, bars: object) -> None:
    """Refuse anything but a strategy, or a team of them, and bars."""
    if isinstance(strategy, Bars) and isinstance(bars, (Strategy, Team)):
        raise ParameterError("the strategy comes first, then the bars: they were given the other way round")
    if not isinstance(strategy, (Strategy, Team)):
        raise ParameterError(
            f"expected a wb.Strategy, got {type(strategy).__name__}: wb.Strategy(signal={strategy!r}) makes one of a signal"
        )
    if not isinstance(bars, Bars):
        raise ParameterError(f"expected wb.Bars, got {type(bars).__name__}: wb.read_bars(...) or wb.Bars.from_frames(...) makes them")


def set_up(
    strategy: Strategy | Team | Sequence[Strategy],
    bars: Bars,
    cash: float = DEFAULT_CASH,
    costs: Costs | Mapping[str, Costs] | None = None,
    currency: str | None = None,
    rates: Rates | None = None,
    buying_power: bool = True,
    gate: Gate = DEFAULT_GATE,
) -> Setup:
    """Check what was given, and bind it together.

    Raises
    ------
    ParameterError, DataError, StrategyError
        Before anything happens.
    """
    strategy = strategy_of(strategy)
    require_system_and_bars(strategy, bars)
    if isinstance(cash, bool) or not isinstance(cash, (int, float, np.number)) or not 0 < cash < math.inf:
        raise ParameterError(f"cash must be a positive number, got {cash!r}")
    if not isinstance(buying_power, bool):
        raise ParameterError(f"buying_power must be True or False, got {buying_power!r}")
    if not len(bars):
        raise ParameterError("there are no bars to trade on")
    require_later_opens(bars)
    kept = currency or common_currency(bars.instruments)
    laid = laid_out(strategy, bars, kept, rates)
    instruments, sources = laid["bars"].instruments, layout_of(strategy).sources(len(bars.instruments))
    known = costs_for(costs, bars.instruments)
    each = [known[source] for source in sources]
    _require_volumes(bars, known)
    specs = specs_for(instruments, each)
    shared: dict[str, Any] = {"currency": kept, "costs": each, "specs": specs, "rates": rates, "gate": gate} | laid
    if isinstance(strategy, Strategy):
        rules = _bound(strategy, instruments, kept, each)
        return Setup(strategy, cash=float(cash), rules=rules, buying_power=buying_power, **shared)
    members = tuple(_members(strategy, float(cash), buying_power, shared))
    return replace(members[-1], team=strategy, members=members)


def _require_volumes(bars: Bars, costs: Sequence[Costs]) -> None:
    """Refuse costs that ask how much is traded where there are bars and none says so."""
    for j, (instrument, one) in enumerate(zip(bars.instruments, costs, strict=True)):
        if one.by_volume and bars.present[:, j].any() and not (np.nan_to_num(bars.array("volume")[:, j]) > 0).any():
            asked = next(name for name in ("participation", "impact", "queue") if getattr(one, name))
            raise ParameterError(f"Costs({asked}=...) needs volumes, and the bars of {instrument.symbol} have none")


def _bound(strategy: Strategy, instruments: Sequence[Instrument], currency: str, costs: Sequence[Costs]) -> Rules:
    """Return the decisions of a strategy; where fills depend on volumes, which the kernel does not read, a session makes them."""
    rules = strategy.bind(instruments, currency)
    return replace(rules, compiled=False) if not all(one.compiled for one in costs) else rules


def _members(team: Team, cash: float, buying_power: bool, shared: dict[str, Any]) -> Iterator[Setup]:
    """Yield the set-up of each strategy of a team, and last that of the limits on the whole account."""
    instruments, currency, first = shared["bars"].instruments, shared["currency"], 0
    ranges = layout_of(team).ranges(len(shared["market"].instruments))
    for (name, strategy), columns in zip(team.strategies.items(), ranges, strict=True):
        rules = strategy.bind(instruments, currency, first)
        yield Setup(strategy, cash=cash * team.share_of(name), rules=rules, buying_power=False, columns=columns, **shared)
        first += sum(part.series_rows(len(instruments)) for part in strategy.risk)
    whole = team.as_strategy()
    rules = replace(whole.bind(instruments, currency, first), compiled=False)
    yield Setup(whole, cash=cash, rules=rules, buying_power=buying_power, columns=range(0), **shared)


def require_supported(setup: Setup, supports: Collection[str]) -> None:
    """Refuse what a venue cannot do, by the parts that ask for it.

    Raises
    ------
    StrategyError
    """
    missing = {what: who for one in setup.strategies for what, who in unserved(one, supports).items()}
    if missing:
        said = ", ".join(f"{SPOKEN.get(what, f'{what} orders')} ({who})" for what, who in missing.items())
        raise StrategyError(f"this venue cannot do what the strategy asks for: {said}; it knows {', '.join(sorted(supports))}")


def strategy_of(given: Strategy | Team | Sequence[Strategy]) -> Strategy | Team:
    """Return several strategies as a team, and whatever else was given as it is."""
    if isinstance(given, (list, tuple)):
        if not given:
            raise ParameterError("expected a wb.Strategy, or several in a list, got an empty one")
        other = next((one for one in given if not isinstance(one, Strategy)), None)
        if other is not None:
            raise ParameterError(f"expected a list of wb.Strategy, got a {type(other).__name__} in it: {other!r}")
        return given[0] if len(given) == 1 else Team.of(given)
    return given  # type: ignore[return-value]


def replayed(strategies: Strategy | Team | Sequence[Strategy], data: object, venue: object) -> Setup:
    """Return what a session starts from that replays bars at a paper venue.

    Raises
    ------
    ParameterError, DataError, StrategyError
    """
    if not isinstance(data, ReplayAdapter):
        raise ParameterError(f"data must be a wb.ReplayAdapter(bars), got {type(data).__name__}")
    if data.start is not None:
        raise ParameterError(
            "a session decides every bar that it replays: take them with bars.loc[...] instead of ReplayAdapter(start=...)"
        )
    if not isinstance(venue, PaperVenue):
        raise ParameterError(f"execution must be a wb.execution.PaperVenue, got {type(venue).__name__}")
    return set_up(strategies, data.bars, venue.cash, venue.costs, venue.currency or None, venue.rates, venue.buying_power)

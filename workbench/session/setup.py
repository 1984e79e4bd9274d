"""What a backtest, a replay and a live session all start from: one account, one strategy, bound to instruments."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from workbench.bars import Bars
from workbench.errors import ParameterError
from workbench.execution.costs import Costs, costs_for
from workbench.financing import Financing, financing
from workbench.instrument import Instrument
from workbench.rates import Conversion, Rates, common_currency, conversion
from workbench.risk.gate import Gate
from workbench.sessions import day_numbers, require_later_opens, session_numbers
from workbench.spec import spec_of
from workbench.strategy import Inputs, Rules, Strategy

__all__ = ["DEFAULT_CASH", "Setup", "only_strategy", "require_strategy_and_bars", "set_up"]

DEFAULT_CASH = 100_000.0
DEFAULT_GATE = Gate()


@dataclass(frozen=True, slots=True)
class Setup:
    """A strategy, an account and the bars they meet.

    Parameters
    ----------
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
    """

    strategy: Strategy
    bars: Bars
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
        return replace(
            self,
            bars=bars,
            conversion=conversion(self.currency, bars, self.rates),
            inputs=self.strategy.inputs(bars, newest),
            sessions=session_numbers(bars),
            financing=financing(bars),
        )

    def since(self, row: int) -> Setup:
        """Return the set-up from a row on: all that was computed over the bars before it stays as it was."""
        inputs = Inputs(*(None if array is None else array[row:] for array in self.inputs))  # type: ignore[arg-type]
        unit, base, fresh, assumptions = self.conversion
        moving = Conversion(unit[row:], base[row:], fresh[row:], assumptions) if self.conversion.moving else self.conversion
        sessions = None if self.sessions is None else self.sessions[row:]
        charges = self.financing and self.financing.since(row)
        return replace(self, bars=self.bars.iloc[row:], conversion=moving, inputs=inputs, sessions=sessions, financing=charges)


def require_strategy_and_bars(strategy: object, bars: object) -> None:
    """Refuse anything else, with what was probably meant."""
    if isinstance(strategy, Bars) and isinstance(bars, Strategy):
        raise ParameterError("the strategy comes first, then the bars: they were given the other way round")
    if not isinstance(strategy, Strategy):
        raise ParameterError(
            f"expected a wb.Strategy, got {type(strategy).__name__}: wb.Strategy(signal={strategy!r}) makes one of a signal"
        )
    if not isinstance(bars, Bars):
        raise ParameterError(f"expected wb.Bars, got {type(bars).__name__}: wb.read_bars(...) or wb.Bars.from_frames(...) makes them")


def set_up(
    strategy: Strategy,
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
    require_strategy_and_bars(strategy, bars)
    if isinstance(cash, bool) or not isinstance(cash, (int, float, np.number)) or not 0 < cash < math.inf:
        raise ParameterError(f"cash must be a positive number, got {cash!r}")
    if not len(bars):
        raise ParameterError("there are no bars to trade on")
    require_later_opens(bars)
    kept = currency or common_currency(bars.instruments)
    each = costs_for(costs, bars.instruments)
    specs = [spec_of(i, c.numbers(i)) for i, c in zip(bars.instruments, each, strict=True)]
    return Setup(
        strategy,
        bars,
        kept,
        float(cash),
        each,
        specs,
        conversion(kept, bars, rates),
        strategy.inputs(bars),
        strategy.bind(bars.instruments, kept),
        session_numbers(bars),
        buying_power,
        rates,
        financing(bars),
        gate,
    )


def only_strategy(strategies: Strategy | Sequence[Strategy]) -> Strategy:
    """Return the one strategy that a session runs."""
    if isinstance(strategies, Strategy):
        return strategies
    if isinstance(strategies, Sequence) and len(strategies) == 1 and isinstance(strategies[0], Strategy):
        return strategies[0]
    raise ParameterError(f"a session runs one wb.Strategy, got {strategies!r}")

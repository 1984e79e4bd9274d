"""Strategy: a signal, a sizer, exits, risk managers and an execution algorithm, put together."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal, NamedTuple

import numpy as np

from workbench.bars import Bars
from workbench.component import Component
from workbench.decision import Chain, no_limit
from workbench.errors import StrategyError
from workbench.execution import ExecutionAlgorithm, Market
from workbench.exits import Exit, distances, require_fitting
from workbench.instrument import Instrument
from workbench.interval import nanoseconds
from workbench.market import Decision, Order
from workbench.portfolio import Portfolio
from workbench.preview import preview
from workbench.records import MOST_LIMITS
from workbench.risk import MaxDrawdown, RiskManager
from workbench.sessions import day_of
from workbench.signals import SignalGenerator
from workbench.sizing import FixedFraction, PositionSizer, Rebalance

__all__ = ["Inputs", "Rules", "Strategy", "decision_of"]

#: Which kinds of exit make a column of `Distances`: a trailing stop is a stop as well.
EXITS = (("stop", "trail"), ("target",), ("trail",), ("even",), ("time",))

#: What a venue does for each kind of exit; a time stop closes at market.
EXITS_NEED = {"stop": ("stop",), "target": ("limit",), "trail": ("stop", "amend"), "even": ("stop", "amend")}
#: How many entries ``entries="each"`` has where nothing is said.
USUAL_ENTRIES = 3
#: Each entry is a column of its own, in every table and every step.
MOST_ENTRIES = 100


class Inputs(NamedTuple):
    """What depends on bars only, arrays of shape (T, N): stances, exits (`workbench.exits.Distances`), and what the sizer measures.

    `series` has shape (T, rows): what the limits look back at, one after the other.
    All but the stances are None where a strategy has no such part.
    """

    stance: np.ndarray
    stop: np.ndarray | None = None
    target: np.ndarray | None = None
    trail: np.ndarray | None = None
    even: np.ndarray | None = None
    time: np.ndarray | None = None
    measured: np.ndarray | None = None
    series: np.ndarray | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """A strategy bound to instruments: its decisions with their numbers.

    Parameters
    ----------
    size : callable or None
        The sizer's decision; None where it has none and is asked through its method.
    limits : tuple of (callable or None)
        One for each risk manager, padded with `no_limit`.
    compiled : bool
        Whether every part has a decision that the kernel can compile.
    moves : bool
        Whether an exit moves a stop, or ends a position, at a close.
    extreme : bool
        Whether a trailing stop follows highs and lows, and not the closes.
    plus : float
        How far a break-even stop goes beyond the entry, as a share of its price.
    scaled : bool
        Whether the size grows with the conviction.
    drawdown, rearm : float, int
        The fall of equity that halts the account, and after how many steps it is armed again; 0 where there is no such limit.
    remembers : bool
        Whether any limit looks at the account's past equity or its day.
    room, looks_back : int
        How many numbers the limits reckon in, and how many steps they look back at.
    rebalance, band : int, float
        The length of a rebalance's interval in nanoseconds, 0 where there is none, and its band.
    resizes : bool
        Whether a position may change its size while it is held.
    exits : tuple of int
        1 for each kind of exit that there is, in the order of `Distances`.
    """

    size: Callable[..., float] | None
    size_p: tuple[float, ...]
    limits: tuple[Callable[..., float] | None, ...]
    limit_p: tuple[tuple[float, ...], ...]
    tables: tuple[Sequence[float], ...]
    count: int
    compiled: bool
    moves: bool
    extreme: bool
    plus: float
    scaled: bool
    drawdown: float
    rearm: int
    remembers: bool
    room: int
    looks_back: int
    rebalance: int
    band: float
    resizes: bool
    exits: tuple[int, ...]

    def chain(self, buying_power: bool) -> Chain:
        """Return the decisions as an opening passes them."""
        return Chain(self.size, self.size_p, self.limits, self.limit_p, self.tables, self.count, int(buying_power), int(self.scaled))


class Strategy(Component):
    """One object for research, replay and live.

    Parameters
    ----------
    signal : SignalGenerator
        Says the stance.
    sizer : PositionSizer, default FixedFraction()
        Says how much to ask for when the stance turns.
    exits : sequence of Exit, default []
        Protective orders that every opening carries, what moves them, and how long it may last; the nearest of a kind counts.
    risk : sequence of RiskManager, default []
        Cut openings, in this order; never closings.
    execution : ExecutionAlgorithm, default Market()
        How an opening is put to the venue.
    start : {"join", "wait"}, default "join"
        Whether the first stance is acted on or only noted (SEMANTICS 9).
    rebalance : Rebalance or str, optional
        Whether the sizer resizes what is held, and when: ``"1D"``, or with a band of your own ``wb.sizing.Rebalance("1D", band=0.2)``
        (SEMANTICS 13). A size is set at entry and kept where not given.
    late_entries : {"skip", "take"}, default "skip"
        Whether an opening is made up for that a run missed while it was down or paused (SEMANTICS 36).
    day : str, default "00:00 UTC"
        When a day turns, for limits by the day: time and zone, ``"17:00 America/New_York"`` (SEMANTICS 32).
    entries : {"once", "each"}, default "once"
        Whether every step with a stance in the direction acted on is one more entry, with exits of its own; a stance of zero or in the
        other direction closes them all (SEMANTICS 11). Each stands under a symbol of its own, ``SPX``, ``SPX#2``, ``SPX#3``.
    max_entries : int, optional
        With ``entries="each"``: how many since the stance last turned, open or closed again; 3 where not given. Each counts as a position.
    unsupported : {"refuse", "hold"}, default "refuse"
        What becomes of stops and targets at a venue that takes no such orders: a run does not start there, or the session holds them
        itself - it looks at each close whether they were reached, and closes at market. A run that is dead then protects nothing.
    approval : float, default 0
        How many seconds an opening of a run waits for a person, who may approve it, resize it or veto it (SEMANTICS 39); 0 for none.
        Closings never wait. A backtest makes every opening at once.
    on_silence : {"skip", "send"}, default "skip"
        What becomes of an opening that nobody has said anything about in that time.

    Examples
    --------
    >>> import workbench as wb
    >>> wb.Strategy(signal=wb.signals.MovingAverageCross(), sizer=wb.sizing.FixedQuantity(1)).lookback
    50
    """

    signal: SignalGenerator
    sizer: PositionSizer = field(default_factory=FixedFraction)
    exits: Sequence[Exit] = field(default_factory=list)
    risk: Sequence[RiskManager] = field(default_factory=list)
    execution: ExecutionAlgorithm = field(default_factory=Market)
    start: Literal["join", "wait"] = "join"
    rebalance: Rebalance | str | None = None
    late_entries: Literal["skip", "take"] = "skip"
    day: str = "00:00 UTC"
    entries: Literal["once", "each"] = field(default="once", kw_only=True)
    max_entries: int | None = field(default=None, kw_only=True)
    unsupported: Literal["refuse", "hold"] = field(default="refuse", kw_only=True)
    approval: float = field(default=0.0, kw_only=True)
    on_silence: Literal["skip", "send"] = field(default="skip", kw_only=True)

    #: The file inside the folder of a saved strategy.
    FILE: ClassVar[str] = "strategy.json"

    @classmethod
    def example(cls) -> Strategy:
        """Return a trend rule with a stop and a limit."""
        from workbench.exits import AtrStop
        from workbench.risk import MaxLeverage
        from workbench.signals import MovingAverageCross
        from workbench.sizing import RiskPercent

        return cls(MovingAverageCross(), RiskPercent(), [AtrStop()], [MaxLeverage(2)])

    def check(self) -> None:
        """Refuse parts that do not fit together."""
        day_of(self.day)
        if not 0.0 <= self.approval < math.inf:
            raise StrategyError(f"approval is a number of seconds, 0 for none, got {self.approval!r}")
        if self.max_entries is not None and (self.max_entries < 1 or self.entries == "once"):
            raise StrategyError(f"max_entries must be at least 1, and is for entries='each' alone, got {self.max_entries}")
        if self.most_entries > MOST_ENTRIES:
            raise StrategyError(f"max_entries may be at most {MOST_ENTRIES}, got {self.max_entries}")
        if isinstance(self.rebalance, str):
            Rebalance(self.rebalance)
        if not require_fitting(self.exits) and type(self.sizer.core).needs_stop:
            who = type(self.sizer.core).__name__
            raise StrategyError(f"{who} sizes by the distance to a stop, and this strategy has none: add exits=[wb.exits.AtrStop()]")
        if sum(isinstance(part, MaxDrawdown) for part in self.risk) > 1:
            raise StrategyError("a strategy takes one MaxDrawdown: the nearer of two would hide the other")
        if len(self.risk) > MOST_LIMITS:
            raise StrategyError(f"a strategy takes at most {MOST_LIMITS} risk managers, got {len(self.risk)}")

    @property
    def needs(self) -> dict[str, str]:
        """What a venue has to be able to do for it, each with the part that asks for it (`ExecutionModule.supports`)."""
        said = {"market": "closings", "reduce_only": "closings"}
        for part in self.exits:
            said |= dict.fromkeys(EXITS_NEED.get(part.kind, ()), type(part).__name__)
        changes = "rebalance" if self.rebalance else next((repr(one) for one in self.risk if one.on_breach == "reduce"), "")
        said |= {"amend": changes} if changes and self.exits else {}
        return said | {what: type(self.execution).__name__ for what in self.execution.sends if what not in said}

    @property
    def most_entries(self) -> int:
        """How many entries may be open in an instrument at a time."""
        return (self.max_entries or USUAL_ENTRIES) if self.entries == "each" else 1

    @property
    def lookback(self) -> int:
        """The largest look-back of the parts, in bars."""
        return max(self.signal.lookback, self.sizer.lookback, *(e.lookback for e in self.exits), *(r.lookback for r in self.risk))

    def inputs(self, bars: Bars, newest: bool = False) -> Inputs:
        """Return stances and distances at every bar: causal, so that the last row is what live would see.

        With `newest` the stances are those of the last bar alone, NaN before it: a live step asks for no more (SEMANTICS 6).
        """
        if newest:
            stance = np.full(bars.shape, np.nan)
            stance[-1] = self.signal.newest(bars)
        else:
            stance = self.signal.stances(bars).to_numpy()
        return Inputs(stance, *distances(self.exits, bars), self.sizer.measured(bars, self.signal, newest), self.series(bars))

    def series(self, bars: Bars) -> np.ndarray | None:
        """Return what the limits look back at, side by side, shape (T, rows); None for nothing."""
        found = [series for part in self.risk if (series := part.series(bars)) is not None]
        return np.concatenate(found, axis=1) if found else None

    def bind(self, instruments: Sequence[Instrument], currency: str, first: int = 0) -> Rules:
        """Return the decisions of the parts for these instruments; `first` is the number of the first row that they look back at."""
        spare = MOST_LIMITS - len(self.risk)
        limits = tuple(decision_of(part, "limit") for part in self.risk)
        sizer = self.sizer.core
        size = decision_of(sizer, "size")
        again = Rebalance(self.rebalance) if isinstance(self.rebalance, str) else self.rebalance
        resizes = again is not None or any(part.on_breach == "reduce" for part in self.risk)
        compiled = None not in (size, *limits) and self.execution.compiled and not resizes and self.most_entries == 1
        return Rules(
            size,
            sizer.parameters() or (0.0,),
            limits + (no_limit,) * spare,
            tuple(self._numbers(instruments, currency, first)) + ((0.0,),) * spare,
            tuple(part.table(instruments, currency) for part in self.risk) + ((0.0,),) * spare,
            len(self.risk),
            compiled,
            any(part.kind in ("trail", "even", "time") for part in self.exits),
            next((getattr(part, "of", "extreme") == "extreme" for part in self.exits if part.kind == "trail"), False),
            next((float(getattr(part, "plus", 0.0)) for part in self.exits if part.kind == "even"), 0.0),
            sizer is not self.sizer,
            next((float(part.limit) for part in self.risk if isinstance(part, MaxDrawdown)), 0.0),
            next((part.rearm_after or 0 for part in self.risk if isinstance(part, MaxDrawdown)), 0),
            any(part.remembers for part in self.risk),
            self._scratch + sum(part.kept(len(instruments)) for part in self.risk),
            max((part.lookback for part in self.risk), default=1),
            0 if again is None else nanoseconds(again.every),
            0.0 if again is None else again.band,
            resizes,
            tuple(int(any(part.kind in kinds for part in self.exits)) for kinds in EXITS),
        )

    def _numbers(self, instruments: Sequence[Instrument], currency: str, first: int) -> Iterator[tuple[float, ...]]:
        """Yield the numbers of each limit's decision; last, where it looks back at a series, where its memory and its rows begin."""
        n, kept = len(instruments), self._scratch
        for part in self.risk:
            rows = part.series_rows(n)
            yield (*part.parameters(instruments, currency), *((float(kept), float(first)) if rows else ()))
            kept, first = kept + part.kept(n), first + rows

    @property
    def _scratch(self) -> int:
        return max((part.scratch for part in self.risk), default=1)

    def preview(self, order: Order, portfolio: Portfolio) -> Decision:
        """Return what the limits would allow of an order, and why.

        Parameters
        ----------
        order : Order
        portfolio : Portfolio
            With a price for the order's instrument.

        Returns
        -------
        Decision
            The closing part of the order is never cut; the opening part is cut by each limit in turn.
        """
        return preview(order, portfolio, self.risk)

    def starting(self, start: str) -> Strategy:
        """Return the same strategy, which acts on its first stance ("join") or only notes it ("wait")."""
        return type(self)(**(self.get_params(deep=False) | {"start": start}))

    def save(self, path: str | Path) -> Path:
        """Write the strategy as a folder of readable text, and prove that it can be read back.

        Parameters
        ----------
        path : str or Path
            A folder; made if need be. ``strategy.json`` holds classes and parameters, ``parts.py`` the source of
            classes that were defined in a notebook.

        Raises
        ------
        StrategyError
            A part cannot be written: the sentence names it.
        """
        from workbench.saving import save

        return save(self, Path(path))

    @classmethod
    def load(cls, path: str | Path, modules: Sequence[str] = ()) -> Strategy:
        """Read a strategy from its folder.

        Parameters
        ----------
        path : str or Path
        modules : sequence of str, default ()
            Names of modules of your own that its parts may be imported from; besides, only workbench and the folder's
            own ``parts.py`` are.
        """
        from workbench.saving import load

        strategy = load(Path(path), tuple(modules))
        if not isinstance(strategy, cls):
            raise StrategyError(f"{path} holds a {type(strategy).__name__}, not a strategy")
        return strategy


def decision_of(part: Component, method: str) -> Callable[..., float] | None:
    """Return the compiled decision of a part, or None where a class nearer to it defines the plain method instead."""
    for cls in type(part).__mro__:
        if vars(cls).get("decision") is not None:
            found: Callable[..., float] = cls.decision  # type: ignore[attr-defined]
            return found
        if callable(vars(cls).get(method)) and vars(cls).get(method) is not vars(PositionSizer).get(method):
            return None
    return None

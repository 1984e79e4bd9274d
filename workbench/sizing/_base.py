"""The port of sizers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from workbench.alignment import aligned, blockwise
from workbench.bars import Bars
from workbench.component import Component
from workbench.market import Book, Market
from workbench.spec import spec_of

__all__ = ["PositionSizer"]


class PositionSizer(Component):
    """Says how much to ask for when a stance turns; the limits cut it, lots are made once, last.

    A sizer of your own is five lines::

        class TenthOfEquity(PositionSizer):
            part: float = 0.1
            def size(self, signal, portfolio, market):
                return self.part * portfolio.equity / (market.price * market.unit)

    It backtests through the Session. To run in the fast kernel too, give it a `decision`: a static method in plain
    arithmetic, ``decision(p, spec, side, stance, equity, price, unit, distance, measured, past) -> quantity``, where `p` holds what
    `parameters()` returns, `spec` the instrument's numbers (`workbench.records.SPEC`), `unit` turns quantity x price
    into account currency, `distance` is that to the nearest stop, `measured` what `measure` says at this bar, and `past` what the
    account remembers (`workbench.past`).
    """

    decision: ClassVar[Callable[..., float] | None] = None
    #: Whether it cannot size without a protective stop.
    needs_stop: ClassVar[bool] = False

    def size(self, signal: float, portfolio: Book, market: Market) -> float:
        """Return the quantity to ask for.

        Parameters
        ----------
        signal : float
            The side: +1 long, -1 short. Conviction reaches a sizer only through `Scaled` (SEMANTICS 12), and `TargetWeights`.
        portfolio : Book
            Positions, cash and equity before this step's orders, and what the account remembers.
        market : Market
            This step's closes and rates.

        Returns
        -------
        float
            In lots, shares, contracts or coins, >= 0; NaN or 0: nothing is opened, with the reason.
        """
        decide = type(self).decision
        if decide is None:
            raise NotImplementedError(f"{type(self).__name__} must define size(self, signal, portfolio, market)")
        spec, side = spec_of(market.instrument), 1.0 if signal > 0 else -1.0
        distance, measured = (market.inputs.get(name, float("nan")) for name in ("stop_distance", "measured"))
        p = self.parameters() or (0.0,)
        return decide(p, spec, side, signal, portfolio.equity, market.price, market.unit, distance, measured, portfolio.history.past)

    def parameters(self) -> tuple[float, ...]:
        """Return the numbers that `decision` gets as `p`."""
        return ()

    def measure(self, bars: Bars) -> pd.DataFrame | None:
        """Return what the size depends on besides equity and price, a number a bar: a volatility, say. Causal; None for nothing.

        It is handed blocks of instruments without missing bars (SEMANTICS 4). While it is not a positive number, nothing opens.
        """
        return None

    def measured(self, bars: Bars, signal: Any, newest: bool = False) -> np.ndarray | None:
        """Return what is measured at each bar, shape (T, N), or None.

        Parameters
        ----------
        bars : Bars of shape (T, N)
        signal : SignalGenerator
            Of the strategy: some sizers ask it.
        newest : bool, default False
            Whether only the last row will be looked at.
        """
        if type(self).measure is PositionSizer.measure:
            return None
        who = f"{type(self).__name__}.measure"
        return blockwise(bars, lambda block: aligned(self.measure(block), block, who, "a number"))

    @property
    def lookback(self) -> int:
        """Bars before which `measure` is not known."""
        return 1

    @property
    def core(self) -> PositionSizer:
        """The sizer that says the size, where this one only scales it."""
        return self

    def words(self, equity: float, distance: float, currency: str) -> str:
        """Return how the size came about, for the trace of a decision; nothing where the repr says it all."""
        return ""

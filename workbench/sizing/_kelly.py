"""Sizes by Kelly's criterion."""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np

from workbench.bars import Bars
from workbench.errors import ParameterError
from workbench.past import CLOSED, GAINED, LOST, WON
from workbench.sizing._base import PositionSizer

__all__ = ["Kelly"]


class Kelly(PositionSizer):
    """The share of equity that grows fastest in the long run, or a fraction of it: ``f = w / loss - (1 - w) / gain``.

    `w` is the chance to win, `gain` and `loss` what a trade wins or loses on average after costs, as shares of what was put in. With a
    loss of 1 this is the gambler's ``p - q / b``. The numbers come from the trades of this account that have closed, all
    instruments together (SEMANTICS 16), or from what the signal says of each bar; a negative f opens nothing.

    Parameters
    ----------
    fraction : float, default 0.5
        Of Kelly's f: 1 is full Kelly, 0.5 half, which grows three quarters as fast with half the swings.
    win_rate, gain, loss : float, default 0.55, 0.02, 0.02
        The declared prior, until `least` trades have closed. With ``source="signal"`` gain and loss are the pay-off.
    least : int, default 30
        So many closed trades outweigh the prior.
    cap : float, default 1
        The notional is never more than so many times the equity.
    source : {"trades", "signal"}, default "trades"
        Signal: the chance to win is what a `workbench.signals.Classifier` says of the side that it takes.

    References
    ----------
    Kelly, J. L. (1956). A New Interpretation of Information Rate. Bell System Technical Journal 35.
    Thorp, E. O. (2006). The Kelly Criterion in Blackjack, Sports Betting, and the Stock Market.

    Examples
    --------
    >>> Kelly(fraction=1, win_rate=0.6, gain=1, loss=1).words(10_000, float("nan"), "USD")
    'prior 60 % to gain 100 % or lose 100 %, until 30 trades have closed'
    """

    fraction: float = 0.5
    win_rate: float = 0.55
    gain: float = 0.02
    loss: float = 0.02
    least: int = 30
    cap: float = 1.0
    source: Literal["trades", "signal"] = "trades"

    def check(self) -> None:
        """Refuse what is no fraction, no chance, or not positive."""
        if not 0 < self.fraction <= 1:
            raise ParameterError(f"Kelly: fraction is a share of Kelly's f, above 0 and at most 1, got {self.fraction!r}")
        if not 0 < self.win_rate < 1:
            raise ParameterError(f"Kelly: win_rate is a chance between 0 and 1, got {self.win_rate!r}")
        for name in ("gain", "loss", "cap"):
            if not 0 < getattr(self, name) < math.inf:
                raise ParameterError(f"Kelly: {name} must be a positive number, got {getattr(self, name)!r}")
        if self.least < 1:
            raise ParameterError(f"Kelly: least must be at least 1 trade, got {self.least}")

    def parameters(self) -> tuple[float, ...]:
        """Return the numbers, the source as 1 for the signal."""
        given = (self.fraction, self.cap, self.win_rate, self.gain, self.loss, self.least)
        return (*map(float, given), float(self.source == "signal"))

    def measured(self, bars: Bars, signal: Any, newest: bool = False) -> np.ndarray | None:
        """Return the chance to win that the signal gives each bar, shape (T, N), where it is asked."""
        if self.source == "trades":
            return None
        ask = getattr(signal, "chance", None)
        if not callable(ask):
            raise ParameterError(
                f"Kelly(source='signal') asks the signal for the chance to win, and {type(signal).__name__} has none: "
                "a wb.signals.Classifier has, or give it a method chance(bars, newest=False)"
            )
        return np.asarray(ask(bars, newest), dtype=float)

    @staticmethod
    def decision(
        p: Any, spec: Any, side: float, stance: float, equity: float, price: float, unit: float, distance: float, measured: float, past: Any
    ) -> float:
        """Return min(fraction x f, cap) x equity / (price x unit), 0 where f is not above 0."""
        win, gain, loss = p[2], p[3], p[4]
        if p[6] != 0.0:
            win = measured
        elif past[CLOSED] >= p[5]:
            win = past[WON] / past[CLOSED]
            if past[GAINED] > 0.0:
                gain = past[GAINED] / past[WON]
            if past[LOST] > 0.0:
                loss = past[LOST] / (past[CLOSED] - past[WON])
        share = p[0] * (win / loss - (1.0 - win) / gain)
        if not share > 0.0:
            return 0.0
        return (min(share, p[1]) * equity) / (price * unit)

    def words(self, equity: float, distance: float, currency: str) -> str:
        """Return where the numbers come from."""
        if self.source == "signal":
            return f"the signal's chance to gain {self.gain:.3g} or lose {self.loss:.3g} of what is put in"
        return f"prior {self.win_rate:.0%} to gain {self.gain:.0%} or lose {self.loss:.0%}, until {self.least} trades have closed".replace(
            "%", " %"
        )

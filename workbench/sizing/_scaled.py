"""Sizes that grow with the conviction of the signal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from workbench.bars import Bars
from workbench.errors import ParameterError
from workbench.market import Book, Market
from workbench.sizing._base import PositionSizer
from workbench.sizing._fixed import FixedFraction

__all__ = ["Scaled"]


class Scaled(PositionSizer):
    """Another sizer's size times the conviction: the stance without its sign, at most 1, at entry (SEMANTICS 12).

    Parameters
    ----------
    sizer : PositionSizer

    Examples
    --------
    >>> import workbench as wb
    >>> Scaled(wb.sizing.FixedQuantity(10)).sizer
    FixedQuantity(quantity=10)
    """

    sizer: PositionSizer

    decision: ClassVar[Callable[..., float] | None] = None

    @classmethod
    def example(cls) -> Scaled:
        """Return a scaled fraction of equity."""
        return cls(FixedFraction(0.5))

    def check(self) -> None:
        """Refuse to scale what is scaled already."""
        if isinstance(self.sizer, Scaled):
            raise ParameterError("Scaled: the sizer inside is scaled already, and conviction would count twice")

    def size(self, signal: float, portfolio: Book, market: Market) -> float:
        """Return the sizer's size for this side, times the conviction."""
        return self.sizer.size(signal, portfolio, market) * min(abs(signal), 1.0)

    def measured(self, bars: Bars, signal: Any, newest: bool = False) -> np.ndarray | None:
        """Return what the sizer measures."""
        return self.sizer.measured(bars, signal, newest)

    @property
    def lookback(self) -> int:
        """That of the sizer."""
        return self.sizer.lookback

    @property
    def core(self) -> PositionSizer:
        """The sizer."""
        return self.sizer

    def words(self, equity: float, distance: float, currency: str) -> str:
        """Return what the sizer says."""
        return f"{self.sizer!r} x conviction"

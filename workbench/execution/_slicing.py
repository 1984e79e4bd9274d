"""Algorithms that work an order over several bars: in slices of time or volume, behind a small shown part, or chasing the price."""

from __future__ import annotations

import math
import re
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import field, replace
from typing import ClassVar, Literal

import pandas as pd

from workbench.bars import Bars
from workbench.errors import ParameterError, did_you_mean
from workbench.execution._algorithms import Progress, WorkingAlgorithm, limit_of, require_offset
from workbench.grid import lots_exactly, lots_of, quantity_of
from workbench.interval import DAY
from workbench.market import Market as MarketSnapshot
from workbench.market import Order

__all__ = ["Iceberg", "LimitChase", "Sliced", "Twap", "Vwap", "volume_profile"]


#: A time of the day in a profile.
CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


class Sliced(WorkingAlgorithm):
    """Sends an opening in slices at market, one a bar, so that after each bar a part of it is due.

    One of your own says what part that is::

        class FrontLoaded(Sliced):
            def due(self, progress):
                return 1 - 0.5 ** (progress.closes + 1)

    Parameters
    ----------
    bars : int, default 10
        Over how many bars.
    """

    bars: int = 10

    sends: ClassVar[frozenset[str]] = frozenset({"market"})

    def check(self) -> None:
        """Refuse fewer than one bar."""
        if self.bars < 1:
            raise ParameterError(f"{type(self).__name__}: bars must be at least 1, got {self.bars}")

    @property
    def closes(self) -> int:  # type: ignore[override]
        """One slice a bar."""
        return self.bars

    @abstractmethod
    def due(self, progress: Progress) -> float:
        """Return the share of the whole order that the slices up to this one make; the last makes it whole."""

    def work(self, parent: Order, market: MarketSnapshot, progress: Progress) -> list[Order]:
        """Return the next slice, what is left of the ones before it included; a session waits while it is too small to be sent alone."""
        number, power = parent.instrument.step
        asked, left = lots_exactly(progress.asked, number, power), lots_exactly(parent.quantity, number, power)
        share = 1.0 if self.is_last(progress) else min(max(self.due(progress), 0.0), 1.0)
        lots = min(lots_of(asked * share * number / power, number, power) - (asked - left), left)
        least = _least(parent, market.price)
        if 0 < left - lots < least:  # the rest could not be sent alone either
            lots = left
        return [replace(parent, quantity=quantity_of(lots, number, power))] if lots > 0 else []


class Twap(Sliced):
    """Time-weighted: equal slices at market, one a bar.

    Examples
    --------
    >>> Twap(bars=4).due(Progress(closes=1, asked=100.0, decided=50.0, interval=60))
    0.5
    """

    def due(self, progress: Progress) -> float:
        """Return the share of the bars that have begun."""
        return (progress.closes + 1) / self.bars


class Vwap(Sliced):
    """Volume-weighted: slices at market in proportion to what is usually traded at each time of the day.

    Parameters
    ----------
    bars : int, default 10
    profile : mapping of str to float
        Usual volume by time of the day in UTC, ``{"14:30": 120.0, ...}``: `volume_profile` makes one. A time that it does not have counts
        as the mean of the others.

    Examples
    --------
    >>> busy = Vwap(2, profile={"09:00": 300.0, "10:00": 100.0})
    >>> busy.due(Progress(closes=0, asked=100.0, decided=50.0, interval=3_600_000_000_000, time=8 * 3_600_000_000_000))
    0.75
    """

    profile: Mapping[str, float] = field(kw_only=True)

    @classmethod
    def example(cls) -> Vwap:
        """Return one for a market whose days have two busy hours."""
        return cls(4, profile={"09:00": 300.0, "12:00": 100.0, "16:00": 250.0})

    def check(self) -> None:
        """Refuse a profile that is none."""
        super().check()
        wrong = next((time for time in self.profile if not CLOCK.fullmatch(str(time))), None)
        if wrong is not None:
            raise ParameterError(f"Vwap: a time of the day is written '09:30', got {wrong!r}")
        weights = list(self.profile.values())
        if not all(0 <= weight < math.inf for weight in weights) or not math.fsum(weights) > 0:
            raise ParameterError("Vwap: profile has volumes by time of the day, {'14:30': 120.0}: execution.volume_profile(bars) makes one")

    def due(self, progress: Progress) -> float:
        """Return the share of the volume that is usually traded up to the end of the next bar, of that over all bars."""
        begun = progress.time - progress.closes * progress.interval
        usual = [self._usual(begun + (k + 1) * progress.interval) for k in range(self.bars)]
        whole = math.fsum(usual)
        return math.fsum(usual[: progress.closes + 1]) / whole if whole > 0.0 else (progress.closes + 1) / self.bars

    def _usual(self, label: int) -> float:
        minutes = label % DAY // 60_000_000_000
        mean = math.fsum(self.profile.values()) / len(self.profile)
        return float(self.profile.get(f"{minutes // 60:02d}:{minutes % 60:02d}", mean))


class LimitChase(WorkingAlgorithm):
    """Rest a limit, and quote it anew at each close, each time nearer to the market; at the end cross, or let go.

    Parameters
    ----------
    offset : float, default 0.001
        How much better than the close the first quote is, as a share of it; the last quote is at the close.
    bars : int, default 5
        How many quotes, the last one at market included where `then` is "cross".
    then : {"cross", "cancel"}, default "cross"

    Examples
    --------
    >>> LimitChase(offset=0.002).closes
    5
    """

    offset: float = 0.001
    bars: int = 5
    then: Literal["cross", "cancel"] = "cross"

    def check(self) -> None:
        """Refuse an offset outside [0, 1) and fewer than two quotes."""
        require_offset(self, self.offset)
        if self.bars < 2:
            raise ParameterError(f"LimitChase: bars must be at least 2, a quote and a last one, got {self.bars}")

    @property
    def closes(self) -> int:  # type: ignore[override]
        """One quote a bar."""
        return self.bars

    def work(self, parent: Order, market: MarketSnapshot, progress: Progress) -> list[Order]:
        """Return the next quote, of all that is left."""
        if self.then == "cross" and self.is_last(progress):
            return [parent]
        offset = self.offset * (1.0 - progress.closes / (self.bars - 1))
        return limit_of(parent, market.price, offset, bars=(self.bars - progress.closes) * progress.bars)


class Iceberg(WorkingAlgorithm):
    """Rest a limit that shows only a part of the order; when that has filled the next part is shown, at the same price.

    Parameters
    ----------
    shown : float, default 0.1
        The part, as a share of the order.
    offset : float, default 0.0005
        How much better than the decision's close, as a share of it.
    bars : int, default 20
        For how many bars it works.
    then : {"cross", "cancel"}, default "cross"
        What becomes of what is left then: sent at market, or let go.

    Examples
    --------
    >>> Iceberg(shown=0.25).closes
    20
    """

    shown: float = 0.1
    offset: float = 0.0005
    bars: int = 20
    then: Literal["cross", "cancel"] = "cross"

    def check(self) -> None:
        """Refuse parts that are none."""
        if not 0 < self.shown <= 1:
            raise ParameterError(f"Iceberg: shown is a share of the order above 0 and at most 1, got {self.shown!r}")
        require_offset(self, self.offset)
        if self.bars < 2:
            raise ParameterError(f"Iceberg: bars must be at least 2, got {self.bars}")

    @property
    def closes(self) -> int:  # type: ignore[override]
        """It is looked at with each bar."""
        return self.bars

    def work(self, parent: Order, market: MarketSnapshot, progress: Progress) -> list[Order]:
        """Return the next part where none is shown; at the end all that is left."""
        if self.then == "cross" and self.is_last(progress):
            return [parent]
        if progress.out:
            return []
        number, power = parent.instrument.step
        left = lots_exactly(parent.quantity, number, power)
        least = _least(parent, market.price)
        lots = min(max(lots_of(progress.asked * self.shown, number, power), least), left)
        if left - lots < least:
            lots = left
        part = replace(parent, quantity=quantity_of(lots, number, power))
        return limit_of(part, progress.decided, self.offset, bars=(self.bars - progress.closes) * progress.bars)


def _least(order: Order, price: float) -> int:
    """Return the fewest steps that a venue takes of an instrument at a price."""
    return max(lots_exactly(order.instrument.smallest(price), *order.instrument.step), 1)


def volume_profile(bars: Bars, symbol: str | None = None) -> dict[str, float]:
    """Return the mean volume of an instrument by time of the day, for `Vwap`.

    Parameters
    ----------
    bars : Bars
        Of a time before the one that is traded: a profile of the same bars would know their volumes.
    symbol : str, optional
        The only one where not given.

    Raises
    ------
    ParameterError
        No such symbol, or several and none is named.
    DataError
        The bars have no volume.
    """
    if not isinstance(bars, Bars):
        raise ParameterError(f"volume_profile: expected wb.Bars, got {type(bars).__name__}")
    if symbol is None and len(bars.symbols) > 1:
        raise ParameterError(f"volume_profile: say which symbol, of {', '.join(bars.symbols[:5])}")
    symbol = symbol or bars.symbols[0]
    if symbol not in bars.symbols:
        raise ParameterError(f"volume_profile: no bars of {symbol!r}{did_you_mean(symbol, bars.symbols)}")
    volume: pd.Series = bars.volume[symbol].dropna()
    found = volume.groupby(volume.index.strftime("%H:%M")).mean()
    return {str(time): float(value) for time, value in found.items()}

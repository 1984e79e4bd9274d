"""Which columns an account trades in: each instrument of a market for each strategy, and for each entry that may be open at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from workbench.bars import FIELDS, Bars
from workbench.errors import ParameterError
from workbench.instrument import Instrument

__all__ = ["SIMPLE", "Layout"]

#: Between the name of a strategy and a symbol, and between a symbol and the number of an entry.
BETWEEN, ENTRY = "/", "#"


class Layout(NamedTuple):
    """Who trades each instrument, and in how many entries: columns strategy after strategy, instrument after instrument.

    A column stands under ``SYMBOL``, ``name/SYMBOL`` or ``name/SYMBOL#2``, and its instrument has the tags "symbol" and "strategy".

    Parameters
    ----------
    parts : tuple of (str, int)
        Name of each strategy, "" where there is only one; and the most entries it has in an instrument.

    Examples
    --------
    >>> Layout((("a", 1), ("b", 2))).sources(2)
    [0, 1, 0, 0, 1, 1]
    """

    parts: tuple[tuple[str, int], ...] = (("", 1),)

    @classmethod
    def of(cls, plain: Sequence[Sequence[str | int]]) -> Layout:
        """Return a layout from plain values."""
        return cls(tuple((str(name), int(entries)) for name, entries in plain))

    @property
    def plain(self) -> list[list[str | int]]:
        """The parts as plain values."""
        return [[name, entries] for name, entries in self.parts]

    @property
    def is_simple(self) -> bool:
        """Whether a column is an instrument."""
        return self == SIMPLE

    def instruments(self, market: Sequence[Instrument]) -> list[Instrument]:
        """Return the instrument of each column."""
        if self.is_simple:
            return list(market)
        found = [_own(one, name, entry) for name, entries in self.parts for one in market for entry in range(entries)]
        twice = next((symbol for symbol, count in Counter(one.symbol for one in found).items() if count > 1), None)
        if twice is not None:
            raise ParameterError(f"{twice!r} is an instrument, and what an entry in another one would be called: give it another symbol")
        return found

    def bars(self, market: Bars) -> Bars:
        """Return bars with all columns."""
        if self.is_simple:
            return market
        columns = np.array(self.sources(len(market.instruments)))
        arrays = {name: market.array(name)[:, columns] for name in FIELDS}
        return Bars(market.index, self.instruments(market.instruments), market.interval, arrays, market.source, market.assumptions)

    def sources(self, n: int) -> list[int]:
        """Return of each column the number of its instrument, of n."""
        return [j for _, entries in self.parts for j in range(n) for _ in range(entries)]

    def columns(self, n: int) -> list[list[int]]:
        """Return of each of n instruments its columns."""
        found: list[list[int]] = [[] for _ in range(n)]
        for j, source in enumerate(self.sources(n)):
            found[source].append(j)
        return found

    def others(self, n: int) -> list[list[int]]:
        """Return of each column the other columns of its instrument, of n."""
        columns = self.columns(n)
        return [[k for k in columns[source] if k != j] for j, source in enumerate(self.sources(n))]

    def firsts(self, n: int) -> list[int]:
        """Return of each of n instruments its first column."""
        return [j * self.parts[0][1] for j in range(n)]

    def entries(self, n: int) -> list[int]:
        """Return of each column which entry of its strategy and instrument it is, from 0 on."""
        return [entry for _, entries in self.parts for _ in range(n) for entry in range(entries)]

    def ranges(self, n: int) -> list[range]:
        """Return the columns of each strategy."""
        found, first = [], 0
        for _, entries in self.parts:
            found.append(range(first, first + n * entries))
            first += n * entries
        return found


#: Where each instrument is traded by one strategy, in one entry at a time.
SIMPLE = Layout()


def _own(instrument: Instrument, name: str, entry: int) -> Instrument:
    """Return an instrument as a strategy's own, for one of its entries."""
    symbol = instrument.symbol
    tags = dict(instrument.tags) | ({"strategy": name} if name else {}) | {"symbol": symbol}
    own = f"{name}{BETWEEN}{symbol}" if name else symbol
    return replace(instrument, symbol=f"{own}{ENTRY}{entry + 1}" if entry else own, tags=tags)

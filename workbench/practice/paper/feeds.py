"""Markets for the paper venue: recorded bars, or a simulated market without an end. Both are the same at each start."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd

from workbench.bars import Bars
from workbench.data import simulate
from workbench.grid import round_away
from workbench.instrument import Instrument

__all__ = ["BLOCK", "Endless", "Feed", "Recorded"]

#: Bars of a simulated market that are made at once.
BLOCK = 5_000


class Feed(Protocol):
    """A market: blocks of bars, one after the other."""

    def blocks(self) -> Iterator[Bars]:
        """Yield the market from its first bar on."""


@dataclass(frozen=True)
class Recorded:
    """Recorded bars, once through."""

    bars: Bars

    def blocks(self) -> Iterator[Bars]:
        """Yield them as one block."""
        yield self.bars


@dataclass(frozen=True)
class Endless:
    """A simulated market without an end; made up, and labelled so.

    Parameters
    ----------
    instruments : tuple of Instrument
    interval : str
    seed : int
    start : str
        The first label.
    """

    instruments: tuple[Instrument, ...]
    interval: str
    seed: int = 0
    start: str = "2024-01-01"

    def blocks(self) -> Iterator[Bars]:
        """Yield block after block, each going on from the last closes."""
        start, last, number = pd.Timestamp(self.start, tz="UTC"), None, 0
        while True:
            made = simulate(list(self.instruments), interval=self.interval, bars=BLOCK, seed=self.seed + 7919 * number, start=start)
            block = made if last is None else _going_on(made, last)
            yield block
            last, number = block.array("close")[-1], number + 1
            start = block.index[-1] + pd.Timedelta(block.interval_ns, "ns")


def _going_on(bars: Bars, last: np.ndarray) -> Bars:
    """Return bars whose first opens are the last closes, on the grids of the prices."""
    factor = last / bars.array("open")[0]
    arrays = {name: bars.array(name) * factor for name in ("open", "high", "low", "close")}
    for j, instrument in enumerate(bars.instruments):
        for array in arrays.values():
            array[:, j] = [round_away(price, 1.0, *instrument.tick) for price in array[:, j].tolist()]
    return bars.with_rows(bars.index, arrays | {"volume": bars.array("volume")})

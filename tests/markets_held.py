"""What positions must keep and what holding them costs, drawn at random for the markets of the laws."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from workbench import Bars, Instrument
from workbench.bars import FIELDS

Random = np.random.Generator


def held_at_a_cost(rng: Random, bars: Bars) -> Bars:
    """Declare what positions must keep, and for most markets what holding them costs."""
    declared = with_maintenance(rng, bars)
    return financed(rng, declared) if rng.random() < 0.6 else declared


def with_maintenance(rng: Random, bars: Bars) -> Bars:
    """Declare what positions must keep, as a rate or in tiers, of half of the instruments."""
    declared = [replace(one, maintenance=_maintenance(rng, one)) if rng.random() < 0.5 else one for one in bars.instruments]
    return alone(bars, declared)


def alone(bars: Bars, instruments: Any = None) -> Bars:
    """Return bars without outside series, and so without what these would charge."""
    arrays = {name: bars.array(name) for name in FIELDS}
    return Bars(bars.index, instruments or bars.instruments, bars.interval, arrays, bars.source, bars.assumptions)


def financed(rng: Random, bars: Bars) -> Bars:
    """Have some instruments pay funding, swap or for borrowing: at closes, within bars and between them."""
    span = int(bars.labels[-1] - bars.labels[0])
    anywhere = bars.labels[0] + rng.integers(0, span, 40)
    times = pd.DatetimeIndex(np.unique(np.append(anywhere, bars.labels[:: int(rng.integers(2, 9))])), tz="UTC")

    def rates(symbols: list[str], size: float) -> pd.DataFrame:
        values = rng.normal(0, size, (len(times), len(symbols)))
        return pd.DataFrame(np.where(rng.random(values.shape) < 0.1, np.nan, values).clip(-0.9, 0.9), times, symbols)

    some, rest = bars.symbols[::2], bars.symbols[1::2]
    for name, symbols in (("funding", some), ("swap_long", rest), ("swap_short", rest), ("borrow", bars.symbols)):
        given = rates(symbols, 0.05).abs() if name == "borrow" else rates(symbols, 0.001)
        bars = bars.with_extra(name, given, known_at="0s")
    return bars


def _maintenance(rng: Random, instrument: Instrument) -> Any:
    """Return a rate, or tiers of which one begins where the last ends."""
    assert instrument.margin is not None
    rate = instrument.margin * float(rng.uniform(0.3, 0.98))
    if rng.random() < 0.3:
        return rate
    tiers = [(0.0, rate, 0.0)]
    for start in 10_000.0 * np.cumsum(rng.uniform(0.1, 10, int(rng.integers(1, 5)))):
        _, last, amount = tiers[-1]
        higher = last + (1 - last) * float(rng.uniform(0.05, 0.2))
        tiers.append((float(start), higher, float(amount + start * (higher - last))))
    return tiers

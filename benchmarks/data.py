"""Seeded bars on a grid of prices: integer random walks, so that every machine makes the same bytes."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd

__all__ = ["FIELDS", "daily", "digest", "minutes", "walk", "write"]

FIELDS = ("open", "high", "low", "close", "volume")
#: Neither long at the first bar with both means (backtesting.py decides from the next one on) nor at the end of any set used.
SEED = 31
#: Half-widths of a bar's move in steps of the price grid, quiet and wild, and how often the one turns into the other.
QUIET, WILD, TURN = 1_500, 5_000, 1 / 5_000
START = 10_000_000
GRID = 10_000
MANY = 1 << 31


def walk(length: int, seed: int, turn: float = TURN) -> pd.DataFrame:
    """Return OHLCV columns of a random walk with two regimes; a shorter walk is the beginning of a longer one."""
    drawn = np.random.default_rng(seed).integers(0, MANY, (length, 6))
    wild = np.cumsum(drawn[:, 0] < turn * MANY) % 2 == 1
    width = np.where(wild, WILD, QUIET)
    move, gap, above, below = (drawn[:, k] % (2 * width + 1) - width for k in range(1, 5))
    close = START + np.cumsum(move + gap // 20)
    first = close - move
    high = np.maximum(first, close) + np.abs(above) // 2
    low = np.minimum(first, close) - np.abs(below) // 2
    volume = (1 + drawn[:, 5] % 1_000) * (1 + wild)
    prices = {"open": first, "high": high, "low": low, "close": close}
    return pd.DataFrame({name: steps / GRID for name, steps in prices.items()} | {"volume": volume.astype(float)})


def minutes(length: int = 1_000_000, seed: int = SEED) -> pd.DataFrame:
    """Return one-minute bars of one symbol."""
    return walk(length, seed).set_index(pd.date_range("2020-01-01", periods=length, freq="min", tz="UTC"))


def daily(symbols: int = 500, length: int = 2_520, seed: int = SEED) -> dict[str, pd.DataFrame]:
    """Return daily bars of many symbols that trade on the same days."""
    days = pd.bdate_range("2015-01-01", periods=length, tz="UTC")
    return {f"S{j:03d}": walk(length, seed + 1 + j, turn=1 / 120).set_index(days) for j in range(symbols)}


def digest(frame: pd.DataFrame) -> str:
    """Return a hash of the prices: the same 16 digits wherever the bars are made."""
    held = hashlib.sha256()
    for name in FIELDS:
        held.update(np.ascontiguousarray(frame[name].to_numpy(dtype="<f8")).tobytes())
    return held.hexdigest()[:16]


def write(frame: pd.DataFrame, path: Path) -> Path:
    """Write bars as Parquet, and return the path."""
    frame.to_parquet(path)
    return path

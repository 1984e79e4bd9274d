"""Zero differences on real bars: eight files of the shared folder, six strategies each."""

from __future__ import annotations

import warnings
from functools import lru_cache
from itertools import product
from pathlib import Path

import pytest

from workbench import Bars, Strategy, check_parity, read_bars
from workbench.exits import AtrStop, Exit
from workbench.quality import SuspectDataWarning
from workbench.risk import MaxLeverage, RiskManager
from workbench.signals import MovingAverageCross
from workbench.sizing import FixedFraction, PositionSizer, RiskPercent

#: The files, with the cash to trade them with (the coin of the second is priced in BTC) and the least number of orders.
FILES = {
    "crypto_btcusd_1d": (100_000, 30),
    "crypto_unittest_btc_1m": (1_000, 400),
    "eq_AAPL_1d_raw": (100_000, 250),
    "eq_BAC_1d_raw": (100_000, 250),
    "eq_IBM_1d_raw": (100_000, 250),
    "eq_SPY_1d_raw": (100_000, 250),
    "fut_6EH4_1m": (1_000_000, 1_500),
    "fx_eurusd_1h": (100_000, 1_500),
}
SPLITS = ("eq_AAPL_1d_raw", "eq_BAC_1d_raw", "eq_IBM_1d_raw")
SIZERS: dict[str, tuple[PositionSizer, list[Exit]]] = {
    "FixedFraction": (FixedFraction(0.5), []),
    "RiskPercent + AtrStop": (RiskPercent(0.005), [AtrStop(14, 2.0)]),
}
LIMITS: dict[str, list[RiskManager]] = {"no limit": [], "MaxLeverage": [MaxLeverage(1.0)]}


@lru_cache(maxsize=1)
def bars_of(path: Path) -> Bars:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SuspectDataWarning)
        return read_bars(path, stamp="close" if path.stem.startswith("fut") else "open")


@pytest.mark.parametrize(("name", "sizer", "limit"), list(product(FILES, SIZERS, LIMITS)))
def test_research_and_replay_agree_on_real_bars(shared: Path, name: str, sizer: str, limit: str) -> None:
    size, exits = SIZERS[sizer]
    strategy = Strategy(MovingAverageCross(10, 50), size, exits, LIMITS[limit])
    cash, least = FILES[name]
    report = check_parity(strategy, bars_of(shared / "fixtures" / "market" / f"{name}.parquet"), cash=cash, cuts=3)
    print(f"\n{name}, {sizer}, {limit}: {report!r}")
    assert report.differences.empty
    assert report.orders >= least


@pytest.mark.parametrize("name", SPLITS)
def test_unadjusted_splits_are_warned_about(shared: Path, name: str) -> None:
    with pytest.warns(SuspectDataWarning, match="possibly a split"):
        read_bars(shared / "fixtures" / "market" / f"{name}.parquet")

"""`workbench demo --bars FILE` in a process of its own, over real files of five markets."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

TIMEOUT = 240  # seconds that one demo may take; it takes about 10
#: File: the symbol, class and quote that are read from its name; cash; costs.
FILES = {
    "crypto_btcusd_1d": ("'BTCUSD', asset_class='crypto'", "USD, 100,000.00", "BTCUSD: commission 10 bp, slippage 5 bp"),
    "crypto_unittest_btc_1m": ("'UNITTESTBTC', asset_class='crypto'", "BTC, 10.00", "UNITTESTBTC: commission 10 bp, slippage 5 bp"),
    "eq_AAPL_1d_raw": ("'AAPL'", "USD, 100,000.00", "AAPL: commission 5 bp + at least 1 a fill, slippage 5 bp"),
    "eq_BAC_1d_raw": ("'BAC'", "USD, 100,000.00", "BAC: commission 5 bp + at least 1 a fill, slippage 5 bp"),
    "eq_IBM_1d_raw": ("'IBM'", "USD, 100,000.00", "IBM: commission 5 bp + at least 1 a fill, slippage 5 bp"),
    "eq_SPY_1d_raw": ("'SPY'", "USD, 100,000.00", "SPY: commission 5 bp + at least 1 a fill, slippage 5 bp"),
    "fut_6EH4_1m": ("'6EH4', asset_class='fx', kind='future'", "USD, 100,000.00", "6EH4: commission 2.5 a unit, slippage"),
    "fx_eurusd_1h": ("'EURUSD', asset_class='fx'", "USD, 100,000.00", "EURUSD: commission 1 bp, slippage 1 bp"),
}
#: Files that hold no bars: what they hold instead, and what to do.
REFUSED = {
    "ticks_xrpeth": "they look like single trades (ticks): make bars of them first",
    "fx_eurusd_1h_bidask": "they look like bid and ask quotes: make bars of the mid price first",
}
SPLITS = ("eq_AAPL_1d_raw", "eq_BAC_1d_raw", "eq_IBM_1d_raw")

each = pytest.mark.parametrize("name", FILES)


@dataclass(frozen=True)
class Demo:
    """How a demo ended and what it said."""

    code: int
    out: str
    err: str

    def path(self, words: str) -> Path:
        return Path(next(line.split(words, 1)[1].strip() for line in self.out.splitlines() if line.startswith(words)))


def run(file: Path, folder: Path, *more: str) -> Demo:
    command = [sys.executable, "-m", "workbench.cli", "demo", "--bars", str(file), "--output", str(folder / "out"), *more]
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=False, cwd=folder)
    return Demo(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="module")
def demo_of(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> object:
    """Return a function that runs the demo over a file, once."""

    @cache
    def demo(name: str) -> Demo:
        stamp = ("--stamp", "close") if name == "fut_6EH4_1m" else ()
        return run(shared / "fixtures" / "market" / f"{name}.parquet", tmp_path_factory.mktemp(name), *stamp)

    return demo


@each
def test_it_ends_without_error(demo_of, name: str) -> None:
    demo = demo_of(name)
    assert demo.code == 0, demo.err
    assert "Traceback" not in demo.out + demo.err
    assert "Error" not in demo.err


@each
def test_research_and_replay_agree_in_at_least_fifty_orders(demo_of, name: str) -> None:
    found = re.search(r"parity: (\d+) differences in (\d+) orders", demo_of(name).out)
    assert found is not None
    assert int(found[1]) == 0
    assert int(found[2]) >= 50


@each
def test_report_and_executed_notebook_exist(demo_of, name: str) -> None:
    report = demo_of(name).path("backtest report (open in a browser):")
    notebook = demo_of(name).path("executed live notebook:")
    assert "<h1>Backtest:" in report.read_text(encoding="utf-8")
    assert re.search(r"parity: 0 differences in \d+ orders", notebook.read_text(encoding="utf-8"))


@each
def test_it_says_which_instrument_cash_and_costs(demo_of, name: str) -> None:
    instrument, cash, costs = FILES[name]
    out = demo_of(name).out
    assert re.search(rf"- instrument Instrument\({re.escape(instrument)}.*\), guessed from the name '{name}'", out)
    assert f"- account in {cash} at the start" in out
    assert f"- {costs}" in out


@each
def test_it_says_what_the_labels_were_taken_for(demo_of, name: str) -> None:
    close = "labels were CLOSE times, moved to the OPEN (stamp='close')"
    assert (close if name == "fut_6EH4_1m" else "labels taken as OPEN times (stamp='open')") in demo_of(name).out


@pytest.mark.parametrize("name", SPLITS)
def test_a_possible_split_is_warned_about(demo_of, name: str) -> None:
    assert "possibly a split in unadjusted prices" in demo_of(name).err


@pytest.mark.parametrize("name", REFUSED)
def test_what_holds_no_bars_is_refused_in_one_sentence(shared: Path, tmp_path: Path, name: str) -> None:
    demo = run(shared / "fixtures" / "market" / f"{name}.parquet", tmp_path)
    assert (demo.code, demo.out) == (2, "")
    assert demo.err.startswith(f"workbench: {name}.parquet: these are no bars: expected columns open, high, low, close[, volume], found ")
    assert demo.err.endswith(f"{REFUSED[name]}\n")
    assert demo.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_cash_and_costs_of_the_user_are_taken(shared: Path, tmp_path: Path) -> None:
    given = ("--cash", "50000", "--commission", "0.002", "--slippage", "0.001")
    demo = run(shared / "fixtures" / "market" / "crypto_btcusd_1d.parquet", tmp_path, *given)
    assert demo.code == 0, demo.err
    assert "- account in USD, 50,000.00 at the start" in demo.out
    assert "- BTCUSD: commission 20 bp, slippage 10 bp" in demo.out
    assert re.search(r"parity: 0 differences in \d+ orders", demo.out)

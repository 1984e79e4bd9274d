"""The demo, walked once on a small simulated market: what it prints, what it leaves, and what it refuses."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

import workbench as wb
from workbench import cli, demo
from workbench.errors import DataError
from workbench.research.audits import ParityReport

EUROS = [wb.Instrument("EURUSD", asset_class="fx")]


@dataclass(frozen=True)
class Walk:
    """What the demo printed, and the folder that it filled."""

    out: str
    folder: Path
    bars: wb.Bars

    def after(self, words: str) -> str:
        """Return what stands behind some words on their line."""
        return next(line.split(words, 1)[1].strip() for line in self.out.splitlines() if words in line)


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Walk:
    bars = wb.simulate(EUROS, bars=3_000, interval="1h", seed=5)
    folder, printed = tmp_path_factory.mktemp("demo") / "runs", io.StringIO()
    with contextlib.redirect_stdout(printed):
        demo.run_demo(bars, 25_000.0, "USD", wb.execution.Costs(commission=0.0001, slippage=0.0002), None, folder)
    return Walk(printed.getvalue(), folder, bars)


def test_it_walks_the_road_in_order(walk: Walk) -> None:
    titles = re.findall(r"^(\d)\. ", walk.out, re.MULTILINE)
    assert titles == [str(number) for number in range(1, len(titles) + 1)]
    assert len(titles) == 7


def test_it_ends_with_a_supervised_paper_run_that_differs_in_nothing(walk: Walk) -> None:
    assert "the recording is over" in walk.out
    assert re.search(r"parity: 0 differences in \d+ orders over \d+ steps \(0 steps missed, 0 commands\)", walk.out)
    assert len(list((walk.folder / "paper" / "demo").glob("*.ipynb"))) == 1


def test_it_prints_the_table_of_the_backtest(walk: Walk) -> None:
    strategy = wb.Strategy.load(walk.folder / "strategy")
    result = wb.backtest(strategy, walk.bars, cash=25_000.0, costs=wb.execution.Costs(commission=0.0001, slippage=0.0002))
    assert all(f"   {line}".rstrip() in walk.out for line in repr(result).splitlines())


def test_it_compares_enough_orders_and_finds_no_difference(walk: Walk) -> None:
    found = re.search(r"parity: 0 differences in (\d+) orders", walk.out)
    assert found is not None
    assert int(found[1]) >= demo.ENOUGH


def test_it_says_instrument_cash_and_costs(walk: Walk) -> None:
    assert "Instrument('EURUSD', asset_class='fx'" in walk.out
    assert "account in USD, 25,000.00 at the start" in walk.out
    assert "EURUSD: commission 1 bp, slippage 2 bp" in walk.out


def test_it_says_that_the_market_is_simulated(walk: Walk) -> None:
    assert "SIMULATED MARKET" in walk.out
    assert "Simulated market" in Path(walk.after("backtest report (open in a browser):")).read_text()


@pytest.mark.parametrize("words", ["backtest report (open in a browser):", "executed live notebook:"])
def test_the_paths_that_it_prints_exist(walk: Walk, words: str) -> None:
    path = Path(walk.after(words))
    assert path.is_file()
    assert path.parent == walk.folder


def test_the_executed_notebook_shows_the_same_parity(walk: Walk) -> None:
    line = walk.after("parity: ")
    assert f"parity: {line}" in (walk.folder / "live.ipynb").read_text()


def test_it_leaves_strategy_and_bars_as_a_run_finds_them(walk: Walk) -> None:
    stored = wb.ParquetStore(walk.folder / "bars").load("EURUSD", "1h")
    assert stored.fingerprint == walk.bars.fingerprint
    assert repr(wb.Strategy.load(walk.folder / "strategy")) in walk.out.replace("\n   ", "\n")


def test_what_to_do_next_can_be_done(walk: Walk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    line = next(line for line in walk.out.splitlines() if "workbench backtest" in line)
    words = shlex.split(line.split("  the saved strategy")[0])
    assert shutil.which(words[0]) or Path(words[0]).is_file()
    monkeypatch.setattr(sys, "argv", ["workbench", *words[1 : words.index("--bars")]])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert not ended.value.code
    assert capsys.readouterr().out.startswith("Backtest of SPX")


def test_a_difference_makes_the_demo_fail(walk: Walk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import pandas as pd

    differing = ParityReport(pd.DataFrame({"what": ["order"], "time": ["now"]}), 70, 10, ("kernel", "session"))
    monkeypatch.setattr(demo, "compare_with_replay", lambda setup, record: differing)
    monkeypatch.setattr(demo, "_run_notebook", lambda *rest: tmp_path / "live.ipynb")
    with pytest.raises(DataError, match="research and replay differ: parity: 1 differences in 70 orders"):
        demo.run_demo(walk.bars, 25_000.0, "USD", None, None, tmp_path)


# -- the rule that it takes ---------------------------------------------------------------------------------------


def test_it_takes_the_slowest_rule_that_trades_enough() -> None:
    bars = wb.simulate(EUROS, bars=3_000, interval="1h", seed=5)
    strategy, result = demo._strategy_for(bars, 25_000.0, "USD", None, None)
    assert (strategy.signal.fast, strategy.signal.slow) == demo.WINDOWS[0]
    assert len(result.orders) >= demo.ENOUGH


def test_it_takes_a_faster_rule_where_bars_are_few() -> None:
    strategy, result = demo._strategy_for(wb.simulate(EUROS, bars=300, interval="1h", seed=5), 25_000.0, "USD", None, None)
    assert (strategy.signal.fast, strategy.signal.slow) in demo.WINDOWS[1:]
    assert len(result.orders) > 0


@pytest.mark.parametrize(
    ("bars", "cash", "why"),
    [
        (wb.simulate(EUROS, bars=4, interval="1h", seed=5), 25_000.0, "the signal never took a side"),
        (wb.simulate(EUROS, bars=400, interval="1h", seed=5), 1e-9, ""),
    ],
    ids=["too few bars", "too little cash"],
)
def test_no_order_at_all_gets_a_sentence(bars: wb.Bars, cash: float, why: str) -> None:
    with pytest.raises(DataError, match=rf"^no order could be placed with .* USD: .*{why}.*; try more --cash or more bars$"):
        demo._strategy_for(bars, cash, "USD", None, None)

"""The whole road once, on example bars or a user's own: what ``workbench demo`` shows."""

from __future__ import annotations

import hashlib
import shutil
import sys
import time
from pathlib import Path
from typing import Any

from workbench.bars import Bars
from workbench.data import ParquetStore
from workbench.errors import DataError
from workbench.exits import AtrStop
from workbench.live.account import PaperAccountFolder
from workbench.live.notebook import execute
from workbench.live.release import promote
from workbench.live.start import Started, start
from workbench.research.audits import ParityReport, compare_with_replay
from workbench.research.result import Backtest
from workbench.research.running import backtest
from workbench.risk import MaxLeverage
from workbench.signals import MovingAverageCross
from workbench.sizing import RiskPercent
from workbench.strategy import Strategy

__all__ = ["run_demo"]

#: The parity table should speak of at least so many orders.
ENOUGH = 50
#: Bars of the supervised run, and the seconds that it may take.
RUN_BARS, RUN_PATIENCE = 400, 120.0
WINDOWS = ((10, 50), (5, 20), (3, 10), (2, 5))


def run_demo(bars: Bars, cash: float, currency: str, costs: Any, rates: dict[str, float] | None, output: Path) -> None:
    """Backtest, compare with a replayed session, write the report, run the live notebook, and say what to do next."""
    started = time.monotonic()
    _say("1. Bars")
    print(f"   {bars!r}")
    strategy, result = _strategy_for(bars, cash, currency, costs, rates)
    print("   " + "\n   ".join(repr(i) for i in bars.instruments[:5]))
    _say("2. Strategy")
    print(_indented(repr(strategy)))
    _say("3. Backtest")
    print(_indented(repr(result)))
    _say("4. The same strategy as a replayed session, compared order by order")
    parity = compare_with_replay(result.setup, result.record)
    print(f"   {_parity_line(parity)}")
    _say("5. Report")
    report = result.report(output / "report.html")
    print(f"   {report}")
    _say("6. The live notebook, executed by papermill over the recorded bars")
    notebook = _run_notebook(strategy, bars, result, cash, costs, rates, output)
    print(f"   {notebook}")
    _say("7. A supervised paper run on the last of these bars: venue, supervisor and notebook in processes of their own")
    paper = _run_supervised(strategy, result, cash, currency, costs, rates, output)
    print(f"\nDone in {time.monotonic() - started:.0f} s.\n")
    print(f"backtest report (open in a browser):   {report}")
    print(f"executed live notebook:                {notebook}")
    print(f"executed notebook of the paper run:    {paper.notebook}")
    print(_next_steps(output, notebook))
    if len(parity.differences):
        raise DataError(f"research and replay differ: {_parity_line(parity)}")


def _say(title: str) -> None:
    print(f"\n{title}")
    sys.stdout.flush()


def _indented(text: str) -> str:
    return "\n".join(f"   {line}" if line else "" for line in text.splitlines())


def _strategy_for(bars: Bars, cash: float, currency: str, costs: Any, rates: dict[str, float] | None) -> tuple[Any, Backtest]:
    """Return the slowest of a few trend rules that trades often enough to be worth comparing."""
    tried = []
    for fast, slow in WINDOWS:
        strategy = Strategy(
            signal=MovingAverageCross(fast, slow),
            sizer=RiskPercent(0.005),
            exits=[AtrStop(14, 2.0)],
            risk=[MaxLeverage(2.0)],
        )
        result = backtest(strategy, bars, cash=cash, currency=currency, costs=costs, rates=rates)
        tried.append((strategy, result))
        if len(result.record.orders) >= ENOUGH:
            return tried[-1]
    best = max(tried, key=lambda pair: len(pair[1].record.orders))
    if not len(best[1].record.orders):
        raise DataError(f"no order could be placed with {cash:,.0f} {best[1].currency}: {_why_not(best[1])}; try more --cash or more bars")
    return best


def _why_not(result: Backtest) -> str:
    reasons = result.decisions["reason"]
    return str(reasons.mode()[0]) if len(reasons) else "the signal never took a side"


def _parity_line(parity: ParityReport) -> str:
    return repr(parity).splitlines()[0]


def _run_notebook(strategy: Any, bars: Bars, result: Backtest, cash: float, costs: Any, rates: Any, output: Path) -> Path:
    """Save strategy and bars as a run finds them, and have papermill execute the live notebook."""
    ParquetStore(output / "bars").save(bars, replace=True)
    strategy.save(output / "strategy")
    parameters = {
        "strategy": str((output / "strategy").resolve()),
        "store": str((output / "bars").resolve()),
        "symbols": bars.symbols,
        "interval": bars.interval,
        "cash": float(cash),
        "currency": result.currency,
        "costs": None if costs is None else costs.to_dict(),
        "rates": rates,
    }
    return execute(parameters, output / "live.ipynb")


def _run_supervised(strategy: Any, result: Backtest, cash: float, currency: str, costs: Any, rates: Any, output: Path) -> Started:
    """Promote the strategy, run it at the paper venue under a supervisor until the recording is over, and compare."""
    folder = output / "paper"
    PaperAccountFolder(folder / "accounts" / _account(output)).end()
    shutil.rmtree(folder, ignore_errors=True)
    bars = result.bars.iloc[-RUN_BARS:]
    release = promote(strategy, bars, "demo", cash=cash, currency=currency, costs=costs, rates=rates, folder=folder / "releases")
    run = start(release, bars=bars, history=min(2 * strategy.lookback, len(bars) // 2), account=_account(output), root=folder)
    run.wait(RUN_PATIENCE)
    print(f"   {run.status['steps']:,} steps, equity {run.status['equity']:,.2f} {currency}, {run.status['over']}")
    report = run.parity()
    print(f"   {repr(report).splitlines()[0]}")
    if not report.explained:
        raise DataError(f"the paper run differs from an undisturbed one: {report!r}")
    return run


def _account(output: Path) -> str:
    """Return a name of its own for the demo's account, so that demos in other folders do not wait for it."""
    return f"demo-{hashlib.sha256(str(output.resolve()).encode()).hexdigest()[:8]}"


def _command() -> str:
    """Return how the command line is called here: the installed script, by its path where it is in this folder."""
    script = Path(sys.executable).with_name("workbench")
    if not script.is_file():
        return "workbench"
    return str(script.relative_to(Path.cwd()) if script.is_relative_to(Path.cwd()) else script)


def _next_steps(output: Path, notebook: Path) -> str:
    command = _command()
    lines = (
        ("make lab", "JupyterLab with the notebooks: 01_data, 02_research, 03_train, 04_validate, 05_promote, and the panel"),
        (f"{command} demo --bars FILE --cash 50000", "the same on your own bars (--stamp close if your file stamps closes)"),
        (f"{command} backtest {output / 'strategy'} --bars FILE", "the saved strategy on other bars"),
        (str(notebook), "the readable record of the run: open it in JupyterLab"),
    )
    width = max(len(what) for what, _ in lines)
    return "\nWhat to do next:\n" + "\n".join(f"  {what:<{width}}  {why}" for what, why in lines)

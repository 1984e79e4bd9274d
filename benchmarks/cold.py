"""Cold start: fresh processes, from nothing to the printed figures of a backtest over 1,000 bars."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks import answers, data, rules
from benchmarks.loops import FAST, SLOW
from benchmarks.timing import Line, agree

__all__ = ["measure"]

BARS, ROUNDS = 1_000, 5
MOST_SECONDS, MOST_MEGABYTES, MOST_IMPORT = 0.8, 150.0, 0.2

#: What every program ends with: the most memory it ever held.
PEAK = """
import re
with open("/proc/self/status") as status:
    print("peak", int(re.search(r"VmHWM:\\s+(\\d+)", status.read()).group(1)) / 1024)
"""
IMPORT = "import workbench\n"
WORKBENCH = f"""
import sys
import workbench as wb

coin = wb.Instrument("X", asset_class="crypto", quote="USD", quantity_step=1e-8, can_short=False)
bars = wb.read_bars(sys.argv[1], coin)
strategy = wb.Strategy(wb.signals.MovingAverageCross({FAST}, {SLOW}), sizer=wb.sizing.FixedQuantity(1))
result = wb.backtest(strategy, bars, cash={rules.CASH}, costs=wb.execution.Costs(commission={rules.CROSS_FEE}, slippage=0.0))
print(result.stats)
print("equity", float(result.equity.iloc[-1]))
"""
BACKTESTING = f"""
import sys, warnings
warnings.simplefilter("ignore")
import pandas as pd
from backtesting import Backtest, Strategy

class Cross(Strategy):
    def init(self):
        self.fast = self.I(lambda x: pd.Series(x).rolling({FAST}).mean(), self.data.Close)
        self.slow = self.I(lambda x: pd.Series(x).rolling({SLOW}).mean(), self.data.Close)

    def next(self):
        above = self.fast[-1] > self.slow[-1]
        if above and not self.position:
            self.buy(size=1)
        elif not above and self.position:
            self.position.close()

bars = pd.read_parquet(sys.argv[1]).tz_localize(None).rename(columns=str.capitalize)
result = Backtest(bars, Cross, cash={rules.CASH}, commission={rules.CROSS_FEE}).run()
print(result)
print("equity", result["Equity Final [$]"])
"""
VECTORBT = f"""
import sys, warnings
warnings.simplefilter("ignore")
import numpy as np
import pandas as pd
import vectorbt as vbt

bars = pd.read_parquet(sys.argv[1]).tz_localize(None)
fast, slow = (bars["close"].vbt.rolling_mean(n, engine="rust").to_numpy() for n in ({FAST}, {SLOW}))
long = np.concatenate(([False], (fast > slow)[:-1]))
portfolio = vbt.Portfolio.from_signals(
    bars["close"], long, ~long, price=bars["open"], size=1, fees={rules.CROSS_FEE}, init_cash={rules.CASH}, engine="rust", freq="1min"
)
print(portfolio.stats())
print("equity", portfolio.final_value())
"""


@dataclass(frozen=True, slots=True)
class Run:
    """One process: its wall time, its peak memory in MB, and the equity that it printed."""

    seconds: float
    megabytes: float
    equity: float


def run(program: str, path: Path) -> Run:
    """Run a program in a fresh process."""
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", program + PEAK, str(path)], capture_output=True, text=True, check=True)
    seconds = time.perf_counter() - start
    said = dict(line.split(" ") for line in done.stdout.splitlines() if line.startswith(("peak ", "equity ")))
    return Run(seconds, float(said["peak"]), float(said.get("equity", "nan")))


def measure(rounds: int = ROUNDS) -> list[Line]:
    """Return wall time and peak memory of workbench and its peers; equal results are checked first."""
    programs = {"workbench": WORKBENCH, "backtesting.py": BACKTESTING, "vectorbt (rust)": VECTORBT, "import workbench": IMPORT}
    frame = data.minutes(BARS)
    wanted = answers.cross_answer(frame, machine=False).equity
    with tempfile.TemporaryDirectory() as folder:
        path = data.write(frame, Path(folder) / "bars.parquet")
        for who in ("workbench", "backtesting.py", "vectorbt (rust)"):
            agree(f"cold start, {who}, equity", (run(programs[who], path).equity,), (wanted,))
        runs: dict[str, list[Run]] = {who: [] for who in programs}
        for _ in range(rounds):
            for who, program in programs.items():
                runs[who].append(run(program, path))
    return [line for who, taken in runs.items() for line in lines_of(who, taken)]


def lines_of(who: str, runs: list[Run]) -> list[Line]:
    """Return the lines of one program."""
    ours = who == "workbench"
    seconds, memory = [r.seconds for r in runs], [r.megabytes for r in runs]
    middle, most = statistics.median(seconds), statistics.median(memory)
    if who == "import workbench":
        limit = f"< {MOST_IMPORT} s"
        return [Line("cold", "import workbench", "workbench", middle, min(seconds), "s", limit, middle < MOST_IMPORT)]
    what = f"process start to printed figures, {BARS:,} bars"
    limits = (f"< {MOST_SECONDS} s", f"< {MOST_MEGABYTES:.0f} MB") if ours else ("", "")
    met = (middle < MOST_SECONDS, most < MOST_MEGABYTES) if ours else (None, None)
    return [
        Line("cold", what, who, middle, min(seconds), "s", limits[0], met[0]),
        Line("cold", "peak memory of the same", who, most, min(memory), "MB", limits[1], met[1]),
    ]

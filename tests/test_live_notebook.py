"""The live notebook, executed by papermill in real kernels over a small store of simulated bars."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
import pytest

import workbench as wb
from workbench.errors import RunError
from workbench.live.notebook import execute, notebook_path
from workbench.live.run import prepare
from workbench.research.audits import compare_with_research

if TYPE_CHECKING:
    from notebook_kernel import Kernel

pytest_plugins = ("notebook_kernel",)

INTERVAL = "1h"
SYMBOLS = ["EURUSD", "GBPUSD"]


@dataclass
class Place:
    """A strategy and a store as a run finds them."""

    folder: Path
    bars: wb.Bars
    strategy: wb.Strategy

    def parameters(self, **changed: Any) -> dict[str, Any]:
        given = {"strategy": str(self.folder / "strategy"), "store": str(self.folder / "bars"), "symbols": SYMBOLS, "interval": INTERVAL}
        return given | {"cash": 50_000.0, "costs": {"commission": 0.0002, "slippage": 0.0001}} | changed


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    folder = tmp_path_factory.mktemp("run")
    bars = wb.simulate([wb.Instrument(name, asset_class="fx") for name in SYMBOLS], bars=2_500, interval=INTERVAL, seed=11, missing=0.01)
    cross = wb.signals.MovingAverageCross(5, 20)
    strategy = wb.Strategy(cross, wb.sizing.RiskPercent(0.01), [wb.exits.AtrStop(10, 2.0)], [wb.risk.MaxLeverage(1.0)])
    wb.ParquetStore(folder / "bars").save(bars)
    strategy.save(folder / "strategy")
    return Place(folder, bars, strategy)


@dataclass
class Executed:
    """The executed notebook, and what its kernel said meanwhile."""

    path: Path
    updates: list[str] = field(default_factory=list)

    @property
    def cells(self) -> list[Any]:
        return list(nbformat.read(self.path, as_version=4).cells)

    @property
    def outputs(self) -> list[Any]:
        return [output for cell in self.cells if cell.cell_type == "code" for output in cell.outputs]

    @property
    def text(self) -> str:
        """All plain text of the outputs."""
        shown = [str(output.get("data", {}).get("text/plain", output.get("text", ""))) for output in self.outputs]
        return "\n".join(shown)

    def html(self, word: str) -> str:
        """The HTML of the output whose HTML or text has a word."""
        pages = [str(output.get("data", {}).get("text/html", "")) for output in self.outputs]
        return next(page for page in pages if word in page)


@pytest.fixture(scope="module")
def executed(place: Place) -> Executed:
    """Execute the live notebook once, and listen to the kernel's updates of displays."""
    from papermill.clientwrap import PapermillNotebookClient

    done = Executed(place.folder / "out" / "live.ipynb")
    process = PapermillNotebookClient.process_message

    def listen(self: Any, message: dict[str, Any], *rest: Any) -> Any:
        if message["msg_type"] == "update_display_data":
            done.updates.append(message["content"]["data"]["text/html"])
        return process(self, message, *rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PapermillNotebookClient, "process_message", listen)
        assert execute(place.parameters(), done.path) == done.path
    return done


def test_no_cell_failed_and_every_cell_ran(executed: Executed) -> None:
    code = [cell for cell in executed.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert [output for output in executed.outputs if output.output_type == "error" or output.get("name") == "stderr"] == []


def test_it_ends_with_parity_to_the_last_order(executed: Executed) -> None:
    found = re.search(r"parity: (\d+) differences in (\d+) orders", executed.text)
    assert found is not None
    assert found[1] == "0"
    assert int(found[2]) >= 50


def test_it_traded_what_the_backtest_trades(executed: Executed, place: Place) -> None:
    parameters = place.parameters()
    result = wb.backtest(place.strategy, place.bars, cash=parameters["cash"], costs=wb.execution.Costs(**parameters["costs"]))
    assert f"differences in {len(result.orders)} orders" in executed.text
    assert f"{result.equity.iloc[-1]:,.2f}" in executed.html("end equity")


def test_the_orders_are_there_with_their_reasons(executed: Executed) -> None:
    orders = executed.html(">leg</th>")
    assert all(f">{name}</th>" in orders for name in ("time", "symbol", "side", "quantity", "status", "reason"))
    reasons = re.findall(r"<td[^>]*>([^<]*(?:MaxLeverage|opens|turned|protects)[^<]*)</td>", orders)
    assert len(reasons) >= 20
    assert [reason for reason in reasons if reason.endswith("...")] == []


def test_its_first_output_says_what_ran_and_when(executed: Executed, place: Place) -> None:
    first = executed.outputs[0].data["text/html"]
    assert "MovingAverageCross, RiskPercent, AtrStop, MaxLeverage, from " in first
    assert all(word in first for word in (", ".join(SYMBOLS), f"{INTERVAL}: {len(place.bars):,} bars", "replay", "50,000.00 USD"))
    assert re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC \(local time \d{4}-\d\d-\d\d \d\d:\d\d:\d\d \S+\)", first)


def test_what_it_still_holds_is_a_table(executed: Executed, place: Place) -> None:
    held = executed.html(">average price</th>")
    assert all(f">{name}</th>" in held for name in ("symbol", "quantity", "average price", "open profit"))
    positions = prepare(**place.parameters()).go(lambda text: None).session.execution.positions()
    assert all(f">{symbol}</td>" in held for symbol in positions)


def test_it_says_of_its_kernel_what_the_notebook_in_the_repository_says(executed: Executed) -> None:
    ran, stored = (nbformat.read(path, as_version=4).metadata for path in (executed.path, notebook_path("live.ipynb")))
    assert ran.kernelspec == stored.kernelspec
    assert ran.language_info | {"version": ""} == stored.language_info | {"version": ""}


def test_the_equity_is_drawn(executed: Executed) -> None:
    figure = next(
        output["data"]["application/vnd.plotly.v1+json"] for output in executed.outputs if "plotly" in str(output.get("data", {}))[:200]
    )
    assert {"close", "equity", "drawdown"} <= {trace["name"] for trace in figure["data"]}


def test_simulated_bars_are_labelled(executed: Executed) -> None:
    assert "simulated market" in executed.html("end equity").lower()


def test_the_status_moved_while_it_ran(executed: Executed, place: Place) -> None:
    steps = [re.findall(r"<b>([\d,]+) of ([\d,]+)</b>", update)[0] for update in executed.updates]
    total = f"{len(place.bars):,}"
    assert (steps[0], steps[-1]) == (("0", total), (total, total))
    assert len(set(executed.updates)) >= 2


def test_the_last_status_stays(executed: Executed) -> None:
    shown = executed.html("REPLAY")
    assert shown == executed.updates[-1]
    assert "PAPER" in shown
    assert "width:100.0%" in shown


def test_the_last_status_counts_all_orders(executed: Executed) -> None:
    found = re.search(r"differences in (\d+) orders", executed.text)
    assert found is not None
    assert f"orders</small> <b>{int(found[1]):,}</b>" in executed.updates[-1]


def test_it_holds_no_widgets(executed: Executed) -> None:
    kinds = {kind for output in executed.outputs for kind in output.get("data", {})}
    assert kinds <= {"text/plain", "text/html", "application/vnd.plotly.v1+json"}
    assert "widgets" not in nbformat.read(executed.path, as_version=4).metadata


def test_the_parameters_are_in_the_record(executed: Executed, place: Place) -> None:
    injected = next(cell.source for cell in executed.cells if "injected-parameters" in cell.metadata.get("tags", []))
    assert f"symbols = {json.dumps(SYMBOLS)}" in injected
    assert "cash = 50000.0" in injected
    assert str(place.folder / "strategy") in injected


# -- the run by itself ------------------------------------------------------------------------------------------


def test_a_run_shows_where_it_stands_as_often_as_asked(place: Place) -> None:
    shown: list[str] = []
    run = prepare(**place.parameters()).go(shown.append, every=0.0)
    steps = [int(re.findall(r"<b>([\d,]+) of", text)[0].replace(",", "")) for text in shown]
    assert steps == [0, 500, 1000, 1500, 2000, 2500, 2500]
    assert len(run.equity) == len(place.bars)


def test_a_run_and_research_agree(place: Place) -> None:
    run = prepare(**place.parameters()).go(lambda text: None)
    parity = compare_with_research(run.session.setup, run.recorder.record())
    assert (len(parity.differences), run.problems) == (0, [])


def test_a_status_before_the_first_step(place: Place) -> None:
    status = prepare(**place.parameters()).status()
    assert "<b>0 of 2,500</b>" in status
    assert "<b>50,000.00 USD</b>" in status
    assert "<b>flat</b>" in status


def test_a_run_says_what_it_is(place: Place) -> None:
    run = prepare(**place.parameters())
    assert list(run.about()) == ["strategy", "symbols", "interval", "mode", "executed"]
    assert repr(run).splitlines()[1] == "symbols   EURUSD, GBPUSD"


def test_a_status_is_safe_html(tmp_path: Path) -> None:
    odd = wb.Instrument("A<b>&", asset_class="crypto", base="A", quote="USD")
    wb.ParquetStore(tmp_path / "bars").save(wb.simulate([odd], bars=300, interval="1h", seed=1))
    wb.Strategy(wb.signals.MovingAverageCross(2, 5), wb.sizing.FixedQuantity(1)).save(tmp_path / "s")
    run = prepare(strategy=str(tmp_path / "s"), store=str(tmp_path / "bars"), symbols=[odd.symbol], interval="1h").go(lambda text: None)
    assert run.session.execution.positions()
    assert "A&lt;b&gt;&amp;" in run.status()
    assert "A&lt;b&gt;&amp;" in run._repr_html_()


# -- what goes wrong --------------------------------------------------------------------------------------------


def test_a_failing_cell_is_named_with_the_notebook_that_shows_it(place: Place, tmp_path: Path) -> None:
    output = tmp_path / "failed.ipynb"
    with pytest.raises(RunError) as caught:
        execute(place.parameters(symbols=["EURUSDD"]), output)
    assert re.search(r"cell \[?\d+\]? of the run failed: DataError: no bars of 'EURUSDD'", str(caught.value))
    assert "did you mean 'EURUSD'?" in str(caught.value)
    assert str(caught.value).endswith(f"see {output}")
    assert "DataError" in Executed(output).text + str(Executed(output).outputs)


TOGETHER = """
import json, sys
from pathlib import Path
from workbench.live.notebook import execute, notebook_path
print(execute(json.loads(sys.argv[1]), Path(sys.argv[2])))
"""


def test_runs_at_once_in_one_folder_do_not_meet(place: Place, tmp_path: Path) -> None:
    given = json.dumps(place.parameters())
    commands = [[sys.executable, "-c", TOGETHER, given, f"{number}.ipynb"] for number in range(3)]
    runs = [subprocess.Popen(one, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for one in commands]
    ended = [(run.communicate(timeout=200), run.returncode) for run in runs]
    assert [code for _, code in ended] == [0, 0, 0], ended
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0.ipynb", "1.ipynb", "2.ipynb"]


# -- a part of one's own ----------------------------------------------------------------------------------------

CELL = """
import workbench as wb

class AboveItsMean(wb.signals.SignalGenerator):
    window: int = 50

    def generate(self, bars):
        return (bars.close > bars.close.rolling(self.window).mean()).astype(float)

wb.Strategy(AboveItsMean(30), wb.sizing.FixedFraction(0.4)).save({folder!r})
"""


def test_a_class_of_a_cell_is_saved_and_runs_in_a_fresh_kernel(kernel: Kernel, place: Place, tmp_path: Path) -> None:
    folder = tmp_path / "own"
    kernel.run(CELL.format(folder=str(folder)))
    assert "class AboveItsMean(wb.signals.SignalGenerator):" in (folder / "parts.py").read_text()
    done = Executed(execute(place.parameters(strategy=str(folder)), tmp_path / "own.ipynb"))
    found = re.search(r"parity: 0 differences in (\d+) orders", done.text)
    assert found is not None
    assert int(found[1]) > 50
    assert "AboveItsMean(window=30)" in done.text


DEADLY = """
import os
import workbench as wb

class Deadly(wb.signals.SignalGenerator):
    def generate(self, bars):
        os._exit(1)

wb.Strategy(Deadly()).save({folder!r})
"""


def test_a_kernel_that_dies_is_a_run_error(kernel: Kernel, place: Place, tmp_path: Path) -> None:
    kernel.run(DEADLY.format(folder=str(tmp_path / "deadly")))
    with pytest.raises(RunError, match=r"^the kernel of the run failed: Kernel died; .*out\.ipynb shows only what was saved before$"):
        execute(place.parameters(strategy=str(tmp_path / "deadly")), tmp_path / "out.ipynb")

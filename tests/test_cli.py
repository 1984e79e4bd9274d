"""The command line: every wrong use gets a sentence and exit code 2, and a saved strategy is backtested into a report."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

import workbench as wb
from workbench import saving
from workbench.cli import main


@dataclass(frozen=True)
class Answer:
    """What a command said and how it ended."""

    code: int
    out: str
    err: str

    @property
    def sentence(self) -> str:
        """The refusal on stderr; lines that say where in a file it happened may follow it."""
        lines = self.err.splitlines()
        assert "Traceback" not in self.err
        return next(line for line in lines if line.startswith(("workbench: ", "Error: ")))


Command = Callable[..., Answer]


@pytest.fixture
def workbench(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Command:
    """Return a function that runs a command in an empty folder, as the script of the installed package does."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> Answer:
        monkeypatch.setattr(sys, "argv", ["workbench", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return Answer(int(ended.value.code or 0), said.out, said.err)

    return run


@pytest.fixture(scope="module")
def strategy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    cross = wb.signals.MovingAverageCross(5, 20)
    made = wb.Strategy(cross, wb.sizing.RiskPercent(0.01), [wb.exits.AtrStop(10, 2.0)], [wb.risk.MaxLeverage(1.0)])
    return made.save(tmp_path_factory.mktemp("saved") / "cross")


@pytest.fixture(scope="module")
def bars_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bars") / "fx_EURUSD_1h.csv"
    wb.simulate(["EURUSD"], bars=400, interval="1h", seed=3)["EURUSD"].to_csv(path)
    return path


def edited(folder: Path, old: str, new: str) -> Path:
    """Change a saved strategy's text, and its manifest with it."""
    text = (folder / saving.TEXT).read_text().replace(old, new)
    assert new in text
    (folder / saving.TEXT).write_text(text)
    (folder / saving.MANIFEST).write_text(json.dumps({saving.TEXT: hashlib.sha256(text.encode()).hexdigest()}))
    return folder


@pytest.fixture
def spoiled(tmp_path: Path) -> Callable[[str, str], Path]:
    """Return a function that saves a strategy and changes its text."""
    made = wb.Strategy(wb.signals.MovingAverageCross(5, 20))
    return lambda old, new: edited(made.save(tmp_path / "spoiled"), old, new)


# -- what works -------------------------------------------------------------------------------------------------


def test_a_saved_strategy_is_backtested_on_a_file(workbench: Command, strategy: Path, bars_file: Path) -> None:
    answer = workbench("backtest", strategy, "--bars", bars_file)
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.startswith("Backtest of EURUSD on 400 bars of 1h\n")
    assert "max drawdown %" in answer.out


def test_it_finds_what_the_library_finds(workbench: Command, strategy: Path, bars_file: Path) -> None:
    answer = workbench("backtest", strategy, "--bars", bars_file, "--cash", 50_000)
    library = wb.backtest(wb.Strategy.load(strategy), wb.read_bars(bars_file), cash=50_000)
    assert answer.out.strip() == repr(library)


def test_it_says_instrument_interval_stamp_cash_and_costs(workbench: Command, strategy: Path, bars_file: Path) -> None:
    out = workbench("backtest", strategy, "--bars", bars_file).out
    assert "- instrument Instrument('EURUSD', asset_class='fx', tick_size=1e-05), guessed from the name 'fx_EURUSD_1h'" in out
    assert "- interval 1h, the commonest step between labels" in out
    assert "- labels taken as OPEN times (stamp='open')" in out
    assert "- account in USD, 100,000.00 at the start" in out
    assert "- EURUSD: commission 1 bp, slippage 1 bp" in out


def test_costs_of_the_command_are_those_of_the_backtest(workbench: Command, strategy: Path, bars_file: Path) -> None:
    dear = workbench("backtest", strategy, "--bars", bars_file, "--commission", 0.002, "--slippage", 0.001).out
    assert "- EURUSD: commission 20 bp, slippage 10 bp" in dear


def test_an_account_in_another_currency_takes_its_rate(workbench: Command, strategy: Path, bars_file: Path) -> None:
    answer = workbench("backtest", strategy, "--bars", bars_file, "--currency", "CHF", "--rate", "USDCHF=0.9")
    assert "- account in CHF, 100,000.00 at the start" in answer.out


def test_it_says_its_version(workbench: Command) -> None:
    assert workbench("--version").out == f"workbench {wb.__version__}\n"


def test_close_stamps_are_moved_to_the_open(workbench: Command, strategy: Path, bars_file: Path) -> None:
    first = pd.read_csv(bars_file, index_col=0, parse_dates=True).index[0]
    out = workbench("backtest", strategy, "--bars", bars_file, "--stamp", "close").out
    assert f"start                  {first - pd.Timedelta('1h'):%Y-%m-%d %H:%M} UTC" in out


@pytest.mark.parametrize(
    ("symbol", "said"),
    [("BTCUSD", "in USD, 100,000.00"), ("ETHBTC", "in BTC, 10.00"), ("LINKETH", "in ETH, 100.00"), ("USDJPY", "in JPY, 10,000,000.00")],
)
def test_cash_not_given_fits_the_currency(workbench: Command, strategy: Path, bars_file: Path, symbol: str, said: str) -> None:
    answer = workbench("backtest", strategy, "--bars", bars_file, "--symbol", symbol)
    assert f"- account {said} at the start" in answer.out


def test_a_report_is_one_page_that_needs_no_network(workbench: Command, strategy: Path, bars_file: Path, tmp_path: Path) -> None:
    answer = workbench("backtest", strategy, "--bars", bars_file, "--report", tmp_path / "new" / "report.html")
    page = (tmp_path / "new" / "report.html").read_text()
    assert answer.out.splitlines()[-1] == f"report: {tmp_path / 'new' / 'report.html'}"
    assert "<h1>Backtest: EURUSD, 1h</h1>" in page
    assert all(f"<h2>{part}" in page for part in ("Figures", "Pictures", "Trades", "Decisions", "Assumptions", "Strategy"))
    assert 'src="http' not in page


def test_without_bars_it_takes_the_sample(workbench: Command, strategy: Path) -> None:
    assert workbench("backtest", strategy).out.startswith("Backtest of SPX on 5031 bars of 1D")


@pytest.mark.parametrize("arguments", [[], ["--help"], ["demo", "--help"], ["backtest", "--help"]], ids=" ".join)
def test_help_shows_what_there_is(workbench: Command, arguments: list[str]) -> None:
    answer = workbench(*arguments)
    assert "Usage: " in answer.out + answer.err
    assert "Traceback" not in answer.err


def test_help_loads_no_library_of_numbers() -> None:
    code = "import sys, workbench.cli; print([m for m in ('pandas', 'numba', 'papermill', 'plotly') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


def test_a_refusal_reaches_the_shell() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "workbench.cli", "backtest", "nowhere"], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "workbench: no strategy in nowhere: expected a folder with strategy.json, as Strategy.save writes it\n"


# -- wrong use --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["demo", "--barz", "x"], "--bars"),
        (["backtest", "x", "--repot", "x"], "--report"),
        (["bactest", "x"], "Did you mean 'backtest'?"),
        (["backtest"], "Missing argument 'strategy'."),
        (["backtest", "x", "--cash", "much"], "Invalid value for '--cash'"),
    ],
    ids=["option", "other option", "command", "argument", "value"],
)
def test_a_misspelt_command_line(workbench: Command, arguments: list[str], said: str) -> None:
    answer = workbench(*arguments)
    assert answer.code == 2
    assert said in answer.sentence


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--cash", "-5"], "workbench: cash must be a positive number, got -5.0"),
        (["--cash", "0"], "workbench: cash must be a positive number, got 0.0"),
        (["--cash", "nan"], "workbench: cash must be a positive number, got nan"),
        (["--stamp", "clos"], "workbench: stamp must be 'open' or 'close', got 'clos'; did you mean 'close'?"),
        (["--commission", "-1"], "workbench: Costs: commission must not be negative, got -1.0"),
        (["--currency", "XYZ"], "workbench: no conversion rate from USD to the account currency XYZ"),
        (["--rate", "EURUSD"], "workbench: --rate is written as PAIR=NUMBER, EURUSD=1.10, got 'EURUSD'"),
        (["--interval", "7x"], "workbench: interval must look like '1min', '5min', '1h' or '1D' (a week is '7D'), got '7x'"),
        (["--interval", "5min"], "workbench: EURUSD: 1 fault in 400 bars: the commonest step between labels is 1h"),
    ],
    ids=" ".join,
)
def test_a_wrong_value(workbench: Command, strategy: Path, bars_file: Path, arguments: list[str], said: str) -> None:
    answer = workbench("backtest", strategy, "--bars", bars_file, *arguments)
    assert (answer.code, answer.out) == (2, "")
    assert answer.sentence.startswith(said)


@pytest.mark.parametrize("command", ["demo", "backtest"])
def test_a_missing_file(workbench: Command, strategy: Path, command: str) -> None:
    answer = workbench(command, *([strategy] if command == "backtest" else []), "--bars", "nowhere.parquet")
    assert (answer.code, answer.err) == (2, "workbench: no file nowhere.parquet\n")


def test_a_misspelt_file(workbench: Command, strategy: Path, bars_file: Path) -> None:
    answer = workbench("backtest", strategy, "--bars", bars_file.with_name("fx_EURUSD_h1.csv"))
    assert answer.code == 2
    assert answer.sentence.endswith("did you mean 'fx_EURUSD_1h.csv'?")


def test_a_folder_where_a_file_belongs(workbench: Command, strategy: Path, bars_file: Path) -> None:
    answer = workbench("backtest", strategy, "--bars", bars_file.parent)
    assert answer.code == 2
    assert "is a folder; read_bars reads one file" in answer.sentence


def test_a_file_that_holds_no_bars(workbench: Command, strategy: Path, tmp_path: Path) -> None:
    pd.DataFrame({"id": [1, 2], "price": [1.0, 2.0], "amount": [1, 1]}).to_csv(tmp_path / "ticks.csv", index=False)
    answer = workbench("backtest", strategy, "--bars", "ticks.csv")
    assert answer.code == 2
    assert "these are no bars: expected columns open, high, low, close[, volume], found id, price, amount" in answer.sentence


def test_a_folder_without_a_strategy(workbench: Command, tmp_path: Path) -> None:
    answer = workbench("backtest", tmp_path)
    assert answer.code == 2
    assert answer.sentence == f"workbench: no strategy in {tmp_path}: expected a folder with strategy.json, as Strategy.save writes it"


def test_a_folder_that_holds_a_part_only(workbench: Command, tmp_path: Path) -> None:
    saving.save(wb.signals.MovingAverageCross(), tmp_path / "signal")
    answer = workbench("backtest", tmp_path / "signal")
    assert (answer.code, answer.sentence) == (
        2,
        f"workbench: {tmp_path / 'signal'} holds a MovingAverageCross, neither a strategy nor a team of them",
    )


def test_a_strategy_file_with_an_unknown_class(workbench: Command, spoiled: Callable[[str, str], Path]) -> None:
    answer = workbench("backtest", spoiled("MovingAverageCross", "MovingAverageCros"))
    assert answer.code == 2
    assert "MovingAverageCros" in answer.sentence
    assert "did you mean 'MovingAverageCross'?" in answer.sentence


def test_a_strategy_file_with_an_unknown_parameter(workbench: Command, spoiled: Callable[[str, str], Path]) -> None:
    answer = workbench("backtest", spoiled('"fast"', '"fsat"'))
    assert answer.code == 2
    assert "did you mean 'fast'?" in answer.sentence


def test_a_strategy_file_with_its_windows_the_wrong_way_round(
    workbench: Command, spoiled: Callable[[str, str], Path], tmp_path: Path
) -> None:
    answer = workbench("backtest", spoiled('"fast": 5', '"fast": 50'))
    assert answer.code == 2
    assert "fast must be at least 1 bar and below slow, got fast=50, slow=20" in answer.sentence
    assert answer.err.splitlines()[1].startswith(f"  in {tmp_path / 'spoiled' / 'strategy.json'}, signal")


def test_a_strategy_changed_by_hand(workbench: Command, tmp_path: Path) -> None:
    folder = wb.Strategy(wb.signals.MovingAverageCross(5, 20)).save(tmp_path / "own")
    (folder / saving.TEXT).write_text((folder / saving.TEXT).read_text().replace("20", "30"))
    answer = workbench("backtest", folder)
    assert answer.code == 2
    assert "is not what was saved: its hash differs from manifest.json" in answer.sentence


@pytest.mark.parametrize("option", [("--stamp", "close"), ("--interval", "1h"), ("--symbol", "QQQ")], ids=" ".join)
def test_an_option_that_describes_a_file_needs_one(workbench: Command, strategy: Path, option: tuple[str, str]) -> None:
    answer = workbench("backtest", strategy, *option)
    assert (answer.code, answer.out) == (2, "")
    assert answer.sentence == f"workbench: {option[0]} describes a file of bars: give it together with --bars FILE"


def test_a_report_that_cannot_be_written(workbench: Command, strategy: Path, bars_file: Path, tmp_path: Path) -> None:
    answer = workbench("backtest", strategy, "--bars", bars_file, "--report", tmp_path)
    assert (answer.code, answer.sentence) == (2, f"workbench: {tmp_path}: Is a directory")


def test_a_warning_is_a_sentence_without_lines_of_code(strategy: Path, bars_file: Path, tmp_path: Path) -> None:
    prices = pd.read_csv(bars_file, index_col=0)
    prices.iloc[200:, :4] /= 2
    prices.to_csv(tmp_path / "split.csv")
    command = [sys.executable, "-m", "workbench.cli", "backtest", str(strategy), "--bars", str(tmp_path / "split.csv")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr.startswith("workbench: warning: SPLIT: a move of more than 40% in one bar, possibly a split")
    assert done.stderr.count("\n") == 1

"""The result of a backtest: tables, figures, assumptions, fingerprints, and how it shows itself."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from worked import CONTRACT, EURUSD, FREE, SHARE, both, market, plan, same_numbers

import workbench as wb
from workbench.errors import DataError, ParameterError
from workbench.research.assumptions import Assumptions
from workbench.research.result import format_stats, format_values

BARS = market({SHARE: [100, 100, 110, 120], CONTRACT: [50, 50, 40, None]})
RESULT = both(plan("+...", "-...", quantity=3), BARS, cash=1000)
SIMULATED = wb.backtest(wb.Strategy(wb.signals.MovingAverageCross(3, 8)), wb.simulate(days=1, seed=2))


def said(result: wb.Backtest) -> str:
    return str(result.assumptions)


# -- what it holds ----------------------------------------------------------------------------------------------------


def test_equity_by_hand() -> None:
    assert RESULT.equity.tolist() == [1000, 1000, 1060, 1090]
    assert RESULT.equity.index.equals(BARS.index)
    assert RESULT.equity.name == "equity in USD"


def test_exposure_by_hand() -> None:
    # the contract's last close holds over its hole
    assert RESULT.exposure("instrument").to_dict("list") == {"ABC": [0, 300, 330, 360], "FUT": [0, -150, -120, -120]}
    assert RESULT.exposure().to_dict("list") == {"USD": [0, 300, 330, 360]}


def test_the_figures_are_of_these_tables() -> None:
    found = RESULT.stats
    assert (found["orders"], found["trades"], found["fees"], found["end equity"]) == (2, 2, 0.0, 1090.0)
    assert found["time in market %"] == 75.0
    assert found["return %"] == pytest.approx(9.0)


def test_everything_is_worked_out_once() -> None:
    for name in ("assumptions", "fingerprint"):
        assert getattr(RESULT, name) is getattr(RESULT, name), name
    for name in ("equity", "equities", "positions"):
        assert same_numbers(getattr(RESULT, name), getattr(RESULT, name)), name


@pytest.mark.parametrize("name", ["orders", "fills", "trades", "decisions", "equity", "equities", "positions", "stats"])
def test_what_is_written_into_a_table_no_other_look_sees(name: str) -> None:
    mine, before = getattr(RESULT, name), getattr(RESULT, name).copy()
    mine.iloc[:1] = mine.iloc[-1:].to_numpy()
    mine[0] = 7.0
    assert not mine.equals(before)
    assert getattr(RESULT, name).equals(before)


def test_it_knows_what_was_run() -> None:
    assert RESULT.bars is BARS
    assert RESULT.strategy is RESULT.setup.strategy
    assert RESULT.currency == "USD"


# -- assumptions ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "account in USD, 100,000.00 at the start; starts flat, first stance acted on"),
        ({}, "decided at the close of a bar, filled from the next bar on"),
        ({}, "ABC: commission 5 bp + at least 1 a fill, slippage 5 bp on market and stop fills, none on limits that rest"),
        ({}, "ABC: borrow costs of short positions not modelled"),
        ({}, "ABC: dividends and splits not modelled"),
        ({}, "buying power on: margin 1 of the notional; stop-out below half of the required margin"),
        ({"buying_power": False}, "buying power off: nothing but the strategy's own limits stops an opening"),
        ({"costs": FREE}, "ABC: commission 0 bp, slippage 0 bp"),
        ({"cash": 5, "currency": "EUR", "rates": {"EURUSD": 1.25}}, "account in EUR, 5.00 at the start"),
        ({}, "computed by the kernel (plain)"),
    ],
)
def test_31_what_was_assumed_is_said(options: dict[str, Any], words: str) -> None:
    assert words in said(wb.backtest(plan("+."), market([100, 100]), **options))


@pytest.mark.parametrize(
    ("instrument", "words"),
    [
        (EURUSD, "EURUSD: swap not modelled"),
        (wb.Instrument("ETHUSD", "crypto", "perpetual"), "ETHUSD: funding not modelled"),
        (wb.Instrument("DAX", "index", "cfd"), "DAX: funding not modelled"),
        (wb.Instrument("ABC", margin=0.5), "ABC: interest on borrowed money not modelled"),
    ],
    ids=["pair", "perpetual", "cfd", "shares on margin"],
)
def test_31_what_is_not_modelled_is_said(instrument: wb.Instrument, words: str) -> None:
    assert words in said(wb.backtest(plan("+."), market([1.25, 1.25], instrument)))


@pytest.mark.parametrize(
    ("interval", "words"),
    [
        ("1h", "without a bar for 5 intervals (overnight, over a weekend) expires"),
        ("1D", "without a bar for 3 sessions expires"),
        ("7D", "without a bar for 5 intervals expires"),
    ],
)
def test_27_how_long_an_opening_waits_is_said(interval: str, words: str) -> None:
    assert words in said(wb.backtest(plan("+."), market([100, 100], interval=interval)))


def test_what_the_reader_assumed_is_said() -> None:
    frame = pd.DataFrame(dict.fromkeys(("open", "high", "low", "close"), 1.0), pd.date_range("2024", periods=2, freq="1h", tz="UTC"))
    bars = wb.Bars.from_frames({"ABC": frame}, interval="1h", source="a file", assumptions=["labels are open times"])
    found = wb.backtest(plan("+.", start="wait"), bars).assumptions
    assert found[:2] == ("bars from a file", "labels are open times")
    assert "first stance only noted" in found[2]


def test_a_simulated_market_is_said_first() -> None:
    assert SIMULATED.assumptions[0].startswith("simulated market")
    assert "SIMULATED MARKET" in repr(SIMULATED).splitlines()[0]
    assert "Simulated market." in SIMULATED._repr_html_()
    assert "imulated" not in repr(RESULT) + RESULT._repr_html_()


def test_interest_is_spoken_of_where_money_can_be_borrowed() -> None:
    assert "interest" not in said(RESULT)
    assert "ABC: interest on borrowed money not modelled" in said(wb.backtest(plan("+."), market([100, 100]), buying_power=False))


def test_steps_that_a_model_was_trained_on_are_a_warning() -> None:
    bars = wb.simulate("SIM", bars=300, interval="1h", seed=3)
    signal = wb.signals.Classifier(LogisticRegression(), [wb.features.Returns(3)])
    strategy = wb.Strategy(signal.fit(bars.iloc[:200], wb.labels.fixed_horizon(bars.iloc[:200], 5)))
    last = signal.model.card.last
    (line,) = [line for line in wb.backtest(strategy, bars.iloc[150:]).assumptions if "was trained on" in line]
    assert line == f"warning: the model {signal.model.id} was trained on bars up to {last}: of 45 of 150 steps it knows what came"
    assert "was trained on" not in said(wb.backtest(strategy, bars.iloc[200:]))


def test_instruments_with_the_same_words_share_a_line() -> None:
    bars = market({wb.Instrument(name): [100, 100] for name in "ABCDEFG"})
    assert "A, B, C, D, E and 2 more: commission 5 bp" in said(wb.backtest(plan(*["+."] * 7), bars))


def test_assumptions_are_a_tuple_that_prints_as_a_list() -> None:
    made = Assumptions(["a < b", "c"])
    assert (str(made), repr(made)) == ("- a < b\n- c", "Assumptions:\n- a < b\n- c")
    assert made._repr_html_() == "<ul><li>a &lt; b</li><li>c</li></ul>"


# -- fingerprints -----------------------------------------------------------------------------------------------------


def test_a_fingerprint_names_data_strategy_and_versions() -> None:
    found = RESULT.fingerprint
    assert found["bars"] == BARS.fingerprint
    assert found["workbench"] == wb.__version__
    assert found["pandas"] == pd.__version__
    other = both(plan("+...", "-...", quantity=4), BARS, cash=1000).fingerprint
    assert {name for name in found if found[name] != other[name]} == {"strategy"}


class Held(wb.signals.SignalGenerator):
    """A signal with a table of its own."""

    table: Any = None

    def generate(self, bars: wb.Bars) -> pd.DataFrame:
        return bars.close * 0 + float(self.table.to_numpy().ravel()[0])


@pytest.mark.parametrize("table", [pd.Series([1.0, 0.0]), pd.DataFrame({"a": [1.0, 0.0]})], ids=["series", "frame"])
def test_a_fingerprint_tells_tables_apart(table: Any) -> None:
    def named(one: Any) -> str:
        return str(wb.backtest(wb.Strategy(Held(one)), wb.simulate(days=1, interval="1h")).fingerprint["strategy"])

    assert named(table) == named(table.copy())
    assert len({named(table), named(table * 0.5), named(table.set_axis([5, 6]))}) == 3


def test_a_fingerprint_tells_runs_with_other_costs_apart() -> None:
    cheap, dear = (wb.backtest(plan("+..."), market([100] * 4), costs=c) for c in (FREE, wb.execution.Costs(commission=0.01)))
    assert cheap.fingerprint != dear.fingerprint


OWN = """
import workbench as wb

THRESHOLD = 3


def helper(x):
    return x + 1


class Base(wb.signals.SignalGenerator):
    def stance(self, bars):
        return bars.close * 0


class Own(Base):
    window: int = 5
    WEIGHTS = (1, 2)

    @property
    def lookback(self):
        return self.window

    @staticmethod
    def scaled(x):
        return x * 2

    @classmethod
    def named(cls):
        return "one"

    def generate(self, bars):
        inner = [(lambda x: helper(x) * 10)(x) for x in (1, 2)]
        try:
            return self.stance(bars) + (bars.high > bars.low) * len(inner) * (self.window in {"a", "b", "c", "d"})
        except ValueError:
            return self.stance(bars) * THRESHOLD


bars = wb.simulate(days=1, seed=1)
print(wb.backtest(wb.Strategy(Own()), bars).fingerprint["strategy"])
"""
CHANGES = [
    ("bars.high", "bars.open"),
    ("x * 2", "x * 3"),
    ('return "one"', 'return "two"'),
    ("(1, 2)\n\n", "(1, 3)\n\n"),
    ("* 10)", "* 11)"),
    ("helper(x) *", "abs(x) *"),
    ("x + 1", "x - 1"),
    ("THRESHOLD = 3", "THRESHOLD = 4"),
    ("bars.close * 0", "bars.open * 0"),
    ('"d"}', '"e"}'),
    ("window: int = 5", "window: int = 6"),
    ("return self.window", "return self.window + 0"),
    ("except ValueError", "except TypeError"),
]
#: Runs each source that it is given as a module of its own, and prints a line for each.
RUNNER = """
import json, sys
for source in json.load(sys.stdin):
    exec(compile(source, sys.argv[1], "exec"), {"__name__": "__main__"})
"""


def strategy_hashes(sources: list[str], seed: str, filename: str) -> list[str]:
    """Return the strategy's hash for each source, from one fresh process."""
    environment = os.environ | {"PYTHONHASHSEED": seed}
    command = [sys.executable, "-c", RUNNER, filename]
    root = Path(__file__).resolve().parents[1]
    done = subprocess.run(
        command, cwd=root, env=environment, input=json.dumps(sources), capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_a_fingerprint_is_the_same_in_every_process_and_another_for_other_code() -> None:
    assert all(OWN.count(old) == 1 for old, _ in CHANGES)
    sources = [OWN, *(OWN.replace(old, new) for old, new in CHANGES)]
    first = strategy_hashes(sources, "1", "cell-1")
    # neither the place of the code nor the order of sets matters
    second = strategy_hashes([f"# moved\n\n{source}" for source in sources], "2", "cell-2")
    assert first == second
    assert len(set(first)) == len(sources)


# -- shown ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1234.5678, "1,234.57"),
        (float("nan"), "-"),
        (1234567, "1,234,567"),
        (pd.Timestamp("2024-01-02 03:04", tz="UTC"), "2024-01-02 03:04 UTC"),
    ],
)
def test_figures_as_text(value: Any, text: str) -> None:
    assert format_values(pd.Series({"x": value}, dtype=object)).tolist() == [text]


def test_figures_are_aligned() -> None:
    lines = format_stats(pd.Series({"short": 1.0, "much longer": 2.0}, dtype=object)).splitlines()
    assert len({len(line) for line in lines}) == 1
    assert lines[0].endswith("1.00")


def test_the_repr_has_figures_and_assumptions() -> None:
    lines = repr(RESULT).splitlines()
    assert lines[0] == "Backtest of ABC, FUT on 4 bars of 1h"
    assert any(line.split() == ["end", "equity", "1,090.00"] for line in lines)
    assert f"- {RESULT.assumptions[0]}" in lines


def test_the_notebook_shows_a_table_and_folds_the_assumptions() -> None:
    shown = RESULT._repr_html_()
    assert "<table" in shown
    assert "1,090.00" in shown
    assert "<details><summary>Assumptions</summary><ul><li>" in shown


# -- wrong use --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        (
            {"strategy": wb.signals.Breakout(5)},
            ParameterError,
            "expected a wb.Strategy, got Breakout: wb.Strategy(signal=Breakout(window=5))",
        ),
        (
            {"bars": pd.DataFrame()},
            ParameterError,
            "expected wb.Bars, got DataFrame: wb.read_bars(...) or wb.Bars.from_frames(...) makes them",
        ),
        ({"bars": BARS.iloc[:0]}, ParameterError, "there are no bars to trade on"),
        ({"cash": 0}, ParameterError, "cash must be a positive number, got 0"),
        ({"cash": "1000"}, ParameterError, "cash must be a positive number, got '1000'"),
        ({"cash": float("nan")}, ParameterError, "cash must be a positive number, got nan"),
        ({"costs": 0.001}, ParameterError, "costs must be wb.execution.Costs(...) or a dict by symbol, got 0.001"),
        ({"currency": "EUR"}, DataError, "no conversion rate from USD to the account currency EUR"),
        ({"currency": "EUR", "rates": {"EURUSD": -1}}, DataError, "the rate of EURUSD must be a positive number, got -1"),
    ],
    ids=["a signal", "a frame", "no bars", "no cash", "text", "nan", "number", "no rate", "negative rate"],
)
def test_a_wrong_backtest_gets_a_sentence(arguments: dict[str, Any], error: type[Exception], words: str) -> None:
    given = {"strategy": plan("+...", "-..."), "bars": BARS} | arguments
    with pytest.raises(error) as caught:
        wb.backtest(given.pop("strategy"), given.pop("bars"), **given)
    assert words in str(caught.value)


def test_a_result_can_be_copied() -> None:
    twin = copy.copy(RESULT)
    assert twin.equity.equals(RESULT.equity)

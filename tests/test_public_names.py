"""The public names: all there, quick to import, with signatures and examples that hold."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import workbench as wb
from workbench.component import Component, all_components

ROOT = Path(__file__).resolve().parents[1]
NAMES = [
    "Backtest", "Bars", "Bars.from_frames", "Bars.at", "Bars.with_extra", "Bars.extra",
    "Component", "Decision", "Fill", "Instrument", "Journal", "MemoryJournal", "Order", "promote",
    "ParquetStore", "Portfolio", "Portfolio.exposure", "Portfolio.apply", "Portfolio.mark", "Portfolio.positions",
    "Portfolio.reconcile", "Portfolio.deposit", "Portfolio.split", "Ledger", "Ledger.fill", "Ledger.at", "Ledger.tax_report",
    "Ledger.reconcile", "ReplayAdapter", "Session", "Session.run", "Session.step", "Session.on", "Strategy", "Strategy.save",
    "Strategy.load", "Strategy.preview", "backtest", "check_causality", "check_parity", "read_bars", "sample", "simulate",
    "errors.WorkbenchError", "signals.SignalGenerator", "signals.MovingAverageCross", "signals.Breakout", "signals.AllAgree",
    "signals.Majority", "signals.AnyOf", "signals.Weighted", "signals.Crossing", "signals.RelativeStrength", "signals.Bollinger",
    "signals.Momentum", "signals.Macd", "signals.Donchian", "signals.Keltner", "signals.ZScore", "signals.PairsSpread",
    "signals.CrossSectionalMomentum", "signals.TimeOfDay", "signals.Calendar", "signals.VolatilityRegime", "signals.MetaLabelled",
    "signals.HigherTimeframe", "sizing.TargetWeights",
    "indicators.ema", "indicators.rsi", "indicators.macd", "indicators.bollinger",
    "sizing.PositionSizer", "sizing.FixedQuantity", "sizing.FixedFraction", "sizing.RiskPercent",
    "sizing.MinimumSize", "exits.Exit", "exits.AtrStop", "exits.TakeProfit", "exits.StopLoss",
    "exits.TrailingStop", "exits.BreakEven", "exits.TimeStop", "sizing.Kelly", "sizing.VolatilityTarget", "sizing.EqualRisk",
    "sizing.Scaled",
    "risk.ValueAtRisk", "risk.ExpectedShortfall", "risk.MaxVolatility", "risk.MaxDrawdown", "risk.MaxDailyLoss", "risk.MaxPositions",
    "risk.MaxTrades", "risk.CoolDown", "risk.value_at_risk", "risk.expected_shortfall", "risk.RiskManager", "risk.MaxExposure",
    "risk.MaxLeverage", "execution.Market", "execution.Limit", "execution.Costs", "execution.ExecutionModule",
    "execution.PaperVenue", "data.DataAdapter", "Backtest.orders", "Backtest.fills", "Backtest.trades", "Backtest.equity",
    "Backtest.stats", "Backtest.decisions", "Backtest.assumptions", "Backtest.plot", "Backtest.portfolio",
    "labels.fixed_horizon", "labels.triple_barrier", "labels.meta_labels", "labels.uniqueness_weights", "labels.sequential_bootstrap",
    "validation.WalkForward", "validation.PurgedKFold", "validation.CombinatorialPurged", "validation.audit_split",
    "validation.probabilistic_sharpe", "validation.deflated_sharpe", "validation.minimum_track_record",
    "validation.probability_of_overfitting", "validation.bootstrap", "validation.monte_carlo", "validation.permutation_test",
    "validation.Study", "sweep", "search", "walk_forward", "retrain", "audit", "sensitivity", "check_lookback",
    "research.plot_months", "research.plot_rolling", "research.plot_exposure", "research.plot_importance", "research.plot_calibration",
    "research.plot_leverage", "research.plot_risk", "research.plot_risk_contribution", "research.risk_contribution", "Backtest.exposure",
    "features.table", "models.Registry", "models.drift", "signals.Classifier", "signals.Regressor", "signals.Stacked",
]  # fmt: skip
SIGNATURES = {
    "Instrument": "symbol asset_class kind base quote multiplier tick_size quantity_step min_quantity min_notional can_short margin "
    "region calendar venue",
    "read_bars": "instrument interval stamp",
    "Bars.from_frames": "frames interval instruments",
    "Strategy": "signal sizer exits risk execution start",
    "backtest": "strategy bars cash costs currency rates",
    "sweep": "strategy bars parameters jobs cash costs currency rates buying_power study resume progress",
    "search": "strategy bars space trials jobs cash costs currency rates buying_power study resume progress",
    "walk_forward": "strategy bars parameters labels folds train jobs cash costs currency rates buying_power study progress",
    "retrain": "strategy bars labels registry name why cash costs currency rates buying_power",
    "audit": "strategy bars cash costs currency rates buying_power",
    "sensitivity": "strategy bars cash costs currency rates buying_power",
    "check_parity": "strategy bars cash costs currency rates",
    "check_causality": "component bars",
    "Portfolio": "currency cash positions prices rates buying_power",
    "Order": "instrument side quantity type",
    "Ledger": "currency hedging",
    "Ledger.fill": "time instrument quantity price fee fee_currency venue ticket",
    "Strategy.preview": "order portfolio",
    "Session": "data execution journal",
    "signals.MovingAverageCross": "fast slow",
    "sizing.RiskPercent": "risk",
    "exits.AtrStop": "window multiple",
    "risk.MaxExposure": "limit by of scope",
    "risk.MaxLeverage": "limit",
    "execution.Costs": "commission slippage spread",
    "labels.fixed_horizon": "bars horizon threshold volatility",
    "labels.triple_barrier": "bars upper lower vertical events volatility path at_vertical",
    "validation.PurgedKFold": "n_splits ends embargo",
    "validation.WalkForward": "n_splits test_size train_size purge",
    "validation.CombinatorialPurged": "n_groups n_test_groups ends embargo",
}


def named(path: str) -> Any:
    found: Any = wb
    for name in path.split("."):
        found = getattr(found, name)
    return found


# -- there, and only there when asked for -----------------------------------------------------------------------------


@pytest.mark.parametrize("path", NAMES)
def test_the_name_is_there_and_says_what_it_is(path: str) -> None:
    assert inspect.getdoc(named(path)), path


@pytest.mark.parametrize("path", SIGNATURES)
def test_the_arguments_of_the_design_are_taken(path: str) -> None:
    assert set(SIGNATURES[path].split()) <= set(inspect.signature(named(path)).parameters)


def test_what_is_listed_is_there() -> None:
    assert wb.__all__ == sorted(wb.__all__)
    assert all(getattr(wb, name) is not None for name in wb.__all__)
    assert set(wb.__all__) <= set(dir(wb))
    assert set(wb.HOMES) <= set(wb.__all__)
    assert wb.__version__


@pytest.mark.parametrize(
    ("room", "name", "said"),
    [
        (wb, "Strateggy", "workbench has no 'Strateggy'; did you mean 'Strategy'?"),
        (wb, "simulat", "workbench has no 'simulat'; did you mean 'simulate'?"),
        (wb, "signal", "workbench has no 'signal'; did you mean 'signals'?"),
        (wb, "zzz", "workbench has no 'zzz'; known: Backtest, Bars"),
    ],
)
def test_an_unknown_name_gets_a_sentence(room: Any, name: str, said: str) -> None:
    with pytest.raises(AttributeError) as caught:
        getattr(room, name)
    assert str(caught.value).startswith(said)
    assert not hasattr(room, name)


@pytest.mark.parametrize(
    ("room", "name", "near"),
    [
        ("signals", "Brakeout", "Breakout"),
        ("risk", "MaxLeverge", "MaxLeverage"),
        ("data", "smaple", "sample"),
        ("validation", "PurgedKfold", "PurgedKFold"),
        ("labels", "tripple_barrier", "triple_barrier"),
    ],
)
def test_an_unknown_name_of_a_room_gets_a_sentence(room: str, name: str, near: str) -> None:
    with pytest.raises(AttributeError, match=f"did you mean {near!r}"):
        getattr(named(room), name)


@pytest.mark.parametrize("name", [name for name in wb.HOMES if name != "simulate"])
def test_a_name_is_loaded_when_it_is_used(name: str) -> None:
    code = f"import sys, workbench as wb\nassert 'pandas' not in sys.modules\nassert wb.{name} is wb.{name}\nfrom workbench import {name}"
    if name in ("Backtest", "Session", "ParquetStore"):
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
    assert named(name) is named(name)


@pytest.mark.parametrize("part", all_components(Component), ids=lambda part: part.__name__)
def test_every_part_is_public_in_its_room_and_has_an_example(part: type) -> None:
    room = part.__module__.split(".")[1]
    home = wb if room == "strategy" else importlib.import_module(f"workbench.{room}")
    if part.__name__ in getattr(home, "__all__", ()):
        assert getattr(home, part.__name__) is part
        assert ">>> " in (part.__doc__ or ""), "the docstring shows an example"
    else:
        assert inspect.isabstract(part) or part.__name__ == "Votes"


# -- examples ---------------------------------------------------------------------------------------------------------


def modules() -> list[str]:
    found = [module.name for module in pkgutil.walk_packages(wb.__path__, "workbench.") if not module.name.startswith("workbench.adapters")]
    return [name for name in found if not name.endswith("__main__")]


@pytest.mark.parametrize("name", modules())
def test_the_examples_of_a_module_hold(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    module = importlib.import_module(name)
    failed, _ = doctest.testmod(module, extraglobs={"wb": wb}, optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS, report=True)
    assert failed == 0


def test_there_are_examples() -> None:
    finder = doctest.DocTestFinder()
    counted = sum(len(test.examples) for name in modules() for test in finder.find(importlib.import_module(name)))
    assert counted > 60

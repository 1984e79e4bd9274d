"""What is asked of a strategy before it is trusted: look-back, sensitivity, and all of it on one page."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

import workbench as wb
from workbench.errors import ParameterError
from workbench.research.sensitivity import numbers

BARS = wb.simulate("SIM", bars=500, interval="1h", seed=3)
TWO = wb.simulate(["A", "B"], bars=400, interval="1h", seed=4, missing=0.05)


class Forgetful(wb.signals.SignalGenerator):
    """Says that it needs one bar, and looks at twenty."""

    window: int = 20

    def generate(self, bars: wb.Bars) -> pd.DataFrame:
        """Return the side of a mean that is made of what there is."""
        return np.sign(bars.close - bars.close.rolling(self.window, min_periods=1).mean())


class Remembers(wb.signals.SignalGenerator):
    """Counts from the first bar it was ever given."""

    def generate(self, bars: wb.Bars) -> pd.DataFrame:
        """Return +1 at every second bar."""
        return bars.close * 0 + (np.arange(len(bars)) % 2)[:, None]


# -- look-back --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "part",
    [
        wb.signals.MovingAverageCross(5, 20),
        wb.signals.RelativeStrength(3, 40, 60),
        wb.exits.AtrStop(3),
        wb.features.MeanDistance(10),
        wb.signals.Weighted([wb.signals.MovingAverageCross(2, 5), wb.signals.Breakout(4)], [1, 2], hold=4),
        wb.Strategy(wb.signals.Bollinger(10, 1.0), exits=[wb.exits.AtrStop(3)]),
    ],
    ids=lambda part: type(part).__name__,
)
def test_shipped_parts_warm_up_in_time(part: wb.Component) -> None:
    for bars in (BARS, TWO):
        found = wb.check_lookback(part, bars)
        assert found.passed, found
        assert found.checked > 1


@pytest.mark.parametrize("part", [Forgetful(), Remembers(), wb.Strategy(Forgetful())], ids=lambda part: type(part).__name__)
def test_a_look_back_that_is_too_short_is_named_with_its_first_bar(part: wb.Component) -> None:
    found = wb.check_lookback(part, BARS)
    assert not found.passed
    assert set(found.failures["component"]) == {"Forgetful" if not isinstance(part, Remembers) else "Remembers"}
    first = found.failures.iloc[0]
    assert first["expected"] != first["got"]
    assert first["time"] >= first["begun"]
    assert f"say in a property lookback how many bars {first['component']} needs" in repr(found).splitlines()[0]


def test_who_holds_opinions_for_good_is_named_and_its_voters_are_asked() -> None:
    vote = wb.signals.AllAgree([wb.signals.MovingAverageCross(2, 5), wb.signals.Breakout(4)])
    found = wb.check_lookback(vote, BARS)
    assert (found.passed, found.for_good) == (True, ["AllAgree"])
    assert not wb.check_lookback(wb.signals.AllAgree([wb.signals.Breakout(4), Forgetful()]), BARS).passed


def test_what_makes_coarser_bars_is_told_to_be_untried() -> None:
    found = wb.check_lookback(wb.signals.HigherTimeframe(wb.signals.MovingAverageCross(2, 4), "1D", of="1h"), BARS)
    assert (found.passed, found.for_good, found.coarser) == (True, [], ["HigherTimeframe"])
    assert "HigherTimeframe: not tried, its bars are coarser" in repr(found)


@pytest.mark.parametrize("ask", [wb.check_lookback, wb.check_causality], ids=["look-back", "causality"])
@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ((wb.sizing.FixedFraction(), BARS), "takes a signal, an exit, a feature, a strategy or a team, got FixedFraction"),
        ((BARS, wb.signals.Breakout()), "the part comes first, then the bars"),
        ((wb.signals.Breakout(), BARS.close), "expected wb.Bars, got DataFrame"),
    ],
    ids=["a sizer", "the wrong way round", "no bars"],
)
def test_what_says_nothing_of_bars_is_refused(ask: Any, given: Any, sentence: str) -> None:
    with pytest.raises(ParameterError, match=sentence):
        ask(*given)


def test_too_few_bars_are_refused() -> None:
    with pytest.raises(ParameterError, match="needs more than twice the look-back of 300 bars, got 500 bars"):
        wb.check_lookback(wb.signals.MovingAverageCross(5, 300), BARS)


# -- sensitivity ------------------------------------------------------------------------------------------------------

STRATEGY = wb.Strategy(wb.signals.MovingAverageCross(5, 20), exits=[wb.exits.AtrStop(5)])


def test_the_first_row_is_the_strategy_as_it_is() -> None:
    table, stats = wb.sensitivity(STRATEGY, BARS).table, wb.backtest(STRATEGY, BARS).stats
    assert table["changed"][0] == "nothing"
    for name in ("return %", "Sharpe", "max drawdown %", "trades"):
        assert table[name][0] == stats[name]


def test_costs_cost() -> None:
    table = wb.sensitivity(STRATEGY, BARS).table.set_index(["changed", "to"])
    returns = [table["return %"]["costs", "x 0.5"], table["return %"]["nothing", ""], table["return %"]["costs", "x 2"]]
    assert returns == sorted(returns, reverse=True)
    half = wb.backtest(STRATEGY, BARS, costs=wb.execution.Costs(commission=0.00025, minimum=0.5, slippage=0.00025))
    assert table["return %"]["costs", "x 0.5"] == pytest.approx(half.stats["return %"])


@pytest.mark.parametrize("bars", [BARS, TWO], ids=["whole", "with holes"])
def test_a_delay_is_a_stance_one_bar_later(bars: wb.Bars) -> None:
    class Later(wb.signals.SignalGenerator):
        def generate(self, bars: wb.Bars) -> pd.DataFrame:
            return wb.signals.MovingAverageCross(5, 20).stances(bars).shift(1)

    late = wb.backtest(wb.Strategy(Later()), bars).stats["return %"]
    table = wb.sensitivity(wb.Strategy(wb.signals.MovingAverageCross(5, 20)), bars).table.set_index("changed")
    assert table["return %"]["delay"] == late


def test_each_number_is_moved_to_both_sides() -> None:
    table = wb.sensitivity(STRATEGY, BARS).table
    exits = {"exits__atrstop__window", "exits__atrstop__multiple"}
    assert numbers(STRATEGY).keys() == {"signal__fast", "signal__slow", "sizer__fraction", *exits}
    assert table[table["changed"] == "signal__slow"]["to"].tolist() == ["16", "18", "22", "24"]
    assert table[table["changed"] == "signal__fast"]["to"].tolist() == ["4", "6"]
    stats = wb.backtest(wb.Strategy(wb.signals.MovingAverageCross(5, 24), exits=[wb.exits.AtrStop(5)]), BARS).stats
    row = table[(table["changed"] == "signal__slow") & (table["to"] == "24")].iloc[0]
    assert row["return %"] == stats["return %"]


def test_what_a_trained_model_knows_is_not_moved() -> None:
    signal = wb.signals.Classifier(LogisticRegression(), [wb.features.Returns(3), wb.features.MeanDistance(10)], threshold=0.4)
    strategy = wb.Strategy(signal.fit(BARS, wb.labels.fixed_horizon(BARS, 5)))
    changed = wb.sensitivity(strategy, BARS).table["changed"].unique().tolist()
    assert changed == ["nothing", "costs", "delay", "signal__threshold", "sizer__fraction"]
    assert wb.audit(strategy, BARS).sound


def test_what_turns_a_gain_into_a_loss_is_told() -> None:
    table = pd.DataFrame({"changed": ["nothing", "costs", "delay"], "to": ["", "x 2", "1 bar"], "return %": [3.0, -1.0, 2.0]})
    found = wb.research.sensitivity.Sensitivity(table)
    assert (found.fragile, found.passed) == (["costs x 2: return -1.00 %"], False)
    assert repr(found).startswith("sensitivity: 1 of 2 changes turn a return of +3.00 % into a loss")


def test_a_loss_has_nothing_to_lose() -> None:
    table = pd.DataFrame({"changed": ["nothing", "costs"], "to": ["", "x 2"], "return %": [-3.0, -5.0]})
    found = wb.research.sensitivity.Sensitivity(table)
    assert (found.fragile, found.passed) == ([], False)
    assert "there is no gain to lose" in repr(found)


# -- the sheet --------------------------------------------------------------------------------------------------------


def test_the_sheet_holds_all_of_it() -> None:
    found = wb.audit(STRATEGY, BARS)
    assert found.sound
    assert [line.split(":")[0] for line in repr(found).splitlines() if line.startswith(("causality", "look-back", "parity"))] == [
        "causality",
        "look-back",
        "parity",
    ]
    assert "computed by the kernel" in repr(found)
    assert "<details>" in found._repr_html_()


def test_a_part_that_looks_ahead_is_not_sound() -> None:
    class Ahead(wb.signals.SignalGenerator):
        def generate(self, bars: wb.Bars) -> pd.DataFrame:
            return np.sign(bars.close.shift(-1) - bars.close)

    found = wb.audit(wb.Strategy(Ahead()), BARS)
    assert not found.sound
    assert not found.passed
    assert not found.causality.passed

"""The shipped features, by figures worked out by hand, and the table that they make."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from worked import OTHER, SHARE, market

import laws
import workbench as wb
from workbench import features
from workbench.errors import DataError, ParameterError
from workbench.features import Feature, Hour, MeanDistance, RangePosition, Returns, Rsi, TrueRange, Volatility, VolumeRatio, Weekday

NAN = float("nan")
HOLED = {SHARE: [100.0, None, 110.0, 99.0], OTHER: [10.0, 11.0, 12.0, None]}
#: Closes of a well-known worked example of Wilder's index; its 15th bar is 70.46 to two decimals, worked out from sums below.
CLOSES = [44.34, 44.09, 44.15, 43.61, 44.33, 44.83, 45.10, 45.42, 45.84, 46.08, 45.89, 46.03, 45.61, 46.28, 46.28]


def of(feature: Feature, rows: object) -> list[float]:
    return [float(value) for value in feature.values(market(rows))[:, 0]]


@pytest.mark.parametrize(
    ("feature", "rows", "expected"),
    [
        (Returns(1), [100.0, 110.0, 99.0], [NAN, 0.1, -0.1]),
        (Returns(2), [100.0, 110.0, 99.0], [NAN, NAN, -0.01]),
        (Volatility(2), [100.0, 110.0, 99.0], [NAN, NAN, math.log(110 * 110 / 100 / 99) / math.sqrt(2)]),
        (Volatility(2), [100.0, 100.0, 100.0], [NAN, NAN, 0.0]),
        (MeanDistance(2), [90.0, 110.0, 110.0], [NAN, 0.1, 0.0]),
        (RangePosition(2), [(9, 10, 8, 9), (9, 12, 9, 11)], [NAN, 0.75]),
        (RangePosition(2), [10.0, 10.0], [NAN, 0.5]),
        (TrueRange(1), [(9, 10, 8, 9), (12, 13, 12, 12.5)], [NAN, 4 / 12.5]),
    ],
    ids=["one bar", "two bars", "volatility", "a flat market", "mean", "range", "no range", "true range with its gap"],
)
def test_a_feature_is_what_its_docstring_says(feature: Feature, rows: object, expected: list[float]) -> None:
    assert of(feature, rows) == pytest.approx(expected, nan_ok=True, abs=1e-15)


def test_rsi_is_the_share_of_the_rises_in_all_moves() -> None:
    moves = np.diff(CLOSES)
    up, down = moves[moves > 0].sum(), -moves[moves < 0].sum()
    found = Rsi(14).compute(market(CLOSES))["ABC"].iloc[-1]
    assert found == pytest.approx(100 * up / (up + down), rel=1e-12)
    assert round(found, 2) == 70.46


def test_rsi_of_a_market_that_does_not_move_is_in_the_middle() -> None:
    assert set(Rsi(2).compute(market([10.0] * 6))["ABC"].dropna()) == {50.0}


def test_the_calendar_is_that_of_the_label_in_utc() -> None:
    bars = wb.simulate(bars=30, interval="30min", seed=1)
    assert Hour().values(bars)[:4, 0].tolist() == [0.0, 0.5, 1.0, 1.5]
    assert Weekday().values(bars)[0, 0] == bars.index[0].day_of_week


def test_volume_is_set_against_its_mean() -> None:
    bars = wb.simulate(bars=9, interval="1h", seed=1)
    expected = (bars.volume / bars.volume.rolling(3).mean()).to_numpy()
    np.testing.assert_allclose(VolumeRatio(3).values(bars), expected, rtol=1e-12)
    arrays = {name: bars.array(name) if name != "volume" else np.zeros(bars.shape) for name in ("open", "high", "low", "close", "volume")}
    with pytest.raises(DataError, match="have no volume"):
        VolumeRatio(3).values(wb.Bars(bars.index, bars.instruments, "1h", arrays))


def test_a_market_whose_volume_dries_up_has_no_ratio() -> None:
    bars = wb.simulate(bars=9, interval="1h", seed=1)
    volume = np.array([0.1, 0.2, 0.3, 0.7, 0.0, 0.0, 0.0, 0.0, 0.0])[:, None]
    arrays = {name: bars.array(name) for name in ("open", "high", "low", "close")} | {"volume": volume}
    found = VolumeRatio(3).values(wb.Bars(bars.index, bars.instruments, "1h", arrays))[:, 0]
    assert np.isnan(found).tolist() == [True] * 2 + [False] * 4 + [True] * 3


@pytest.mark.parametrize("feature", [Returns(3), Volatility(5), MeanDistance(5), RangePosition(5), VolumeRatio(5)], ids=laws.named)
def test_what_a_window_decides_is_the_same_bits_after_any_history(feature: Feature) -> None:
    bars = wb.simulate(["AAA", "BBB"], bars=120, interval="1h", seed=4)
    laws.require_equal(feature.values(bars.iloc[37:])[5:], feature.values(bars)[42:], feature.name)


@pytest.mark.parametrize(
    ("make", "least"), [(Returns, 1), (Volatility, 2), (MeanDistance, 2), (RangePosition, 1), (TrueRange, 1), (Rsi, 2), (VolumeRatio, 2)]
)
def test_a_window_that_is_too_short_is_refused(make: type, least: int) -> None:
    with pytest.raises(ParameterError, match=rf"{make.__name__}: window must be at least {least} bars?, got {least - 1}"):
        make(least - 1)
    assert make(least).lookback >= least


@pytest.mark.parametrize(
    ("feature", "name"),
    [(Returns(5), "returns_5"), (Rsi(), "rsi_14"), (MeanDistance(50), "mean_distance_50"), (Hour(), "hour")],
    ids=["returns", "rsi", "two words", "no parameter"],
)
def test_a_column_has_a_readable_name(feature: Feature, name: str) -> None:
    assert feature.name == name


# -- a feature of one's own -------------------------------------------------------------------------------------------


class Gap(Feature):
    """The open over the close before it, less 1."""

    window: int = 1

    def compute(self, bars: wb.Bars) -> pd.DataFrame:
        return bars.open / bars.close.shift(self.window) - 1


class Rank(Feature):
    """The place among all instruments."""

    cross_sectional = True

    def compute(self, bars: wb.Bars) -> pd.DataFrame:
        return bars.close.rank(axis=1)


class Ahead(Feature):
    """A leak: the next close."""

    def compute(self, bars: wb.Bars) -> pd.DataFrame:
        return bars.close.shift(-1) / bars.close


class Short(Feature):
    """Forgets a bar."""

    def compute(self, bars: wb.Bars) -> np.ndarray:  # type: ignore[override]
        return bars.array("close")[1:]


def test_a_feature_of_one_s_own_is_five_lines() -> None:
    assert of(Gap(), [(10, 10, 10, 10), (11, 11, 11, 11)]) == pytest.approx([NAN, 0.1], nan_ok=True)
    assert Gap().name == "gap_1"


def test_a_cross_sectional_feature_sees_all_instruments_at_once() -> None:
    np.testing.assert_array_equal(Rank().values(market(HOLED)), [[2, 1], [NAN, 1], [2, 1], [1, NAN]])


def test_a_feature_that_looks_ahead_is_caught_and_named() -> None:
    report = wb.check_causality(Ahead(), wb.simulate(days=1, seed=1), cuts=5)
    assert set(report.failures["component"]) == {"Ahead"}
    assert wb.check_causality(Gap(), wb.simulate(days=1, seed=1), cuts=5).passed


def test_a_feature_of_another_shape_is_refused() -> None:
    with pytest.raises(ParameterError, match=r"Short.compute must give a number for each bar and symbol, shape \(3, 1\), got \(2, 1\)"):
        Short().values(market([10, 11, 12]))


# -- the table --------------------------------------------------------------------------------------------------------


def test_a_table_has_one_row_a_bar_that_is_there() -> None:
    bars = market(HOLED)
    made = features.table([Returns(1), RangePosition(2)], bars)
    assert made.index.names == ["timestamp", "symbol"]
    assert made.columns.tolist() == ["returns_1", "range_position_2"]
    assert set(made.dtypes.astype(str)) == {"float64"}
    expected = {(0, "ABC"): NAN, (0, "XYZ"): NAN, (1, "XYZ"): 0.1, (2, "ABC"): 0.1, (2, "XYZ"): 12 / 11 - 1, (3, "ABC"): -0.1}
    assert list(made.index) == [(bars.index[row], symbol) for row, symbol in expected]
    assert made["returns_1"].tolist() == pytest.approx(list(expected.values()), nan_ok=True)


def test_the_newest_rows_are_the_last_ones_of_the_table() -> None:
    bars = wb.simulate(["AAA", "BBB"], bars=200, interval="1h", seed=4, missing=0.1)
    chosen = [Returns(3), Volatility(10), Rank(), Hour()]
    whole = features.table(chosen, bars)
    for t in range(0, 200, 23):
        newest = features.newest(chosen, bars.iloc[: t + 1])
        there = bars.present[t]
        assert newest.index.tolist() == bars.symbols
        assert newest[[name for name in newest if name != "hour"]][~there].isna().all(axis=None)
        laws.require_equal(newest[there].to_numpy(), whole.loc[bars.index[t]].to_numpy(), f"row {t}")


@pytest.mark.parametrize(
    ("chosen", "said"),
    [([], "needs at least one feature, got none"), ([Rsi(), Returns(2), Rsi(14)], "two features are called 'rsi_14'")],
    ids=["none", "twice"],
)
def test_a_table_that_cannot_be_named_is_refused(chosen: list[Feature], said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        features.table(chosen, market([10, 11]))


def test_a_feature_reads_back_from_its_text_in_a_fresh_process() -> None:
    code = "import sys, json; from workbench.component_text import from_dict; print(from_dict(json.loads(sys.argv[1])).name)"
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[1])}
    text = json.dumps({"part": "workbench.features.Rsi", "window": 9})
    done = subprocess.run([sys.executable, "-c", code, text], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.strip() == "rsi_9"

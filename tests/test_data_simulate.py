"""The simulator: the same market for the same seed, plausible, on its grids and labelled as made up."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest

from workbench.bars import FIELDS, Bars
from workbench.data import simulate
from workbench.errors import ParameterError
from workbench.instrument import Instrument


def returns(bars: Bars) -> np.ndarray:
    return np.diff(np.log(bars.array("close")), axis=0)


def autocorrelation(values: np.ndarray, lag: int) -> float:
    return float(np.corrcoef(values[lag:], values[:-lag])[0, 1])


@pytest.fixture(scope="module", params=[1, 2, 3])
def minutes(request: pytest.FixtureRequest) -> Bars:
    return simulate(bars=50_000, seed=request.param, volatility=0.4)


def test_returns_have_fat_tails(minutes: Bars) -> None:
    change = returns(minutes)[:, 0]
    scaled = (change - change.mean()) / change.std()
    assert 6 < (scaled**4).mean() < 200


def test_returns_have_no_memory(minutes: Bars) -> None:
    change = returns(minutes)[:, 0]
    assert max(abs(autocorrelation(change, lag)) for lag in (1, 2, 5, 10)) < 0.04


def test_the_size_of_returns_has_a_long_memory(minutes: Bars) -> None:
    size = np.abs(returns(minutes)[:, 0])
    near, far, farther = (autocorrelation(size, lag) for lag in (1, 20, 200))
    assert near > far > farther > 0.03
    assert near > 0.15


def test_volume_goes_with_volatility(minutes: Bars) -> None:
    size = np.abs(returns(minutes)[:, 0])
    assert np.corrcoef(minutes.array("volume")[1:, 0], size)[0, 1] > 0.4
    assert minutes.array("volume").min() >= 1


def test_volatility_is_about_what_was_asked() -> None:
    sizes = [returns(simulate(bars=20_000, interval="1h", seed=seed, volatility=0.3)).std() * np.sqrt(365.25 * 24) for seed in range(10)]
    assert 0.2 < np.mean(sizes) < 0.4


def test_symbols_are_correlated_as_asked() -> None:
    loose, close = (np.corrcoef(returns(simulate(["A", "B"], bars=20_000, seed=1, correlation=rho)).T)[0, 1] for rho in (0.0, 0.8))
    assert abs(loose) < 0.1
    assert 0.6 < close < 0.9


OPTIONS: dict[str, dict[str, Any]] = {
    "default": {},
    "days": {"days": 2, "seed": 1},
    "several": {"symbols": ["A", "B"], "bars": 500, "interval": "1h", "seed": 3, "missing": 0.05},
    "daily": {"interval": "1D", "days": 300},
    "weekly": {"interval": "7D", "bars": 100},
    "session": {"days": 3, "session": ("14:30", "21:00")},
    "still": {"bars": 1000, "still": 0.3},
    "yen": {"symbols": Instrument("USDJPY", asset_class="fx", tick_size=0.001), "bars": 500},
    "no-tick": {"symbols": Instrument("BTCUSDT", asset_class="crypto"), "bars": 500},
    "cheap": {"bars": 2000, "price": 0.02, "volatility": 3.0},
    "wild": {"bars": 2000, "interval": "1D", "volatility": 1.5},
    "numpy-numbers": {"bars": np.int64(50), "seed": np.int64(2)},
}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS.keys())
def test_simulated_bars_pass_every_check(options: dict[str, Any]) -> None:
    bars = simulate(**options)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again = Bars.from_frames({name: bars[name] for name in bars.symbols}, interval=bars.interval, instruments=bars.instruments)
    assert again.index.equals(bars.index)


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS.keys())
def test_the_same_seed_gives_the_same_bars(options: dict[str, Any]) -> None:
    first, again, other = simulate(**options), simulate(**options), simulate(**{**options, "seed": 99})
    assert first.fingerprint == again.fingerprint != other.fingerprint


def test_the_numbers_of_a_seed_are_pinned() -> None:
    bars = simulate(bars=1000, seed=1)
    assert bars.array("close")[[0, 1, 10, 100, 999], 0].tolist() == PINNED


PINNED = [100.04, 100.05, 100.08, 100.05, 100.34]


def test_bars_are_labelled_as_simulated() -> None:
    bars = simulate(bars=10, seed=7)
    assert (bars.source, bars.simulated) == ("simulated (seed=7)", True)
    assert bars.assumptions == ("made-up prices, not a real market",)
    assert "simulated (seed=7)" in repr(bars)


def test_prices_lie_on_the_grid() -> None:
    bars = simulate(Instrument("ES", asset_class="index", kind="future", tick_size=0.25), bars=500, price=5000.0)
    for name in FIELDS[:4]:
        assert (bars.array(name) % 0.25 == 0).all()


def test_a_symbol_does_not_depend_on_those_after_it() -> None:
    alone, both = simulate(["A"], bars=500, seed=4), simulate(["A", "B"], bars=500, seed=4)
    pd.testing.assert_frame_equal(alone["A"], both["A"])


def test_missing_bars_are_holes_and_labels_without_any_bar_are_gone() -> None:
    two = simulate(["A", "B"], bars=2000, seed=1, missing=0.2)
    assert 0.75 < two.present.mean() < 0.87
    assert two.present.any(axis=1).all()
    assert len(two) < 2000
    assert simulate(bars=2000, missing=0.2).whole


def test_still_bars_do_not_move() -> None:
    bars = simulate(bars=2000, still=0.25, volatility=1.0)
    flat = (bars.array("high") == bars.array("low"))[:, 0]
    assert 0.2 < flat.mean() < 0.35
    assert (bars.array("open")[1:, 0] == bars.array("close")[:-1, 0])[flat[1:]].mean() > 0.9


def test_a_session_has_gaps_over_night_and_no_weekends() -> None:
    bars = simulate(days=200, interval="30min", session=("14:30", "21:00"), seed=2)
    assert set(bars.index.day_of_week) == {0, 1, 2, 3, 4}
    gaps = np.abs(np.log(bars.array("open")[1:, 0] / bars.array("close")[:-1, 0]))
    night = bars.index[1:].strftime("%H:%M") == "14:30"
    assert gaps[night].mean() > 5 * gaps[~night].mean()
    assert len(bars) == 200 * 13


@pytest.mark.parametrize(
    ("options", "count", "last"),
    [
        ({}, 5 * 1440, "2024-01-05 23:59"),
        ({"days": 2, "interval": "1h"}, 48, "2024-01-02 23:00"),
        ({"interval": "1D"}, 500, "2025-11-28"),
        ({"interval": "1D", "days": 5, "start": "2024-01-06"}, 5, "2024-01-12"),
        ({"interval": "1D", "days": 7, "symbols": Instrument("BTCUSD", asset_class="crypto")}, 7, "2024-01-07"),
        ({"bars": 3, "start": "2024-02-01 12:00+02:00"}, 3, "2024-02-01 10:02"),
        ({"bars": 20, "interval": "1h", "session": ("14:00", "21:00")}, 20, "2024-01-03 19:00"),
    ],
    ids=["default", "days", "daily", "weekend", "coin", "zone", "session"],
)
def test_labels_are_where_they_were_asked_for(options: dict[str, Any], count: int, last: str) -> None:
    bars = simulate(**options)
    assert len(bars) == count
    assert bars.index[-1] == pd.Timestamp(last, tz="UTC")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"days": 1, "bars": 10}, "give days or bars, not both"),
        ({"days": 0}, "days must be a whole number above 0, got 0"),
        ({"bars": 1.5}, "bars must be a whole number above 0, got 1.5"),
        ({"seed": -1}, "seed must be a whole number of at least 0, got -1"),
        ({"price": 0}, "price must be a positive number"),
        ({"volatility": float("nan")}, "volatility must be a positive number"),
        ({"missing": 1.0}, "missing must be at least 0 and below 1"),
        ({"still": -0.1}, "still must be at least 0 and below 1"),
        ({"correlation": 2}, "correlation must be at least 0 and below 1"),
        ({"symbols": []}, "symbols must be one or several different names"),
        ({"symbols": ["A", "A"]}, "symbols must be one or several different names"),
        ({"session": ("21:00", "14:30")}, "session must be at least one bar long"),
        ({"session": ("morning", "14:30")}, "session needs times such as"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_wrong_parameters_get_a_sentence(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ParameterError, match=f"simulate: {words}"):
        simulate(**options)

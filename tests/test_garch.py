"""GARCH volatility: against arch's own filter, a simulated series, and what a run would see bar by bar."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np
import pandas as pd
import pytest
from worked import both, market

import workbench as wb
from workbench import indicators
from workbench.errors import ParameterError
from workbench.indicators import _garch
from workbench.indicators._garch import fitted
from workbench.sizing import EqualRisk, VolatilityTarget

OMEGA, ALPHA, BETA = 2e-6, 0.08, 0.90
WINDOW, REFIT = 120, 25


def simulated(count: int, seed: int = 0) -> np.ndarray:
    """Return returns of a GARCH(1, 1)."""
    variance, out = OMEGA / (1 - ALPHA - BETA), np.empty(count)
    for k, error in enumerate(np.random.default_rng(seed).normal(size=count)):
        out[k] = math.sqrt(variance) * error
        variance = OMEGA + ALPHA * out[k] ** 2 + BETA * variance
    return out


def bars_of(returns: np.ndarray, interval: str = "1h") -> wb.Bars:
    return market((100 * np.exp(np.cumsum(np.append(0.0, returns)))).tolist(), interval=interval)


BARS = bars_of(simulated(400))


def forecast(bars: wb.Bars = BARS, window: int = WINDOW, refit: int = REFIT, newest: bool = False) -> np.ndarray:
    return indicators.garch_volatility(bars, window, refit, newest).to_numpy()[:, 0]


# -- what it says -----------------------------------------------------------------------------------------------------


def test_the_parameters_of_a_simulated_series_are_found_again() -> None:
    found = fitted(simulated(20_000, seed=3).tobytes())
    assert found is not None
    assert (found.alpha, found.beta) == pytest.approx((ALPHA, BETA), abs=0.02)
    assert found.omega / (1 - found.alpha - found.beta) == pytest.approx(OMEGA / (1 - ALPHA - BETA), rel=0.15)


def test_the_forecast_is_that_of_archs_own_filter() -> None:
    from arch import arch_model

    anchor = int(np.flatnonzero(np.diff(BARS.labels // (REFIT * BARS.interval_ns)))[-3]) + 1
    returns = np.diff(np.log(BARS.close.to_numpy()[:, 0]))[anchor - WINDOW : anchor]
    result = arch_model(returns * 1000, mean="Zero", rescale=False).fit(disp="off")
    expected = math.sqrt(result.forecast(horizon=1).variance.iloc[-1, 0]) / 1000
    assert forecast()[anchor] == pytest.approx(expected, rel=1e-3)  # the search ends at another last digit for another scale
    found = fitted(returns.tobytes())
    assert found is not None
    scaled = [found.omega * 1e6, found.alpha, found.beta]
    fixed = arch_model(returns * 1000, mean="Zero", rescale=False).fix(scaled).conditional_volatility / 1000
    following = math.sqrt(found.omega + found.alpha * returns[-1] ** 2 + found.beta * fixed[-1] ** 2)
    assert forecast()[anchor] == pytest.approx(following, rel=1e-12)


def test_between_two_fits_each_bar_moves_the_variance() -> None:
    begins = np.flatnonzero(np.diff(BARS.labels // (REFIT * BARS.interval_ns)))[-1] + 1
    returns = np.diff(np.log(BARS.close.to_numpy()[:, 0]))
    found = fitted(returns[begins - WINDOW : begins].tobytes())
    assert found is not None
    for row in range(begins + 1, min(begins + REFIT, len(BARS))):
        expected = found.omega + found.alpha * returns[row - 1] ** 2 + found.beta * forecast()[row - 1] ** 2
        assert forecast()[row] == pytest.approx(math.sqrt(expected), rel=1e-12)


def test_it_is_nearer_to_the_true_volatility_than_a_window_is() -> None:
    returns = simulated(3_000, seed=5)
    variance, true = OMEGA / (1 - ALPHA - BETA), []
    for change in returns:
        variance = OMEGA + ALPHA * change**2 + BETA * variance
        true.append(math.sqrt(variance))
    bars = bars_of(returns)
    known, plain = forecast(bars, 1000, 500)[2000:], indicators.volatility(bars, 20).to_numpy()[2000:, 0]
    errors = [float(np.mean(np.abs(found / np.array(true)[1999:] - 1))) for found in (known, plain)]
    assert errors[0] < 0.5 * errors[1]


# -- the same in research and live ------------------------------------------------------------------------------------


@pytest.mark.parametrize("cached", [True, False], ids=["fits remembered", "fitted anew"])
def test_01_later_bars_change_no_bit(cached: bool) -> None:
    whole = forecast()
    for row in (WINDOW + REFIT, 230, 237, 399):
        if not cached:
            fitted.cache_clear()
        cut = BARS.iloc[: row + 1]
        assert np.array_equal(forecast(cut), whole[: row + 1], equal_nan=True)
        assert forecast(cut, newest=True)[-1] == whole[row]
        assert np.isnan(forecast(cut, newest=True)[:-1]).all()


@pytest.mark.parametrize("first", [1, 7, 24, 100])
def test_06_bars_older_than_the_lookback_change_nothing(first: int) -> None:
    need = VolatilityTarget(0.1, WINDOW, "garch", refit=REFIT).lookback
    assert need == indicators.garch_lookback(WINDOW, REFIT) == WINDOW + 2 * REFIT
    later = forecast(BARS.iloc[first:])[need - 1 :]
    np.testing.assert_array_equal(later, forecast()[first + need - 1 :])
    assert not np.isnan(later).any()


def test_04_an_instrument_with_holes_is_worked_out_without_them() -> None:
    rows = BARS.close.to_numpy()[:, 0].tolist()
    rows = [None if k % 11 == 3 else price for k, price in enumerate(rows)]
    one, other = wb.Instrument("ABC"), wb.Instrument("XYZ")
    together = market({one: rows, other: BARS.close.to_numpy()[:, 0].tolist()})
    alone, beside = forecast(market(rows)), indicators.garch_volatility(together, WINDOW, REFIT)["ABC"].dropna()
    np.testing.assert_array_equal(alone[~np.isnan(alone)], beside)


def crossing(method: Any = "garch", **more: Any) -> wb.Strategy:
    sizer = VolatilityTarget(0.15, WINDOW, method, refit=REFIT, **more)
    return wb.Strategy(wb.signals.MovingAverageCross(3, 9), sizer, exits=[wb.exits.AtrStop(5)], risk=[wb.risk.MaxLeverage(3)])


def test_research_replay_and_live_size_alike() -> None:
    result = both(crossing(), BARS)
    assert len(result.fills) > 10
    assert wb.check_parity(crossing(), BARS).differences.empty


def test_by_hand_the_target_over_the_forecast() -> None:
    result = both(crossing(), BARS, cash=10_000)
    row = result.decisions.dropna(subset="asked").query("asked > 0").iloc[0]
    at = BARS.index.get_loc(row["time"])
    expected = 0.15 * row["equity"] / (forecast()[at] * math.sqrt(252 * 6.5) * row["close"])
    assert row["asked"] == pytest.approx(expected, rel=1e-12)


def test_equal_risk_shares_it() -> None:
    bars = wb.simulate(["A", "B"], bars=200, interval="1h", seed=5)
    kinds = (kind(0.1, WINDOW, "garch", refit=REFIT) for kind in (VolatilityTarget, EqualRisk))
    one, each = (kind.measured(bars, None, newest=True) for kind in kinds)
    assert one is not None
    np.testing.assert_array_equal(each, one * 2)


# -- where nothing can be said ----------------------------------------------------------------------------------------


def test_before_the_first_fit_nothing_opens_and_it_is_said() -> None:
    result = both(crossing(), BARS.iloc[: WINDOW - 1])
    assert not len(result.fills)
    assert set(result.decisions["reason"]) == {"VolatilityTarget asks for nothing"}


def test_a_price_that_never_moves_has_no_fit() -> None:
    assert np.isnan(forecast(market([100.0] * 300))).all()


@pytest.mark.parametrize(("failed", "known"), [(1, True), (2, False)], ids=["one fit fails", "two in a row"])
def test_a_fit_that_fails_keeps_the_parameters_of_the_one_before(monkeypatch: pytest.MonkeyPatch, failed: int, known: bool) -> None:
    begins = np.flatnonzero(np.diff(BARS.labels // (REFIT * BARS.interval_ns))) + 1
    anchors = [row for row in begins if row >= WINDOW]
    changes = np.diff(np.log(BARS.close.to_numpy()[:, 0]))
    windows = [changes[row - WINDOW : row].tobytes() for row in anchors]
    broken = windows[3 - failed : 3]
    monkeypatch.setattr(_garch, "fitted", lambda window: None if window in broken else fitted(window))
    found, before = forecast(BARS.iloc[: anchors[3]]), fitted(windows[1])
    assert np.isnan(found[anchors[2]]) != known
    if known:
        assert before is not None
        later = [before.following(found[row] ** 2, changes[row]) for row in range(anchors[2], anchors[3] - 1)]
        np.testing.assert_allclose(found[anchors[2] + 1 :], np.sqrt(later), rtol=1e-12)


def test_a_search_that_does_not_converge_is_no_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    from arch.univariate import ZeroMean

    fitted.cache_clear()
    own = ZeroMean.fit
    monkeypatch.setattr(ZeroMean, "fit", lambda self, **more: own(self, **more, options={"maxiter": 1}))
    assert fitted(simulated(WINDOW, seed=9).tobytes()) is None
    fitted.cache_clear()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: VolatilityTarget(0.1, 20, "garch"), "VolatilityTarget(method='garch'): window must be at least 100 returns, got 20"),
        (lambda: VolatilityTarget(0.1, method="garch", refit=0), "refit must be at least 1 bar, got 0"),
        (lambda: VolatilityTarget(method="grach"), "did you mean 'garch'?"),
        (lambda: indicators.garch_volatility(BARS, 50), "window must be a whole number of bars, at least 100, got 50"),
    ],
    ids=["window", "refit", "misspelt", "indicator"],
)
def test_what_cannot_be_is_refused(make: Any, said: str) -> None:
    with pytest.raises(ParameterError) as caught:
        make()
    assert said in str(caught.value)


def test_twenty_thousand_bars_take_some_seconds() -> None:
    fitted.cache_clear()
    bars, began = bars_of(simulated(20_000)), time.process_time()
    values = pd.Series(forecast(bars, 500, 200)).dropna()
    assert time.process_time() - began < 20
    assert len(values) > 19_000

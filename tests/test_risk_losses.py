"""Limits on losses: any book against numpy (SEMANTICS 20, 33); cases by hand: `test_book_cases`."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from worked import both, market, plan, reasons

import workbench as wb
from workbench.errors import ParameterError
from workbench.risk import ExpectedShortfall, MaxVolatility, ValueAtRisk, expected_shortfall, value_at_risk
from workbench.risk._returns import filtered_returns, own_returns

WINDOW = 40
STEPS = pd.date_range("2024-01-01", periods=WINDOW + 1, freq="D", tz="UTC")


def bars_of(returns: np.ndarray, instruments: list[wb.Instrument]) -> wb.Bars:
    """Return daily bars with these returns, each instrument's last close 1."""
    closes = np.cumprod(np.concatenate([np.ones((1, returns.shape[1])), 1.0 + returns]), axis=0)
    closes /= closes[-1]
    index = pd.date_range("2024-01-01", periods=len(closes), freq="D", tz="UTC")
    frames = {
        one.symbol: pd.DataFrame(dict.fromkeys(("open", "high", "low", "close"), closes[:, j]), index) for j, one in enumerate(instruments)
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return wb.Bars.from_frames(frames, interval="1D", instruments=instruments)


def fine(symbol: str, step: float = 1e-6, **more: Any) -> wb.Instrument:
    return wb.Instrument(symbol, quantity_step=step, min_notional=0, **more)


def test_an_expansion_that_breaks_down_is_said() -> None:
    with pytest.warns(UserWarning, match="value_at_risk: Cornish and Fisher's expansion breaks down"):
        value_at_risk([0.01] * 40 + [-0.5], method="modified")


def test_an_expansion_breaks_down_where_its_quantiles_fall_as_the_probability_rises() -> None:
    z, said = np.sinh(np.linspace(-9, 9, 20_001)), []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        made = rng.standard_t(rng.uniform(3, 30), 60) * 0.01 + rng.exponential(0.01, 60) * rng.uniform(-1, 1)
        skew, excess = stats.skew(made), stats.kurtosis(made)
        quantiles = z + (z**2 - 1) * skew / 6 + (z**3 - 3 * z) * excess / 24 - (2 * z**3 - 5 * z) * skew**2 / 36
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            value_at_risk(made, method="modified")
        said.append(bool(caught))
        assert said[-1] == bool((np.diff(quantiles) < 0).any()), (seed, skew, excess)
    assert 40 < sum(said) < 160


def test_a_preview_without_past_bars_is_refused() -> None:
    book = wb.Portfolio("USD", 1e6, {fine("A"): 100}, {"A": 1.0})
    with pytest.raises(ParameterError, match="ValueAtRisk looks back at past returns: give the portfolio bars"):
        wb.Strategy(wb.signals.Breakout(), risk=[ValueAtRisk()]).preview(wb.Order(fine("A"), "buy", 1), book)


# -- any book against numpy -------------------------------------------------------------------------------------------


def numpy_measure(part: Any, returns: np.ndarray, bars: wb.Bars) -> Any:
    """Return a function from money in each instrument to the measure, by numpy."""
    kept = returns[-part.window :]
    if isinstance(part, MaxVolatility):
        weights = 0.94 ** np.arange(part.window)[::-1] if part.method == "ewma" else None
        if part.method == "ewma":
            cov = (kept * weights[:, None]).T @ kept / weights.sum()
        else:
            cov = np.cov(kept.T, ddof=0).reshape(returns.shape[1], -1)
            if part.method == "shrunk":
                cov = (1 - part.shrink) * cov + part.shrink * np.diag(np.diag(cov))
        return lambda money: math.sqrt(money @ cov @ money * part.year)
    if part.method == "filtered":
        both_halves = filtered_returns(bars)
        n = returns.shape[1]
        kept = both_halves[-part.window :, :n] * both_halves[-1, n:]
    ask = expected_shortfall if isinstance(part, ExpectedShortfall) else value_at_risk
    method = "historical" if part.method == "filtered" else part.method
    return lambda money: ask(kept @ money, part.confidence, method) * math.sqrt(part.horizon)


PARTS = [
    *(
        kind(1.0, 0.9, method, WINDOW, "money")
        for kind in (ValueAtRisk, ExpectedShortfall)
        for method in ("historical", "gaussian", "filtered", "modified")
    ),
    *(MaxVolatility(1.0, method, WINDOW, of="money") for method in ("sample", "ewma", "shrunk")),
]


@pytest.mark.filterwarnings("ignore:.*breaks down")
@pytest.mark.parametrize("part", PARTS, ids=lambda part: f"{type(part).__name__}-{part.method}")
def test_20_the_largest_size_up_to_which_every_size_is_within_the_limit(part: Any) -> None:
    cut = 0
    for seed in range(25):
        rng = np.random.default_rng(seed)
        n = int(rng.integers(1, 5))
        returns = rng.normal(0, rng.uniform(0.005, 0.03, n), (WINDOW + 30, n)) + 0.3 * rng.normal(0, 0.01, (WINDOW + 30, 1))
        instruments = [fine(f"S{k}") for k in range(n)]
        bars = bars_of(returns, instruments)
        measure = numpy_measure(part, own_returns(bars), bars)
        held = np.round(rng.normal(0, 1000, n) * (rng.random(n) < 0.7), 6)
        held[0] = held[0] or 500.0
        now = measure(held)
        limit = max(now, 0.1) * float(rng.choice([0.6, 1.0, 1.3, 3.0]))
        chosen = part.clone() if hasattr(part, "clone") else type(part)(**part.get_params())
        chosen.set_params(limit=limit)
        book = wb.Portfolio("USD", 1e7, dict(zip(instruments, held, strict=True)), {one.symbol: 1.0 for one in instruments}, history=bars)
        j, side = int(rng.integers(n)), float(rng.choice([-1, 1]))
        if held[j] * side < 0:
            side = -side
        order = wb.Order(instruments[j], "buy" if side > 0 else "sell", 50_000)
        allowed = wb.Strategy(wb.signals.Breakout(), risk=[chosen]).preview(order, book).quantity
        most = max(limit, now)
        unit = np.zeros(n)
        unit[j] = side
        for share in np.linspace(0, 1, 23):
            assert measure(held + share * allowed * unit) <= most * (1 + 1e-6), (seed, allowed, share)
        if allowed < 50_000:
            cut += 1
            beyond = measure(held + (allowed * (1 + 1e-5) + 1e-4) * unit)
            assert beyond > most * (1 - 1e-6) or part.method == "modified", (seed, allowed)
    assert cut > 8


# -- in a run ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [ValueAtRisk(0.9, window=8), MaxVolatility(9, window=8)], ids=["value at risk", "volatility"])
def test_33_with_fewer_returns_than_the_window_nothing_opens(limit: Any) -> None:
    rows = [100 + (k * 7) % 5 for k in range(12)]
    result = both(plan(".....+0...+.", quantity=1, risk=[limit]), market(rows, interval="1D"))
    assert result.fills["time"].dt.day.tolist() == [12]
    assert "cut to nothing" in reasons(result)[0]


@pytest.mark.parametrize("kind", [ValueAtRisk, MaxVolatility])
def test_33_that_there_are_too_few_returns_is_said(kind: Any) -> None:
    one = fine("A")
    book = wb.Portfolio("USD", 1e6, {one: 100}, {"A": 1.0}, history=bars_of(np.full((7, 1), 0.01), [one]))
    found = wb.Strategy(wb.signals.Breakout(), risk=[kind(window=8)]).preview(wb.Order(one, "buy", 1), book)
    assert found.quantity == 0.0
    assert found.reasons[0].why == "fewer than 8 steps at which all that is held had a bar"


def test_33_returns_that_are_none_are_left_out_of_a_figure() -> None:
    made = [0.01, math.nan, -0.02, 0.03, math.nan, -0.01]
    assert value_at_risk(made, 0.75) == pytest.approx(-np.nanquantile(made, 0.25))
    assert expected_shortfall(made, 0.75) == 0.02


def test_33_a_figure_of_hours_is_scaled_by_the_root_of_the_hours_in_a_day() -> None:
    rng = np.random.default_rng(3)
    rows = (100 * np.cumprod(1 + rng.normal(0, 0.01, 60))).tolist()
    bars = market(rows)
    limit = ValueAtRisk(0.01, 0.95, "historical", 48)
    result = both(plan("." * 55 + "+....", quantity=1e6, risk=[limit], sizer=wb.sizing.FixedQuantity(1e6)), bars, buying_power=False)
    returns = own_returns(bars)[8:56, 0]  # 48 hours, of three days: rows 8 to 55
    steps = 48 / len({time.date() for time in bars.index[8:56]})
    lost = -np.quantile(returns, 0.05) * math.sqrt(steps) * rows[55]
    assert result.decisions["opened"].abs().tolist() == [math.floor(0.01 * 100_000 / lost)]


def test_33_steps_count_at_which_all_that_is_held_had_a_bar() -> None:
    bars = wb.simulate(["A", "B"], bars=80, interval="1h", seed=3)
    strategy = wb.Strategy(wb.signals.MovingAverageCross(2, 5), wb.sizing.FixedFraction(0.9), risk=[ValueAtRisk(0.01, window=20)])
    assert not len(wb.check_parity(strategy, bars).differences)


# -- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: ValueAtRisk(0), "limit must be a positive number, a share of equity (0.02 = two percent), got 0"),
        (lambda: ValueAtRisk(20_000), "got 20000; an amount is of='money'"),
        (lambda: ValueAtRisk(confidence=95), "confidence lies between 0.5 and 1 (0.95 = ninety-five percent), got 95"),
        (lambda: value_at_risk([0.1, 0.2], 95), "value_at_risk: confidence lies between 0.5 and 1 (0.95 = ninety-five percent), got 95"),
        (lambda: ValueAtRisk(window=1), "window must be 2 to 900 returns, got 1"),
        (lambda: ExpectedShortfall(horizon=0), "horizon must be a positive number of days, got 0"),
        (lambda: MaxVolatility(shrink=2), "shrink is a share from 0 to 1, got 2"),
        (lambda: MaxVolatility(year=0), "year must be a positive number of trading days, got 0"),
        (lambda: value_at_risk([0.1]), "value_at_risk needs at least two returns, got 1"),
        (lambda: expected_shortfall([0.1, 0.2], method="filtered"), "method must be historical, gaussian or modified, got 'filtered'"),
    ],
)
def test_what_cannot_be_is_refused(make: Any, said: str) -> None:
    with pytest.raises(ParameterError) as caught:
        make()
    assert said in str(caught.value)

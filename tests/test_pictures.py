"""Pictures of a result and of a model, against figures worked out by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from workbench.errors import ParameterError
from workbench.research.pictures import plot_calibration, plot_importance, plot_leverage, plot_months, plot_rolling, returns_by_month

DAILY = wb.backtest(wb.Strategy(wb.signals.MovingAverageCross(10, 50)), wb.sample("sp500").iloc[-900:])


def test_months_and_years_by_hand() -> None:
    index = pd.DatetimeIndex(["2023-11-30", "2023-12-15", "2023-12-29", "2024-02-01", "2024-02-29"], tz="UTC")
    found = returns_by_month(pd.Series([110.0, 99.0, 121.0, 130.0, 60.5], index), 100.0)
    assert found.index.tolist() == [2023, 2024]
    assert found.loc[2023, ["Nov", "Dec", "year"]].tolist() == pytest.approx([10.0, 10.0, 21.0])
    assert found.loc[2024, ["Feb", "year"]].tolist() == pytest.approx([-50.0, -50.0])
    assert np.isnan(found.loc[2024, "Jan"])


def test_the_months_compound_to_the_year_and_the_years_to_the_return() -> None:
    found = returns_by_month(DAILY.equity, DAILY.setup.cash) / 100
    months = (1 + found.drop(columns="year")).prod(axis=1) - 1
    assert months.to_numpy() == pytest.approx(found["year"].to_numpy())
    assert (1 + found["year"]).prod() - 1 == pytest.approx(DAILY.stats["return %"] / 100)


def test_the_map_of_months_has_a_row_a_year() -> None:
    (cells,) = plot_months(DAILY).data
    assert list(cells.y) == [str(year) for year in sorted(set(DAILY.equity.index.year))]
    assert list(cells.x)[-1] == "year"


def test_rolling_figures_are_those_of_their_days() -> None:
    figure = plot_rolling(DAILY, 63)
    returns = DAILY.equity.pct_change().iloc[-63:]
    year = 365.25 * (len(DAILY.equity) - 1) / (DAILY.equity.index[-1] - DAILY.equity.index[0]).days
    sharpe, volatility = (trace.y[-1] for trace in figure.data)
    assert sharpe == pytest.approx(returns.mean() / returns.std() * np.sqrt(year))
    assert volatility == pytest.approx(returns.std() * np.sqrt(year) * 100)


def test_where_nothing_moved_there_is_no_rolling_ratio_and_no_line_across() -> None:
    class Once(wb.signals.SignalGenerator):
        def generate(self, bars: wb.Bars) -> pd.DataFrame:
            return bars.close * 0 + (np.arange(len(bars)) % 400 < 20).astype(float)[:, None]

    result = wb.backtest(wb.Strategy(Once()), DAILY.bars)
    sharpe, volatility = plot_rolling(result, 63).data
    flat = np.flatnonzero(np.array(volatility.y) == 0)
    assert len(flat) > 300
    assert np.isnan(np.array(sharpe.y)[flat]).all()
    assert not sharpe.connectgaps


def test_a_low_picture_has_its_legend_below_its_dates() -> None:
    low, high = plot_leverage(DAILY), DAILY.plot()
    assert [figure.layout.legend.y * (figure.layout.height - 100) for figure in (low, high)] == pytest.approx([-40, -40])


def test_too_few_days_for_rolling_figures_are_refused() -> None:
    with pytest.raises(ParameterError, match="rolling figures over 2000 days need as many, got 900"):
        plot_rolling(DAILY, 2000)


def test_gross_and_net_are_shares_of_equity() -> None:
    gross, net = plot_leverage(DAILY).data
    held = DAILY.exposure("instrument").iloc[:, 0]
    assert max(gross.y) == pytest.approx((held.abs() / DAILY.equity).max() * 100)
    assert min(net.y) == pytest.approx((held / DAILY.equity).min() * 100)


def test_importance_finds_the_feature_that_matters() -> None:
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(1)
    rows = pd.DataFrame(rng.normal(size=(400, 3)), columns=["noise", "signal", "nothing"])
    labels = (rows["signal"] + 0.3 * rng.normal(size=400) > 0).astype(float)
    labels.iloc[:5] = np.nan
    (bars,) = plot_importance(LogisticRegression().fit(rows, labels.fillna(0)), rows, labels.sample(frac=1.0, random_state=2)).data
    assert list(bars.y)[-1] == "signal"
    assert bars.x[-1] > 0.2 > max(bars.x[:-1])


def test_importance_needs_rows_that_can_be_joined() -> None:
    with pytest.raises(ParameterError, match="no row has all its features and a label"):
        plot_importance(None, pd.DataFrame({"a": [1.0]}, index=[0]), pd.Series([1.0], index=[1]))


def test_a_calibration_by_hand() -> None:
    said = pd.Series([0.1] * 10 + [0.9] * 10)
    came = pd.Series([1.0] * 2 + [0.0] * 8 + [1.0] * 7 + [0.0] * 3)
    line = plot_calibration(said, came.sample(frac=1.0, random_state=1), bins=2).data[1]
    assert list(line.x) == pytest.approx([0.1, 0.9])
    assert list(line.y) == pytest.approx([0.2, 0.7])
    assert list(line.customdata) == [10, 10]


def test_one_probability_for_all_is_one_point() -> None:
    line = plot_calibration(pd.Series([0.5] * 8), pd.Series([1.0] * 6 + [0.0] * 2)).data[1]
    assert (list(line.x), list(line.y), list(line.customdata)) == ([0.5], [0.75], [8])


def test_a_calibration_needs_rows_that_can_be_joined() -> None:
    with pytest.raises(ParameterError, match="no row has a probability and an outcome"):
        plot_calibration(pd.Series([0.1], index=[0]), pd.Series([1.0], index=[1]))

"""More pictures of a result: its months, its rolling figures, its leverage; what a model looks at, and whether to believe it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from workbench.errors import ParameterError
from workbench.research.exposures import holdings_of
from workbench.research.plots import BLUE, GREY, ORANGE, SIMULATED, add_line, dress
from workbench.research.statistics import Days, daily_returns

if TYPE_CHECKING:
    from workbench.research.result import Backtest

__all__ = ["plot_calibration", "plot_importance", "plot_leverage", "plot_months", "plot_rolling", "returns_by_month"]

#: Days that rolling figures are made of: a quarter of a year of sessions.
ROLLING = 63
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
#: Red below zero, blue above, pale in between: to be told apart by the colour-blind, too.
DIVERGING = [[0.0, "#b2182b"], [0.35, "#f4a582"], [0.5, "#f7f7f7"], [0.65, "#92c5de"], [1.0, "#2166ac"]]


def returns_by_month(equity: pd.Series, cash: float) -> pd.DataFrame:
    """Return the return of each month in percent, a row a year, and the year's in the column ``year``; NaN where there was none.

    Parameters
    ----------
    equity : Series of length T
        At the close of each step.
    cash : float
        At the start: the first month is measured from it.
    """
    ends = equity.groupby([equity.index.year, equity.index.month]).last()
    monthly = ends / ends.shift(1, fill_value=cash) - 1.0
    table = monthly.unstack().reindex(columns=range(1, 13))
    table.columns = list(MONTHS)
    years = equity.groupby(equity.index.year).last()
    table["year"] = years / years.shift(1, fill_value=cash) - 1.0
    table.index.name = None
    return table * 100


def plot_months(result: Backtest) -> Any:
    """Return a map of the months' returns, a row a year."""
    import plotly.graph_objects as go

    table = returns_by_month(result.equity, result.setup.cash)
    most = float(np.nanmax(np.abs(table[list(MONTHS)].to_numpy())))
    years = [str(year) for year in table.index]
    figure = go.Figure(
        go.Heatmap(
            z=table.to_numpy(), x=list(table.columns), y=years, colorscale=DIVERGING, zmid=0, zmin=-most, zmax=most, showscale=False,
            xgap=2, ygap=2, texttemplate="%{z:+.1f}", hoverongaps=False, hovertemplate="%{y} %{x}: %{z:+.2f} %<extra></extra>",
        )
    )  # fmt: skip
    dress(figure, _titled("Returns by month, %", result), max(170, 100 + 26 * len(years)))
    figure.update_xaxes(side="top", showgrid=False, type="category")
    figure.update_yaxes(autorange="reversed", showgrid=False, type="category")
    figure.update_layout(margin={"t": 90})
    return figure


def plot_rolling(result: Backtest, days: int = ROLLING) -> Any:
    """Return the Sharpe ratio and the volatility a year, over the last so many days with an equity; no line where nothing moved.

    Raises
    ------
    ParameterError
        There are fewer days than that.
    """
    from plotly.subplots import make_subplots

    returns = daily_returns(result.equity, result.setup.cash)
    if len(returns) < days:
        raise ParameterError(f"rolling figures over {days} days need as many, got {len(returns)}")
    scale = Days(result.equity.index.as_unit("ns").asi8).scale
    window = returns.rolling(days)
    deviation = window.std(ddof=1)
    titles = [f"Sharpe ratio of the last {days} days", "Volatility a year, %"]
    figure = make_subplots(2, 1, shared_xaxes=True, vertical_spacing=0.12, subplot_titles=titles)
    add_line(figure, (window.mean() / deviation.where(deviation > 0) * scale).iloc[days - 1 :], "Sharpe", BLUE, 1, digits=2)
    add_line(figure, (deviation * scale * 100).iloc[days - 1 :], "volatility", ORANGE, 2, digits=2, unit=" %")
    figure.add_hline(0, line={"color": GREY, "width": 1, "dash": "dot"}, row=1, col=1)
    dress(figure, SIMULATED if result.bars.simulated else "", 460)
    figure.update_annotations(x=0, xanchor="left", font_size=14)
    figure.update_layout(showlegend=False)
    return figure


def plot_leverage(result: Backtest) -> Any:
    """Return gross and net notional as a share of equity at each close."""
    from plotly.subplots import make_subplots

    equity = result.equity
    notional = pd.DataFrame(holdings_of(result).notional, equity.index)
    figure = make_subplots(1, 1)
    gross, net = (held.sum(axis=1) / equity.where(equity > 0) * 100 for held in (notional.abs(), notional))
    add_line(figure, gross, "gross", GREY, 1, digits=1, unit=" %", fill="tozeroy")
    add_line(figure, net, "net", BLUE, 1, digits=1, unit=" %")
    dress(figure, _titled("Gross and net notional, % of equity", result), 300)
    return figure


def plot_importance(
    model: Any, rows: pd.DataFrame, labels: pd.Series, *, repeats: int = 10, seed: int = 0, scoring: str | None = None
) -> Any:
    """Return how much worse a model scores when one feature after the other is shuffled (Breiman, 2001), with its spread.

    Take rows that it was not trained on: on its own it shows what it has learnt by heart.

    Parameters
    ----------
    model : fitted scikit-learn estimator
    rows : DataFrame of shape (n, features)
    labels : Series of length n
        Joined by its index.
    repeats, seed, scoring : optional
        As in scikit-learn's ``permutation_importance``.
    """
    import plotly.graph_objects as go
    from sklearn.inspection import permutation_importance

    known = rows.dropna().join(labels.rename("label").dropna(), how="inner")
    if not len(known):
        raise ParameterError("no row has all its features and a label: they are joined by index")
    found = permutation_importance(model, known[list(rows.columns)], known["label"], n_repeats=repeats, random_state=seed, scoring=scoring)
    order = np.argsort(found.importances_mean)
    names = [str(rows.columns[k]) for k in order]
    bars = go.Bar(
        x=found.importances_mean[order], y=names, orientation="h", marker_color=BLUE,
        error_x={"type": "data", "array": found.importances_std[order], "color": GREY},
        hovertemplate="%{y}: %{x:.4f}<extra></extra>",
    )  # fmt: skip
    figure = go.Figure(bars)
    dress(figure, f"Loss of score when a feature is shuffled, {len(known):,} rows", max(220, 120 + 24 * len(names)))
    figure.update_layout(margin={"l": 140})
    return figure


def plot_calibration(probabilities: pd.Series, outcomes: pd.Series, bins: int = 10) -> Any:
    """Return how often what was said with a probability came true: on the diagonal, it may be believed.

    Parameters
    ----------
    probabilities : Series
        Of the event.
    outcomes : Series
        1 where it came, 0 where not; joined by index, NaN left out.
    bins : int, default 10
        Of equally many rows each.
    """
    from plotly.subplots import make_subplots

    known = pd.DataFrame({"said": probabilities}).join(outcomes.rename("came"), how="inner").dropna()
    if not len(known):
        raise ParameterError("no row has a probability and an outcome: they are joined by index")
    groups = known.groupby(pd.qcut(known["said"], bins, duplicates="drop").cat.codes)  # of one probability alone: one group
    said, came, count = groups["said"].mean(), groups["came"].mean(), groups.size()
    error = np.sqrt(came * (1 - came) / count)
    figure = make_subplots(1, 1)
    figure.add_scatter(x=[0, 1], y=[0, 1], mode="lines", name="what is said comes", line={"color": GREY, "dash": "dot"}, hoverinfo="skip")
    spread = {"type": "data", "array": error, "color": GREY}
    figure.add_scatter(
        x=said, y=came, mode="lines+markers", name="this model", line={"color": BLUE}, error_y=spread, customdata=count,
        hovertemplate="said %{x:.3f} · came %{y:.3f} · %{customdata:,} rows<extra></extra>",
    )  # fmt: skip
    dress(figure, f"Calibration, {len(known):,} rows", 420)
    figure.update_xaxes(title_text="probability that was said", range=[-0.02, 1.02])
    figure.update_yaxes(title_text="share that came", range=[-0.02, 1.02])
    return figure


def _titled(title: str, result: Backtest) -> str:
    return f"{title} - simulated market" if result.bars.simulated else title

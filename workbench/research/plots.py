"""Pictures of a result (plotly)."""

from __future__ import annotations

from itertools import cycle, pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from workbench.research.statistics import drawdown

if TYPE_CHECKING:
    from workbench.research.result import Backtest

__all__ = ["plot_backtest", "plot_bars", "plot_lines"]

#: Colours that read on white and on dark, and for the colour-blind.
BLUE, ORANGE, GREEN, RED, GREY = "#3b7dd8", "#e69f00", "#1f9e77", "#d1495b", "#8a8f98"
#: More points than a screen has pixels only slow it down.
MOST_POINTS = 4000


def thinned(index: pd.DatetimeIndex, values: np.ndarray) -> tuple[pd.DatetimeIndex, np.ndarray]:
    """Return at most `MOST_POINTS` points that keep every high and low a screen could show."""
    if len(values) <= MOST_POINTS:
        return index, values
    edges = np.linspace(0, len(values), MOST_POINTS // 2 + 1).astype(int)
    tops, bottoms = np.where(np.isnan(values), -np.inf, values), np.where(np.isnan(values), np.inf, values)
    keep: set[int] = {0, len(values) - 1}
    for first, last in pairwise(edges.tolist()):
        keep.update((first + int(np.argmax(tops[first:last])), first + int(np.argmin(bottoms[first:last]))))
    rows = np.array(sorted(keep))
    return index[rows], values[rows]


def plot_backtest(result: Backtest) -> Any:
    """Return one figure: the price with the trades, the equity, and its drawdown.

    Of several symbols the price panel shows the one that was traded most.
    """
    from plotly.subplots import make_subplots

    symbol = result.trades["symbol"].mode()[0] if len(result.trades) else result.bars.symbols[0]
    figure = make_subplots(
        3, 1, shared_xaxes=True, vertical_spacing=0.045, row_heights=[0.45, 0.35, 0.2],
        subplot_titles=(f"{symbol}: close and trades", f"Equity in {result.currency}", "Drawdown, %"),
    )  # fmt: skip
    _add_price(figure, result, symbol)
    index, equity = thinned(result.equity.index, result.equity.to_numpy())
    _add_line(figure, index, equity, "equity", BLUE, 2)
    figure.add_hline(result.setup.cash, line={"color": GREY, "width": 1, "dash": "dot"}, row=2, col=1)
    index, fall = thinned(result.equity.index, drawdown(result.equity).to_numpy() * 100)
    _add_line(figure, index, fall, "drawdown", RED, 3, fill="tozeroy")
    _dress(figure, _title(result), 720)
    return figure


def plot_bars(bars: Any, symbol: str | None = None) -> Any:
    """Return a figure of one instrument's closes, and its volume where it has one."""
    from plotly.subplots import make_subplots

    chosen = symbol or bars.symbols[0]
    frame = bars[chosen]
    volume = bool((frame["volume"] > 0).any())
    figure = make_subplots(2 if volume else 1, 1, shared_xaxes=True, vertical_spacing=0.04, row_heights=[0.75, 0.25] if volume else [1.0])
    index, close = thinned(frame.index, frame["close"].to_numpy())
    _add_line(figure, index, close, "close", BLUE, 1)
    if volume:
        index, traded = thinned(frame.index, frame["volume"].to_numpy())
        # bars thinner than a pixel would be drawn too pale to see
        _add_line(figure, index, traded, "volume", GREY, 2, fill="tozeroy")
    others = f" (1 of {len(bars.symbols)} symbols)" if len(bars.symbols) > 1 else ""
    _dress(figure, f"{chosen}, {bars.interval}{others}" + (" - simulated market" if bars.simulated else ""), 460)
    figure.update_layout(showlegend=False)
    figure.update_yaxes(title_text="close", row=1, col=1)
    if volume:
        figure.update_yaxes(title_text="volume", row=2, col=1)
    return figure


def plot_lines(table: pd.DataFrame, title: str) -> Any:
    """Return a figure with a line for each column of a table that is indexed by time."""
    from plotly.subplots import make_subplots

    figure = make_subplots(1, 1)
    for name, colour in zip(table, cycle((BLUE, ORANGE, GREEN, RED, GREY)), strict=False):
        _add_line(figure, *thinned(table.index, table[name].to_numpy()), str(name), colour, 1)
    _dress(figure, title, 420)
    return figure


def _title(result: Backtest) -> str:
    simulated = " - <b>simulated market</b>" if result.bars.simulated else ""
    return f"{', '.join(result.bars.symbols[:4])}, {result.bars.interval}{simulated}"


def _add_line(figure: Any, index: pd.DatetimeIndex, values: np.ndarray, name: str, colour: str, row: int, **more: Any) -> None:
    figure.add_scatter(x=index, y=values, name=name, mode="lines", line={"color": colour, "width": 1.4}, row=row, col=1, **more)


def _add_price(figure: Any, result: Backtest, symbol: str) -> None:
    close = result.bars.close[symbol].dropna()
    index, values = thinned(close.index, close.to_numpy())
    _add_line(figure, index, values, "close", GREY, 1)
    trades = result.trades[result.trades["symbol"] == symbol]
    shown = trades.iloc[-400:]
    exits = shown[shown["exit"] != "open"]
    if len(exits):
        _add_marks(figure, exits["exited"], exits["exit_price"], "exit", "x-thin-open", ORANGE, 6)
    for side, mark, colour in (("long", "triangle-up", GREEN), ("short", "triangle-down", RED)):
        entries = shown[shown["side"] == side]
        if len(entries):
            _add_marks(figure, entries["entered"], entries["entry_price"], f"{side} entry", mark, colour, 9)
    if len(trades) > len(shown):
        figure.layout.annotations[0].text += f" (the last {len(shown)} of {len(trades)})"


def _add_marks(figure: Any, times: pd.Series, prices: pd.Series, name: str, mark: str, colour: str, size: int) -> None:
    marker = {"symbol": mark, "size": size, "color": colour, "line": {"width": 1, "color": colour}}
    figure.add_scatter(x=times, y=prices, name=name, mode="markers", marker=marker, row=1, col=1)


def _dress(figure: Any, title: str, height: int) -> None:
    """Give a figure the look that reads on light and dark pages."""
    grid = {"gridcolor": "rgba(128,128,128,0.22)", "zeroline": False}
    figure.update_xaxes(**grid)
    figure.update_yaxes(**grid)
    figure.update_layout(
        title={"text": title, "x": 0.01, "font": {"size": 16}},
        height=height,
        margin={"l": 60, "r": 20, "t": 70, "b": 40},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"color": GREY, "size": 12},
        legend={"orientation": "h", "y": -0.09, "x": 0, "yanchor": "top"},
        hovermode="x",
    )

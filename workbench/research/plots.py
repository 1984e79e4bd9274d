"""Pictures of a result (plotly)."""

from __future__ import annotations

from itertools import cycle, pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from workbench.errors import ParameterError, did_you_mean
from workbench.money import worth
from workbench.research.readable import SMALL, decimals, money_decimals, time_format
from workbench.research.statistics import drawdown

if TYPE_CHECKING:
    from workbench.research.result import Backtest

__all__ = ["add_line", "dress", "plot_backtest", "plot_bars", "plot_lines", "thinned", "utc"]

#: Colours that read on white and on dark, and for the colour-blind.
BLUE, ORANGE, GREEN, RED, GREY = "#3b7dd8", "#e69f00", "#1f9e77", "#d1495b", "#8a8f98"
#: Many more points than a screen has pixels only slow it down.
MOST_POINTS = 6_000
#: More entries than these hide the price: they wait in the legend, and the lines of the trades are left.
MOST_MARKS = 150
#: Pixels across which the mouse finds an entry or an exit before it finds the close behind.
REACH = 6
#: The newest trades that are drawn at all.
MOST_TRADES = 2_000
#: The equity would be flat where all that is in its panel spans so many times its own height.
FLAT = 15
#: Pixels below the plot where the legend begins: two lines of dates have room above it, in a low figure too.
LEGEND = 40
SIMULATED = f"<b style='color:{ORANGE}'>Simulated market: these prices were made up.</b>"


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


def utc(times: pd.DatetimeIndex | pd.Series) -> str:
    """Return the format of times, which says whose hours they are where it has any."""
    said = time_format(times)
    return f"{said} UTC" if "%H" in said else said


def plot_backtest(result: Backtest, symbol: str | None = None) -> Any:
    """Return one figure: the price with the trades, the equity, and its drawdown.

    Parameters
    ----------
    result : Backtest
    symbol : str, optional
        Whose price and trades are shown: an instrument with all that trade it, or one of the symbols of the tables (``trend/SPX``); of
        several instruments, the one that was traded most where None.

    Raises
    ------
    ParameterError
        There are no bars of that symbol.
    """
    from plotly.subplots import make_subplots

    chosen, columns = _chosen(result, symbol)
    trades = result.trades[result.trades["symbol"].isin(columns)]
    close = result.bars.close[columns[0]].dropna()
    figure = make_subplots(
        3, 1, shared_xaxes=True, vertical_spacing=0.065, row_heights=[0.54, 0.3, 0.16],
        subplot_titles=_titles(result, chosen, len(close), len(trades)),
    )  # fmt: skip
    add_line(figure, close, "close", GREY, 1, width=1.1)
    _add_trades(figure, trades.iloc[-MOST_TRADES:], result)
    _add_equity(figure, result)
    add_line(figure, drawdown(result.equity) * 100, "drawdown", RED, 3, digits=2, unit=" %", fill="tozeroy")
    dress(figure, SIMULATED if result.bars.simulated else "", 760)
    figure.update_annotations(x=0, xanchor="left", font_size=14)
    if len(result.bars) > 1:
        figure.update_xaxes(range=[result.bars.index[0], result.bars.index[-1]])
    return figure


def plot_bars(bars: Any, symbol: str | None = None) -> Any:
    """Return a figure of one instrument's closes, and its volume where it has one."""
    from plotly.subplots import make_subplots

    chosen = symbol or bars.symbols[0]
    frame = bars[chosen]
    volume = bool((frame["volume"] > 0).any())
    figure = make_subplots(2 if volume else 1, 1, shared_xaxes=True, vertical_spacing=0.04, row_heights=[0.75, 0.25] if volume else [1.0])
    add_line(figure, frame["close"], "close", BLUE, 1)
    figure.update_yaxes(title_text="close", row=1, col=1)
    if volume:
        # bars thinner than a pixel would be drawn too pale to see
        add_line(figure, frame["volume"], "volume", GREY, 2, fill="tozeroy")
        figure.update_yaxes(title_text="volume", row=2, col=1)
    title = _noted(f"{chosen}, {bars.interval}", _one_of(bars.symbols), _thinning(len(frame)))
    dress(figure, f"{title} - simulated market" if bars.simulated else title, 460)
    figure.update_layout(showlegend=False)
    return figure


def plot_lines(table: pd.DataFrame | pd.Series, title: str) -> Any:
    """Return a figure with a line for each column of a table that is indexed by time, or one line of a Series."""
    from plotly.subplots import make_subplots

    table = table.to_frame() if isinstance(table, pd.Series) else table
    figure = make_subplots(1, 1)
    for name, colour in zip(table, cycle((BLUE, ORANGE, GREEN, RED, GREY)), strict=False):
        add_line(figure, table[name], str(name), colour, 1)
    dress(figure, _noted(title, _thinning(len(table))), 420, hovermode="x")
    return figure


def _chosen(result: Backtest, symbol: str | None) -> tuple[str, list[str]]:
    """Return whose price is shown, and the columns that trade it: all of an instrument's, or the one that was asked for."""
    symbols, market = result.bars.symbols, result.setup.market.symbols
    traded = {name: market[k] for name, k in zip(symbols, result.setup.layout.sources(len(market)), strict=True)}
    if symbol is None:
        symbol = str(result.trades["symbol"].map(traded).mode()[0]) if len(result.trades) else market[0]
    if symbol in market:
        return symbol, [name for name, own in traded.items() if own == symbol]
    if symbol not in symbols:
        raise ParameterError(f"plot: no bars of {symbol!r}{did_you_mean(symbol, dict.fromkeys([*market, *symbols]))}")
    return symbol, [symbol]


# -- titles -----------------------------------------------------------------------------------------------------------


def _titles(result: Backtest, symbol: str, closes: int, trades: int) -> list[str]:
    older = f"the last {MOST_TRADES:,} of {trades:,} trades" if trades > MOST_TRADES else ""
    steps = _thinning(len(result.equity))
    return [
        _noted(f"{symbol}: close and trades", _one_of(result.setup.market.symbols), older, _thinning(closes)),
        _noted(f"Equity in {result.currency}", steps),
        _noted("Drawdown, %", steps),
    ]


def _noted(title: str, *notes: str) -> str:
    """Return a title with what a reader should know about the picture in brackets."""
    said = ", ".join(filter(None, notes))
    return f"{title} ({said})" if said else title


def _one_of(symbols: list[str]) -> str:
    return f"1 of {len(symbols)} symbols" if len(symbols) > 1 else ""


def _thinning(points: int) -> str:
    return f"thinned from {points:,} points" if points > MOST_POINTS else ""


# -- lines ------------------------------------------------------------------------------------------------------------


def add_line(
    figure: Any, line: pd.Series, name: str, colour: str, row: int, *,
    width: float = 1.4, dash: str = "solid", digits: int | None = None, unit: str = "", **more: Any,
) -> None:  # fmt: skip
    """Draw a line; under the mouse it says when, what and how much."""
    index, values = thinned(line.index, line.to_numpy(dtype=float))
    shown = decimals(values) if digits is None else digits
    hover = f"%{{x|{utc(line.index)}}} · {name} %{{y:,.{shown}f}}{unit}<extra></extra>"
    style = {"color": colour, "width": width, "dash": dash}
    figure.add_scatter(x=index, y=values, name=name, mode="lines", line=style, hovertemplate=hover, row=row, col=1, **more)


def _add_equity(figure: Any, result: Backtest) -> None:
    digits, unit = money_decimals(result.equity, SMALL["equity"]), f" {result.currency}"
    passive = buy_and_hold(result)
    if passive is not None:
        add_line(figure, passive, "buy and hold", GREY, 2, width=1.0, dash="5px,2px", digits=digits, unit=unit)
        _keep_readable(figure, result.equity, passive)
    add_line(figure, result.equity, "equity", BLUE, 2, digits=digits, unit=unit)
    figure.add_hline(result.setup.cash, line={"color": GREY, "width": 1, "dash": "dot"}, opacity=0.6, row=2, col=1)


def _keep_readable(figure: Any, equity: pd.Series, passive: pd.Series) -> None:
    """Leave the equity its panel where coins that were merely held would make it a flat line."""
    low, high = float(equity.min()), float(equity.max())
    span = high - low
    if 0 < FLAT * span < max(high, passive.max()) - min(low, passive.min()):
        figure.update_yaxes(range=[low - span, high + span], row=2, col=1)
        figure.layout.annotations[1].text += " (buy and hold leaves the picture: double click to see all)"


def buy_and_hold(result: Backtest) -> pd.Series | None:
    """Return the equity of cash put fully into the first known close, without costs; None where there are several instruments."""
    setup = result.setup
    if len(setup.market.instruments) > 1:
        return None
    close = result.bars.close.iloc[:, 0].ffill()
    unit = pd.Series(np.broadcast_to(setup.conversion.unit[:, 0], len(close)), close.index)
    known = (close * unit).notna().to_numpy()
    if not known.any():
        return None
    close, unit = close[known], unit[known]
    quantity = setup.cash / (close.iloc[0] * unit.iloc[0])
    paid = bool(setup.specs[0].funded)
    return (0.0 if paid else setup.cash) + worth(quantity, close, 0.0 if paid else close.iloc[0], unit)


# -- trades -----------------------------------------------------------------------------------------------------------


def _add_trades(figure: Any, trades: pd.DataFrame, result: Backtest) -> None:
    """Draw each trade from its entry to its exit, and its entry as a mark where there is room for marks."""
    index = result.bars.index
    trips = trades.assign(exited=trades["exited"].fillna(index[-1]), begins="", ends="")
    if len(trips):
        trips["begins"], trips["ends"] = _words(trips, result.currency, utc(index))
    closed = trips["exit"] != "open"
    for name, colour, dash, mine in (
        ("won", GREEN, "solid", closed & (trips["profit"] > 0)),
        ("lost", RED, "solid", closed & ~(trips["profit"] > 0)),
        ("still open", BLUE, "dot", ~closed),
    ):
        _add_trips(figure, trips[mine], name, {"color": colour, "width": 1.5, "dash": dash})
    for side, mark, colour in (("long", "triangle-up", BLUE), ("short", "triangle-down", ORANGE)):
        _add_entries(figure, trips[trips["side"] == side], f"{side} entry", mark, colour, len(trips) <= MOST_MARKS)


def _words(trips: pd.DataFrame, currency: str, when: str) -> tuple[list[str], list[str]]:
    """Return what is said of each trade where it begins, and where it ends."""
    lots, price = decimals(trips["quantity"]), decimals([*trips["entry_price"], *trips["exit_price"]])
    money = 0 if trips["profit"].abs().max() >= 1000 else money_decimals(trips["profit"])
    rows = list(trips.itertuples(index=False))
    several = len({t.symbol for t in rows}) > 1
    held = [f"{f'{t.symbol} ' if several else ''}{t.side} {t.quantity:,.{lots}f} @ " for t in rows]
    came = [f" · {t.exit} · {t.profit:+z,.{money}f} {currency}" for t in rows]
    begins = [f"{t.entered:{when}} · {h}{t.entry_price:,.{price}f}{c}" for t, h, c in zip(rows, held, came, strict=True)]
    verbs = ["still" if t.exit == "open" else "exit of" for t in rows]
    ends = [f"{t.exited:{when}} · {v} {h}{t.exit_price:,.{price}f}{c}" for t, v, h, c in zip(rows, verbs, held, came, strict=True)]
    return begins, ends


def _add_trips(figure: Any, trips: pd.DataFrame, name: str, line: dict[str, Any]) -> None:
    """Draw trades as one trace: entry, exit, and a gap before the next."""
    if not len(trips):
        return
    gap = np.full(len(trips), None)
    times = np.column_stack([trips["entered"], trips["exited"], trips["exited"]]).ravel()
    prices = np.column_stack([trips["entry_price"], trips["exit_price"], gap]).ravel()
    words = np.column_stack([trips["begins"], trips["ends"], gap]).ravel()
    figure.add_scatter(
        x=times, y=prices, hovertext=words, hoverinfo="text", name=name, mode="lines+markers", line=line,
        marker={"size": REACH, "color": "rgba(0,0,0,0)"}, row=1, col=1,
    )  # fmt: skip


def _add_entries(figure: Any, trips: pd.DataFrame, name: str, mark: str, colour: str, shown: bool) -> None:
    if len(trips):
        figure.add_scatter(
            x=trips["entered"], y=trips["entry_price"], hovertext=trips["begins"], hoverinfo="text", name=name, mode="markers",
            marker={"symbol": mark, "size": 6, "color": colour}, visible=True if shown else "legendonly", row=1, col=1,
        )  # fmt: skip


# -- the look ---------------------------------------------------------------------------------------------------------


def dress(figure: Any, title: str, height: int, hovermode: str = "closest") -> None:
    """Give a figure the look that reads on light and dark pages."""
    grid = {"gridcolor": "rgba(128,128,128,0.22)", "zeroline": False}
    figure.update_xaxes(**grid, hoverformat="%Y-%m-%d %H:%M")
    figure.update_yaxes(**grid)
    figure.update_layout(
        title={"text": title, "x": 0, "xref": "paper", "font": {"size": 16}},
        height=height,
        margin={"l": 60, "r": 20, "t": 60 if title else 30, "b": 40},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"color": GREY, "size": 12},
        legend={"orientation": "h", "y": -LEGEND / (height - 100), "x": 0, "yanchor": "top"},
        hovermode=hovermode,
        hoverdistance=-1 if hovermode == "closest" else 20,
        hoverlabel={"bgcolor": "#23272e", "bordercolor": GREY, "font": {"color": "#ffffff"}},
    )

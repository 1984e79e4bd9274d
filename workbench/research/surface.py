"""A figure of a sweep over two of its parameters."""

from __future__ import annotations

from typing import Any

import pandas as pd
from pandas.api import types

from workbench.errors import ParameterError
from workbench.research.plots import dress

__all__ = ["heat_map"]

#: From dark to light in equal steps, also in grey and to the colour-blind.
SCALE = "Viridis"
#: More cells than these have no room for their numbers: they wait under the mouse.
MOST_WRITTEN = 150
#: From here on a figure is written without decimals.
WHOLE = 1_000


#: Into how many classes the numbers of a parameter are put where a search drew nearly each of them once only.
CLASSES = 10


def heat_map(table: pd.DataFrame, value: str, x: str, y: str) -> Any:
    """Return a map of a column over two parameters: in each cell the best over all others, the best cell framed.

    Numbers rise along the axes, parts stand in the order of the table. Where fewer than half of the cells would be filled, the
    numbers are put into classes of about equally many candidates.

    Parameters
    ----------
    table : DataFrame
        One row a candidate (`wb.sweep`).
    value, x, y : str
        Columns; a value is shown as it is, a drawdown in % as a negative number.

    Raises
    ------
    ParameterError
        No candidate has the value.
    """
    import plotly.graph_objects as go

    if not table[value].notna().any():
        raise ParameterError(f"no candidate has a {value}: nothing was traded, or the bars are too few for it")
    cells = _cells(table, value, x, y)
    across, down = [str(name) for name in cells.columns], [str(name) for name in cells.index]
    digits = 2 if float(cells.abs().max(axis=None)) < WHOLE else 0
    figure = go.Figure(
        go.Heatmap(
            z=cells.to_numpy(), x=across, y=down, colorscale=SCALE, colorbar={"title": value}, hoverongaps=False, xgap=1, ygap=1,
            texttemplate=f"%{{z:,.{digits}f}}" if cells.size <= MOST_WRITTEN else "",
            hovertemplate=f"{x} %{{x}} · {y} %{{y}} · {value} %{{z:,.{digits}f}}<extra></extra>",
        )
    )  # fmt: skip
    title = f"{value} of {len(table):,} candidates"
    dress(figure, title, max(300, min(110 + 26 * len(down), 700)))
    figure.update_xaxes(title_text=x, type="category", showgrid=False)
    figure.update_yaxes(title_text=y if x != y else "", type="category", showgrid=False, showticklabels=x != y)
    row, column = divmod(int(pd.Series(cells.to_numpy().ravel()).idxmax()), len(across))
    frame = {"type": "rect", "x0": column - 0.5, "x1": column + 0.5, "y0": row - 0.5, "y1": row + 0.5}
    figure.add_shape(**frame, line={"color": "#d1495b", "width": 3})
    return figure


def _cells(table: pd.DataFrame, value: str, x: str, y: str) -> pd.DataFrame:
    """Return the best value of each cell, in the order of the axes; y is in one line where it is x."""
    lone = x == y
    drawn = not lone and table[x].nunique() * table[y].nunique() > 2 * len(table[[x, y]].drop_duplicates())
    down = pd.Series("", table.index) if lone else _places(table[y], drawn)
    placed = pd.DataFrame({"across": _places(table[x], drawn), "down": down, "value": table[value].to_numpy()})
    return placed.pivot_table(index="down", columns="across", values="value", aggfunc="max", observed=True, dropna=False)


def _places(column: pd.Series, drawn: bool) -> pd.Series:
    """Return what stands at the axis for each value of a parameter, in the order of the axis."""
    if not types.is_numeric_dtype(column) or types.is_bool_dtype(column):
        return pd.Series(pd.Categorical(column.map(str), column.map(str).unique()), column.index)
    if drawn and column.nunique() > CLASSES:
        classes = pd.qcut(column, CLASSES, duplicates="drop")
        ends = column.groupby(classes, observed=True).agg(["min", "max"])
        names = [f"{low:.4g}" if low == high else f"{low:.4g} to {high:.4g}" for low, high in ends.itertuples(index=False)]
        return classes.cat.remove_unused_categories().cat.rename_categories(names)
    values = sorted(column.dropna().unique())
    return pd.Series(pd.Categorical(column, values).rename_categories([f"{one:.6g}" for one in values]), column.index)

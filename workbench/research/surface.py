"""A figure of a sweep over two of its parameters."""

from __future__ import annotations

from typing import Any

import pandas as pd

from workbench.errors import ParameterError
from workbench.research.plots import dress

__all__ = ["heat_map"]

#: From dark to light in equal steps, also in grey and to the colour-blind.
SCALE = "Viridis"
#: More cells than these have no room for their numbers: they wait under the mouse.
MOST_WRITTEN = 150
#: From here on a figure is written without decimals.
WHOLE = 1_000


def heat_map(table: pd.DataFrame, value: str, x: str, y: str) -> Any:
    """Return a map of a column over two parameters: in each cell the best over all others, the best cell framed.

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
    # a row and a column of every value, also where nothing was traded
    best = table.assign(one="").groupby([y if x != y else "one", x], sort=False)[value].max()
    cells = best.unstack(sort=False).reindex(columns=table[x].unique())
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

"""The equity curve, as wide as the page gives it room."""

from __future__ import annotations

from typing import Any

import anywidget

__all__ = ["WidthKeeper", "curve", "draw"]

#: plotly fits a figure to its box when the window's size changes, and only then: not when it is put into the page,
#: nor when a side bar opens. So this watches the box, and says that the window has changed.
KEEP = """
export default { render({ el }) {
    let width = 0, due = 0;
    const tell = () => { clearTimeout(due); due = setTimeout(() => window.dispatchEvent(new Event("resize")), 50); };
    const watch = new ResizeObserver(([box]) => {
        if (Math.abs(box.contentRect.width - width) > 1) { width = box.contentRect.width; tell(); }
    });
    watch.observe(el);
    document.addEventListener("plotlywidget-after-render", tell);
    return () => { clearTimeout(due); watch.disconnect(); document.removeEventListener("plotlywidget-after-render", tell); };
} };
"""


class WidthKeeper(anywidget.AnyWidget):
    """A widget without height that has the figures beside it follow the width of their box."""

    _esm = KEEP


def curve() -> Any:
    """Return the equity curve, empty."""
    import plotly.graph_objects as go

    hover = "%{x|%Y-%m-%d %H:%M} UTC<br><b>%{y:,.2f}</b><extra></extra>"
    line = {"color": "#3b7dd8", "width": 1.6}
    figure = go.FigureWidget(go.Scatter(x=[], y=[], mode="lines", line=line, customdata=[0], name="equity", hovertemplate=hover))
    grid = {"gridcolor": "rgba(128,128,128,0.22)", "zeroline": False}
    figure.update_layout(
        autosize=True,
        margin={"l": 64, "r": 12, "t": 10, "b": 28},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"color": "#8a8f98", "size": 11},
        xaxis=grid,
        yaxis={**grid, "tickformat": ",.2~f"},
    )
    figure._config = {"responsive": True, "displayModeBar": False}
    figure.add_class("workbench-curve")
    return figure


def draw(figure: Any, labels: list[int], equity: list[float]) -> None:
    """Draw the curve where it has changed."""
    line = figure.data[0]
    if not labels or (line.x is not None and len(line.x) == len(labels) and int(line.customdata[-1]) == labels[-1]):
        return
    import numpy as np

    with figure.batch_update():
        line.x = np.array(labels, dtype="datetime64[ns]").astype("datetime64[ms]")
        line.y = np.array(equity)
        line.customdata = [labels[-1]]

"""A figure of a walk-forward: the equity that was traded, and each fold in and out of sample."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.research.plots import BLUE, GREY, ORANGE, SIMULATED, add_line, dress
from workbench.research.readable import time_format

if TYPE_CHECKING:
    from workbench.research.walk_forward import WalkForwardResult

__all__ = ["plot_folds"]

#: The figure that is compared, and how it is written: the first one that the folds are long enough for.
COMPARED = {
    "annual return %": "Return a year of each fold, in %",
    "Sharpe": "Sharpe ratio of each fold (for a return a year it is too short)",
    "return %": "Return of each fold, in %",
}


def plot_folds(result: WalkForwardResult) -> Any:
    """Return the equity of all test parts above bars of each fold's return a year, in sample and out of sample.

    Folds below a quarter of a year have none: their Sharpe ratios are compared, or, in a day or two, what they came to.
    """
    from plotly.subplots import make_subplots

    first, folds = result.results[0], result.folds
    compared = next(name for name in COMPARED if folds[f"out-of-sample {name}"].notna().any())
    figure = make_subplots(
        2, 1, vertical_spacing=0.14, row_heights=[0.6, 0.4],
        subplot_titles=[f"Equity out of sample, in {first.currency}", COMPARED[compared]],
    )  # fmt: skip
    add_line(figure, result.equity, "equity", BLUE, 1, digits=2, unit=f" {first.currency}")
    for begin in folds["test from"]:
        figure.add_vline(begin, line={"color": GREY, "width": 1, "dash": "dot"}, row=1, col=1)
    when = time_format(folds["test from"])
    unit = " %" if compared.endswith("%") else ""
    names = [f"{begin:{when}}" for begin in folds["test from"]]
    for side, colour in (("in-sample", ORANGE), ("out-of-sample", BLUE)):
        values = folds[f"{side} {compared}"]
        if values.notna().any():
            hover = f"tested from %{{x}} · {side} %{{y:,.2f}}{unit}<extra></extra>"
            figure.add_bar(x=names, y=values, name=side, marker_color=colour, hovertemplate=hover, row=2, col=1)
    dress(figure, SIMULATED if first.bars.simulated else "", 620)
    figure.update_xaxes(type="category", title_text="tested from", row=2, col=1)
    figure.update_annotations(x=0, xanchor="left", font_size=14)
    return figure

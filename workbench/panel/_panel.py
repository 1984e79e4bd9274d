"""The panel itself: widgets over a view of the journal."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from pathlib import Path
from typing import Any

import ipywidgets as widgets

from workbench.errors import RunError, did_you_mean
from workbench.journal import Command, Journal
from workbench.live.places import JOURNAL, runs_in
from workbench.panel._view import commands_html, decisions_html, header_html, orders_html, positions_html
from workbench.panel._watch import Watch

__all__ = ["ControlPanel"]

log = logging.getLogger("workbench.panel")
#: Seconds: between two looks at the journal, and until a press that nobody applied expires.
LOOK, EXPIRES = 0.4, 60.0
ROOTS = ("runs", "../runs")
#: What each button orders, its colour and what it means.
BUTTONS = {
    "pause": ("warning", "No decisions; protective orders stay, steps count as missed."),
    "resume": ("success", "Decisions go on, from any mode."),
    "reduce": ("warning", "Decisions go on, but only closings are sent."),
    "flatten": ("danger", "Close all positions at market; nothing re-enters until a stance turns."),
    "kill": ("danger", "Halt: take all openings off, decide nothing. Protective orders stay."),
}


class ControlPanel:
    """Shows a run, and orders it about: each press is a command in the run's journal, applied once and answered.

    Parameters
    ----------
    journal_or_run : Journal or path, optional
        A journal, or the folder of a run (``runs/NAME``); the run with the newest sign of life where not given.
    who : str, default "panel"
        Named in the commands.

    Examples
    --------
    >>> ControlPanel("runs/demo")  # doctest: +SKIP
    """

    def __init__(self, journal_or_run: Journal | str | Path | None = None, who: str = "panel") -> None:
        chosen = _newest() if journal_or_run is None else journal_or_run
        self.journal = chosen if isinstance(chosen, Journal) else _journal_in(Path(chosen))
        self.who = who
        self._watch = Watch(self.journal)
        self._texts = {name: widgets.HTML() for name in ("header", "positions", "orders", "decisions", "commands")}
        self._buttons = {what: self._button(what) for what in BUTTONS}
        self._figure = _curve()
        self._task: asyncio.Task[None] | None = None
        self._shown: dict[str, str] = {}
        self.widget = self._laid_out()
        self.refresh()

    # -- what a user calls ----------------------------------------------------------------------------------------------

    def post(self, what: str) -> Command:
        """Queue a command for the session: pause, resume, reduce, flatten, kill or stop."""
        now = time.time_ns()
        expires = 0 if what == "kill" else now + int(EXPIRES * 1e9)  # a kill stays wanted, however late somebody hears it
        command = Command(uuid.uuid4().hex, what, self.who, now, expires)
        self.journal.post(command)
        return command

    def refresh(self) -> None:
        """Look at the journal once, and show what is there."""
        view = self._watch.look()
        self._show("header", header_html(view))
        self._show("positions", positions_html(view))
        self._show("orders", orders_html(view))
        self._show("decisions", decisions_html(view))
        self._show("commands", commands_html(view.commands))
        self._draw(view.labels, view.equity)

    async def follow(self) -> None:
        """Refresh until the panel is closed; an error is shown and does not end it."""
        while True:
            try:
                self.refresh()
            except Exception as error:  # whatever one look came to, the next may go well, and the reader must know
                log.exception("the panel could not read the journal")
                self._show("header", f"<div style='color:#d1495b'>the journal cannot be read: {error}</div>")
            await asyncio.sleep(LOOK)

    def close(self) -> None:
        """Stop looking."""
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def _ipython_display_(self) -> None:
        from IPython.display import display

        display(self.widget)  # type: ignore[no-untyped-call]
        if self._task is None:
            self._task = asyncio.ensure_future(self.follow())

    # -- how it is made -------------------------------------------------------------------------------------------------

    def _button(self, what: str) -> widgets.Button:
        style, meaning = BUTTONS[what]
        button = widgets.Button(description=what.capitalize(), button_style=style, tooltip=meaning)
        button.add_class(f"workbench-{what}")
        button.on_click(lambda _: self._pressed(what))
        return button

    def _pressed(self, what: str) -> None:
        self.post(what)
        self.refresh()

    def _laid_out(self) -> widgets.Widget:
        wide = {"flex": "3 1 520px", "min_width": "0", "margin": "0 24px 0 0"}
        narrow = {"flex": "2 1 380px", "min_width": "0"}
        left = widgets.VBox([self._figure, self._texts["positions"], self._texts["orders"]], layout=wide)
        right = widgets.VBox([self._texts["decisions"], self._texts["commands"]], layout=narrow)
        body = widgets.HBox([left, right], layout={"flex_flow": "row wrap"})
        buttons = widgets.HBox(list(self._buttons.values()), layout={"margin": "8px 0"})
        return widgets.VBox([self._texts["header"], buttons, body])

    def _show(self, name: str, text: str) -> None:
        if self._shown.get(name) != text:
            self._shown[name] = self._texts[name].value = text

    def _draw(self, labels: list[int], equity: list[float]) -> None:
        line = self._figure.data[0]
        if labels and (line.x is None or len(line.x) != len(labels) or int(line.customdata[-1]) != labels[-1]):
            import numpy as np

            with self._figure.batch_update():
                line.x = np.array(labels, dtype="datetime64[ns]").astype("datetime64[ms]")
                line.y = equity
                line.customdata = [labels[-1]]


def _curve() -> Any:
    """Return the equity curve, empty."""
    import plotly.graph_objects as go

    figure = go.FigureWidget(go.Scatter(x=[], y=[], mode="lines", line={"color": "#3b7dd8", "width": 1.6}, customdata=[0], name="equity"))
    grid = {"gridcolor": "rgba(128,128,128,0.22)", "zeroline": False}
    figure.update_layout(
        height=260,
        margin={"l": 60, "r": 10, "t": 30, "b": 30},
        title={"text": "Equity", "x": 0.01, "font": {"size": 14}},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"color": "#8a8f98", "size": 11},
        xaxis=grid,
        yaxis=grid,
    )
    return figure


def _journal_in(folder: Path) -> Journal:
    path = folder / JOURNAL
    if not path.is_file():
        there = [str(found) for found in runs_in(folder.parent)]
        raise RunError(f"no run in {folder}: expected its {JOURNAL}{did_you_mean(str(folder), there)}")
    return Journal(path)


def _newest() -> Path:
    """Return the run of this folder or the one above it whose record was written last."""
    found = [path for root in ROOTS for path in Path(root).glob(f"*/{JOURNAL}*")]
    if not found:
        raise RunError("no run was found in runs/ or ../runs/: name one, wb.ControlPanel('runs/NAME'), or start one with `workbench run`")
    return max(found, key=lambda path: path.stat().st_mtime).parent

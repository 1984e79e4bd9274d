"""The openings that wait for a person's word: each with its buttons, and for how long it still waits."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ipywidgets as widgets

from workbench.panel._view import heading

__all__ = ["Asking"]

Say = Callable[[str, dict[str, Any]], object]


class Asking:
    """A row of buttons for each opening that waits; nothing where none does.

    Parameters
    ----------
    say : callable
        Given the verb and what it needs besides, when a button is pressed.
    """

    def __init__(self, say: Say) -> None:
        self._say = say
        self._rows: dict[tuple[str, int], widgets.HTML] = {}
        self.widget = widgets.VBox()
        self.widget.add_class("workbench-asking")

    def show(self, proposals: Sequence[Mapping[str, Any]], now: int) -> None:
        """Show what waits; a row stays what it is while its opening waits, so that nobody's typing is lost."""
        known = {(one["symbol"], one["until"]): one for one in proposals}
        if list(known) != list(self._rows):
            self._rows = {key: widgets.HTML(layout={"min_width": "300px"}) for key in known}
            title = [widgets.HTML(heading("Waiting for your word"))] if known else []
            self.widget.children = [*title, *(self._row(key, known[key]) for key in known)]
        for key, one in known.items():
            left = _time_left(max((one["until"] - now) / 1e9, 0.0))
            what = html.escape(f"{one['side']} {one['quantity']:,.10g} {one['symbol']}")
            self._rows[key].value = f"<b>{what}</b> &nbsp; {html.escape(one['reason'])}; {left} left"

    def _row(self, key: tuple[str, int], one: Mapping[str, Any]) -> widgets.Widget:
        symbol = one["symbol"]
        quantity = widgets.FloatText(value=one["quantity"], layout={"width": "110px"}, tooltip="Another quantity")
        buttons = [
            self._button("approve", lambda _: self._say("approve", {"symbol": symbol})),
            self._button("veto", lambda _: self._say("veto", {"symbol": symbol})),
            quantity,
            self._button("resize", lambda _: self._say("resize", {"symbol": symbol, "quantity": quantity.value})),
        ]
        return widgets.HBox([self._rows[key], *buttons], layout={"flex_flow": "row wrap", "align_items": "center", "grid_gap": "0 10px"})

    def _button(self, what: str, pressed: Callable[[widgets.Button], object]) -> widgets.Button:
        button = widgets.Button(description=what.capitalize())
        button.add_class(f"workbench-{what}")
        button.on_click(pressed)
        return button


def _time_left(seconds: float) -> str:
    """Return a time as people say it: in seconds where every one counts."""
    return f"{seconds:,.0f} s" if seconds < 120 else f"{seconds / 60:,.0f} min" if seconds < 7200 else f"{seconds / 3600:,.0f} h"

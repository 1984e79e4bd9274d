"""What waits for a person's word, each with its buttons: openings, and orders that the venue says nothing of."""

from __future__ import annotations

import html
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import ipywidgets as widgets

from workbench.panel._view import heading

__all__ = ["Asking"]

Say = Callable[[str, dict[str, Any]], object]
One = Mapping[str, Any]


class Asking:
    """A row of buttons for each opening that waits and each order in doubt; nothing where there is none.

    Parameters
    ----------
    say : callable
        Given the verb and what it needs besides, when a button is pressed.
    """

    def __init__(self, say: Say) -> None:
        self._say = say
        self._texts: dict[Hashable, widgets.HTML] = {}
        self.widget = widgets.VBox()
        self.widget.add_class("workbench-asking")

    def show(self, proposals: Sequence[One], doubts: Sequence[One], now: int) -> None:
        """Show what waits; a row stays what it is while what it is about waits, so that nobody's typing is lost."""
        waiting = {(one["symbol"], one["until"]): one for one in proposals}
        doubted = {one["key"]: one for one in doubts}
        if [*waiting, *doubted] != list(self._texts):
            self._texts = {key: widgets.HTML(layout={"min_width": "300px"}) for key in (*waiting, *doubted)}
            rows = [self._row(key, self._words_on(one)) for key, one in waiting.items()]
            asked = [self._row(key, [self._button("absent", "Never arrived", {"order": key})]) for key in doubted]
            self.widget.children = [*_titled("Waiting for your word", rows), *_titled("In doubt: is it at the venue?", asked)]
        for key, one in waiting.items():
            left = _time_left(max((one["until"] - now) / 1e9, 0.0))
            self._texts[key].value = f"<b>{_order(one)}</b> &nbsp; {html.escape(one['reason'])}; {left} left"
        for key, one in doubted.items():
            self._texts[key].value = f"<b>{_order(one)}</b> &nbsp; {html.escape(one['leg'])}; the venue says nothing of it"

    def _row(self, key: Hashable, buttons: Sequence[widgets.Widget]) -> widgets.Widget:
        return widgets.HBox([self._texts[key], *buttons], layout={"flex_flow": "row wrap", "align_items": "center", "grid_gap": "0 10px"})

    def _words_on(self, one: One) -> list[widgets.Widget]:
        """Return what one may say of an opening."""
        about = {"symbol": one["symbol"]}
        quantity = widgets.FloatText(value=one["quantity"], layout={"width": "110px"}, tooltip="Another quantity")
        resize = self._button("resize", "Resize", lambda: about | {"quantity": quantity.value})
        return [self._button("approve", "Approve", about), self._button("veto", "Veto", about), quantity, resize]

    def _button(self, what: str, label: str, about: dict[str, Any] | Callable[[], dict[str, Any]]) -> widgets.Button:
        button = widgets.Button(description=label)
        button.add_class(f"workbench-{what}")
        button.on_click(lambda _: self._say(what, about() if callable(about) else about))
        return button


def _titled(title: str, rows: Sequence[widgets.Widget]) -> list[widgets.Widget]:
    return [widgets.HTML(heading(title)), *rows] if rows else []


def _order(one: One) -> str:
    return html.escape(f"{one['side']} {one['quantity']:,.10g} {one['symbol']}")


def _time_left(seconds: float) -> str:
    """Return a time as people say it: in seconds where every one counts."""
    return f"{seconds:,.0f} s" if seconds < 120 else f"{seconds / 60:,.0f} min" if seconds < 7200 else f"{seconds / 3600:,.0f} h"

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
        self._waiting, self._doubted = Rows("Waiting for your word"), Rows("In doubt: is it at the venue?")
        self.widget = widgets.VBox([self._waiting.widget, self._doubted.widget])
        self.widget.add_class("workbench-asking")

    def show(self, proposals: Sequence[One], doubts: Sequence[One], now: int) -> None:
        """Show what waits."""
        waiting = {(one["symbol"], one["until"]): one for one in proposals}
        doubted = {one["key"]: one for one in doubts}
        self._waiting.show({key: _waits(one, now) for key, one in waiting.items()}, lambda key: self._words_on(waiting[key]))
        self._doubted.show(
            {key: f"<b>{_order(one)}</b> &nbsp; {html.escape(one['leg'])}; the venue says nothing of it" for key, one in doubted.items()},
            lambda key: [self._button("absent", "Never arrived", {"order": key})],
        )

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


#: So many rows may be empty before the others move up.
EMPTY = 8


class Rows:
    """Rows under a title, each about something.

    A row stays what and where it is for as long as it may, and is empty once it is over: whatever becomes of others, nobody's typing is
    lost, and no button moves under a pointer.
    """

    def __init__(self, title: str) -> None:
        self._title = widgets.HTML(heading(title))
        self._rows: dict[Hashable, widgets.HBox] = {}
        self.widget = widgets.VBox()

    def show(self, texts: Mapping[Hashable, str], buttons: Callable[[Any], Sequence[widgets.Widget]]) -> None:
        """Show a row for each text, with the buttons of what is new."""
        new = [key for key in texts if key not in self._rows]
        if not texts or len(self._rows) > len(texts) + EMPTY:
            self._rows = {key: row for key, row in self._rows.items() if key in texts}
        self._rows |= {key: _row(buttons(key)) for key in new}
        for key, row in self._rows.items():
            row.layout.visibility = None if key in texts else "hidden"
            row.children[0].value = texts.get(key, "")
        shown = [self._title, *self._rows.values()] if texts else []
        if list(self.widget.children) != shown:
            self.widget.children = shown


def _row(buttons: Sequence[widgets.Widget]) -> widgets.HBox:
    text = widgets.HTML(layout={"min_width": "300px"})
    return widgets.HBox([text, *buttons], layout={"flex_flow": "row wrap", "align_items": "center", "grid_gap": "0 10px"})


def _waits(one: One, now: int) -> str:
    left = _time_left(max((one["until"] - now) / 1e9, 0.0))
    return f"<b>{_order(one)}</b> &nbsp; {html.escape(one['reason'])}; {left} left"


def _order(one: One) -> str:
    return html.escape(f"{one['side']} {one['quantity']:,.10g} {one['symbol']}")


def _time_left(seconds: float) -> str:
    """Return a time as people say it: in seconds where every one counts."""
    return f"{seconds:,.0f} s" if seconds < 120 else f"{seconds / 60:,.0f} min" if seconds < 7200 else f"{seconds / 3600:,.0f} h"

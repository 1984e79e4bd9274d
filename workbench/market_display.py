"""How a decision is shown in a notebook: what was asked, what each limit left, and what the order would do to the book."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workbench.market import Decision, Effect

__all__ = ["decision_html"]

# colours come from the notebook's theme, so that the table is readable in light and dark
PLAIN = "color:inherit;background:transparent"
TABLE = "border-collapse:collapse;margin:4px 0;font-size:90%;font-variant-numeric:tabular-nums;" + PLAIN
CELL = "padding:2px 12px 2px 4px;border:none;border-bottom:1px solid rgba(128,128,128,.3);vertical-align:top;" + PLAIN
NUMBER, WORD = CELL + ";text-align:right;white-space:nowrap", CELL + ";text-align:left"
UNKNOWN = "not known here: the order and its portfolio; strategy.preview(order, portfolio) tells what each limit left and what changes"


def decision_html(decision: Decision) -> str:
    """Return a decision as small tables: the way from what was asked to what is allowed, and the book before and after it."""
    seen = decision.outlook
    allowed = ("allowed", _quantity(decision.quantity), "" if decision.reasons else "nothing cut")
    trace = seen.trace if seen else decision.reasons
    steps = [(reason.who, _quantity(reason.after), reason.why) for reason in trace]
    if not seen:
        return _page(f"{_quantity(decision.quantity)} allowed", _table(("", "left", "why"), [*steps, allowed]), "", [UNKNOWN])
    order = seen.order
    asked = ("asked", _quantity(order.quantity), f"{order.side}, {order.type}")
    head = f"{order.side} {_quantity(order.quantity)} {order.instrument.symbol}: {_quantity(decision.quantity)} allowed"
    effects = [(effect.what, _number(effect.before, effect), _number(effect.after, effect)) for effect in seen.effects]
    return _page(head, _table(("", "left", "why"), [asked, *steps, allowed]), _table(("", "before", "after"), effects), seen.missing)


def _page(head: str, *parts: str | Iterable[str]) -> str:
    *tables, notes = parts
    said = "".join(f'<div style="opacity:.75;font-size:90%;{PLAIN}">{html.escape(note)}</div>' for note in notes)
    return f'<div class="workbench-part"><b>{html.escape(head)}</b>{"".join(map(str, tables))}{said}</div>'


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    looks = [NUMBER if name in ("left", "before", "after") else WORD for name in head]
    body = "".join(_row("td", row, looks) for row in rows)
    return f'<table style="{TABLE}"><thead>{_row("th", head, looks)}</thead><tbody>{body}</tbody></table>'


def _row(tag: str, cells: tuple[str, ...], looks: list[str]) -> str:
    shown = "".join(f'<{tag} style="{look}">{html.escape(cell)}</{tag}>' for cell, look in zip(cells, looks, strict=True))
    return f'<tr style="background:transparent">{shown}</tr>'


def _quantity(quantity: float) -> str:
    """Return a quantity with every digit that a person reads, and no exponent."""
    return f"{quantity:,.8f}".rstrip("0").rstrip(".")


def _number(value: float, effect: Effect) -> str:
    if not math.isfinite(value):
        return "not known"
    return f"{value:z,.2f} {effect.unit}"

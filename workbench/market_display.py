"""How a decision is shown in a notebook: what was asked, what each limit left, and what the order would do to the book."""

from __future__ import annotations

import html
import math
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workbench.market import Decision, Effect

__all__ = ["decision_html"]

# colours come from the notebook's theme, so that the table is readable in light and dark
PLAIN = "color:inherit;background:transparent"
TABLE = "border-collapse:collapse;margin:4px 0;font-size:90%;font-variant-numeric:tabular-nums;" + PLAIN
CELL = "padding:2px 12px 2px 4px;border:none;border-bottom:1px solid rgba(128,128,128,.3);vertical-align:top;" + PLAIN
NUMBER, WORD = CELL + ";text-align:right;white-space:nowrap", CELL + ";text-align:left"
#: Reads on white and on dark.
RED = "#d1495b"
UNKNOWN = "not known here: the order and its portfolio; strategy.preview(order, portfolio) tells what each limit left and what changes"


def decision_html(decision: Decision) -> str:
    """Return a decision as small tables: the way from what was asked to what is allowed, and the book before and after it."""
    seen = decision.outlook
    allowed = ("allowed", _quantity(decision.quantity), "" if decision.reasons else "nothing cut")
    cut = [number for number, reason in enumerate(seen.trace if seen else decision.reasons) if reason.after < reason.before]
    trace = seen.trace if seen else decision.reasons
    steps = [(reason.who, _quantity(reason.after), reason.why) for reason in trace]
    cut = [number for number, reason in enumerate(trace) if reason.after < reason.before]
    if not seen:
        way = _table(("", "left", "why"), [*steps, allowed], bold=[*cut, len(steps)])
        return _page(f"{_quantity(decision.quantity)} allowed", way, "", [UNKNOWN])
    order = seen.order
    asked = ("asked", _quantity(order.quantity), f"{order.side}, {order.type}")
    head = f"{order.side} {_quantity(order.quantity)} {order.instrument.symbol}: {_quantity(decision.quantity)} allowed"
    way = _table(("", "left", "why"), [asked, *steps, allowed], bold=[*(number + 1 for number in cut), len(steps) + 1])
    effects = [(one.what, _number(one.before, one), _number(one.after, one), _limit(one)) for one in seen.effects]
    beyond = [number for number, one in enumerate(seen.effects) if one.beyond]
    return _page(head, way, _table(("", "before", "after", "limit"), effects, red=beyond), seen.missing)


def _page(head: str, *parts: str | Iterable[str]) -> str:
    *tables, notes = parts
    said = "".join(f'<div style="opacity:.75;font-size:90%;{PLAIN}">{html.escape(note)}</div>' for note in notes)
    return f'<div class="workbench-part"><b>{html.escape(head)}</b>{"".join(map(str, tables))}{said}</div>'


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]], bold: Collection[int] = (), red: Collection[int] = ()) -> str:
    looks = [NUMBER if name in ("left", "before", "after", "limit") else WORD for name in head]
    marks = [";font-weight:bold" * (k in bold) + f";color:{RED}" * (k in red) for k in range(len(rows))]
    body = "".join(_row("td", row, [look + mark for look in looks]) for row, mark in zip(rows, marks, strict=True))
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


def _limit(effect: Effect) -> str:
    """Return the limit, and whether the book would be beyond it."""
    return "" if effect.limit is None else _number(effect.limit, effect) + ", beyond" * effect.beyond

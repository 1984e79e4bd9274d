"""A run as HTML: what the panel shows, made of plain values."""

from __future__ import annotations

import html
import time
from collections.abc import Mapping, Sequence
from typing import Any

from workbench.journal import Command
from workbench.live.status import COLOURS, ENDED, PAPER, SIMULATED, badge, clock, last_mode, steps
from workbench.panel._watch import SILENT, View

__all__ = ["commands_html", "decisions_html", "figures_html", "header_html", "heading", "orders_html", "positions_html"]

GREEN, RED = "#1f9e77", "#d1495b"
#: Columns of figures: they stand to the right also where there are none yet, so that nothing jumps when some come.
NUMBERS = ("quantity", "average price", "last", "notional", "open profit", "left", "filled")
CELL = "padding:.28em .8em;border-bottom:1px solid #8883;vertical-align:top"


def header_html(view: View, name: str = "") -> str:
    """Return what must never be mistaken: which run, paper or money, the mode, whether anybody is there.

    Parameters
    ----------
    view : View
    name : str
        The run's name; the session's own where it is not known.
    """
    run = str(view.status.get("run", ""))
    name = name or run
    session = run.removeprefix(name).strip()
    said = f"<small style='opacity:.65'>session of {html.escape(session)}</small>" if session else ""
    big = f"<b style='font-size:1.9em;line-height:1.3;margin-right:.6em'>{html.escape(name)}</b>"
    return f"<div style='line-height:2.2'>{big}<span style='font-size:1.1em'>{_badges(view)}</span>{said}</div>"


def _badges(view: View) -> str:
    """Return paper or money, and the mode; a run without a sign of life is in none any more."""
    status = view.status
    badges = badge("PAPER", PAPER) + (badge("SIMULATED", SIMULATED) if status.get("simulated") else "")
    if view.starting or not status:
        return badges + badge("STARTING" if view.starting else "NOT BEGUN", ENDED)
    if not view.alive:
        return badges + badge("ENDED" if status.get("over") else "NO SIGN OF LIFE", ENDED) + last_mode(status)
    mode = status.get("mode", "STARTING")
    gate = badge("GATE", COLOURS["HALTED"]) if status.get("gate") and "mode" in status else ""
    return badges + badge(mode, COLOURS.get(mode, ENDED)) + gate


def figures_html(view: View) -> str:
    """Return equity, profit, and how old everything is; each figure keeps its place however long it gets."""
    status = view.status
    if "equity" not in status:
        return ""
    profit = status["equity"] - (view.equity[0] if view.equity else status["equity"])
    cells = [
        ("equity", f"{status['equity']:,.2f} {status['currency']}", "", 10),
        ("since the start", f"{profit:+,.2f}", GREEN if profit >= 0 else RED, 7),
        ("last bar", clock(status["label"]), "", 11),
        ("data age", _age(view.data_age), RED if view.alive and view.data_age > 60 else "", 4),
        ("heartbeat", f"{_age(view.age)} ago", "" if view.age < SILENT or status.get("over") else RED, 5.5),
        ("steps", steps(status), "", 4),
    ]
    return "<div style='font-variant-numeric:tabular-nums;line-height:1.5'>" + "".join(_figure(*cell) for cell in cells) + "</div>"


def _figure(name: str, text: str, colour: str, width: float) -> str:
    said = f"<small style='opacity:.65'>{name}</small><br><b style='color:{colour or 'inherit'}'>{html.escape(text)}</b>"
    return f"<span style='display:inline-block;margin-right:1.6em;min-width:{width}em'>{said}</span>"


def _age(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 100 else f"{seconds / 60:,.0f} min" if seconds < 6000 else f"{seconds / 3600:,.0f} h"


def positions_html(view: View) -> str:
    """Return the positions with what they are worth."""
    rows = [
        (
            p["symbol"], _amount(p["quantity"]), f"{p['average']:,.6g}", _mark(p), f"{p['notional']:,.0f}",
            _money(p["unrealised"]),
        )
        for p in view.status.get("positions", {}).values()
    ]  # fmt: skip
    rows += [
        (f"{symbol} (dust)", _amount(left["quantity"]), "", "", f"{left['worth']:,.2f}", "")
        for symbol, left in view.status.get("dust", {}).items()
    ]
    currency = view.status.get("currency", "")
    names = ("symbol", "quantity", "average price", "last", f"notional, {currency}", f"open profit, {currency}")
    return table("Positions", names, rows, "flat")


def orders_html(view: View) -> str:
    """Return the orders that are out."""
    rows = [
        (
            o["symbol"],
            o["leg"],
            _form(o),
            _amount(o["quantity"]),
            _amount(o["filled"]) if o.get("filled") else "",
            o.get("state", ""),
            o["reason"],
        )
        for o in view.status.get("working", [])
    ]
    return table("Open orders", ("symbol", "leg", "order", "left", "filled", "state", "why"), rows, "none is out")


def _form(order: Mapping[str, Any]) -> str:
    """Return an order's form in words, few enough for a narrow table: sell stop at 97.88."""
    price = "" if order["price"] is None else f" at {order['price']:,.6g}"
    return f"{order['side']} {order['type'].replace('_', ' ')}{price}"


def decisions_html(view: View) -> str:
    """Return the newest decisions with their reasons."""
    rows = [(clock(label), d["symbol"], _stance(d["stance"]), d["reason"]) for label, d in view.decisions]
    return table("Last decisions", ("bar", "symbol", "stance", "what and why"), rows, "none yet")


def commands_html(commands: Sequence[Command]) -> str:
    """Return the newest commands, and what became of them."""
    rows = [(time.strftime("%H:%M:%S UTC", time.gmtime(c.created / 1e9)), c.what, c.who, _state(c), c.answer) for c in reversed(commands)]
    return table("Commands", ("at", "what", "who", "state", "answer"), rows, "none yet")


def _state(command: Command) -> str:
    if command.state == "queued":
        return "queued"
    return f"{command.state} after {(command.answered - command.created) / 1e9:.2f} s"


def _stance(stance: float | None) -> str:
    return "" if stance is None or stance != stance else "long" if stance > 0 else "short" if stance < 0 else "flat"


def _mark(position: dict[str, Any]) -> str:
    """Return the last price, and how old it is where the newest step had none."""
    price = f"{position['last']:,.6g}"
    return f"{price} ({position['stale']} steps old)" if position["stale"] else price


def _amount(quantity: float) -> str:
    text = f"{quantity:,.10g}"
    return f"{quantity:,.12f}".rstrip("0") if "e-" in text else text


def _money(amount: float) -> str:
    return f"<span style='color:{GREEN if amount >= 0 else RED}'>{amount:+,.2f}</span>"


def heading(title: str) -> str:
    """Return what stands over a table or a curve."""
    return f"<div style='margin:.6em 0 .2em;font-weight:600'>{html.escape(title)}</div>"


def table(title: str, names: Sequence[str], rows: Sequence[Sequence[str]], nothing: str) -> str:
    """Return a titled table; figures to the right, words to the left."""
    head = heading(title)
    right = [name.split(",")[0] in NUMBERS or (bool(rows) and all(_is_figure(row[k]) for row in rows)) for k, name in enumerate(names)]
    align = ["right" if is_right else "left" for is_right in right]
    # the last column holds the sentence, and who asked may be one too
    wraps = ["" if name in ("who", names[-1]) else "white-space:nowrap;" for name in names]
    top = "".join(
        f"<th style='{CELL};text-align:{a};font-weight:500;opacity:.65'>{html.escape(n)}</th>" for n, a in zip(names, align, strict=True)
    )
    body = "".join(
        "<tr>"
        + "".join(f"<td style='{CELL};{wrap}text-align:{a}'>{_cell(text)}</td>" for text, a, wrap in zip(row, align, wraps, strict=True))
        + "</tr>"
        for row in rows
    )
    body = body or f"<tr><td colspan='{len(names)}' style='{CELL};opacity:.65'>{nothing}</td></tr>"  # as high as one row
    style = "border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.93em;line-height:1.4;width:100%"
    return f"{head}<div style='overflow-x:auto'><table style='{style}'><tr>{top}</tr>{body}</table></div>"


def _cell(text: str) -> str:
    return text if text.startswith("<span ") else html.escape(text)


def _is_figure(text: str) -> bool:
    bare = text.split(">")[1].split("<")[0] if text.startswith("<span ") else text
    return bare.replace(",", "").replace(".", "").lstrip("+-").isdigit()

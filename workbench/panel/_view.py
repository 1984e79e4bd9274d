"""A run as HTML: what the panel shows, made of plain values."""

from __future__ import annotations

import html
import time
from collections.abc import Sequence
from typing import Any

from workbench.journal import Command
from workbench.live.status import COLOURS, PAPER, badge, clock
from workbench.panel._watch import SILENT, View
from workbench.session.live import MANY

__all__ = ["commands_html", "decisions_html", "header_html", "orders_html", "positions_html"]

GREEN, RED, GREY = "#1f9e77", "#d1495b", "#8a8f98"
CELL = "padding:.28em .8em;border-bottom:1px solid #8883;vertical-align:top"


def header_html(view: View) -> str:
    """Return what must never be mistaken: paper or money, the mode, whether anybody is there."""
    status = view.status
    if not status:
        return f"<div style='{_BIG}'>{badge('PAPER', PAPER)} no session has begun yet</div>"
    mode = status.get("mode", "STARTING")
    badges = badge("PAPER", PAPER) + badge(mode, COLOURS.get(mode, GREY))
    name = f"<b>{html.escape(str(status['run']))}</b>"
    return f"<div style='{_BIG}'>{badges}{name}</div>{_warning(view)}{_figures(view)}"


_BIG = "font-size:1.25em;line-height:2"


def _warning(view: View) -> str:
    """Return a red bar where the run cannot be trusted, an amber one where it holds back."""
    status = view.status
    if status.get("over"):
        return _bar(f"The run has ended: {status['over']}.", GREY)
    if view.age >= SILENT:
        return _bar(
            f"NO SIGN OF LIFE for {view.age:,.0f} s. The supervisor starts it again; what stands below is the last that was known.", RED
        )
    if status.get("gate"):
        return _bar(f"Nothing is decided: {status['gate']}.", COLOURS["REDUCING"])
    if status.get("joins"):
        wanted = ", ".join(f"{quantity:+,.10g} {symbol} ({notional:+,.0f})" for symbol, quantity, notional in status["joins"])
        return _bar(f"The first step will join: {wanted}, if the stance stays.", PAPER)
    if status.get("doubtful"):
        return _bar(f"{status['doubtful']} orders are in doubt: the venue is asked for them.", COLOURS["REDUCING"])
    late = [f"{symbol} ({count} in a row)" for symbol, count in status.get("late", {}).items() if count >= MANY]
    if late:
        return _bar(f"Bars come late: {', '.join(late)}. Nothing opens on them in time.", COLOURS["REDUCING"])
    return ""


def _bar(text: str, colour: str) -> str:
    return f"<div style='background:{colour};color:#fff;padding:.4em .8em;border-radius:4px;margin:.2em 0 .5em'>{html.escape(text)}</div>"


def _figures(view: View) -> str:
    status = view.status
    if "equity" not in status:
        return ""
    profit = status["equity"] - (view.equity[0] if view.equity else status["equity"])
    cells = [
        ("equity", f"{status['equity']:,.2f} {status['currency']}", ""),
        ("since the start", f"{profit:+,.2f}", GREEN if profit >= 0 else RED),
        ("last bar", clock(status["label"]), ""),
        ("data age", _age(view.data_age), RED if view.alive and view.data_age > 60 else ""),
        ("heartbeat", f"{_age(view.age)} ago", "" if view.age < SILENT else RED),
        ("steps", f"{status['steps']:,}", ""),
    ]
    span = "<span style='display:inline-block;margin-right:2.2em'>"
    return "<div style='font-variant-numeric:tabular-nums;line-height:1.5'>" + "".join(
        f"{span}<small style='opacity:.65'>{name}</small><br><b style='color:{colour or 'inherit'}'>{html.escape(text)}</b></span>"
        for name, text, colour in cells
    ) + "</div>"  # fmt: skip


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
    currency = view.status.get("currency", "")
    names = ("symbol", "quantity", "average price", "last", f"notional, {currency}", f"open profit, {currency}")
    return table("Positions", names, rows, "flat")


def orders_html(view: View) -> str:
    """Return the orders that are out."""
    rows = [
        (
            o["symbol"],
            o["leg"],
            o["side"],
            _amount(o["quantity"]),
            o["type"],
            "" if o["price"] is None else f"{o['price']:,.6g}",
            o["reason"],
        )
        for o in view.status.get("working", [])
    ]
    return table("Open orders", ("symbol", "leg", "side", "quantity", "type", "price", "why"), rows, "none is out")


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


def _price(price: float | None) -> str:
    return "" if price is None else f"{price:,.6g}"


def _amount(quantity: float) -> str:
    return f"{quantity:,.10g}"


def _money(amount: float) -> str:
    return f"<span style='color:{GREEN if amount >= 0 else RED}'>{amount:+,.2f}</span>"


def table(title: str, names: Sequence[str], rows: Sequence[Sequence[str]], nothing: str) -> str:
    """Return a titled table; figures to the right, words to the left."""
    head = f"<div style='margin:.6em 0 .2em;font-weight:600'>{title}</div>"
    if not rows:
        return f"{head}<div style='opacity:.65'>{nothing}</div>"
    right = [all(_is_figure(row[k]) for row in rows) for k in range(len(names))]
    align = ["right" if is_right else "left" for is_right in right]
    wraps = [*["white-space:nowrap;"] * (len(names) - 1), ""]  # the last column holds the sentence
    top = "".join(
        f"<th style='{CELL};text-align:{a};font-weight:500;opacity:.65'>{html.escape(n)}</th>" for n, a in zip(names, align, strict=True)
    )
    body = "".join(
        "<tr>"
        + "".join(f"<td style='{CELL};{wrap}text-align:{a}'>{_cell(text)}</td>" for text, a, wrap in zip(row, align, wraps, strict=True))
        + "</tr>"
        for row in rows
    )
    style = "border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.93em;line-height:1.4;width:100%"
    return f"{head}<div style='overflow-x:auto'><table style='{style}'><tr>{top}</tr>{body}</table></div>"


def _cell(text: str) -> str:
    return text if text.startswith("<span ") else html.escape(text)


def _is_figure(text: str) -> bool:
    bare = text.split(">")[1].split("<")[0] if text.startswith("<span ") else text
    return bare.replace(",", "").replace(".", "").lstrip("+-").isdigit()

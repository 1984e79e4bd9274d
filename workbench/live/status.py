"""How a run stands, as a line of HTML that reads on light and dark pages."""

from __future__ import annotations

import html
import time
from collections.abc import Mapping
from typing import Any

from workbench.session.models import refusals_in_words, troubles

__all__ = [
    "ENDED",
    "PAPER",
    "SIMULATED",
    "Described",
    "about_models",
    "badge",
    "clock",
    "held",
    "last_mode",
    "line",
    "moment",
    "status_html",
    "steps",
    "table",
]

#: What a mode looks like: nobody mistakes paper for money, or a halt for a run. White text has a contrast of 4.5 on each.
COLOURS = {"RUNNING": "#15795a", "REDUCING": "#7d52b8", "PAUSED": "#8f5f00", "HALTED": "#c0303f"}
PAPER, SIMULATED = "#2f6fc4", "#0e7490"
#: The ground of what has no mode any more, or none yet.
ENDED = "#6b7280"


def status_html(status: Mapping[str, Any]) -> str:
    """Return the status of a runner (`Runner.status`) as HTML."""
    badges = badge("PAPER", PAPER) + (badge("SIMULATED", SIMULATED) if status.get("simulated") else "")
    if status["over"]:
        badges += badge("ENDED", ENDED) + last_mode(status)
    elif "mode" in status:
        badges += badge(status["mode"], COLOURS[status["mode"]])
    if "mode" not in status:
        return line({"": status["over"] or status["gate"] or "starting"}, badges)
    if status["gate"] and not status["over"]:
        badges += badge("GATE", COLOURS["HALTED"])
    cells = {
        "steps": steps(status),
        "bar": clock(status["label"]),
        "equity": f"{status['equity']:,.2f} {status['currency']}",
        "positions": held(status),
        "orders out": f"{len(status['working']):,}",
        "in doubt": f"{status['doubtful']:,}" if status["doubtful"] else "",
        "late": ", ".join(f"{symbol} {count} bars" for symbol, count in status["late"].items()),
        "models": "; ".join(about_models(status)),
        "gate": status["gate"],
        "ended": status["over"],
    }
    return line({name: text for name, text in cells.items() if text}, badges)


def steps(status: Mapping[str, Any]) -> str:
    """Return how many steps there were, with those that were missed."""
    missed = status.get("missed")
    return f"{status['steps']:,}" + (f" + {missed:,} missed" if missed else "")


def about_models(status: Mapping[str, Any]) -> list[str]:
    """Return what there is to know of a run's trained models, each a sentence: what they refuse, and what has drifted."""
    models = status.get("models", ())
    lasting = (text for key, text in troubles(models).items() if not key.startswith("expired"))  # the refusals say that
    return [*refusals_in_words(models), *lasting]


def last_mode(status: Mapping[str, Any]) -> str:
    """Return in small what mode a run was last in: it is in none any more."""
    return f"<small style='opacity:.65;margin-right:1.2em'>was {html.escape(status['mode'])}</small>" if "mode" in status else ""


def held(status: Mapping[str, Any]) -> str:
    """Return what a run holds, in one line."""
    return ", ".join(f"{symbol} {one['quantity']:,.10g}" for symbol, one in status["positions"].items()) or "flat"


def clock(label: int) -> str:
    """Return a moment in UTC, with the local time where it differs."""
    if not label:
        return "-"
    utc = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(label / 1e9))
    local = time.strftime("%H:%M %Z", time.localtime(label / 1e9))
    return utc if local.endswith("UTC") else f"{utc} ({local})"


def moment(seconds: float) -> str:
    """Return a moment in UTC and as the clock on the wall has it."""
    utc, local = time.gmtime(seconds), time.localtime(seconds)
    return f"{time.strftime('%Y-%m-%d %H:%M:%S', utc)} UTC (local time {time.strftime('%Y-%m-%d %H:%M:%S %Z', local)})"


def table(lines: Mapping[str, str]) -> str:
    """Return named lines as a table."""
    cell = "text-align:left;vertical-align:top;padding:.25em .7em"
    rows = "".join(
        f"<tr><td style='{cell};opacity:.65'>{name}</td><td style='{cell};font-weight:600'>{html.escape(value)}</td></tr>"
        for name, value in lines.items()
    )
    return f"<table style='font-variant-numeric:tabular-nums'><tbody>{rows}</tbody></table>"


class Described:
    """Something that says what it is in named lines: `about`."""

    def about(self) -> dict[str, str]:
        """Return what it is, line by line."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return "\n".join(f"{name:<9} {value}" for name, value in self.about().items())

    def _repr_html_(self) -> str:
        return table(self.about())


def badge(text: str, colour: str) -> str:
    """Return a word on a coloured ground."""
    style = f"background:{colour};color:#fff;padding:.1em .7em;border-radius:3px;margin-right:.7em"
    return f"<b style='{style}'>{html.escape(text)}</b>"


def line(cells: Mapping[str, str], badges: str, share: float | None = None) -> str:
    """Return labelled figures behind badges, over a bar of progress where there is an end."""
    span = "<span style='margin-right:2em;display:inline-block;white-space:nowrap'>"
    figures = "".join(
        f"{span}<small style='opacity:.65'>{html.escape(name)}</small> <b>{html.escape(text)}</b></span>" for name, text in cells.items()
    )
    track = ""
    if share is not None:
        done = f"<div style='width:{share:.1%};background:{PAPER};height:6px;border-radius:3px'></div>"
        track = f"<div style='background:#8883;height:6px;border-radius:3px'>{done}</div>"
    return f"<div style='font-variant-numeric:tabular-nums;line-height:2.1'>{badges}{figures}{track}</div>"

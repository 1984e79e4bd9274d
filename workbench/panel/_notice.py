"""What a reader must not overlook, in one bar: who holds the run back, what that means, and how it goes on."""

from __future__ import annotations

import html
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from workbench.journal import Command
from workbench.live.status import COLOURS, ENDED, PAPER, about_models
from workbench.panel._watch import SILENT, View
from workbench.session.live import MANY

__all__ = ["AMBER", "RED", "Notice", "answer_html", "bar", "notice_html", "since"]

RED, AMBER = COLOURS["HALTED"], COLOURS["PAUSED"]
#: Seconds that the answer to a command is shown beside the buttons.
SHOWN = 30.0
#: Which order leads to a mode, what the mode means, and how a run goes on from it.
MODES = {
    "PAUSED": ("pause", "nothing is decided, and steps count as missed; protective orders stay. Resume goes on."),
    "REDUCING": ("reduce", "decisions go on, but only closings are sent. Resume lets it open again."),
    "HALTED": ("kill", "openings are off and nothing is decided; protective orders stay. Flatten closes what is held, Resume goes on."),
}


class Notice(NamedTuple):
    """Something to know: its word, what it says, and how grave it is."""

    word: str
    text: str
    colour: str


def notice_html(view: View, release: str = "RELEASE") -> str:
    """Return all that is to be known now in one bar; empty where nothing is.

    Parameters
    ----------
    view : View
    release : str
        The folder that ``workbench run`` goes on with.
    """
    return bar([*_state(view, release), *(_news(view) if view.alive else ())])


def bar(notices: Sequence[Notice]) -> str:
    """Return notices in one bar, in the colour of the first."""
    if not notices:
        return ""
    words = "<br>".join(f"<b>{notice.word}</b> {html.escape(notice.text)}" for notice in notices)
    colour = notices[0].colour
    ground = f"border-left:4px solid {colour};background:{colour}26;border-radius:3px"
    return f"<div style='{ground};padding:.45em .9em;line-height:1.5'>{words}</div>"


def _state(view: View, release: str) -> Iterator[Notice]:
    """Yield why the run is not to be trusted, or what mode holds it back."""
    status = view.status
    if view.starting:
        yield Notice("Starting.", f"The supervisor brings a session up{'; what stands below was known last' if status else ''}.", ENDED)
    elif not status:
        yield Notice("No session has begun yet;", f"{_next(view, release)}.", ENDED)
    elif status.get("over"):
        yield Notice("The run has ended:", f"{status['over']}.", ENDED)
    elif view.age >= SILENT:
        text = f"for {since(view.age)}; {_next(view, release)}. What stands below was known last."
        yield Notice("NO SIGN OF LIFE", text, RED)
    elif status.get("mode") in MODES:
        what, means = MODES[status["mode"]]
        by = view.applied.get(what)
        asked = f"by {by.who} at {_at(by.answered)}: " if by is not None else ""
        yield Notice(status["mode"].capitalize(), f"{asked}{means}", COLOURS[status["mode"]])


def _next(view: View, release: str) -> str:
    """Return what comes of a silent session."""
    if view.supervisor == "gone":
        return f"its supervisor is gone: `workbench run {release}` goes on with it"
    return "the supervisor starts it again" if view.status else "its supervisor is there"


def _news(view: View) -> Iterator[Notice]:
    """Yield what a session that is alive should be watched for."""
    status = view.status
    if status.get("gate"):
        yield Notice("Nothing is decided:", f"{status['gate']}.", RED)
    if status.get("joins"):
        wanted = ", ".join(f"{quantity:+,.10g} {symbol} ({notional:+,.0f})" for symbol, quantity, notional in status["joins"])
        yield Notice("The first step will join:", f"{wanted}, if the stance stays.", PAPER)
    if status.get("doubtful"):
        yield Notice(f"{_orders(status['doubtful'])} in doubt:", "the venue is asked.", AMBER)
    late = [f"{symbol} ({count} in a row)" for symbol, count in status.get("late", {}).items() if count >= MANY]
    if late:
        yield Notice("Bars come late:", f"{', '.join(late)}. Nothing opens on them in time.", AMBER)
    for text in about_models(status):
        yield Notice("A model:", f"{text}.", AMBER)
    flatten = view.applied.get("flatten")
    closed = flatten is not None and "being closed" in flatten.answer  # one that found nothing to close has changed nothing
    if flatten is not None and closed and flatten.answered > view.opened and not status.get("positions"):
        yield Notice("Flattened", f"by {flatten.who} at {_at(flatten.answered)}: nothing re-enters until a stance turns.", PAPER)


def _orders(count: int) -> str:
    return "1 order is" if count == 1 else f"{count:,} orders are"


def answer_html(view: View, said: str = "", said_at: int = 0, wrong: bool = False) -> str:
    """Return what became of the newest order, for half a minute; empty after that.

    Parameters
    ----------
    view : View
    said : str
        What this panel has to say itself: what its kill did, or why a press came to nothing.
    said_at : int
        When; a command that came later is told of instead.
    wrong : bool
        Whether it is an error.
    """
    newest = view.commands[-1] if view.commands else None
    touched = max(newest.created, newest.answered) if newest else 0
    if said and newest is not None and newest.created > said_at:
        said = ""
    if said:
        return _answer(said, wrong) if view.now - said_at < SHOWN * 1e9 else ""
    return _answer(_became(newest), newest.state in ("refused", "expired")) if newest and view.now - touched < SHOWN * 1e9 else ""


def _became(command: Command) -> str:
    """Return what became of a command, in a sentence."""
    asked = f"{command.what.capitalize()}, asked by {command.who} at {_at(command.created)}"
    if command.state == "queued":
        return f"{asked}: queued, and not answered yet"
    return f"{asked}: {command.state} after {(command.answered - command.created) / 1e9:.2f} s: {command.answer}"


def _answer(text: str, wrong: bool) -> str:
    edge = f"border-left:4px solid {RED};padding-left:.7em;font-weight:600" if wrong else ""
    return f"<div style='{edge}'>{html.escape(text).replace(chr(10), '<br>')}</div>"


def _at(nanoseconds: int) -> str:
    return time.strftime("%H:%M:%S UTC", time.gmtime(nanoseconds / 1e9))


def since(seconds: float) -> str:
    """Return a span of time in the unit that fits it."""
    if seconds < 100:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:,.0f} min" if seconds < 6000 else f"{seconds / 3600:,.0f} h"

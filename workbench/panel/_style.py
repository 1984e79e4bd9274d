"""How the panel looks: one sheet for light and dark pages. Nothing that comes and goes may move what is pressed."""

from __future__ import annotations

from workbench.live.status import COLOURS

__all__ = ["BUTTONS", "GROUPS", "STYLE"]

#: What each button means.
BUTTONS = {
    "pause": "No decisions; protective orders stay, steps count as missed.",
    "resume": "Decisions go on, from any mode.",
    "reduce": "Decisions go on, but only closings are sent.",
    "flatten": "Close all positions at market; nothing re-enters until a stance turns.",
    "kill": "Halt: take all openings off, at the venue and even while the session hangs; decide nothing. Protective orders stay.",
}
#: What stands together: that which is undone by a press, that which trades, that which halts.
GROUPS = (("pause", "resume", "reduce"), ("flatten",), ("kill",))
#: What only changes the mode has an edge in the mode's colour; what cannot be taken back is filled.
EDGES = {
    "approve": COLOURS["RUNNING"],
    "resize": COLOURS["RUNNING"],
    "veto": COLOURS["PAUSED"],
    "absent": COLOURS["PAUSED"],
    "pause": COLOURS["PAUSED"],
    "resume": COLOURS["RUNNING"],
    "reduce": COLOURS["REDUCING"],
}
FILLED = {"flatten": "#b5470b", "kill": COLOURS["HALTED"]}

_BUTTON = """
.workbench-panel .jupyter-button { width: 96px; height: 34px; line-height: 32px; margin: 0 6px 4px 0; border-radius: 4px; font-weight: 600;
    border: 1px solid transparent; box-shadow: none; }
.workbench-panel .jupyter-button.workbench-absent { width: 130px; }
.workbench-panel .jupyter-button:hover:enabled { filter: brightness(1.12); box-shadow: 0 1px 4px #0005; }
.workbench-panel .jupyter-button:focus-visible { outline: 2px solid #5590e0; outline-offset: 2px; }
.workbench-panel .jupyter-button:disabled { opacity: .35; cursor: not-allowed; }
"""
_EDGE = """
.workbench-panel .jupyter-button.workbench-{what} {{ background: {colour}22; border-color: {colour}; border-left-width: 5px;
    color: var(--jp-ui-font-color1, inherit); }}"""
_FILL = """
.workbench-panel .jupyter-button.workbench-{what} {{ background: {colour}; border-color: {colour}; color: #fff; }}"""
_REST = """
.workbench-panel { overflow: hidden; }
.workbench-panel .workbench-answer { min-height: 2.8em; line-height: 1.4; }
.workbench-panel .workbench-notice { min-height: 4.2em; }
.workbench-panel .widget-html-content { line-height: inherit; width: 100%; }
.workbench-panel .workbench-curve { height: 260px; width: 100%; min-width: 0; }
"""
STYLE = (
    "<style>"
    + _BUTTON
    + "".join(_EDGE.format(what=what, colour=colour) for what, colour in EDGES.items())
    + "".join(_FILL.format(what=what, colour=colour) for what, colour in FILLED.items())
    + _REST
    + "</style>"
)

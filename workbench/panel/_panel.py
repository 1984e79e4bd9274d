"""The panel itself: widgets over a view of the journal."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import time
import uuid
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import ipywidgets as widgets

from workbench.journal import Command, Journal
from workbench.live.kill import kill
from workbench.live.places import BEGUN, JOURNAL
from workbench.live.status import ENDED
from workbench.panel._asking import Asking
from workbench.panel._choice import chosen
from workbench.panel._curve import WidthKeeper, curve, draw
from workbench.panel._notice import RED, Notice, answer_html, bar, notice_html
from workbench.panel._style import BUTTONS, GROUPS, STYLE
from workbench.panel._view import commands_html, decisions_html, figures_html, header_html, heading, orders_html, positions_html
from workbench.panel._watch import View, Watch

__all__ = ["ControlPanel"]

log = logging.getLogger("workbench.panel")
#: Seconds: between two looks at the journal, and until a press that nobody applied expires.
LOOK, EXPIRES = 0.4, 60.0
#: Seconds between two drawings of the curve: a browser has more to do with one than with all tables, and a press waits for it.
DRAW = 1.0
TEXTS = ("header", "figures", "answer", "notice", "positions", "orders", "decisions", "commands")
#: The panel of each run that follows it in this kernel: a cell that is run again must not leave the one before at work.
FOLLOWING: WeakValueDictionary[str, ControlPanel] = WeakValueDictionary()


class ControlPanel:
    """Shows a run, and orders it about: each press is a command in the run's journal, applied once and answered.

    Kill does what ``workbench kill`` does: it goes to the venue with a connection of its own, also while the session hangs.

    Parameters
    ----------
    journal_or_run : Journal or path, optional
        A run's name, its folder (``runs/NAME``), or a journal; the one run that is alive where not given.
    who : str, default "panel"
        Named in the commands.

    Raises
    ------
    RunError
        There is no such run, or none is named and more than one is alive.

    Examples
    --------
    >>> ControlPanel("demo")  # doctest: +SKIP
    """

    def __init__(self, journal_or_run: Journal | str | Path | None = None, who: str = "panel") -> None:
        self.folder: Path | None = None
        if isinstance(journal_or_run, Journal):
            self.journal = journal_or_run
        else:
            self.folder = chosen(journal_or_run)
            self.journal = Journal(self.folder / JOURNAL)
        self.who = who
        self._name = self.folder.name if self.folder else ""
        self._watch = Watch(self.journal)
        self._said, self._said_at, self._wrong = "", 0, False
        self._killing: threading.Thread | None = None
        self._task: asyncio.Task[None] | None = None
        self._shown: dict[str, str] = {}
        self._drawn = -DRAW
        self._texts = {name: widgets.HTML() for name in TEXTS}
        self._buttons = {what: self._button(what) for what in BUTTONS}
        self._figure = curve()
        self._asking = Asking(self._pressed)
        self.widget = self._laid_out()
        self.refresh()

    # -- what a user calls ----------------------------------------------------------------------------------------------

    def post(self, what: str, body: dict[str, Any] | None = None) -> Command:
        """Queue a command for the session: pause, reduce, flatten, ...; approve, veto, resize and absent with what they are about."""
        now = time.time_ns()
        expires = 0 if what == "kill" else now + int(EXPIRES * 1e9)  # a kill stays wanted, however late somebody hears it
        command = Command(uuid.uuid4().hex, what, self.who, now, expires, body)
        self.journal.post(command)
        return command

    def refresh(self) -> None:
        """Look at the journal once, and show what is there."""
        view = self._watch.look()
        self._show("header", header_html(view, self._name))
        self._show("figures", figures_html(view))
        self._show("answer", answer_html(view, self._said, self._said_at, self._wrong))
        self._show("notice", notice_html(view, self._release(view)))
        asked = {} if view.closed else view.status
        self._asking.show(asked.get("proposals", []), asked.get("doubts", []), time.time_ns())
        self._show("positions", positions_html(view))
        self._show("orders", orders_html(view))
        self._show("decisions", decisions_html(view))
        self._show("commands", commands_html(view.commands))
        self._enable(not view.closed)
        if time.monotonic() >= self._drawn + DRAW:
            self._drawn = time.monotonic()
            draw(self._figure, view.labels, view.equity)

    async def follow(self) -> None:
        """Refresh until the panel or its widget is closed; an error is shown and does not end it."""
        while self.widget.comm is not None:
            self._look()
            await asyncio.sleep(LOOK)

    def close(self) -> None:
        """Stop looking, and say so: what is shown from now on is of the past."""
        if self._task is not None:
            self._task.cancel()
            self._task = None
        if FOLLOWING.get(self.journal.url) is self:
            del FOLLOWING[self.journal.url]
        self._enable(False)
        self._show(
            "notice", bar([Notice("Closed.", "This panel looks no more, and what it shows is of the past: run its cell again.", ENDED)])
        )

    def _ipython_display_(self) -> None:
        from IPython.display import display

        display(self.widget)  # type: ignore[no-untyped-call]
        before = FOLLOWING.get(self.journal.url)
        if before is not None and before is not self:
            before.close()
        FOLLOWING[self.journal.url] = self
        if self._task is None or self._task.done():
            self._task = asyncio.ensure_future(self.follow())

    # -- what a press does ----------------------------------------------------------------------------------------------

    def _pressed(self, what: str, body: dict[str, Any] | None = None) -> None:
        """Do what a button says; what is wrong with it is shown, for nobody else would catch it."""
        try:
            if what == "kill" and self.folder is not None:
                self._kill(self.folder)
            else:
                self.post(what, body)
        except Exception as error:
            log.exception(what)
            self._tell(f"{what.capitalize()} came to nothing: {error}", wrong=True)
            self._show("answer", answer_html(View(now=self._said_at), self._said, self._said_at, wrong=True))
        self._look()

    def _look(self) -> None:
        """Refresh; whatever one look came to, the next may go well, and the reader must know."""
        try:
            self.refresh()
        except Exception as error:
            log.exception("the panel could not read the journal")
            self._show("notice", bar([Notice("No look.", f"The journal cannot be read: {error}", RED)]))

    def _kill(self, folder: Path) -> None:
        """Kill as the shell does, in a thread: the venue may take seconds, and the panel goes on meanwhile."""
        if self._killing is not None and self._killing.is_alive():
            return  # it is being done
        self._tell("Kill: the venue and the session are being told ...")
        self._killing = threading.Thread(target=self._killed, args=(folder,), name="workbench kill", daemon=True)
        self._killing.start()

    def _killed(self, folder: Path) -> None:
        try:
            self._tell(f"Kill: {kill(folder.parent, folder.name, who=self.who)}")
        except Exception as error:  # in a thread nobody else would see it
            log.exception("kill")
            self._tell(f"Kill came to nothing: {error}", wrong=True)

    def _tell(self, text: str, wrong: bool = False) -> None:
        """Keep what this panel has to say; the next look shows it, in the kernel's own thread."""
        self._said, self._said_at, self._wrong = text, time.time_ns(), wrong

    # -- how it is made -------------------------------------------------------------------------------------------------

    def _button(self, what: str) -> widgets.Button:
        button = widgets.Button(description=what.capitalize(), tooltip=BUTTONS[what])
        button.add_class(f"workbench-{what}")
        button.on_click(lambda _: self._pressed(what))
        return button

    def _enable(self, enabled: bool) -> None:
        for button in self._buttons.values():
            if button.disabled is enabled:
                button.disabled = not enabled

    def _laid_out(self) -> widgets.Widget:
        texts = self._texts
        for name in ("answer", "notice"):  # they come and go in a room of their own
            texts[name].add_class(f"workbench-{name}")
        gap = {"margin": "0 22px 0 0"}
        groups = [widgets.HBox([self._buttons[what] for what in group], layout=gap) for group in GROUPS]
        buttons = widgets.HBox(groups, layout={"flex_flow": "row wrap", "margin": "10px 0 2px"})
        # decisions scroll in a box: each step brings another number of lines
        texts["decisions"].layout = {"height": "400px", "overflow": "auto"}
        half = {"flex": "1 1 480px", "min_width": "0"}
        title = widgets.HTML(heading("Equity"))
        left = widgets.VBox([WidthKeeper(), title, self._figure, texts["positions"], texts["orders"]], layout=half)
        right = widgets.VBox([texts["decisions"], texts["commands"]], layout=half)
        body = widgets.HBox([left, right], layout={"flex_flow": "row wrap", "grid_gap": "0 24px"})
        panel = widgets.VBox(
            [widgets.HTML(STYLE), texts["header"], texts["figures"], buttons, texts["answer"], texts["notice"], self._asking.widget, body]
        )
        panel.add_class("workbench-panel")
        return panel

    def _show(self, name: str, text: str) -> None:
        if self._shown.get(name) != text:
            self._shown[name] = self._texts[name].value = text

    def _release(self, view: View) -> str:
        """Return what ``workbench run`` goes on with: the release's folder, as the project's folder sees it."""
        if view.supervisor != "gone" or self.folder is None:
            return "RELEASE"
        try:
            release = Path(json.loads((self.folder / BEGUN).read_text(encoding="utf-8"))["release"])
        except (OSError, ValueError, KeyError):
            return "RELEASE"
        project = self.folder.parent.parent
        return str(release.relative_to(project) if release.is_relative_to(project) else release)

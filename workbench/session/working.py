"""An opening that is worked over several bars: what is left of it, and how far it is."""

from __future__ import annotations

from dataclasses import replace

from workbench.execution import Progress
from workbench.grid import lots_exactly, quantity_of
from workbench.market import Fill, Order

__all__ = ["Work"]


class Work:
    """One opening and its children, of which one is out at a time.

    Parameters
    ----------
    parent : Order
        As it was decided, at market.
    decided : float
        The close that it was decided on.
    closes : int
        At how many closes its algorithm is asked.
    bars : int, default 1
        How many bars lie between them: each part is given the time to reach the venue and to meet a bar there.
    """

    __slots__ = ("bars", "closes", "decided", "due", "left", "number", "parent", "sent")

    def __init__(self, parent: Order, decided: float, closes: int, bars: int = 1) -> None:
        self.parent, self.decided, self.closes, self.bars = parent, decided, closes, bars
        #: The label from which on a bar of its own has its algorithm asked next: what others have bars for does not count.
        self.due = 0
        #: What has not filled yet, in steps.
        self.left = lots_exactly(parent.quantity, *parent.instrument.step)
        #: How many closes its algorithm has been asked at, and how many children it made.
        self.number = self.sent = 0

    @property
    def rest(self) -> Order:
        """The order with what has not filled yet: it counts in full."""
        return replace(self.parent, quantity=quantity_of(self.left, *self.parent.instrument.step))

    @property
    def asked_for_all(self) -> bool:
        """Whether its algorithm has been asked for the last time: what is out then goes on alone."""
        return self.number >= self.closes

    def ask_again(self) -> None:
        """Have its algorithm asked once more for what it was asked now: what is out could not be taken off."""
        self.number -= 1
        self.sent -= 1
        self.due = 0

    def held_up(self) -> None:
        """Have its algorithm asked once more: what it sent last was taken off again by a pause."""
        self.number -= 1
        self.due = 0

    def is_over(self, fill: Fill) -> bool:
        """Take a fill in, and say whether it ends the work: all has filled, or what it had opened is closed."""
        mine = self.parent.key
        if mine is None or fill.key.label != mine.label or fill.key.leg == "close":  # of what was decided before or after it
            return False
        if fill.key.leg != "open":  # what protects it: nothing more is opened
            return True
        self.left -= lots_exactly(fill.quantity, *fill.instrument.step)
        return self.left <= 0

    def progress(self, interval: int, time: int, out: float) -> Progress:
        """Return how far it is."""
        return Progress(self.number, self.parent.quantity, self.decided, self.bars * interval, time, out, self.bars)

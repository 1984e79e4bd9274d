"""How far something is that takes a while: a bar for people who watch, a line now and then in a log."""

from __future__ import annotations

import sys
from typing import Any

__all__ = ["progress_bar"]

#: Seconds between two looks of a person, and between two lines of a log that nobody watches.
WATCHED, LOGGED = 0.1, 30.0


def progress_bar(total: int, what: str, unit: str, shown: bool = True) -> Any:
    """Return a bar of tqdm, to be entered with ``with`` and moved on with ``update``.

    Parameters
    ----------
    total : int
    what : str
        What is under way.
    unit : str
        What is counted.
    shown : bool, default True

    Examples
    --------
    >>> with progress_bar(3, "search", "backtest", shown=False) as bar:
    ...     _ = bar.update(3)
    """
    from tqdm.auto import tqdm

    seconds = WATCHED if is_watched() else LOGGED
    return tqdm(total=total, desc=what, unit=unit, disable=not shown, mininterval=seconds, maxinterval=max(seconds, 10.0))


def is_watched() -> bool:
    """Return whether a bar is drawn over itself: in a terminal or a notebook, and not in a file."""
    return sys.stderr.isatty() or "ipykernel" in sys.modules

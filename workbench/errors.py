"""One tree of errors.

::

    WorkbenchError
    ├── ParameterError (ValueError, TypeError)   a parameter of a part: unknown, of the wrong type, out of range
    ├── DataError (ValueError)                   bars that cannot be trusted: the row, column and value are named
    ├── StrategyError (ValueError)               parts that do not fit together, or cannot be saved or loaded
    ├── OrderError (ValueError)                  an order that no venue could take
    │   └── OrderRejected                        a venue refused it for certain: its code and its own words are kept
    │       ├── InsufficientFunds                the account has not the money, the margin or the coins
    │       ├── InvalidOrder                     off a grid, too small, too large, or at a price that is not allowed
    │       ├── MarketClosed                     the instrument is not traded now
    │       ├── NotPermitted                     the account, or its key, may not do this
    │       └── DuplicateOrder                   an order of this name is there already
    ├── VenueError                               a venue did not do what was asked, through no fault of the order
    │   ├── OutcomeUnknown                       no answer, or none to be trusted: it may have been done, or not
    │   └── Throttled                            too many requests: not done, and not before `retry_after` seconds
    ├── ModelError (ValueError)                  a trained model that cannot be trusted, or rows that it was not trained for
    ├── CausalityError                           a part looked at bars that had not closed yet
    ├── JournalError                             the record of a run that cannot be trusted or written
    └── RunError                                 a run that could not start or had to stop

A message says what was expected, what came, and where; `did_you_mean` adds the nearest known name.
Each level that an error passes through may add a note (`BaseException.add_note`).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = [
    "CausalityError",
    "DataError",
    "DuplicateOrder",
    "InsufficientFunds",
    "InvalidOrder",
    "JournalError",
    "MarketClosed",
    "ModelError",
    "NotPermitted",
    "OrderError",
    "OrderRejected",
    "OutcomeUnknown",
    "ParameterError",
    "RunError",
    "StrategyError",
    "Throttled",
    "VenueError",
    "WorkbenchError",
    "did_you_mean",
    "unknown_name",
]


class WorkbenchError(Exception):
    """Anything that the workbench refuses, in one sentence."""


class ParameterError(WorkbenchError, ValueError, TypeError):
    """A parameter of a part is unknown, of the wrong type or out of range."""


class DataError(WorkbenchError, ValueError):
    """Market data that cannot be trusted as it is."""


class StrategyError(WorkbenchError, ValueError):
    """Parts that do not fit together, or that cannot be saved or loaded."""


class OrderError(WorkbenchError, ValueError):
    """An order that no venue could take."""


class OrderRejected(OrderError):
    """A venue refused an order for certain.

    Parameters
    ----------
    message : str
        In our words.
    code, words : str
        The venue's own.
    """

    def __init__(self, message: str, code: str = "", words: str = "") -> None:
        said = f" (the venue: {' '.join(filter(None, (code, words)))})" if code or words else ""
        super().__init__(f"{message}{said}")
        self.code, self.words = code, words


class InsufficientFunds(OrderRejected):
    """The account has not the money, the margin or the coins."""


class InvalidOrder(OrderRejected):
    """The order is off a grid, too small, too large, or at a price that is not allowed."""


class MarketClosed(OrderRejected):
    """The instrument is not traded now."""


class NotPermitted(OrderRejected):
    """The account, or its key, may not do this."""


class DuplicateOrder(OrderRejected):
    """An order of this name is there already."""


class VenueError(WorkbenchError):
    """A venue did not do what was asked, through no fault of the order."""


class OutcomeUnknown(VenueError):
    """No answer came, or none to be trusted: what was asked may have been done, or not."""


class Throttled(VenueError):
    """Too many requests: it was not done.

    Parameters
    ----------
    message : str
    retry_after : float, default 0
        Seconds before which nothing more may be asked.
    """

    def __init__(self, message: str, retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ModelError(WorkbenchError, ValueError):
    """A trained model that cannot be trusted, or rows that it was not trained for."""


class CausalityError(WorkbenchError):
    """A part looked at bars that had not closed yet."""


class JournalError(WorkbenchError):
    """The record of a run cannot be trusted or written, so nothing is sent."""


class RunError(WorkbenchError):
    """A run that could not start or had to stop."""


def unknown_name(room: str, name: str, known: Iterable[str]) -> AttributeError:
    """Return the error for a name that a module does not have, with what was probably meant."""
    return AttributeError(f"{room} has no {name!r}{did_you_mean(name, known)}")


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a hint for a misspelt name, to be put at the end of a sentence.

    Parameters
    ----------
    name : str
        What the user wrote.
    known : iterable of str
        The names that exist.

    Returns
    -------
    str
        ``"; did you mean 'fast'?"`` when something is near, else ``"; known: fast, slow"``.

    Examples
    --------
    >>> did_you_mean("fsat", ["fast", "slow"])
    "; did you mean 'fast'?"
    """
    names = sorted(known)
    near = difflib.get_close_matches(name.lower(), [n.lower() for n in names], n=1, cutoff=0.6)
    if near:
        # of names that differ in capitals only, the one whose capitals are nearest
        hits = [n for n in names if n.lower() == near[0]]
        hit = max(hits, key=lambda n: difflib.SequenceMatcher(None, name, n).ratio())
        return f"; did you mean {hit!r}?"
    return f"; known: {', '.join(names)}" if names else ""

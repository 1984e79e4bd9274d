"""One tree of errors.

::

    WorkbenchError
    ├── ParameterError (ValueError, TypeError)   a parameter of a part: unknown, of the wrong type, out of range
    ├── DataError (ValueError)                   bars that cannot be trusted: the row, column and value are named
    ├── StrategyError (ValueError)               parts that do not fit together, or cannot be saved or loaded
    ├── OrderError (ValueError)                  an order that no venue could take
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
    "JournalError",
    "ModelError",
    "OrderError",
    "ParameterError",
    "RunError",
    "StrategyError",
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

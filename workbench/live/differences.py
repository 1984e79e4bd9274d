"""The differences of a run in words: what was otherwise, in the units that people trade in, and what it came to in the end."""

from __future__ import annotations

from typing import Any

import pandas as pd

from workbench.grid import quantity_of
from workbench.records import TYPES, WORDS
from workbench.session.setup import Setup

__all__ = ["Differences"]

#: What the fields of a record are called where people read of them.
NAMES = {"lots": "quantity", "t": "time", "end": "ended", "kind": "type", "present": "there", "code": "outcome", "unit": "conversion"}
MONEY = ("equity", "cash", "fee")
#: Digits of a number that is no money: all that a venue's grid has.
DIGITS = 10


class Differences:
    """Differences between two records of one set-up, in words.

    Parameters
    ----------
    setup : Setup
        Whose rows, instruments and currency the differences are in.
    rows : DataFrame
        Columns what, time, symbol, leg, field, expected, got, cause (`workbench.research.comparing.compare`).
    """

    def __init__(self, setup: Setup, rows: pd.DataFrame) -> None:
        self._setup = setup
        self._column = {symbol: j for j, symbol in enumerate(setup.bars.symbols)}
        self.rows = rows.sort_values("time", kind="stable")

    def of(self, cause: str) -> Differences:
        """Return those of one cause."""
        return Differences(self._setup, self.rows[self.rows["cause"] == cause])

    @property
    def since(self) -> str:
        """When the first of them was, in UTC."""
        return self._time(self.rows["time"].iloc[0])

    @property
    def first(self) -> str:
        """The first of them as a sentence."""
        row = self.rows.iloc[0]
        subject = _subject(row["what"], row["leg"], row["symbol"])
        if row["field"] == "present":
            return f"{subject} {'was not expected' if row['got'] else 'is missing'}"
        field = "" if row["field"] == row["what"] else f": {NAMES.get(row['field'], row['field'])}"
        got, expected = (self._words(row["symbol"], row["field"], row[side]) for side in ("got", "expected"))
        return f"{subject}{field} {got} instead of {expected}"

    def money(self, amount: float) -> str:
        """Return a gain or a loss in account currency."""
        return f"{amount:+z,.2f} {self._setup.currency}"

    def table(self, most: int) -> pd.DataFrame:
        """Return the first of them as texts, by time."""
        rows = self.rows.head(most)
        sides = {
            side: [self._words(*cells) for cells in zip(rows["symbol"], rows["field"], rows[side], strict=True)]
            for side in ("expected", "got")
        }
        fields = [NAMES.get(field, field) for field in rows["field"]]
        times = [self._time(time) for time in rows["time"]]
        texts = {"time": times, **{name: rows[name].tolist() for name in ("what", "symbol", "leg")}, "field": fields}
        return pd.DataFrame(texts | {**sides, "cause": rows["cause"].tolist()}, dtype=object)

    def _time(self, time: pd.Timestamp) -> str:
        return f"{time:%Y-%m-%d}" if self._setup.bars.daily else f"{time:%Y-%m-%d %H:%M} UTC"

    def _words(self, symbol: str, field: str, value: Any) -> str:
        """Return a value as people say it."""
        if isinstance(value, str):
            return value
        if value != value:
            return "none"
        if field in ("lots", "closed"):
            spec = self._setup.specs[self._column[symbol]]
            return f"{quantity_of(value, spec.number, spec.power):,.{DIGITS}g}"
        if field in ("t", "end"):
            return self._time(self._setup.bars.index[int(value)]) if value >= 0 else "not yet"
        return _plain(field, value)


def _plain(field: str, value: Any) -> str:
    """Return a value that needs no set-up to be understood."""
    match field:
        case "present":
            return "yes" if value else "no"
        case "side":
            return "buy" if value > 0 else "sell"
        case "stance":
            return "long" if value > 0 else "short" if value < 0 else "flat"
        case "kind":
            return TYPES[int(value)]
        case "code":
            return WORDS[int(value)] or "nothing was wanted"
    return f"{value:,.2f}" if field in MONEY else f"{value:,.{DIGITS}g}"


def _subject(what: str, leg: str, symbol: str) -> str:
    """Return what a difference is about."""
    match what:
        case "order":
            return f"the {leg} order of {symbol}" if symbol else "the orders"
        case "fill":
            return f"the fill of the {leg} order of {symbol}"
        case "decision":
            return f"the decision on {symbol}"
    return what

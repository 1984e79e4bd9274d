"""Tables for the eye: the same in a notebook and in a report."""

from __future__ import annotations

import pandas as pd

__all__ = ["Readable", "as_text"]

MONEY = {"equity", "fees", "fee", "profit", "value"}


class Readable:
    """A table as a person reads it: no midnights, money with two digits, sentences in full, gaps left empty.

    Parameters
    ----------
    frame : DataFrame
        One of the tables of a `Backtest`, or some rows of it.

    Examples
    --------
    >>> Readable(pd.DataFrame({"profit": [1234.5], "reason": ["closed"]}))
      profit  reason
    1,234.50  closed
    """

    def __init__(self, frame: pd.DataFrame) -> None:
        self.frame = frame

    def __repr__(self) -> str:
        return str(as_text(self.frame).to_string(index=False))

    def _repr_html_(self) -> str:
        table = as_text(self.frame).to_html(index=False, border=0).replace("<td>", "<td style='white-space:nowrap'>")
        return f"<div style='overflow-x:auto;font-variant-numeric:tabular-nums'>{table}</div>"


def as_text(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose cells are texts, at a precision that a person reads."""
    shown = frame.copy()
    for name in shown.select_dtypes("datetimetz"):
        shown[name] = _times(shown[name])
    for name in MONEY & set(shown):
        shown[name] = shown[name].map("{:,.2f}".format)
    if "return" in shown:
        shown["return"] = shown["return"].map("{:.2%}".format)
    for name in shown.select_dtypes("float"):
        shown[name] = shown[name].map(lambda value: "" if value != value else f"{value:,.6g}")
    shown.columns = [str(name).replace("_", " ") for name in shown.columns]
    return shown


def _times(times: pd.Series) -> pd.Series:
    known = times.dropna()
    midnight = bool((known.dt.normalize() == known).all())
    return times.dt.strftime("%Y-%m-%d" if midnight else "%Y-%m-%d %H:%M").fillna("")

"""Tables for the eye: the same in a notebook and in a report."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable

import numpy as np
import pandas as pd
from pandas.api import types

__all__ = ["Readable", "as_html", "as_text", "decimals", "money_decimals", "time_format"]

#: Columns of money, and the amount below which all of a column is small: coins, where two decimals would hide everything.
SMALL = {"equity": 100.0, "value": 100.0, "fee": 1.0, "fees": 1.0, "profit": 1.0, "open_profit": 1.0}
#: Digits of the largest price or quantity of a column; decimals of small amounts.
SIGNIFICANT = 6
#: Smaller than any step of a venue: dust of floating-point sums.
DUST = 1e-8
#: Characters of a text that is a sentence, to be wrapped rather than to make the table wide.
SENTENCE = 30

CELL = "vertical-align:top;padding:.25em .7em;"
NUMBER = CELL + "text-align:right;white-space:nowrap"
WORD = CELL + "text-align:left;white-space:nowrap"
TEXT = CELL + "text-align:left;white-space:normal;min-width:18rem"
#: A text in the last column: it has what room is left, and takes less of it than a page would have to be scrolled for.
LAST = CELL + "text-align:left;white-space:normal;min-width:7rem"


class Readable:
    """A table as a person reads it: no midnights, one number of decimals a column, sentences in full, gaps left empty.

    Parameters
    ----------
    frame : DataFrame
        One of the tables of a `Backtest`, or some rows of it.

    Examples
    --------
    >>> Readable(pd.DataFrame({"price": [941.33, 1020.5], "profit": [1234.5, -7.0], "reason": ["stop", "close"]}))
       price    profit  reason
      941.33  1,234.50  stop
    1,020.50     -7.00  close
    """

    def __init__(self, frame: pd.DataFrame) -> None:
        self.frame = frame

    def __repr__(self) -> str:
        shown = as_text(self.frame)
        columns = [_padded([name, *shown[name]], _is_number(self.frame.iloc[:, i])) for i, name in enumerate(shown)]
        return "\n".join("  ".join(cells).rstrip() for cells in zip(*columns, strict=True))

    def _repr_html_(self) -> str:
        return f"<div style='overflow-x:auto'>{as_html(self.frame)}</div>"


def as_text(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose cells are texts, at a precision that a person reads."""
    return pd.DataFrame({_headed(str(name)): _texts(frame[name]) for name in frame}, dtype=object)


def _headed(name: str) -> str:
    """Return a column's name in words; that of a nested parameter stays as it is written in a call."""
    return name if "__" in name else name.replace("_", " ")


def as_html(frame: pd.DataFrame) -> str:
    """Return a table whose texts begin, and whose numbers end, below each other.

    The look is written into the cells: a style sheet would not survive in a notebook that Jupyter does not trust.
    """
    shown = as_text(frame)
    looks = [_look(frame.iloc[:, i], shown[name], i == len(shown.columns) - 1) for i, name in enumerate(shown)]
    rows = [_row("td", cells, looks) for cells in shown.itertuples(index=False, name=None)]
    nothing = f"<tr><td colspan='{len(looks)}' style='{WORD};opacity:.7'>none</td></tr>"
    head = f"<thead>{_row('th', shown, looks)}</thead>"
    return f"<table style='font-variant-numeric:tabular-nums'>{head}<tbody>{''.join(rows) or nothing}</tbody></table>"


def decimals(values: Iterable[float]) -> int:
    """Return how many decimals a column needs: up to six digits of its largest value, and no value shown as nothing.

    Examples
    --------
    >>> decimals([1229.22998046875, 941.5]), decimals([1.10345, 1.1]), decimals([3.0, 250.0])
    (2, 5, 0)
    """
    sizes = _sizes(values)
    if not len(sizes):
        return 0
    most, least = SIGNIFICANT - 1 - math.floor(math.log10(sizes.max())), -math.floor(math.log10(sizes.min()))
    return _needed(sizes, max(most, least, 0))


def money_decimals(values: Iterable[float], small: float = 1.0) -> int:
    """Return 2, or up to 6 where all amounts are below `small`.

    Examples
    --------
    >>> money_decimals([1234.5678, 0.1234]), money_decimals([0.000512, 0.0001])
    (2, 6)
    """
    sizes = _sizes(values)
    usual = not len(sizes) or float(sizes.max()) >= small
    return 2 if usual else max(2, _needed(sizes, SIGNIFICANT))


def time_format(times: Iterable[pd.Timestamp]) -> str:
    """Return the shortest format that shows all of the times: dates, minutes or seconds."""
    index = pd.DatetimeIndex(times).dropna()
    if (index.normalize() == index).all():
        return "%Y-%m-%d"
    return "%Y-%m-%d %H:%M" if (index.floor("min") == index).all() else "%Y-%m-%d %H:%M:%S"


def _sizes(values: Iterable[float]) -> np.ndarray:
    sizes = np.abs(np.asarray(values, dtype=float))
    return sizes[np.isfinite(sizes) & (sizes >= DUST)]


def _needed(values: np.ndarray, most: int) -> int:
    return next(d for d in range(most + 1) if d == most or np.array_equal(np.round(values, d), np.round(values, most)))


def _is_number(column: pd.Series) -> bool:
    return bool(types.is_numeric_dtype(column) and not types.is_bool_dtype(column))


def _texts(column: pd.Series) -> list[str]:
    form = _form(column)
    return ["" if missing else form.format(value) for value, missing in zip(column, column.isna(), strict=True)]


def _form(column: pd.Series) -> str:
    """Return the one format of all cells of a column."""
    if types.is_datetime64_any_dtype(column):
        return f"{{:{time_format(column)}}}"
    if not _is_number(column):
        return "{}"
    if column.name == "return":
        return "{:z.2%}"
    if column.name in SMALL:
        return f"{{:z,.{money_decimals(column, SMALL[str(column.name)])}f}}"
    return "{:,}" if types.is_integer_dtype(column) else f"{{:z,.{decimals(column)}f}}"


def _look(column: pd.Series, texts: pd.Series, last: bool) -> str:
    if _is_number(column):
        return NUMBER
    if last:
        return LAST
    return TEXT if len(texts) and texts.str.len().max() > SENTENCE else WORD


def _row(tag: str, cells: Iterable[str], looks: list[str]) -> str:
    return "<tr>" + "".join(f"<{tag} style='{look}'>{html.escape(cell)}</{tag}>" for cell, look in zip(cells, looks, strict=True)) + "</tr>"


def _padded(cells: list[str], right: bool) -> list[str]:
    width = max(map(len, cells))
    return [cell.rjust(width) if right else cell.ljust(width) for cell in cells]

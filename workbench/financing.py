"""What holding a position costs - funding, swap, borrow - where outside series beside the bars say so (SEMANTICS 31).

One standard form for all of them: ``bars.with_extra(name, frame, known_at="0s")``, a frame of times x symbols whose values are shares of
the notional. A row counts at the time at which it was known, on the position that is held then; NaN is no row for that symbol.

============== ==============================================================================================================
name           a value is
============== ==============================================================================================================
``funding``    paid at its time by a long position, received by a short one; below zero the other way round
``swap_long``  paid at its time, once a night, by a long position; below zero received. It needs ``swap_short`` beside it
``swap_short`` paid by a short position
``borrow``     the yearly rate of borrowing from its time on, paid by a short position at every midnight UTC, a 365th each
============== ==============================================================================================================

A charge is quantity x value x last close x unit, at the rate of the last completed step like every booking (SEMANTICS 28), and part of
the equity from the close of the step in which it falls. What falls between two bars, or just at the open, is charged on what is held
before the open's fills; what falls later in a bar on what is held at its close. A live run charges nothing by itself: its venue does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from workbench.arrays import read_only
from workbench.bars import Bars
from workbench.errors import DataError
from workbench.extras import Extra
from workbench.interval import DAY
from workbench.sessions import close_times, open_times

__all__ = ["Financing", "financing"]

#: Which extras charge positions, and what each is called in a result.
NAMES = {"funding": "funding", "swap_long": "swap", "swap_short": "swap", "borrow": "borrow"}
DAYS_A_YEAR = 365
#: What no value reaches: a percentage that was taken for a share does.
MOST = {"funding": 1.0, "swap_long": 1.0, "swap_short": 1.0, "borrow": 10.0}


class Financing(NamedTuple):
    """The charges that fall within some bars, in the order in which they are booked; arrays of shape (K,).

    Parameters
    ----------
    moment : ndarray of int64
        2 x row of the bar, and 1 more where it counts on what is held at the close rather than before the open.
    column : ndarray of int64
        Whose position pays.
    long, short : ndarray
        What a long and a short position pay for a quantity of 1, as a price: value x last close; below zero it is received.
    modelled : frozenset of (str, str)
        For which symbols there is data, ``("funding", "BTCUSDT")``.
    assumptions : tuple of str
        What there is, in words.
    """

    moment: np.ndarray
    column: np.ndarray
    long: np.ndarray
    short: np.ndarray
    modelled: frozenset[tuple[str, str]]
    assumptions: tuple[str, ...]

    def since(self, row: int) -> Financing:
        """Return the charges from a row on, which becomes row 0."""
        first = int(np.searchsorted(self.moment, 2 * row))
        moment, column, long, short = (array[first:] for array in self[:4])
        return self._replace(moment=moment - 2 * row, column=column, long=long, short=short)


def financing(bars: Bars) -> Financing | None:
    """Return all charges of the outside series beside some bars; None where there are none.

    Raises
    ------
    DataError
        A series is no frame of times x symbols, a value is no share of the notional, or one side of a swap is missing.

    Examples
    --------
    >>> import workbench as wb
    >>> perpetual = wb.Instrument("BTCUSDT", "crypto", "perpetual")
    >>> prices = pd.DataFrame({name: 100.0 for name in ("open", "high", "low", "close")}, pd.date_range("2026-01-01", periods=9, freq="h"))
    >>> bars = wb.Bars.from_frames({"BTCUSDT": prices.tz_localize("UTC")}, interval="1h", instruments=[perpetual])
    >>> rates = pd.DataFrame({"BTCUSDT": [0.0001]}, pd.DatetimeIndex(["2026-01-01 08:00"], tz="UTC"))
    >>> found = financing(bars.with_extra("funding", rates, known_at="0s"))
    >>> found.moment.tolist(), found.long.tolist(), found.assumptions
    ([15], [0.01], ('BTCUSDT: funding from data, 1 value from 2026-01-01 08:00 to 2026-01-01 08:00 UTC',))
    """
    extras = {name: bars.extra.held[name] for name in NAMES if name in bars.extra}
    if not extras or not len(bars):
        return None
    found: Financing = bars.memo("financing", lambda: _financing(bars, extras))
    return found


class _Charges(NamedTuple):
    """Charges of one kind and instrument: when, and the shares of the notional that long and short positions pay."""

    kind: str
    column: int
    times: np.ndarray
    long: np.ndarray
    short: np.ndarray


def _financing(bars: Bars, extras: Mapping[str, Extra]) -> Financing:
    closes = close_times(bars)
    for name, extra in extras.items():
        _check(name, extra)
    _require_both_sides(bars, extras)
    inside = [one for one in _charges(bars, extras, closes) if len(one.times)]
    rows = [np.searchsorted(closes, one.times) for one in inside]
    late = [one.times > open_times(bars, one.column)[row] for one, row in zip(inside, rows, strict=True)]
    moment = _joined([2 * row + after for row, after in zip(rows, late, strict=True)], np.int64)
    column = _joined([np.full(len(one.times), one.column) for one in inside], np.int64)
    price = _last_closes(bars)[(moment - 1) // 2, column]  # before the open the last close is that of the row before
    long, short = (_joined([getattr(one, side) for one in inside], float) * price for side in ("long", "short"))
    # without a price there is no position
    order = [k for k in np.lexsort((column, moment)).tolist() if price[k] == price[k] and (long[k] != 0.0 or short[k] != 0.0)]
    moment, column, long, short = (read_only(array[order]) for array in (moment, column, long, short))
    return Financing(
        moment, column, long, short, frozenset((one.kind, bars.symbols[one.column]) for one in inside), tuple(_words(bars, inside))
    )


def _joined(arrays: list[np.ndarray], dtype: type) -> np.ndarray:
    return np.concatenate([np.empty(0, dtype), *arrays]).astype(dtype)


def _check(name: str, extra: Extra) -> None:
    if extra.columns is None:
        said = "is charged on positions: a DataFrame of times x symbols; take another name for a Series that is only to be looked at"
        raise DataError(f"the outside series {name!r} {said}")
    wrong = np.argwhere(~np.isnan(extra.values) & ~(np.abs(extra.values) < MOST[name]))
    if len(wrong):
        row, column = wrong[0].tolist()
        when = pd.Timestamp(int(extra.known[row]), tz="UTC")
        said = f"of {extra.columns[column]} at {when:%Y-%m-%d %H:%M} UTC must be a share of the notional (0.0001 = 1 basis point)"
        raise DataError(f"the {name} {said}, got {extra.values[row, column]:g}")


def _require_both_sides(bars: Bars, extras: Mapping[str, Extra]) -> None:
    """Refuse half a swap: what is not known costs nothing only where it is said to be 0."""
    sides = [{one for one in bars.symbols if one in _columns(extras.get(name))} for name in ("swap_long", "swap_short")]
    for symbol in bars.symbols:
        if (symbol in sides[0]) != (symbol in sides[1]):
            given, missing = ("swap_long", "swap_short") if symbol in sides[0] else ("swap_short", "swap_long")
            raise DataError(f"{symbol} has {given!r} and no {missing!r}: give both, 0 where nothing is paid")


def _columns(extra: Extra | None) -> tuple[object, ...]:
    return () if extra is None or extra.columns is None else extra.columns


def _charges(bars: Bars, extras: Mapping[str, Extra], closes: np.ndarray) -> Iterator[_Charges]:
    """Yield the charges within the bars: after the first close, before which nothing is held, and up to the last."""
    for name, extra in extras.items():
        for column, symbol in enumerate(bars.symbols):
            if symbol in _columns(extra):
                times, values = _values(name, extra, _columns(extra).index(symbol), closes)
                kept = ~np.isnan(values) & (times > closes[0]) & (times <= closes[-1])
                times, values = times[kept], values[kept]
                nothing = np.zeros(len(values))
                long = values if name in ("funding", "swap_long") else nothing
                short = -values if name == "funding" else nothing if name == "swap_long" else values
                yield _Charges(NAMES[name], column, times, long, short)


def _values(name: str, extra: Extra, column: int, closes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return when charges fall and their shares: at the times of the series, or at midnights of a yearly rate."""
    if name != "borrow":
        return extra.known, extra.values[:, column]
    midnights = np.arange(closes[0] // DAY + 1, closes[-1] // DAY + 1) * DAY
    return midnights, extra.at(midnights)[:, column] / DAYS_A_YEAR


def _last_closes(bars: Bars) -> np.ndarray:
    """Return the last close of each instrument at each step, NaN before its first."""
    present = bars.present
    last = np.maximum.accumulate(np.where(present, np.arange(len(present))[:, None], 0), axis=0)
    return np.take_along_axis(bars.array("close"), last, axis=0)


def _words(bars: Bars, inside: list[_Charges]) -> Iterator[str]:
    """Yield what there is of each kind, with whom it is charged."""
    for kind in dict.fromkeys(one.kind for one in inside):
        mine = [one for one in inside if one.kind == kind]
        symbols = list(dict.fromkeys(bars.symbols[one.column] for one in mine))
        first, last = (
            f"{pd.Timestamp(int(pick([pick(one.times) for one in mine])), tz='UTC'):%Y-%m-%d %H:%M}" for pick in (np.min, np.max)
        )
        count = sum(len(one.times) for one in mine)
        named = ", ".join(symbols[:5]) + (f" and {len(symbols) - 5} more" if len(symbols) > 5 else "")
        yield f"{named}: {kind} from data, {count:,} value{'s' if count > 1 else ''} from {first} to {last} UTC"

"""Bars: the one form in which market data is handed to every part."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from workbench.arrays import read_only, transposed
from workbench.errors import DataError, did_you_mean
from workbench.extras import Extra, Extras, extra_from
from workbench.frames import FIELDS, handed_out, instruments_for, join_frames
from workbench.instrument import Instrument
from workbench.interval import DAY, canonical, nanoseconds
from workbench.quality import check_frame, warn_of
from workbench.resampling import coarser
from workbench.rows import Rows

__all__ = ["FIELDS", "Bars"]


class Bars:
    """Immutable bars of one or many instruments on the union of their labels.

    A bar is labelled by its OPEN time in UTC and is known once it has closed. Where an instrument has no bar its row
    is NaN; nothing is ever filled (SEMANTICS 1-3).

    Parameters
    ----------
    index : pandas.DatetimeIndex of length T
        Labels, UTC, strictly rising.
    instruments : sequence of Instrument, length N
    interval : str
        ``"1min"``, ``"5min"``, ``"1h"``, ``"1D"`` ...
    arrays : mapping of str to ndarray of shape (T, N)
        The five fields; NaN where there is no bar.
    source : str, default ""
        Where they come from. Made-up bars say ``simulated`` here, and it is shown wherever they are.
    assumptions : sequence of str, default ()
        What the reader assumed; printed with every result.
    extras : mapping of str to Extra, default {}
        Outside series; `with_extra` adds one.

    Examples
    --------
    >>> import workbench as wb
    >>> bars = wb.simulate(days=5, seed=1)
    >>> bars.close.shape == (len(bars), 1)
    True
    """

    __slots__ = ("_arrays", "_extras", "_memo", "assumptions", "index", "instruments", "interval", "source")

    index: pd.DatetimeIndex
    instruments: tuple[Instrument, ...]
    interval: str
    source: str
    assumptions: tuple[str, ...]
    _arrays: dict[str, np.ndarray]
    _extras: dict[str, Extra]
    _memo: dict[Any, Any]

    def __init__(
        self,
        index: pd.DatetimeIndex,
        instruments: Sequence[Instrument],
        interval: str,
        arrays: Mapping[str, np.ndarray],
        source: str = "",
        assumptions: Sequence[str] = (),
        extras: Mapping[str, Extra] | None = None,
    ) -> None:
        held = {}
        for name in FIELDS:
            held[name] = read_only(np.asarray(arrays[name], dtype=float))
        for name, value in (
            ("index", index),
            ("instruments", tuple(instruments)),
            ("interval", canonical(interval)),
            ("_arrays", held),
            ("source", source),
            ("assumptions", tuple(assumptions)),
            ("_extras", dict(extras or {})),
            ("_memo", {}),
        ):
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"Bars are immutable: {name} cannot be set")

    def __reduce__(self) -> tuple[Any, ...]:
        return Bars, (self.index, self.instruments, self.interval, self._arrays, self.source, self.assumptions, self._extras)

    # -- making -------------------------------------------------------------------------------------------------

    @classmethod
    def from_frames(
        cls,
        frames: Mapping[str, pd.DataFrame],
        *,
        interval: str,
        instruments: Mapping[str, Instrument] | Sequence[Instrument] | None = None,
        source: str = "",
        assumptions: Sequence[str] = (),
    ) -> Bars:
        """Join one OHLCV frame a symbol on the union of their labels.

        Parameters
        ----------
        frames : mapping of str to DataFrame
            Columns open, high, low, close and, if there is one, volume; index UTC, the OPEN time of each bar.
        interval : str
        instruments : mapping or sequence of Instrument, optional
            Shares priced in USD where not given.
        source : str, default ""
        assumptions : sequence of str, default ()

        Returns
        -------
        Bars

        Raises
        ------
        DataError
            A frame is not clean: the sentence names symbol, row, column and value.
        """
        if not frames:
            raise DataError("Bars.from_frames needs at least one symbol, got none")
        chosen = instruments_for(frames, instruments)
        interval = canonical(interval)
        doubts = [check_frame(frames[i.symbol], i.symbol, interval, i.calendar) for i in chosen]
        for doubt in filter(None, doubts):
            warn_of(doubt)
            assumptions = (*assumptions, f"warning: {doubt}")
        index, arrays = join_frames([frames[i.symbol] for i in chosen])
        return cls(index, chosen, interval, arrays, source, assumptions)

    def with_rows(
        self, index: pd.DatetimeIndex, arrays: Mapping[str, np.ndarray], interval: str | None = None, columns: Sequence[int] | None = None
    ) -> Bars:
        """Return other rows of these instruments, or of some of them: source, assumptions and outside series stay."""
        instruments = self.instruments if columns is None else [self.instruments[c] for c in columns]
        bars = Bars(index, instruments, interval or self.interval, arrays, self.source, self.assumptions, self._extras)
        if columns is None:
            bars._memo["columns"] = self._names
        return bars

    def with_extra(self, name: str, given: pd.Series | pd.DataFrame, *, known_at: Any) -> Bars:
        """Return these bars with an outside series beside them: rates, sentiment, funding ...

        ``bars.extra[name]`` has at each bar the row last known at its close, on every slice of the bars as well. Frames of times x symbols
        named ``funding``, ``swap_long``, ``swap_short`` and ``borrow`` are also charged on positions (`workbench.financing`).

        Parameters
        ----------
        name : str
        given : Series or DataFrame
            Numbers; the index, in order and with a time zone, is the time that each row is about. A NaN in it is a value
            that is known to be missing.
        known_at : str, Timedelta or sequence of times
            How long after its own time a row was known (``"0s"``: at once; ``"1D"``), or when, one time a row, in order.

        Raises
        ------
        DataError
            No time zone, not in order, no numbers, known before its own time, or a name that is taken.

        Examples
        --------
        >>> import workbench as wb
        >>> bars = wb.simulate(bars=3, interval="1h", seed=1)
        >>> mood = pd.Series([1.0, 2.0], bars.index[:2])
        >>> bars.with_extra("mood", mood, known_at="2h").extra["mood"].tolist()
        [nan, 1.0, 2.0]
        """
        if name in self._extras:
            raise DataError(f"these bars have an outside series {name!r} already; take another name")
        extras = self._extras | {name: extra_from(name, given, known_at)}
        return Bars(self.index, self.instruments, self.interval, self._arrays, self.source, self.assumptions, extras)

    # -- reading ------------------------------------------------------------------------------------------------

    @property
    def symbols(self) -> list[str]:
        """The column names."""
        return [instrument.symbol for instrument in self.instruments]

    @property
    def shape(self) -> tuple[int, int]:
        """Number of labels and of instruments."""
        return len(self.index), len(self.instruments)

    def array(self, field: str) -> np.ndarray:
        """Return a field as a read-only array of shape (T, N)."""
        return self._arrays[field]

    def columns(self, field: str) -> np.ndarray:
        """Return a field as a read-only array of shape (N, T): one instrument after the other."""
        return self.memo(("columns", field), lambda: read_only(transposed(self._arrays[field])))

    def frame(self, field: str) -> pd.DataFrame:
        """Return a field as a DataFrame (time x symbol)."""
        return self.memo(("frame", field), lambda: self.laid_out(self._arrays[field]))

    def laid_out(self, values: np.ndarray) -> pd.DataFrame:
        """Return numbers of shape (T, N) as a DataFrame (time x symbol); a copy of those that may not be written into, themselves else."""
        return pd.DataFrame(values if values.flags.writeable else values.copy(), self.index, self._names, copy=False)

    @property
    def _names(self) -> pd.Index:
        return self.memo("columns", lambda: pd.Index(self.symbols))

    @property
    def open(self) -> pd.DataFrame:
        """First price of each bar, shape (T, N)."""
        return self.frame("open")

    @property
    def high(self) -> pd.DataFrame:
        """Highest price of each bar, shape (T, N)."""
        return self.frame("high")

    @property
    def low(self) -> pd.DataFrame:
        """Lowest price of each bar, shape (T, N)."""
        return self.frame("low")

    @property
    def close(self) -> pd.DataFrame:
        """Last price of each bar, shape (T, N)."""
        return self.frame("close")

    @property
    def volume(self) -> pd.DataFrame:
        """Volume of each bar, shape (T, N); refused where the source has none."""
        if not self.has_volume:
            raise DataError(
                f"these bars of {', '.join(self.symbols[:3])} have no volume; take a source with volume or a part without need of it"
            )
        return self.frame("volume")

    @property
    def has_volume(self) -> bool:
        """Whether every instrument has volume (all zero counts as none)."""
        return self.memo("has_volume", lambda: bool((np.nan_to_num(self._arrays["volume"]) > 0).any(axis=0).all()))

    @property
    def extra(self) -> Extras:
        """The outside series by name, laid on the labels: at each bar the row last known at its close, NaN before the first."""
        return Extras(self, self._extras)

    @property
    def present(self) -> np.ndarray:
        """Where an instrument has a bar: booleans of shape (T, N), read-only."""
        return self.memo("present", lambda: read_only(~np.isnan(self._arrays["close"])))

    @property
    def whole(self) -> bool:
        """Whether no instrument misses a bar."""
        return self.memo("whole", lambda: bool(self.present.all()))

    @property
    def labels(self) -> np.ndarray:
        """Labels as nanoseconds since 1970, int64 of length T."""
        return self.memo("labels", lambda: (self.index if self.index.unit == "ns" else self.index.as_unit("ns")).asi8)

    @property
    def interval_ns(self) -> int:
        """Length of the interval in nanoseconds."""
        return nanoseconds(self.interval)

    @property
    def daily(self) -> bool:
        """Whether the bars are daily or longer."""
        return self.interval_ns >= DAY

    @property
    def simulated(self) -> bool:
        """Whether these bars were made up."""
        return "simulated" in self.source

    @property
    def fingerprint(self) -> str:
        """Hash of labels, prices, instruments and what outside series say at each bar: the same data give the same 16 digits anywhere."""
        return self.memo("fingerprint", self._hash)

    def _hash(self) -> str:
        digest = hashlib.sha256(repr((self.interval, [i.to_dict() for i in self.instruments])).encode())
        digest.update(self.labels.tobytes())
        for name in FIELDS:
            digest.update(np.ascontiguousarray(self._arrays[name]).tobytes())
        for name, extra in self.extra.items():
            digest.update(repr((name, list(getattr(extra, "columns", [])))).encode() + np.ascontiguousarray(extra.to_numpy()).tobytes())
        return digest.hexdigest()[:16]

    def memo(self, key: Any, make: Callable[[], Any]) -> Any:
        """Return what was made for `key` before, or make it: the bars never change, so it stays true, whatever becomes of a frame."""
        if key not in self._memo:
            self._memo[key] = make()
        return handed_out(self._memo[key])

    # -- choosing -----------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, chosen: Any) -> Any:
        """Return one instrument's OHLCV DataFrame without its holes, or Bars of several symbols."""
        if isinstance(chosen, slice):
            raise DataError("bars[...] takes symbols; rows are bars.iloc[:100] by number and bars.loc['2024'] by label")
        names = [chosen] if isinstance(chosen, str) else list(chosen)
        for name in names:
            if name not in self.symbols:
                field = f"; a column is bars.{name.lower()}" if str(name).lower() in FIELDS else did_you_mean(name, self.symbols)
                raise DataError(f"no bars of {name!r}{field}")
        columns = [self.symbols.index(name) for name in names]
        if not isinstance(chosen, str):
            return self.take(columns=columns)
        values = {name: self._arrays[name][:, columns[0]] for name in FIELDS}
        return pd.DataFrame(values, index=self.index)[self.present[:, columns[0]]]

    @property
    def iloc(self) -> Rows:
        """Bars by row number: ``bars.iloc[:100]``."""
        return Rows(self, by_label=False)

    @property
    def loc(self) -> Rows:
        """Bars by label: ``bars.loc["2024"]``, ``bars.loc["2024-01":"2024-03"]``."""
        return Rows(self, by_label=True)

    def take(self, rows: Any = slice(None), columns: Sequence[int] | None = None) -> Bars:
        """Return the bars of some rows (slice, booleans or numbers) and columns; labels without a bar go."""
        which = slice(None) if columns is None else list(columns)
        arrays = {name: array[rows] if columns is None else array[rows][:, which] for name, array in self._arrays.items()}
        index = self.index[rows]
        if columns is not None:
            kept = ~np.isnan(arrays["close"]).all(axis=1)
            if not kept.all():
                index, arrays = index[kept], {name: array[kept] for name, array in arrays.items()}
        return self.with_rows(index, arrays, columns=columns)

    def at(self, interval: str) -> Bars:
        """Return the completed bars of a coarser interval, labelled by their open time.

        A coarser bar is there once its last possible bar has closed: of the bars up to one, exactly those whose end is not
        after its close. Days begin at 00:00 UTC, weeks (``"7D"``) on Monday. The one in which an instrument's bars begin is left out
        unless they begin with it, for some of it may be missing. Open is the first, high the highest, low the lowest,
        close the last, volume the sum; where an instrument has no bar in it, it has none.

        Parameters
        ----------
        interval : str
            A multiple of the bars' own.

        Returns
        -------
        Bars

        Raises
        ------
        DataError
            Not a multiple.

        Examples
        --------
        >>> import workbench as wb
        >>> len(wb.simulate(bars=50, interval="1h", seed=1).at("1D"))
        2
        """
        return self.memo(("at", canonical(interval)), lambda: coarser(self, interval))

    def blocks(self) -> Iterator[tuple[list[int], Any, Bars]]:
        """Yield columns, rows and Bars of each group of instruments with the same labels (SEMANTICS 4)."""
        if self.whole:
            yield list(range(len(self.instruments))), slice(None), self
            return
        groups: dict[bytes, list[int]] = {}
        for column in range(len(self.instruments)):
            groups.setdefault(np.packbits(self.present[:, column]).tobytes(), []).append(column)
        for columns in groups.values():
            rows = self.present[:, columns[0]]
            yield columns, rows, self.memo(("block", tuple(columns)), partial(self.take, rows, columns))

    def __repr__(self) -> str:
        if not len(self):
            return f"Bars(none, {', '.join(self.symbols)}, {self.interval})"
        names = ", ".join(self.symbols[:4]) + (f" and {len(self.symbols) - 4} more" if len(self.symbols) > 4 else "")
        where = f", {self.source}" if self.source else ""
        form = "%Y-%m-%d" if self.interval.endswith("D") else "%Y-%m-%d %H:%M"
        return f"Bars({names}, {self.interval}, {len(self):,} labels, {self.index[0]:{form}} to {self.index[-1]:{form}} UTC{where})"

"""Bars: the one form in which market data is handed to every part."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from workbench.errors import DataError, did_you_mean
from workbench.instrument import Instrument
from workbench.interval import DAY, canonical, nanoseconds
from workbench.quality import check_frame, require_bar_columns, warn_of

__all__ = ["FIELDS", "Bars", "join_frames"]

FIELDS = ("open", "high", "low", "close", "volume")


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

    Examples
    --------
    >>> import workbench as wb
    >>> bars = wb.simulate(days=5, seed=1)
    >>> bars.close.shape == (len(bars), 1)
    True
    """

    __slots__ = ("_arrays", "_memo", "assumptions", "index", "instruments", "interval", "source")

    index: pd.DatetimeIndex
    instruments: tuple[Instrument, ...]
    interval: str
    source: str
    assumptions: tuple[str, ...]
    _arrays: dict[str, np.ndarray]
    _memo: dict[Any, Any]

    def __init__(
        self,
        index: pd.DatetimeIndex,
        instruments: Sequence[Instrument],
        interval: str,
        arrays: Mapping[str, np.ndarray],
        source: str = "",
        assumptions: Sequence[str] = (),
    ) -> None:
        held = {}
        for name in FIELDS:
            view = np.asarray(arrays[name], dtype=float).view()
            view.flags.writeable = False
            held[name] = view
        for name, value in (
            ("index", index),
            ("instruments", tuple(instruments)),
            ("interval", canonical(interval)),
            ("_arrays", held),
            ("source", source),
            ("assumptions", tuple(assumptions)),
            ("_memo", {}),
        ):
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"Bars are immutable: {name} cannot be set")

    def __reduce__(self) -> tuple[Any, ...]:
        return Bars, (self.index, self.instruments, self.interval, self._arrays, self.source, self.assumptions)

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
        chosen = _instruments_for(frames, instruments)
        interval = canonical(interval)
        doubts = [check_frame(frames[i.symbol], i.symbol, interval, i.calendar) for i in chosen]
        for doubt in filter(None, doubts):
            warn_of(doubt)
            assumptions = (*assumptions, f"warning: {doubt}")
        index, arrays = join_frames([frames[i.symbol] for i in chosen])
        return cls(index, chosen, interval, arrays, source, assumptions)

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

        def turned() -> np.ndarray:
            rows = np.ascontiguousarray(self._arrays[field].T)
            rows.flags.writeable = False
            return rows

        return self.memo(("columns", field), turned)

    def frame(self, field: str) -> pd.DataFrame:
        """Return a field as a DataFrame (time x symbol)."""
        return self.memo(("frame", field), lambda: pd.DataFrame(self._arrays[field], self.index, self.symbols, copy=False))

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
    def present(self) -> np.ndarray:
        """Where an instrument has a bar: booleans of shape (T, N)."""
        return self.memo("present", lambda: ~np.isnan(self._arrays["close"]))

    @property
    def whole(self) -> bool:
        """Whether no instrument misses a bar."""
        return self.memo("whole", lambda: bool(self.present.all()))

    @property
    def labels(self) -> np.ndarray:
        """Labels as nanoseconds since 1970, int64 of length T."""
        return self.memo("labels", lambda: self.index.as_unit("ns").asi8)

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
        """Hash of labels, prices and instruments: the same data give the same 16 digits anywhere."""
        return self.memo("fingerprint", self._hash)

    def _hash(self) -> str:
        digest = hashlib.sha256(repr((self.interval, [i.to_dict() for i in self.instruments])).encode())
        digest.update(self.labels.tobytes())
        for name in FIELDS:
            digest.update(np.ascontiguousarray(self._arrays[name]).tobytes())
        return digest.hexdigest()[:16]

    def memo(self, key: Any, make: Callable[[], Any]) -> Any:
        """Return what was made for `key` before, or make it: the bars never change, so it stays true."""
        if key not in self._memo:
            self._memo[key] = make()
        return self._memo[key]

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
    def iloc(self) -> _Rows:
        """Bars by row number: ``bars.iloc[:100]``."""
        return _Rows(self, by_label=False)

    @property
    def loc(self) -> _Rows:
        """Bars by label: ``bars.loc["2024"]``, ``bars.loc["2024-01":"2024-03"]``."""
        return _Rows(self, by_label=True)

    def take(self, rows: Any = slice(None), columns: Sequence[int] | None = None) -> Bars:
        """Return the bars of some rows (slice, booleans or numbers) and columns; labels without a bar go."""
        which = slice(None) if columns is None else list(columns)
        arrays = {name: array[rows] if columns is None else array[rows][:, which] for name, array in self._arrays.items()}
        index = self.index[rows]
        if columns is not None:
            kept = ~np.isnan(arrays["close"]).all(axis=1)
            if not kept.all():
                index, arrays = index[kept], {name: array[kept] for name, array in arrays.items()}
        instruments = self.instruments if columns is None else [self.instruments[c] for c in columns]
        return Bars(index, instruments, self.interval, arrays, self.source, self.assumptions)

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


class _Rows:
    """Picks rows by number or label, and keeps them Bars."""

    __slots__ = ("_bars", "_by_label")

    def __init__(self, bars: Bars, by_label: bool) -> None:
        self._bars = bars
        self._by_label = by_label

    def __getitem__(self, rows: Any) -> Bars:
        if self._by_label:
            rows = pd.Series(np.arange(len(self._bars)), self._bars.index).loc[rows]
        if isinstance(rows, (int, np.integer)):
            rows = np.array([int(rows)])
        return self._bars.take(rows if isinstance(rows, slice) else np.asarray(rows))


def join_frames(frames: Sequence[pd.DataFrame]) -> tuple[pd.DatetimeIndex, dict[str, np.ndarray]]:
    """Return the union of checked frames' labels, and the fields on it, NaN where a frame has no row or no such column."""
    index = pd.DatetimeIndex(frames[0].index)
    for frame in frames[1:]:
        index = index if index.equals(frame.index) else index.union(pd.DatetimeIndex(frame.index))
    arrays = {name: np.full((len(index), len(frames)), np.nan) for name in FIELDS}
    for column, frame in enumerate(frames):
        rows = slice(None) if len(frame) == len(index) else index.get_indexer(pd.DatetimeIndex(frame.index))
        for name in FIELDS:
            if name in frame:
                arrays[name][rows, column] = frame[name].to_numpy(dtype=float)
    return index, arrays


def _instruments_for(frames: Mapping[str, pd.DataFrame], given: Mapping[str, Instrument] | Sequence[Instrument] | None) -> list[Instrument]:
    known = {i.symbol: i for i in (given.values() if isinstance(given, Mapping) else given or ())}
    for name, frame in frames.items():
        require_bar_columns(frame, name)
    if not known:
        return [Instrument(name) for name in frames]
    for name in frames:
        if name not in known:
            raise DataError(f"no instrument given for the bars of {name!r}{did_you_mean(name, known)}")
    return [known[name] for name in frames]

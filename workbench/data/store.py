"""A folder of Parquet files: one for each symbol and interval, written whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import numpy as np
import pandas as pd

from workbench.bars import FIELDS, Bars
from workbench.data.adapter import moment
from workbench.data.files import METADATA, read_parquet
from workbench.errors import DataError, did_you_mean
from workbench.frames import join_frames
from workbench.instrument import Instrument
from workbench.interval import canonical
from workbench.quality import check_frame

__all__ = ["ParquetStore"]

FOREIGN = "was not written by a ParquetStore; read it with read_bars"
CATALOG = ("symbol", "interval", "bars", "first", "last", "asset_class", "kind", "simulated", "source", "file")


class ParquetStore:
    """Bars kept in a folder, with their instruments and where they come from.

    A file lies at ``FOLDER/INTERVAL/SYMBOL.parquet`` and is a plain Parquet file for any other reader. A file is replaced
    as a whole (written beside it, then renamed), so a reader sees the old one or the new one.

    Parameters
    ----------
    folder : path
        Made when something is first saved.

    Examples
    --------
    >>> store = ParquetStore("bars")
    >>> store.save(wb.simulate(days=1, seed=1))
    >>> store.load("SIM", "1min").shape
    (1440, 1)
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)

    def save(self, bars: Bars, *, replace: bool = False) -> None:
        """Add bars to what is stored.

        Parameters
        ----------
        bars : Bars
        replace : bool, default False
            Whether a row with the label of a stored one takes its place. The instrument, the source and the assumptions
            are then those of `bars`. Simulated bars never replace real ones, nor real bars simulated ones.

        Raises
        ------
        DataError
            A row contradicts the stored row of its label, the instrument is described in another way, simulated bars meet
            real ones, or the bars have outside series, which the files do not hold. Nothing of any symbol is changed then.
        """
        from filelock import FileLock

        if bars.extra:
            raise DataError(f"ParquetStore holds bars only, these have outside series ({', '.join(bars.extra)}): add them after loading")
        folder = self.folder / bars.interval
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / ".lock"):
            merged = [(self._path(one.symbol, bars.interval), *self._merged(bars, one, replace)) for one in bars.instruments]
            for path, frame, about in merged:
                _write(path, frame, about)

    def load(self, symbols: str | Sequence[str], interval: str, start: Any = None, end: Any = None) -> Bars:
        """Return stored bars with labels from `start` to `end`, both included.

        Parameters
        ----------
        symbols : str or sequence of str
        interval : str
        start, end : str, datetime or Timestamp, optional
            UTC where they name no zone.

        Returns
        -------
        Bars

        Raises
        ------
        DataError
            A symbol is not stored at this interval, or its file is damaged.
        """
        names, interval = [symbols] if isinstance(symbols, str) else list(symbols), canonical(interval)
        if not names:
            raise DataError("ParquetStore.load needs at least one symbol, got none")
        first, last = (None if value is None else moment(value, name) for value, name in ((start, "start"), (end, "end")))
        frames, abouts = zip(*(self._read(name, interval) for name in names), strict=True)
        index, arrays = join_frames([_between(frame, first, last) for frame in frames])
        instruments = [Instrument(**about["instrument"]) for about in abouts]
        source = "; ".join(dict.fromkeys(about["source"] for about in abouts if about["source"]))
        return Bars(
            index, instruments, interval, arrays, source, tuple(dict.fromkeys(note for about in abouts for note in about["assumptions"]))
        )

    def catalog(self) -> pd.DataFrame:
        """Return what is stored, a row for each symbol and interval, read from the files' descriptions only."""
        rows = []
        for path in sorted(self.folder.glob("*/*.parquet")):
            about = _description(path)
            one = about["instrument"]
            times = [pd.Timestamp(about[name], tz="UTC") for name in ("first", "last")]
            simulated = "simulated" in about["source"]
            rows.append(
                (
                    one["symbol"],
                    about["interval"],
                    about["bars"],
                    *times,
                    one["asset_class"],
                    one["kind"],
                    simulated,
                    about["source"],
                    str(path),
                )
            )
        return pd.DataFrame(rows, columns=list(CATALOG))

    def _path(self, symbol: str, interval: str) -> Path:
        return self.folder / interval / f"{quote(symbol, safe='^=')}.parquet"

    def _read(self, symbol: str, interval: str) -> tuple[pd.DataFrame, dict[str, Any]]:
        path = self._path(symbol, interval)
        if not path.exists():
            raise DataError(self._absent(symbol, interval))
        try:
            frame, about = read_parquet(path)
        except (OSError, ValueError) as error:
            raise DataError(f"the stored bars of {symbol} cannot be read ({path}): {error}") from error
        if about is None:
            raise DataError(f"{path} {FOREIGN}")
        check_frame(frame, symbol, interval)
        return frame, about

    def _absent(self, symbol: str, interval: str) -> str:
        here = [unquote(path.stem) for path in sorted((self.folder / interval).glob("*.parquet"))]
        others = sorted(path.parent.name for path in self.folder.glob(f"*/{self._path(symbol, interval).name}"))
        hint = f"; it is there at {', '.join(others)}" if others else did_you_mean(symbol, here)
        return f"no bars of {symbol!r} at {interval} in {self.folder}{hint}"

    def _merged(self, bars: Bars, instrument: Instrument, replace: bool) -> tuple[pd.DataFrame, dict[str, Any]]:
        """Return the rows and the description to be written for one instrument."""
        frame = bars[instrument.symbol]
        frame.index.name = "timestamp"
        about = {
            "instrument": instrument.to_dict(),
            "interval": bars.interval,
            "source": bars.source,
            "assumptions": list(bars.assumptions),
        }
        if self._path(instrument.symbol, bars.interval).exists():
            stored, old = self._read(instrument.symbol, bars.interval)
            # Stored rows outlast a replacement: a mixed file would pass made-up ones off as real.
            _must_be_of_one_kind(instrument.symbol, old["source"], bars.source)
            if not replace:
                _must_agree(instrument.symbol, stored, frame, old, about)
                about["source"] = "; ".join(dict.fromkeys(text for text in (old["source"], bars.source) if text))
                about["assumptions"] = list(dict.fromkeys([*old["assumptions"], *bars.assumptions]))
            frame = pd.concat([stored[~stored.index.isin(frame.index)], frame]).sort_index()
        ends = [str(label) for label in (frame.index[0], frame.index[-1])] if len(frame) else [None, None]
        return frame, about | {"bars": len(frame), "first": ends[0], "last": ends[1]}


def _must_be_of_one_kind(symbol: str, stored: str, new: str) -> None:
    if ("simulated" in stored) != ("simulated" in new):
        said = f"stored {stored!r}, new {new!r}; save to another folder"
        raise DataError(f"{symbol}: simulated and real bars do not go into one file: {said}")


def _must_agree(symbol: str, stored: pd.DataFrame, new: pd.DataFrame, old: dict[str, Any], about: dict[str, Any]) -> None:
    if old["instrument"] != json.loads(json.dumps(about["instrument"])):
        differing = next(name for name, value in about["instrument"].items() if old["instrument"].get(name) != value)
        said = f"{differing} is {old['instrument'].get(differing)!r} in the store and {about['instrument'][differing]!r} here"
        raise DataError(f"{symbol}: the instrument differs: {said}; pass replace=True to overwrite")
    labels = stored.index.intersection(new.index)
    left, right = (frame.loc[labels, list(FIELDS)].to_numpy(dtype=float) for frame in (stored, new))
    rows, columns = np.nonzero(~((left == right) | (np.isnan(left) & np.isnan(right))))
    if len(rows):
        row, column = rows[0], columns[0]
        said = f"{FIELDS[column]} at {labels[row]} is {left[row, column]} in the store and {right[row, column]} here"
        raise DataError(f"{symbol}: {len(np.unique(rows)):,} rows contradict what is stored: {said}; pass replace=True to overwrite")


def _description(path: Path) -> dict[str, Any]:
    """Return what a file says of itself, without reading its rows."""
    import pyarrow.parquet

    try:
        kept = (pyarrow.parquet.read_schema(path).metadata or {}).get(METADATA)
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read: {error}") from error
    if kept is None:
        raise DataError(f"{path} {FOREIGN}")
    return dict(json.loads(kept))


def _write(path: Path, frame: pd.DataFrame, about: dict[str, Any]) -> None:
    """Write a file beside its place, make sure it is on the disk, and rename it."""
    import pyarrow
    import pyarrow.parquet

    table = pyarrow.Table.from_pandas(frame)
    table = table.replace_schema_metadata({**(table.schema.metadata or {}), METADATA: json.dumps(about).encode()})
    beside = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with beside.open("wb") as file:
            pyarrow.parquet.write_table(table, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    finally:
        with suppress(FileNotFoundError):
            beside.unlink()


def _between(frame: pd.DataFrame, first: int | None, last: int | None) -> pd.DataFrame:
    labels = pd.DatetimeIndex(frame.index).as_unit("ns").asi8
    begin = 0 if first is None else int(np.searchsorted(labels, first))
    return frame.iloc[begin : None if last is None else int(np.searchsorted(labels, last, "right"))]

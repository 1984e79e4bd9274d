"""The door for bars that lie in a file or a DataFrame: checked, converted to open-stamped UTC, and everything assumed is said."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from workbench.bars import FIELDS, Bars
from workbench.data.guess import guess_instrument
from workbench.data.labels import TIME_NAMES, infer_interval, open_labels, read_labels
from workbench.data.repair import repair_frame, repair_names
from workbench.errors import DataError, ParameterError, did_you_mean
from workbench.instrument import Instrument
from workbench.interval import canonical
from workbench.quality import Fault, as_floats, require_bar_columns

__all__ = ["METADATA", "read_bars", "read_parquet"]

#: Key of our own description in a Parquet file's metadata.
METADATA = b"workbench"
READABLE = (".parquet", ".csv", ".txt", ".csv.gz", ".feather")
#: Other names of the columns, used where the full name is absent.
ALIASES = {"o": "open", "h": "high", "l": "low", "c": "close", "v": "volume", "vol": "volume", "totalvolume": "volume"}
SYMBOL_NAMES = ("symbol", "ticker")

Stamp = Literal["open", "close"]
Given = Instrument | str | Mapping[str, Instrument] | Sequence[Instrument] | None


@dataclass(frozen=True, slots=True)
class _Table:
    """What a source held: its rows, its name, and our own description where it has one."""

    rows: pd.DataFrame
    name: str
    stem: str | None = None
    kept: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class _Choice:
    """What the caller chose."""

    interval: str | None
    stamp: Stamp
    repairs: tuple[str, ...]
    timezone: str | None
    time_format: str | None


def read_bars(
    path_or_frame: str | os.PathLike[str] | pd.DataFrame,
    instrument: Given = None,
    interval: str | None = None,
    stamp: Stamp = "open",
    repair: str | Iterable[str] = (),
    *,
    timezone: str | None = None,
    time_format: str | None = None,
) -> Bars:
    """Read bars from a Parquet, CSV or Feather file or a DataFrame, and refuse what cannot be trusted.

    Parameters
    ----------
    path_or_frame : path or DataFrame
        Columns open, high, low, close[, volume] in any case. Times are the index or a column timestamp, datetime, date
        (and time): times with a zone, ISO text, or numbers since 1970. A column symbol makes bars of several instruments.
    instrument : Instrument or str, optional
        What is in it; a mapping or sequence of Instrument for several symbols. Guessed from the file's name (a text: from
        that) where not given, and the guess is recorded in `Bars.assumptions`.
    interval : str, optional
        ``"1min"``, ``"1h"``, ``"1D"`` ...; the commonest step between labels where not given.
    stamp : {"open", "close"}, default "open"
        Whether times are the bars' opens or closes. Closes are moved back by one interval, daily ones to the session date.
    repair : str or iterable of str, default ()
        ``"localize"``, ``"sort"``, ``"drop_duplicates"``, ``"drop_bad"``, ``"drop_closed"``: made in this order, counted and
        recorded in `Bars.assumptions`. Nothing is repaired unasked.
    timezone : str, optional
        The zone of times written without one; for daily bars, the exchange's, whose date is the session date.
    time_format : str, optional
        How times in text are written, as in ``"%m/%d/%Y %H:%M"``; ISO 8601 where not given.

    Returns
    -------
    Bars

    Raises
    ------
    DataError
        The file is missing or holds no bars, or its bars have faults: each kind with row, column, value and count.
    ParameterError
        An unknown stamp, repair or timezone.

    Warns
    -----
    SuspectDataWarning
        A close moved by more than 40 % in one bar: possibly a split.

    Examples
    --------
    >>> index = pd.date_range("2024-01-01", periods=3, freq="h", tz="UTC")
    >>> read_bars(pd.DataFrame(1.1, index, ["Open", "High", "Low", "Close"]), "EURUSD").interval
    '1h'
    """
    if stamp not in ("open", "close"):
        raise ParameterError(f"stamp must be 'open' or 'close', got {stamp!r}{did_you_mean(str(stamp), ('open', 'close'))}")
    choice = _Choice(canonical(interval) if interval else None, stamp, repair_names(repair), timezone, time_format)
    table = _read(path_or_frame)
    parts = [_read_one(part, given, choice) for part, given in _by_symbol(table, instrument)]
    notes = list(dict.fromkeys(note for _, _, _, said in parts for note in said))
    kept = table.kept or {}
    return Bars.from_frames(
        {chosen.symbol: frame for chosen, frame, _, _ in parts},
        interval=parts[0][2],
        instruments=[chosen for chosen, _, _, _ in parts],
        source=str(kept.get("source") or table.name),
        assumptions=[*kept.get("assumptions", ()), *notes],
    )


def _read_one(table: _Table, given: Instrument | str | None, choice: _Choice) -> tuple[Instrument, pd.DataFrame, str, list[str]]:
    """Return the instrument, its frame with open labels in UTC, the interval and what was assumed."""
    require_bar_columns(table.rows, table.name)
    if not len(table.rows):
        raise DataError(f"{table.name}: no rows")
    labels = read_labels(table.rows, table.name, "localize" in choice.repairs, choice.timezone, choice.time_format)
    fields = [name for name in FIELDS if name in table.rows]
    instrument, said = _instrument(table, given)
    interval = choice.interval or infer_interval(labels.times, table.name)
    index, stamped = open_labels(labels, interval, choice.stamp, instrument.asset_class == "crypto")
    frame, repaired = repair_frame(table.rows[fields].set_axis(index), choice.repairs, interval, instrument.calendar)
    notes = [*said, *([] if choice.interval else [f"interval {interval}, the commonest step between labels"]), *stamped, *labels.notes]
    return instrument, frame, interval, [*notes, *_about_columns(table.rows, fields), *_about_volume(frame), *repaired]


def _instrument(table: _Table, given: Instrument | str | None) -> tuple[Instrument, list[str]]:
    if isinstance(given, Instrument):
        return given, []
    if given is None and table.kept:
        return Instrument(**table.kept["instrument"]), []
    guessed, why = guess_instrument(given or table.stem, table.rows)
    if isinstance(given, str):
        guessed = replace(guessed, symbol=given)
    return guessed, [f"instrument {guessed!r}, {why}"]


def _about_columns(rows: pd.DataFrame, fields: Sequence[str]) -> list[str]:
    spare = [str(name) for name in rows.columns if name not in (*fields, *TIME_NAMES, *SYMBOL_NAMES)]
    return [f"columns left out: {', '.join(spare)}"] if spare else []


def _about_volume(frame: pd.DataFrame) -> list[str]:
    if "volume" not in frame:
        return ["no volume column"]
    return [] if (as_floats(frame["volume"]) > 0).any() else ["volume is 0 or missing throughout: counted as none"]


# -- tables ---------------------------------------------------------------------------------------------------------


def _read(source: Any) -> _Table:
    if isinstance(source, pd.DataFrame):
        return _Table(_plain_names(source, "DataFrame"), "DataFrame")
    if not isinstance(source, (str, os.PathLike)):
        raise ParameterError(f"read_bars needs a path or a DataFrame, got {type(source).__name__}")
    path = Path(source)
    _must_be_readable(path)
    try:
        rows, kept = read_parquet(path) if path.suffix == ".parquet" else (_read_other(path), None)
    except (OSError, ValueError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{path} cannot be read: {str(error).splitlines()[0]}") from error
    return _Table(_plain_names(rows, path.name), path.name, path.name.split(".")[0], kept)


def _must_be_readable(path: Path) -> None:
    if path.is_dir():
        raise DataError(f"{path} is a folder; read_bars reads one file ({', '.join(READABLE)}), ParquetStore a folder")
    if not path.exists():
        near = sorted(other.name for other in path.parent.iterdir()) if path.parent.is_dir() else []
        hint = did_you_mean(path.name, near)
        raise DataError(f"no file {path}{hint if 'did you mean' in hint else ''}")
    if not path.name.lower().endswith(READABLE):
        raise DataError(f"{path.name}: read_bars reads {', '.join(READABLE)}, not {path.suffix or 'a file without an ending'}")


def read_parquet(path: Path) -> tuple[pd.DataFrame, dict[str, Any] | None]:
    """Return the rows of a Parquet file and our own description of it, None in a plain file."""
    import pyarrow.parquet

    with pyarrow.parquet.ParquetFile(path) as file:
        kept = (file.schema_arrow.metadata or {}).get(METADATA)
        return file.read().to_pandas(), json.loads(kept) if kept else None


def _read_other(path: Path) -> pd.DataFrame:
    if path.suffix == ".feather":
        return pd.read_feather(path)
    first = pd.read_csv(path, header=None, sep="\x00", nrows=1, engine="c", dtype=str)
    separator = max(",;\t", key=str(first.iloc[0, 0]).count)
    rows = pd.read_csv(path, sep=separator, skipinitialspace=True)
    if not isinstance(rows.index, pd.RangeIndex):
        more = len(rows.columns) + rows.index.nlevels
        raise DataError(f"{path.name}: the header names {len(rows.columns)} columns, the rows have {more}: every column would be shifted")
    return rows


def _plain_names(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Give the columns their names in lower case, without angle brackets, short names spelt out."""
    if table.columns.nlevels > 1:
        raise DataError(
            f"{name}: the columns have {table.columns.nlevels} levels; hand over one symbol, as in frame.xs('AAPL', axis=1, level=1)"
        )
    names = [str(column).strip().strip("<>").strip().lower() for column in table.columns]
    names = [ALIASES[column] if ALIASES.get(column, column) not in names else column for column in names]
    return table.set_axis(names, axis=1)


def _must_name_symbols(table: _Table, column: str) -> None:
    """Refuse rows without a symbol, which grouping would drop unsaid; a column that is empty throughout says nothing."""
    missing = table.rows[column].isna().to_numpy()
    if missing.any() and not missing.all():
        row = int(missing.argmax())
        where = f"row {row}, column {column}: {table.rows[column].iloc[row]} names no instrument"
        raise DataError(f"{table.name}: {Fault('symbol missing', where, int(missing.sum()))}")


def _by_symbol(table: _Table, given: Given) -> list[tuple[_Table, Instrument | str | None]]:
    """Split a table in the long form (a row per label and symbol) into its symbols."""
    column = next((name for name in SYMBOL_NAMES if name in table.rows), None)
    if column is not None:
        _must_name_symbols(table, column)
    if column is None or table.rows[column].nunique() < 2:
        if given is not None and not isinstance(given, (Instrument, str)):
            raise ParameterError(f"{table.name} holds one instrument: give an Instrument or its symbol, not a {type(given).__name__}")
        return [(table, given)]
    if isinstance(given, (Instrument, str)):
        raise ParameterError(f"{table.name} holds {table.rows[column].nunique()} symbols: give a sequence of Instrument, or none")
    known = {one.symbol: one for one in (given.values() if isinstance(given, Mapping) else given or ())}
    groups = table.rows.groupby(column, sort=False)
    return [(replace(table, rows=rows, name=f"{table.name} ({symbol})"), known.get(str(symbol), str(symbol))) for symbol, rows in groups]

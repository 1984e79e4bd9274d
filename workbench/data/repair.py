"""The repairs that a caller can choose: each is made by name, counted and recorded, and never unasked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from workbench.calendars import session_times
from workbench.errors import ParameterError, did_you_mean
from workbench.interval import DAY, nanoseconds
from workbench.quality import PRICES, as_floats, good_rows, good_volume, inside_sessions

__all__ = ["REPAIRS", "repair_frame", "repair_names"]

#: The repairs that a caller can choose, in the order in which they are made.
REPAIRS = {
    "localize": "read labels without a zone as UTC (or `timezone`) and convert other zones to UTC",
    "sort": "sort the rows by label",
    "drop_duplicates": "of rows with the same label keep the last",
    "drop_bad": "drop rows whose prices or volume are missing, not positive or crossed",
    "drop_closed": "drop rows outside the sessions of the instrument's calendar",
}


def repair_names(chosen: str | Iterable[str]) -> tuple[str, ...]:
    """Return the chosen repairs in the order in which they are made; refuse an unknown one."""
    names = (chosen,) if isinstance(chosen, str) else tuple(chosen)
    for name in names:
        if name not in REPAIRS:
            raise ParameterError(f"unknown repair {name!r}{did_you_mean(str(name), REPAIRS)}")
    return tuple(name for name in REPAIRS if name in names)


def repair_frame(
    frame: pd.DataFrame, chosen: str | Iterable[str], interval: str | None = None, calendar: str | None = None
) -> tuple[pd.DataFrame, list[str]]:
    """Make the chosen repairs and say what was done.

    Parameters
    ----------
    frame : DataFrame
        Columns of bars, index of times.
    chosen : str or iterable of str
        Names out of `REPAIRS`; ``"localize"`` is made where labels are read and does nothing here.
    interval, calendar : str, optional
        What ``"drop_closed"`` needs.

    Returns
    -------
    frame : DataFrame
    done : list of str
        One line a repair that changed something, with the number of rows.
    """
    done = []
    for name in repair_names(chosen):
        if name in ROW_REPAIRS:
            kept, said = ROW_REPAIRS[name](frame, interval, calendar)
            if said:
                frame = kept
                done.append(f"repair {name}: {said}")
    return frame, done


def _sort(frame: pd.DataFrame, *_: Any) -> tuple[pd.DataFrame, str]:
    rows = int((np.diff(pd.DatetimeIndex(frame.index).asi8) < 0).sum())
    return frame.sort_index(kind="stable"), f"{rows:,} labels stood before an earlier one" if rows else ""


def _drop_duplicates(frame: pd.DataFrame, *_: Any) -> tuple[pd.DataFrame, str]:
    spare = frame.index.duplicated(keep="last")
    other = int((~frame.reset_index().duplicated(keep="last").to_numpy() & spare).sum())
    return frame[~spare], _dropped(frame, spare, f", {other:,} of them unlike the row kept" if other else "")


def _drop_bad(frame: pd.DataFrame, *_: Any) -> tuple[pd.DataFrame, str]:
    values = {name: as_floats(frame[name]) for name in (*PRICES, "volume") if name in frame}
    good = good_rows(values) & good_volume(values.get("volume"))
    return frame[good], _dropped(frame, ~good)


def _drop_closed(frame: pd.DataFrame, interval: str | None, calendar: str | None) -> tuple[pd.DataFrame, str]:
    if not calendar or not interval:
        raise ParameterError("repair 'drop_closed' needs an instrument with a calendar, such as Instrument('SPY', calendar='XNYS')")
    labels = pd.DatetimeIndex(frame.index).as_unit("ns").asi8
    dates, opens, closes = session_times(calendar, int(labels.min()), int(labels.max()))
    length = nanoseconds(interval)
    kept = np.isin(labels, dates) if length >= DAY else inside_sessions(labels, length, opens, closes)
    return frame[kept], _dropped(frame, ~kept)


def _dropped(frame: pd.DataFrame, gone: np.ndarray, more: str = "") -> str:
    return f"{gone.sum():,} of {len(frame):,} rows dropped, the first at {frame.index[int(gone.argmax())]}{more}" if gone.any() else ""


ROW_REPAIRS = {"sort": _sort, "drop_duplicates": _drop_duplicates, "drop_bad": _drop_bad, "drop_closed": _drop_closed}

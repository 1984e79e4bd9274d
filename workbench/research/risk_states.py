"""What each risk manager looked at, step by step, beside its limit; and where it cut."""

from __future__ import annotations

from functools import singledispatch
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from workbench.past import DAY_EQUITY, DAY_LOW, EQUITY, PEAK, empty_past, remember
from workbench.records import ADD, OPEN, OPENED
from workbench.research.exposures import Holdings, holdings_of
from workbench.research.risk_losses import measured_at_closes
from workbench.research.trips import trips
from workbench.risk import CoolDown, LossLimit, MaxDailyLoss, MaxDrawdown, MaxExposure, MaxLeverage, MaxPositions, MaxTrades, RiskManager

if TYPE_CHECKING:
    from workbench.research.result import Backtest

__all__ = ["State", "caps_of", "cuts_of", "state_of"]


class State(NamedTuple):
    """A manager's measure over time.

    Parameters
    ----------
    title : str
    measure : Series
        At the close of each step (openings sent in a day: those of the step too); NaN where there is none.
    limit : Series
        What the measure may be.
    unit : str
        After a number: " %", " USD", or nothing.
    names : Series, optional
        What the measure is of, where that changes: the fullest group.
    """

    title: str
    measure: pd.Series
    limit: pd.Series
    unit: str = ""
    names: pd.Series | None = None


@singledispatch
def state_of(part: RiskManager, result: Backtest) -> State:
    """Return a manager's state in a result: for one that is not known here, the share that it left of each opening.

    Of a manager of your own, ``state_of.register`` takes a function that says more.
    """
    cuts = cuts_of(part, result, only_cuts=False)
    left = pd.Series((cuts["after"] / cuts["before"] * 100).to_numpy(), pd.DatetimeIndex(cuts["time"]), dtype=float)
    return _state("share of each opening that is left", left, 100.0, " %")


@state_of.register(MaxLeverage)
def _leverage(part: MaxLeverage, result: Backtest) -> State:
    held = holdings_of(result)
    net = part.scope == "net"
    used = pd.Series(np.abs(held.notional.sum(axis=1) if net else np.abs(held.notional).sum(axis=1)), held.index)
    return _state(f"{part.scope} notional over equity", used / _positive(result), part.limit, " x")


@state_of.register(MaxExposure)
def _exposure(part: MaxExposure, result: Backtest) -> State:
    held = holdings_of(result)
    exposure, caps = held.exposure(part.by, part.scope), caps_of([part], held, part.by, part.scope)
    used = exposure[list(caps)].abs() / caps * 100
    title = f"{part.scope} exposure of the fullest {part.by.replace('_', ' ')}, share of its limit"
    if not used.shape[1]:
        return _state(title, pd.Series(0.0, held.index), 100.0, " %")
    fullest = used.fillna(-1.0).to_numpy().argmax(axis=1)
    measure = pd.Series(used.to_numpy()[np.arange(len(used)), fullest], held.index)
    return _state(title, measure, 100.0, " %", pd.Series(used.columns.to_numpy()[fullest], held.index))


@state_of.register(MaxDrawdown)
def _fall(part: MaxDrawdown, result: Backtest) -> State:
    past = _remembered(result, part.limit, part.rearm_after or 0)
    peak = past[:, PEAK]
    return _state("fall from the highest equity", _series(result, (peak - past[:, EQUITY]) / peak * 100), part.limit * 100, " %")


@state_of.register(MaxDailyLoss)
def _day(part: MaxDailyLoss, result: Backtest) -> State:
    past = _remembered(result)
    lost = past[:, DAY_EQUITY] - past[:, DAY_LOW]
    if part.of == "money":
        return _state("loss of the day at its worst", _series(result, lost), part.limit, f" {result.currency}")
    return _state(
        "loss of the day at its worst, share of equity", _series(result, lost / past[:, DAY_EQUITY] * 100), part.limit * 100, " %"
    )


@state_of.register(MaxPositions)
def _positions(part: MaxPositions, result: Backtest) -> State:
    held = (result.positions != 0).sum(axis=1).astype(float)
    return _state("positions held at once", held, part.limit)


@state_of.register(MaxTrades)
def _trades(part: MaxTrades, result: Backtest) -> State:
    decisions = result.record.decisions
    sent = np.bincount(decisions["t"][decisions["code"] == OPENED], minlength=len(result.bars)).astype(float)
    return _state("openings sent in the day", _series(result, sent).groupby(result.setup.days).cumsum(), part.limit)


@state_of.register(CoolDown)
def _losses(part: CoolDown, result: Backtest) -> State:
    return _state("losing trades in a row", _series(result, streaks(result)), part.losses)


@state_of.register(LossLimit)
def _could_lose(part: Any, result: Backtest) -> State:
    measured = _series(result, measured_at_closes(part, result))
    if part.of == "money":
        return _state(part.what, measured, part.limit, f" {result.currency}")
    return _state(f"{part.what}, share of equity", measured / _positive(result) * 100, part.limit * 100, " %")


def _state(title: str, measure: pd.Series, limit: Any, unit: str = "", names: pd.Series | None = None) -> State:
    return State(title, measure, pd.Series(float(limit), measure.index), unit, names)


def _series(result: Backtest, values: np.ndarray) -> pd.Series:
    return pd.Series(values, result.bars.index)


def _positive(result: Backtest) -> pd.Series:
    """Return equity, NaN where there is none to compare with."""
    return result.equity.where(result.equity > 0)


def _remembered(result: Backtest, limit: float = 0.0, rearm: int = 0) -> np.ndarray:
    """Return what the account remembered at each step, shape (T, places): by the function that runs remember by."""
    past, rows = empty_past(result.setup.cash), np.empty((len(result.bars), len(empty_past())))
    for t, (day, equity) in enumerate(zip(result.setup.days.tolist(), result.equity.tolist(), strict=True)):
        remember(past, t, day, equity, limit, rearm)
        rows[t] = past
    return rows


def streaks(result: Backtest) -> np.ndarray:
    """Return how many trades in a row had lost by each close: after costs, in the order in which they were closed.

    A trade goes from flat to flat, however often its position was resized.
    """
    fills, found = result.record.fills, trips(result.setup, result.record)
    by_symbol = np.argsort(fills["j"], kind="stable")  # the order of the trips
    closing = by_symbol[~np.isin(result.record.orders["leg"][fills["order"][by_symbol]], (OPEN, ADD))]
    over, number = found.end >= 0, np.unique(found.entries[["j", "t"]], return_inverse=True)[1]
    ended = np.setdiff1d(number[over], number[~over])
    last = {trade: row for row, trade in enumerate(number[over].tolist())}
    closing = closing[[last[trade] for trade in ended.tolist()]]
    won = (np.bincount(number, found.profit)[ended] > 0)[np.argsort(closing)]
    count = np.arange(1, len(won) + 1)
    streak = count - np.maximum.accumulate(np.where(won, count, 0))
    closed = np.bincount(fills["t"][closing], minlength=len(result.bars)).cumsum()  # trades closed by each step
    return np.append(0, streak)[closed].astype(float)


def caps_of(limits: list[RiskManager], held: Holdings, by: str, scope: str) -> pd.DataFrame:
    """Return the nearest limit of each limited group at each step, in account currency; NaN where equity leaves none."""
    equity = pd.Series(np.where(held.equity > 0, held.equity, np.nan), held.index)
    caps: dict[str, pd.Series] = {}
    for part in limits:
        if isinstance(part, MaxExposure) and (part.by, part.scope) == (by, scope):
            for group in part.groups(held.instruments):
                cap = part.limit_of(group) * (equity if part.of == "equity" else pd.Series(1.0, held.index))
                caps[group] = np.minimum(caps[group], cap) if group in caps else cap
    return pd.DataFrame(caps, held.index, dtype=float)


def cuts_of(part: RiskManager, result: Backtest, only_cuts: bool = True) -> pd.DataFrame:
    """Return the openings that a manager of the strategy, or of a team's account, cut; or all that it was asked about.

    Returns
    -------
    DataFrame
        `step`, `time`, `symbol`, and the quantity `before` and `after` it.
    """
    rows, setup = result.record.decisions, result.setup
    k = next(number for number, one in enumerate(result.strategy.risk) if one is part)
    # an opening passes the limits of its strategy before those of a team's account
    earlier = [0 if setup.team is None else len(setup.of(j).strategy.risk) for j in range(len(setup.instruments))]
    sizes, each = np.column_stack([rows["asked"], rows["after"]]), np.arange(len(rows))
    place = np.array(earlier)[rows["j"]] + k
    before, after = sizes[each, place], sizes[each, place + 1]
    with np.errstate(invalid="ignore"):
        kept = (after < before * (1.0 - 1e-12)) if only_cuts else (before > 0.0) & ~np.isnan(after)
    rows, before, after = rows[kept], before[kept], after[kept]
    symbols = np.array(result.bars.symbols, dtype=object)[rows["j"]]
    return pd.DataFrame({"step": rows["t"], "time": result.bars.index[rows["t"]], "symbol": symbols, "before": before, "after": after})

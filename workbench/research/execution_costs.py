"""What it cost to get orders done: the implementation shortfall of a result, order by order, and of several results side by side.

Perold, The Implementation Shortfall: Paper versus Reality, Journal of Portfolio Management 14 (1988): what a decision made on paper, at
the price it was decided at, less what was made of it - in the delay until the market could be reached, in the prices paid, in fees, and in
what was never filled.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from workbench.errors import ParameterError, did_you_mean
from workbench.records import LEGS, MARKET, OPEN, OPENED
from workbench.research.plots import BLUE, GREEN, GREY, LEGEND, ORANGE, dress
from workbench.research.result import Backtest
from workbench.research.trips import quantities

__all__ = ["compare_execution", "plot_execution", "shortfall"]

#: What the shortfall is made of, in money.
PARTS = ("delay", "prices", "fees", "missed")
SHOWN = ("time", "symbol", "venue", "leg", "side", "orders", "asked", "filled", "decided", "arrival", "paid")
GROUPS = ("venue", "symbol", "leg", "side")
BP = 1e4


def shortfall(result: Backtest, against: Backtest | None = None) -> pd.DataFrame:
    """Return what each order cost against the price it was decided at; the children of an algorithm are one line.

    Parameters
    ----------
    result : Backtest
    against : Backtest, optional
        Another result of the same decisions, with ideal costs say, or the backtest of a run: `expected` is what it paid for the same
        order, NaN where it has none such, and `slippage` what ours cost beyond that, in account currency.

    Returns
    -------
    DataFrame
        A row for each opening and each closing at market: `time` of the decision, `symbol`, its `venue`, `leg`, `side`, `orders` (how
        many were sent, 0 where an algorithm never sent any), `asked` and `filled` (quantities), `decided` (the close), `arrival` (the
        next open, which nobody could have had earlier), `paid` (the average price); and in account currency, above 0 where it cost:
        `delay` (from the close to the open), `prices` (from the open to what was paid), `fees`, `missed` (what was not filled, from the
        close to the last bar that could have filled it), and `shortfall`, their sum; `bp` of `notional`, what was asked for at the price
        of the decision. `paid` is NaN where nothing was filled.

    Examples
    --------
    >>> import workbench as wb
    >>> result = wb.backtest(wb.Strategy(wb.signals.MovingAverageCross()), wb.simulate(days=5, seed=1))
    >>> table = shortfall(result)
    >>> bool((table["shortfall"] - table[["delay", "prices", "fees", "missed"]].sum(axis=1)).abs().max() < 1e-9)
    True
    """
    orders, fills = result.record.orders, result.record.fills
    legs = orders["leg"]
    mine = np.flatnonzero((legs == OPEN) | ((legs == LEGS.index("close")) & (orders["kind"] == MARKET)))
    rows = np.concatenate([orders[mine], _never_sent(result)])
    by_hand = rows["decision"] < 0  # a person has decided them: each is by itself
    rows["decision"][by_hand] = len(result.record.decisions) + np.flatnonzero(by_hand)
    parents, number = np.unique(rows[["decision", "j", "leg"]], return_inverse=True)
    place = np.full(len(orders), -1)
    place[mine] = number[: len(mine)]
    table = _asked(result, rows, number, parents)
    table["orders"] = np.bincount(number[: len(mine)], minlength=len(parents))
    table = _costs(table.join(_filled(result, fills, place[fills["order"]], len(parents))))
    return table if against is None else _held_against(table, shortfall(against))


def compare_execution(results: Mapping[str, Backtest], by: str = "") -> pd.DataFrame:
    """Return what several results paid to get their orders done, a row each.

    Parameters
    ----------
    results : mapping of str to Backtest
        By name, of the same strategy with other algorithms, say.
    by : {"", "venue", "symbol", "leg", "side"}, default ""
        A row for each of these in each result, where one is named.

    Returns
    -------
    DataFrame
        `orders`, `filled %` of what was asked for, the parts of the shortfall and `shortfall` in basis points of what was asked for, and
        `money`, the shortfall in account currency.

    Raises
    ------
    ParameterError
        Nothing to compare, or something that is no result.
    """
    if not isinstance(results, Mapping) or not results or not all(isinstance(one, Backtest) for one in results.values()):
        raise ParameterError(f"expected results by name, {{'market': wb.backtest(...), 'twap': wb.backtest(...)}}, got {results!r}")
    if by and by not in GROUPS:
        raise ParameterError(f"compare_execution: by is {', '.join(GROUPS)} or nothing, got {by!r}{did_you_mean(str(by), GROUPS)}")
    rows: dict[Any, dict[str, float]] = {}
    for name, result in results.items():
        table = shortfall(result)
        for group, part in table.groupby(by) if by else [("", table)]:
            rows[(name, group) if by else name] = _summed(part)
    index = pd.MultiIndex.from_tuples(rows, names=["result", by]) if by else list(rows)
    return pd.DataFrame(list(rows.values()), index)


def _summed(table: pd.DataFrame) -> dict[str, float]:
    """Return the parts of a shortfall in basis points of what was asked for."""
    notional = float(table["notional"].sum())
    parts = {part: BP * float(table[part].sum()) / notional if notional else np.nan for part in (*PARTS, "shortfall")}
    filled = 100 * float((table["filled"] * table["notional"] / table["asked"]).sum()) / notional if notional else np.nan
    return {"orders": int(table["orders"].sum()), "filled %": filled, **parts, "money": float(table["shortfall"].sum())}


def plot_execution(results: Mapping[str, Backtest]) -> Any:
    """Return the shortfall of several results in basis points, a bar each, with what it is made of."""
    import plotly.graph_objects as go

    table = compare_execution(results)[::-1]
    figure = go.Figure()
    for part, colour in zip(PARTS, (BLUE, ORANGE, GREY, GREEN), strict=True):
        figure.add_bar(
            x=table[part], y=list(table.index), orientation="h", name=part, marker={"color": colour, "line": {"width": 0}},
            hovertemplate=f"%{{y}} · {part} %{{x:.2f}} bp<extra></extra>",
        )  # fmt: skip
    ends = table[list(PARTS)].clip(lower=0.0).sum(axis=1)
    figure.add_scatter(
        x=ends, y=list(table.index), mode="text", text=[f"  {value:+.1f} bp in all" for value in table["shortfall"]],
        textposition="middle right", showlegend=False, hoverinfo="skip", cliponaxis=False,
    )  # fmt: skip
    height = 170 + 44 * len(table)
    dress(figure, "What it cost to get the orders done, in basis points of what was asked for", height)
    figure.update_layout(legend_y=-LEGEND * 1.7 / (height - 100))
    figure.update_layout(barmode="relative", margin={"l": 90, "r": 110, "b": 70})
    figure.update_yaxes(type="category", showgrid=False)
    figure.update_xaxes(zeroline=True, zerolinecolor=GREY, title_text="basis points; below 0 it was gained")
    return figure


def _asked(result: Backtest, orders: np.ndarray, number: np.ndarray, parents: np.ndarray) -> pd.DataFrame:
    """Return what was asked for, and at which prices."""
    setup, decisions = result.setup, result.record.decisions
    ours = parents["decision"] < len(decisions)
    decided = np.zeros(len(parents), decisions.dtype)
    decided[ours] = decisions[parents["decision"][ours]]
    first = np.zeros(len(parents), dtype=int)
    first[number[::-1]] = np.arange(len(number))[::-1]
    head = orders[first]
    j, t, side = head["j"], head["t"], np.sign(head["side"])
    opens = parents["leg"] == OPEN
    t = np.where(opens, decided["t"], t)
    decided["j"] = j
    asked = np.where(opens, quantities(setup, decided, "lots"), np.abs(quantities(setup, decided, "closed")))
    asked = np.where(ours, asked, np.abs(quantities(setup, head, "lots")))
    close, unit = result.bars.array("close"), np.broadcast_to(setup.conversion.unit, result.bars.shape)
    arrival, last = _arrivals(result, t, j), np.full(len(parents), -1)
    np.maximum.at(last, number, np.where(orders["end"] >= 0, orders["end"], len(result.bars) - 1))
    known = pd.DataFrame(close).ffill().to_numpy()
    # what a stop or a target closes before a closing does is not missed by it
    left = np.where(opens, np.inf, np.abs(result.positions.to_numpy()[last, j]))
    return pd.DataFrame(
        {
            "time": result.bars.index[t],
            "symbol": np.array(result.bars.symbols, dtype=object)[j],
            "venue": np.array([one.venue or "" for one in result.bars.instruments], dtype=object)[j],
            "leg": np.array(LEGS, dtype=object)[parents["leg"]],
            "side": np.where(side > 0, "buy", "sell"),
            "asked": asked,
            "decided": known[t, j],
            "arrival": arrival,
            "at_the_end": known[last, j],
            "left": left,
            "unit": unit[t, j],
            "sign": side,
        }
    )


def _never_sent(result: Backtest) -> np.ndarray:
    """Return a row for each opening of which its algorithm has sent nothing: over with the next decision of its instrument."""
    decisions, orders = result.record.decisions, result.record.orders
    opened = (decisions["code"] == OPENED) & (decisions["lots"] > 0)
    missing = np.setdiff1d(np.flatnonzero(opened), orders["decision"][orders["leg"] == OPEN])
    rows = np.zeros(len(missing), orders.dtype)
    rows["decision"], rows["leg"], rows["end"] = missing, OPEN, -1
    rows["t"], rows["j"], rows["side"] = decisions["t"][missing], decisions["j"][missing], np.sign(decisions["stance"][missing])
    following = pd.Series(decisions["t"], dtype=float).groupby(decisions["j"]).shift(-1).fillna(-1.0)
    rows["end"] = following.to_numpy()[missing].astype(int)
    return rows


def _arrivals(result: Backtest, t: np.ndarray, j: np.ndarray) -> np.ndarray:
    """Return the first open after a step at which an instrument could be traded; NaN where there is none."""
    opens = pd.DataFrame(result.bars.array("open")).bfill().shift(-1).to_numpy()
    found: np.ndarray = opens[t, j]
    return found


def _filled(result: Backtest, fills: np.ndarray, number: np.ndarray, n: int) -> pd.DataFrame:
    """Return what was filled of each parent: quantity, average price and fees."""
    mine = number >= 0
    number, rows = number[mine], fills[mine]
    quantity = np.abs(quantities(result.setup, rows, "lots"))
    filled, fees = np.bincount(number, quantity, n), np.bincount(number, rows["fee"], n)
    paid = np.bincount(number, quantity * rows["price"], n) / np.where(filled > 0, filled, np.nan)
    return pd.DataFrame({"filled": filled, "paid": paid, "fees": fees})


def _held_against(table: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """Return the table with what another result paid for the same orders."""
    same = ["time", "symbol", "leg"]
    found = other.drop_duplicates(same).rename(columns={"paid": "expected"})[[*same, "expected"]]
    joined = table.merge(found, on=same, how="left", validate="many_to_one")
    along = np.where(joined["side"] == "buy", 1.0, -1.0) * joined["notional"] / (joined["asked"] * joined["decided"])
    joined["slippage"] = joined["filled"] * (joined["paid"] - joined["expected"]) * along
    return joined


def _costs(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with what each part cost."""
    along = table["sign"] * table["unit"]
    filled = table["filled"]
    # a later order of the same decision, sent because the one before it was in doubt, was asked for as well
    table["asked"] = np.maximum(table["asked"], filled)
    table["delay"] = (filled * (table["arrival"] - table["decided"]) * along).fillna(0.0)
    table["prices"] = (filled * (table["paid"] - table["arrival"]) * along).fillna(0.0)
    missed = np.minimum(table["asked"] - filled, table["left"])
    table["missed"] = (missed * (table["at_the_end"] - table["decided"]) * along).where(missed > 0.0, 0.0)
    table["shortfall"] = table[list(PARTS)].sum(axis=1)
    table["notional"] = table["asked"] * table["decided"] * table["unit"]
    table["bp"] = BP * table["shortfall"] / table["notional"]
    shown = [*SHOWN, *PARTS, "shortfall", "bp", "notional"]
    return table[shown].sort_values(["time", "symbol"], kind="stable", ignore_index=True)

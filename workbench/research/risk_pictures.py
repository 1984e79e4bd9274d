"""Pictures of risk: exposure against its limits, the part of each position in it, and the state of every risk manager."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import cycle
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from workbench.bars import Bars
from workbench.errors import ParameterError
from workbench.portfolio import Portfolio
from workbench.rates import Rates
from workbench.research.exposures import SCOPES, Holdings, holdings_of, risk_contribution
from workbench.research.plots import BLUE, GREEN, GREY, ORANGE, RED, SIMULATED, add_line, dress, thinned, utc
from workbench.research.readable import decimals, money_decimals
from workbench.research.risk_states import State, caps_of, cuts_of, state_of
from workbench.risk import RiskManager

if TYPE_CHECKING:
    from workbench.research.result import Backtest

__all__ = ["plot_exposure", "plot_risk", "plot_risk_contribution"]

#: More groups than these are no picture: the largest are drawn, and that is said.
MOST_GROUPS = 8
#: Red is the limit's.
COLOURS = (BLUE, ORANGE, GREEN, "#9467bd", "#17a2b8", "#b8860b", "#e377c2", GREY)
PALE = "rgba(138,143,152,0.35)"
SHADE = "rgba(209,73,91,0.35)"
#: The name of a text beside a panel: the others are titles.
LABEL = "label"
#: Pixels: of a panel of lines, of a bar, and of what lies around them.
PANEL, BAR, AROUND = 190, 34, 150


def plot_exposure(held: Backtest | Portfolio, by: str = "currency", limits: Sequence[RiskManager] | RiskManager | None = None) -> Any:
    """Return the exposure of each group against its limits: of a result how far each went, and net and gross over time.

    Parameters
    ----------
    held : Backtest or Portfolio
    by : {"currency", "region", "asset_class", "instrument"} or str, default "currency"
        Or the name of a tag that instruments have.
    limits : sequence of RiskManager, optional
        ``strategy.risk``: every `MaxExposure` by the same groups is drawn. Those of a result's own strategy where not given; of a team
        those on its account.

    Raises
    ------
    ParameterError
        An unknown group, or what neither is a result nor a portfolio.
    """
    from plotly.subplots import make_subplots

    holdings, over_time = holdings_of(held), not isinstance(held, Portfolio)
    parts = _parts(held.strategy.risk if limits is None and over_time else limits or [])  # type: ignore[union-attr]
    tables = {scope: holdings.exposure(by, scope) for scope in SCOPES}
    caps = {scope: caps_of(parts, holdings, by, scope) for scope in SCOPES}
    groups = _largest(tables["gross"], caps)
    lines = [scope for scope in SCOPES if scope == "net" or len(caps[scope].columns)] if over_time else []
    heights = [BAR * max(len(groups), 2), *[PANEL] * len(lines)]
    notes = f" ({len(groups)} of {tables['gross'].shape[1]})" if len(groups) < tables["gross"].shape[1] else ""
    said = "furthest over the run, with the limit of that time" if over_time else "now"
    titles = [f"Exposure by {by.replace('_', ' ')} in {holdings.currency}{notes}: {said}", *(f"{s.title()}, at each close" for s in lines)]
    figure = make_subplots(len(heights), 1, row_heights=heights, vertical_spacing=_gap(heights), subplot_titles=titles)
    _add_bars(figure, holdings, tables, caps, groups, over_time)
    for row, scope in enumerate(lines, 2):
        _add_groups(figure, tables[scope][groups], caps[scope], row, holdings.currency, row == 2)
    _finish(figure, sum(heights) + AROUND + 40 * len(lines), over_time and held.bars.simulated)  # type: ignore[union-attr]
    figure.update_layout(barmode="overlay", margin={"l": 80, "r": 215})
    return figure


def plot_risk_contribution(portfolio: Portfolio, bars: Bars, window: int = 250, rates: Rates | None = None) -> Any:
    """Return what each position adds to the standard deviation of the book, beside its own (`risk_contribution`)."""
    import plotly.graph_objects as go

    table = risk_contribution(portfolio, bars, window, rates).sort_values("contribution")
    digits, unit = money_decimals(table["alone"]), portfolio.currency
    sigma = float(table["contribution"].sum())
    shares = [f"{100 * share:.0f} %" if share == share else "" for share in table["share"]]
    figure = go.Figure()
    for name, column, colour, width, text in (
        ("alone", "alone", PALE, 0.8, None),
        ("in the book", "contribution", [GREEN if value < 0 else BLUE for value in table["contribution"]], 0.45, shares),
    ):
        hover = f"%{{y}} {name}: %{{x:,.{digits}f}} {unit}<extra></extra>"
        figure.add_bar(
            x=table[column], y=list(table.index), orientation="h", name=name, marker={"color": colour, "line": {"width": 0}}, width=width,
            text=text, textposition="outside", cliponaxis=False, hovertemplate=hover,
        )  # fmt: skip
    title = f"Risk of each position: {sigma:,.{digits}f} {unit} in all" if len(table) else "Risk of each position: nothing is held"
    dress(figure, f"{title}, standard deviation over {window} bars of {bars.interval}", BAR * max(len(table), 3) + AROUND)
    figure.update_xaxes(title_text=f"{unit} a bar; below 0 it hedges the others", zeroline=True, zerolinecolor=GREY)
    figure.update_yaxes(type="category", showgrid=False)
    figure.update_layout(barmode="overlay", margin={"l": 90, "r": 60})
    return figure


def plot_risk(result: Backtest) -> Any:
    """Return the state of every risk manager over time against its limit, a panel each.

    Shaded is what lies beyond the limit (prices move what is held), marked is where the manager cut an opening. Of a team, those of each
    strategy measure what is its own, and those of the team the whole account.

    Raises
    ------
    ParameterError
        There is none.
    """
    from plotly.subplots import make_subplots

    names = [] if result.setup.team is None else list(result.setup.team.strategies)
    owned = [*((f"{name}, ", result.of(name)) for name in names), ("the account, " if names else "", result)]
    states = [(owner, part, state_of(part, one), cuts_of(part, one)) for owner, one in owned for part in one.strategy.risk]
    if not states:
        raise ParameterError("the strategy has no risk managers to draw: wb.Strategy(..., risk=[wb.risk.MaxLeverage(2)]) has one")
    titles = [f"{owner}{type(part).__name__}: {state.title}{_times(state, cuts)}" for owner, part, state, cuts in states]
    heights = [PANEL - 50] * len(states)
    figure = make_subplots(len(states), 1, shared_xaxes=True, vertical_spacing=_gap(heights), subplot_titles=titles)
    for row, (*_, state, cuts) in enumerate(states, 1):
        _add_state(figure, state, cuts, row)
    _name_once(figure)
    _finish(figure, sum(heights) + AROUND + 40 * (len(states) - 1), result.bars.simulated)
    figure.update_xaxes(range=[result.bars.index[0], result.bars.index[-1]])
    figure.update_layout(margin={"l": 80, "r": 80})
    return figure


# -- exposure ---------------------------------------------------------------------------------------------------------


def _parts(limits: Sequence[RiskManager] | RiskManager) -> list[RiskManager]:
    return [limits] if isinstance(limits, RiskManager) else list(limits)


def _largest(gross: pd.DataFrame, caps: dict[str, pd.DataFrame]) -> list[str]:
    """Return the groups that are drawn: those that were ever held or have a limit by name, the largest first."""
    order = gross.abs().max().sort_values(ascending=False, kind="stable")
    limited = {group for table in caps.values() for group in table}
    return [str(group) for group in order.index if order[group] > 0 or group in limited][:MOST_GROUPS]


def _add_bars(
    figure: Any, held: Holdings, tables: dict[str, pd.DataFrame], caps: dict[str, pd.DataFrame], groups: list[str], over_time: bool
) -> None:
    """Draw each group at its furthest: gross as a pale bar, net as a narrow one, each limit as a stroke."""
    when = list(held.index.strftime(utc(held.index))) if over_time else [""]
    furthest = {}
    for scope, width, colour in (("gross", 0.8, PALE), ("net", 0.45, BLUE)):
        found = pd.DataFrame([_furthest(tables[scope][group], caps[scope].get(group)) for group in groups], groups, ["value", "cap", "t"])
        found["text"] = [
            f"{group} {scope} {value:,.0f} {held.currency}{_of(cap)} {when[int(t)]}" for group, value, cap, t in found.itertuples()
        ]
        within = np.sign(found["value"]) * np.minimum(found["value"].abs(), found["cap"].fillna(np.inf))
        excess = found["value"] - within
        beyond = excess.abs() > found["cap"] * 1e-9
        _add_part(figure, within, 0.0, found["text"], scope, width, colour)
        _add_part(figure, excess[beyond], within[beyond], found["text"][beyond], f"{scope}, beyond its limit", width, RED)
        _add_strokes(figure, scope, [(str(group), cap) for group, cap in found["cap"].dropna().items()])
        furthest[scope] = found
    for group in groups:
        _add_used(figure, group, {scope: found.loc[group] for scope, found in furthest.items()})
    figure.update_xaxes(zeroline=True, zerolinecolor=GREY, row=1, col=1)
    figure.update_yaxes(type="category", categoryorder="array", categoryarray=groups[::-1], showgrid=False, row=1, col=1)


def _add_part(figure: Any, length: pd.Series, base: Any, texts: pd.Series, name: str, width: float, colour: str) -> None:
    """Draw a part of each bar, from where another part ends."""
    if len(length):
        figure.add_bar(
            x=length, base=base, y=list(length.index), orientation="h", name=name, width=width,
            marker={"color": colour, "line": {"width": 0}}, hovertext=texts, hoverinfo="text", row=1, col=1,
        )  # fmt: skip


def _add_used(figure: Any, group: str, found: dict[str, pd.Series]) -> None:
    """Write beside a group's bars its net exposure, and how much of the limit that leaves least is used."""
    used = {scope: abs(row["value"]) / row["cap"] for scope, row in found.items() if row["cap"] == row["cap"]}
    fullest = max(used, key=lambda scope: used[scope], default="")
    said = f" · {100 * used[fullest]:,.0f} % of {fullest} limit" if fullest else ""
    colour = RED if fullest and used[fullest] > 1 + 1e-9 else GREY
    _add_label(figure, group, f"{found['net']['value']:,.0f} net{said}", colour, 1)


def _of(cap: float) -> str:
    return f" of {cap:,.0f}" if cap == cap else ""


def _furthest(line: pd.Series, cap: pd.Series | None) -> tuple[float, float, int]:
    """Return a group's exposure where it came nearest to its limit, or was largest; that limit, NaN for none; and the step."""
    used = line.abs() if cap is None else line.abs() / cap
    t = int(np.nan_to_num(used.to_numpy()).argmax())
    return float(line.iloc[t]), np.nan if cap is None else float(cap.iloc[t]), t


def _add_strokes(figure: Any, scope: str, caps: list[tuple[str, float]]) -> None:
    """Draw the limits of a scope: of net exposure on both sides."""
    sides = (1.0, -1.0) if scope == "net" else (1.0,)
    points = [(side * cap, group) for group, cap in caps for side in sides]
    if points:
        long = scope == "gross"
        line = {"color": ORANGE if long else RED, "width": 2.5}
        figure.add_scatter(
            x=[x for x, _ in points], y=[group for _, group in points], mode="markers", name=f"{scope} limit",
            marker={"symbol": "line-ns", "size": 26 if long else 20, "line": line},
            hovertemplate=f"{scope} limit %{{x:,.0f}}<extra></extra>",
            row=1, col=1,
        )  # fmt: skip


def _add_groups(figure: Any, table: pd.DataFrame, caps: pd.DataFrame, row: int, currency: str, named: bool) -> None:
    """Draw each group's line and the limits, of net exposure (`named`) on both sides."""
    for group, colour in zip(table, cycle(COLOURS), strict=False):
        add_line(figure, table[group], str(group), colour, row, digits=0, unit=f" {currency}", legendgroup=str(group), showlegend=named)
    style: dict[str, Any] = {"width": 1.2, "dash": "dash", "digits": 0, "unit": f" {currency}", "showlegend": False}
    for cap, colour, group in _levels(table, caps):
        for side in (1.0, -1.0) if named else (1.0,):
            add_line(figure, side * cap, f"limit of {group}", colour, row, **style)
        if cap.notna().any():
            last = float(cap.dropna().iloc[-1])
            _add_label(figure, last, f"limit of {group}: {last:,.0f}", colour, row)


def _levels(table: pd.DataFrame, caps: pd.DataFrame) -> Iterator[tuple[pd.Series, str, str]]:
    """Yield one limit for all groups where they have the same, else each in its group's colour."""
    colours = dict(zip(table, cycle(COLOURS), strict=False))
    drawn = [group for group in table if group in caps]
    if drawn and all(caps[group].equals(caps[drawn[0]]) for group in drawn):
        yield caps[drawn[0]], RED, "each" if len(drawn) > 1 else drawn[0]
        return
    for group in drawn:
        yield caps[group], colours[group], group


# -- the managers -----------------------------------------------------------------------------------------------------


def _times(state: State, cuts: pd.DataFrame) -> str:
    """Return how often it cut, and how often the book was beyond its limit."""
    beyond = int(_beyond(state).sum())
    counts = ((len(cuts), "cut"), (beyond, "close"))
    said = [f"{number:,} {what}{'' if number == 1 else 's'}" for number, what in counts]
    told = [words for words, show in zip((said[0], f"beyond its limit at {said[1]}"), (len(cuts), beyond), strict=True) if show]
    return f" ({', '.join(told)})" if told else ""


def _beyond(state: State) -> pd.Series:
    return state.measure > state.limit * (1 + 1e-9)


def _add_state(figure: Any, state: State, cuts: pd.DataFrame, row: int) -> None:
    """Draw one manager: what it measures, its limit and what lies beyond, and a mark for each opening that it cut."""
    style: dict[str, Any] = {"digits": 2 if state.unit else 0, "unit": state.unit}
    add_line(figure, state.measure, "measured", BLUE, row, legendgroup="measured", **style)
    if state.names is not None:
        line = figure.data[-1]
        line.customdata = state.names.loc[pd.DatetimeIndex(line.x)].to_numpy()
        line.hovertemplate = line.hovertemplate.replace("measured", "%{customdata}")
    if len(state.limit):
        add_line(figure, state.limit.iloc[[0, -1]], "limit", RED, row, width=1.2, dash="dash", legendgroup="limit", **style)
        _add_label(figure, float(state.limit.iloc[-1]), f"{state.limit.iloc[-1]:,.6g}{state.unit}", RED, row)
    if _beyond(state).any():
        _add_excess(figure, state, row)
    if len(cuts):
        figure.add_scatter(
            x=cuts["time"], y=_heights(state, cuts), mode="markers", name="cut an opening", hovertext=_words(cuts), hoverinfo="text",
            marker={"symbol": "triangle-down", "size": 9, "color": ORANGE}, cliponaxis=False, legendgroup="cut an opening", row=row, col=1,
        )  # fmt: skip
    # what is counted is whole
    steps = {} if state.unit else {"dtick": max(1, round(max([*state.limit, *state.measure], default=1) / 4))}
    figure.update_yaxes(ticksuffix=state.unit, rangemode="tozero", row=row, col=1, **steps)


def _add_excess(figure: Any, state: State, row: int) -> None:
    """Shade what lies between the limit, which is the last line drawn, and a measure beyond it."""
    over = state.measure.where(_beyond(state), state.limit)
    index, values = thinned(over.index, over.to_numpy(dtype=float))
    figure.add_scatter(
        x=index, y=values, mode="lines", line={"width": 0}, fill="tonexty", fillcolor=SHADE, hoverinfo="skip",
        name="beyond its limit", legendgroup="beyond its limit", row=row, col=1,
    )  # fmt: skip


def _add_label(figure: Any, height: float | str, text: str, colour: str, row: int) -> None:
    """Write what a level is beside the panel, where no line runs."""
    figure.add_annotation(
        x=1, xref=f"x{row if row > 1 else ''} domain", y=height, yref=f"y{row if row > 1 else ''}", text=text, font={"color": colour},
        showarrow=False, xanchor="left", xshift=4, name=LABEL,
    )  # fmt: skip


def _name_once(figure: Any) -> None:
    """Leave each kind of line one place in the legend, whichever panel has it first."""
    seen: set[str] = set()
    for trace in figure.data:
        trace.showlegend = trace.legendgroup not in seen
        seen.add(trace.legendgroup)


def _heights(state: State, cuts: pd.DataFrame) -> np.ndarray:
    """Return where the marks of the cuts lie: on the line."""
    at: np.ndarray = state.measure.groupby(level=0).last().reindex(cuts["time"]).to_numpy()
    return at


def _words(cuts: pd.DataFrame) -> list[str]:
    when, digits = utc(cuts["time"]), decimals([*cuts["before"], *cuts["after"]])
    return [f"{c.time:{when}} · {c.symbol}: {c.before:,.{digits}f} -> {c.after:,.{digits}f}" for c in cuts.itertuples()]


# -- the look ---------------------------------------------------------------------------------------------------------


def _gap(heights: list[int]) -> float:
    """Return the space between panels: enough for dates and a title, whatever the height."""
    return 58 / (sum(heights) + 58 * (len(heights) - 1)) if len(heights) > 1 else 0.0


def _finish(figure: Any, height: int, simulated: bool) -> None:
    dress(figure, SIMULATED if simulated else "", height)
    figure.update_annotations({"x": 0, "xanchor": "left", "font": {"size": 14}}, selector=lambda note: note.name != LABEL)

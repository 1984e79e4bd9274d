"""Labels: known when they say, NaN until then, joined by timestamp and symbol."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import workbench as wb
from workbench.errors import ParameterError

PRICES = [100.0, 102.0, 101.0, 101.0, 99.0, 103.0]


def frame(close: Any, high: Any = None, low: Any = None, first: Any = None, start: str = "2024-01-01") -> pd.DataFrame:
    close = np.asarray(close, float)
    first = close if first is None else np.asarray(first, float)
    high = np.maximum(close, first) if high is None else high
    low = np.minimum(close, first) if low is None else low
    index = pd.date_range(start, periods=len(close), freq="1D", tz="UTC")
    return pd.DataFrame({"open": first, "high": high, "low": low, "close": close}, index, dtype=float)


def bars(close: Any, **more: Any) -> wb.Bars:
    return wb.Bars.from_frames({"A": frame(close, **more)}, interval="1D")


def with_a_hole() -> wb.Bars:
    """Return A with six bars, and B, of the same prices doubled, without its third day."""
    return wb.Bars.from_frames({"A": frame(PRICES), "B": (2 * frame(PRICES)).drop(frame(PRICES).index[2])}, interval="1D")


def days(*numbers: int) -> pd.DatetimeIndex:
    return pd.DatetimeIndex([f"2024-01-{number:02d}" for number in numbers], tz="UTC")


# -- a fixed horizon ----------------------------------------------------------------------------------------------------


def test_the_sign_of_the_return_over_the_horizon() -> None:
    labels = wb.labels.fixed_horizon(bars(PRICES), horizon=2)
    assert labels["label"].tolist()[:4] == [1.0, -1.0, -1.0, 1.0]
    assert labels["ret"].tolist()[:4] == pytest.approx([0.01, 101 / 102 - 1, 99 / 101 - 1, 103 / 101 - 1])
    assert list(labels["end"].iloc[:4]) == list(days(3, 4, 5, 6))


@pytest.mark.parametrize("horizon", [1, 2, 5, 6, 9])
def test_the_tail_is_unknown_and_never_class_zero(horizon: int) -> None:
    labels = wb.labels.fixed_horizon(bars(PRICES), horizon, threshold=0.5)
    tail = labels.iloc[max(6 - horizon, 0) :]
    assert tail[["label", "ret", "end"]].isna().all().all()
    assert labels["label"].iloc[: max(6 - horizon, 0)].eq(0.0).all()


def test_a_return_on_the_threshold_is_inside_it() -> None:
    labels = wb.labels.fixed_horizon(bars([100, 101, 99.99, 102]), 1, threshold=0.01)
    assert labels["label"].tolist()[:3] == [0.0, 0.0, 1.0]


def test_a_threshold_in_volatilities() -> None:
    one = bars([100.0, 101.0, 102.0, 103.0, 104.0])
    volatility = pd.Series([np.nan, 0.02, 0.005, 0.0, 0.01], one.index)
    assert wb.labels.fixed_horizon(one, 1, 1.0, volatility)["label"].tolist()[:4] == pytest.approx([np.nan, 0, 1, np.nan], nan_ok=True)


def test_an_instrument_counts_its_own_bars() -> None:
    both = wb.labels.fixed_horizon(with_a_hole(), 2)
    alone = wb.labels.fixed_horizon(with_a_hole()[["B"]], 2)
    assert both.index.names == ["timestamp", "symbol"]
    assert both.index.is_monotonic_increasing
    assert both.xs("B", level=1).equals(alone.xs("B", level=1))
    assert both["end"].loc[(days(2)[0], "B")] == days(5)[0]
    assert len(both) == 11


# -- the triple barrier ---------------------------------------------------------------------------------------------------


def test_the_reference_case_of_the_triple_barrier(shared: Path) -> None:
    case = json.loads((shared / "reference" / "s05_triple_barrier.json").read_text())
    given_, expected = case["inputs"], pd.DataFrame(case["expected_close_path"])
    one = bars(given_["close"])
    arguments = (given_["upper"], given_["lower"], given_["vertical_bars"], one.index[given_["events"]])
    sign, zero = (wb.labels.triple_barrier(one, *arguments, at_vertical=how) for how in ("sign", "zero"))
    words = expected["barrier"].replace({"vertical_sign": "vertical", "unlabelled_truncated": ""})
    assert sign["barrier"].tolist() == words.tolist()
    assert sign["label"].tolist() == pytest.approx(expected["label"].tolist(), nan_ok=True)
    assert zero["label"].tolist() == pytest.approx(expected["label_zero_at_vertical"].tolist(), nan_ok=True)
    assert sign["ret"].tolist() == pytest.approx(expected["ret"].tolist(), abs=1e-12, nan_ok=True)
    assert list(sign["end"].dropna()) == list(one.index[expected["touch"].dropna().astype(int)])


def test_closes_against_barriers_by_hand() -> None:
    labels = wb.labels.triple_barrier(bars(PRICES), upper=0.02, lower=0.02, vertical=2)
    assert labels["barrier"].tolist() == ["upper", "vertical", "vertical", "vertical", "upper", ""]
    assert labels["label"].tolist()[:5] == [1.0, -1.0, -1.0, 1.0, 1.0]


def test_the_bar_of_the_entry_is_not_tested() -> None:
    labels = wb.labels.triple_barrier(bars([100, 100, 100], high=[200, 100, 100], low=[50, 100, 100]), 0.1, 0.1, 1, path="high_low")
    assert labels["barrier"].tolist() == ["vertical", "vertical", ""]
    assert labels["label"].tolist()[:2] == [0.0, 0.0]


@pytest.mark.parametrize(
    ("first", "high", "low", "barrier", "ret"),
    [(100, 106, 99, "upper", 0.05), (100, 104, 94, "lower", -0.05), (100, 106, 94, "lower", -0.05), (107, 108, 90, "upper", 0.07),
     (92, 110, 90, "lower", -0.08), (100, 104, 96, "vertical", 0.01)],
    ids=["up", "down", "both: the lower first", "opens above", "opens below", "neither"],
)  # fmt: skip
def test_highs_and_lows_touch_at_the_barrier_or_at_the_open(first: float, high: float, low: float, barrier: str, ret: float) -> None:
    one = bars([100, 101], first=[100, first], high=[100, high], low=[100, low])
    label = wb.labels.triple_barrier(one, 0.05, 0.05, 1, path="high_low").iloc[0]
    assert label["barrier"] == barrier
    assert label["ret"] == pytest.approx(ret)


def test_barriers_in_volatilities_wait_for_the_volatility() -> None:
    one = bars(PRICES)
    volatility = pd.Series([np.nan, 0.005, 0.005, 0.1, 0.1, 0.1], one.index)
    labels = wb.labels.triple_barrier(one, 2, 1, 2, volatility=volatility)
    assert labels["barrier"].tolist() == ["", "lower", "lower", "vertical", "", ""]
    assert labels["label"].isna().tolist() == [True, False, False, False, True, True]


@pytest.mark.parametrize(("upper", "lower", "known"), [(None, 0.5, ""), (0.5, None, ""), (None, None, "")], ids=["lower", "upper", "none"])
def test_a_barrier_that_is_none_is_never_touched(upper: float | None, lower: float | None, known: str) -> None:
    assert set(wb.labels.triple_barrier(bars(PRICES), upper, lower, 3)["barrier"]) == {"vertical", known}


def naive(close: np.ndarray, high: np.ndarray, low: np.ndarray, first: np.ndarray, at: int, width: float, vertical: int) -> tuple[str, int]:
    up, down = close[at] * (1 + width) * (1 - 1e-9), close[at] * (1 - width) * (1 + 1e-9)
    for bar in range(at + 1, min(at + vertical, len(close) - 1) + 1):
        if first[bar] >= up:
            return "upper", bar
        if low[bar] <= down:
            return "lower", bar
        if high[bar] >= up:
            return "upper", bar
    return ("vertical", at + vertical) if at + vertical < len(close) else ("", -1)


@settings(max_examples=60)
@given(st.integers(2, 40), st.integers(1, 30), st.sampled_from([0.001, 0.01, 0.03]), st.integers(0, 10_000), st.booleans())
def test_bar_by_bar_gives_the_same(n: int, vertical: int, width: float, seed: int, ranges: bool) -> None:
    random = np.random.default_rng(seed)
    close = 100 * np.cumprod(1 + random.normal(0, 0.01, n))
    first = close if not ranges else close * (1 + random.normal(0, 0.01, n))
    high, low = (f(first, close) * (1 + sign * ranges * random.random(n) / 100) for f, sign in ((np.maximum, 1), (np.minimum, -1)))
    found = wb.labels.triple_barrier(
        bars(close, high=high, low=low, first=first), width, width, vertical, path="high_low" if ranges else "close"
    )
    expected = [naive(close, high, low, first, at, width, vertical) for at in range(n)]
    index = bars(close).index
    assert found["barrier"].tolist() == [barrier for barrier, _ in expected]
    assert list(found["end"].dropna()) == [index[bar] for _, bar in expected if bar >= 0]


EVENTS = {
    "pairs": pd.MultiIndex.from_tuples([(days(1)[0], "A"), (days(4)[0], "B")]),
    "a frame of booleans": pd.DataFrame({"B": [0, 0, 0, 1, 0, 0], "A": [1, 0, 0, 0, 0, 0]}, frame(PRICES).index).astype(bool),
    "a series of booleans": pd.Series(
        [True, False, True], pd.MultiIndex.from_tuples([(days(1)[0], "A"), (days(2)[0], "A"), (days(4)[0], "B")])
    ),
}


@pytest.mark.parametrize("events", EVENTS.values(), ids=EVENTS)
def test_only_events_are_labelled(events: Any) -> None:
    labels = wb.labels.triple_barrier(with_a_hole(), 0.02, 0.02, 2, events)
    assert labels.index.tolist() == [(days(1)[0], "A"), (days(4)[0], "B")]


def test_times_are_events_of_every_symbol_that_has_a_bar() -> None:
    labels = wb.labels.triple_barrier(with_a_hole(), 0.02, 0.02, 2, events=days(2, 3))
    assert labels.index.tolist() == [(days(2)[0], "A"), (days(2)[0], "B"), (days(3)[0], "A")]


# -- meta-labels ----------------------------------------------------------------------------------------------------------


def test_meta_labels_say_whether_the_side_made_money() -> None:
    labels = wb.labels.fixed_horizon(bars(PRICES), 1)
    side = pd.DataFrame({"A": [1.0, 1.0, -1.0, -0.5, 0.0, 1.0]}, labels.index.get_level_values(0))
    meta = wb.labels.meta_labels(labels, side)
    assert meta["label"].tolist() == pytest.approx([1, 0, 0, 1, np.nan, np.nan], nan_ok=True)
    assert meta["ret"].tolist()[:4] == pytest.approx([0.02, 101 / 102 - 1, 0.0, 1 - 99 / 101])
    assert meta["end"].equals(labels["end"])


def test_sides_are_joined_by_time_and_symbol_not_by_position() -> None:
    labels = wb.labels.fixed_horizon(with_a_hole(), 1)
    side = pd.Series(1.0, labels.index)
    side[side.index.get_level_values(1) == "B"] = -1.0
    shuffled = side.sample(frac=1, random_state=1).iloc[1:]
    straight, other = wb.labels.meta_labels(labels, side), wb.labels.meta_labels(labels, shuffled)
    dropped = side.index.difference(shuffled.index)
    assert other.drop(dropped).equals(straight.drop(dropped))
    assert other["label"].loc[dropped].isna().all()


@pytest.mark.parametrize(
    ("side", "closes", "label", "right"),
    [
        (1.0, [100, 97], -1, 0),
        (1.0, [100, 97, 102], -1, 0),
        (-1.0, [100, 97, 94], -1, 1),
        (-1.0, [100, 103, 90], 1, 0),
        (np.nan, [100, 97], -1, None),
    ],
    ids=["long, stopped", "long, stopped first", "short, on target", "short, stopped", "no side"],
)
def test_a_short_has_its_target_below_and_its_stop_above(side: float, closes: list[float], label: float, right: float | None) -> None:
    over = bars([*closes, 100.0])
    stances = pd.DataFrame({"A": side}, over.index)
    labels = wb.labels.triple_barrier(over, upper=0.05, lower=0.02, vertical=len(closes), side=stances)
    assert labels["label"].iloc[0] == label
    meta = wb.labels.meta_labels(labels.iloc[:1], stances) if right is not None else None
    assert meta is None or meta["label"].tolist() == [right]


@pytest.mark.parametrize(("side", "barrier"), [(1.0, "lower"), (-1.0, "upper")], ids=["long", "short"])
def test_a_bar_that_reaches_both_barriers_is_a_stop(side: float, barrier: str) -> None:
    wild = bars([100.0, 100.0], high=[100, 110], low=[100, 90])
    labels = wb.labels.triple_barrier(wild, 0.05, 0.05, 1, path="high_low", side=pd.DataFrame({"A": side}, wild.index))
    assert labels["barrier"].iloc[0] == barrier


# -- refusals -------------------------------------------------------------------------------------------------------------

ONE = bars(PRICES)
REFUSED = {
    "a horizon of 0": (lambda: wb.labels.fixed_horizon(ONE, 0), "horizon must be a whole number of at least 1, got 0"),
    "no Bars": (lambda: wb.labels.fixed_horizon(ONE.close, 1), "fixed_horizon takes wb.Bars, got DataFrame"),
    "a negative threshold": (lambda: wb.labels.fixed_horizon(ONE, 1, -0.1), "threshold must be a number of at least 0, got -0.1"),
    "other labels": (lambda: wb.labels.fixed_horizon(ONE, 1, 1, pd.Series(0.1, days(2, 3, 4, 5, 6, 7))), "keep the labels of the bars"),
    "half a bar": (lambda: wb.labels.triple_barrier(ONE, 0.1, 0.1, 2.5), "vertical must be a whole number of at least 1, got 2.5"),
    "an unknown path": (lambda: wb.labels.triple_barrier(ONE, 0.1, 0.1, 2, path="high-low"), "did you mean 'high_low'"),
    "an event without a bar": (lambda: wb.labels.triple_barrier(ONE, 0.1, 0.1, 2, days(2, 9)), "there is no bar at 2024-01-09"),
    "an event of no symbol": (
        lambda: wb.labels.triple_barrier(ONE, 0.1, 0.1, 2, pd.MultiIndex.from_tuples([(days(2)[0], "B")])),
        "there is no bar at .*'B'",
    ),
    "a barrier at the entry": (lambda: wb.labels.triple_barrier(ONE, 0.1, 0, 2), "lower must be a number above 0, or None for no barrier"),
    "stances for events": (
        lambda: wb.labels.triple_barrier(ONE, 0.1, 0.1, 2, -(ONE.close > 100.0).astype(float)),
        "stances.fillna.0. != 0",
    ),
    "events without a zone": (lambda: wb.labels.triple_barrier(ONE, 0.1, 0.1, 2, days(2).tz_localize(None)), "name no time zone"),
    "a side given twice": (
        lambda: wb.labels.meta_labels(wb.labels.fixed_horizon(ONE, 1), pd.Series(1.0, wb.labels.fixed_horizon(ONE, 1).index.repeat(2))),
        "side must have one row a bar and symbol",
    ),
    "no seed": (lambda: wb.labels.sequential_bootstrap(wb.labels.fixed_horizon(ONE, 1), seed=None), "seed must be a whole number"),
    "no events": (lambda: wb.labels.triple_barrier(ONE, 0.1, 0.1, 2, 3), "events must be times"),
    "no labels": (lambda: wb.labels.meta_labels(ONE.close, ONE.close), "takes a label table"),
    "another side": (lambda: wb.labels.meta_labels(wb.labels.fixed_horizon(ONE, 1), ONE.close.tz_localize(None)), "no opinion on any row"),
    "an array": (lambda: wb.labels.meta_labels(wb.labels.fixed_horizon(ONE, 1), np.ones(6)), "side must be a frame"),
    "a misspelt name": (lambda: wb.labels.triple_barriers, None),
}


@pytest.mark.parametrize(("call", "said"), REFUSED.values(), ids=REFUSED)
def test_what_makes_no_sense_is_refused_in_a_sentence(call: Any, said: str | None) -> None:
    with pytest.raises(ParameterError if said else AttributeError, match=said or "did you mean 'triple_barrier'"):
        call()


def test_symbols_stay_in_the_order_of_the_bars() -> None:
    known = wb.labels.fixed_horizon(wb.simulate(["B", "A"], bars=40, interval="1h", seed=1, missing=0.2), 3)
    assert known["label"].unstack().columns.tolist() == ["B", "A"]
    assert known["label"].unstack().notna().any().all()

"""Weights of labels that overlap, and draws that overlap less."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from workbench.errors import ParameterError

REFERENCE = "s03_label_uniqueness_sequential_bootstrap.json"


def bars(*closes: list[float]) -> wb.Bars:
    frames = {}
    for symbol, close in zip("ABC", closes, strict=False):
        index = pd.date_range("2024-01-01", periods=len(close), freq="1h", tz="UTC")
        frames[symbol] = pd.DataFrame(dict.fromkeys(("open", "high", "low", "close"), close), index, dtype=float)
    return wb.Bars.from_frames(frames, interval="1h")


def spans(*pairs: tuple[int, int], over: wb.Bars) -> pd.DataFrame:
    """Return a label table of the first symbol with these closed spans of bars."""
    index = pd.MultiIndex.from_product([over.index[[first for first, _ in pairs]], over.symbols[:1]], names=["timestamp", "symbol"])
    return pd.DataFrame({"label": 1.0, "end": over.index[[last for _, last in pairs]], "ret": 0.01}, index)


SIX = bars([1.0] * 6)


# -- overlaps -------------------------------------------------------------------------------------------------------------


def test_the_reference_case_of_uniqueness_and_of_the_next_draw(shared: Path) -> None:
    case = json.loads((shared / "reference" / REFERENCE).read_text())
    given, expected = case["inputs"], case["expected"]
    over = bars([1.0] * given["n_bars"])
    table = spans(*given["label_spans_inclusive"], over=over)
    drawn = table.index[given["already_drawn"]]
    assert wb.labels.concurrency(table, over).tolist() == expected["concurrency"]
    assert wb.labels.uniqueness(table, over).tolist() == pytest.approx(expected["average_uniqueness"], abs=1e-12)
    assert wb.labels.draw_probabilities(table, drawn, over).tolist() == pytest.approx(expected["next_draw_probabilities"], abs=1e-12)


def test_overlaps_by_hand() -> None:
    table = spans((0, 1), (1, 3), (5, 5), over=SIX)
    assert wb.labels.concurrency(table, SIX).tolist() == [1, 2, 1, 1, 0, 1]
    assert wb.labels.uniqueness(table, SIX).tolist() == pytest.approx([3 / 4, (1 / 2 + 1 + 1) / 3, 1])


def test_a_table_of_every_bar_needs_no_bars() -> None:
    over = wb.simulate(bars=200, seed=1)
    table = wb.labels.fixed_horizon(over, 4)
    assert wb.labels.uniqueness(table).equals(wb.labels.uniqueness(table, over))
    assert wb.labels.uniqueness(table).iloc[100] == pytest.approx(1 / 5)
    assert wb.labels.uniqueness(table).isna().tolist() == table["label"].isna().tolist()


def test_chosen_events_count_on_the_bars_between_them() -> None:
    # spans [0, 2] and [2, 4]: alone on two bars of three
    table = wb.labels.triple_barrier(SIX, None, None, 2, SIX.index[[0, 2, 4]])
    assert wb.labels.uniqueness(table, SIX).tolist() == pytest.approx([5 / 6, 5 / 6, np.nan], nan_ok=True)


def test_symbols_do_not_share_bars() -> None:
    over = wb.simulate(["A", "B"], bars=100, seed=1, missing=0.2)
    both = wb.labels.uniqueness(wb.labels.triple_barrier(over, 0.001, 0.001, 5))
    alone = wb.labels.uniqueness(wb.labels.triple_barrier(over[["B"]], 0.001, 0.001, 5))
    assert both.xs("B", level=1).tolist() == pytest.approx(alone.xs("B", level=1).tolist(), nan_ok=True)


def test_the_order_of_the_rows_does_not_matter() -> None:
    table = spans((0, 2), (1, 3), (5, 5), over=SIX)
    turned = wb.labels.uniqueness(table.iloc[::-1], SIX)
    assert turned.iloc[::-1].equals(wb.labels.uniqueness(table, SIX))


# -- weights --------------------------------------------------------------------------------------------------------------


def test_weights_are_one_on_average() -> None:
    table = spans((0, 1), (1, 3), (5, 5), over=SIX)
    weights = wb.labels.uniqueness_weights(table, SIX)
    assert weights.mean() == pytest.approx(1)
    assert (weights / weights.iloc[2]).tolist() == pytest.approx([3 / 4, 5 / 6, 1])


def test_a_return_is_shared_among_the_labels_that_earn_it() -> None:
    over = bars([100.0, 110.0, 99.0, 99.0, 120.0])
    table = spans((0, 2), (1, 2), (2, 4), over=over)
    up, down, last = np.log(1.1), np.log(0.9), np.log(120 / 99)
    shares = np.abs([up + down / 2, down / 2, last])
    assert wb.labels.uniqueness_weights(table, over, by="return").tolist() == pytest.approx((shares / shares.mean()).tolist())


@pytest.mark.parametrize(
    ("decay", "expected"), [(1.0, [1, 1, 1, 1]), (0.5, [5 / 8, 6 / 8, 7 / 8, 1]), (0.0, [1 / 4, 2 / 4, 3 / 4, 1]), (-0.5, [0, 0, 1 / 2, 1])]
)
def test_old_labels_weigh_less(decay: float, expected: list[float]) -> None:
    table = spans((0, 0), (1, 1), (2, 2), (3, 3), over=SIX)
    weights = wb.labels.uniqueness_weights(table, SIX, decay=decay)
    assert (weights / weights.iloc[-1]).tolist() == pytest.approx(expected)


def test_labels_of_the_same_bar_are_of_the_same_age() -> None:
    over = bars([1.0] * 6, [1.0] * 6)
    weights = wb.labels.uniqueness_weights(wb.labels.fixed_horizon(over, 1), decay=0.2).unstack()
    assert weights["A"].dropna().tolist() == weights["B"].dropna().tolist()
    assert len(weights["A"].dropna()) == 5


# -- draws ----------------------------------------------------------------------------------------------------------------


def test_draws_are_the_same_for_the_same_seed() -> None:
    table = wb.labels.fixed_horizon(wb.simulate(bars=100, seed=1), 5)
    draws = [wb.labels.sequential_bootstrap(table, 50, seed) for seed in (1, 1, 2)]
    assert draws[0].equals(draws[1])
    assert not draws[0].equals(draws[2])
    assert len(wb.labels.sequential_bootstrap(table)) == 95


@pytest.mark.parametrize("seed", range(8))
def test_each_draw_follows_the_probabilities_after_those_before_it(seed: int) -> None:
    table = spans((0, 2), (2, 3), (4, 5), over=SIX)
    drawn, random = wb.labels.sequential_bootstrap(table, 3, seed, SIX), np.random.default_rng(seed).random(3)
    for number, value in enumerate(random):
        reached = wb.labels.draw_probabilities(table, drawn[:number], SIX).cumsum()
        assert drawn[number] == table.index[int(np.searchsorted(reached, value))]


def mean_uniqueness(first: np.ndarray, last: np.ndarray) -> float:
    covered = np.zeros(last.max() + 1)
    for a, b in zip(first, last, strict=True):
        covered[a : b + 1] += 1
    return float(np.mean([np.mean(1 / covered[a : b + 1]) for a, b in zip(first, last, strict=True)]))


def test_draws_overlap_less_than_those_of_chance() -> None:
    over, any_number = bars([1.0] * 300), np.random.default_rng(1)
    first = np.sort(any_number.choice(270, size=60, replace=False))
    last = first + any_number.integers(1, 20, size=60)
    table = spans(*zip(first, last, strict=True), over=over)
    random = [np.random.default_rng(seed).integers(len(table), size=60) for seed in range(10)]
    drawn = [table.index.get_indexer(wb.labels.sequential_bootstrap(table, 60, seed, over)) for seed in range(10)]
    by_chance, sequential = ([mean_uniqueness(first[rows], last[rows]) for rows in draws] for draws in (random, drawn))
    assert np.mean(sequential) > np.mean(by_chance) + np.std(by_chance)


def test_unknown_labels_are_never_drawn() -> None:
    table = wb.labels.fixed_horizon(wb.simulate(bars=30, seed=1), 25)
    drawn = wb.labels.sequential_bootstrap(table, 200)
    assert set(drawn) <= set(table.index[:5])


# -- refusals -------------------------------------------------------------------------------------------------------------

SPARSE = spans((0, 2), (2, 3), (4, 5), over=SIX)
REFUSED = {
    "chosen events": (lambda: wb.labels.uniqueness(SPARSE), "A has no bar at 2024-01-01 03:00.*pass bars="),
    "events a label apart": (
        lambda: wb.labels.uniqueness(wb.labels.triple_barrier(SIX, None, None, 2, SIX.index[::2])),
        "holds 3 of 6 bars .chosen events, or rows were dropped.: pass bars=",
    ),
    "every other row": (lambda: wb.labels.uniqueness(wb.labels.fixed_horizon(SIX, 2).iloc[::2]), "holds 3 of 6 bars"),
    "dropped rows": (lambda: wb.labels.uniqueness(wb.labels.fixed_horizon(SIX, 2).dropna()), "rows were dropped.: pass bars="),
    "other bars": (lambda: wb.labels.uniqueness(SPARSE, bars([1.0] * 3)), "not the bars that were labelled"),
    "a label twice": (lambda: wb.labels.concurrency(SPARSE.iloc[[0, 0]], SIX), "A at 2024-01-01 00:00:00.00:00 stands in it twice"),
    "an unknown word": (lambda: wb.labels.uniqueness_weights(SPARSE, SIX, by="returns"), "did you mean 'return'"),
    "no prices": (lambda: wb.labels.uniqueness_weights(wb.labels.fixed_horizon(SIX, 1), by="return"), "needs the prices: pass bars="),
    "a decay of 2": (lambda: wb.labels.uniqueness_weights(SPARSE, SIX, decay=2), r"decay must lie in \(-1, 1\], got 2"),
    "nothing known": (lambda: wb.labels.sequential_bootstrap(wb.labels.fixed_horizon(SIX, 9)), "no label of the table is known"),
    "an unknown draw": (lambda: wb.labels.draw_probabilities(SPARSE, wb.labels.fixed_horizon(SIX, 1).index[3:4], SIX), "no known label"),
    "no draws": (lambda: wb.labels.sequential_bootstrap(SPARSE, 0, bars=SIX), "size must be a whole number of at least 1"),
}


@pytest.mark.parametrize(("call", "said"), REFUSED.values(), ids=REFUSED)
def test_what_makes_no_sense_is_refused_in_a_sentence(call: Any, said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        call()

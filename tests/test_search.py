"""A search: it learns, repeats itself by its seed, and counts what it tried."""

from __future__ import annotations

import math
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from workbench.errors import ParameterError
from workbench.research import parallel, search
from workbench.sizing import FixedFraction, FixedQuantity

BARS = wb.simulate("SIM", bars=400, interval="1h", seed=3)
STRATEGY = wb.Strategy(wb.signals.MovingAverageCross(5, 20))
SPACE = {"signal__fast": (2, 30), "signal__slow": (10, 60, "log"), "sizer": [FixedFraction(0.5), FixedQuantity(1)]}
EXPECTED = "expected (lowest, highest), (lowest, highest, 'log') or a list to choose from"
NONE = "no combination makes a strategy; the first"


def found(space: Any = SPACE, **options: Any) -> Any:
    return wb.search(STRATEGY, BARS, space, progress=False, **{"trials": 40} | options)


def test_the_same_seed_is_the_same_search_on_any_number_of_workers() -> None:
    one, two = found(jobs=1), found(jobs=2)
    pd.testing.assert_frame_equal(pd.DataFrame(one), pd.DataFrame(two), check_exact=True)
    assert len(one) + len(one.refused) == 40
    assert not pd.DataFrame(found(seed=1)).equals(pd.DataFrame(one))


def test_it_learns() -> None:
    table = found(trials=96, by="end equity")
    late, early = (table[(table.index >= 64) == side]["end equity"].mean() for side in (True, False))
    assert late > early


def test_values_come_from_the_space() -> None:
    table = found()
    assert table["signal__fast"].between(2, 30).all()
    assert table["signal__slow"].between(10, 60).all()
    assert set(table["sizer"]) == {"FixedFraction(fraction=0.5)", "FixedQuantity(quantity=1)"}


def test_numbers_of_numpy_are_numbers() -> None:
    given = {"signal__fast": (np.int64(2), np.int64(9)), "signal__slow": list(np.array([30, 40])), "sizer__fraction": (np.float64(0.1), 1)}
    table = found(given, trials=4)
    assert table["signal__slow"].isin([30, 40]).all()
    assert type(table.candidates[0]["signal__slow"]) is int


def test_less_can_be_better() -> None:
    table = found(trials=96, by="orders", most=False)
    assert table[table.index >= 64]["orders"].mean() < table[table.index < 64]["orders"].mean()


def test_every_candidate_is_counted(tmp_path: Path) -> None:
    study = wb.validation.Study(tmp_path / "study.jsonl")
    table = found(study=study, trials=20)
    assert len(study) == len(table.drop_duplicates(table.parameters))


def broken_at(monkeypatch: pytest.MonkeyPatch, number: int) -> list[Any]:
    """Have the user press Ctrl-C at a candidate; return what ran."""
    ran, one = [], parallel.Task._one

    def counted(self: Any, base: Any, values: Any, *more: Any) -> Any:
        ran.append(values)
        if len(ran) == number:
            raise KeyboardInterrupt
        return one(self, base, values, *more)

    monkeypatch.setattr(parallel.Task, "_one", counted)
    monkeypatch.setattr(parallel, "chunk_size", lambda *_: 1)  # what is under way is lost
    return ran


def test_what_was_tried_before_an_interruption_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = wb.validation.Study(tmp_path / "study.jsonl")
    ran = broken_at(monkeypatch, 20)
    with pytest.raises(KeyboardInterrupt):
        found({"sizer__fraction": (0.1, 1.0)}, study=study, jobs=1)
    assert (len(ran), len(study)) == (20, 19)


def test_a_figure_that_does_not_exist_is_no_way_to_try_without_counting(tmp_path: Path) -> None:
    study = wb.validation.Study(tmp_path / "study.jsonl")
    with pytest.raises(ParameterError, match="no figure 'sharp'"):
        found({"sizer__fraction": (0.1, 1.0)}, by="sharp", study=study)
    assert len(study) == search.BATCH


def test_an_interrupted_search_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept, study, whole = tmp_path / "search.jsonl", tmp_path / "study.jsonl", found(SPACE)
    ran = broken_at(monkeypatch, 20)
    with pytest.raises(KeyboardInterrupt):
        found(SPACE, resume=kept, study=study, jobs=1)
    again = found(SPACE, resume=kept, study=study, jobs=1)
    pd.testing.assert_frame_equal(pd.DataFrame(again), pd.DataFrame(whole), check_exact=True)
    assert len(ran) == 40 + 1  # the one that was broken off ran twice
    assert len(wb.validation.Study(study)) == len(again.drop_duplicates(again.parameters))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"space": {"signal__fast": (9, 2)}}, f"signal__fast: {EXPECTED}, got (9, 2)"),
        ({"space": {"signal__fast": []}}, f"signal__fast: {EXPECTED}, got []"),
        ({"by": "sharp"}, "a backtest has no figure 'sharp'; did you mean 'Sharpe'?"),
        ({"trials": 0}, "trials must be a whole number of at least 1, got 0"),
        ({"trials": "9"}, "trials must be a whole number of at least 1, got '9'"),
        ({"space": {}}, "space names what to search and where, {'signal__fast': (5, 50)}, got {}"),
        ({"space": [("signal__fast", 2)]}, "space names what to search and where, {'signal__fast': (5, 50)}, got [('signal__fast', 2)]"),
        ({"space": {"sizer__fraction": (0.1, math.inf)}}, f"sizer__fraction: {EXPECTED}, got (0.1, float('inf'))"),
        ({"space": {"signal__fast": (False, True)}}, f"signal__fast: {EXPECTED}, got (False, True)"),
        ({"space": {"signal__fsat": (2, 9)}}, f"{NONE}: MovingAverageCross has no parameter 'fsat'; did you mean 'fast'?"),
    ],
    ids=[
        "upside down", "empty", "no such figure", "none", "no number", "nothing", "no mapping", "without end", "yes and no",
        "no such parameter",
    ],
)  # fmt: skip
def test_what_cannot_be_searched_is_refused(options: Any, sentence: str) -> None:
    with pytest.raises(ParameterError) as refused:
        found(**options)
    assert str(refused.value) == sentence


def test_without_optuna_a_search_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(ParameterError, match=re.escape("a search needs Optuna: pip install workbench[ml]")):
        found()

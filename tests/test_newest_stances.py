"""The newest stances alone are the last row of all, and of a model inside anything only its newest row is asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from markets import market_for
from paper_worlds import Fed
from sklearn.linear_model import LogisticRegression
from trained import bars, labels, trained

import laws
import workbench as wb
from workbench.component import clone
from workbench.component_text import parts_of
from workbench.models import Model
from workbench.signals import (
    AllAgree,
    AnyOf,
    Breakout,
    Classifier,
    Crossing,
    HigherTimeframe,
    Majority,
    MetaLabelled,
    MovingAverageCross,
    SignalGenerator,
    Stacked,
    TimeOfDay,
    VolatilityRegime,
    Weighted,
)

RULES = [MovingAverageCross(2, 5), Breakout(3)]


class OfOthers(SignalGenerator):
    """A combination of a user's own, which knows nothing of newest rows."""

    signal: SignalGenerator

    def generate(self, bars: wb.Bars) -> pd.DataFrame:
        return -self.signal.stances(bars)


class Reversed(Majority):
    """A combination of ours whose stances a user has changed: it says nothing of the newest ones."""

    def generate(self, bars: wb.Bars) -> pd.DataFrame:
        return -super().generate(bars)


class Turned:
    """What a user mixes into a part of ours."""

    def generate(self, bars: wb.Bars) -> pd.DataFrame:
        return -super().generate(bars)  # type: ignore[misc]


class TurnedCross(Turned, MovingAverageCross):
    """A rule of ours with that."""


class TurnedAgain(TurnedCross):
    """And a further one of it."""


class Halved(Classifier):
    """A model of ours whose stances a user has changed after all that is checked of them."""

    def stances(self, bars: wb.Bars) -> pd.DataFrame:
        return super().stances(bars) / 2


def model(**changes: Any) -> Classifier:
    return clone(trained("logistic", conviction=True)).set_params(**changes)


def stacked() -> Stacked:
    return Stacked(LogisticRegression(), [model(), *RULES], hold=6).fit(bars(), labels(bars()))


def expired() -> Classifier:
    return model(model=trained("logistic").trained.noted(expires=bars().index[60]))


MADE: dict[str, Callable[[], SignalGenerator]] = {
    "majority": lambda: Majority([model(), *RULES], hold=20),
    "all agree": lambda: AllAgree([model(), RULES[0]]),
    "weighted": lambda: Weighted([model(), trained("boosting"), Breakout(4)], [1, 2, 3], hold=4),
    "votes in votes": lambda: AnyOf([Majority([model(), *RULES]), Breakout(9)], hold=5),
    "crossing": lambda: Crossing(model(threshold=0.55)),
    "hours": lambda: TimeOfDay(model(), "06:00", "18:00", "UTC", outside="flat"),
    "regime": lambda: VolatilityRegime(model(), 3, 9, outside="hold"),
    "meta-labelled": lambda: MetaLabelled(Breakout(4), model(short=False), outside="flat"),
    "coarser bars": lambda: HigherTimeframe(model(), "2h"),
    "a vote on coarser bars": lambda: Majority([HigherTimeframe(model(), "3h"), *RULES], hold=4),
    "stacked": stacked,
}
#: Parts of ours that a user has changed in one of the two ways to say a stance.
CHANGED: dict[str, Callable[[], SignalGenerator]] = {
    "a combination": lambda: Reversed([model(), *RULES], hold=20),
    "mixed in": lambda: TurnedCross(2, 5),
    "mixed in before": lambda: TurnedAgain(2, 5),
    "a model": lambda: Halved(**model(conviction=True).get_params(deep=False)),
}
#: A voter without an opinion at the newest bar has to be asked for its older ones.
SILENT: dict[str, Callable[[], SignalGenerator]] = {
    "an event": lambda: AnyOf([Crossing(model()), *RULES], hold=3),
    "an event on coarser bars": lambda: Majority([HigherTimeframe(Crossing(model()), "3h"), *RULES], hold=4),
    "an expired model": lambda: Majority([expired(), *RULES], hold=30),
}


@pytest.mark.parametrize("part", laws.examples(SignalGenerator), ids=laws.named)
def test_06_the_newest_stances_are_the_last_row_of_all(part: SignalGenerator) -> None:
    given = market_for(part, 3)
    whole = part.stances(given).to_numpy()
    for t in (0, 1, len(given) // 2, len(given) - 1):
        laws.require_equal(part.newest(given.iloc[: t + 1]), whole[t], f"{laws.named(part)} at row {t}")


@pytest.mark.parametrize("name", [*MADE, *SILENT])
@pytest.mark.parametrize("missing", [0.0, 0.3], ids=["whole", "holes"])
def test_06_so_are_those_of_a_model_inside_others(name: str, missing: float) -> None:
    part, given = (MADE | SILENT)[name](), bars(100, 11, missing)
    whole = part.stances(given).to_numpy()
    assert np.isfinite(whole).sum() > 20
    for t in (*range(12), *range(12, len(given), 11)):
        laws.require_equal(part.newest(given.iloc[: t + 1]), whole[t], f"{name} at row {t}")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the number of rows of each question that models are asked."""
    found: list[int] = []
    predict = Model.predict
    monkeypatch.setattr(Model, "predict", lambda self, rows: found.append(len(rows)) or predict(self, rows))
    return found


@pytest.mark.parametrize("name", MADE)
def test_a_live_step_asks_a_model_for_its_newest_rows_only(name: str, asked: list[int]) -> None:
    part, given = MADE[name](), bars(80, 11, 0.0)
    fed = Fed(wb.Strategy(part), given, 60)
    asked.clear()
    fed.run()
    models = sum(isinstance(inner, Classifier | Stacked) for inner in parts_of(part))
    assert (set(asked), len(asked)) == ({len(given.symbols)}, 20 * models * (1 + (name == "crossing")))
    assert fed.differences().empty


def test_a_combination_that_knows_nothing_of_it_says_the_same(asked: list[int]) -> None:
    part, given = OfOthers(model()), bars(80, 11, 0.1)
    laws.require_equal(part.newest(given), part.stances(given).to_numpy()[-1], "of others")
    assert not part.quick
    assert Majority([model(), *RULES]).quick
    assert not Majority([*RULES, Breakout(9)]).quick


@pytest.mark.parametrize("name", CHANGED)
def test_06_what_a_user_changes_in_research_is_changed_in_a_live_step(name: str) -> None:
    part, given = CHANGED[name](), bars(100, 11, 0.1)
    whole = part.stances(given).to_numpy()
    assert np.isfinite(whole).sum() > 20
    for t in (0, 40, 70, len(given) - 1):
        laws.require_equal(part.newest(given.iloc[: t + 1]), whole[t], f"{name} at row {t}")
    assert not part.quick

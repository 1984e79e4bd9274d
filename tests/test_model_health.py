"""What a model refuses and what drifts, as a person sees it: in the sign of life, in words, in one alert, in a run that goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from paper_serving import Runs, Serving
from paper_worlds import Fed
from sklearn.linear_model import LogisticRegression
from trained import bars, trained
from worked import market

import workbench as wb
from workbench.component import clone
from workbench.errors import RunError
from workbench.features import Returns
from workbench.journal import Beat
from workbench.live.status import about_models
from workbench.session import models as room
from workbench.session.models import ModelWatch, refusals_in_words, troubles
from workbench.signals import Classifier, HigherTimeframe, Majority, MovingAverageCross, SignalGenerator, TimeOfDay, _health, health

#: The last bar before a model expires, how many bars have closed when a run begins, and how many there are.
LAST, HISTORY, ALL = 54, 20, 70
EXPIRES = bars().index[LAST + 1]
REASON = f"the model expired at {EXPIRES.isoformat()}"


def expiring() -> Classifier:
    return clone(trained("forest")).set_params(model=trained("forest").trained.noted(expires=EXPIRES))


def only(part: SignalGenerator, given: wb.Bars, since: int = 0) -> dict[str, Any]:
    (found,) = health(part, given, since)
    return asdict(found)


# -- measured ---------------------------------------------------------------------------------------------------------


def test_of_a_model_that_does_well_there_is_nothing_to_say() -> None:
    signal = trained("logistic")
    found = only(signal, bars().iloc[:150], int(bars().labels[20]))
    assert found == {
        "model": f"Classifier {signal.trained.id}",
        "expired": "",
        "refused": {},
        "reasons": {},
        "asked": bars().present[20:150].sum(),
        "drifted": {},
    }
    assert about_models({"models": [found]}) == []


def test_a_model_that_has_expired_says_so_of_each_instrument_that_has_a_bar() -> None:
    given = bars().iloc[: LAST + 5]
    found, there = only(expiring(), given, int(bars().labels[HISTORY])), given.present
    assert found["refused"] == {symbol: REASON for symbol, here in zip(given.symbols, there[-1], strict=True) if here}
    assert (found["expired"], found["reasons"]) == (EXPIRES.isoformat(), {REASON: there[LAST + 1 :].sum()})
    assert found["asked"] == there[HISTORY:].sum()


def test_a_feature_that_is_not_known_is_a_reason_too() -> None:
    found = only(trained("logistic"), bars().iloc[:8])
    assert set(found["refused"].values()) == {"range_position_10 is not known"}
    assert found["expired"] == ""


def test_the_reasons_are_those_of_research() -> None:
    given = bars().iloc[: LAST + 20]
    counted = expiring().refusals(given)["reason"].value_counts().to_dict()
    assert only(expiring(), given)["reasons"] == counted


@pytest.mark.parametrize(
    ("part", "rows"),
    [
        (lambda: Majority([trained("logistic"), MovingAverageCross(2, 5)], hold=9), 200),
        (lambda: wb.Strategy(TimeOfDay(trained("logistic"), zone="UTC")), 200),
        (lambda: HigherTimeframe(trained("logistic"), "4h"), 50),
        (lambda: MovingAverageCross(2, 5), 0),
    ],
    ids=["in a vote", "in a strategy", "on coarser bars", "no model"],
)
def test_a_model_is_found_wherever_it_is_and_judged_by_the_bars_that_it_sees(part: Any, rows: int) -> None:
    given = wb.simulate("A", bars=200, interval="1h", seed=3)
    assert [one.asked for one in health(part(), given)] == [rows] * bool(rows)


# -- drift ------------------------------------------------------------------------------------------------------------


@lru_cache
def changing() -> wb.Bars:
    """Return one instrument's bars: 300 calm ones, 200 that move five times as much, 300 calm ones."""
    moves = np.random.default_rng(2).normal(0.0, 0.001, 800) * np.repeat([1.0, 5.0, 1.0], [300, 200, 300])
    return market(list(100.0 * np.exp(moves.cumsum())))


@lru_cache
def calm() -> Classifier:
    early = changing().iloc[:300]
    return Classifier(LogisticRegression(), [Returns(1)]).fit(early, (early.close.shift(-1) > early.close).astype(float).iloc[:-1])


def test_features_and_predictions_that_have_drifted_are_named_with_their_index() -> None:
    assert only(calm(), changing().iloc[:300])["drifted"] == {}
    drifted = only(calm(), changing().iloc[:500])["drifted"]
    assert set(drifted) == {"returns_1", "prediction"}
    assert min(drifted.values()) > 0.25
    table = wb.features.table([Returns(1)], changing().iloc[:500])
    assert drifted["returns_1"] == round(float(wb.models.drift(calm().trained.card, table).loc["returns_1", "psi"]), 4)


def test_a_model_without_a_distribution_on_its_card_is_judged_by_its_refusals_alone() -> None:
    bare = clone(calm()).set_params(model=calm().trained.noted(quantiles={}))
    assert only(bare, changing().iloc[:500])["drifted"] == {}


def alerts(fed: Fed) -> list[str]:
    return [entry.body["text"] for entry in fed.journal.entries("alert")]


def test_each_crossing_raises_one_alert_and_not_every_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_health, "ROWS", 150)
    fed, watch = Fed(wb.Strategy(calm()), changing(), 300), ModelWatch()
    said = []
    while not fed.over:
        fed.run(25)
        watch.look(fed.session, at_once=True)
        said.append(len(alerts(fed)))
    assert said[:2] == [0, 0]
    assert said[-1] == len(set(alerts(fed))) == 2
    assert [text.split(" has drifted")[0].split(": ")[1] for text in alerts(fed)] == ["returns_1", "prediction"]
    assert troubles(watch.standing) == {}  # the calm has come back


def test_what_the_session_before_has_told_is_not_told_again() -> None:
    fed = Fed(wb.Strategy(calm()), changing().iloc[:500], 490)
    first = ModelWatch()
    first.look(fed.run(1).session)
    again = ModelWatch(Beat("session", 0, {"models": first.standing}))
    again.look(fed.run(1).session)
    assert (len(alerts(fed)), troubles(again.standing).keys()) == (2, troubles(first.standing).keys())


# -- looked after -----------------------------------------------------------------------------------------------------


def test_it_looks_once_a_step_and_not_more_often_than_is_due(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[int] = []
    monkeypatch.setattr(room, "health", lambda signal, given, since: looks.append(len(given)) or iter(()))
    fed, watch = Fed(wb.Strategy(trained("logistic")), bars().iloc[:40], 20), ModelWatch()
    for at_once in (False, False, True, True):
        fed.run(1)
        watch.look(fed.session, at_once)
        watch.look(fed.session, at_once)
    assert looks == [21, 23, 24]


def failing(*given: Any) -> Iterator[Any]:
    raise ZeroDivisionError("not today")
    yield


def test_a_look_that_fails_is_told_once_and_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "health", failing)
    fed, watch = Fed(wb.Strategy(trained("logistic")), bars().iloc[:40], 20), ModelWatch()
    for _ in range(3):
        watch.look(fed.run(1).session, at_once=True)
    assert alerts(fed) == ["the models cannot be looked after (ZeroDivisionError: not today)"]
    assert about_models({"models": watch.standing}) == alerts(fed)


def test_a_strategy_without_a_model_is_never_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "health", lambda *given: pytest.fail("it was measured"))
    fed, watch = Fed(wb.Strategy(MovingAverageCross(2, 5)), bars().iloc[:30], 20).run(), ModelWatch()
    watch.look(fed.session)
    assert watch.standing == []


# -- in words ---------------------------------------------------------------------------------------------------------

STANDING = [
    {
        "model": "Classifier 0f3a",
        "expired": "",
        "refused": {"AAA": "rsi_14 is not known", "BBB": "rsi_14 is not known", "CCC": "hour is not known"},
        "reasons": {"rsi_14 is not known": 1200},
        "asked": 3000,
        "drifted": {"returns_2": 0.414},
    }
]


def test_refusals_and_drift_in_words() -> None:
    assert refusals_in_words(STANDING) == [
        "Classifier 0f3a predicts nothing of AAA, BBB: rsi_14 is not known (1,200 of 3,000 live bars)",
        "Classifier 0f3a predicts nothing of CCC: hour is not known (0 of 3,000 live bars)",
    ]
    assert about_models({"models": STANDING})[2:] == [
        "Classifier 0f3a: returns_2 has drifted from what the model was trained on (population stability index 0.41)"
    ]
    assert about_models({}) == []


# -- in a run ---------------------------------------------------------------------------------------------------------


def test_a_model_that_has_expired_begins_no_run(started: Callable[[int], Runs]) -> None:
    runs = started(LAST + 1)
    with pytest.raises(RunError) as caught:
        runs.run()
    assert str(caught.value) == (
        f"the model {expiring().trained.id} expired at {EXPIRES.isoformat()}, and the first bar to be decided opens at "
        f"{EXPIRES.isoformat()}: train it again (wb.retrain), or note when else it expires, model.noted(expires=...), and promote that"
    )
    assert list(runs.journal.entries()) == []
    assert runs.journal.beats()["session"].body["over"] == str(caught.value)


@pytest.fixture
def started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], Runs]]:
    """Return what serves a market of which so many bars have closed, to run on."""
    monkeypatch.setattr(room, "EVERY", 0.0)
    made: list[Runs] = []

    def start(history: int) -> Runs:
        strategy = wb.Strategy(expiring(), wb.sizing.RiskPercent(0.002), [wb.exits.AtrStop(5, 1.0)])
        made.append(Runs(Serving(tmp_path, bars().iloc[:ALL], history).start(), strategy))
        return made[-1]

    yield start
    for runs in made:
        runs.serving.stop()
        runs.journal.close()


def opened(runs: Runs) -> list[int]:
    """Return the labels of the steps that sent an opening."""
    return [int(str(entry.key).split("/")[3]) for entry in runs.journal.entries("intent") if "/open/" in str(entry.key)]


def test_a_model_that_expires_while_its_run_goes_on_opens_nothing_more_and_says_why(started: Callable[[int], Runs]) -> None:
    runs = started(HISTORY)
    runs.run()
    (standing,) = runs.journal.beats()["session"].body["models"]
    assert set(standing["refused"].values()) == {REASON}
    assert standing["reasons"] == {REASON: int(bars().present[LAST + 1 : ALL].sum())}
    steps = {int(entry.key): entry.body["stances"] for entry in runs.journal.entries("step")}
    assert len(steps) == ALL - HISTORY
    assert {label for label, stances in steps.items() if stances} == set(bars().labels[HISTORY : LAST + 1].tolist())
    assert len(opened(runs)) > 3
    assert max(opened(runs)) <= bars().labels[LAST]
    assert (wb.backtest(wb.Strategy(trained("forest")), bars().iloc[:ALL]).orders["time"] > EXPIRES).any()  # else it would have


def test_it_is_told_of_once_also_by_the_sessions_that_come_after(started: Callable[[int], Runs]) -> None:
    runs = started(LAST)
    for _ in range(5):
        runs.run(once=True)
    told = [entry.body["text"] for entry in runs.journal.entries("alert")]
    assert told == [f"Classifier {expiring().trained.id} expired at {EXPIRES.isoformat()}: it predicts nothing any more"]
    assert len(list(runs.journal.entries("step"))) == 5

"""What a paper account trades in: what no market can have, what goes on as it was, what would be another account."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import workbench as wb
from workbench.errors import RunError
from workbench.live.account import Market, PaperAccountFolder
from workbench.live.release import Release
from workbench.practice.paper.process import _account

BARS = wb.sample("sp500")


@pytest.fixture
def release(tmp_path: Path) -> Release:
    return Release.open(wb.promote(wb.Strategy.example(), BARS, "trend", folder=tmp_path / "releases"))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"speed": 0.0}, "speed must be a positive number (60: a minute passes in a second), got 0.0"),
        ({"speed": -3.0}, "speed must be a positive number (60: a minute passes in a second), got -3.0"),
        ({"speed": float("nan")}, "speed must be a positive number (60: a minute passes in a second), got nan"),
        ({"history": 0}, "history must be the number of bars that have closed, at least 1, got 0"),
        ({"history": -3}, "history must be the number of bars that have closed, at least 1, got -3"),
        ({"seed": -1}, "seed must be a whole number that is not negative, got -1"),
        ({"rejects": 1.5}, "rejects must be a share of all openings, from 0 to 1 (0.02: one in fifty), got 1.5"),
        ({"late": 1.0}, "late must be a share of all bars, from 0 to under 1 (0.02: one in fifty), got 1.0"),
    ],
)
def test_what_no_market_can_have_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(RunError) as caught:
        Market(**given)
    assert str(caught.value) == said


@pytest.mark.parametrize("supports", ["market", ["limit"], ["market", "limits"], []])
def test_a_venue_takes_orders_that_there_are(supports: Any) -> None:
    with pytest.raises(RunError, match=r"supports must be some of amend, .*, with 'market' among them"):
        Market(supports=supports)


def test_a_venue_s_troubles_are_terms_of_the_account(release: Release, tmp_path: Path) -> None:
    folder = PaperAccountFolder(tmp_path / "account")
    folder.make(release, Market(speed=60.0, rejects=0.05, supports=["stop", "market"]))
    assert (terms(folder)["rejects"], terms(folder)["supports"]) == (0.05, ["market", "stop"])
    assert folder.market().endswith("real time, at a venue which refuses 0.05 of all openings and which takes market, stop only")
    with pytest.raises(RunError, match=r"rejects is 0.05 there, 0.0 here"):
        folder.make(release, Market(rejects=0.0))
    venue = _account(terms(folder))
    assert (venue.rejects, venue.supports) == (0.05, {"market", "stop", "reduce_only"})


def test_an_account_of_an_earlier_workbench_goes_on(release: Release, tmp_path: Path) -> None:
    folder = PaperAccountFolder(tmp_path / "account")
    folder.make(release, Market(speed=60.0))
    older = {name: value for name, value in terms(folder).items() if name not in ("rejects", "supports")}
    (folder.folder / "market.json").write_text(json.dumps(older))
    folder.make(release, Market(speed=60.0, rejects=0.0))
    assert _account(terms(folder)).rejects == 0.0


def terms(folder: PaperAccountFolder) -> dict[str, Any]:
    return dict(json.loads((folder.folder / "market.json").read_text()))


def test_what_is_not_said_is_what_a_new_account_has(release: Release, tmp_path: Path) -> None:
    folder = PaperAccountFolder(tmp_path / "account")
    folder.make(release, Market(speed=60.0))
    assert {name: terms(folder)[name] for name in ("speed", "seed", "history", "late", "recorded")} == {
        "speed": 60.0, "seed": 0, "history": 500, "late": 0.0, "recorded": False,
    }  # fmt: skip
    assert folder.market() == "a SIMULATED market, its prices made up (seed 0), 60 times as fast as real time"


def test_what_is_not_said_goes_on_as_it_was(release: Release, tmp_path: Path) -> None:
    folder = PaperAccountFolder(tmp_path / "account")
    folder.make(release, Market(BARS, speed=60.0, seed=7, history=9_000))
    before = terms(folder)
    for market in (None, Market(), Market(speed=60.0), Market(BARS, history=9_000)):
        folder.make(release, market)
    assert terms(folder) == before
    assert before["history"] == len(BARS) - 1
    assert folder.market() == "a recording, 60 times as fast as real time"


@pytest.mark.parametrize(
    ("market", "said"),
    [
        (Market(speed=61.0), "speed is 60.0 there, 61.0 here"),
        (Market(seed=8), "seed is 7 there, 8 here"),
        (Market(BARS), "recorded is False there, True here"),
    ],
    ids=["speed", "seed", "recording"],
)
def test_another_market_is_refused(release: Release, tmp_path: Path, market: Market, said: str) -> None:
    folder = PaperAccountFolder(tmp_path / "account")
    folder.make(release, Market(speed=60.0, seed=7))
    with pytest.raises(RunError) as caught:
        folder.make(release, market)
    assert said in str(caught.value)
    assert "leave out what it has already, or promote under a new name" in str(caught.value)


def test_an_account_is_for_one_run_wherever_its_leases_lie(tmp_path: Path) -> None:
    first, second = (PaperAccountFolder(tmp_path) for _ in range(2))
    first.reserve()
    with pytest.raises(RunError, match="is traded by another run, whose lease lies elsewhere"):
        second.reserve()
    first.let_go()
    second.reserve()
    second.let_go()


def test_the_note_of_a_venue_that_is_gone_ends_nobody_else(tmp_path: Path) -> None:
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    folder = tmp_path / "account"
    folder.mkdir()
    (folder / "venue.json").write_text(json.dumps({"port": 1, "token": "x", "pid": other.pid}))
    PaperAccountFolder(folder).end()
    assert other.poll() is None
    other.kill()
    other.wait(10)

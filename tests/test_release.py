"""Promotion: what is promoted is what trades, to the last byte, and nothing else under its name."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import workbench as wb
from workbench.errors import RunError, StrategyError, WorkbenchError
from workbench.execution import Costs
from workbench.live.release import MANIFEST, TERMS, Release, promote
from workbench.session.setup import set_up

if TYPE_CHECKING:
    from notebook_kernel import Kernel

pytest_plugins = ("notebook_kernel",)

BARS = wb.simulate(["AAA", "BBB"], bars=120, interval="1h", seed=2)
STRATEGY = wb.Strategy(wb.signals.MovingAverageCross(3, 8), wb.sizing.RiskPercent(0.01), [wb.exits.AtrStop(5)], [wb.risk.MaxLeverage(2)])
EURO = wb.Instrument("DAX", "index", "cfd", quote="EUR")


@pytest.fixture
def release(tmp_path: Path) -> Path:
    return promote(STRATEGY, BARS, "trend-1", cash=50_000, costs=Costs(commission=0.001), folder=tmp_path)


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(WorkbenchError) as caught:
        call()
    return str(caught.value)


def reseal(release: Path) -> None:
    """Write the manifest anew, as somebody would who changed a file on purpose."""
    files = sorted(path for path in release.rglob("*") if path.is_file() and path != release / MANIFEST)
    hashes = {str(path.relative_to(release)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    (release / MANIFEST).write_text(json.dumps(hashes, indent=2) + "\n")


# -- promoted and opened ----------------------------------------------------------------------------------------------


def test_what_was_promoted_is_what_is_opened(release: Path) -> None:
    opened = Release.open(release)
    assert release.name == opened.name == "trend-1"
    assert repr(opened.strategy) == repr(STRATEGY)
    assert opened.instruments == BARS.instruments
    assert (opened.interval, opened.cash, opened.currency, opened.rates) == ("1h", 50_000.0, "USD", None)
    assert repr(opened.costs) == repr(Costs(commission=0.001))
    assert opened.hash == hashlib.sha256((release / MANIFEST).read_bytes()).hexdigest()


def test_it_trades_as_the_strategy_did_in_the_backtest(release: Path) -> None:
    mine = set_up(STRATEGY, BARS, 50_000, Costs(commission=0.001))
    theirs = Release.open(release).setup(BARS)
    assert (theirs.cash, theirs.currency, theirs.specs[0].fee_rate) == (mine.cash, mine.currency, mine.specs[0].fee_rate)
    np.testing.assert_array_equal(theirs.inputs.stance, mine.inputs.stance)


def test_it_says_when_and_with_what_it_was_made(release: Path) -> None:
    terms = json.loads((release / TERMS).read_text())
    assert (terms["workbench"], terms["python"]) == (wb.__version__, sys.version.split()[0])
    assert terms["made"].endswith(" UTC")
    assert sorted(path.name for path in release.iterdir()) == [MANIFEST, TERMS, "strategy"]


def test_the_manifest_has_the_hash_of_every_file(release: Path) -> None:
    hashes = json.loads((release / MANIFEST).read_text())
    assert sorted(hashes) == ["release.json", "strategy/manifest.json", "strategy/strategy.json"]
    assert all(hashlib.sha256((release / name).read_bytes()).hexdigest() == value for name, value in hashes.items())


@pytest.mark.parametrize(("start", "held"), [("join", "join"), ("wait", "wait"), (None, "join")])
def test_promotion_asks_whether_the_first_stance_counts(tmp_path: Path, start: Any, held: str) -> None:
    assert Release.open(promote(STRATEGY, BARS, "asked", start=start, folder=tmp_path)).strategy.start == held


def test_instruments_and_an_interval_are_enough(tmp_path: Path) -> None:
    opened = Release.open(promote(STRATEGY, list(BARS.instruments), "by-name", interval="60min", folder=tmp_path))
    assert (opened.instruments, opened.interval) == (BARS.instruments, "1h")


# -- the same again, and another one ----------------------------------------------------------------------------------


def files(release: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in release.rglob("*") if path.is_file()}


def again(release: Path, strategy: wb.Strategy = STRATEGY, bars: Any = BARS, **changes: Any) -> Path:
    given = {"cash": 50_000, "costs": Costs(commission=0.001)} | changes
    return promote(strategy, bars, release.name, folder=release.parent, **given)


def test_the_same_again_changes_nothing(release: Path) -> None:
    before = files(release)
    assert again(release) == again(release, Release.open(release).strategy) == release
    assert files(release) == before


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"cash": 60_000}, "cash is 50000.0 there and 60000.0 here"),
        ({"costs": Costs(commission=0.002)}, "costs is {'commission': 0.001} there and {'commission': 0.002} here"),
        ({"costs": None}, "costs is {'commission': 0.001} there and None here"),
        ({"rates": {"EURUSD": 1.1}}, "rates is None there and {'EURUSD': 1.1} here"),
        ({"bars": wb.simulate(["AAA", "BBB"], bars=9, interval="5min")}, "interval is '1h' there and '5min' here"),
        ({"bars": wb.simulate(["AAA"], bars=9, interval="1h")}, "instruments is [{"),
        ({"strategy": wb.Strategy(wb.signals.Breakout())}, "its strategy is Strategy("),
        ({"start": "wait"}, "its strategy is Strategy("),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_another_one_under_the_same_name_is_refused(release: Path, change: dict[str, Any], said: str) -> None:
    before = files(release)
    sentence = refusal(lambda: again(release, **change))
    assert sentence.startswith(f"{release} is another release: {said}")
    assert sentence.endswith("; promote under a new name, so that its record stays its own")
    assert files(release) == before


# -- tampered with ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["release.json", "strategy/strategy.json", "strategy/manifest.json", MANIFEST])
@pytest.mark.parametrize("place", [0.0, 0.5, 1.0])
def test_one_changed_byte_in_any_file_is_refused(release: Path, name: str, place: float) -> None:
    raw = bytearray((release / name).read_bytes())
    raw[int(place * (len(raw) - 1))] ^= 1
    (release / name).write_bytes(bytes(raw))
    said = refusal(lambda: Release.open(release))
    assert "is not what was promoted: this release " in said
    assert str(release) in said


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda r: (r / TERMS).unlink(), "release.json is not what was promoted"),
        (lambda r: (r / "strategy" / "strategy.json").unlink(), "strategy.json is not what was promoted"),
        (lambda r: (r / "strategy" / "parts.py").write_text("import os"), "parts.py is not what was promoted"),
        (lambda r: (r / "notes.txt").write_text("mine"), "notes.txt is not what was promoted"),
        (lambda r: (r / MANIFEST).write_text("{"), "manifest.json is not what was promoted"),
        (lambda r: (r / MANIFEST).write_text("[]"), "manifest.json is not what was promoted"),
        (lambda r: (r / MANIFEST).write_text((r / MANIFEST).read_text() + " "), "manifest.json is not what was promoted"),
    ],
    ids=["terms gone", "strategy gone", "parts put in", "a file put in", "half a manifest", "a list", "a space"],
)
def test_a_file_too_many_or_too_few_is_refused(release: Path, change: Callable[[Path], object], said: str) -> None:
    change(release)
    assert said in refusal(lambda: Release.open(release))


def test_whoever_seals_it_anew_has_another_release(release: Path) -> None:
    before = Release.open(release).hash
    (release / TERMS).write_text((release / TERMS).read_text().replace("50000.0", "500000.0"))
    reseal(release)
    assert Release.open(release).hash != before


# -- names, and what could not start ----------------------------------------------------------------------------------


def test_a_typo_gets_a_hint(release: Path) -> None:
    assert (
        refusal(lambda: Release.open(release.parent / "trned-1")) == f"no release in {release.parent / 'trned-1'}; did you mean 'trend-1'?"
    )
    assert refusal(lambda: Release.open(release.parent / "no" / "where")).startswith("no release in")


@pytest.mark.parametrize("name", ["", "a b", "../a", "a/b", "a.b", "a\n", ".", "~"])
def test_a_name_that_is_none_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(RunError, match="a release's name is made of letters, digits, - and _"):
        promote(STRATEGY, BARS, name, folder=tmp_path / "releases")
    assert not (tmp_path / "releases").exists()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"cash": 0}, "cash must be a positive number, got 0"),
        ({"bars": [EURO], "interval": "1h", "currency": "USD"}, "EUR"),
        ({"bars": [EURO, *BARS.instruments], "interval": "1h"}, "currency"),
        ({"bars": list(BARS.instruments)}, "interval"),
        ({"costs": {"AAA": Costs()}}, "a release has one wb.execution.Costs for all that it trades, got dict"),
        ({"costs": Costs(quoted=1.0)}, "the bars of a run carry none yet"),
        ({"strategy": wb.signals.Breakout()}, "wb.Strategy"),
        ({"start": "later"}, "start"),
    ],
    ids=["cash", "no rate", "two currencies", "no interval", "costs", "quoted", "a signal", "start"],
)
def test_what_could_not_start_is_refused_at_promotion(tmp_path: Path, given: dict[str, Any], said: str) -> None:
    chosen = {"strategy": STRATEGY, "bars": BARS} | given
    strategy, bars = chosen.pop("strategy"), chosen.pop("bars")
    assert said in refusal(lambda: promote(strategy, bars, "never", folder=tmp_path / "releases", **chosen))
    assert not (tmp_path / "releases").exists()


def test_what_cannot_be_saved_leaves_no_release(tmp_path: Path) -> None:
    class Local(wb.signals.Breakout):
        pass

    with pytest.raises(StrategyError, match="Local is defined inside a function"):
        promote(wb.Strategy(Local()), BARS, "never", folder=tmp_path)
    assert "no release in" in refusal(lambda: Release.open(tmp_path / "never"))


# -- classes of a notebook --------------------------------------------------------------------------------------------

CELL = """
class Above(wb.signals.SignalGenerator):
    window: int = 10
    def generate(self, bars):
        return np.sign(bars.close - bars.close.rolling(self.window).mean())
"""
PROMOTE = "print(promote(wb.Strategy(Above(7)), wb.simulate(bars=9, interval='1h'), 'cell', folder={!r}))"
TRY = "try:\n    {}\nexcept Exception as error:\n    print(error)"
OPENED = """
import sys
from workbench.live.release import Release
strategy = Release.open(sys.argv[1]).strategy
print(type(strategy.signal).__name__, strategy.signal.window, type(strategy.signal).__module__.startswith("workbench_parts_"))
"""


def test_a_class_of_a_notebook_cell_is_in_the_release(kernel: Kernel, tmp_path: Path) -> None:
    kernel.run("import numpy as np\nimport workbench as wb\nfrom workbench.live.release import promote")
    kernel.run(CELL)
    release = Path(kernel.run(PROMOTE.format(str(tmp_path))).strip())
    assert "class Above(" in (release / "strategy" / "parts.py").read_text()
    assert "strategy/parts.py" in json.loads((release / MANIFEST).read_text())
    for _ in range(2):  # reading it leaves nothing behind
        done = subprocess.run([sys.executable, "-c", OPENED, str(release)], capture_output=True, text=True, timeout=60, check=True)
        assert done.stdout.split() == ["Above", "7", "True"]
    assert kernel.run(PROMOTE.format(str(tmp_path))).strip() == str(release)
    assert promote(Release.open(release).strategy, wb.simulate(bars=9, interval="1h"), "cell", folder=tmp_path) == release
    kernel.run(CELL.replace("np.sign(", "-np.sign("))
    said = kernel.run(TRY.format(PROMOTE.format(str(tmp_path))))
    assert f"{release} is another release: the source of its classes is another" in said

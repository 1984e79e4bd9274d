"""A strategy as a folder of text: written, proved, read back, refused where it was tampered with."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from worked import Stop

import workbench as wb
from workbench import saving
from workbench.errors import ParameterError, StrategyError
from workbench.saving import MANIFEST, PARTS, TEXT

ROOT = Path(__file__).resolve().parents[1]
FULL = wb.Strategy(
    wb.signals.AllAgree([wb.signals.MovingAverageCross(5, 20), wb.signals.Breakout(30)], hold=50),
    wb.sizing.RiskPercent(0.01),
    [wb.exits.AtrStop(10, 3.0, "simple"), wb.exits.TakeProfit(multiple=1.5)],
    [wb.risk.MaxExposure({"EUR": 750_000}), wb.risk.MaxLeverage(3)],
    wb.execution.Limit(0.001, bars=2, then="cross"),
    start="wait",
)
PLAIN = wb.Strategy(wb.signals.Breakout(30))

SCRIPT = '''
import sys
import numpy as np
import workbench as wb
from workbench.signals import SignalGenerator

SPARE = 2  # not used by the class

def mean(values, window):
    return values.rolling(window).mean()

class Above(SignalGenerator):
    """Long above its mean."""
    window: int = 50

    @property
    def lookback(self):
        return self.window

    def generate(self, bars):
        return np.sign(bars.close - mean(bars.close, self.window))

if __name__ == "__main__":
    wb.Strategy(Above(20), exits=[wb.exits.AtrStop(5)]).save(sys.argv[1])
    print(wb.backtest(wb.Strategy(Above(20), exits=[wb.exits.AtrStop(5)]), wb.simulate(days=1, seed=3)).equity.sum())
'''
LOADER = """
import sys
import workbench as wb
strategy = wb.Strategy.load(sys.argv[1])
print("".join(repr(strategy).split()))
print(wb.backtest(strategy, wb.simulate(days=1, seed=3)).equity.sum())
"""


def fresh(code: str, *arguments: object) -> list[str]:
    """Run code in a process of its own and return the lines that it printed."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-W", "error", *(["-c", code] if "\n" in code else [code]), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def seal(folder: Path) -> None:
    """Write the manifest anew, as somebody would who changed a file on purpose."""
    names = [name for name in (TEXT, PARTS) if (folder / name).exists()]
    hashes = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names}
    (folder / MANIFEST).write_text(json.dumps(hashes))


# -- written and read -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("strategy", [PLAIN, FULL], ids=["plain", "full"])
def test_what_is_saved_reads_back_the_same(strategy: wb.Strategy, tmp_path: Path) -> None:
    folder = strategy.save(tmp_path / "deep" / "release")
    back = wb.Strategy.load(folder)
    assert folder == tmp_path / "deep" / "release"
    assert repr(back) == repr(strategy)
    assert sorted(path.name for path in folder.iterdir()) == [MANIFEST, TEXT]


def test_a_strategy_reads_back_in_a_fresh_process(tmp_path: Path) -> None:
    printed, equity = fresh(LOADER, PLAIN.save(tmp_path))
    assert printed == "".join(repr(PLAIN).split())
    assert equity == str(wb.backtest(PLAIN, wb.simulate(days=1, seed=3)).equity.sum())


def test_the_text_is_readable(tmp_path: Path) -> None:
    written = json.loads((FULL.save(tmp_path) / TEXT).read_text())
    assert written["part"] == "workbench.Strategy"
    assert written["signal"]["signals"][1] == {"part": "workbench.signals.Breakout", "window": 30}
    assert written["risk"][0]["limit"] == {"EUR": 750_000}
    assert list(written)[1:] == list(FULL.get_params(deep=False))


def test_the_manifest_has_the_hash_of_each_file(tmp_path: Path) -> None:
    FULL.save(tmp_path)
    manifest = json.loads((tmp_path / MANIFEST).read_text())
    assert manifest == {TEXT: hashlib.sha256((tmp_path / TEXT).read_bytes()).hexdigest()}


def test_the_hash_of_a_folder_names_what_it_holds(tmp_path: Path) -> None:
    names = [saving.manifest_hash(strategy.save(tmp_path / name)) for name, strategy in {"a": FULL, "b": FULL, "c": PLAIN}.items()]
    assert names[0] == names[1] != names[2]
    assert len(names[0]) == 64


def test_saving_again_replaces_everything(tmp_path: Path) -> None:
    (tmp_path / PARTS).write_text("an old one")
    FULL.save(tmp_path)
    PLAIN.save(tmp_path)
    assert repr(wb.Strategy.load(tmp_path)) == repr(PLAIN)
    assert not (tmp_path / PARTS).exists()


# -- classes of a script ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Return the folder that a script saved, and what its backtest gave."""
    folder = tmp_path_factory.mktemp("script")
    (folder / "mine.py").write_text(SCRIPT)
    printed = fresh(str(folder / "mine.py"), folder / "release")
    return folder / "release", printed[-1]


def test_a_class_of_a_script_works_in_a_fresh_process(release: tuple[Path, str]) -> None:
    folder, equity = release
    printed = fresh(LOADER, folder)
    assert "signal=Above(window=20)" in printed[0]
    assert printed[1] == equity
    assert float(equity) != 100_000 * 1440


def test_the_source_has_what_the_class_uses_and_no_more(release: tuple[Path, str]) -> None:
    source = (release[0] / PARTS).read_text()
    assert "def mean(values, window):" in source
    assert "import numpy as np" in source
    assert "SPARE" not in source
    assert json.loads((release[0] / TEXT).read_text())["signal"] == {"part": "parts.Above", "window": 20}


def test_a_class_that_was_loaded_can_be_saved_again(release: tuple[Path, str], tmp_path: Path) -> None:
    back = wb.Strategy.load(release[0])
    again = wb.Strategy.load(back.save(tmp_path))
    assert repr(again) == repr(back)
    assert (tmp_path / PARTS).exists()


def test_two_folders_keep_their_own_classes(release: tuple[Path, str], tmp_path: Path) -> None:
    for name in (TEXT, PARTS):
        (tmp_path / name).write_text((release[0] / name).read_text().replace("window: int = 50", "window: int = 51"))
    seal(tmp_path)
    one, other = (type(wb.Strategy.load(folder).signal) for folder in (release[0], tmp_path))
    assert (one().window, other().window) == (50, 51)


# -- tampered with ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda f: (f / TEXT).write_text((f / TEXT).read_text().replace("20", "21")),
            f"{TEXT} is not what was saved: its hash differs from {MANIFEST}",
        ),
        (lambda f: (f / TEXT).write_text((f / TEXT).read_text() + " "), f"{TEXT} is not what was saved"),
        (lambda f: (f / PARTS).write_text("import os\n" + (f / PARTS).read_text()), f"{PARTS} is not what was saved"),
        (lambda f: (f / PARTS).unlink(), f"{PARTS} is not what was saved"),
        (lambda f: (f / MANIFEST).unlink(), f"has no {MANIFEST}: save the strategy again with Strategy.save"),
        (lambda f: (f / MANIFEST).write_text("{}"), "is not what was saved"),
        (lambda f: (f / TEXT).unlink(), f"expected a folder with {TEXT}, as Strategy.save writes it"),
    ],
    ids=["a parameter", "a blank", "the source", "no source", "no manifest", "empty manifest", "no text"],
)
def test_a_folder_that_was_changed_is_refused(release: tuple[Path, str], tmp_path: Path, change: Callable[[Path], None], said: str) -> None:
    for path in release[0].iterdir():
        if path.is_file():
            (tmp_path / path.name).write_bytes(path.read_bytes())
    wb.Strategy.load(tmp_path)
    change(tmp_path)
    with pytest.raises(StrategyError) as caught:
        wb.Strategy.load(tmp_path)
    assert said in str(caught.value)


def test_source_that_was_slipped_in_is_refused(tmp_path: Path) -> None:
    PLAIN.save(tmp_path)
    (tmp_path / PARTS).write_text("raise SystemExit('it ran')")
    with pytest.raises(StrategyError, match=f"{PARTS} is not what was saved"):
        wb.Strategy.load(tmp_path)


@pytest.mark.parametrize("text", ["no json", "[]", '{"strategy.json": 5}'], ids=["text", "list", "number"])
def test_a_manifest_that_is_none_gets_a_sentence(tmp_path: Path, text: str) -> None:
    PLAIN.save(tmp_path)
    (tmp_path / MANIFEST).write_text(text)
    with pytest.raises(StrategyError, match=f"{MANIFEST} is not readable"):
        wb.Strategy.load(tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "error", "said"),
    [
        ('"workbench.signals.Breakout"', '"workbench.signals.Brakeout"', StrategyError, "did you mean 'Breakout'?"),
        ('"workbench.signals.Breakout"', '"os.system"', StrategyError, "only workbench, parts.py and modules that you allow are imported"),
        ('"workbench.signals.Breakout"', '"parts.Mine"', StrategyError, "no parts.py came with it"),
        ('"window"', '"windw"', ParameterError, "did you mean 'window'?"),
        ("30", "0", ParameterError, "Breakout: window must be at least 1 bar, got 0"),
        ("30", "3,,", StrategyError, "is not readable"),
    ],
    ids=["unknown class", "foreign class", "missing class", "misspelt parameter", "refused value", "no json"],
)
def test_a_text_written_by_hand_gets_a_sentence(tmp_path: Path, old: str, new: str, error: type[Exception], said: str) -> None:
    PLAIN.save(tmp_path)
    text = (tmp_path / TEXT).read_text()
    assert old in text
    (tmp_path / TEXT).write_text(text.replace(old, new))
    seal(tmp_path)
    with pytest.raises(error) as caught:
        wb.Strategy.load(tmp_path)
    assert said in str(caught.value)


def test_source_that_cannot_be_imported_gets_a_sentence(tmp_path: Path) -> None:
    PLAIN.save(tmp_path)
    (tmp_path / PARTS).write_text("import a_module_that_is_not_here\n")
    seal(tmp_path)
    with pytest.raises(StrategyError, match="cannot be imported: No module named 'a_module_that_is_not_here'"):
        wb.Strategy.load(tmp_path)


def test_what_runs_is_the_text_that_was_verified(release: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    for window in ("52", "53"):
        for name in (TEXT, PARTS):
            (tmp_path / name).write_text((release[0] / name).read_text().replace("window: int = 50", f"window: int = {window}"))
        os.utime(tmp_path / PARTS, (1_700_000_000, 1_700_000_000))
        seal(tmp_path)
        assert str(type(wb.Strategy.load(tmp_path).signal)().window) == window


# -- what cannot be saved ---------------------------------------------------------------------------------------------


def test_a_part_that_cannot_be_written_leaves_the_folder_as_it_was(tmp_path: Path) -> None:
    PLAIN.save(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    class Local(wb.signals.Breakout):
        pass

    with pytest.raises(StrategyError, match="Local is defined inside a function"):
        wb.Strategy(Local()).save(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_what_does_not_read_back_is_not_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    PLAIN.save(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    monkeypatch.setattr(saving, "round_trip", lambda component: (_ for _ in ()).throw(StrategyError("it did not come back")))
    with pytest.raises(StrategyError, match="it did not come back"):
        FULL.save(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_folder_that_holds_another_part_is_no_strategy(tmp_path: Path) -> None:
    saving.save(wb.signals.Breakout(), tmp_path)
    with pytest.raises(StrategyError, match="holds a Breakout, not a strategy"):
        wb.Strategy.load(tmp_path)


def test_modules_of_ones_own_are_imported_where_they_are_allowed(tmp_path: Path) -> None:
    strategy = wb.Strategy(wb.signals.Breakout(), exits=[Stop(2.0)])
    strategy.save(tmp_path)
    with pytest.raises(StrategyError, match=r"only workbench, parts\.py and modules that you allow"):
        wb.Strategy.load(tmp_path)
    assert repr(wb.Strategy.load(tmp_path, modules=["worked"])) == repr(strategy)


def test_a_path_that_is_nothing_gets_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(StrategyError, match=r"no strategy in .*nowhere: expected a folder with strategy\.json"):
        wb.Strategy.load(tmp_path / "nowhere")

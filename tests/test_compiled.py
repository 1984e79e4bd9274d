"""What numba keeps on disk: found again, and never used after any source that it inlines has changed (KERNEL trap 8)."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import pytest

from workbench import decision, grid, money
from workbench.research import compiled, kernel, kernel_bar, kernel_orders
from workbench.research.compiled import cache_folder, compiled_decision, functions_in
from workbench.risk import MaxExposure, MaxLeverage
from workbench.risk._exposure import group_room, leg_value
from workbench.sizing import FixedQuantity, RiskPercent

ROOT = Path(__file__).resolve().parents[1]
INNER = "def half(x):\n    return x / {divisor}\n"
OUTER = """
from workbench.made_inner import half

def decide(p, spec, side, stance, equity, price, unit, distance, measured, past):
    return half(p[0]) + equity
"""
ANSWER = """
import importlib.util, sys
from pathlib import Path
import numpy as np
from workbench.records import SPEC, dtype_of
from workbench.research.compiled import cache_folder, compiled_decision
for name in ("made_inner", "made_outer"):
    spec = importlib.util.spec_from_file_location("workbench." + name, Path(sys.argv[1]) / (name + ".py"))
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
decide = module.decide
given = np.array([10.0])
given.flags.writeable = False
found = compiled_decision(decide, "size")(given, np.zeros(1, dtype_of(SPEC))[0], 1.0, 1.0, 100.0, 1.0, 1.0, 1.0, 1.0, np.zeros(16))
print(decide([10.0], None, 1.0, 1.0, 100.0, 1.0, 1.0, 1.0, 1.0, np.zeros(16)), found, cache_folder(decide).name)
"""


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    write(tmp_path, divisor=2)
    return tmp_path


def write(folder: Path, divisor: int) -> None:
    (folder / "made_inner.py").write_text(INNER.format(divisor=divisor))
    (folder / "made_outer.py").write_text(OUTER)


def load(folder: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    for name in ("made_inner", "made_outer"):
        spec = importlib.util.spec_from_file_location(f"workbench.{name}", folder / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, spec.name, module)
        exec((folder / f"{name}.py").read_text(), vars(module))
        for function in [f for f in vars(module).values() if isinstance(f, FunctionType) and f.__module__ == spec.name]:
            function.__code__ = function.__code__.replace(co_filename=str(folder / f"{name}.py"))
    return module


def named(functions: list[FunctionType]) -> list[str]:
    return [f.__name__ for f in functions]


# -- what is inlined --------------------------------------------------------------------------------------------------


def test_the_functions_that_a_function_calls_come_before_it() -> None:
    found = functions_in(decision.opening)
    assert found[-1] is decision.opening
    assert {decision.buying_power_room, decision.cut, decision.whole_steps, money.slipped, grid.lots_of, grid.quantity_of} <= set(found)
    for position, function in enumerate(found):
        assert all(found.index(inner) < position for inner in functions_in(function)[:-1])


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (MaxExposure.decision, ["leg_value", "gross_use", "net_reach", "group_room", "gross_room", "decision"]),
        (MaxLeverage.decision, ["group_room", "decision"]),
        (FixedQuantity.decision, ["decision"]),
        (grid.round_away, ["ticks_below", "round_away"]),
    ],
    ids=["exposure", "leverage", "fixed", "rounding"],
)
def test_the_functions_of_a_decision(function: Any, expected: list[str]) -> None:
    assert sorted(named(functions_in(function))) == sorted(expected)
    assert {leg_value, group_room} <= set(functions_in(MaxExposure.decision))  # type: ignore[arg-type]


def test_the_kernel_inlines_everything_that_moves_money() -> None:
    files = {Path(f.__code__.co_filename).stem for f in functions_in(compiled._plain(kernel.run))}
    assert {"kernel", "kernel_bar", "kernel_calm", "kernel_orders", "decision", "fills", "grid", "money"} <= files
    assert {kernel_bar.mark, kernel_orders.book} <= set(functions_in(compiled._plain(kernel.run)))


# -- the folder -------------------------------------------------------------------------------------------------------


def test_the_folder_changes_with_a_function_that_is_called(sources: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders = []
    for divisor in (2, 2, 4):
        write(sources, divisor)
        folders.append(cache_folder.__wrapped__(load(sources, monkeypatch).decide))
    assert folders[0] == folders[1] != folders[2]


def test_the_folder_changes_with_a_comment_in_a_source(sources: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = cache_folder.__wrapped__(load(sources, monkeypatch).decide)
    (sources / "made_outer.py").write_text(OUTER + "# a reason\n")
    assert cache_folder.__wrapped__(load(sources, monkeypatch).decide) != before


def test_the_folder_changes_with_the_sources_of_the_constants_that_are_inlined(monkeypatch: pytest.MonkeyPatch) -> None:
    # OPENED, LAPSED, DAY ... are frozen into the machine code
    read: list[Path] = []
    given = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda self: read.append(self) or given(self))
    cache_folder.__wrapped__(compiled._plain(kernel.run))
    cache_folder.__wrapped__(MaxExposure.decision)
    assert {"kernel.py", "decision.py", "_exposure.py", "records.py", "interval.py"} <= {path.name for path in read}


def test_the_folder_changes_with_a_constant_from_beside_the_function(monkeypatch: pytest.MonkeyPatch) -> None:
    before = cache_folder.__wrapped__(MaxExposure.decision)
    monkeypatch.setitem(group_room.__globals__, "TOLERANCE", 1e-8)
    assert cache_folder.__wrapped__(MaxExposure.decision) != before


def test_the_folder_changes_with_a_constant_from_another_room(monkeypatch: pytest.MonkeyPatch) -> None:
    before = [cache_folder.__wrapped__(part.decision) for part in (MaxExposure, FixedQuantity)]
    monkeypatch.setattr("workbench.risk._room.TOLERANCE", 1e-6)
    after = [cache_folder.__wrapped__(part.decision) for part in (MaxExposure, FixedQuantity)]
    assert before[0] != after[0]
    assert before[1] == after[1]


def test_the_folder_lies_where_it_is_told_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORKBENCH_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder.__wrapped__(grid.lots_of).parent == tmp_path / "xdg" / "workbench"
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path / "own"))
    assert cache_folder.__wrapped__(grid.lots_of).parent == tmp_path / "own"


def test_an_edit_in_another_file_is_seen_by_the_next_process(sources: Path) -> None:
    environment = os.environ | {"WORKBENCH_CACHE": str(sources / "cache"), "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
    printed = []
    for divisor in (2, 4):
        write(sources, divisor)
        done = subprocess.run(
            [sys.executable, "-c", ANSWER, str(sources)], capture_output=True, text=True, timeout=120, check=False, env=environment
        )
        assert done.returncode == 0, done.stderr
        printed.append(done.stdout.split())
    assert [line[:2] for line in printed] == [["105.0", "105.0"], ["102.5", "102.5"]]
    assert sorted(path.name for path in (sources / "cache").iterdir()) == sorted({line[2] for line in printed})


# -- compiled ---------------------------------------------------------------------------------------------------------


def test_a_decision_is_compiled_once() -> None:
    assert compiled_decision(FixedQuantity.decision, "size") is compiled_decision(FixedQuantity.decision, "size")
    assert compiled_decision(RiskPercent.decision, "size") is not compiled_decision(FixedQuantity.decision, "size")


def test_numbas_own_folder_is_left_as_it_was() -> None:
    from numba import config

    kept = config.CACHE_DIR
    with compiled._cached_in(Path("elsewhere")):
        assert config.CACHE_DIR == "elsewhere"
    assert kept == config.CACHE_DIR
    with pytest.raises(ZeroDivisionError), compiled._cached_in(Path("elsewhere")):
        raise ZeroDivisionError
    assert kept == config.CACHE_DIR


def test_what_is_compiled_already_is_taken_as_it_is() -> None:
    import numba

    mine = numba.njit(lambda p: p[0])
    assert compiled_decision(mine, "size") is mine


def test_the_first_compile_is_announced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(compiled, "cache_folder", lambda function: tmp_path)
    monkeypatch.setattr(compiled, "_compile", lambda *_: "kernel")
    assert compiled.compiled_kernel.__wrapped__() == "kernel"
    assert "compiling the research kernel, once" in capsys.readouterr().err
    (tmp_path / "compiled.run_at-1.py311.nbc").write_text("")
    compiled.compiled_kernel.__wrapped__()
    assert capsys.readouterr().err == ""

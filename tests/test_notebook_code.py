"""Scripts run as `__main__`, and the names that a definition uses."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from workbench.component import Component
from workbench.notebook_code import used_names
from workbench.notebook_source import capture

pytest_plugins = ("notebook_kernel",)

Run = Callable[..., str]

SCRIPT = """
from __future__ import annotations
import math
from workbench.component import Component
from workbench.notebook_source import capture

{extra}
def root(x: float) -> float:
    return math.sqrt(x)

class Root(Component):
    n: float = 9.0
    def go(self):
        return root(self.n){use}

if __name__ == "__main__":
    try:
        {act}
        print(capture([Root]), end="")
    except ValueError as error:
        print(type(error).__name__, error)
"""


@pytest.fixture
def run_script(tmp_path: Path, environment: dict[str, str]) -> Run:
    """Return a function that runs the script as `__main__`, with parts put in, and gives what it printed."""

    def run(**parts: str) -> str:
        script = tmp_path / "script.py"
        script.write_text(SCRIPT.format(**{"extra": "", "use": "", "act": "pass"} | parts))
        done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=60, env=environment, check=True)
        return done.stdout

    return run


def test_a_script_run_as_main(run_script: Run, fresh: Run) -> None:
    parts = run_script()
    assert "capture" not in parts.partition("__workbench_parts__")[2]
    assert fresh(parts, "Root().go(), Root().n") == "3.0 9.0"


def test_a_script_names_its_variable(run_script: Run) -> None:
    said = run_script(extra="OFFSET = 3", use=" + OFFSET")
    assert said.strip() == "StrategyError Root uses the script's variable 'OFFSET'; make it a parameter of the class"


def test_a_script_edited_after_it_ran_is_refused(run_script: Run) -> None:
    act = "from pathlib import Path; file = Path(__file__); file.write_text(file.read_text().replace('(self.n)', '(self.n * 2)'))"
    assert "the file of 'Root' was edited after it ran" in run_script(act=act)


class Importable(Component):
    n: int = 1


def test_classes_that_can_be_imported_are_left_out() -> None:
    assert capture([]) == ""
    assert capture([Importable, Component]) == ""


def test_used_names_leave_the_variables_of_comprehensions_out() -> None:
    source = "@decorate([a for a in first])\ndef f(x=[b for b in second if third], y={c: d for c, d in fourth}): return [e for e in fifth]"
    names = used_names(ast.parse(source).body[0])  # type: ignore[arg-type]
    assert names.early == {"decorate", "first", "second", "third", "fourth"}
    assert names.late == {"fifth"}


def test_used_names_by_when_they_are_used() -> None:
    source = """
@decorate
class A(Base):
    x: Mark = default
    y = [inner for inner in listed if limit]
    def go(self, a: 'Text' = early, *b: Literal['no']) -> Out:
        c: Local = np.linalg.norm(a)
        def nested(): return deep + a
        return super().go(), A, nested, [late for _ in b]
"""
    names = used_names(ast.parse(source).body[0])  # type: ignore[arg-type]
    assert names.early == {"decorate", "Base", "default", "listed", "limit", "early"}
    assert names.late == {"np", "deep", "late", "super"}
    assert names.annotations == {"Mark", "Text", "Literal", "Out", "Local"}
    assert {"np.linalg.norm", "np.linalg"} <= names.chains

"""A copy of the project in which one rule at a time is taken out; the working tree is only read."""

from __future__ import annotations

import compileall
import contextlib
import multiprocessing
import os
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from py_compile import PycInvalidationMode
from typing import Literal

from .rules import Mutation

__all__ = ["ROOT", "Bench", "Outcome", "plain"]

ROOT = Path(__file__).resolve().parents[2]
#: What is copied: the tests find the package beside themselves (pyproject.toml's `pythonpath`), so they run against the copy.
COPIED = ("workbench", "tests", "pyproject.toml")
#: Seconds: a loop without its rule may never end.
PATIENCE = 300.0
QUIET = ("-x", "-q", "--no-header", "--tb=line", "--assert=plain", "--timeout=0", "-pno:cacheprovider", "-pno:xdist", "-pno:nbval")
#: Libraries that no mutation touches: loaded once, in the process from which the one of each mutation is forked.
LOADED = ("pandas", "pytest", "hypothesis", "scipy.stats", "sqlalchemy", "IPython")
FORKS = multiprocessing.get_context("forkserver")

Outcome = Literal["killed", "time-out", "SURVIVED", "BROKEN"]


def plain(cache: Path) -> None:
    """Set what all processes inherit; the plain kernel stands for both, to compile one for each mutation takes longer than all the rest."""
    os.environ |= {name: str(cache) for name in ("WORKBENCH_CACHE", "NUMBA_CACHE_DIR")}
    os.environ |= {"NUMBA_DISABLE_JIT": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    FORKS.set_forkserver_preload(list(LOADED))


class Bench:
    """One copy of the project, for one mutation after the other."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._said = folder / "said.txt"
        for name in COPIED:
            source, copy = ROOT / name, folder / name
            if source.is_dir():
                shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, copy)
        # by content, not by time: a mutation of the same length within the same second would not be seen
        compileall.compile_dir(folder, quiet=1, invalidation_mode=PycInvalidationMode.CHECKED_HASH)

    def tests(self, names: Iterable[str], patience: float = PATIENCE) -> tuple[int | None, str]:
        """Run tests against the copy as it stands; return pytest's code, None where the time was up, and what it said."""
        process = FORKS.Process(target=_run, args=(self.folder, self._said, tuple(names)))
        process.start()
        process.join(patience)
        if process.is_alive():
            process.kill()
            process.join()
            return None, ""
        return process.exitcode, self._said.read_text(encoding="utf-8")

    def outcome(self, mutation: Mutation) -> tuple[Outcome, str]:
        """Return what became of a mutation, and the test that failed; broken: no test did, they could not even be collected."""
        path = self.folder / mutation.file
        whole = path.read_text(encoding="utf-8")
        path.write_text(whole.replace(mutation.old, mutation.new), encoding="utf-8")
        try:
            code, said = self.tests(mutation.tests)
        finally:
            path.write_text(whole, encoding="utf-8")
        if code is None:
            return "time-out", ""
        if code == 0:
            return "SURVIVED", ""
        failed = [line.split(" ")[1] for line in said.splitlines() if line.startswith("FAILED ")]
        return ("killed", failed[0].removeprefix("tests/")) if failed else ("BROKEN", said[-2000:])


def _run(folder: Path, said: Path, names: tuple[str, ...]) -> None:
    """Run tests in a process of their own, as `python -m pytest` would in that folder."""
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    import pytest

    import workbench

    assert Path(workbench.__file__).is_relative_to(folder), workbench.__file__
    with said.open("w", encoding="utf-8") as out, contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        code = pytest.main([*QUIET, *(f"tests/{name}" for name in names)])
    sys.exit(int(code))

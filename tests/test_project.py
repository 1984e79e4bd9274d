"""The project's own files: locks, environments, sizes of the house, and what no file may say."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCKS = sorted((ROOT / "requirements").glob("py3*.txt"))
MOST_LINES, LONGEST_FUNCTION = 400, 50

# What conda's channel calls otherwise.
CONDA_NAMES = {"arch-py": "arch"}


def parsed(lines: list[str]) -> dict[str, Requirement]:
    found = [Requirement(line) for line in lines]
    return {str(canonicalize_name(one.name)): one for one in found}


CORE = parsed(PROJECT["dependencies"])


def test_what_runs_execute_is_installed_with_the_package() -> None:
    whole = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (folder, patterns), *_ = whole["tool"]["setuptools"]["data-files"].items()
    shipped = {path.name for pattern in patterns for path in ROOT.glob(pattern)}
    assert folder == "share/workbench/notebooks"  # where notebook_path looks
    assert {"live.ipynb", "retrain.ipynb", "panel.ipynb"} <= shipped


# -- the environments -------------------------------------------------------------------------------------------


def conda_dependencies() -> dict[str, Requirement]:
    entries = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    plain = [entry for entry in entries if isinstance(entry, str)]
    by_pip = [name for entry in entries if isinstance(entry, dict) for name in entry["pip"]]
    named = parsed(plain + by_pip)
    return {CONDA_NAMES.get(name, name): one for name, one in named.items() if name != "pip"}


def test_conda_users_get_the_same_packages() -> None:
    assert set(conda_dependencies()) - {"python"} == set(CORE)


@pytest.mark.parametrize("name", CORE)
def test_conda_users_get_the_same_bounds(name: str) -> None:
    assert conda_dependencies()[name].specifier == CORE[name].specifier


def test_conda_users_get_the_same_pythons() -> None:
    assert conda_dependencies()["python"].specifier == SpecifierSet(PROJECT["requires-python"])


def pins(lock: Path) -> dict[str, str]:
    lines = [line for line in lock.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return {str(canonicalize_name(name)): version for name, _, version in (line.partition("==") for line in lines)}


def test_there_is_a_lock_for_every_python() -> None:
    assert [lock.stem for lock in LOCKS] == ["py311", "py312", "py313"]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_a_lock_is_name_equals_version(lock: Path) -> None:
    lines = [line for line in lock.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", line)] == []


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_a_lock_fits_the_project(lock: Path) -> None:
    wanted = CORE | parsed(PROJECT["optional-dependencies"]["test"] + PROJECT["optional-dependencies"]["bench"])
    locked = pins(lock)
    assert [str(one) for name, one in wanted.items() if locked.get(name, "") not in one.specifier] == []


def test_vectorbt_comes_with_its_rust_engine() -> None:
    assert all(pins(lock)["vectorbt-rust"] == pins(lock)["vectorbt"] for lock in LOCKS)


def test_websockets_still_has_what_python_binance_imports() -> None:
    code = "import websockets\nfrom binance.ws.websocket_api import WebSocketClientProtocol\nassert websockets.protocol.State.CLOSED"
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr


def test_the_version_is_said_once() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert "## [Unreleased]" in changelog or f"## [{PROJECT['version']}]" in changelog


@pytest.mark.parametrize("target", ["demo", "test", "lab", "check", "test-all", "bench", "lock", "clean"])
def test_make_help_lists_the_target(target: str) -> None:
    listed = subprocess.run(["make", "--no-print-directory", "help"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert f"make {target} " in listed.stdout


def test_ci_runs_the_checks_the_tests_and_the_slow_sets() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    lines = script.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.startswith("make ")] == ["make check", "make test", "make test-all"]


# -- the house --------------------------------------------------------------------------------------------------

Function = ast.FunctionDef | ast.AsyncFunctionDef
SOURCES = {path: path.read_text(encoding="utf-8") for room in ("workbench", "tests") for path in sorted((ROOT / room).rglob("*.py"))}
TREES = {path: ast.parse(text) for path, text in SOURCES.items()}


def where(path: Path, node: Any) -> str:
    return f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"


def functions(tree: ast.AST) -> Iterator[Function]:
    yield from (node for node in ast.walk(tree) if isinstance(node, Function))


def body_lines(node: Function) -> int:
    """Count the lines of a function without its docstring."""
    doc = node.body[0] if ast.get_docstring(node) is not None else None
    said = (doc.end_lineno or 0) - doc.lineno + 1 if doc else 0
    return (node.end_lineno or 0) - node.lineno + 1 - said


def test_no_file_is_long() -> None:
    assert [f"{path.relative_to(ROOT)}: {text.count(chr(10))}" for path, text in SOURCES.items() if text.count("\n") > MOST_LINES] == []


def test_no_function_is_long() -> None:
    measured = [(body_lines(node), where(path, node)) for path, tree in TREES.items() for node in functions(tree)]
    assert [f"{name}: {lines} lines" for lines, name in measured if lines > LONGEST_FUNCTION] == []


def needs_docstring(node: Any) -> bool:
    decorators = [ast.unparse(one) for one in getattr(node, "decorator_list", [])]
    again = any(name.split(".")[-1] in ("overload", "override", "setter", "deleter") for name in decorators)
    return not node.name.startswith("_") and not again


def public(tree: ast.AST) -> Iterator[Any]:
    """Yield public classes and functions, and the public methods of public classes."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, (ast.If, ast.Try)):
            yield from public(node)
        if isinstance(node, Function | ast.ClassDef) and needs_docstring(node):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from public(node)


def package_trees() -> list[tuple[Path, ast.Module]]:
    return [(path, tree) for path, tree in TREES.items() if path.is_relative_to(ROOT / "workbench")]


def test_every_public_name_is_documented() -> None:
    bare = [where(path, node) for path, tree in package_trees() for node in public(tree) if not ast.get_docstring(node)]
    assert not bare, "\n".join(bare)


def test_every_module_is_documented() -> None:
    assert [str(path.relative_to(ROOT)) for path, tree in package_trees() if not ast.get_docstring(tree)] == []


def untyped(node: Function) -> list[str]:
    spec = node.args
    named = [*spec.posonlyargs, *spec.args, *spec.kwonlyargs, *filter(None, (spec.vararg, spec.kwarg))]
    return [arg.arg for arg in named if arg.annotation is None and arg.arg not in ("self", "cls")]


def test_every_argument_is_typed() -> None:
    bare = [f"{where(path, node)}: {untyped(node)}" for path, tree in package_trees() for node in functions(tree) if untyped(node)]
    assert not bare, "\n".join(bare)


# -- what no file may say ---------------------------------------------------------------------------------------

# Written in pieces, so that this file does not say them either.
HOSTS = ("py" + "pi.org", "python" + "hosted.org", "ana" + "conda.org", "npm" + "js.org", "debian" + ".org")
ROOT_HOME, MACHINE, INSTALLED = "/ro" + "ot", "/wo" + "rk", "/tmp/" + "inst"
PLACES = (ROOT_HOME, MACHINE, INSTALLED, "/opt/" + "pypi", "/opt/" + "wheels")
WORDS = [re.escape(host) for host in HOSTS] + [rf"(?<![\w.~}}*-]){place}(?![\w.-])" for place in PLACES]
FORBIDDEN = re.compile("|".join(WORDS).encode())


def project_files() -> list[Path]:
    """Return the files that git has or would take."""
    asked = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(asked, cwd=ROOT, capture_output=True, timeout=60, check=True).stdout
    return [ROOT / name.decode() for name in listed.split(b"\0") if name and (ROOT / name.decode()).is_file()]


def test_no_file_names_a_package_index_or_a_place_of_one_machine() -> None:
    said = [(path, match) for path in project_files() for match in FORBIDDEN.findall(path.read_bytes())]
    assert not said, "\n".join(f"{path.relative_to(ROOT)}: {match.decode()}" for path, match in said)


@pytest.mark.parametrize("text", [f"https://{HOSTS[0]}/simple", f"{ROOT_HOME}/.bashrc", f"cd {MACHINE}/main", f"in {INSTALLED}/v311"])
def test_a_forbidden_word_is_seen(text: str) -> None:
    assert FORBIDDEN.search(text.encode())


@pytest.mark.parametrize("text", ["the root of the tree", "research/work/notes", "~/root/x", "/workbench/runs", "framework/ports"])
def test_a_harmless_word_is_not_seen(text: str) -> None:
    assert not FORBIDDEN.search(text.encode())


def always_skips(node: ast.AST) -> bool:
    """Whether a node skips a test, or expects it to fail, whatever happens."""
    if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("mark.skipif"):
        return bool(node.args) and isinstance(node.args[0], ast.Constant)
    return isinstance(node, ast.Attribute) and ast.unparse(node) in ("pytest.mark.skip", "pytest.mark.xfail", "unittest.skip")


def bare_skips(node: ast.AST) -> Iterator[ast.AST]:
    """Yield calls of `pytest.skip` that stand under no condition."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If | ast.Try | ast.ExceptHandler | ast.IfExp | ast.BoolOp):
            continue
        if isinstance(child, ast.Call) and ast.unparse(child.func) in ("pytest.skip", "pytest.importorskip", "pytest.xfail"):
            yield child
        yield from bare_skips(child)


def test_no_test_is_always_skipped() -> None:
    trees = [(path, tree) for path, tree in TREES.items() if path.is_relative_to(ROOT / "tests")]
    found = [(path, node) for path, tree in trees for node in [*filter(always_skips, ast.walk(tree)), *bare_skips(tree)]]
    assert not found, "\n".join(f"{path.relative_to(ROOT)}:{node.lineno}" for path, node in found)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "code", ["@pytest.mark.skip\ndef test(): ...", "@pytest.mark.skipif(True)\ndef test(): ...", "def test():\n    pytest.skip('later')"]
)
def test_a_skip_without_a_condition_is_seen(code: str) -> None:
    tree = ast.parse(code)
    assert [*filter(always_skips, ast.walk(tree)), *bare_skips(tree)]

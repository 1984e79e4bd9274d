"""The tables of `make mutations` do not rot: each rule stands where they say, once, and its tests exist."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest
from mutation.bench import ROOT, Bench
from mutation.rules import Mutation
from mutation.tables import GROUPS

MUTATIONS = [one for group in GROUPS.values() for one in group]
#: Whose rules the tables hold, one by one.
RULED = (
    "risk/_[a-z]*.py",
    "risk/gate.py",
    "sizing/_[a-z]*.py",
    "decision.py",
    "past.py",
    "preview.py",
    "session/resizing.py",
    "session/checking.py",
    "execution/_[a-z]*.py",
    "execution/fills.py",
    "execution/liquidity.py",
    "execution/orders.py",
    "execution/paper.py",
)


@cache
def text_of(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


@cache
def names_in(name: str) -> set[str]:
    """Return the tests of a file."""
    return {node.name for node in ast.parse(text_of(f"tests/{name}")).body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("group", GROUPS)
def test_what_is_taken_out_stands_there_once(group: str) -> None:
    wrong = [f"{one.file}: {one.rule}" for one in GROUPS[group] if text_of(one.file).count(one.old) != 1 or one.old == one.new]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("group", GROUPS)
def test_what_is_left_is_python(group: str) -> None:
    for one in GROUPS[group]:
        ast.parse(text_of(one.file).replace(one.old, one.new), one.rule)


def test_the_tests_that_guard_a_rule_exist() -> None:
    named = {name for one in MUTATIONS for name in one.tests}
    missing = [name for name in named if "::" in name and name.split("::")[1] not in names_in(name.split("::")[0])]
    assert named
    assert not missing + [name for name in named if not (ROOT / "tests" / name.split("::")[0]).is_file()]


def test_a_rule_is_named_once_in_its_file() -> None:
    names = [(one.file, one.rule) for one in MUTATIONS]
    assert len(names) == len(set(names))


def test_every_file_of_rules_has_some() -> None:
    package = ROOT / "workbench"
    files = {str(path.relative_to(ROOT)) for pattern in RULED for path in package.glob(pattern)}
    assert files - {one.file for one in MUTATIONS} == set()


def test_a_mutation_that_no_test_notices_survives(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    rule = ("a quantity is positive", "workbench/sizing/_fixed.py", 'if not 0 < self.quantity < float("inf"):', "if False:")
    assert bench.outcome(Mutation(*rule, ("test_errors.py",)))[0] == "SURVIVED"
    outcome, test = bench.outcome(Mutation(*rule, ("test_sizing.py::test_a_wrong_size_gets_a_sentence",)))
    assert (outcome, test.split("[")[0]) == ("killed", "test_sizing.py::test_a_wrong_size_gets_a_sentence")
    assert (tmp_path / rule[1]).read_text(encoding="utf-8") == text_of(rule[1])

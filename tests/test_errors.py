"""The tree of errors, and the hint for misspelt names."""

from __future__ import annotations

import builtins
import inspect

import pytest

from workbench import errors
from workbench.errors import did_you_mean

CLASSES = [getattr(errors, name) for name in errors.__all__ if inspect.isclass(getattr(errors, name))]


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_every_error_is_a_workbench_error(cls: type[Exception]) -> None:
    assert issubclass(cls, errors.WorkbenchError)
    with pytest.raises(errors.WorkbenchError, match="why"):
        raise cls("why")


@pytest.mark.parametrize(
    ("name", "usual"),
    [
        ("ParameterError", ["ValueError", "TypeError"]),
        ("DataError", ["ValueError"]),
        ("StrategyError", ["ValueError"]),
        ("OrderError", ["ValueError"]),
        ("CausalityError", []),
        ("RunError", []),
    ],
)
def test_an_error_is_caught_as_the_usual_one_too(name: str, usual: list[str]) -> None:
    cls = getattr(errors, name)
    found = [base for base in ("ValueError", "TypeError", "KeyError", "RuntimeError") if issubclass(cls, getattr(builtins, base))]
    assert found == usual


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_the_tree_in_the_docstring_names_every_error(cls: type) -> None:
    assert cls.__name__ in (errors.__doc__ or "")
    assert cls.__doc__


def test_every_error_of_the_module_is_public() -> None:
    defined = {name for name, value in vars(errors).items() if inspect.isclass(value) and issubclass(value, Exception)}
    assert defined <= set(errors.__all__)


@pytest.mark.parametrize(
    ("name", "known", "said"),
    [
        ("fsat", ["fast", "slow"], "; did you mean 'fast'?"),
        ("FAST", ["fast", "slow"], "; did you mean 'fast'?"),
        ("currencie", ["Currency", "region"], "; did you mean 'Currency'?"),
        ("zebra", ["slow", "fast"], "; known: fast, slow"),
        ("zebra", [], ""),
        ("", ["fast"], "; known: fast"),
    ],
    ids=["near", "capitals", "keeps the spelling", "nothing near", "nothing known", "empty"],
)
def test_did_you_mean(name: str, known: list[str], said: str) -> None:
    assert did_you_mean(name, known) == said
    assert did_you_mean(name, (one for one in known)) == said


def test_did_you_mean_keeps_to_the_capitals_that_were_written() -> None:
    assert did_you_mean("backtst", ["Backtest", "backtest"]) == "; did you mean 'backtest'?"
    assert did_you_mean("Backtst", ["Backtest", "backtest"]) == "; did you mean 'Backtest'?"

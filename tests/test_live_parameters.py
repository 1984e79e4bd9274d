"""What a run is told: checked before papermill is so much as imported, and once more inside the kernel."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from workbench.errors import RunError, WorkbenchError
from workbench.live import RunParameters, validated
from workbench.live.notebook import execute, notebook_path
from workbench.live.run import prepare

Given = dict[str, Any]
UNKNOWN = "the run was not started: unknown parameter "
WRONG = [
    ({"cahs": 5.0}, UNKNOWN + "'cahs'; did you mean 'cash'?"),
    ({"symbol": ["EURUSD"]}, UNKNOWN + "'symbol'; did you mean 'symbols'?"),
    ({"Mode": "replay"}, UNKNOWN + "'Mode'; did you mean 'mode'?"),
    (
        {"password": "x"},
        UNKNOWN + "'password'; known: account, cash, costs, currency, folder, interval, manifest, mode, once, rates, "
        "run, store, strategy, symbols, venue",
    ),
    ({"cash": "much"}, "parameter 'cash': input should be a valid number, got 'much'"),
    ({"cash": -1.0}, "parameter 'cash': input should be greater than 0, got -1.0"),
    ({"cash": float("nan")}, "parameter 'cash': input should be a finite number, got nan"),
    ({"cash": True}, "parameter 'cash': input should be a valid number, got True"),
    ({"symbols": "EURUSD"}, "parameter 'symbols': input should be a valid list, got 'EURUSD'"),
    ({"symbols": []}, "parameter 'symbols': list should have at least 1 item after validation, not 0, got []"),
    ({"symbols": ["EURUSD", 7]}, "parameter 'symbols.1': input should be a valid string, got 7"),
    ({"interval": 60}, "parameter 'interval': input should be a valid string, got 60"),
    ({"mode": "live"}, "parameter 'mode': input should be 'replay' or 'paper', got 'live'"),
    ({"costs": {"commission": "low"}}, "parameter 'costs': Costs.commission must be float | None, got 'low' (str)"),
    ({"costs": {"comission": 0.001}}, "did you mean 'commission'?"),
    ({"costs": {"fee_in": "coins"}}, "fee_in is 'quote' or 'base'"),
    ({"strategy": "nowhere"}, "parameter 'strategy': no folder 'nowhere'"),
    ({"store": "nowhere"}, "parameter 'store': no folder 'nowhere'"),
]


@pytest.fixture
def given(tmp_path: Path) -> Given:
    """Return parameters that are right, on two empty folders."""
    for name in ("strategy", "store"):
        (tmp_path / name).mkdir()
    return {"strategy": str(tmp_path / "strategy"), "store": str(tmp_path / "store"), "symbols": ["EURUSD"], "interval": "1h"}


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(RunError) as caught:
        call()
    return str(caught.value)


def test_right_parameters_pass(given: Given) -> None:
    checked = validated(given | {"cash": 5_000, "currency": "USD", "costs": {"commission": 0.001}, "rates": {"EURUSD": 1.1}})
    assert (checked.cash, checked.mode, checked.costs) == (5_000.0, "replay", {"commission": 0.001})


def test_what_is_not_given_has_its_default(given: Given) -> None:
    rest = validated(given).model_dump(exclude=set(given))
    of_a_paper_run = {"run": None, "account": None, "folder": None, "venue": None, "once": False}
    assert rest == {"manifest": None, "mode": "replay", "cash": 100_000.0, "currency": None, "costs": None, "rates": None} | of_a_paper_run


def test_checked_parameters_do_not_change(given: Given) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        validated(given).cash = 1.0  # type: ignore[misc]


@pytest.mark.parametrize(("change", "said"), WRONG, ids=lambda value: str(value) if isinstance(value, dict) else "")
def test_a_wrong_parameter_gets_a_sentence(given: Given, change: Given, said: str) -> None:
    sentence = refusal(lambda: validated(given | change))
    assert said in sentence
    assert sentence.startswith("the run was not started: ")
    assert "\n" not in sentence


@pytest.mark.parametrize("name", ["strategy", "store", "symbols", "interval"])
def test_a_missing_parameter_is_named(given: Given, name: str) -> None:
    del given[name]
    assert refusal(lambda: validated(given)).startswith(f"the run was not started: parameter {name!r} is missing")


@pytest.mark.parametrize("name", ["account", "folder", "venue"])
def test_a_paper_run_needs_more(given: Given, name: str) -> None:
    paper = given | {"mode": "paper", "account": "a", "folder": given["store"], "venue": "venue.json"}
    assert validated(paper).mode == "paper"
    del paper[name]
    assert refusal(lambda: validated(paper)) == f"the run was not started: parameter {name!r} is missing, a paper run needs it"


def test_all_faults_are_told_at_once(given: Given) -> None:
    sentence = refusal(lambda: validated(given | {"intervall": "1h", "cash": 0.0, "store": "nowhere"}))
    assert all(part in sentence for part in ("'intervall'; did you mean 'interval'?", "'cash'", "'store'"))
    assert sentence.count("; ") >= 2


@pytest.mark.parametrize("door", [lambda p: prepare(**p), lambda p: execute(p, Path("out.ipynb"))], ids=["prepare", "execute"])
def test_both_doors_check(given: Given, door: Callable[[Given], object], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert "did you mean 'cash'?" in refusal(lambda: door(given | {"cahs": 1.0}))
    assert not Path("out.ipynb").exists()


FRESH = """
import sys
from pathlib import Path
from workbench.errors import RunError
from workbench.live.notebook import execute
try:
    execute({"strategy": ".", "store": ".", "symbols": ["A"], "interval": "1h", "cahs": 1.0}, Path("run/out.ipynb"))
except RunError as error:
    print(error)
print([name for name in ("papermill", "nbclient", "jupyter_client") if name in sys.modules])
"""


def test_papermill_is_not_even_imported_for_a_typo(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", FRESH], capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["the run was not started: unknown parameter 'cahs'; did you mean 'cash'?", "[]"]
    assert list(tmp_path.iterdir()) == []


def test_the_notebook_lies_in_the_checkout() -> None:
    assert notebook_path("live.ipynb").is_file()


def test_a_notebook_that_is_not_there_gets_a_sentence() -> None:
    with pytest.raises(WorkbenchError, match=r"the notebook lvie\.ipynb is not installed; looked in .* and "):
        notebook_path("lvie.ipynb")


def test_the_fields_are_documented() -> None:
    documented = str(RunParameters.__doc__)
    assert all(f"\n    {name} : " in documented or f"{name} :" in documented for name in RunParameters.model_fields)

"""The notebooks as they lie in the repository: titled, short cells, nothing executed, nothing of one machine.

nbval runs them (`make test`), papermill the live one (test_live_notebook.py), a browser some of them (test_lab_slow.py).
"""

from __future__ import annotations

import ast
import inspect
import json
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest

from workbench.live import RunParameters
from workbench.live.run import prepare

FOLDER = Path(__file__).resolve().parents[1] / "notebooks"
PATHS = sorted(FOLDER.glob("*.ipynb"))
LINES = 20  # of a code cell
WIDTH = 120  # what a cell of JupyterLab shows without scrolling
ABSOLUTE = re.compile(r"""["'(\s](?:/(?:home|tmp|usr|opt|root|var|mnt|work|Users)\b|[A-Z]:\\)""")


def cells(path: Path, kind: str) -> list[Any]:
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == kind]


def sources(path: Path, kind: str = "code") -> list[str]:
    return [cell.source for cell in cells(path, kind)]


each = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
each_chapter = pytest.mark.parametrize("path", sorted(FOLDER.glob("0*.ipynb")), ids=lambda path: path.stem)


def test_the_road_is_there() -> None:
    assert {"01_data", "02_research", "04_validate", "live"} <= {path.stem for path in PATHS}


@each
def test_it_is_a_valid_notebook(path: Path) -> None:
    nbformat.validate(nbformat.read(path, as_version=4))
    raw = path.read_text(encoding="utf-8")
    assert json.dumps(json.loads(raw), indent=1, ensure_ascii=False).strip() == raw.strip()


@each
def test_it_starts_with_one_title_and_says_what_it_is_about(path: Path) -> None:
    first = nbformat.read(path, as_version=4).cells[0]
    title, _, rest = first.source.partition("\n")
    assert first.cell_type == "markdown"
    assert re.match(r"# \S", title)
    assert len(rest.strip()) > 40
    assert sum(text.startswith("# ") for text in sources(path, "markdown")) == 1


@each_chapter
def test_a_chapter_has_its_number_and_says_what_one_will_see(path: Path) -> None:
    first = sources(path, "markdown")[0]
    assert first.startswith(f"# {int(path.stem[:2])} · ")
    assert "What you will see:" in first


@each
def test_it_stores_no_outputs(path: Path) -> None:
    assert [cell.id for cell in cells(path, "code") if cell.outputs or cell.execution_count is not None] == []


@each
def test_its_kernel_is_python3(path: Path) -> None:
    metadata = nbformat.read(path, as_version=4).metadata
    assert set(metadata) <= {"kernelspec", "language_info"}
    assert metadata.kernelspec == {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}


@each
def test_its_language_is_told_in_full(path: Path) -> None:
    # else JupyterLab writes in what the kernel says, and the notebook is unsaved as soon as it is open
    assert set(nbformat.read(path, as_version=4).metadata.language_info) == {
        "codemirror_mode", "file_extension", "mimetype", "name", "nbconvert_exporter", "pygments_lexer", "version",
    }  # fmt: skip


@each
def test_its_cells_have_ids_of_their_own(path: Path) -> None:
    names = [cell.id for cell in nbformat.read(path, as_version=4).cells]
    assert len(names) == len(set(names))


@each
def test_its_cells_are_short(path: Path) -> None:
    assert [text for text in sources(path) if len(text.splitlines()) > LINES or not text.strip()] == []


@each
def test_its_lines_fit_into_a_cell(path: Path) -> None:
    assert [line for text in sources(path) for line in text.splitlines() if len(line) > WIDTH] == []


@each
def test_its_code_is_code(path: Path) -> None:
    assert all(ast.parse(text) for text in sources(path))


@each
def test_it_names_no_absolute_path(path: Path) -> None:
    assert ABSOLUTE.findall(path.read_text(encoding="utf-8").replace('\\"', '"')) == []


@pytest.mark.parametrize("text", ['x = "/home/me/bars"', "open('/tmp/x')", r"'C:\bars'"])
def test_an_absolute_path_is_seen(text: str) -> None:
    assert ABSOLUTE.search(text)


@each
def test_no_note_to_oneself_is_left(path: Path) -> None:
    assert not re.search(r"\b(TODO|FIXME|XXX|breakpoint|%debug|%pdb)\b", path.read_text(encoding="utf-8"))


@each_chapter
def test_every_section_is_introduced_in_words(path: Path) -> None:
    headings = [text for text in sources(path, "markdown") if text.startswith("## ")]
    assert len(headings) >= 3
    assert [text for text in headings if "\n" not in text.strip()] == []


@each_chapter
def test_it_draws_something(path: Path) -> None:
    assert re.search(r"plot|figure", "\n".join(sources(path)))


# -- the live notebook --------------------------------------------------------------------------------------------

LIVE = FOLDER / "live.ipynb"


def tagged() -> dict[str, Any]:
    """Return what the cell with the tag `parameters` assigns."""
    (cell,) = [cell for cell in cells(LIVE, "code") if "parameters" in cell.metadata.get("tags", [])]
    assigned = [node for node in ast.parse(cell.source).body if isinstance(node, ast.Assign)]
    assert len(assigned) == len(ast.parse(cell.source).body)
    return {ast.unparse(node.targets[0]): ast.literal_eval(node.value) for node in assigned}


def test_the_parameters_are_those_of_a_run() -> None:
    assert list(tagged()) == list(RunParameters.model_fields)


def test_the_parameters_are_the_first_code() -> None:
    assert "parameters" in cells(LIVE, "code")[0].metadata.tags


def test_the_parameters_are_folded_away() -> None:
    assert cells(LIVE, "code")[0].metadata.jupyter == {"source_hidden": True}


def test_the_defaults_are_those_of_a_run() -> None:
    defaults = {name: one.default for name, one in RunParameters.model_fields.items() if not one.is_required()}
    assert {name: tagged()[name] for name in defaults} == defaults | {"store": "../runs/demo/bars"}


def test_the_defaults_are_of_the_right_types(tmp_path: Path) -> None:
    folders = {"strategy": str(tmp_path), "store": str(tmp_path)}
    assert RunParameters(**(tagged() | folders)).symbols == tagged()["symbols"]


def test_every_parameter_is_handed_to_the_run() -> None:
    calls = [node for text in sources(LIVE) for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    (call,) = [node for node in calls if ast.unparse(node.func) == prepare.__name__]
    assert {word.arg: ast.unparse(word.value) for word in call.keywords} == {name: name for name in RunParameters.model_fields}


def test_the_run_takes_parameters_by_name_only() -> None:
    kinds = {parameter.kind for parameter in inspect.signature(prepare).parameters.values()}
    assert kinds <= {inspect.Parameter.VAR_KEYWORD, inspect.Parameter.KEYWORD_ONLY}


def test_it_reports_equity_orders_and_parity() -> None:
    code = "\n".join(sources(LIVE))
    assert all(word in code for word in ("live.session.portfolio.positions", "result.plot()", "result.explain(", "result.parity()"))

"""JupyterLab in headless Chromium: the notebooks as a person opens them, run from the first cell to the last."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from lab import KERNEL, RUN_ALL, RUNNING, Lab, abroad, lab_over, opened

import workbench as wb
from workbench.live.notebook import execute, notebook_path

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

#: Chapter: how many figures it draws.
CHAPTERS = {"01_data": 2, "02_research": 8, "03_train": 4, "04_validate": 2}


@pytest.fixture(scope="module")
def notebooks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with copies of the chapters, and a live notebook that papermill has executed."""
    folder = tmp_path_factory.mktemp("notebooks")
    for name in CHAPTERS:
        shutil.copy(notebook_path(f"{name}.ipynb"), folder)
    wb.ParquetStore(folder / "bars").save(wb.simulate(bars=2_000, interval="1h", seed=2))
    strategy = wb.Strategy(wb.signals.MovingAverageCross(5, 20), wb.sizing.RiskPercent(0.01), [wb.exits.AtrStop()])
    strategy.save(folder / "strategy")
    given = {"strategy": str(folder / "strategy"), "store": str(folder / "bars"), "symbols": ["SIM"], "interval": "1h"}
    execute(given, folder / "executed.ipynb")
    return folder


@pytest.fixture(scope="module")
def lab(notebooks: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with lab_over(notebooks, tmp_path_factory.mktemp("private"), tmp_path_factory.mktemp("pictures")) as made:
        yield made


@pytest.mark.parametrize("name", [*CHAPTERS, "live"])
def test_a_notebook_opens_as_saved_and_nothing_pops_up(lab: Lab, name: str) -> None:
    book = nbformat.read(notebook_path(f"{name}.ipynb"), as_version=4)
    book.metadata.language_info.version = platform.python_version()  # the one thing of ours that a kernel may know better
    nbformat.write(book, lab.folder / f"saved_{name}.ipynb")
    with opened(lab, f"saved_{name}") as notebook:
        notebook.page.wait_for_timeout(2000)
        assert notebook.page.evaluate("() => window.jupyterapp.shell.currentWidget.context.model.dirty") is False
        assert notebook.page.locator(".Toastify__toast").all_inner_texts() == []


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_runs_and_its_figures_are_drawn(lab: Lab, name: str) -> None:
    with opened(lab, name) as notebook:
        notebook.run_all()
        assert notebook.errors == []
        assert notebook.figures(CHAPTERS[name]) == CHAPTERS[name]
        assert notebook.picture(lab.pictures / f"{name}.png").stat().st_size > 20_000
        assert abroad(notebook) == []
        assert notebook.complaints == []


def test_the_executed_notebook_reads_without_being_run(lab: Lab) -> None:
    with opened(lab, "executed") as notebook:
        assert notebook.figures(1) == 1
        text = notebook.page.locator(".jp-Notebook").inner_text()
        assert "parity: 0 differences in" in text
        assert "PAPER · REPLAY" in text
        assert "2,000 of 2,000" in text
        assert notebook.picture(lab.pictures / "executed.png").stat().st_size > 20_000
        assert (notebook.errors, abroad(notebook)) == ([], [])


def test_the_executed_notebook_runs_again(lab: Lab) -> None:
    with opened(lab, "executed") as notebook:
        notebook.run_all()
        assert notebook.errors == []
        assert notebook.figures(1) == 1
        assert "parity: 0 differences in" in notebook.page.locator(".jp-Notebook").inner_text()
        notebook.picture(lab.pictures / "executed-again.png")


def test_a_cell_that_fails_would_be_seen(lab: Lab) -> None:
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 / 0")], metadata=KERNEL)
    nbformat.write(book, lab.folder / "failing.ipynb")
    with opened(lab, "failing") as notebook:
        notebook.page.evaluate(RUN_ALL)
        notebook.page.wait_for_function("() => window.finished !== undefined", timeout=RUNNING * 1000)
        assert "ZeroDivisionError" in notebook.errors[0]

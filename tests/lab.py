"""JupyterLab over a folder of notebooks, and a real browser that opens them: what the browser tests share."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
TOKEN = "a-test"
STARTUP, OPENING, RUNNING = 90, 60, 180  # seconds
PRIVATE = (
    "JUPYTER_CONFIG_DIR",
    "JUPYTER_DATA_DIR",
    "JUPYTER_RUNTIME_DIR",
    "JUPYTERLAB_WORKSPACES_DIR",
    "JUPYTERLAB_SETTINGS_DIR",
    "IPYTHONDIR",
)
#: What `make lab` sets, and every cell attached even where it is off the screen.
MADE = re.search(r"echo '(\{.*\})'", (ROOT / "Makefile").read_text(encoding="utf-8"))
SETTINGS = json.loads(MADE[1] if MADE else "{}") | {"@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"}}
ERRORS = '[data-mime-type="application/vnd.jupyter.error"], [data-mime-type="application/vnd.jupyter.stderr"]'
#: Without a kernel, running asks which one to select, and waits for an answer: the tab looks idle before it has one.
READY = """() => {
    const context = window.jupyterapp?.shell?.currentWidget?.sessionContext;
    return Boolean(context?.isReady && context.session?.kernel?.status === 'idle');
}"""
RUN_ALL = """() => {
    window.jupyterapp.commands.execute('notebook:run-all-cells').then(
        result => { window.finished = String(result) }, error => { window.finished = String(error) });
}"""
KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
#: The prompts would not do: a cell whose input is folded away has none.
COUNTS = """() => window.jupyterapp.shell.currentWidget.content.widgets
    .filter(cell => cell.model.type === 'code').map(cell => cell.model.executionCount)"""
#: What tells that a figure has been painted: lines with points, not just an empty frame.
MARKS = "path.js-line, .bars path, .points path, .heatmaplayer image"
DRAWN = f"figure => figure.querySelectorAll('svg.main-svg').length > 0 && figure.querySelectorAll('{MARKS}').length > 0"


@dataclass
class Lab:
    """A server over a folder of notebooks, and a browser."""

    address: str
    folder: Path
    browser: Any
    pictures: Path


def settings_in(folder: Path) -> dict[str, str]:
    """Return the environment of a server that knows nothing of the user's own Jupyter."""
    for name in PRIVATE:
        (folder / name).mkdir(parents=True)
    overrides = folder / "JUPYTER_CONFIG_DIR" / "labconfig"
    overrides.mkdir()
    (overrides / "default_setting_overrides.json").write_text(json.dumps(SETTINGS))
    return os.environ | {name: str(folder / name) for name in PRIVATE} | {"PYTHONPATH": str(ROOT)}


def free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return int(door.getsockname()[1])


def answers(address: str, server: subprocess.Popen[bytes]) -> bool:
    """Wait until the server answers; False where it ended or took too long."""
    until = time.monotonic() + STARTUP
    while time.monotonic() < until and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/api?token={TOKEN}", timeout=2):
                return True
        except OSError:
            time.sleep(0.3)
    return False


@contextmanager
def server_over(folder: Path, private: Path) -> Iterator[str]:
    """Run JupyterLab over a folder, and end it with its kernels."""
    port = free_port()
    address, log = f"http://127.0.0.1:{port}", private / "server.log"
    options = ("ServerApp.ip=127.0.0.1", f"ServerApp.port={port}", "ServerApp.port_retries=0", f"IdentityProvider.token={TOKEN}")
    more = (f"ServerApp.root_dir={folder}", "LabApp.extension_manager=readonly", "LabApp.expose_app_in_browser=True")
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", *(f"--{one}" for one in (*options, *more))]
    environment = settings_in(private)
    with log.open("wb") as out, subprocess.Popen(command, env=environment, stdout=out, stderr=out, cwd=folder) as server:
        try:
            assert answers(address, server), log.read_text()[-2000:]
            yield address
        finally:
            server.terminate()
            try:
                server.wait(30)
            except subprocess.TimeoutExpired:
                server.kill()


def chromium() -> str:
    """Return the browser, or skip where there is none."""
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("there is no Chromium")
    return found


@contextmanager
def lab_over(folder: Path, private: Path, pictures: Path) -> Iterator[Lab]:
    """Serve a folder, and start a browser."""
    from playwright.sync_api import sync_playwright

    path = chromium()
    with server_over(folder, private) as address, sync_playwright() as player:
        browser = player.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield Lab(address, folder, browser, pictures)
        browser.close()


@dataclass
class Page:
    """A notebook in a tab, what it asked of other machines, and what the console complained of."""

    page: Any
    abroad: list[str]
    complaints: list[str]

    def run_all(self) -> None:
        """Run all cells with the menu's command, and wait for the last."""
        self.page.evaluate(RUN_ALL)
        self.page.wait_for_function("() => window.finished !== undefined", timeout=RUNNING * 1000)
        assert self.page.evaluate("() => window.finished") == "true"
        counts = self.page.evaluate(COUNTS)
        assert counts == list(range(1, len(counts) + 1))

    @property
    def errors(self) -> list[str]:
        return list(self.page.locator(ERRORS).all_inner_texts())

    def figures(self, count: int) -> int:
        """Scroll to each figure, wait until it is painted, and return how many there are."""
        drawn = self.page.locator(".jp-OutputArea .js-plotly-plot")
        self.page.wait_for_function(f"() => document.querySelectorAll('.jp-OutputArea .js-plotly-plot').length >= {count}")
        for figure in drawn.all():
            figure.scroll_into_view_if_needed()
            assert figure.evaluate(DRAWN)
        return int(drawn.count())

    def picture(self, path: Path) -> Path:
        self.page.screenshot(path=str(path))
        return path


@contextmanager
def opened(lab: Lab, name: str) -> Iterator[Page]:
    """Open a notebook in a context of its own, with a kernel that is ready."""
    context = lab.browser.new_context(viewport={"width": 1280, "height": 1000})
    page = context.new_page()
    page.set_default_timeout(OPENING * 1000)
    shown = Page(page, [], [])
    page.on("request", lambda asked: None if asked.url.startswith((lab.address, "data:", "blob:")) else shown.abroad.append(asked.url))
    page.on("console", lambda said: shown.complaints.append(said.text) if said.type == "error" else None)
    page.goto(f"{lab.address}/lab/workspaces/{name}/tree/{name}.ipynb?token={TOKEN}&reset")
    page.wait_for_selector(".jp-NotebookPanel .jp-Cell")
    page.wait_for_function(READY)
    try:
        yield shown
    finally:
        context.close()


def abroad(page: Page) -> list[str]:
    """Return requests to other machines (those of the web socket stay here)."""
    return [url for url in page.abroad if "127.0.0.1" not in url]

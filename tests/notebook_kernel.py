"""A real kernel, and a fresh process for what it wrote: fixtures of the tests of capture."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.manager import KernelManager

import workbench.component

ROOT = Path(workbench.component.__file__).parents[1]
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "default"}
TIMEOUT = 60  # seconds that a kernel may take to answer

BASE = """
from workbench.component import Component
from workbench.notebook_source import capture
"""


class Kernel:
    """A real kernel: `run` executes a cell and returns what it printed."""

    def __init__(self) -> None:
        self.manager = KernelManager(kernel_name="python3")
        self.manager.start_kernel(env=ENVIRONMENT, cwd=str(ROOT))
        self.client = self.manager.blocking_client()
        self.client.start_channels()

    def wait(self) -> None:
        self.client.wait_for_ready(timeout=TIMEOUT)

    def run(self, cell: str) -> str:
        printed: list[str] = []

        def hear(message: dict[str, Any]) -> None:
            if message["msg_type"] == "stream":
                printed.append(message["content"]["text"])

        reply = self.client.execute_interactive(textwrap.dedent(cell), output_hook=hear, timeout=TIMEOUT)
        content = reply["content"]
        if content["status"] == "error":
            raise AssertionError("\n".join(content["traceback"]))
        return "".join(printed)

    def captured(self, names: str) -> str:
        return str(json.loads(self.run(f"import json; print(json.dumps(capture([{names}])))")))

    def refusal(self, names: str) -> str:
        cell = f"try:\n    capture([{names}])\nexcept Exception as error:\n    print(type(error).__name__ + ': ' + str(error))"
        return self.run(cell).strip()


@pytest.fixture(scope="module")
def process() -> Iterator[Kernel]:
    kernel = Kernel()
    try:
        kernel.wait()
        yield kernel
    finally:
        kernel.client.stop_channels()
        kernel.manager.shutdown_kernel(now=True)


@pytest.fixture
def kernel(process: Kernel) -> Kernel:
    """Return a kernel with an empty namespace."""
    process.run("%reset -f\nimport __future__\nget_ipython().compile.reset_compiler_flags()")
    process.run(BASE)
    return process


@pytest.fixture
def fresh(tmp_path: Path) -> Callable[[str, str], str]:
    """Return a function that writes parts.py, imports it in a fresh process and prints an expression of it."""

    def run(parts: str, expression: str) -> str:
        (tmp_path / "parts.py").write_text(parts)
        code = f"import parts; from parts import *; print({expression})"
        command = [sys.executable, "-W", "error", "-c", code]
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, cwd=tmp_path, env=ENVIRONMENT, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    return run


@pytest.fixture
def environment() -> dict[str, str]:
    """Return the environment of a process that imports this working copy."""
    return ENVIRONMENT

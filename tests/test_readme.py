"""The README: its Python runs word for word, one block after the other, as a reader would type it."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
BLOCKS = re.findall(r"^```python\n(.*?)^```$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def test_every_block_of_python_runs_after_those_before_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "__main__"}
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(io.StringIO()):
        for number, block in enumerate(BLOCKS):
            exec(compile(block, f"README.md, block {number}", "exec"), names)
    assert "MaxExposure: 4 -> 1.5, EUR 600,000 of 750,000 EUR used, room for 1.5" in printed.getvalue()
    assert {"result", "swept", "walked", "sheet", "registry"} <= names.keys()
    assert names["sheet"].sound

"""What every test may use. A test that needs the extra data asks for `shared`, and is skipped where there is none."""

from __future__ import annotations

import os
import random
import socket
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings

settings.register_profile("workbench", derandomize=True, deadline=None, print_blob=True)
settings.load_profile("workbench")

pytest.register_assert_rewrite("laws")

LOOPBACK = ("127.", "::1", "localhost")


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder of the extra data, which the variable WORKBENCH_SHARED names."""
    folder = os.environ.get("WORKBENCH_SHARED", "")
    if not folder or not Path(folder).is_dir():
        pytest.skip("WORKBENCH_SHARED names no folder of extra data")
    return Path(folder)


@pytest.fixture(autouse=True)
def seeded() -> None:
    """Start each test from the same random numbers."""
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002 - for libraries that still use the global state


@pytest.fixture(autouse=True)
def loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse connections to other machines: no test needs one."""
    connect = socket.socket.connect

    def checked(self: socket.socket, address: Any) -> None:
        if isinstance(address, tuple) and not str(address[0]).startswith(LOOPBACK):
            raise AssertionError(f"a test tried to reach {address}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", checked)

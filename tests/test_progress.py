"""A bar where somebody watches, and a line now and then where nobody does."""

from __future__ import annotations

import sys

import pytest

from workbench.research.progress import LOGGED, WATCHED, is_watched, progress_bar


def test_a_log_is_not_flooded(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    assert not is_watched()
    with progress_bar(2000, "search", "backtest") as bar:
        assert bar.mininterval == LOGGED
        for _ in range(2000):
            bar.update()
    lines = [line for line in capsys.readouterr().err.replace("\r", "\n").splitlines() if line]
    assert 1 <= len(lines) <= 3
    assert lines[-1].startswith("search: 100%")


def test_whoever_watches_sees_it_move(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with progress_bar(3, "search", "backtest") as bar:
        assert bar.mininterval == WATCHED


def test_it_can_be_left_away(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar(3, "search", "backtest", shown=False) as bar:
        bar.update(3)
    assert capsys.readouterr().err == ""

"""Bars in the hash chain of a journal: one that was changed, taken out or put in is found, and its entry named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from test_journal_database import BAR, STEP, edited, journal, opened, path, refusal

from workbench.journal import Journal

__all__ = ["journal", "opened", "path"]
Opens = Callable[..., Journal]
ROW = "60, 'ABC', 1.0, 2.0, 0.5, 1.5, 100.0, 61"
INTO = "insert into bars (entry, label, symbol, open, high, low, close, volume, arrived) values"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("update bars set close = 1.5000000000000002", "entry 4 (step 60) is not what was written there"),
        ("update bars set arrived = 62", "entry 4 (step 60) is not what was written there"),
        ("update bars set volume = null", "entry 4 (step 60) is not what was written there"),
        ("update bars set entry = 2", "entry 2 (fill a) is not what was written there"),
        ("delete from bars", "entry 4 (step 60) is not what was written there"),
        (f"{INTO} (4, {ROW})", "entry 4 (step 60) is not what was written there"),
        (f"{INTO} (0, {ROW})", "entry 1 (intent a) is not what was written there"),
        (f"{INTO} (9, {ROW})", "there are bars behind its last entry that nobody wrote there"),
    ],
    ids=["a price", "a time", "a volume", "whose it is", "gone", "one more", "before all", "behind all"],
)
def test_the_chain_finds_a_bar_that_was_changed(path: Path, journal: Journal, opened: Opens, change: str, said: str) -> None:
    journal.commit([STEP], [BAR])
    assert journal.verify() == 4
    edited(path, change)
    assert said in refusal(opened().verify)


def test_bars_belong_to_an_entry(journal: Journal) -> None:
    assert refusal(lambda: journal.commit([], [BAR])) == "bars are written with the entry that they belong to: its hash covers them"
    journal.commit([STEP], [BAR])
    journal.commit([STEP], [BAR._replace(close=9.0)])  # it is there already, and its bars with it
    assert (journal.bars(), journal.verify()) == ([BAR], 4)

"""Files are there whole or not at all."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from workbench.writing import write_whole


@pytest.mark.parametrize(("content", "held"), [("größer\n", "größer\n".encode()), (b"\x00\x01", b"\x00\x01")], ids=["text", "bytes"])
def test_what_is_written_is_what_is_there(content: str | bytes, held: bytes, tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("before")
    write_whole(tmp_path / "kept", content)
    assert (tmp_path / "kept").read_bytes() == held
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


def test_what_is_private_is_its_owner_s(tmp_path: Path) -> None:
    write_whole(tmp_path / "secret", "key", private=True)
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("before")
    (tmp_path / ".kept.new").mkdir()
    with pytest.raises(OSError, match="Is a directory"):
        write_whole(tmp_path / "kept", "after")
    assert (tmp_path / "kept").read_text() == "before"

"""Files that are written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["write_whole"]


def write_whole(path: Path, content: str | bytes, *, private: bool = False) -> None:
    """Write a file whole or not at all: who reads it meanwhile has the old one or the new one.

    Parameters
    ----------
    path : Path
    content : str or bytes
        Text is written as UTF-8.
    private : bool, default False
        Whether nobody but its owner may read it.
    """
    draft = path.with_name(f".{path.name}.new")
    if private:
        draft.touch(mode=0o600)
    draft.write_bytes(content.encode() if isinstance(content, str) else content)
    os.replace(draft, path)

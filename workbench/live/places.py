"""Where the files of runs lie, and what may name them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = ["JOURNAL", "Where", "is_name", "runs_in"]

JOURNAL, BEGUN = "journal.db", "release.json"


def is_name(text: str) -> bool:
    """Whether a text may name a release or an account: letters, digits, - and _."""
    return bool(text) and all(c.isalnum() or c in "-_" for c in text)


def runs_in(root: Path) -> list[Path]:
    """Return the folders of all runs that lie under a folder."""
    return sorted(path.parent for path in root.glob(f"*/{JOURNAL}"))


@dataclass(frozen=True, slots=True)
class Where:
    """The places of a run.

    Parameters
    ----------
    root : Path
        All runs and accounts lie under it.
    deployment, account : str
    """

    root: Path
    deployment: str
    account: str

    @property
    def folder(self) -> Path:
        """The run's folder: journal and executed notebooks."""
        return self.root / self.deployment

    @property
    def journal(self) -> Path:
        """The run's record."""
        return self.folder / JOURNAL

    @property
    def begun(self) -> Path:
        """The note of which release it runs, on which account."""
        return self.folder / BEGUN

    @property
    def market(self) -> Path:
        """The paper account's folder."""
        return self.root / "accounts" / self.account

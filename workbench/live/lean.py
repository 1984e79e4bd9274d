"""What the processes of a run do without, so that a run is up again sooner after a crash."""

from __future__ import annotations

import sys

__all__ = ["import_less"]

#: Checks the form of international addresses for jsonschema, which does without where it is missing. Papermill and plotly bring it in
#: with nbformat, which never asks it; its import builds a grammar, and that takes longer than all the rest of papermill.
NEEDLESS = "rfc3987_syntax"


def import_less() -> None:
    """Leave out what is imported and never used, in a process that is the workbench's own."""
    sys.modules.setdefault(NEEDLESS, None)  # type: ignore[arg-type]  # the language's own way to say "not installed"

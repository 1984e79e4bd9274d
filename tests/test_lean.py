"""What the processes of a run leave out, so that they are up sooner, is left out; and papermill works without it."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sys
from workbench.live.lean import import_less

import_less()
import jsonschema, nbformat, papermill

jsonschema.validate("any", {"type": "string", "format": "iri"}, format_checker=jsonschema.FormatChecker())
nbformat.validate(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 + 1")]))
print([name for name in ("lark", "rfc3987_syntax.syntax_helpers") if name in sys.modules])
"""


def test_papermill_comes_without_a_grammar_that_it_never_uses() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "[]\n", done.stderr

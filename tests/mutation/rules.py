"""What a mutation is: a rule in words, and the text that holds it with another one in its place."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Mutation", "Rules"]


class Mutation(NamedTuple):
    """A rule, where it stands, what stands there in its place when it is taken out, and the tests that must notice.

    `old` occurs once in `file`. `tests` are files below `tests/`, or one test in them as pytest names it: ``test_gate.py::test_name``.
    """

    rule: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


class Rules(NamedTuple):
    """The rules of one file that the same tests guard: ``(rule, old, new)``, with tests of its own as a fourth where it has some."""

    file: str
    tests: str
    rules: tuple[tuple[str, ...], ...]

    def mutations(self) -> list[Mutation]:
        """Return them one by one."""
        return [Mutation(rule, self.file, old, new, tuple((own or [self.tests])[0].split())) for rule, old, new, *own in self.rules]

"""Opinions that were not decided on in their time: of steps that were missed, of bars that came late (SEMANTICS 5 and 36).

Through `acted` they still close. They open only if the newest bar turned once more, or where late entries are wanted.
"""

from __future__ import annotations

from collections.abc import Sequence

from workbench.session.state import State
from workbench.session.tape import Tape

__all__ = ["forget", "is_late", "note_bar", "note_step", "take_up"]


def note_step(tape: Tape, states: Sequence[State], row: int) -> None:
    """Keep the opinions of a step in mind that is not decided, or only half."""
    for j, state in enumerate(states):
        state.note(tape.stance[j][row], row)


def note_bar(tape: Tape, states: Sequence[State], j: int, row: int, done: int) -> None:
    """Keep the opinion of a bar in mind that came after its step, and its close as the last known one; newer ones stand."""
    later = range(row + 1, done)
    if all(tape.close[j][k] != tape.close[j][k] for k in later):
        tape.price[j] = tape.close[j][row]
    if all(tape.stance[j][k] != tape.stance[j][k] for k in later):
        states[j].note(tape.stance[j][row], row)


def take_up(tape: Tape, states: Sequence[State], row: int) -> None:
    """Let the opinion in mind stand where the newest step has none; without a bar there, its protective distances too."""
    for j, state in enumerate(states):
        if state.missed != state.missed or tape.stance[j][row] == tape.stance[j][row]:
            continue
        tape.let_stand(j, row, state.missed)
        if tape.close[j][row] != tape.close[j][row] and state.missed_at >= tape.first:
            for columns in (*tape.exits, tape.measured):
                if columns is not None:
                    columns[j][row] = columns[j][state.missed_at]
        state.missed_at = row  # it stands here now


def is_late(tape: Tape, state: State, j: int, row: int) -> bool:
    """Whether a stance turned while nothing was decided: an opening then comes too late."""
    now, before = tape.stance[j][row], state.missed
    return before == before and (now > 0) == (before > 0) and (now < 0) == (before < 0)


def forget(states: Sequence[State]) -> None:
    """Have nothing in mind any more: a step was decided."""
    for state in states:
        state.missed, state.missed_at = float("nan"), -1

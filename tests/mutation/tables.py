"""All mutations, by group."""

from __future__ import annotations

from . import deciding, execution, filling, gate, limits, losses, restarts, session, sizing
from .rules import Mutation, Rules

__all__ = ["GROUPS"]

TABLES: dict[str, tuple[Rules, ...]] = {
    "gate": gate.RULES,
    "limits": limits.RULES,
    "losses": losses.RULES,
    "sizing": sizing.RULES,
    "deciding": deciding.RULES,
    "filling": filling.RULES,
    "execution": execution.RULES,
    "session": session.RULES,
    "restarts": restarts.RULES,
}
GROUPS: dict[str, list[Mutation]] = {name: [one for rules in table for one in rules.mutations()] for name, table in TABLES.items()}

"""Decisions and orders in words: who asked, who cut, from what to what and why, and what came of it."""

from __future__ import annotations

from typing import Any

from workbench.grid import quantity_of
from workbench.records import OPENED, STOPPED_OUT, WORDS
from workbench.session.setup import Setup

__all__ = ["decision_words", "order_words"]


def decision_words(setup: Setup, row: Any) -> str:
    """Return one decision (a row of `workbench.records.DECISION`) as a sentence."""
    said = [f"closes {_held(setup, row.j, row.closed)}"] if row.closed else []
    if row.asked > 0.0:
        said += [f"{type(setup.strategy.sizer).__name__} asks for {row.asked:.6g}", *_cuts(setup, row)]
    if row.code == OPENED:
        said.append(f"opens {_held(setup, row.j, row.lots if row.stance > 0 else -row.lots)}")
    elif row.code:
        said.append(WORDS[row.code])
    return "; ".join(said) or "flat: there is nothing to close"


def order_words(setup: Setup, leg: str, decision: Any) -> str:
    """Return why an order was sent, from its leg and the decision that it comes from."""
    if leg == "open":
        return decision_words(setup, decision)
    if leg == "close":
        if decision.code == STOPPED_OUT and not decision.asked > 0.0:
            return WORDS[STOPPED_OUT]
        return f"the stance turned {'long' if decision.stance > 0 else 'short' if decision.stance < 0 else 'flat'}"
    held = _held(setup, decision.j, decision.lots if decision.stance > 0 else -decision.lots)
    return f"{'protects' if leg == 'stop' else 'takes the profit of'} the opening of {held}"


def _cuts(setup: Setup, row: Any) -> list[str]:
    names = [type(part).__name__ for part in setup.strategy.risk]
    words = [part.words(float(row.equity), setup.currency) for part in setup.strategy.risk]
    if setup.buying_power:
        names, words = [*names, "buying power"], [*words, "margin and fees of what equity can carry"]
    said, before = [], float(row.asked)
    for name, why, after in zip(names, words, row.after, strict=False):
        if after == after and after < before:
            said.append(f"{name}: {before:.6g} -> {after:.6g} ({why})")
            before = float(after)
    return said


def _held(setup: Setup, j: int, lots: int) -> str:
    spec = setup.specs[j]
    return f"{abs(quantity_of(lots, spec.number, spec.power)):g} {'long' if lots > 0 else 'short'}"

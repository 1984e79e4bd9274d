"""Decisions and orders in words: who asked, who cut, from what to what and why, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from workbench.errors import OrderError, did_you_mean
from workbench.grid import quantity_of
from workbench.market import Order
from workbench.records import NO_RATE, NO_SIZE, OPENED, RESIZED, STOPPED_OUT, TIMED_OUT, WORDS
from workbench.session.setup import Setup

__all__ = ["cut_words", "decision_words", "in_short", "is_forced", "order_words", "told_of", "which"]


def decision_words(setup: Setup, row: Any) -> str:
    """Return one decision (a row of `workbench.records.DECISION`) as a sentence."""
    said = [f"closes {_held(setup, row.j, row.closed)}"] if row.closed else []
    if row.asked > 0.0:
        said += [_asked(setup, row), *cut_words(setup, row)]
    if row.code == OPENED:
        said.append(f"opens {_held(setup, row.j, row.lots if row.stance > 0 else -row.lots)}")
    elif row.code:
        if row.code == RESIZED and row.lots:
            said.append(f"adds {_held(setup, row.j, row.lots if row.stance > 0 else -row.lots)}")
        said.append(_outcome(setup, row))
    return "; ".join(said) or "flat: there is nothing to close"


def told_of(setup: Setup, symbol: str, row: Any, also: Sequence[str]) -> dict[str, Any]:
    """Return a decision as plain values, and its reason in words with what else is said of it."""
    return {
        "symbol": symbol,
        "stance": row.stance,
        "close": row.price,
        "asked": row.asked,
        "lots": row.lots,
        "code": row.code,
        "reason": "; ".join([decision_words(setup, row), *also]),
    }


def in_short(order: Order) -> str:
    """Return what an order is for: its side, quantity and symbol."""
    return f"{order.side} {order.quantity:g} {order.instrument.symbol}"


def _outcome(setup: Setup, row: Any) -> str:
    """Return why nothing was opened, by the name of what was missing."""
    if row.code == NO_SIZE:
        why = "" if row.asked == row.asked else ": what it measures is not known yet"
        return f"{type(setup.of(row.j).strategy.sizer.core).__name__} asks for nothing{why}"
    if row.code == NO_RATE:
        return f"no fresh conversion rate from {setup.instruments[row.j].quote} into {setup.currency}, so nothing opens"
    return WORDS[row.code]


def order_words(setup: Setup, leg: str, decision: Any) -> str:
    """Return why an order was sent, from its leg and the decision that it comes from."""
    if leg == "open":
        return decision_words(setup, decision)
    if leg == "close":
        for code in (STOPPED_OUT, TIMED_OUT):
            if is_forced(decision, code):
                return WORDS[code]
        return f"the stance turned {'long' if decision.stance > 0 else 'short' if decision.stance < 0 else 'flat'}"
    if leg in ("trim", "add"):
        return WORDS[decision.code]
    held = _held(setup, decision.j, decision.lots if decision.stance > 0 else -decision.lots)
    return f"{'protects' if leg == 'stop' else 'takes the profit of'} the opening of {held}"


def is_forced(decision: Any, code: int) -> Any:
    """Return whether a decision was forced by the margin (SEMANTICS 41) or by time; of an array of decisions, for each.

    It has no stance then. An opening that is refused in the step of a stop-out has the same code and a stance, which turned: what
    that decision closes would have been closed without one.
    """
    return (decision.code == code) & (decision.stance != decision.stance)


def _asked(setup: Setup, row: Any) -> str:
    sizer = setup.of(row.j).strategy.sizer
    why = sizer.words(float(row.equity), float(row.distance), setup.currency)
    more = " more" if row.code == RESIZED and row.lots else ""
    return f"{type(sizer).__name__} asks for {_rounded(row.asked)}{more}" + (f" ({why})" if why else "")


def cut_words(setup: Setup, row: Any) -> list[str]:
    """Return which limits cut a decision, from what to what and why."""
    parts = setup.limits_at(row.j)
    names = [type(part).__name__ for part in parts]
    words = [part.words(float(row.equity), setup.currency) for part in parts]
    if setup.buying_power:
        names, words = [*names, "buying power"], [*words, "margin and fees of what equity can carry"]
    said, before = [], float(row.asked)
    for name, why, after in zip(names, words, row.after, strict=False):
        if after == after and after < before:
            said.append(f"{name}: {_rounded(before)} -> {_rounded(after)} ({why})")
            before = float(after)
    return said


def _held(setup: Setup, j: int, lots: int) -> str:
    spec = setup.specs[j]
    return f"{_in_full(abs(quantity_of(lots, spec.number, spec.power)))} {'long' if lots > 0 else 'short'}"


def _in_full(quantity: float) -> str:
    """Return a quantity with every digit and no exponent: ``1,234,567.25``."""
    return f"{Decimal(repr(float(quantity))).normalize():,f}"


def _rounded(quantity: float) -> str:
    """Return a size that may lie off the grid: in full up to eight decimals, else six digits and no less than two decimals."""
    if round(quantity, 8) == quantity:
        return _in_full(quantity)
    return _in_full(float(f"{quantity:.6g}") if quantity < 1e4 else round(quantity, 2))


def which(named: Any, known: Sequence[str], noun: str, verb: str, verbs: str, guess: bool = True) -> str:
    """Return which of what is known a person means: what was named or, where that may be guessed, the only one there is.

    Raises
    ------
    OrderError
        There is none, nobody can tell which, or it is none of them.

    Examples
    --------
    >>> which(None, ["ABC"], "opening", "waits for a word", "wait for a word")
    'ABC'
    """
    if not known:
        raise OrderError(f"no {noun} {verb}")
    if named is None and guess and len(known) == 1:
        return known[0]
    if named is None:
        some = f"1 {noun} {verb}; name it" if len(known) == 1 else f"{len(known)} {noun}s {verbs}; name one of them"
        raise OrderError(f"{some}: {', '.join(known)}")
    if named not in known:
        raise OrderError(f"no {noun} {str(named)!r} {verb}{did_you_mean(str(named), known)}")
    return str(named)

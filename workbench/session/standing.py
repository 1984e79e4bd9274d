"""How a live session stands, as plain values; and how a venue's book differs from ours, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from workbench.execution.port import VenueState
from workbench.grid import quantity_of
from workbench.market import Order
from workbench.session.live import LiveSession
from workbench.session.state import Proposal, State
from workbench.session.working import Work

__all__ = ["MOVED", "difference", "in_doubt", "joining", "standing"]

MOVED = "reconcile: the venue has moved on meanwhile"


def standing(session: LiveSession) -> dict[str, Any]:
    """Return mode, equity, positions and orders of a session: what its sign of life says."""
    portfolio, row = session.portfolio, session.steps_done - 1
    return {
        "mode": session.mode,
        "steps": session.steps_done - session.first - session.missed_steps,
        "missed": session.missed_steps,
        "simulated": session.setup.bars.simulated,
        "label": session.tape.label[row] if row >= 0 else 0,
        "currency": session.setup.currency,
        "equity": session.equity,
        "cash": portfolio.cash,
        "positions": {i.symbol: _position(session, j) for j, i in enumerate(session.setup.instruments) if portfolio.lots[j]},
        "dust": {i.symbol: left for j, i in enumerate(session.setup.instruments) if (left := _dust(session, j))},
        "working": [_order(session, order, work) for order, work in _orders_out(session)],
        "proposals": [_proposal(one) for one in session.proposals],
        "late": {symbol: session.states[j].late for symbol, j in session.first_columns.items() if session.states[j].late},
    }


def _position(session: LiveSession, j: int) -> dict[str, Any]:
    """Return a position as plain values."""
    held = session.portfolio.position(j)
    return {
        "symbol": held.instrument.symbol,
        "quantity": held.quantity,
        "average": held.average_price,
        "last": held.last_price,
        "stale": session.tape.age(j, session.steps_done - 1),
        "notional": held.quantity * held.last_price * session.portfolio.unit[j],
        "unrealised": held.unrealised,
    }


def _dust(session: LiveSession, j: int) -> dict[str, float] | None:
    """Return what purchases of an instrument left below a step; None where they left nothing."""
    portfolio = session.portfolio
    left = portfolio.remains.quantity(j)
    return {"quantity": left, "worth": portfolio.remains.worth(j, portfolio.price[j], portfolio.unit[j])} if left else None


def _orders_out(session: LiveSession) -> Iterator[tuple[Order, Work | None]]:
    """Yield the orders that are out; one that is worked over several bars with all of its children, also between two of them."""
    for state in session.states:
        work = state.work
        if work is not None:
            yield state.opening or work.rest, work
        yield from ((order, None) for order in state.orders if work is None or order is not state.opening)


def _order(session: LiveSession, order: Order, work: Work | None) -> dict[str, Any]:
    """Return an order that is out as plain values; of one that is worked, how much of the whole has filled."""
    leg, life = order.key.leg if order.key is not None else "", session.lives.of(order)
    whole, left = (work.parent, work.rest.quantity) if work is not None else (order, order.quantity)
    filled = whole.quantity - left if work is not None else quantity_of(life.filled, *order.instrument.step)
    told = {"symbol": order.instrument.symbol, "leg": leg, "side": order.side, "quantity": left, "filled": filled}
    return told | {"state": life.state, "type": order.type, "price": order.price, "reason": order.reason}


def _proposal(proposal: Proposal) -> dict[str, Any]:
    """Return an opening that waits for a person's word as plain values."""
    return _asked(proposal.order) | {"reason": proposal.order.reason, "until": proposal.until}


def in_doubt(order: Order) -> dict[str, Any]:
    """Return an order that the venue says nothing of as plain values."""
    return _asked(order) | {"key": str(order.key), "leg": order.key.leg if order.key is not None else ""}


def _asked(order: Order) -> dict[str, Any]:
    return {"symbol": order.instrument.symbol, "side": order.side, "quantity": order.quantity}


def joining(session: LiveSession) -> list[tuple[str, float, float]]:
    """Return what the first step would open if the stances stay: symbol, signed quantity, notional (SEMANTICS 9)."""
    row, equity, tape = session.steps_done - 1, session.portfolio.equity, session.tape
    if row < 0:
        return []
    session.sleeves.begin(row, equity)
    session.sleeves.value(equity)
    found = []
    for j, instrument in enumerate(session.setup.instruments):
        stance = tape.stance[j][row]
        sign = 0 if stance != stance or (stance < 0 and not instrument.can_short) else (stance > 0) - (stance < 0)
        if sign and not session.entries.number[j] and session.setup.of(j).strategy.start == "join":
            state = State(waiting=False)
            state.acted, state.row = sign, session.trace(row, j, stance, equity)
            for order in session.sleeves.at[j].decider.opening(row, j, state, session.sleeves.own(j, equity)):
                signed = order.sign * order.quantity
                found.append((instrument.symbol, signed, signed * tape.price[j] * tape.unit[j]))
    return found


def difference(session: LiveSession, state: VenueState, told: int, doubted: Sequence[Order] = ()) -> str:
    """Return why the gate stays shut: the venue's book differs from ours, but for orders that are doubted; empty where it does not."""
    if state.number > told:
        return MOVED
    if state.number < told:
        return f"reconcile: the venue has told {state.number} messages, and we have {told} of it: its ledger is not the one of this run"
    differences = _differences(session, state, {str(order.key) for order in doubted})
    return f"reconcile: {'; '.join(differences)}" if differences else ""


def _differences(session: LiveSession, state: VenueState, doubted: set[str]) -> list[str]:
    """Return in words how the venue's book differs from ours."""
    if session.foreign:
        return [session.foreign]
    ours = {i.symbol: session.portfolio.quantity(j) for j, i in enumerate(session.setup.instruments) if session.portfolio.lots[j]}
    said = [
        f"{symbol}: the venue holds {state.positions.get(symbol, 0.0):g}, we know of {ours.get(symbol, 0.0):g}"
        for symbol in sorted({*ours, *state.positions})
        if ours.get(symbol, 0.0) != state.positions.get(symbol, 0.0)
    ]
    theirs = {str(order.key): order for order in state.orders}
    mine = {str(order.key): order for order in session.working if str(order.key) not in doubted}
    said += [f"order {key} works at the venue and is not known here" for key in sorted(theirs.keys() - mine.keys())]
    said += [f"order {key} is known here and does not work at the venue" for key in sorted(mine.keys() - theirs.keys())]
    said += [
        f"order {key}: the venue has {_in_words(theirs[key])}, we know of {_in_words(mine[key])}"
        for key in sorted(theirs.keys() & mine.keys())
        if _in_words(theirs[key]) != _in_words(mine[key])
    ]
    if not said and state.account.cash != session.portfolio.cash:
        said.append(f"the venue has {state.account.cash} {state.account.currency} in cash, we know of {session.portfolio.cash}")
    return said


def _in_words(order: Order) -> str:
    """Return what has to be the same of an order on both sides; a stop that follows the price does so at the venue alone."""
    price = "" if order.price is None or order.type == "trailing_stop" else f" at {order.price:.10g}"
    return f"{order.side} {order.quantity:.10g} {order.type}{price}"

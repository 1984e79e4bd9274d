"""What the kernel's functions hand to each other."""

from __future__ import annotations

from typing import Any, NamedTuple

__all__ = ["Columns", "Ledger", "Output", "Settings"]


class Columns(NamedTuple):
    """What the market did and what the causal inputs say: flat columns of length T x N (labels: T).

    What holding a position costs is one row a charge: `charged` the moment, `charge_column` whose position, and what each side pays
    (`workbench.financing.Financing`).
    """

    open: Any
    high: Any
    low: Any
    close: Any
    stance: Any
    stop: Any
    target: Any
    trail: Any
    even: Any
    time: Any
    measured: Any
    series: Any
    unit: Any
    base: Any
    charge_long: Any
    charge_short: Any
    fresh: Any
    label: Any
    session: Any
    day: Any
    charged: Any
    charge_column: Any


class Ledger(NamedTuple):
    """The running state of the account; `counts` holds the numbers of orders, fills, decisions and charges so far.

    What every bar looks at is one plain column each, not a field of `slots`: hundreds of instruments then stay in the
    processor's nearest cache. `opening` and `closing` are rows of orders that are out, -1 where there is none; `busy` begins with
    the instruments that have one. `said` is the last stance and `wish` its sign; `quantity` is held, `basis` what it was bought at
    where that counts. `past` is what the account remembers (`workbench.past`), `memory` room that limits
    reckon in.
    """

    slots: Any
    specs: Any
    purse: Any
    price: Any
    unit: Any
    base: Any
    quantity: Any
    basis: Any
    opening: Any
    closing: Any
    busy: Any
    said: Any
    wish: Any
    counts: Any
    past: Any
    memory: Any


class Output(NamedTuple):
    """Rows to be filled."""

    orders: Any
    fills: Any
    decisions: Any
    equity: Any


class Settings(NamedTuple):
    """Plain numbers of one run.

    `has_stop` and the like say whether the strategy has such exits at all, `moves` whether any of them moves a stop or ends a
    position at a close; `extreme` is 1 where a trailing stop follows highs and lows, `plus` how far a break-even stop goes beyond the
    entry. `drawdown` and `rearm` are the numbers of a limit on the fall of equity, `remembers` says whether any limit looks at the
    account's past equity or its day. `margined` says whether any position can need margin, `financed` whether any can be charged for,
    `sessions` how many columns of session numbers there are: one for all instruments, or one each.
    """

    moving: int
    interval: int
    sessions: int
    has_stop: int
    has_target: int
    has_trail: int
    has_even: int
    has_time: int
    has_measured: int
    moves: int
    extreme: int
    plus: float
    drawdown: float
    rearm: int
    remembers: int
    margined: int
    financed: int
    kind: int
    offset: float
    bars: int
    cross: int

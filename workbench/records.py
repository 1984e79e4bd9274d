"""The rows in which kernel and Session write what happened, and the numbers that name it.

Each kind of row is one list of fields. Compiled runs hold them as numpy records, plain runs and the Session as objects
with the same attributes: the same code reads and writes both.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from workbench.maintenance import MOST_TIERS

__all__ = [
    "DECISION",
    "FILL",
    "ORDER",
    "SLOT",
    "SPEC",
    "Rows",
    "dtype_of",
    "record_class",
    "table",
]

#: Legs of an order, its type, its end (SEMANTICS 35): `TRIM` makes a position smaller that goes on, `ADD` larger.
OPEN, CLOSE, STOP, TARGET, TRIM, ADD = range(6)
MARKET, LIMIT, STOP_ORDER = range(3)
WORKING, FILLED, CANCELLED, EXPIRED, LAPSED, ABSENT, REJECTED = range(7)

#: What became of a wish to open.
(
    NONE,
    OPENED,
    NO_EQUITY,
    NO_RATE,
    NO_EXIT,
    NO_SIZE,
    CUT_TO_NOTHING,
    BELOW_MINIMUM,
    STOPPED_OUT,
    TOO_MANY,
    NOT_SENT,
    NO_SHORT,
    MISSED,
    REDUCING,
    IN_DOUBT,
    TIMED_OUT,
    GATED,
    RESIZED,
    REDUCED,
    HELD,
) = range(20)

LEGS = ("open", "close", "stop", "target", "trim", "add")
TYPES = ("market", "limit", "stop", "stop_limit", "take_profit", "trailing_stop")
STATUSES = ("working", "filled", "cancelled", "expired", "lapsed", "absent", "rejected")

WORDS = (
    "",
    "opened",
    "equity is not above zero, so nothing opens",
    "no fresh conversion rate into the account currency",
    "the distance of a configured exit is not a positive number yet, or leaves no positive price for the stop",
    "the sizer asked for nothing",
    "cut to nothing",
    "below the smallest order the venue takes",
    "stop-out: equity fell under the maintenance margin",
    "more steps than can be counted exactly: the instrument's quantity_step is too fine for this account",
    "the execution algorithm placed no order: it chose to wait, or its limit would lie below the first tick",
    "short selling is not possible here, so the stance counts as flat",
    "the stance turned on a bar that came late, or while no steps were decided, and late_entries='skip': no opening until it turns again",
    "the session only reduces: nothing opens",
    "an earlier order of this instrument is in doubt, so nothing opens on top of it",
    "the position has lasted as many bars as it may",
    "refused by the gate, the last look before the venue",
    "resized: the sizer asks for another size by now",
    "a limit is breached, and on_breach='reduce'",
    "the price reached a stop or target that the session holds",
)
#: A chain of limits is this long at most.
MOST_LIMITS = 8

INT, FLOAT = "i8", "f8"
Fields = tuple[tuple[str, str], ...]


def _fields(ints: str, floats: str = "") -> Fields:
    return tuple((name, INT) for name in ints.split()) + tuple((name, FLOAT) for name in floats.split())


#: An instrument with its costs, in plain numbers; what every instrument's margin takes lies together. `tiers` is 0 where one rate,
#: `maintenance`, is kept.
SPEC = _fields(
    "funded can_short margined tiers",
    "margin maintenance slip_rate slip_offset number power tick_number tick_power min_quantity min_notional multiplier"
    " fee_rate fee_unit fee_minimum fee_most",
)
#: The state of one instrument in the kernel that few bars touch; row numbers are -1 where there is no such order.
SLOT = _fields(
    "lots acted waiting wanted decision side size kind sent since left crossing closed_at stop_row target_row limit_entry age",
    "price stop target stop_distance target_distance filled best trail even lasts spent put_in",
)
ORDER = _fields("t j leg child side lots kind parent decision status end", "price")
FILL = _fields("order t j lots", "price fee unit")
DECISION = _fields("t j closed lots code", "stance price equity distance asked")
#: Fields that are several numbers, at the end of their rows.
WIDE = {DECISION: {"after": MOST_LIMITS + 1}, SPEC: {"tier_rate": MOST_TIERS, "tier_amount": MOST_TIERS}}


@cache
def dtype_of(fields: Fields) -> np.dtype[Any]:
    """Return the numpy record of a kind of row."""
    parts: list[Any] = [*fields, *((name, FLOAT, (width,)) for name, width in WIDE.get(fields, {}).items())]
    return np.dtype(parts, align=True)


def record_class(name: str, fields: Fields) -> type:
    """Return a plain class with the same attributes, all zero at the start."""
    wide = WIDE.get(fields, {})

    def __init__(self: Any) -> None:
        for field, width in wide.items():
            setattr(self, field, [np.nan] * width)

    zeros = {field: 0 if kind == INT else 0.0 for field, kind in fields}
    return type(name, (), zeros | {"__init__": __init__})


Spec = record_class("Spec", SPEC)
Slot = record_class("Slot", SLOT)
OrderRow = record_class("OrderRow", ORDER)
FillRow = record_class("FillRow", FILL)
DecisionRow = record_class("DecisionRow", DECISION)


class Rows:
    """Output rows of a plain run: made when first asked for, so that they never run out."""

    __slots__ = ("_make", "rows")

    def __init__(self, make: type) -> None:
        self._make = make
        self.rows: list[Any] = []

    def __len__(self) -> int:
        return 1 << 62

    def __getitem__(self, number: int) -> Any:
        while number >= len(self.rows):
            self.rows.append(self._make())
        return self.rows[number]


def table(rows: Sequence[Any], fields: Fields) -> np.ndarray:
    """Return plain rows as one array of records."""
    out = np.zeros(len(rows), dtype_of(fields))
    for name in out.dtype.names or ():
        if len(rows):
            out[name] = [getattr(row, name) for row in rows]
    return out

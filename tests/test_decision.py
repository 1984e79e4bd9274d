"""The path of an opening on columns written by hand: what is held and out, and what the account can pay for (SEMANTICS 21-22)."""

from __future__ import annotations

from typing import Any

import pytest

import workbench as wb
from workbench.decision import BookColumns, buying_power_room, enter_book, start_book
from workbench.execution import Costs
from workbench.spec import spec_of

#: Half of the notional is margin.
HALF = wb.Instrument("ABC", "commodity", "future", margin=0.5)


def columns(price: float = 100.0, high: float = 0.0, low: float = 0.0, used: float = 0.0, **costs: Any) -> BookColumns:
    """Return the book of one instrument, of which so much margin is in `used`."""
    free: dict[str, Any] = {"commission": 0.0, "slippage": 0.0}
    margin = 0.5 * price * max(abs(high), abs(low))
    specs = [spec_of(HALF, Costs(**(free | costs)).numbers(HALF))]
    return BookColumns(specs, [price], [1.0], [0.0], [high], [low], [0.0], [margin], [used + margin])


@pytest.mark.parametrize(
    ("book", "side", "room"),
    [
        (columns(), 1.0, 20.0),
        (columns(used=400.0), 1.0, 12.0),
        (columns(high=5.0, low=5.0), 1.0, 15.0),
        (columns(high=-5.0, low=-5.0), -1.0, 15.0),
        (columns(high=5.0), -1.0, 20.0),  # the worse of 5 long and 20 short
        (columns(low=-5.0), 1.0, 20.0),
        (columns(high=21.0), -1.0, 0.0),
        (columns(low=-21.0), 1.0, 0.0),
        (columns(used=1200.0), 1.0, 0.0),
        (columns(high=5.0, low=5.0, used=1200.0, maximum=0.125), 1.0, 0.0),
        (columns(slippage=0.25), 1.0, 16.0),
        (columns(minimum=500.0), 1.0, 10.0),
        (columns(minimum=500.0, maximum=0.125), 1.0, 16.0),  # no more than an eighth of the notional is charged
    ],
    ids=[
        "all", "some is used", "long and more", "short and more", "long and a sale", "short and a purchase", "too long", "too short",
        "too much is used", "long and too much is used", "slippage", "least fee", "most fee",
    ],
)  # fmt: skip
def test_22_the_quantity_that_1000_pay_for(book: BookColumns, side: float, room: float) -> None:
    assert buying_power_room(book, 0, side, 1000.0) == pytest.approx(room, rel=1e-12)


@pytest.mark.parametrize(
    ("quantity", "leaving", "done", "ends"),
    [
        (10.0, 0, 0, (10.0, 10.0)),
        (10.0, 1, 0, (10.0, 0.0)),
        (-10.0, 1, 0, (0.0, -10.0)),
        (-10.0, 0, 0, (-10.0, -10.0)),
        (10.0, 1, 1, (0.0, 0.0)),
    ],
    ids=["held", "may be closed", "a short that may be closed", "short", "closed in this step"],
)
def test_21_what_a_position_and_its_closings_could_lead_to(quantity: float, leaving: int, done: int, ends: tuple[float, float]) -> None:
    book = columns()
    margin = start_book(book, 0, quantity, leaving, done)
    assert (book.hi[0], book.lo[0]) == ends
    assert margin == book.margin[0] == 50.0 * max(abs(ends[0]), abs(ends[1]))


@pytest.mark.parametrize(("side", "ends"), [(1.0, (4.0, 0.0)), (-1.0, (0.0, -4.0))], ids=["long", "short"])
def test_21_an_opening_is_in_the_book_at_a_slipped_price_and_with_its_fee(side: float, ends: tuple[float, float]) -> None:
    # 4 at 125 need half of 500, and a fee of a tenth of it
    book = columns(slippage=0.25, commission=0.1)
    enter_book(book, 0, side, 4)
    assert (book.hi[0], book.lo[0]) == ends
    assert (book.margin[0], book.fees[0], book.used[0]) == (250.0, 50.0, 300.0)

"""What may stay of a book that has outgrown a limit, by hand (SEMANTICS 21)."""

from __future__ import annotations

from typing import Any

import pytest
from worked import EURUSD

import workbench as wb
from workbench.past import empty_past, no_history
from workbench.risk import Breach, MaxExposure, MaxLeverage, Snapshot

TWO = [wb.Instrument("A"), wb.Instrument("B")]


def breach(limit: Any, held: list[float], equity: float = 1000.0) -> Breach | None:
    """Ask a limit about a book of two shares of 10."""
    snapshot = Snapshot(0, equity, held, held, [10.0, 10.0], [1.0, 1.0], [0.0, 0.0], no_history(empty_past()))
    found: Breach | None = limit.breach(snapshot, TWO, "USD")
    return found


CLASS: dict[str, Any] = {"by": "asset_class"}


@pytest.mark.parametrize(
    ("limit", "held", "shares"),
    [
        (MaxExposure(1000, **CLASS), [120.0, 0.0], [1000 / 1200, 1.0]),
        (MaxExposure(1000, **CLASS), [-120.0, 0.0], [1000 / 1200, 1.0]),
        (MaxExposure(1000, **CLASS), [120.0, 80.0], [0.5, 0.5]),
        (MaxExposure(1000, **CLASS), [120.0, -10.0], [1100 / 1200, 1.0]),  # 1,100 less the 100 of the hedge are the limit
        (MaxExposure(1000, **CLASS), [10.0, -120.0], [1.0, 1100 / 1200]),
        (MaxExposure(1000, **CLASS, scope="gross"), [120.0, -10.0], [1000 / 1300, 1000 / 1300]),
        (MaxExposure({"A": 1000}, by="instrument"), [120.0, 500.0], [1000 / 1200, 1.0]),
        (MaxExposure(0.5, **CLASS, of="equity"), [100.0, 0.0], [0.5, 1.0]),
        (MaxLeverage(1), [120.0, -10.0], [1000 / 1300, 1000 / 1300]),
        (MaxLeverage(1, "net"), [120.0, -10.0], [1100 / 1200, 1.0]),
        (MaxLeverage(1, "net"), [-120.0, 10.0], [1100 / 1200, 1.0]),
        (MaxLeverage(1, "net"), [-120.0, 0.0], [1000 / 1200, 1.0]),
    ],
    ids=repr,
)
def test_21_of_what_makes_a_measure_too_large_so_much_stays(limit: Any, held: list[float], shares: list[float]) -> None:
    found = breach(limit, held)
    assert found is not None
    assert found.shares == pytest.approx(shares, rel=1e-12)


@pytest.mark.parametrize("limit", [MaxExposure(1000, **CLASS), MaxLeverage(1), MaxLeverage(1, "net")], ids=repr)
def test_21_a_limit_that_is_reached_is_not_breached(limit: Any) -> None:
    assert breach(limit, [100.0, 0.0]) is None
    assert breach(limit, [-100.0, 0.0]) is None
    assert breach(limit, [100.0 * (1 + 1e-10), 0.0]) is None


def test_21_of_two_groups_the_stricter_counts() -> None:
    # one lot is 125,000 long in EUR and short in USD
    price, unit, base = [1.25], [100_000.0], [125_000.0]
    for limit in ({"EUR": 50_000, "USD": 100_000}, {"EUR": 100_000, "USD": 50_000}):
        book = Snapshot(0, 1e6, [1.0], [1.0], price, unit, base, no_history(empty_past()))
        found = MaxExposure(limit).breach(book, [EURUSD], "USD")
        assert found is not None
        assert found.shares == pytest.approx([0.4])


@pytest.mark.parametrize("limit", [MaxExposure(1.0, by="instrument", of="equity"), MaxLeverage(1), MaxLeverage(1, "net")], ids=repr)
def test_21_without_equity_nothing_of_what_is_held_stays(limit: Any) -> None:
    found = breach(limit, [5.0, 0.0], equity=-100.0)
    assert found is not None
    assert found.shares[0] == 0.0
    assert min(found.shares) >= 0.0


def test_21_without_equity_a_hedge_lets_as_much_stay_as_it_covers() -> None:
    found = breach(MaxLeverage(1, "net"), [120.0, -10.0], equity=-100.0)
    assert found is not None
    assert found.shares == pytest.approx([10 / 120, 1.0])

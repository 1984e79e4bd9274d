"""The arithmetic of money: what a fill costs, what a position is worth. Plain scalars, compiled by the research kernel.

One order of operations everywhere, so that research, replay and live agree to the last bit: ``(quantity x price) x unit``,
``cash - (flow + fee)``, and sums in the order of the instruments. `unit` is multiplier x rate: it turns quantity x price
into account currency.

A funded instrument (shares, coins) has the basis 0: buying pays the whole price. A margined one (currencies, futures,
perpetuals, contracts for difference) has its average entry price as basis: only profit moves money.
"""

from __future__ import annotations

import math
from typing import Any

__all__ = ["NO_MOST", "average_of", "below_minimum", "carried", "cash_after", "fee_of", "slipped", "worth"]

#: The largest fee, as a share of the notional, where there is none.
NO_MOST = math.inf


def slipped(price: float, side: float, rate: float, offset: float) -> float:
    """Return a price moved against us: up for a buy (`side` +1), down for a sell."""
    return price * (1.0 + side * rate) + side * offset


def below_minimum(quantity: float, price: float, spec: Any) -> bool:
    """Whether an order is smaller than the venue takes: in quantity, or in what it is worth."""
    few: bool = quantity < spec.min_quantity * (1.0 - 1e-9)
    return few or (quantity * price) * spec.multiplier < spec.min_notional * (1.0 - 1e-9)


def fee_of(
    quantity: float, price: float, unit: float, multiplier: float, rate: float, per_unit: float, minimum: float, most: float = NO_MOST
) -> float:
    """Return the fee of a fill in account currency.

    `rate` is a share of the notional; `per_unit` and `minimum` are in the instrument's currency; no more than `most`, a share of the
    notional, is charged, also where that is less than the minimum.
    """
    exchange = unit / multiplier
    notional = abs((quantity * price) * unit)
    fee = notional * rate + abs(quantity) * (per_unit * exchange)
    least = minimum * exchange
    fee = fee if fee > least else least
    return notional * most if fee > notional * most else fee


def cash_after(cash: float, quantity: float, price: float, basis: float, unit: float, fee: float) -> float:
    """Return the cash after a fill of a signed quantity."""
    return cash - ((quantity * (price - basis)) * unit + fee)


def carried(quantity: float, long: float, short: float, unit: float) -> float:
    """Return what one charge for holding a signed quantity takes from the cash; below zero it brings some.

    `long` and `short` are what a quantity of 1 pays on either side, as a price (`workbench.financing`).
    """
    return (quantity * (long if quantity > 0.0 else -short)) * unit


def worth(quantity: float, price: float, basis: float, unit: float) -> float:
    """Return what an open position adds to equity: its value if funded, its open profit if margined."""
    return (quantity * (price - basis)) * unit


def average_of(held: float, average: float, quantity: float, price: float) -> float:
    """Return the average price of a position, after so much more was taken on in its direction."""
    return price if held == 0.0 else (held * average + quantity * price) / (held + quantity)

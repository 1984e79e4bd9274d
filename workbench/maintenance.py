"""Maintenance margin: what an open position must keep, and the price at which an account no longer can (SEMANTICS 41).

A position needs notional x rate - amount, where tiers are declared by the tier that its notional lies in. The rates of tiers rise
and the margin does not jump from one to the next, so the tier that asks most is the one that it lies in.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from workbench.errors import ParameterError
from workbench.numeric import is_number

__all__ = ["MOST_TIERS", "Tier", "kept_for", "liquidation_price", "tiers_from", "words_for"]

#: From which notional on, rate, and the amount that it asks less; both in the instrument's currency.
Tier = tuple[float, float, float]
#: An instrument has so many tiers at most.
MOST_TIERS = 16
#: How far the margin may jump at the bound of a tier, as a share of the notional there: amounts are published rounded.
JUMP = 1e-6


def tiers_from(symbol: str, given: Any) -> float | tuple[Tier, ...]:
    """Return a rate as it is, and tiers as tuples of numbers.

    Raises
    ------
    ParameterError
        Neither a rate nor tiers, or tiers that do not rise, or at whose bounds the margin would jump.

    Examples
    --------
    >>> tiers_from("BTCUSDT", [(0, 0.004, 0), (50_000, 0.005, 50)])
    ((0.0, 0.004, 0.0), (50000.0, 0.005, 50.0))
    """
    plain = is_number(given)
    tiers = _numbers(symbol, [(0.0, given, 0.0)] if plain else given, given)
    for start, rate, amount in tiers:
        if not (0 < rate < 1 and 0 <= amount < math.inf):
            said = "a maintenance rate is a share of the notional between 0 and 1, and its amount not negative"
            raise ParameterError(f"Instrument {symbol}: {said}, got {rate:g} and {amount:g} from {start:g} on")
    _require_rising(symbol, tiers)
    return float(given) if plain else tiers


def _numbers(symbol: str, tiers: Any, given: Any) -> tuple[Tier, ...]:
    try:
        found = tuple((float(start), float(rate), float(amount)) for start, rate, amount in tiers)
    except (TypeError, ValueError):
        found = ()
    if not 0 < len(found) <= MOST_TIERS:
        said = f"maintenance must be a rate such as 0.005, or 1 to {MOST_TIERS} tiers of (from which notional on, rate, amount)"
        raise ParameterError(f"Instrument {symbol}: {said}, got {given!r}")
    return found


def _require_rising(symbol: str, tiers: Sequence[Tier]) -> None:
    """Refuse tiers between which the margin jumps: then there were no one price at which an account is liquidated."""
    if tiers[0][0] != 0.0:
        raise ParameterError(f"Instrument {symbol}: the first maintenance tier must begin at a notional of 0, got {tiers[0][0]:g}")
    for (start, rate, amount), (upper, more, less) in pairwise(tiers):
        if not (upper > start and more > rate):
            said = f"notionals and rates of maintenance tiers must rise, got {upper:g} at {more:g} after {start:g} at {rate:g}"
            raise ParameterError(f"Instrument {symbol}: {said}")
        due = amount + upper * (more - rate)
        if abs(less - due) > JUMP * upper:
            said = f"the maintenance tier from {upper:g} on must have the amount {due:.10g}, else the margin jumps there"
            raise ParameterError(f"Instrument {symbol}: {said}, got {less:g}")


def words_for(tiers: Sequence[Tier]) -> str:
    """Return tiers in words.

    Examples
    --------
    >>> words_for([(0, 0.004, 0), (50_000, 0.005, 50)])
    '0.4 % to 0.5 % of the notional, in 2 tiers'
    """
    low, high = (f"{100 * tiers[k][1]:.4g} %" for k in (0, -1))
    return f"{low} of the notional" if len(tiers) == 1 else f"{low} to {high} of the notional, in {len(tiers)} tiers"


def kept_for(quantity: float, price: float, unit: float, spec: Any) -> float:
    """Return the margin that an open position must keep, in account currency; `unit` is multiplier x rate."""
    notional = (abs(quantity) * price) * unit
    if spec.tiers == 0:
        return notional * spec.maintenance
    most = 0.0
    exchange = unit / spec.multiplier
    for k in range(spec.tiers):
        needed = notional * spec.tier_rate[k] - spec.tier_amount[k] * exchange
        if needed > most:
            most = needed
    return most


def liquidation_price(quantity: float, basis: float, unit: float, rest: float, spec: Any) -> float:
    """Return the price of one position at which equity is what all positions must keep, while everything else stands still.

    Parameters
    ----------
    quantity : float
        Signed, not 0.
    basis : float
        What its profit counts from; 0 where the whole price was paid.
    unit : float
        Multiplier x rate: turns quantity x price into account currency.
    rest : float
        Equity without this position, less what the others must keep.
    spec : Spec

    Returns
    -------
    float
        Below 0 where a long position can lose all it is worth; of a short one where no price is low enough.
    """
    exchange = unit / spec.multiplier
    tiers = [(spec.tier_rate[k], spec.tier_amount[k] * exchange) for k in range(spec.tiers)] or [(spec.maintenance, 0.0)]
    # equity less a tier's margin is a straight line in the price; what is kept is the most of them, and never below nothing
    prices = [
        (quantity * basis * unit - rest - amount) / ((quantity - abs(quantity) * rate) * unit) for rate, amount in [(0.0, 0.0), *tiers]
    ]
    return max(prices) if quantity > 0.0 else min(prices)

"""Numbers as people wrote them: 0.1 is a tenth, so that what is added up comes out to the last cent."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction
from numbers import Rational, Real

from workbench import numeric
from workbench.errors import ParameterError

__all__ = ["exactly", "positive", "price_of", "share"]

#: Below this a fraction is kept as it is; else its denominators would grow with every partial closing.
MOST = 10**24
DIGITS = 18


def exactly(value: object, what: str, who: str = "Ledger") -> Fraction:
    """Return a number exactly as it is written.

    Examples
    --------
    >>> exactly(0.1, "the fee") * 3
    Fraction(3, 10)
    """
    if isinstance(value, Rational):
        return Fraction(value)
    if isinstance(value, Decimal) and value.is_finite():
        return Fraction(value)
    if isinstance(value, Real) and math.isfinite(value):
        return Fraction(repr(float(value)))
    raise ParameterError(f"{who}: {what} must be a number, got {value!r}")


def positive(value: object, what: str, who: str = "Ledger") -> Fraction:
    """Return a number above zero exactly as it is written."""
    number = exactly(value, what, who)
    if number <= 0:
        raise ParameterError(f"{who}: {what} must be a positive number, got {value!r}")
    return number


def share(amount: Fraction, part: Fraction, whole: Fraction) -> Fraction:
    """Return an amount's share of a part, to 18 decimals where it is no short fraction: the rest is what it leaves, so nothing is lost."""
    if part == whole or not amount:
        return amount
    exact = amount * part / whole
    return exact if exact.denominator < MOST else round(exact, DIGITS)


def price_of(symbol: str, price: object) -> float:
    """Return a price as a float, or say that it is none."""
    if math.isnan(known := numeric.positive(price)):
        raise ParameterError(f"Portfolio: the price of {symbol} must be a positive number, got {price!r}")
    return known

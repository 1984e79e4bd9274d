"""What is held, by group and in money: the exposure of a result or a portfolio, and which position carries the risk of the book."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from workbench.bars import Bars
from workbench.errors import ParameterError, did_you_mean
from workbench.instrument import Instrument, group_names
from workbench.portfolio import Portfolio
from workbench.rates import Rates, conversion

if TYPE_CHECKING:
    from workbench.research.result import Backtest

__all__ = ["Holdings", "holdings_of", "risk_contribution"]

SCOPES = ("net", "gross")


class Holdings(NamedTuple):
    """Positions and what one lot of each is worth, in account currency.

    Parameters
    ----------
    index : Index of length T
        The steps; one row of a portfolio.
    quantity, value, base : ndarray of shape (T, N) or (1, N)
        Signed quantities, what one lot is worth, and what one lot's base currency is worth (0 for anything but currency pairs);
        0 before an instrument's first close.
    equity : ndarray of length T
    """

    instruments: Sequence[Instrument]
    currency: str
    index: pd.Index
    quantity: np.ndarray
    value: np.ndarray
    base: np.ndarray
    equity: np.ndarray

    @property
    def notional(self) -> np.ndarray:
        """Signed value of each position, shape (T, N)."""
        return self.quantity * self.value

    def exposure(self, by: str = "currency", scope: str = "net") -> pd.DataFrame:
        """Return the exposure of each group, a column a group in the order of the instruments (SEMANTICS 30).

        The same sums in the same order as `Portfolio.exposure`, over all steps at once.
        """
        for said, given, choices in (("group", by, group_names(self.instruments)), ("scope", scope, SCOPES)):
            if given not in choices:
                raise ParameterError(f"exposure: unknown {said} {given!r}{did_you_mean(given, choices)}")
        total: dict[str, np.ndarray] = {}
        for j, instrument in enumerate(self.instruments):
            for group, (base, value) in instrument.legs(by).items():
                each = base * self.base[:, j] if base else 0.0
                held = self.quantity[:, j] * (each + value * self.value[:, j] if value else each)
                total[group] = total.get(group, np.zeros(len(self.index))) + (held if scope == "net" else np.abs(held))
        return pd.DataFrame(total, self.index, dtype=float)


def holdings_of(held: Backtest | Portfolio) -> Holdings:
    """Return what a result held at each close, or what a portfolio holds.

    Raises
    ------
    ParameterError
        It is neither.
    """
    if isinstance(held, Portfolio):
        quantities = [held.quantity(j) for j in range(len(held.symbols))]
        worth = np.array(held.price, dtype=float) * np.array(held.unit, dtype=float)
        quantity, value, base = (np.nan_to_num(np.array([row], dtype=float)) for row in (quantities, worth, held.base))
        return Holdings(held.instruments, held.currency, pd.RangeIndex(1), quantity, value, base, np.array([held.equity]))
    if not hasattr(held, "setup"):
        raise ParameterError(f"expected a Backtest or a wb.Portfolio, got {type(held).__name__}")
    setup, bars = held.setup, held.bars
    close = bars.close if bars.whole else bars.close.ffill()
    value = np.nan_to_num(close.to_numpy()) * np.nan_to_num(setup.conversion.unit)
    base = np.nan_to_num(setup.conversion.base)
    return Holdings(setup.instruments, setup.currency, bars.index, held.positions.to_numpy(), value, base, held.equity.to_numpy())


def risk_contribution(portfolio: Portfolio, bars: Bars, window: int = 250, rates: Rates | None = None) -> pd.DataFrame:
    r"""Return what each position adds to the standard deviation of the book, from one bar to the next.

    Euler's shares (Tasche, 1999): with values w and the covariance S of returns, position i carries w_i (S w)_i / sigma. They add
    up to sigma, the standard deviation of w; one below 0 hedges the others.

    Parameters
    ----------
    portfolio : Portfolio
    bars : Bars
        Of every instrument that is held. Returns run between the steps at which all of them have a bar: nothing is filled in.
    window : int, default 250
        The newest returns that are looked at.
    rates : optional
        As in `wb.backtest`; those of the portfolio where not given. What is paid in full (shares, coins) moves with its currency too.

    Returns
    -------
    DataFrame
        Indexed by symbol: `value` (signed), `alone` (its standard deviation without the others) and `contribution` in account
        currency, and `share` of the whole (they add up to 1); NaN where nothing moved. Empty where nothing is held.

    Raises
    ------
    ParameterError
        An instrument has no bars here, or there are too few of them.

    Examples
    --------
    >>> import workbench as wb
    >>> bars = wb.sample("sp500")
    >>> book = wb.Portfolio(cash=0, positions={bars.instruments[0]: 10}, prices={bars.symbols[0]: 1000})
    >>> risk_contribution(book, bars)["share"].round(9).tolist()
    [1.0]
    """
    if window < 2:
        raise ParameterError(f"risk_contribution: window must be at least 2 returns, got {window}")
    value = portfolio.positions["value"]
    if not len(value):
        return pd.DataFrame(columns=["value", "alone", "contribution", "share"], index=value.index, dtype=float)
    returns = _returns(portfolio, bars, list(value.index), window, rates)
    amounts = value.to_numpy()
    covariance = np.atleast_2d(np.cov(returns, rowvar=False))
    along = covariance @ amounts
    sigma = math.sqrt(max(float(amounts @ along), 0.0))
    contribution = amounts * along / sigma if sigma else np.full(len(amounts), np.nan)
    columns = {"value": amounts, "alone": np.abs(amounts) * np.sqrt(np.diag(covariance)), "contribution": contribution}
    return pd.DataFrame(columns | {"share": contribution / sigma if sigma else contribution}, value.index)


def _returns(portfolio: Portfolio, bars: Bars, symbols: list[str], window: int, rates: Rates | None) -> np.ndarray:
    """Return the newest returns of what is held, shape (window, N): of what is paid in full in account currency, else of its price."""
    missing = [symbol for symbol in symbols if symbol not in bars.symbols]
    if missing:
        raise ParameterError(f"risk_contribution: no bars of {missing[0]!r}, which is held{did_you_mean(missing[0], bars.symbols)}")
    columns = [bars.symbols.index(symbol) for symbol in symbols]
    unit = conversion(portfolio.currency, bars, rates if rates is not None else portfolio.rates).unit
    close = bars.array("close")
    paid = np.array([instrument.funded for instrument in bars.instruments])
    worth = np.where(paid, close * unit, close)[:, columns]
    known = worth[~np.isnan(worth).any(axis=1)]
    if len(known) <= window:
        raise ParameterError(
            f"risk_contribution: {window} returns need {window + 1} steps at which all that is held has a bar, got {len(known)}"
        )
    made: np.ndarray = (known[1:] / known[:-1] - 1.0)[-window:]
    return made

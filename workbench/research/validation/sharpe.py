"""The Sharpe ratio and what it is worth: everything per period, with raw kurtosis (that of a normal distribution is 3)."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np

from workbench.errors import ParameterError
from workbench.research.statistics import ratio
from workbench.research.validation.returns import returns_of

__all__ = [
    "Moments",
    "deflated_sharpe",
    "expected_best",
    "minimum_track_record",
    "moments",
    "probabilistic_sharpe",
    "probability",
    "sharpe",
]

#: A ratio so many standard errors from 0 is an annual Sharpe ratio of more than 3 over ten years: it looks annualised.
MOST_ERRORS = 10.0
EULER = 0.5772156649015329
NORMAL = NormalDist()


class Moments(NamedTuple):
    """What the significance of a Sharpe ratio rests on.

    Parameters
    ----------
    sharpe : float
        Per period.
    periods : int
        How many returns it was measured on.
    skew : float
    kurtosis : float
        Raw: 3 for a normal distribution.
    """

    sharpe: float
    periods: int
    skew: float
    kurtosis: float


def sharpe(returns: Any) -> float:
    """Return the Sharpe ratio per period: mean over standard deviation (ddof=1), without a risk-free rate.

    Parameters
    ----------
    returns : Series, array or Backtest
        One a period, as shares; NaN are left out. Of a Backtest, its daily returns.

    Returns
    -------
    float
        Multiply by the root of the periods in a year to annualise it. NaN below two returns or where they do not vary.

    Raises
    ------
    ParameterError
        Prices or equity instead of returns.

    Examples
    --------
    >>> round(sharpe([0.01, -0.01, 0.02, 0.0]), 6)
    0.387298
    """
    return ratio(returns_of(returns))


def moments(returns: Any) -> Moments:
    """Measure Sharpe ratio, number, skew and raw kurtosis of returns.

    Skew and kurtosis are those of the sample as it is (population moments), as in Bailey and Lopez de Prado (2012).

    Parameters
    ----------
    returns : Series, array or Backtest
        One a period, as shares; NaN are left out. Of a Backtest, its daily returns.

    Returns
    -------
    Moments
        NaN where the returns do not vary.

    Examples
    --------
    >>> moments([0.01, -0.01, 0.02, 0.0]).periods
    4
    """
    values = returns_of(returns)
    away = values - values.mean() if len(values) else values
    spread = math.sqrt(float(np.mean(away**2))) if len(values) > 1 else 0.0
    if not spread > 0 or math.isnan(ratio(values)):
        return Moments(math.nan, len(values), math.nan, math.nan)
    third, fourth = (float(np.mean((away / spread) ** power)) for power in (3, 4))
    return Moments(ratio(values), len(values), third, fourth)


def _moments_of(given: Any, benchmark: float = 0.0) -> Moments:
    """Return measured moments, or check given ones: a figure that looks annualised, or an excess kurtosis, is refused."""
    if isinstance(given, tuple):
        if len(given) != 4:
            raise ParameterError(f"expected returns, or (Sharpe ratio, periods, skew, kurtosis), got a tuple of {len(given)}")
        found = Moments(float(given[0]), int(given[1]), float(given[2]), float(given[3]))
        _refuse_annualised(found.sharpe, found.periods, "a Sharpe ratio")
    else:
        found = moments(given)
    if found.periods < 2:
        raise ParameterError(f"a Sharpe ratio is judged on at least two periods, got {found.periods}")
    if found.kurtosis < (1 + found.skew**2) * (1 - 1e-9):
        said = f"no distribution of skew {found.skew:g} has a kurtosis of {found.kurtosis:g}"
        raise ParameterError(f"{said}: is it the excess over 3? Give it raw, 3 for a normal distribution")
    _refuse_annualised(benchmark, found.periods, "a benchmark")
    return found


def _refuse_annualised(figure: float, periods: int, what: str) -> None:
    errors = abs(figure) * math.sqrt(max(periods, 0))
    if errors > MOST_ERRORS:
        said = f"{what} of {figure:g} over {periods} periods is {errors:.0f} standard errors"
        raise ParameterError(f"{said} and looks annualised: give it per period, divided by the root of the periods in a year")


def _variance(m: Moments) -> float:
    """Return the variance of the estimated Sharpe ratio, times the number of periods."""
    return 1.0 - m.skew * m.sharpe + (m.kurtosis - 1.0) / 4.0 * m.sharpe**2


def probability(m: Moments, benchmark: float) -> float:
    """Return the probability that the true Sharpe ratio is above a benchmark; both are taken as they are."""
    if math.isnan(m.sharpe):
        return math.nan
    # the variance is at least (1 - skew x sharpe / 2)^2, as kurtosis is at least 1 + skew^2; below 0 it is rounding
    error = math.sqrt(max(_variance(m), 0.0) / (m.periods - 1))
    return NORMAL.cdf((m.sharpe - benchmark) / error) if error else float(m.sharpe > benchmark)


def probabilistic_sharpe(returns: Any, benchmark: float = 0.0) -> float:
    """Return the probability that the true Sharpe ratio is above a benchmark, given length, skew and tails of the record.

    Parameters
    ----------
    returns : Series, array, Backtest or (Sharpe ratio, periods, skew, kurtosis)
        One return a period, NaN left out; or its `moments`, PER PERIOD and with raw kurtosis.
    benchmark : float, default 0
        Sharpe ratio per period.

    Returns
    -------
    float
        Between 0 and 1; NaN where the returns do not vary.

    Raises
    ------
    ParameterError
        Figures that look annualised (over 10 standard errors), an excess kurtosis, fewer than two periods.

    Notes
    -----
    Bailey and Lopez de Prado, The Sharpe Ratio Efficient Frontier, Journal of Risk 15(2), 2012.

    Examples
    --------
    >>> round(probabilistic_sharpe((0.1, 250, 0.0, 3.0)), 4)
    0.9423
    """
    return probability(_moments_of(returns, benchmark), benchmark)


def minimum_track_record(returns: Any, benchmark: float = 0.0, confidence: float = 0.95) -> float:
    """Return how many periods it takes until a record like this one beats the benchmark with some confidence.

    Parameters
    ----------
    returns : Series, array, Backtest or (Sharpe ratio, periods, skew, kurtosis)
        As for `probabilistic_sharpe`.
    benchmark : float, default 0
        Sharpe ratio per period.
    confidence : float, default 0.95

    Returns
    -------
    float
        Periods, not rounded; infinite where the ratio is not above the benchmark, NaN where the returns do not vary.

    Raises
    ------
    ParameterError
        As `probabilistic_sharpe`; a confidence outside (0.5, 1).

    Notes
    -----
    Bailey and Lopez de Prado (2012). Excess kurtosis, or none at all, makes it too short.

    Examples
    --------
    >>> round(minimum_track_record((0.1, 250, 0.0, 3.0)), 1)
    272.9
    """
    if not 0.5 < confidence < 1:
        raise ParameterError(f"confidence must lie between 0.5 and 1, got {confidence!r}")
    m = _moments_of(returns, benchmark)
    if m.sharpe <= benchmark:
        return math.inf
    return 1.0 + _variance(m) * (NORMAL.inv_cdf(confidence) / (m.sharpe - benchmark)) ** 2


def expected_best(trials: int, variance: float) -> float:
    """Return the Sharpe ratio that the best of so many trials without any skill is expected to show.

    Parameters
    ----------
    trials : int
        At least 1; of a single trial nothing is selected: 0.
    variance : float
        Of the trials' Sharpe ratios, per period.

    Returns
    -------
    float
        Per period.

    Notes
    -----
    Bailey and Lopez de Prado, The Deflated Sharpe Ratio, Journal of Portfolio Management 40(5), 2014.

    Examples
    --------
    >>> round(expected_best(100, 0.01), 4)
    0.2531
    """
    if isinstance(trials, bool) or not isinstance(trials, (int, np.integer)) or trials < 1:
        raise ParameterError(f"trials must be how many were run, a whole number of at least 1, got {trials!r}")
    if not 0 <= variance < math.inf:
        raise ParameterError(f"variance must be a number of at least 0, got {variance!r}")
    if trials == 1:
        return 0.0
    # of 1 - 1 / trials a float keeps less the more trials there are; the normal distribution is symmetric
    quantiles = -NORMAL.inv_cdf(1 / trials), -NORMAL.inv_cdf(1 / (trials * math.e))
    return math.sqrt(variance) * ((1 - EULER) * quantiles[0] + EULER * quantiles[1])


def deflated_sharpe(returns: Any, *, trials: int, variance: float) -> float:
    """Return the probability that the true Sharpe ratio is above what the best of so many trials would show by luck.

    Parameters
    ----------
    returns : Series, array, Backtest or (Sharpe ratio, periods, skew, kurtosis)
        Of the trial that was chosen, as for `probabilistic_sharpe`.
    trials : int
        How many were run, all of them (`Study` counts).
    variance : float
        Of the trials' Sharpe ratios, per period.

    Returns
    -------
    float
        Between 0 and 1; NaN where the returns do not vary.

    Raises
    ------
    ParameterError
        As `probabilistic_sharpe`; a variance that looks annualised.

    Notes
    -----
    Bailey and Lopez de Prado, The Deflated Sharpe Ratio, Journal of Portfolio Management 40(5), 2014.

    Examples
    --------
    >>> round(deflated_sharpe((0.1, 1250, 0.0, 3.0), trials=100, variance=0.0008), 4)
    0.8418
    """
    best = expected_best(trials, variance)
    m = _moments_of(returns)
    _refuse_annualised(math.sqrt(variance), m.periods, "a standard deviation of the trials' Sharpe ratios")
    return probability(m, best)

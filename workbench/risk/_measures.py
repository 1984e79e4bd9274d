"""What a series of returns could lose: the figures of the limits, for any returns."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from workbench.errors import ParameterError, did_you_mean
from workbench.past import empty_memory
from workbench.risk._losses import METHODS, NORMAL, loss_of, require_confidence

__all__ = ["expected_shortfall", "value_at_risk"]


def value_at_risk(returns: Any, confidence: float = 0.95, method: str = "historical") -> float:
    """Return the value at risk of a series of returns, positive for a loss; of one period.

    Parameters
    ----------
    returns : Series or array
        As shares, or money; NaN are left out.
    confidence : float, default 0.95
    method : {"historical", "gaussian", "modified"}, default "historical"
        As in `ValueAtRisk`: historical interpolates as numpy does, the others take the deviation with ddof 0.

    Returns
    -------
    float
        With a warning where Cornish and Fisher's expansion breaks down.

    Raises
    ------
    ParameterError
        Fewer than two returns, another method, a confidence outside of 0.5 to 1.

    Examples
    --------
    >>> round(value_at_risk([0.01, -0.02, 0.03, -0.01], 0.75), 4)
    0.0125
    """
    return _of(returns, confidence, method, 0.0)


def expected_shortfall(returns: Any, confidence: float = 0.95, method: str = "historical") -> float:
    """Return the expected shortfall of a series of returns, positive for a loss; of one period.

    Parameters, errors and methods as for `value_at_risk`.

    Examples
    --------
    >>> round(expected_shortfall([0.01, -0.02, 0.03, -0.01], 0.75), 4)
    0.02
    """
    return _of(returns, confidence, method, 1.0)


def _of(returns: Any, confidence: float, method: str, short: float) -> float:
    who = "expected_shortfall" if short else "value_at_risk"
    require_confidence(who, confidence)
    if method not in METHODS[:3]:
        raise ParameterError(
            f"{who}: method must be historical, gaussian or modified, got {method!r}{did_you_mean(str(method), METHODS[:3])}"
        )
    values = np.asarray(returns, dtype=float)
    values = values[~np.isnan(values)]
    if len(values) < 2:
        raise ParameterError(f"{who} needs at least two returns, got {len(values)}")
    n, part = len(values), 1.0 - confidence
    p = (float(n), part, NORMAL.inv_cdf(part), short, float(METHODS.index(method)))
    memory = empty_memory(3 * n + 20)
    memory[:n] = memoryview(values.copy())
    if math.isinf(loss_of(p, 1.0, n, memory)):
        warnings.warn(
            f"{who}: Cornish and Fisher's expansion breaks down for these returns, its quantiles do not rise with the probability "
            "(Maillard, 2012): take method='historical'",
            stacklevel=3,
        )
    return loss_of(p, 0.0, n, memory)

"""Whether what comes in, and what the model says of it, is still what it was trained on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from workbench.errors import ModelError
from workbench.models._card import Card

__all__ = ["drift"]

#: The usual bounds of the population stability index: a small shift, and a large one.
SMALL, LARGE = 0.10, 0.25
#: How unlikely a difference must be before it counts beside the index, which is noisy in small windows.
UNLIKELY = 0.01
#: Fewer rows than this say nothing.
LEAST = 100
#: A bin that is empty counts as this share, so that the index stays a number.
EMPTY = 1e-4


def drift(card: Card, table: pd.DataFrame, predictions: Any = None) -> pd.DataFrame:
    """Compare the newest rows with those that the model was trained on, feature by feature.

    The population stability index adds up (share now - share then) x log(share now / share then) over the deciles of then;
    Kolmogorov and Smirnov's statistic is the largest gap between the two distributions. Rows that follow each other are alike,
    which makes the p-value too small: a verdict needs both.

    Parameters
    ----------
    card : Card
    table : DataFrame of shape (rows, features)
        The newest rows, such as ``wb.features.table(features, bars).tail(500)``; NaN is left out.
    predictions : array or Series, optional
        What the model said of them.

    Returns
    -------
    DataFrame
        Index feature, the predictions last; columns rows, psi, ks, p_value, verdict: "stable", "drifting" (index from 0.10),
        "drifted" (from 0.25), or "too few rows" (below 100).

    Raises
    ------
    ModelError
        A feature of the model is missing in the table.

    References
    ----------
    Siddiqi, N. (2006). Credit Risk Scorecards. Wiley.
    """
    missing = [name for name in card.names if name not in table.columns]
    if missing:
        raise ModelError(f"drift needs all features of the model, {', '.join(missing)} missing")
    seen = {name: table[name].to_numpy() for name in card.names}
    if predictions is not None:
        seen["prediction"] = np.asarray(predictions, dtype=float)
    lines = {name: _line(np.asarray(card.quantiles[name]), values[np.isfinite(values)], card.rows) for name, values in seen.items()}
    found = pd.DataFrame.from_dict(lines, orient="index", columns=["rows", "psi", "ks", "p_value", "verdict"])
    return found.rename_axis("feature")


def _line(then: np.ndarray, now: np.ndarray, rows: int) -> tuple[int, float, float, float, str]:
    if len(now) < LEAST:
        return len(now), np.nan, np.nan, np.nan, "too few rows"
    from scipy.stats import ks_2samp, kstwobign

    # a hundred values stand for all rows of then: the gap is known to half a step, and as likely as between so many rows
    gap = max(float(ks_2samp(then, now).statistic) - 0.5 / len(then), 0.0)
    chance = float(kstwobign.sf(gap * np.sqrt(rows * len(now) / (rows + len(now)))))
    index = _stability(then, now)
    verdict = "stable" if index < SMALL or chance >= UNLIKELY else "drifting" if index < LARGE else "drifted"
    return len(now), index, gap, chance, verdict


def _stability(then: np.ndarray, now: np.ndarray) -> float:
    """Return the population stability index over the deciles of then; values that repeat share a bin."""
    edges = np.unique(np.quantile(then, np.arange(1, 10) / 10, method="inverted_cdf"))
    one, other = (_shares(values, edges) for values in (then, now))
    return float(((other - one) * np.log(other / one)).sum())


def _shares(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    counts = np.bincount(np.searchsorted(edges, values, side="left"), minlength=len(edges) + 1)
    return np.maximum(counts / len(values), EMPTY)

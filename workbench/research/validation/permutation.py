"""The permutation test: does a strategy find an order in the moves, or would any order do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from workbench.bars import FIELDS, Bars
from workbench.errors import ParameterError, did_you_mean
from workbench.research.engine import COMPILE_FROM, run_kernel
from workbench.research.result import Backtest
from workbench.research.running import run_session
from workbench.research.validation.distribution import PermutationTest, require_samples
from workbench.session.setup import set_up
from workbench.strategy import Strategy

__all__ = ["permutation_test", "permute_bars", "total_return"]


def total_return(result: Backtest) -> float:
    """Return what a backtest made of its cash, as a share: 0.1 is ten percent more."""
    return float(result.equity.iloc[-1]) / result.setup.cash - 1.0


def permute_bars(bars: Bars, seed: int = 0) -> Bars:
    """Return bars of the same moves in another order.

    A bar keeps its shape: the gap from the close before it to its open, and high, low and close relative to the open; and its volume.
    The first bar stays. So the returns are the same set, and the last close of an instrument is (but for rounding) its own.
    Instruments with the same labels are permuted alike, which keeps what they have in common; of others that is lost. Holes stay
    where they are, and outside series too: what they have to do with the moves is lost as well.

    Parameters
    ----------
    bars : Bars of shape (T, N)
    seed : int, default 0

    Returns
    -------
    Bars
        Made up, and labelled so. Prices are not rounded to ticks.

    Raises
    ------
    ParameterError
        A price of 0 or below.

    Notes
    -----
    Masters, Permutation and Randomization Tests for Trading System Development (2020), permutes gaps and bars apart; here a bar
    keeps its gap.

    Examples
    --------
    >>> import workbench as wb
    >>> bars = wb.simulate(bars=100, seed=1)
    >>> bool(abs(permute_bars(bars, seed=2).close.iloc[-1, 0] / bars.close.iloc[-1, 0] - 1) < 1e-12)
    True
    """
    random = np.random.default_rng(seed)
    cube = {name: bars.array(name).copy() for name in FIELDS}
    for columns, where, block in bars.blocks():
        order = np.concatenate([[0], 1 + random.permutation(len(block) - 1)]) if len(block) else np.arange(0)
        rows = np.arange(len(bars)) if isinstance(where, slice) else np.flatnonzero(where)
        for name, values in _reordered(block, order).items():
            cube[name][rows[:, None], np.array(columns)] = values
    source = f"simulated: the bars of {bars.source or 'a market'} in another order (seed={seed})"
    assumptions = (*bars.assumptions, "the order of the bars is made up")
    return Bars(bars.index, bars.instruments, bars.interval, cube, source, assumptions, bars.extra.held)


def _reordered(block: Bars, order: np.ndarray) -> dict[str, np.ndarray]:
    """Return the fields of bars without holes in another order, each bar opening with its own gap from the close before it."""
    first, high, low, close = (block.array(name) for name in FIELDS[:4])
    if (low <= 0).any():
        raise ParameterError("bars with prices of 0 or below cannot be permuted: a move is a share of the price before it")
    before = np.vstack([first[:1], close[:-1]])
    moves = (close / before)[order]
    closes = first[0] * np.cumprod(moves, axis=0)
    opens = np.vstack([first[:1], closes[:-1]]) * (first / before)[order]
    highs, lows = opens * (high / first)[order], opens * (low / first)[order]
    # of a bar that closes at its high the two products may differ in the last bit
    highs, lows = np.maximum(highs, np.maximum(opens, closes)), np.minimum(lows, np.minimum(opens, closes))
    return dict(zip(FIELDS, (opens, highs, lows, closes, block.array("volume")[order]), strict=True))


def permutation_test(
    strategy: Strategy,
    bars: Bars,
    statistic: str | Callable[[Backtest], float] = total_return,
    samples: int = 100,
    seed: int = 0,
    **how: Any,
) -> PermutationTest:
    """Run a strategy on its bars, and on many permutations of them.

    The null hypothesis is that the order of the moves does not matter: same distribution, same drift, no memory. A strategy that
    only holds what has risen does as well on any order, and gets a large p-value.

    Parameters
    ----------
    strategy : Strategy
        As it is: for one that was chosen among many, chance would have had to choose too, and the p-value flatters.
    bars : Bars
    statistic : str or callable, default `total_return`
        A row of `Backtest.stats`, or a function of a Backtest; the larger the better.
    samples : int, default 100
        The smallest p-value is 1 / (1 + samples).
    seed : int, default 0
    **how
        As `workbench.backtest` takes it: cash, costs, currency, rates, buying_power.

    Returns
    -------
    PermutationTest
        `.p_value`, `.observed`, `.values`. A sample without a figure (NaN) counts as good.

    Raises
    ------
    ParameterError
        An unknown statistic, one that has no figure on the bars themselves, fewer than three bars.

    Examples
    --------
    >>> import workbench as wb
    >>> strategy = wb.Strategy(wb.signals.MovingAverageCross(3, 8))
    >>> 0 < permutation_test(strategy, wb.simulate(bars=200, seed=1), samples=9).p_value <= 1
    True
    """
    require_samples(samples, seed)
    many = len(bars) * len(bars.instruments) * samples >= COMPILE_FROM
    observed = _run(strategy, bars, many, how)
    if len(bars) < 3:
        raise ParameterError(f"there is no other order of {len(bars)} bars: at least three are needed")
    figure, name = _figure_of(statistic, observed)
    if np.isnan(figure(observed)):
        raise ParameterError(f"{name} has no figure on these bars (NaN): choose another statistic, such as the total return")
    seeds = np.random.SeedSequence(seed).generate_state(samples, np.uint64)
    values = [figure(_run(strategy, permute_bars(bars, int(one)), many, how)) for one in seeds]
    return PermutationTest(name, figure(observed), np.array(values))


def _run(strategy: Strategy, bars: Bars, compiled: bool, how: dict[str, Any]) -> Backtest:
    """Backtest; many small runs pay for loading the compiled kernel as one large one does."""
    setup = set_up(strategy, bars, **how)
    return Backtest(setup, run_kernel(setup, compiled) if setup.rules.compiled else run_session(setup))


def _figure_of(statistic: Any, result: Backtest) -> tuple[Callable[[Backtest], float], str]:
    if callable(statistic):
        return lambda result: float(statistic(result)), getattr(statistic, "__name__", "statistic")
    figures = [name for name, value in result.stats.items() if isinstance(value, (int, float, np.number))]
    if statistic not in figures:
        raise ParameterError(f"statistic {statistic!r} is no figure of a backtest{did_you_mean(str(statistic), figures)}")
    return lambda result: float(result.stats[statistic]), str(statistic)

"""The same rules in vectorbt (Rust engine, index without a time zone) and in backtesting.py."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.loops import FAST, MULTIPLE, SLOW, WINDOW

__all__ = ["backtesting_py", "naive", "vectorbt_cross", "vectorbt_pairs", "vectorbt_portfolio", "vectorbt_risk", "vectorbt_stance"]


def naive(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the bars without their time zone: one makes vectorbt 40 times slower."""
    return frame.set_axis(frame.index.tz_localize(None))


def vectorbt_stance(frame: pd.DataFrame) -> np.ndarray:
    """Return where the fast mean lies above the slow one, one bar late: vectorbt fills in the bar of the signal."""
    import vectorbt as vbt  # noqa: F401 - puts `.vbt` on frames

    fast = frame["close"].vbt.rolling_mean(FAST, engine="rust").to_numpy()
    return late(fast > frame["close"].vbt.rolling_mean(SLOW, engine="rust").to_numpy())


def late(column: np.ndarray) -> np.ndarray:
    """Return a column one row later."""
    out = np.zeros_like(column)
    out[1:] = column[:-1]
    return out


def vectorbt_cross(frame: pd.DataFrame, above: np.ndarray | None, cash: float, fee: float, quantity: float) -> Any:
    """Hold one quantity while the fast mean is above the slow one; by signals of our own where given."""
    import vectorbt as vbt

    long = vectorbt_stance(frame) if above is None else above
    return vbt.Portfolio.from_signals(
        frame["close"], entries=long, exits=~long, price=frame["open"], size=quantity, fees=fee, init_cash=cash, engine="rust", freq="1min"
    )


def vectorbt_risk(frame: pd.DataFrame, above: np.ndarray | None, cash: float, fee: float, share: float) -> Any:
    """Risk a share of the cash to a stop at a multiple of the mean true range; enter at an upward crossing only."""
    import vectorbt as vbt

    long = vectorbt_stance(frame) if above is None else above
    first, high, low, close = (frame[name].to_numpy() for name in ("open", "high", "low", "close"))
    before = np.concatenate((close[:1], close[:-1]))
    ranges = pd.Series(np.maximum(high, before) - np.minimum(low, before), frame.index)
    distance = late(MULTIPLE * ranges.vbt.rolling_mean(WINDOW, engine="rust").to_numpy()) / first
    rising = long & ~late(long)
    rising[: SLOW + 1] = False
    return vbt.Portfolio.from_signals(
        frame["close"],
        entries=rising,
        exits=~long,
        price=frame["open"],
        open=frame["open"],
        high=frame["high"],
        low=frame["low"],
        size=np.where(rising, share * (1 + fee) / np.where(distance > 0, distance, 1.0), 0.0),
        size_type="percent",
        sl_stop=distance,
        stop_entry_price="fillprice",
        fees=fee,
        init_cash=cash,
        engine="rust",
        freq="1min",
    )


def vectorbt_portfolio(first: pd.DataFrame, close: pd.DataFrame, above: np.ndarray, cash: float, fee: float, share: float) -> Any:
    """Hold a share of equity of every symbol whose fast mean is above, cash shared."""
    import vectorbt as vbt

    turned = above != np.vstack((np.zeros_like(above[:1]), above[:-1]))
    size = np.where(turned, np.where(above, share, 0.0), np.nan)
    return vbt.Portfolio.from_orders(
        close,
        size=size,
        size_type="targetpercent",
        price=first,
        fees=fee,
        init_cash=cash,
        cash_sharing=True,
        group_by=True,
        engine="rust",
        freq="1D",
    )


def vectorbt_pairs(frame: pd.DataFrame, windows: Sequence[tuple[int, int]], cash: float, fee: float) -> Any:
    """Hold one unit while the fast mean is above the slow one, for all pairs at once: each mean once, a column a pair."""
    import vectorbt as vbt

    means = {n: frame["close"].vbt.rolling_mean(n, engine="rust").to_numpy() for n in sorted({n for pair in windows for n in pair})}
    long = np.column_stack([late(means[fast] > means[slow]) for fast, slow in windows])
    return vbt.Portfolio.from_signals(
        frame["close"], entries=long, exits=~long, price=frame["open"], size=1.0, fees=fee, init_cash=cash, engine="rust", freq="1min"
    )


def backtesting_py(frame: pd.DataFrame, above: np.ndarray | None, cash: float, fee: float) -> Any:
    """Return a backtesting.py test of the crossover with one unit, ready to run; by signals of our own where given."""
    from backtesting import Backtest, Strategy

    class Cross(Strategy):  # type: ignore[misc]
        """Long while the fast mean is above."""

        windows = (FAST, SLOW)

        def init(self) -> None:
            """Make the two means, or take the signals as the fast one."""
            fast, slow = self.windows
            self.fast = self.I(mean, self.data.Close, fast) if above is None else self.I(lambda: above)
            self.slow = self.I(mean, self.data.Close, slow) if above is None else self.I(lambda: np.zeros(len(above)))

        def next(self) -> None:
            """Decide at the close of a bar."""
            above = self.fast[-1] > self.slow[-1]
            if above and not self.position:
                self.buy(size=1)
            elif not above and self.position:
                self.position.close()

    named = naive(frame).rename(columns=str.capitalize)
    return Backtest(named, Cross, cash=cash, commission=fee, finalize_trades=False)


def mean(column: Any, window: int) -> pd.Series:
    """Return the mean of the last rows."""
    return pd.Series(column).rolling(window).mean()

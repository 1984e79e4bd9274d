"""Momentum of instruments against each other."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pandas as pd

from workbench import indicators
from workbench.bars import Bars
from workbench.errors import ParameterError
from workbench.signals._base import SignalGenerator
from workbench.signals._own_bars import before

__all__ = ["CrossSectionalMomentum"]


class CrossSectionalMomentum(SignalGenerator):
    """Long the instruments that rose most, short those that rose least, in equal weights; the others flat.

    Instruments with a bar and a known change are ranked by their change from `window` to `skip` bars ago; of equal changes
    the earlier in `Bars` ranks higher. The first `top` get 1 / `top`, the last `bottom` get -1 / `bottom`, and the rest 0.
    With a `band`, who has come within `band` ranks below the top without leaving it since keeps what it holds: the stance
    there is NaN (SEMANTICS 9), so that the book turns over less, and may hold up to `top` + `band` names. While fewer than
    `top` + `bottom` can be ranked there is no opinion.

    Parameters
    ----------
    window : int, default 252
        Bars back to the start of the change.
    skip : int, default 21
        Newest bars left out, because last month's winners tend to fall back; below `window`.
    top : int, default 1
        How many are held long.
    bottom : int, default 0
        How many are held short.
    band : int, default 0
        Ranks; the bands of both sides do not overlap.

    References
    ----------
    Jegadeesh, N. and Titman, S. (1993). Returns to buying winners and selling losers. Journal of Finance 48(1).
    Novy-Marx, R. and Velikov, M. (2016). A taxonomy of anomalies and their trading costs. Review of Financial Studies 29(1).

    Examples
    --------
    >>> import workbench as wb
    >>> bars = wb.simulate(["A", "B", "C"], bars=300, seed=1)
    >>> sorted(CrossSectionalMomentum(20, 0, top=2).stances(bars).iloc[-1])
    [0.0, 0.5, 0.5]
    """

    cross_sectional: ClassVar[bool] = True

    window: int = 252
    skip: int = 21
    top: int = 1
    bottom: int = 0
    band: int = 0

    @classmethod
    def example(cls) -> CrossSectionalMomentum:
        """Return a rule over a few weeks."""
        return cls(20, 2, band=1)

    def check(self) -> None:
        """Refuse an empty window, a skip that leaves nothing of it, and counts below zero."""
        if not 0 <= self.skip < self.window:
            raise ParameterError(
                f"CrossSectionalMomentum: skip must be at least 0 and below window, got window={self.window}, skip={self.skip}"
            )
        if self.top < 1 or self.bottom < 0 or self.band < 0:
            counts = f"top={self.top}, bottom={self.bottom}, band={self.band}"
            raise ParameterError(f"CrossSectionalMomentum: top must be at least 1, bottom and band at least 0, got {counts}")

    @property
    def lookback(self) -> int:
        """The window, the bar before it, and the bar before the newest."""
        return self.window + 2

    def generate(self, bars: Bars) -> pd.DataFrame:
        """Return the weights, 0 for the rest, NaN where what is held is kept, shape (T, N)."""
        if len(bars.symbols) < self.top + self.bottom:
            raise ParameterError(
                f"CrossSectionalMomentum(top={self.top}, bottom={self.bottom}) needs at least {self.top + self.bottom} instruments, "
                f"got {len(bars.symbols)}"
            )
        change = indicators.momentum(bars, self.window, self.skip).to_numpy()
        ranked = ~np.isnan(change)
        count = ranked.sum(axis=1, keepdims=True)
        best = np.where(ranked, _ranks(change), np.nan)
        worst = count + 1 - best
        weights = np.where(best <= self.top, 1.0 / self.top, np.where(worst <= self.bottom, -1.0 / max(self.bottom, 1), 0.0))
        spare = np.maximum(count - self.top - self.bottom, 0)
        room = np.minimum(self.band, spare // 2 if self.bottom else spare)
        kept = self._stayed(best <= self.top + room, bars) | (self._stayed(worst <= self.bottom + room, bars) & (self.bottom > 0))
        weights[(kept & (weights == 0)) | ~ranked | (count < self.top + self.bottom)] = np.nan
        return bars.laid_out(weights)

    def _stayed(self, inside: np.ndarray, bars: Bars) -> np.ndarray:
        """Return who is within the band and was at its bar before: who comes in from outside holds nothing to keep."""
        return inside & (before(bars.laid_out(inside * 1.0), bars) > 0)


def _ranks(change: np.ndarray) -> np.ndarray:
    """Return the place of each number in its row, 1 for the largest; of equals the earlier comes first, NaN last."""
    order = np.argsort(-change, axis=1, kind="stable")
    ranks = np.empty(change.shape)
    np.put_along_axis(ranks, order, np.arange(1.0, change.shape[1] + 1)[None, :], axis=1)
    return ranks

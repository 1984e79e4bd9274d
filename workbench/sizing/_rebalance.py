"""When a sizer may resize what is held (SEMANTICS 13)."""

from __future__ import annotations

import math

from workbench.component import Component
from workbench.errors import ParameterError
from workbench.interval import nanoseconds

__all__ = ["Rebalance"]


class Rebalance(Component):
    """Has the sizer size what is held anew, at the first close of each interval; the difference is traded where it exceeds the band.

    What becomes larger passes the limits like an opening; what becomes smaller is never cut. Stop and target stay where they are, for the
    quantity that is held then. Without it a size is set at entry and kept.

    Parameters
    ----------
    every : str, default "1D"
        ``"1h"``, ``"1D"``, ``"7D"`` (weeks begin on Monday); days turn at 00:00 UTC.
    band : float, default 0.1
        Share of what is held; 0 trades every difference.

    Examples
    --------
    >>> Rebalance("7D", band=0.2)
    Rebalance(every='7D', band=0.2)
    """

    every: str = "1D"
    band: float = 0.1

    def check(self) -> None:
        """Refuse what is no interval and no share."""
        nanoseconds(self.every)
        if not 0 <= self.band < math.inf:
            raise ParameterError(f"Rebalance: band is a share of what is held, 0 or more (0.1 = ten percent), got {self.band!r}")

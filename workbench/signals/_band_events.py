"""What happens between a price and the bands about it."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd

from workbench.bars import Bars
from workbench.indicators import Bands, compare
from workbench.signals._own_bars import earlier

__all__ = ["band_events"]


def band_events(bars: Bars, bands: Bands, mode: Literal["reversion", "breakout"]) -> pd.DataFrame:
    """Return the stance at the events: beyond a band, with it (breakout) or against it (reversion); 0 on reaching the middle.

    Who is beyond a band lies on one side of the middle. So whatever was opened there is closed at the first bar whose close
    reaches the middle or lies on its other side, and no more than the bar before needs to be remembered.
    """
    above, below, side = (compare(bars.close, band).to_numpy() for band in (bands.upper, bands.lower, bands.mid))
    before = earlier(side)
    reached = (side != before) & ~np.isnan(before)
    beyond = 1.0 if mode == "breakout" else -1.0
    events = np.where(above > 0, beyond, np.where(below < 0, -beyond, np.where(reached, 0.0, np.nan)))
    return bars.laid_out(events)

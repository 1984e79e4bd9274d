"""Real bars out of the box: daily indices from the data that the `arch` package carries."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pandas as pd

from workbench.bars import Bars
from workbench.errors import DataError, did_you_mean
from workbench.instrument import Instrument

__all__ = ["sample"]

#: Name: symbol, what it is.
SAMPLES = {"sp500": ("SPX", "S&P 500"), "nasdaq": ("IXIC", "Nasdaq Composite")}


def sample(name: str = "sp500") -> Bars:
    """Return real daily bars of 1999 to 2018 without a file or a network.

    Parameters
    ----------
    name : {"sp500", "nasdaq"}, default "sp500"

    Returns
    -------
    Bars
        5,031 daily bars of the index, as a contract for difference in USD with 0.01 ticks.

    Raises
    ------
    DataError
        An unknown name, or the `arch` package is not installed.

    Examples
    --------
    >>> sample("sp500").shape
    (5031, 1)
    """
    if name not in SAMPLES:
        raise DataError(f"no sample {name!r}{did_you_mean(str(name), SAMPLES)}")
    symbol, spoken = SAMPLES[name]
    table = pd.read_csv(_folder() / name / f"{name}.csv.gz")
    index = pd.DatetimeIndex(pd.to_datetime(table.pop("Date"), format="%m/%d/%Y"), name="timestamp").tz_localize("UTC")
    frame = table.rename(columns=str.lower).set_axis(index).drop(columns="adj close")
    instrument = Instrument(symbol, asset_class="index", kind="cfd", quote="USD", tick_size=0.01, region="US")
    source = f"{spoken}, daily, 1999-2018, from the arch package"
    return Bars.from_frames({symbol: frame}, interval="1D", instruments=[instrument], source=source, assumptions=ASSUMPTIONS)


ASSUMPTIONS = ("labels are New York session dates", "the index is traded as a contract for difference; its dividends are not in it")


def _folder() -> Path:
    """Return the data folder of `arch` without importing it, which would take seconds."""
    found = importlib.util.find_spec("arch")
    if found is None or not found.submodule_search_locations:
        raise DataError("the sample bars come with the package arch, which is not installed: pip install arch")
    return Path(found.submodule_search_locations[0]) / "data"

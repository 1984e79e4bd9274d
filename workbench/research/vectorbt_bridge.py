"""A vectorbt Portfolio made of a result's fills (the only importer of vectorbt)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.research.trips import quantities

if TYPE_CHECKING:
    from workbench.research.result import Backtest

__all__ = ["portfolio_of"]


def portfolio_of(result: Backtest) -> Any:
    """Return a vectorbt Portfolio with one column a symbol and shared cash.

    Prices are in account currency, at the rate of each fill. The index is UTC without its zone: vectorbt is 40 times
    slower with one. vectorbt knows no margin, so what a margined position ties up shows there as cash spent; equity and
    trades agree wherever conversion rates do not move, no funding is paid and no fee is taken from what was bought.

    Parameters
    ----------
    result : Backtest

    Returns
    -------
    vectorbt.Portfolio
    """
    import vectorbt as vbt
    from vectorbt.base.array_wrapper import ArrayWrapper
    from vectorbt.portfolio.enums import log_dt, order_dt

    setup, fills = result.setup, result.record.fills
    index = result.bars.index.tz_localize(None)
    wrapper = ArrayWrapper(index, result.bars.symbols, 2, freq=result.bars.interval, group_by=np.zeros(len(result.bars.symbols), int))
    close = result.bars.close.ffill().to_numpy() * setup.conversion.unit
    order = np.lexsort((np.arange(len(fills)), fills["t"], fills["j"]))
    rows = fills[order]
    records = np.zeros(len(rows), order_dt)
    records["id"] = np.arange(len(rows))
    records["col"], records["idx"] = rows["j"], rows["t"]
    records["size"] = np.abs(quantities(setup, rows, "lots"))
    records["price"] = rows["price"] * rows["unit"]
    records["fees"] = rows["fee"]
    records["side"] = (rows["lots"] < 0).astype(int)
    frame = wrapper.wrap(close, group_by=False)
    return vbt.Portfolio(wrapper, frame, records, np.zeros(0, log_dt), np.array([setup.cash]), cash_sharing=True)

"""How the trained models inside a part do on the newest bars: what they refuse to predict, and what has drifted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench import features as room
from workbench.bars import Bars
from workbench.component import Component
from workbench.component_text import parts_inside
from workbench.models import drift, one_number
from workbench.signals._higher_timeframe import HigherTimeframe
from workbench.signals._trained import TrainedSignal

__all__ = ["Health", "health"]

#: Rows (bars x instruments) that are looked at. In shorter windows the population stability index finds drift where there is none:
#: rows that follow each other are alike.
ROWS = 2_000
#: Of so many instruments that this is less than a few bars, a few bars.
LEAST = 5


@dataclass(frozen=True, slots=True)
class Health:
    """How one model does on the newest bars.

    Parameters
    ----------
    model : str
        The class of its signal, and the model's id.
    expired : str
        Since when it may not be used any more, where the newest bar lies behind that; else empty.
    refused : dict of str to str
        Why it predicts nothing of the newest bar of an instrument, by symbol.
    reasons : dict of str to int
        How often it predicted nothing since the first live bar, by reason, as far back as is looked at.
    asked : int
        How many bars that were.
    drifted : dict of str to float
        The population stability index of features, and of the predictions, that have drifted (`wb.models.drift`).
    """

    model: str
    expired: str
    refused: dict[str, str]
    reasons: dict[str, int]
    asked: int
    drifted: dict[str, float]


def health(part: Component, bars: Bars, since: int = 0) -> Iterator[Health]:
    """Yield how each trained model inside a strategy or a signal does on the newest bars.

    Parameters
    ----------
    part : Component
    bars : Bars
        As the part is given them.
    since : int, default 0
        The label of the first live bar, in nanoseconds: refusals are counted from there on.

    Examples
    --------
    >>> import workbench as wb
    >>> [one.drifted for one in health(wb.signals.Classifier.example(), wb.simulate("A", bars=60, seed=1))]
    [{}]
    """
    given = part.coarser(bars) if isinstance(part, HigherTimeframe) else bars
    if not len(given):
        return
    if isinstance(part, TrainedSignal):
        yield _of(part, given, since)
    for inner in parts_inside(part):
        yield from health(inner, given, since)


def _of(signal: TrainedSignal, bars: Bars, since: int) -> Health:
    card = signal.trained.card
    rows = room.table(signal.columns(), bars, max(ROWS // bars.shape[1], LEAST))
    labels = pd.DatetimeIndex(rows.index.get_level_values("timestamp"))
    reasons = signal.reasons(rows, labels)
    newest, live = labels == bars.index[-1], labels.as_unit("ns").asi8 >= since
    symbols = rows.index.get_level_values("symbol")
    return Health(
        model=f"{type(signal).__name__} {signal.trained.id}",
        expired=card.expires if card.expires is not None and card.expired(bars.index[-1:])[0] else "",
        refused={str(symbol): str(why) for symbol, why in zip(symbols[newest], reasons[newest], strict=True) if why},
        reasons=dict(Counter(str(why) for why in reasons[live] if why)),
        asked=int(live.sum()),
        drifted=_drifted(signal, rows),
    )


def _drifted(signal: TrainedSignal, rows: pd.DataFrame) -> dict[str, float]:
    """Return the index of each feature, and of the predictions, whose verdict is that it has drifted."""
    model, known = signal.trained, rows[np.isfinite(rows.to_numpy()).all(axis=1)]
    if set(model.card.names) - set(model.card.quantiles):
        return {}  # a card that was written without them
    found = drift(model.card, rows, one_number(model.predict(known), model.card.classes))
    return {str(name): round(float(line.psi), 4) for name, line in found.iterrows() if line.verdict == "drifted"}

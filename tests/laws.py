"""The laws that every part keeps, as plain functions: each takes a part and raises `AssertionError` with what broke it.

Causality and parity are `wb.check_causality` and `wb.check_parity`, which users call too.
"""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone as sklearn_clone

from workbench import Bars, check_causality
from workbench.component import Component, all_components, clone
from workbench.component_text import parts_of, round_trip
from workbench.exits import AtrStop, Exit
from workbench.features import Feature
from workbench.research.comparing import compare
from workbench.research.engine import run_kernel
from workbench.research.running import run_session
from workbench.session.record import Record
from workbench.session.setup import Setup
from workbench.signals import MovingAverageCross, SignalGenerator
from workbench.strategy import Strategy

WAYS: dict[str, Callable[[Any], Any]] = {
    "clone": clone,
    "sklearn.clone": sklearn_clone,
    "deepcopy": copy.deepcopy,
    "pickle": lambda part: pickle.loads(pickle.dumps(part)),
    "text": round_trip,
}


def examples(*bases: type) -> list[Any]:
    """Return an example of every shipped part of these kinds: a part added later is among them unasked."""
    return [cls.example() for base in bases for cls in all_components(base)]  # type: ignore[attr-defined]


def named(part: Any) -> str:
    return type(part).__name__


def outputs(part: Any, bars: Bars) -> dict[str, np.ndarray]:
    """Return what a signal, an exit or a strategy makes of bars, the way a strategy asks for it."""
    if isinstance(part, Strategy):
        return {name: values for name, values in part.inputs(bars)._asdict().items() if values is not None}
    if isinstance(part, Feature):
        return {"feature": part.values(bars)}
    if isinstance(part, SignalGenerator):
        return {"stance": part.stances(bars).to_numpy()}
    found = as_strategy(part).inputs(bars)
    return {part.kind: np.asarray(getattr(found, part.kind))}


def as_strategy(part: Exit) -> Strategy:
    """Return a strategy with this exit; a target stands beside a stop, of which it may be a multiple."""
    return Strategy(MovingAverageCross(), exits=[part] if part.kind == "stop" else [AtrStop(5), part])


def bars_needed(part: Any) -> int:
    """Return the look-back of a part, with that of the stop that a target may be a multiple of."""
    return max(e.lookback for e in as_strategy(part).exits) if isinstance(part, Exit) else int(part.lookback)


def remembers_all(part: Component) -> bool:
    """Return whether it, or a part in it, holds opinions for good: its look-back is then the anchor's (SEMANTICS 40)."""
    return any("hold" in inner.get_params(deep=False) and inner.get_params(deep=False)["hold"] is None for inner in parts_of(part))


def require_equal(left: np.ndarray, right: np.ndarray, what: str) -> None:
    """Require numbers that are equal to the last bit, NaN where NaN is."""
    unequal = np.argwhere(~((left == right) | (np.isnan(left) & np.isnan(right))))
    where = tuple(unequal[0]) if len(unequal) else ()
    assert not len(unequal), f"{what}: {len(unequal)} values differ, first at {where}: {left[where]!r} against {right[where]!r}"


# -- law 1: causality -------------------------------------------------------------------------------------------------


def causality(part: Component, bars: Bars, cuts: int = 25) -> None:
    """What a part says of a bar does not change when later bars come."""
    check_causality(part, bars, cuts).require()
    whole = outputs(part, bars)
    for t in np.random.default_rng(1).integers(0, len(bars), 5):
        for name, values in outputs(part, bars.iloc[: t + 1]).items():
            require_equal(values, whole[name][: t + 1], f"{named(part)}: {name} up to step {t}")


def grouping(part: Any, bars: Bars) -> None:
    """What a part says of one instrument does not depend on which others are there (SEMANTICS 4)."""
    if getattr(part, "cross_sectional", False):
        return
    together = outputs(part, bars)
    for column, symbol in enumerate(bars.symbols):
        rows = bars.present[:, column]
        for name, values in outputs(part, bars[[symbol]]).items():
            require_equal(values[:, 0], together[name][rows, column], f"{named(part)}: {name} of {symbol} alone and among others")


def warm_up(part: Any, bars: Bars) -> None:
    """Nothing is said in the warm-up, nor where an instrument has no bar (SEMANTICS 3, 6)."""
    for name, values in outputs(part, bars).items():
        assert np.isnan(values[~bars.present]).all(), f"{named(part)}: {name} where there is no bar"
        if isinstance(part, SignalGenerator) and not part.cross_sectional:
            early = bars.present & (np.cumsum(bars.present, axis=0) < part.lookback)
            assert np.isnan(values[early]).all(), f"{named(part)}: {name} before its look-back of {part.lookback} bars"


def lookback(part: Any, bars: Bars) -> int:
    """Bars older than the look-back change no output by more than 1e-9 of it (SEMANTICS 6); return how often that was tried."""
    tried, need = 0, bars_needed(part)
    for alone in apart(part, bars):
        for start in (1, 7, len(alone) // 2):
            if start + need <= len(alone):
                later, whole = outputs(part, alone.iloc[start:]), outputs(part, alone)
                for name in whole:
                    _require_near(later[name][need - 1 :], whole[name][start + need - 1 :], f"{named(part)}: {name} from bar {start} on")
                    tried += 1
    return tried


def apart(part: Any, bars: Bars) -> list[Bars]:
    """Return each instrument by itself; for a part that compares them all together, where every one has a bar."""
    if getattr(part, "cross_sectional", False):
        return [bars.take(bars.present.all(axis=1))]
    return [bars[[symbol]] for symbol in bars.symbols]


def _require_near(left: np.ndarray, right: np.ndarray, what: str) -> None:
    far = np.argwhere(~np.isclose(left, right, rtol=1e-9, atol=0.0, equal_nan=True))
    assert not len(far), f"{what}: {left[tuple(far[0])]!r} against {right[tuple(far[0])]!r} with older bars"


# -- law 2: replay ----------------------------------------------------------------------------------------------------


def replay(setup: Setup) -> tuple[Record, pd.DataFrame]:
    """Research, plain and compiled, and the Session do the same to the last bit; return the record and the differences."""
    record = run_kernel(setup, compiled=False)
    found = [compare(record, other, setup.bars) for other in (run_kernel(setup, compiled=True), run_session(setup))]
    differences = pd.concat(found, ignore_index=True)
    return record, differences


def same_bits(left: Record, right: Record) -> None:
    """Require every field of every row, in the same sequence, to the last bit; also those that `compare` leaves out."""
    for (name, mine), (_, theirs) in zip(_columns(left), _columns(right), strict=True):
        assert _bits(mine) == _bits(theirs), f"{name} differs between {left.engine} and {right.engine}"


def _columns(record: Record) -> Iterator[tuple[str, np.ndarray]]:
    for kind in ("orders", "fills", "decisions"):
        rows = getattr(record, kind)
        yield from ((f"{kind}.{field}", rows[field]) for field in rows.dtype.names)
    yield "equity", record.equity
    yield "cash", np.array([record.cash])


def _bits(values: np.ndarray) -> bytes:
    return np.where(np.isnan(values), np.nan, values).tobytes() if values.dtype.kind == "f" else values.tobytes()


# -- law 3: round trip ------------------------------------------------------------------------------------------------


def comes_back(part: Any, way: str) -> Any:
    """Return the part after a way of copying: another object of the same class with the same parameters."""
    twin = WAYS[way](part)
    assert twin is not part
    assert type(twin) is type(part)
    assert repr(twin) == repr(part), f"{way} made {twin!r} of {part!r}"
    assert list(twin.get_params()) == list(part.get_params())
    return twin


def decides_alike(part: Any, twin: Any, bars: Bars) -> None:
    """The copy says the same of the same bars."""
    mine, theirs = outputs(part, bars), outputs(twin, bars)
    assert mine.keys() == theirs.keys()
    for name in mine:
        require_equal(mine[name], theirs[name], f"{named(part)} and its copy: {name}")

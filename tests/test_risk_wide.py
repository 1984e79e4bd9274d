"""Limits over more instruments than one block of sums holds: nothing that is kept between decisions changes one (SEMANTICS 20, 33)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import laws
import workbench as wb
from workbench.past import AT, History, empty_memory, empty_past
from workbench.research.running import run_session
from workbench.risk import ExpectedShortfall, MaxExposure, MaxLeverage, MaxVolatility, RiskManager, ValueAtRisk
from workbench.risk._returns import filtered_returns, own_returns
from workbench.risk._scenarios import BLOCK, blocks_of, kept_places
from workbench.session.setup import set_up

WINDOW, SYMBOLS = 12, 2 * BLOCK + 6
TRADED = [wb.Instrument(f"S{j:02d}", "equity", quote="USD", quantity_step=1e-6, can_short=True) for j in range(SYMBOLS)]
NAMES = [one.symbol for one in TRADED]
LOSSES: list[Any] = [
    *(ValueAtRisk(0.004, 0.9, method, WINDOW) for method in ("historical", "gaussian", "filtered")),
    ExpectedShortfall(0.005, 0.9, window=WINDOW),
    *(MaxVolatility(0.05, method, WINDOW) for method in ("sample", "ewma", "shrunk")),
]


class Follow(wb.signals.SignalGenerator):
    """Long after a rise, short after a fall."""

    def generate(self, bars: wb.Bars) -> pd.DataFrame:
        return np.sign(bars.close.diff())


def market(missing: float = 0.0) -> wb.Bars:
    return wb.simulate(NAMES, interval="1D", bars=40, seed=5, instruments=TRADED, correlation=0.3, missing=missing)


def name_of(part: RiskManager) -> str:
    return f"{type(part).__name__}, {getattr(part, 'method', '')}"


@pytest.mark.parametrize("missing", [0.0, 0.002], ids=["whole", "holes"])
@pytest.mark.parametrize("part", LOSSES, ids=name_of)
def test_sums_that_are_kept_are_those_made_anew(part: Any, missing: float) -> None:
    bars, random = market(missing), np.random.default_rng(3)
    returns = filtered_returns(bars) if name_of(part).endswith("filtered") else own_returns(bars)
    series, days, memory, past = returns.T.ravel().tolist(), list(range(len(bars))), part.memory(SYMBOLS), empty_past()
    p, one, zero = (*part.parameters(TRADED, "USD"), float(part.scratch), 0.0), [1.0] * SYMBOLS, [0.0] * SYMBOLS
    hi, price, found = (random.normal(0.0, 1.0, SYMBOLS) * (random.random(SYMBOLS) < 0.7)).tolist(), [100.0] * SYMBOLS, []
    for k in range(120):
        past[AT] = float(30 + k // 40)  # some decisions of a step, then another step
        j, side = int(random.integers(SYMBOLS)), float(random.choice([-1, 1]))
        book = (j, side, 1e6, hi, hi, price, one, zero)
        kept = part.decision(p, (0.0,), *book, History(past, series, days, memory))
        assert kept == part.decision(p, (0.0,), *book, History(past, series, days, part.memory(SYMBOLS)))
        hi[j] += side * min(max(kept, 0.0), 5.0)
        found.append(kept)
    assert max(found) > 0.0


@pytest.mark.parametrize("missing", [0.0, 0.002], ids=["whole", "holes"])
def test_kernel_and_session_agree_over_many_blocks(missing: float) -> None:
    losses = [ValueAtRisk(0.001, 0.9, "historical", WINDOW), ValueAtRisk(0.00098, 0.9, "gaussian", WINDOW)]
    exposures = [MaxExposure(0.5, of="equity"), MaxExposure(0.01, by="instrument", of="equity")]
    limits = [*losses, ExpectedShortfall(0.0012, 0.9, window=WINDOW), MaxLeverage(0.9), *exposures]
    setup = set_up(wb.Strategy(Follow(), wb.sizing.FixedFraction(1 / 50), risk=limits), market(missing), 1e6)
    record, differences = laws.replay(setup)
    assert differences.empty
    laws.same_bits(record, run_session(setup))
    before = np.column_stack([record.decisions["asked"], record.decisions["after"][:, :5]])
    cut = np.sum(record.decisions["after"][:, :6] < before, axis=0)
    assert min(cut[[0, 1, 5]]) > 10


def test_each_limit_keeps_its_sums_to_itself() -> None:
    rules = wb.Strategy(Follow(), risk=[LOSSES[0], MaxLeverage(2), LOSSES[3]]).bind(TRADED, "USD")
    begins = [int(rules.limit_p[k][-2]) for k in (0, 2)]
    assert begins[0] == LOSSES[0].scratch
    assert begins[1] - begins[0] == rules.room - begins[1] == kept_places(SYMBOLS, WINDOW)
    assert [blocks_of(n) for n in (1, BLOCK, BLOCK + 1)] == [1, 1, 2]


def test_a_part_of_a_memory_is_no_copy() -> None:
    memory = empty_memory(6)
    memory[2:4][1] = 5.0
    assert memory.tolist() == [0.0, 0.0, 0.0, 5.0, 0.0, 0.0]


@pytest.mark.parametrize("scope", ["net", "gross"])
def test_an_exposure_of_many_groups_is_that_of_each_group_alone(scope: Any) -> None:
    random = np.random.default_rng(8)
    traded = [wb.Instrument(f"S{j}", "equity", quote="USD", tags={"sector": f"G{random.integers(5)}"}) for j in range(40)]
    most = {f"G{g}": float(random.uniform(500, 4_000)) for g in range(5)}
    hi, price, zero = random.normal(0.0, 3.0, 40).tolist(), random.uniform(10, 90, 40).tolist(), [0.0] * 40

    def room(limit: dict[str, float], j: int, side: float) -> float:
        part = MaxExposure(limit, by="sector", scope=scope)
        p, table = part.parameters(traded, "USD"), part.table(traded, "USD")
        return float(part.decision(p, table, j, side, 1e6, hi, hi, price, [1.0] * 40, zero, None))

    for j in range(40):
        for side in (1.0, -1.0):
            assert room(most, j, side) == min(room({group: limit}, j, side) for group, limit in most.items())

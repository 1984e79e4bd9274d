"""Law 2 for every sizer with every exit and every limit, market and limit orders by turns: kernel and Session agree to the last bit."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
import pytest
from markets import DRAWN, RATES, drawn, market_for, shipped

import workbench as wb
from workbench.execution import ExecutionAlgorithm
from workbench.exits import AtrStop, Exit
from workbench.research.comparing import compare
from workbench.research.engine import run_kernel
from workbench.research.running import run_session
from workbench.risk import RiskManager
from workbench.session.setup import set_up
from workbench.sizing import PositionSizer

SIZERS, EXITS, LIMITS = shipped(PositionSizer), [None, *shipped(Exit)], [None, *shipped(RiskManager)]
#: Rows of the market that each of them trades.
ROWS = 90


def part(kind: Any, rng: np.random.Generator) -> Any:
    return DRAWN.get(kind, lambda _: kind.example())(rng)


def strategies(sizer: type, exit: type | None) -> Iterator[wb.Strategy]:
    """Yield a strategy for each limit; what needs a stop has one."""
    for number, limit in enumerate(LIMITS):
        rng = np.random.Generator(np.random.PCG64([SIZERS.index(sizer), EXITS.index(exit), number]))
        size, exits = part(sizer, rng), [] if exit is None else [part(exit, rng)]
        if not {"stop", "trail"} & {one.kind for one in exits} and (size.needs_stop or any(one.kind == "even" for one in exits)):
            exits.append(AtrStop(5, 1.0))
        risk = [] if limit is None else [part(limit, rng)]
        yield wb.Strategy(wb.signals.Breakout(2 + number % 3), size, exits, risk, drawn(rng, ExecutionAlgorithm))


@pytest.mark.parametrize(("sizer", "exit"), list(product(SIZERS, EXITS)), ids=lambda kind: "none" if kind is None else kind.__name__)
def test_kernel_and_session_agree_with_every_limit(sizer: type, exit: type | None) -> None:
    orders = 0
    for number, strategy in enumerate(strategies(sizer, exit)):
        bars = market_for(strategy, number).iloc[:ROWS]
        setup = set_up(strategy, bars, 50_000.0, currency="USD", rates=RATES, buying_power=bool(number % 2))
        assert setup.rules.compiled
        record = run_kernel(setup)
        differences = compare(record, run_session(setup), bars)
        assert differences.empty, f"{strategy!r}:\n{differences.head(5).to_string()}"
        orders += len(record.orders)
    assert orders > 20


def test_it_is_every_part() -> None:
    assert (len(SIZERS), len(EXITS) - 1, len(LIMITS) - 1) >= (9, 6, 10)

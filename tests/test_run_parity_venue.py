"""The parity report of runs at a venue that refuses orders or takes less: what follows from it has the venue as its cause."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from paper_serving import Runs, Serving
from run_worlds import BARS, FREE, HISTORY, PARTS, STRATEGY

import workbench as wb
from workbench.errors import StrategyError
from workbench.execution import Limit
from workbench.live.parity import BUG, VENUE, parity
from workbench.live.release import Release, promote


@pytest.mark.parametrize(
    ("troubles", "unsupported"),
    [({"supports": {"market", "limit"}}, "hold"), ({"rejects": 0.4, "seed": 2}, "refuse")],
    ids=["simple", "rejects"],
)
def test_what_a_venue_does_not_take_is_its_doing(tmp_path: Path, troubles: dict[str, Any], unsupported: str) -> None:
    strategy = wb.Strategy(*PARTS, execution=Limit(0.0002, 2, "cross"), unsupported=unsupported)
    serving = Serving(tmp_path, BARS.iloc[:60], HISTORY, **troubles).start()
    runs = Runs(serving, strategy)
    for _ in range(3):
        runs.run(once=True)
    runs.run()
    report = parity(Release.open(promote(strategy, BARS, "run", costs=FREE, folder=tmp_path)), runs.journal)
    assert set(report.causes) == {VENUE}
    assert report.equity[BUG] == 0.0
    serving.stop()
    runs.journal.close()


def test_a_venue_that_does_not_take_what_a_run_asks_for_is_refused_with_the_list(tmp_path: Path) -> None:
    serving = Serving(tmp_path, BARS.iloc[:60], HISTORY, supports={"market"}).start()
    runs = Runs(serving, STRATEGY)
    with pytest.raises(StrategyError, match=r"cannot do what the strategy asks for: .*stop orders \(AtrStop\)"):
        runs.run()
    assert list(runs.journal.entries("intent")) == []
    serving.stop()
    runs.journal.close()

"""Strategies that ask a person before they open, and what people say to them."""

from __future__ import annotations

from typing import Any

from paper_worlds import Fed, state_of
from worked import market, plan

import workbench as wb

LEVEL = (100, 100.5, 99.5, 100, 1e5)
SECOND = 1_000_000_000
HOURLY = wb.sizing.Rebalance("1h", band=0.0)


def asking(stances: str, seconds: float = 60.0, on_silence: Any = "skip", **parts: Any) -> wb.Strategy:
    made = plan(*stances.split(), **({"quantity": 10.0} | parts))
    asked: dict[str, Any] = {"approval": seconds, "on_silence": on_silence, "rebalance": made.rebalance, "late_entries": made.late_entries}
    return wb.Strategy(made.signal, made.sizer, made.exits, made.risk, made.execution, **asked)


def fed(strategy: wb.Strategy, rows: int = 12) -> Fed:
    return Fed(strategy, market([LEVEL] * rows), 1)


def say(run: Fed, what: str, **body: Any) -> str:
    answer = run.order(what, **body)
    require_same_again(run)
    return f"{answer.state}: {answer.text}"


def require_same_again(run: Fed) -> None:
    again = run.again()[0]
    assert state_of(again) == state_of(run.session)
    assert [one.order for one in again.proposals] == [one.order for one in run.session.proposals]

"""The port for market data, and the adapter that replays recorded bars through it."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pandas as pd
import pytest

from workbench.bars import Bars
from workbench.data import DataAdapter, Quote, ReplayAdapter, simulate
from workbench.data.adapter import close_times, moment
from workbench.errors import DataError, ParameterError
from workbench.instrument import Instrument


def taken(adapter: DataAdapter, symbols: list[str], interval: str = "1min", count: int | None = None) -> list[Bars]:
    async def take() -> list[Bars]:
        items: list[Bars] = []
        async for item in adapter.stream(symbols, interval):
            items.append(item)
            if len(items) == count:
                break
        return items

    return asyncio.run(take())


def test_the_port_cannot_be_used_half_made() -> None:
    class Half(DataAdapter):
        def history(self, *_: Any, **__: Any) -> Bars:
            return simulate(bars=1)

    with pytest.raises(TypeError, match="stream"):
        Half()  # type: ignore[abstract]


def test_an_adapter_of_ones_own_takes_five_lines() -> None:
    class Mine(DataAdapter):
        def history(self, instruments: Any, interval: str, start: Any = None, end: Any = None) -> Bars:
            return simulate(instruments, bars=10, interval=interval)

        async def stream(self, instruments: Any, interval: str) -> Any:
            for row in range(3):
                yield self.history(instruments, interval).iloc[row]

    assert Mine().history(["A"], "1h").shape == (10, 1)
    assert [len(item) for item in taken(Mine(), ["A"], "1h")] == [1, 1, 1]
    assert Mine().quotes(["A"]) == {}


def test_a_quote_tells_its_spread() -> None:
    assert Quote(Instrument("SPY"), 99.5, 100.0, 0).spread == 0.5


def test_the_stream_gives_every_label_once_in_order() -> None:
    bars = simulate(["A", "B"], bars=50, seed=1, missing=0.3)
    items = taken(ReplayAdapter(bars), ["A", "B"])
    assert [item.index[0] for item in items] == list(bars.index)
    assert all(item.shape == (1, 2) for item in items)
    whole = np.vstack([item.array("close") for item in items])
    np.testing.assert_array_equal(whole, bars.array("close"))


def test_the_stream_of_one_symbol_leaves_labels_without_its_bar_out() -> None:
    bars = simulate(["A", "B"], bars=50, seed=1, missing=0.3)
    items = taken(ReplayAdapter(bars), ["B"])
    assert [item.index[0] for item in items] == list(bars["B"].index)


def test_the_stream_starts_where_it_is_told() -> None:
    adapter = ReplayAdapter(simulate(bars=50), start="2024-01-01 00:40")
    assert adapter.history(["SIM"], "1min").shape == (40, 1)
    assert taken(adapter, ["SIM"])[0].index[0] == pd.Timestamp("2024-01-01 00:40", tz="UTC")


@pytest.mark.parametrize(
    ("end", "count"),
    [("2024-01-01 00:05", 5), ("2024-01-01 00:05:59", 5), ("2024-01-01 00:04:59.999999999", 4), ("2024-01-01", 0), ("2025", 50)],
)
def test_rule_01_history_holds_only_bars_that_had_closed(end: str, count: int) -> None:
    assert len(ReplayAdapter(simulate(bars=50)).history(["SIM"], "1min", end=end)) == count


def test_history_begins_at_its_start() -> None:
    bars = ReplayAdapter(simulate(bars=50)).history(["SIM"], "1min", start="2024-01-01 00:10", end="2024-01-01 00:20")
    assert [f"{label:%H:%M}" for label in (bars.index[0], bars.index[-1])] == ["00:10", "00:19"]


def test_history_without_an_end_goes_as_far_as_the_stream() -> None:
    adapter = ReplayAdapter(simulate(bars=50))
    assert len(adapter.history(["SIM"], "1min")) == 0
    taken(adapter, ["SIM"], count=7)
    assert len(adapter.history(["SIM"], "1min")) == 7


def test_history_takes_instruments_as_well_as_names() -> None:
    bars = simulate(["A", "B"], bars=5)
    adapter = ReplayAdapter(bars)
    assert adapter.history(bars.instruments[1:], "1m", end="2025").symbols == ["B"]
    assert adapter.bars is bars


@pytest.mark.parametrize(
    ("symbols", "interval", "words"),
    [(["SMI"], "1min", "no bars of 'SMI'; did you mean 'SIM'"), (["SIM"], "1h", "the recording holds bars of 1min, asked for 1h")],
)
def test_what_was_not_recorded_is_refused(symbols: list[str], interval: str, words: str) -> None:
    with pytest.raises(DataError, match=words):
        ReplayAdapter(simulate(bars=5)).history(symbols, interval)


def test_speed_waits_between_closes(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    taken(ReplayAdapter(simulate(bars=4), speed=120), ["SIM"])
    assert waits == [0, 0.5, 0.5, 0.5]


@pytest.mark.parametrize("speed", [0, -1, float("inf"), float("nan")])
def test_a_speed_must_be_a_positive_number(speed: float) -> None:
    with pytest.raises(ParameterError, match="speed must be a positive number or None"):
        ReplayAdapter(simulate(bars=4), speed=speed)


def test_the_repr_names_what_is_replayed() -> None:
    assert repr(ReplayAdapter(simulate(bars=4), speed=2)).endswith("simulated (seed=0)), speed=2)")


def test_rule_01_a_daily_bar_with_a_calendar_closes_with_its_session() -> None:
    spy = Instrument("SPY", calendar="XNYS")
    adapter = ReplayAdapter(simulate([spy], days=5, interval="1D", start="2024-07-01"))
    assert [len(adapter.history([spy], "1D", end=f"2024-07-{text}")) for text in ("01 19:59", "01 20:00", "03 17:00")] == [0, 1, 3]


def test_rule_01_a_step_is_known_at_its_latest_close() -> None:
    bars = simulate([Instrument("SPY", calendar="XNYS"), Instrument("BTCUSD", asset_class="crypto")], days=2, interval="1D")
    assert close_times(bars)[0] == moment("2024-01-02")
    assert close_times(bars.iloc[:0]).shape == (0,)


@pytest.mark.parametrize("value", ["soon", None, [1]])
def test_a_wrong_time_gets_a_sentence(value: Any) -> None:
    with pytest.raises(DataError, match="end must be a time such as '2024-01-31 16:00'"):
        moment(value, "end")


def test_times_with_and_without_a_zone_are_read() -> None:
    assert moment("2024-01-01 01:00+01:00") == moment(pd.Timestamp("2024-01-01")) == moment("2024-01-01")

"""What a part gives is laid out by its labels: a table in another order cannot turn one instrument's stance into another's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from worked import OTHER, SHARE, market

import workbench as wb
from workbench.alignment import aligned
from workbench.errors import ParameterError

BARS = market({OTHER: [1, 2, 3], SHARE: [3, 2, 1]})
ONE = BARS[["ABC"]]


def laid_out(given: Any, bars: wb.Bars = BARS) -> list[list[float]]:
    return aligned(given, bars, "Own.generate", "a stance").tolist()


@pytest.mark.parametrize(
    "given",
    [
        BARS.close,
        BARS.close.to_numpy(),
        pd.DataFrame(BARS.close.to_numpy()),
        BARS.close[["ABC", "XYZ"]],
        BARS.close.stack().rename("v").reset_index().pivot(index="level_0", columns="level_1", values="v"),
    ],
    ids=["as it is", "array", "numbered", "other order", "pivot"],
)
def test_two_symbols_by_their_names(given: Any) -> None:
    assert laid_out(given) == [[1, 3], [2, 2], [3, 1]]


@pytest.mark.parametrize("given", [ONE.close, ONE.close["ABC"], ONE.close["ABC"].rename("x").to_frame(), [3, 2, 1]], ids=str)
def test_one_symbol_needs_no_name(given: Any) -> None:
    assert laid_out(given, ONE) == [[3], [2], [1]]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (None, "Own.generate returned None: is a `return` missing?"),
        (BARS.close.iloc[::-1], "must keep the labels of the bars in their order"),
        (BARS.close.rename(columns={"ABC": "ABD"}), "gave a column 'ABD', which is no symbol of these bars; did you mean 'ABC'?"),
        (BARS.close[["ABC"]], "one column a symbol, XYZ missing"),
        (BARS.close[["ABC", "ABC", "XYZ"]], "given twice"),
        (BARS.close.iloc[:2], r"shape \(3, 2\), got \(2, 2\)"),
        (pd.DataFrame("buy", BARS.index, BARS.symbols), "must give a stance, got 'buy'"),
        (np.zeros((2, 3)), r"got \(2, 3\)"),
    ],
    ids=["nothing", "upside down", "unknown", "missing", "twice", "short", "words", "turned"],
)
def test_anything_else_is_refused(given: Any, said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        laid_out(given)


class Sorted(wb.signals.SignalGenerator):
    """Long what rose, in a table whose columns are sorted."""

    def generate(self, bars: wb.Bars) -> pd.DataFrame:
        return (bars.close.diff() > 0).astype(float)[sorted(bars.symbols)]


class Far(wb.exits.Exit):
    """A stop at half of the price, in a table whose columns are sorted."""

    def distance(self, bars: wb.Bars) -> pd.DataFrame:
        return (bars.close / 2)[sorted(bars.symbols)]


def test_a_signal_in_another_order_buys_what_it_meant() -> None:
    bars = market({OTHER: [1, 2, 3, 4], SHARE: [9, 8, 7, 6]})
    result = wb.backtest(wb.Strategy(Sorted(), wb.sizing.FixedQuantity(1), [Far()]), bars)
    assert result.fills["symbol"].tolist() == ["XYZ"]
    assert result.orders.query("leg == 'stop'")["price"].iloc[0] == pytest.approx(result.fills["price"].iloc[0] - 1)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda: wb.Strategy(Sorted(), exits=wb.exits.AtrStop()), r"write exits=\[AtrStop\(...\)\]"),
        (lambda: wb.Strategy(lambda bars: bars.close), "a part is a class: `class Mine\\(SignalGenerator\\)`"),
        (lambda: wb.backtest(BARS, wb.Strategy(Sorted())), "the strategy comes first"),  # type: ignore[arg-type]
        (lambda: BARS[:2], "bars.iloc"),
        (lambda: BARS["Close"], "a column is bars.close"),
    ],
    ids=["a part for a list", "a function", "swapped", "a slice", "a column"],
)
def test_common_mistakes_are_told_what_to_write(wrong: Callable[[], Any], said: str) -> None:
    with pytest.raises(wb.errors.WorkbenchError, match=said):
        wrong()

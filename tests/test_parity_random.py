"""Law 2 on random markets: kernel, compiled kernel and Session agree to the last bit, and user parts keep to it too."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pandas as pd
import pytest
from markets import Case, random_case, random_market, shipped

import laws
from workbench import Bars, Instrument, Strategy, backtest, check_parity, simulate
from workbench.bars import FIELDS
from workbench.execution import ExecutionAlgorithm, Limit, Market
from workbench.exits import AtrStop, Exit, TakeProfit
from workbench.records import (
    BELOW_MINIMUM,
    CANCELLED,
    CUT_TO_NOTHING,
    EXPIRED,
    FILLED,
    LAPSED,
    LEGS,
    LIMIT,
    NO_EQUITY,
    NO_EXIT,
    NO_RATE,
    OPENED,
    STOPPED_OUT,
    WORDS,
)
from workbench.research.comparing import compare
from workbench.research.engine import run_kernel
from workbench.research.running import run_session
from workbench.risk import MaxLeverage, RiskManager
from workbench.session.record import Record
from workbench.session.setup import set_up
from workbench.signals import AllAgree, Breakout, SignalGenerator
from workbench.sizing import FixedFraction, PositionSizer, RiskPercent

MARKETS, CHUNK = 200, 20
CHUNKS = range(0, MARKETS, CHUNK)


@lru_cache
def tally(first: int) -> Counter[str]:
    """Run the markets of a chunk in all three ways, require that they agree, and count what happened."""
    seen: Counter[str] = Counter()
    for seed in range(first, first + CHUNK):
        case = random_case(seed)
        setup = case.setup()
        assert setup.rules.compiled
        record, differences = laws.replay(setup)
        assert differences.empty, f"market {seed}, {case.strategy!r}, {case.account}:\n{differences.head(10).to_string()}"
        laws.same_bits(record, run_session(setup))
        seen += counted(record, case)
    return seen


def counted(record: Record, case: Case) -> Counter[str]:
    """Count what a run went through: its orders and fills, and every rule that was put to the test."""
    orders, decisions = record.orders, record.decisions
    filled = orders[record.fills["order"]]
    entries = orders[orders["leg"] == LEGS.index("open")]
    seen = Counter({"orders": len(orders), "fills": len(record.fills), "decisions": len(decisions)})
    seen.update({f"filled: {leg}": int((filled["leg"] == n).sum()) for n, leg in enumerate(LEGS)})
    seen.update({f"decided: {words}": int((decisions["code"] == n).sum()) for n, words in enumerate(WORDS) if words})
    seen["limit entries filled"] = int(((entries["kind"] == LIMIT) & (entries["status"] == FILLED)).sum())
    seen["entries expired"] = int((entries["status"] == EXPIRED).sum())
    seen["entries lapsed"] = int((entries["status"] == LAPSED).sum())
    seen["entries withdrawn"] = int((entries["status"] == CANCELLED).sum())
    seen["crossed"] = int((entries["child"] > 0).sum())
    seen["cut"] = int((np.nanmin(decisions["after"], axis=1, initial=np.inf) < decisions["asked"]).sum())
    seen["short"] = int((record.fills["lots"][filled["leg"] == 0] < 0).sum())
    charges = case.setup().financing
    seen["charges"] = 0 if charges is None else len(charges.moment)
    seen["moving rates"] = int(case.setup().conversion.moving)
    stopped_out = orders[(orders["leg"] == LEGS.index("close")) & (decisions["code"][orders["decision"]] == STOPPED_OUT)]
    seen["stopped out in tiers"] = sum(isinstance(case.bars.instruments[j].maintenance, tuple) for j in stopped_out["j"])
    return seen + Counter(kinds(case.strategy))


def kinds(strategy: Strategy) -> list[str]:
    parts = [strategy.signal, strategy.sizer, *strategy.exits, *strategy.risk, strategy.execution]
    return sorted({type(part).__name__ for part in parts})


@pytest.mark.parametrize("first", CHUNKS)
def test_kernel_compiled_kernel_and_session_agree(first: int) -> None:
    assert tally(first)["orders"] > 500


def test_every_rule_was_put_to_the_test() -> None:
    seen: Counter[str] = sum((tally(first) for first in CHUNKS), Counter())
    print(f"\nparity: 0 differences in {MARKETS} random markets: " + ", ".join(f"{n:,} {what}" for what, n in seen.items()))
    floors = {"charges": 10_000, "orders": 25_000, "fills": 15_000, "decisions": 15_000, "short": 3_000, "moving rates": 50}
    floors |= {"filled: open": 8_000, "filled: close": 5_000, "filled: stop": 1_500, "filled: target": 1_000}
    floors |= {
        "limit entries filled": 2_000,
        "entries expired": 15,
        "entries lapsed": 500,
        "entries withdrawn": 100,
        "crossed": 150,
        "cut": 3_000,
        "stopped out in tiers": 10,
    }
    reasons = {OPENED: 8_000, NO_EQUITY: 50, NO_RATE: 50, NO_EXIT: 50, CUT_TO_NOTHING: 200, BELOW_MINIMUM: 500, STOPPED_OUT: 40}
    floors |= {f"decided: {WORDS[code]}": least for code, least in reasons.items()}
    assert not {what: (seen[what], least) for what, least in floors.items() if seen[what] < least}


@pytest.mark.parametrize("base", [SignalGenerator, PositionSizer, Exit, RiskManager, ExecutionAlgorithm])
def test_every_shipped_part_was_among_them(base: type) -> None:
    seen: Counter[str] = sum((tally(first) for first in CHUNKS), Counter())
    assert {cls.__name__ for cls in shipped(base)} <= set(seen)


def test_quantities_near_the_end_of_exact_integers_survive_the_way_to_the_venue() -> None:
    coin, bars = Instrument("TINYBTC", "crypto"), random_market(3, 1)
    cheap = Bars(bars.index, [coin], bars.interval, {name: bars.array(name) / 40_000 for name in FIELDS}, "simulated")
    for cash in 10.0 ** np.arange(2, 9, 0.5):
        report = check_parity(Strategy(Breakout(3), FixedFraction(0.7)), cheap, cash=float(cash), cuts=0)
        assert report.differences.empty, f"cash {cash}:\n{report!r}"


class Alternating(SignalGenerator):
    """Long and short by turns, every bar."""

    def generate(self, bars: Bars) -> pd.DataFrame:
        return pd.DataFrame(np.where(np.arange(len(bars)) % 2, 1.0, -1.0)[:, None], bars.index, bars.symbols)


def test_rows_that_run_out_are_made_longer() -> None:
    bars = simulate(bars=4_000, seed=1)
    setup = set_up(Strategy(Alternating(), FixedFraction(0.01), [AtrStop(3, 9), TakeProfit(percent=0.2)]), bars)
    record, differences = laws.replay(setup)
    assert len(record.orders) > 15_000
    assert differences.empty
    laws.same_bits(record, run_kernel(setup, compiled=True))


# -- parts of a user's own, in plain Python ---------------------------------------------------------------------------


class OwnFraction(PositionSizer):
    """`FixedFraction` again, through book and market."""

    fraction: float = 0.5

    def size(self, signal, portfolio, market):  # type: ignore[no-untyped-def]
        return self.fraction * portfolio.equity / (market.price * market.unit)


class OwnRisk(PositionSizer):
    """`RiskPercent` again."""

    risk: float = 0.01

    def size(self, signal, portfolio, market):  # type: ignore[no-untyped-def]
        return self.risk * portfolio.equity / (market.inputs["stop_distance"] * market.unit)


class OwnLeverage(RiskManager):
    """`MaxLeverage` again, one name at a time."""

    most: float = 1.0

    def limit(self, order, portfolio, market):  # type: ignore[no-untyped-def]
        mine = order.instrument.symbol
        worst = {s: max(abs(portfolio.highest[s]), abs(portfolio.lowest[s])) for s in portfolio.highest}
        left = self.most * portfolio.equity
        for symbol, quantity in worst.items():
            if symbol != mine and quantity > 0.0:
                left = left - (quantity * market.closes[symbol]) * market.units[symbol]
        each = market.price * market.unit
        reached, opposite = portfolio.highest[mine] * order.sign, -portfolio.lowest[mine] * order.sign
        if order.sign < 0:
            reached, opposite = -portfolio.lowest[mine], portfolio.highest[mine]
        if opposite * each > left * (1.0 + 1e-9):
            return 0.0, "the other side is too large already"
        return left / each - reached, f"at most {self.most:g} x equity"


class OwnBreakout(SignalGenerator):
    """`Breakout` again, in pandas."""

    window: int = 5

    @property
    def lookback(self) -> int:
        return self.window + 1

    def generate(self, bars: Bars) -> pd.DataFrame:
        above = bars.close > bars.high.rolling(self.window).max().shift(1) * (1 + 1e-9)
        below = bars.close < bars.low.rolling(self.window).min().shift(1) * (1 - 1e-9)
        return above.astype(float).where(above, -below.astype(float).where(below))


class OwnStop(Exit):
    """A stop at the high-low range of the last bars."""

    def distance(self, bars: Bars) -> pd.DataFrame:
        return bars.high.rolling(10).max() - bars.low.rolling(10).min()


class OwnLimit(ExecutionAlgorithm):
    """`Limit` again."""

    offset: float = 0.001
    bars: int = 2

    def plan(self, parent, market):  # type: ignore[no-untyped-def]
        return Limit(self.offset, self.bars, "cross").plan(parent, market)


class Half(ExecutionAlgorithm):
    """Sends half of what was decided, at market, and would leave the target out."""

    def plan(self, parent, market):  # type: ignore[no-untyped-def]
        step = parent.instrument.quantity_step
        return [replace(parent, quantity=max(step, round(parent.quantity / 2 / step) * step), target_distance=None)]


EXITS = [AtrStop(5), TakeProfit()]
TWINS = {
    "sizer": (Strategy(Breakout(5), OwnFraction(0.5)), Strategy(Breakout(5), FixedFraction(0.5))),
    "sizer with a stop": (Strategy(Breakout(5), OwnRisk(0.01), EXITS), Strategy(Breakout(5), RiskPercent(0.01), EXITS)),
    "limit": (
        Strategy(Breakout(5), FixedFraction(2), EXITS, [OwnLeverage(1.0)]),
        Strategy(Breakout(5), FixedFraction(2), EXITS, [MaxLeverage(1.0)]),
    ),
    "signal": (Strategy(OwnBreakout(5), FixedFraction(0.5)), Strategy(Breakout(5), FixedFraction(0.5))),
    "execution": (Strategy(Breakout(5), execution=OwnLimit()), Strategy(Breakout(5), execution=Limit(0.001, 2, "cross"))),
}
OWN = {
    "all own": Strategy(OwnBreakout(), OwnRisk(), [OwnStop(), TakeProfit()], [OwnLeverage()], OwnLimit()),
    "own and shipped limits": Strategy(Breakout(4), FixedFraction(3), EXITS, [MaxLeverage(2), OwnLeverage(1.5), MaxLeverage(1)]),
    "own execution": Strategy(AllAgree([OwnBreakout(3), Breakout(9)]), RiskPercent(0.01), EXITS, [], Half()),
}


@pytest.mark.parametrize("name", TWINS)
@pytest.mark.parametrize("seed", [3, 9, 14])
def test_a_part_in_plain_python_gives_what_the_shipped_one_gives(name: str, seed: int) -> None:
    own, ours = (random_case(seed).setup(strategy=strategy) for strategy in TWINS[name])
    expected = run_kernel(ours, compiled=True)
    differences = compare(expected, run_session(own), own.bars)
    assert len(expected.orders) > 20
    assert differences.empty, differences.head().to_string()


@pytest.mark.parametrize("name", OWN)
@pytest.mark.parametrize("seed", [3, 9])
def test_two_runs_of_a_strategy_with_own_parts_are_equal(name: str, seed: int) -> None:
    case = random_case(seed)
    report = check_parity(OWN[name], case.bars, **case.account, cuts=10)
    assert report.engines == ("session", "session")
    assert report.differences.empty
    assert report.orders > 20


def test_own_parts_backtest_through_the_session() -> None:
    case = random_case(3)
    assert backtest(OWN["all own"], case.bars, **case.account).record.engine == "session"
    assert backtest(Strategy(OwnBreakout()), case.bars, **case.account).record.engine == "kernel (plain)"
    assert not Strategy(OwnBreakout(), execution=OwnLimit()).bind(case.bars.instruments, "USD").compiled


def test_the_live_way_of_computing_is_compared_too() -> None:
    class Peeking(SignalGenerator):
        def generate(self, bars: Bars) -> pd.DataFrame:
            return np.sign(bars.close - bars.close.mean())

    report = check_parity(
        Strategy(Peeking(), execution=Market()), random_market(3), currency="USD", rates=random_case(3).account["rates"], cuts=20
    )
    assert set(report.differences["what"]) == {"recomputed"}
    assert report.recomputed == 20

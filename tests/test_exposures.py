"""What is held by group, at every step as the ledger says; and which position carries the risk of the book."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from markets import random_case
from worked import CONTRACT, EURUSD, OTHER, SHARE, USDJPY, both, market, plan

import workbench as wb
from workbench.errors import ParameterError
from workbench.instrument import GROUPS
from workbench.research.engine import run_kernel
from workbench.research.exposures import holdings_of, risk_contribution

PAIRS = market({EURUSD: [1.25, 1.25, 1.2, 1.3], USDJPY: [100.0, 100.0, 125.0, None]})
BOTH_LEGS = both(plan("+...", "-...", quantity=2), PAIRS, cash=1e6, currency="USD", buying_power=False)

#: Random markets with currency pairs that are traded, in accounts of two currencies.
SEEDS = (7, 16, 22, 29)


def book(positions: dict[wb.Instrument, float], **prices: float) -> wb.Portfolio:
    return wb.Portfolio("USD", 1000.0, positions, prices)


# -- exposure ---------------------------------------------------------------------------------------------------------


def test_both_legs_of_pairs_by_hand() -> None:
    found = BOTH_LEGS.exposure("currency")
    assert found["EUR"].tolist() == [0, 250_000, 240_000, 260_000]
    assert found["USD"].tolist() == [0, -250_000 - 200_000, -240_000 - 200_000, -260_000 - 200_000]
    assert found["JPY"].tolist() == pytest.approx([0, 200_000, 200_000, 200_000])  # short 2 lots of USD, whatever the yen does


def test_gross_adds_up_what_net_sets_off() -> None:
    held = both(plan("+..", "-..", quantity=2), market({SHARE: [100, 100, 110], OTHER: [50, 50, 40]}), cash=1000)
    assert held.exposure()["USD"].tolist() == [0, 100, 140]
    assert held.exposure(scope="gross")["USD"].tolist() == [0, 300, 300]


def test_a_last_close_holds_over_a_hole() -> None:
    held = both(plan("+...", quantity=2), market([100, 100, None, 120]), cash=1000)
    assert held.exposure("instrument")["ABC"].tolist() == [0, 200, 240]
    two = both(plan("+...", "....", quantity=2), market({SHARE: [100, 100, None, 120], CONTRACT: [5, 5, 5, 5]}), cash=1000)
    assert two.exposure("instrument")["ABC"].tolist() == [0, 200, 200, 240]


@pytest.fixture(scope="module", params=SEEDS)
def seen(request: pytest.FixtureRequest) -> tuple[wb.Backtest, list[dict[str, dict[str, float]]]]:
    """Return a random result, and what the ledger of its replay said at each step."""
    setup = random_case(request.param).setup()
    session, said = wb.Session.of(setup), []
    for _ in range(len(setup.bars)):
        session.step()
        said.append({by: session.portfolio.exposure(by).to_dict() for by in GROUPS})
    return wb.Backtest(setup, run_kernel(setup, compiled=False)), said


@pytest.mark.parametrize("by", GROUPS)
def test_at_every_step_of_a_random_market_it_is_what_the_ledger_says(seen: Any, by: str) -> None:
    result, said = seen
    found = result.exposure(by)
    ledger = pd.DataFrame([row[by] for row in said], found.index, found.columns, dtype=float).fillna(0.0)
    assert found.equals(ledger)
    assert by != "instrument" or found.abs().to_numpy().any()


def test_the_random_markets_hold_pairs_in_several_currencies(seen: Any) -> None:
    result, _ = seen
    assert any(instrument.asset_class == "fx" for instrument in result.bars.instruments)
    assert np.count_nonzero(result.exposure().abs().max()) >= 3


def test_a_portfolio_is_one_row_of_the_same() -> None:
    held = book({EURUSD: 2, SHARE: 3, CONTRACT: -4}, EURUSD=1.25, ABC=100.0, FUT=50.0)
    for by in ("currency", "asset_class", "instrument"):
        assert holdings_of(held).exposure(by).iloc[0].to_dict() == held.exposure(by).to_dict()
    assert holdings_of(held).exposure(scope="gross").iloc[0].to_dict() == {"EUR": 250_000, "USD": 250_300}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"by": "curency"}, "unknown group 'curency'; did you mean 'currency'"),
        ({"scope": "nett"}, "unknown scope 'nett'; did you mean 'net'"),
    ],
    ids=["group", "scope"],
)
def test_an_unknown_group_is_one_sentence(given: dict[str, str], message: str) -> None:
    with pytest.raises(ParameterError, match=f"^exposure: {message}"):
        BOTH_LEGS.exposure(**given)


def test_only_results_and_portfolios_hold_anything() -> None:
    with pytest.raises(ParameterError, match=r"expected a Backtest or a wb\.Portfolio, got Bars"):
        holdings_of(PAIRS)  # type: ignore[arg-type]


# -- the risk of each position ----------------------------------------------------------------------------------------


def test_two_positions_that_move_alike_and_against_each_other_by_hand() -> None:
    # returns +10 %, -10 % of both, each time alike: 300 long and 100 short are as risky as 200
    bars = market({SHARE: [100, 110, 99], CONTRACT: [100, 110, 99]})
    found = risk_contribution(book({SHARE: 3, CONTRACT: -1}, ABC=100.0, FUT=100.0), bars, window=2)
    deviation = float(np.std([0.1, -0.1], ddof=1))
    assert found["value"].to_dict() == {"ABC": 300, "FUT": -100}
    assert found["alone"].tolist() == pytest.approx([300 * deviation, 100 * deviation])
    assert found["contribution"].tolist() == pytest.approx([300 * deviation, -100 * deviation])
    assert found["share"].tolist() == pytest.approx([1.5, -0.5])


@pytest.mark.parametrize("seed", range(8))
def test_contributions_add_up_to_the_deviation_of_the_book(seed: int) -> None:
    rng = np.random.default_rng(seed)
    instruments = [wb.Instrument(name) for name in "ABCDE"]
    bars = market({one: (100 * np.exp(np.cumsum(rng.normal(0, 0.02, 90)))).tolist() for one in instruments})
    held = {one: float(quantity) for one, quantity in zip(instruments, rng.integers(-9, 10, 5), strict=True) if quantity}
    found = risk_contribution(wb.Portfolio("USD", 1e5, held, bars.close.iloc[-1].to_dict()), bars, window=60)
    profit = (bars.close.pct_change().iloc[-60:][list(found.index)] * found["value"]).sum(axis=1)
    assert found["contribution"].sum() == pytest.approx(profit.std())
    assert found["share"].sum() == pytest.approx(1.0)
    assert found["alone"].sum() >= found["contribution"].sum()


def test_a_contribution_is_the_slope_of_the_deviation() -> None:
    rng = np.random.default_rng(3)
    bars = market({one: (100 * np.exp(np.cumsum(rng.normal(0, 0.02, 60)))).tolist() for one in (SHARE, CONTRACT)})

    def deviation(extra: float) -> Any:
        held = wb.Portfolio("USD", 0.0, {SHARE: 1000 + extra, CONTRACT: -400}, {"ABC": 10.0, "FUT": 20.0})
        return risk_contribution(held, bars, window=50)["contribution"]

    slope = (deviation(1).sum() - deviation(-1).sum()) / 2
    assert deviation(0)["ABC"] == pytest.approx(1000 * slope, rel=1e-6)


def test_what_is_paid_in_full_moves_with_its_currency_and_what_is_margined_does_not() -> None:
    euros = [wb.Instrument("SAP", quote="EUR"), wb.Instrument("DAX", "index", "future", quote="EUR")]
    bars = market({euros[0]: [10, 10, 10, 10], euros[1]: [10, 10, 10, 10], EURUSD: [1.0, 1.1, 1.0, 1.1]})
    held = wb.Portfolio("USD", 0.0, dict.fromkeys(euros, 5), {"SAP": 10.0, "DAX": 10.0}, {"EURUSD": 1.1})
    found = risk_contribution(held, bars, window=3)
    assert found["alone"]["SAP"] == pytest.approx(55 * np.std([0.1, 1 / 1.1 - 1, 0.1], ddof=1))
    assert found["alone"]["DAX"] == 0.0


def test_returns_run_between_the_steps_that_all_have() -> None:
    bars = market({SHARE: [100, 110, 121, 100], OTHER: [100, None, 110, 121]})
    found = risk_contribution(book({OTHER: 1, SHARE: 1}, ABC=100.0, XYZ=100.0), bars, window=2)
    assert found["alone"]["ABC"] == pytest.approx(100 * np.std([0.21, 100 / 121 - 1], ddof=1))


def test_where_nothing_moved_there_are_no_shares() -> None:
    found = risk_contribution(book({SHARE: 1}, ABC=100.0), market([100] * 5), window=3)
    assert found["alone"].tolist() == [0.0]
    assert found["share"].isna().all()


def test_an_empty_book_has_no_risk() -> None:
    assert risk_contribution(wb.Portfolio("USD", 10.0), market([100] * 5)).empty


@pytest.mark.parametrize(
    ("window", "symbol", "message"),
    [
        (5, "ABC", "5 returns need 6 steps .* got 5"),
        (1, "ABC", "at least 2 returns, got 1"),
        (3, "ABD", "no bars of 'ABD', which is held; did"),
    ],
    ids=["too few", "window", "no bars"],
)
def test_what_cannot_be_worked_out_is_refused(window: int, symbol: str, message: str) -> None:
    with pytest.raises(ParameterError, match=f"^risk_contribution: .*{message}"):
        risk_contribution(book({wb.Instrument(symbol): 1}, **{symbol: 100.0}), market([100] * 5), window)

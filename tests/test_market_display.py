"""A decision in a notebook: the way from what was asked to what is allowed, and the book before and after."""

from __future__ import annotations

import pickle
from html.parser import HTMLParser
from typing import Any

import pytest
from worked import CONTRACT, EURUSD, OTHER, SHARE, market

import workbench as wb
from workbench.market_display import RED
from workbench.risk import ExpectedShortfall, MaxDrawdown, MaxExposure, MaxLeverage, MaxTrades, MaxVolatility, ValueAtRisk

PRICES = {"ABC": 100.0, "XYZ": 40.0, "FUT": 50.0, "EURUSD": 1.25}


class Cells(HTMLParser):
    """Collects the texts of the rows."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_data(self, data: str) -> None:
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += data


def preview(order: wb.Order, *limits: Any, held: Any = None, cash: float = 1000.0) -> wb.Decision:
    portfolio = wb.Portfolio("USD", cash, held, PRICES)
    return wb.Strategy(wb.signals.Breakout(), risk=list(limits)).preview(order, portfolio)


def rows(decision: wb.Decision) -> dict[str, list[str]]:
    return {row[0]: row[1:] for row in Cells(decision._repr_html_()).rows if row[0]}


def test_each_limit_says_what_it_left_also_where_it_cut_nothing() -> None:
    found = rows(preview(wb.Order(SHARE, "buy", 50), MaxLeverage(2), MaxExposure(5_000), MaxExposure(750, by="instrument")))
    assert found["asked"][0] == "50"
    assert found["MaxLeverage"] == ["20", "gross 0.00 of 2,000.00 USD (2 x equity)"]
    assert found["MaxExposure"][0] == "7.5"
    assert found["allowed"] == ["7", ""]


def test_what_the_order_would_do_by_hand() -> None:
    # 4 of 10 lots close; 100,000 EUR at 1.25 each
    found = rows(preview(wb.Order(EURUSD, "sell", 3), held={EURUSD: 2, SHARE: 5}, cash=500_000.0))
    assert found["gross notional"] == ["250,500.00 USD", "125,500.00 USD", ""]
    assert found["leverage"] == ["0.50 x", "0.25 x", ""]
    assert found["exposure to EUR"] == ["250,000.00 USD", "-125,000.00 USD", ""]
    assert found["exposure to USD"] == ["-249,500.00 USD", "125,500.00 USD", ""]


def test_it_is_what_the_portfolio_says_afterwards() -> None:
    decision = preview(wb.Order(SHARE, "buy", 3), held={SHARE: 5})
    after = wb.Portfolio("USD", 700.0, {SHARE: 5 + decision.quantity}, PRICES)
    assert decision.outlook is not None
    effects = {effect.what: effect.after for effect in decision.outlook.effects}
    assert effects["exposure to USD"] == after.exposure()["USD"]
    assert effects["leverage"] == pytest.approx(800 / after.equity)


def test_each_figure_stands_beside_its_nearest_limit() -> None:
    limits = MaxLeverage(2), MaxLeverage(3), MaxExposure({"USD": 900}), MaxExposure(1.5, of="equity", scope="gross")
    found = rows(preview(wb.Order(SHARE, "buy", 3), *limits, held={SHARE: 5, OTHER: -2}))
    equity = 1000.0 + 500 - 80
    assert found["leverage"][1:] == [f"{880 / equity:.2f} x", "2.00 x"]
    assert found["exposure to USD"] == ["420.00 USD", "720.00 USD", "900.00 USD"]
    assert found["gross exposure to USD"] == ["580.00 USD", "880.00 USD", f"{1.5 * equity:,.2f} USD"]


def test_what_is_beyond_its_limit_is_red_and_said() -> None:
    decision = preview(wb.Order(SHARE, "sell", 1), MaxExposure(300), held={SHARE: 5})
    assert rows(decision)["exposure to USD"] == ["500.00 USD", "400.00 USD", "300.00 USD, beyond"]
    page = decision._repr_html_()
    assert page.count(f"color:{RED}") == 4


def test_who_cut_is_bold() -> None:
    page = preview(wb.Order(SHARE, "buy", 50), MaxLeverage(2), MaxExposure(5_000), MaxExposure(750, by="instrument"))._repr_html_()
    assert page.count(";font-weight:bold") == 3 * 3  # two limits, and what is allowed


@pytest.mark.parametrize(
    "part", [ValueAtRisk(0.9, window=4), ExpectedShortfall(800, window=4, of="money"), MaxVolatility(3, window=4)], ids=repr
)
def test_what_the_book_could_lose_is_told_before_and_after(part: Any) -> None:
    bars = market({SHARE: [100, 101, 99, 100, 102, 100]})
    held = wb.Portfolio("USD", 1000.0, {SHARE: 5}, PRICES, history=bars)
    decision = wb.Strategy(wb.signals.Breakout(), risk=[part]).preview(wb.Order(SHARE, "buy", 5), held)
    assert decision.outlook is not None
    (found,) = [effect for effect in decision.outlook.effects if effect.what == part.what]
    assert found.after == pytest.approx(2 * found.before)
    assert found.limit == pytest.approx(part.limit * (1500 if part.of == "equity" else 1))
    assert f"{part.what} {found.before:,.2f} of {found.limit:,.2f} USD" in decision.outlook.trace[0].why


def test_without_a_history_nothing_is_said_of_losses_where_no_limit_is_asked() -> None:
    decision = preview(wb.Order(SHARE, "sell", 5), ValueAtRisk(0.9), held={SHARE: 5})
    assert "value at risk" not in decision._repr_html_().replace("ValueAtRisk", "")
    assert "ValueAtRisk: the portfolio has no past bars of all that is held, so it is not measured" in decision._repr_html_()


def test_groups_that_are_limited_are_told_and_those_it_does_not_count_in_are_missing() -> None:
    page = preview(wb.Order(CONTRACT, "buy", 1), MaxExposure(9_000, by="asset_class"))._repr_html_()
    assert "exposure to commodity" in page
    assert "FUT counts towards no currency" in page


def test_what_a_preview_cannot_know_is_said() -> None:
    page = preview(wb.Order(SHARE, "buy", 1), MaxTrades(3), MaxDrawdown(0.1))._repr_html_()
    assert "MaxTrades, MaxDrawdown: no past equity, no day and no closed trades are known here" in page
    broke = preview(wb.Order(SHARE, "sell", 1), held={SHARE: 1}, cash=-500.0)
    assert rows(broke)["leverage"] == ["not known", "not known", ""]
    assert "equity is not above zero" in broke._repr_html_()


def test_after_a_cut_to_nothing_the_others_are_not_asked() -> None:
    found = rows(preview(wb.Order(SHARE, "buy", 5), MaxExposure(1, by="instrument"), MaxLeverage(2), held={SHARE: 5}))
    assert found["MaxLeverage"] == ["0", "not asked: nothing was left"]


def test_a_decision_alone_says_that_nothing_else_is_known() -> None:
    page = wb.Decision(2.0)._repr_html_()
    assert "2 allowed" in page
    assert "not known here: the order and its portfolio" in page


def test_the_outlook_makes_no_decision_another_one() -> None:
    decision = preview(wb.Order(SHARE, "buy", 3))
    assert decision == wb.Decision(3.0)
    assert "outlook" not in repr(decision)
    assert pickle.loads(pickle.dumps(decision)).outlook == decision.outlook


def test_names_are_escaped_and_colours_are_those_of_the_page() -> None:
    odd = wb.Instrument("<b>")
    portfolio = wb.Portfolio("USD", 1000.0, {odd: 1}, {"<b>": 10.0})
    page = wb.Strategy(wb.signals.Breakout()).preview(wb.Order(odd, "buy", 1), portfolio)._repr_html_()
    assert "buy 1 &lt;b&gt;" in page
    assert "color:inherit;background:transparent" in page

"""The page of a result: complete, escaped, and without anything from outside."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import pytest
from worked import SHARE, both, market, plan

import workbench as wb
from workbench.research import report
from workbench.research.report import SHOWN

NASTY = wb.Instrument("A<b>&'")


class Page(HTMLParser):
    """Collects tags with their attributes, and the text outside of scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if not self.tags or self.tags[-1][0] not in ("script", "style"):
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Page:
    result = wb.backtest(wb.Strategy(wb.signals.MovingAverageCross(3, 8)), wb.simulate(days=2, seed=1))
    return Page(result.report(tmp_path_factory.mktemp("deep") / "new" / "page.html").read_text(encoding="utf-8"))


def test_nothing_is_fetched_from_outside(page: Page) -> None:
    outside = [
        (tag, attrs) for tag, attrs in page.tags for name in ("src", "href", "data", "action", "srcset", "poster") if attrs.get(name)
    ]
    assert outside == []
    assert "link" not in {tag for tag, _ in page.tags}
    assert "iframe" not in {tag for tag, _ in page.tags}


def test_the_style_fetches_nothing() -> None:
    assert "@import" not in report.STYLE
    assert "url(" not in report.STYLE


@pytest.mark.parametrize(
    "heading", ["Figures", "Pictures", "Trades", "Decisions, with who cut what and why", "Assumptions", "Strategy", "Fingerprints"]
)
def test_every_part_is_there(page: Page, heading: str) -> None:
    assert f" {heading} " in f" {page.text} "


def test_it_says_what_was_run_and_when(page: Page) -> None:
    assert "Backtest: SIM, 1min" in page.text
    assert "2024-01-01 to 2024-01-02, times in UTC" in page.text
    assert "Simulated market: these prices were made up." in page.text
    assert "MovingAverageCross(fast=3, slow=8)" in page.text


def test_the_figures_are_those_of_the_result(tmp_path: Path) -> None:
    result = both(plan("+..0.", quantity=3), market([100, 100, 110, 120, 130]))
    text = Page(result.report(tmp_path / "page.html").read_text(encoding="utf-8")).text
    assert "end equity 100,090.00" in text
    assert "opens 3" in text
    assert "Simulated" not in text
    assert all(line in text for line in result.assumptions)


def warned(*lines: str) -> wb.Backtest:
    bars = market([100, 100, 110])
    arrays = {name: bars.array(name) for name in ("open", "high", "low", "close", "volume")}
    return both(plan("+.."), wb.Bars(bars.index, bars.instruments, bars.interval, arrays, "a file", assumptions=lines))


def test_a_warning_among_the_assumptions_is_a_banner(tmp_path: Path) -> None:
    result = warned("warning: a split on <2024-01-01>?", "labels are session dates")
    page = result.report(tmp_path / "page.html").read_text(encoding="utf-8").split("<h2>Figures</h2>")[0]
    assert page.count("<p class='warn'>") == 1
    assert "<p class='warn'>Warning: a split on &lt;2024-01-01&gt;?</p>" in page


def test_there_is_no_banner_without_a_warning(tmp_path: Path) -> None:
    assert "<p class='warn'>" not in warned("labels are session dates").report(tmp_path / "page.html").read_text(encoding="utf-8")


def test_long_tables_show_their_end(page: Page) -> None:
    assert page.text.count(f"The last {SHOWN} of") == 2
    assert sum(tag == "table" for tag, _ in page.tags) == 2


def test_what_a_user_wrote_is_escaped(tmp_path: Path) -> None:
    bars = market([100, 100, 110], NASTY)
    bars = wb.Bars(
        bars.index,
        bars.instruments,
        bars.interval,
        {n: bars.array(n) for n in ("open", "high", "low", "close", "volume")},
        "<script>alert(1)</script>",
    )
    written = both(plan("+.."), bars).report(tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<script>alert(1)" not in written
    assert "A<b>&'" not in written.split("<script")[0]
    assert "<b>&'" in Page(written).text


def test_a_result_without_trades_has_a_page(tmp_path: Path) -> None:
    path = both(plan("..."), market([100] * 3, SHARE)).report(str(tmp_path / "page.html"))
    assert path == tmp_path / "page.html"
    assert "trades 0" in Page(path.read_text(encoding="utf-8")).text


def test_the_page_reads_in_any_browser(tmp_path: Path) -> None:
    written = both(plan("+.."), market([100] * 3)).report(tmp_path / "page.html").read_text(encoding="utf-8")
    assert written.startswith("<!doctype html>")
    assert '<meta charset="utf-8">' in written
    assert "color-scheme: light dark" in written

"""One HTML page a result: opens anywhere, needs no network."""

from __future__ import annotations

import html
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from workbench.research.readable import as_html
from workbench.research.statistics import Days

if TYPE_CHECKING:
    from workbench.research.result import Backtest

__all__ = ["write_report"]

STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1080px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin-bottom: 0; } h2 { font-size: 1.1rem; margin-top: 2rem; }
.sub { opacity: .7; } .warn { background: #e69f0033; border-left: 4px solid #e69f00; padding: .4rem .8rem; }
.scroll { overflow-x: auto; max-height: 26rem; overflow-y: auto; }
table { border-collapse: collapse; font-size: 13px; } th, td { border-bottom: 1px solid #8884; }
th { position: sticky; top: 0; background: Canvas; }
.figures { columns: 3 16rem; column-gap: 2.5rem; }
.figures div { display: flex; justify-content: space-between; break-inside: avoid; border-bottom: 1px solid #8883; }
.figures b { font-variant-numeric: tabular-nums; } pre { white-space: pre-wrap; }
"""
#: A page stays light: of a long table the last rows are shown.
SHOWN = 200
PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title><style>{style}</style></head>
<body>{body}</body>
</html>
"""


def write_report(result: Backtest, path: Path) -> Path:
    """Write the page, its folder too if need be."""
    from workbench.research.result import format_values

    figures = "".join(
        f"<div><span>{html.escape(str(k))}</span><b>{html.escape(v)}</b></div>" for k, v in format_values(result.stats).items()
    )
    charts = "".join(
        figure.to_html(full_html=False, include_plotlyjs=number == 0, config={"displaylogo": False})
        for number, figure in enumerate(_figures(result))
    )
    prints = "".join(f"<li>{html.escape(name)}: {html.escape(value)}</li>" for name, value in result.fingerprint.items())
    title = f"Backtest: {', '.join(result.bars.symbols[:4])}, {result.bars.interval}"
    span = f"{result.bars.index[0]:%Y-%m-%d} to {result.bars.index[-1]:%Y-%m-%d}, times in UTC"
    body = [
        f"<h1>{html.escape(title)}</h1><p class='sub'>{span}</p>",
        _banners(result),
        f"<h2>Figures</h2><div class='figures'>{figures}</div>",
        f"<h2>Pictures</h2>{charts}",
        f"<h2>Trades</h2>{_table(result.trades)}",
        f"<h2>Decisions, with who cut what and why</h2>{_table(result.decisions)}",
        f"<h2>Assumptions</h2>{result.assumptions._repr_html_()}",
        f"<h2>Strategy</h2><pre>{html.escape(repr(result.strategy))}</pre>",
        f"<h2>Fingerprints</h2><ul>{prints}</ul>",
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(PAGE.format(title=html.escape(title), style=STYLE, body="".join(body)), encoding="utf-8")
    return path


def _figures(result: Backtest) -> Iterator[Any]:
    """Yield the pictures of a result; rolling figures where there are days enough for them."""
    from workbench.research.pictures import ROLLING, plot_leverage, plot_months, plot_rolling

    yield result.plot()
    yield plot_months(result)
    if len(Days(result.bars.labels).ends) > ROLLING:
        yield plot_rolling(result)
    yield plot_leverage(result)


def _banners(result: Backtest) -> str:
    """Return what must not be overlooked: that the market was made up, and the warnings among the assumptions."""
    simulated = ["Simulated market: these prices were made up."] if result.bars.simulated else []
    warnings = [f"Warning: {line.removeprefix('warning:').strip()}" for line in result.assumptions if line.startswith("warning:")]
    return "".join(f"<p class='warn'>{html.escape(line)}</p>" for line in simulated + warnings)


def _table(frame: pd.DataFrame) -> str:
    note = f"<p class='sub'>The last {SHOWN} of {len(frame):,}.</p>" if len(frame) > SHOWN else ""
    return f"{note}<div class='scroll'>{as_html(frame.tail(SHOWN))}</div>"

"""What a result rests on, in sentences: printed with every result, so that nobody has to guess."""

from __future__ import annotations

import html

import numpy as np
import pandas as pd

from workbench.component_text import models_of
from workbench.execution.fills import MOST_INTERVALS, MOST_SESSIONS
from workbench.interval import DAY
from workbench.maintenance import words_for
from workbench.records import NONE, OPENED, WORDS
from workbench.session.record import Record
from workbench.session.setup import Setup
from workbench.team import strategies_of

__all__ = ["Assumptions", "assumed"]

#: What becomes of the first stance, by `start` of a strategy or a team.
STARTS = {"join": "acted on", "wait": "only noted", "each": "acted on or only noted, as each strategy says"}


class Assumptions(tuple[str, ...]):
    """What a result rests on, one sentence each; prints as a list."""

    __slots__ = ()

    def __str__(self) -> str:
        return "\n".join(f"- {line}" for line in self)

    def __repr__(self) -> str:
        return f"Assumptions:\n{self}"

    def _repr_html_(self) -> str:
        return "<ul>" + "".join(f"<li>{html.escape(line)}</li>" for line in self) + "</ul>"


def assumed(setup: Setup, record: Record) -> list[str]:
    """Return what a run of a set-up assumed."""
    bars = setup.bars
    lines = [f"simulated market: {bars.source}"] if bars.simulated else [f"bars from {bars.source}"] if bars.source else []
    lines += list(bars.assumptions)
    waits = f"{MOST_SESSIONS} sessions" if bars.interval_ns == DAY else f"{MOST_INTERVALS} intervals"
    lines += [
        f"account in {setup.currency}, {setup.cash:,.2f} at the start; starts flat, first stance {STARTS[setup.system.start]}",
        *_shares(setup),
        "decided at the close of a bar, filled from the next bar on; market orders at its open moved against us, "
        "stops before targets, gaps at the open, limits only when traded through; an opening without a bar for "
        + (waits if bars.daily else f"{waits} (overnight, over a weekend)")
        + " expires",
        *setup.conversion.assumptions,
    ]
    said: dict[str, list[str]] = {}
    for instrument, costs in zip(setup.market.instruments, setup.market_costs.values(), strict=True):
        said.setdefault(costs.describe(instrument), []).append(instrument.symbol)
    lines += [f"{_names(symbols)}: {words}" for words, symbols in said.items()]
    lines += setup.financing.assumptions if setup.financing is not None else ()
    lines += _not_modelled(setup)
    lines += [words for part in setup.limits for words in part.notes(setup.instruments)]
    lines += _approved(setup)
    lines += _refused(record)
    lines += _seen(setup) + _expired(setup)
    if setup.buying_power:
        margins = {f"{i.margin:.4g}" for i in setup.instruments}
        half = "; stop-out below half of the required margin" if any(i.maintenance is None for i in setup.instruments) else ""
        lines.append(f"buying power on: margin {', '.join(sorted(margins))} of the notional{half}")
    else:
        lines.append("buying power off: nothing but the strategy's own limits stops an opening")
    lines += _declared_margins(setup)
    lines.append(f"computed by the {record.engine}")
    return lines


def _approved(setup: Setup) -> list[str]:
    """Return that a person's word was taken for granted, where a run waits for one."""
    waits = max((one.approval for one in strategies_of(setup.system).values()), default=0.0)
    return [f"every opening approved at once: in a run each waits up to {waits:g} s for a person's word"] if waits else []


def _shares(setup: Setup) -> list[str]:
    """Return how several strategies share the account."""
    team = setup.team
    if team is None:
        return []
    shares = ", ".join(f"{name} {team.share_of(name):.3g}" for name in team.strategies)
    return [f"shares of the account: {shares}; each strategy holds its own positions, two opposite ones are not set off"]


def _seen(setup: Setup) -> list[str]:
    """Return how many of the steps a model was trained on: what it says of them is no proof of anything."""
    index, symbols = setup.bars.index, set(setup.market.symbols)
    cards = {model.id: model.card for model in models_of(setup.system) if symbols & set(model.card.symbols)}
    seen = {id: int(((index >= pd.Timestamp(card.first)) & (index <= pd.Timestamp(card.last))).sum()) for id, card in cards.items()}
    return [
        f"warning: the model {id} was trained on bars up to {cards[id].last}: of {count:,} of {len(index):,} steps it knows what came"
        for id, count in seen.items()
        if count
    ]


def _expired(setup: Setup) -> list[str]:
    """Return from when on a model predicts nothing any more, where that is within the bars."""
    index = setup.bars.index
    late = [(model, int(model.card.expired(index).sum())) for model in models_of(setup.system)]
    return [
        f"the model {model.id} expired at {model.card.expires}: it predicts nothing of the last {count:,} of {len(index):,} steps"
        for model, count in late
        if count
    ]


def _refused(record: Record) -> list[str]:
    """Return how often nothing was opened though the stance wanted it, and why: silence would look like a quiet signal."""
    codes, counts = np.unique(record.decisions["code"], return_counts=True)
    return [
        f"{count:,} of {len(record.decisions):,} decisions opened nothing: {WORDS[code]}"
        for code, count in zip(codes.tolist(), counts.tolist(), strict=True)
        if code not in (NONE, OPENED)
    ]


def _declared_margins(setup: Setup) -> list[str]:
    """Return the declared maintenance margins in words, each with who has it."""
    said: dict[str, list[str]] = {}
    for one in setup.market.instruments:
        if one.maintenance is not None:
            said.setdefault(words_for(one.tiers), []).append(one.symbol)
    return [f"{_names(symbols)}: stop-out below a maintenance margin of {words}" for words, symbols in said.items()]


def _not_modelled(setup: Setup) -> list[str]:
    """Return what it costs to hold positions, and no data say so."""
    known = setup.financing.modelled if setup.financing is not None else frozenset()
    nightly = {symbol for kind, symbol in known if kind != "borrow"}
    shorts = [i for i in setup.market.instruments if i.can_short and i.funded and ("borrow", i.symbol) not in known]
    funding = [i for i in setup.market.instruments if i.kind in ("perpetual", "cfd") and i.symbol not in nightly]
    swaps = [i for i in setup.market.instruments if i.asset_class == "fx" and i.kind == "spot" and i.symbol not in nightly]
    splits = [i for i in setup.market.instruments if i.asset_class == "equity"]
    loans = [i for i in setup.market.instruments if i.funded and ((i.margin or 1) < 1 or not setup.buying_power)]
    rows = [
        ("interest on borrowed money not modelled", loans),
        ("borrow costs of short positions not modelled", shorts),
        ("funding not modelled", funding),
        ("swap not modelled", swaps),
        ("dividends and splits not modelled: prices are taken as they are", splits),
    ]
    return [f"{_names([i.symbol for i in group])}: {words}" for words, group in rows if group]


def _names(symbols: list[str]) -> str:
    """Return the first names of several."""
    return ", ".join(symbols[:5]) + (f" and {len(symbols) - 5} more" if len(symbols) > 5 else "")

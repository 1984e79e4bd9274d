"""What a result rests on where positions are held: margins that are declared, costs that are not modelled."""

from __future__ import annotations

from workbench.maintenance import words_for
from workbench.session.setup import Setup

__all__ = ["declared_margins", "names", "not_modelled"]


def declared_margins(setup: Setup) -> list[str]:
    """Return the declared maintenance margins in words, each with who has it."""
    said: dict[str, list[str]] = {}
    for one in setup.instruments:
        if one.maintenance is not None:
            said.setdefault(words_for(one.tiers), []).append(one.symbol)
    return [f"{names(symbols)}: stop-out below a maintenance margin of {words}" for words, symbols in said.items()]


def not_modelled(setup: Setup) -> list[str]:
    """Return what it costs to hold positions, and no data say so."""
    known = setup.financing.modelled if setup.financing is not None else frozenset()
    nightly = {symbol for kind, symbol in known if kind != "borrow"}
    shorts = [i for i in setup.instruments if i.can_short and i.funded and ("borrow", i.symbol) not in known]
    funding = [i for i in setup.instruments if i.kind in ("perpetual", "cfd") and i.symbol not in nightly]
    swaps = [i for i in setup.instruments if i.asset_class == "fx" and i.kind == "spot" and i.symbol not in nightly]
    splits = [i for i in setup.instruments if i.asset_class == "equity"]
    loans = [i for i in setup.instruments if i.funded and ((i.margin or 1) < 1 or not setup.buying_power)]
    rows = [
        ("interest on borrowed money not modelled", loans),
        ("borrow costs of short positions not modelled", shorts),
        ("funding not modelled", funding),
        ("swap not modelled", swaps),
        ("dividends and splits not modelled: prices are taken as they are", splits),
    ]
    return [f"{names([i.symbol for i in group])}: {words}" for words, group in rows if group]


def names(symbols: list[str]) -> str:
    """Return the first names of several."""
    return ", ".join(symbols[:5]) + (f" and {len(symbols) - 5} more" if len(symbols) > 5 else "")

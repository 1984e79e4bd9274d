"""The rules of ticks, of the paper venue as a whole, of slices and other algorithms, of an order's life, and of dust (SEMANTICS 27-37)."""

from __future__ import annotations

from .rules import Rules

__all__ = ["RULES"]

TICKS = Rules(
    "workbench/execution/_ticks.py",
    "test_ticks.py",
    (
        ("ticks are in the order of time", "if not index.is_monotonic_increasing:", "if False:"),
        ("an ask is not below its bid", "(self.ask >= self.bid)", "(self.ask > 0.0)"),
        ("ticks are those of the bar", "rows = slice(*np.searchsorted(self.times, [first, end]))", "rows = slice(None)"),
        ("a tick has its time", "self._now = time\n                self._meet", "self._meet"),
        (
            "a quote is a price without slippage",
            "self.depth.priced, self.depth.piece = self.ticks.quoted,",
            "self.depth.priced, self.depth.piece = False,",
        ),
        ("a long is closed at the bid", "self.close_at_open(bid if self.lots > 0 else ask)", "self.close_at_open(ask)"),
        (
            "a purchase pays the ask",
            "self._open_at(self.opening, ask if self.opening.sign > 0 else bid)",
            "self._open_at(self.opening, bid)",
        ),
        ("a long is protected at the bid", "self._protect_at(bid if self.lots > 0 else ask)", "self._protect_at(ask)"),
        (
            "the order of what was reached is known",
            "return self.target if self._now is not None else super()._due_target",
            "return super()._due_target",
        ),
        ("a limit that rests fills at its own price", "return inside(order, price, price, self.opening_waits.off) if limit else", "return"),
        ("a limit works for its bars", "self._bar_over(high, low, over=False)", "pass"),
        ("a tick is a part of its bar", "1.0 / max(len(ticks), 1)", "1.0", "test_honest_fills.py"),
        (
            "a gap over the stop of before is none",
            "first if gapped and self.entry is entry else None",
            "first if gapped else None",
        ),
        ("a gap at the open is filled there", "stop.price if gap is None else gap", "stop.price", "test_honest_fills.py"),
        ("no tick of a halt fills", "if not any(start <= time < over for start, over in halts):", "if True:", "test_honest_fills.py"),
        ("nothing is traded between the ticks of a halt", "if ticks and not any(", "if ticks and True or any(", "test_honest_venue.py"),
        ("ticks are on the scale of their bars", "if not ticks or not (all(", "if True or not (all(", "test_honest_venue.py"),
        (
            "a wide quote is none of another scale",
            "all(bid > high * FAR for _, bid, _ in",
            "all(ask > high * FAR for *_, ask in",
            "test_honest_venue.py",
        ),
        ("a gap in the ticks saves no position", "if unseen and stop_inside(", "if False and stop_inside(", "test_honest_fills.py"),
        ("ticks that show a bar's ends say what came first", "if unseen and stop_inside(", "if stop_inside(", "test_honest_fills.py"),
        (
            "a target waits for its turn",
            'lots = self.depth.room_in_the_queue("target"',
            "lots = abs(self.lots)  # (",
            "test_honest_fills.py",
        ),
    ),
)
VENUE = Rules(
    "workbench/execution/paper.py",
    "test_paper_troubles.py test_paper_record.py test_account.py",
    (
        ("both prices of an order go in ticks", "for price in (order.price, order.limit_price):", "for price in (order.price,):"),
        ("its stop is asked for too", 'with_it = {"stop"} if order.stop_distance is not None else set()', "with_it: set[str] = set()"),
        ("some openings are refused", "if self.rejects and self._is_unlucky(order.key):", "if False:"),
        ("closings never are", "if not order.reduce_only and self._refuses(order, desk):", "if self._refuses(order, desk):"),
        ("an opening needs margin", "or (self.margin and self._is_too_large(order, desk))", "or False"),
        (
            "an opening has a smallest size",
            "return below_minimum(order.quantity, self.tape.price[desk.j], desk.spec) or",
            "return",
            "test_honest_venue.py",
        ),
        (
            "an order has a key",
            'if order.key is None:\n            return f"an',
            'if False:\n            return f"an',
            "test_paper_troubles.py",
        ),
        (
            "an order is for what is traded here",
            "if symbol not in self._column:\n            return",
            "if False:\n            return",
            "test_paper_troubles.py venues/test_paper.py",
        ),
        (
            "what is not taken is refused",
            "if missing:\n            return (",
            "if False:\n            return (",
            "test_paper_troubles.py venues/test_paper.py",
        ),
        (
            "a closing goes at market",
            'if order.reduce_only and order.type != "market":',
            "if False:",
            "test_paper_troubles.py venues/test_paper.py",
        ),
        (
            "quantities go in steps",
            "if not on_grid(order.quantity, spec.number, spec.power):",
            "if False:",
            "test_paper_troubles.py venues/test_paper.py",
        ),
        (
            "prices go in ticks",
            "if price is not None and instrument.tick_size is not None and not on_grid(",
            "if False and not on_grid(",
            "test_paper_troubles.py venues/test_paper.py",
        ),
        ("nothing trades in a halt", "opens = [(desk, math.nan if self._is_halted(desk) else first) for desk, first in opens]", "pass"),
        ("a halt ends", "return any(start <= self.label < end for", "return any(start <= self.label for"),
        (
            "what is on its way needs margin too",
            "quantity = other.staying + (0.0 if opening is None else opening.quantity)",
            "quantity = other.staying",
        ),
        ("what is held needs margin too", "quantity = other.staying + (0.0 if", "quantity = (0.0 if"),
        (
            "margin is a share of the notional",
            "* tape.unit[j] * other.spec.margin\n        return needed",
            "* tape.unit[j]\n        return needed",
        ),
        (
            "an account is used once",
            "if self._desks:\n            raise",
            "if False:\n            raise",
            "test_session.py venues/test_paper.py test_paper_troubles.py test_refusals.py",
        ),
        ("holding costs what is charged", "self.cash = self.cash - amount", "pass", "test_financing.py test_parity_charges.py"),
        (
            "phases go over all instruments",
            "for phase in AT_THE_OPEN:\n            for desk, first in present:\n                phase(desk, first)",
            "for desk, first in present:\n            for phase in AT_THE_OPEN:\n                phase(desk, first)",
            "test_semantics_fills.py",
        ),
        ("dust is worth money", "equity = equity + self.dust.all_worth(self.tape.price, self.tape.unit)", "pass", "test_fee_in_base.py"),
    ),
)
SLICES = Rules(
    "workbench/execution/_slicing.py",
    "test_working_orders.py",
    (
        ("what did not fill is in the next slice", "number, power) - (asked - left), left)", "number, power), left)"),
        ("the last slice makes it whole", "share = 1.0 if self.is_last(progress) else min(", "share = min("),
        ("a rest below the least goes with the slice", "if 0 < left - lots < least:  # the", "if False:  # the"),
        ("a profile weighs", "return math.fsum(usual[: progress.closes + 1]) / whole if whole > 0.0 else", "return"),
        ("a chase comes nearer", "offset = self.offset * (1.0 - progress.closes / (self.bars - 1))", "offset = self.offset"),
        (
            "a chase crosses at the end",
            'if self.then == "cross" and self.is_last(progress):\n            return [parent]\n        offset',
            "if False:\n            return [parent]\n        offset",
        ),
        ("an iceberg shows a part at a time", "if progress.out:\n            return []", "pass"),
        (
            "an iceberg stays at its price",
            "return limit_of(part, progress.decided, self.offset",
            "return limit_of(part, market.price, self.offset",
        ),
        (
            "an iceberg crosses at the end",
            'if self.then == "cross" and self.is_last(progress):\n            return [parent]\n        if progress.out',
            "if progress.out",
        ),
        (
            "an iceberg's part is not below the least",
            "lots = min(max(lots_of(progress.asked * self.shown, number, power), least), left)",
            "lots = min(lots_of(progress.asked * self.shown, number, power), left)",
        ),
    ),
)
PLAIN = Rules(
    "workbench/execution/_algorithms.py",
    "test_order_forms.py test_own_algorithms.py",
    (
        (
            "a limit below the first tick is none",
            "bars=bars, then=then)] if price > 0.0 else []",
            "bars=bars, then=then)]",
            "test_order_forms.py test_semantics_fills.py test_working_orders.py",
        ),
        (
            "a stop entry lies beyond the close",
            "price = limit_price(-side, market.price, self.offset, *tick)",
            "price = limit_price(side, market.price, self.offset, *tick)",
        ),
        ("its limit lies further", "self.offset + self.limit, *tick)", "self.offset, *tick)"),
        ("a stop entry below the first tick is none", "if not min(price, most) > 0.0:", "if False:"),
        (
            "a limit has its time in force",
            "replace(order, time_in_force=self.time_in_force, post_only=self.post_only)",
            "replace(order, post_only=self.post_only)",
        ),
        (
            "a limit that only rests says so",
            "time_in_force=self.time_in_force, post_only=self.post_only)",
            "time_in_force=self.time_in_force)",
        ),
    ),
)
LIVES = Rules(
    "workbench/execution/orders.py",
    "test_orders.py",
    (
        ("a fill is booked once", 'if name and name in self.fills:\n            return self, "again"', "pass"),
        ("more than was asked for is said", 'if filled > self.lots:\n            return life, "overfill"', "pass"),
        ("a fill after the end is said", 'return life, "late" if self.over else ""', 'return life, ""'),
        ("a fill after the end is booked", "filled = self.filled + lots\n", "filled = self.filled + (0 if self.over else lots)\n"),
        (
            "an end stays",
            'if self.over or to == self.state or (to in ALIVE and self.state in ALIVE):\n            return self, "again"',
            "pass",
        ),
        (
            "that an order works is no news while it is taken off",
            "if self.state in LEGAL[to] and (self.state, to) not in REFUSED:",
            "if self.state in LEGAL[to]:",
        ),
        (
            "an order that a venue works is alive",
            'return (self if to in CROSSED else self._in(to)), "impossible"',
            'return self, "impossible"',
        ),
        ("absent is concluded from doubt alone", '"absent": frozenset({"unknown"}),', '"absent": ALIVE,'),
        ("what has filled in part works on as partly filled", 'if to == "working" and self.filled:\n            to = "partial"', "pass"),
        (
            "what was never sent has no fills",
            'if self.state in UNTAKEN or self.state == "intended":\n            return life, "impossible"',
            "pass",
        ),
        (
            "nothing is left after the end",
            "return 0 if self.over else max(self.lots - self.filled, 0)",
            "return max(self.lots - self.filled, 0)",
        ),
    ),
)
DUST = Rules(
    "workbench/dust.py",
    "test_fee_in_base.py",
    (
        ("dust comes to a step again", " + self._left.get(j, 0), size)", ", size)"),
        ("a split splits dust", "self._left[j] *= ratio", "pass", "test_fee_in_base.py test_portfolio_events.py"),
        ("a copy goes its own way", "other._left, other.any = dict(self._left), self.any", "other._left, other.any = self._left, self.any"),
    ),
)
TERMS = Rules(
    "workbench/execution/_terms.py",
    "test_paper_troubles.py",
    (
        ("a number is finite", "if not math.isfinite(known := number(given)):", "known = number(given)\n    if False:"),
        ("what a venue takes is a list", "if isinstance(given, str) or not isinstance(given, Collection):", "if False:"),
        ("what a venue takes is known", "if not isinstance(name, str) or name not in EVERYTHING:", "if False:"),
        (
            "closings are reduce-only in any case",
            'return frozenset({*given, "reduce_only"})',
            "return frozenset(given)",
            "test_account.py test_held_exits.py",
        ),
        ("what goes by symbol does", "if not isinstance(given, Mapping):", "if False:"),
        ("halts go from one time to another", "if not isinstance(halts, Sequence) or not all(", "if False and not all("),
        ("halts that touch are one", "if found and start <= found[-1][1]:", "if False:", "test_honest_venue.py"),
        ("a halt goes forward", "if not first < last:", "if False:"),
    ),
)
NEEDS = Rules(
    "workbench/strategy.py",
    "test_own_algorithms.py",
    (
        (
            "closings ask for what cannot open the other side",
            'said = {"market": "closings", "reduce_only": "closings"}',
            'said = {"market": "closings"}',
        ),
        ("an exit asks for its order", "said |= dict.fromkeys(EXITS_NEED.get(part.kind, ()), type(part).__name__)", "pass"),
        ("a position that changes asks for orders that move", 'said |= {"amend": changes} if changes and self.exits else {}', "pass"),
    ),
)
RULES = (TICKS, VENUE, TERMS, NEEDS, SLICES, PLAIN, LIVES, DUST)

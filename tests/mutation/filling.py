"""The rules by which orders fill at the paper venue: phase by phase, what is held, and what a bar has room for (SEMANTICS 23-29)."""

from __future__ import annotations

from .rules import Rules

__all__ = ["RULES"]

FILLS = Rules(
    "workbench/execution/fills.py",
    "test_fills.py test_semantics_fills.py",
    (
        ("a limit is better than the close", "close * (1.0 - side * offset), side, number", "close * (1.0 + side * offset), side, number"),
        ("a limit is rounded away from the market", "(1.0 - side * offset), side, number", "(1.0 - side * offset), -side, number"),
        ("an open beyond a limit fills it", "return side * (limit - first) > 0.0", "return False"),
        ("an open at a limit does not fill it", "return side * (limit - first) > 0.0", "return side * (limit - first) >= 0.0"),
        ("a limit that was touched was not traded through", "low < limit if side > 0 else", "low <= limit if side > 0 else"),
        ("nor one to sell", "else high > limit", "else high >= limit"),
        ("an open at a stop fills it", "return held * (stop - first) >= 0.0", "return held * (stop - first) > 0.0"),
        ("a stop that was touched was reached", "return low <= stop if held > 0", "return low < stop if held > 0"),
        ("nor is that of a short spared", "else high >= stop", "else high > stop"),
        ("a stop is rounded away from the market", "filled - held * distance, held, number", "filled - held * distance, -held, number"),
        (
            "a stop's price is above zero",
            "return level if level > 0.0 else max(number / power, SMALLEST)\n\n\ndef best",
            "return level\n\n\ndef best",
        ),
        ("a target is rounded away from the market", "filled + held * distance, -held, number", "filled + held * distance, held, number"),
        (
            "a target's price is above zero",
            "return level if level > 0.0 else max(number / power, SMALLEST)\n\n\ndef too",
            "return level\n\n\ndef too",
        ),
        ("a stop never goes back", "return max(stop, level) if held > 0 else min(stop, level)", "return level", "test_semantics_exits.py"),
        ("an opening does not wait for ever", "return waited > (MOST", "return waited > 99 * (MOST"),
        ("days count as sessions", "(MOST_SESSIONS if interval == DAY else MOST_INTERVALS)", "MOST_INTERVALS"),
    ),
)
OFFERS = Rules(
    "workbench/execution/_offers.py",
    "test_order_forms.py",
    (
        (
            "a limit pays no slippage at the open",
            "Offer(first, slips=False) if limit_at_open(side, price",
            "Offer(first, slips=True) if limit_at_open(side, price",
            "test_semantics_fills.py test_order_forms.py",
        ),
        ("what waits for a price waits", "if not (set_off or set_off_at_open(order, first)):\n        return None", "pass"),
        ("what was set off stays so", "if not (set_off or set_off_at_open(order, first)):", "if not set_off_at_open(order, first):"),
        ("a stop-limit has a limit at the open", "if limit_at_open(side, order.limit_price, first) else None", "if True else None"),
        ("it costs no more than the limit with its slippage", "side * (self.worst - price) >= 0.0", "True"),
        (
            "a limit rests at its own price",
            "Offer(price, slips=False) if limit_inside",
            "Offer(low, slips=False) if limit_inside",
            "test_semantics_fills.py test_order_forms.py",
        ),
        (
            "a stop-limit that was set off is a limit",
            "if limit is not None and limit_inside(side, limit, high, low) else None",
            "if limit is not None else None",
        ),
        (
            "a stop inside a bar slips",
            "return Offer(price, slips=True, worst=limit)",
            "return Offer(price, slips=False, worst=limit)",
        ),
        ("inside a bar it costs no more than its limit", "slips=True, worst=limit)", "slips=True)"),
        ("a take-profit waits on the other side", 'order.sign if order.type == "take_profit" else -order.sign', "-order.sign"),
        ("a day is over when the next begins", "return self.met and label // DAY != self.day", "return False"),
        ("a day begins with the first bar", "return self.met and label", "return label"),
        ("a moment is over when it has come", "label >= order.good_until", "label > order.good_until"),
    ),
)
DESK = Rules(
    "workbench/execution/_desk.py",
    "test_order_forms.py test_semantics_fills.py test_partial_fills.py",
    (
        ("a stop that was reached is not calm", "or self.triggered:\n            return False", ":\n            return False"),
        (
            "a target waits in the bar of a limit entry",
            "return self.target if self.limit_entry != self.till.row else None",
            "return self.target",
        ),
        (
            "a closing without a position is over",
            "elif order.reduce_only:\n            self.closing",
            "elif False:\n            self.closing",
        ),
        ("an order is on its way", "if self.till.row < 0 or not costs.bars_late(interval):", "if True:"),
        ("an opening waits until it has arrived", "if order is None or self.now < waits.ready:", "if order is None:"),
        (
            "on its way it does not wait",
            "waited if self.opening_waits.met else waited - self.depth.costs.bars_late(tape.interval)",
            "waited",
            "test_honest_venue.py",
        ),
        (
            "a closing waits until it has arrived",
            "if self.closing is not None and self.now >= self.closing_ready:",
            "if self.closing is not None:",
        ),
        (
            "what waited too long expires",
            "if self._has_waited_too_long():",
            "if False:",
            "test_semantics_fills.py test_paper_troubles.py",
        ),
        ("what is good until a moment is over then", "elif waits.is_over(order, self.now):", "elif False:"),
        (
            "an opening waits for a closing in parts",
            "elif self.lots and self.closing is not None:",
            "elif False:",
        ),
        ("what may only rest does not take", "if offer is not None and order.post_only and arrives:", "if False:"),
        ("however long that takes", "self.opening_since = till.row  # what", "pass  # what", "test_honest_venue.py"),
        (
            "an opening fills by what the bar has",
            "wanted, side = self._wanted(order),",
            "wanted, side = self._steps(order),",
        ),
        ("all or nothing", '(order.time_in_force == "fok" and lots < self._steps(order))', "False"),
        (
            "a gap at the open is no way past the queue",
            "if maker and order.price is not None and self.depth.costs.queue:",
            "if False:",
            "test_honest_venue.py",
        ),
        (
            "a limit takes as much as its own weight lets it",
            "return bisect_left(most, True, key=",
            "return wanted or bisect_left(most, True, key=",
            "test_honest_venue.py",
        ),
        (
            "what it could not take it is not given",
            "self.opening_waits.tried = self.till.row  # what",
            "pass  # what",
            "test_honest_venue.py",
        ),
        (
            "the open shows what there is for a limit",
            "if offer is not None and not tried and not (",
            "if offer is not None and not (",
            "test_honest_venue.py",
        ),
        ("at once or not at all", 'if self.opening is not None and order.time_in_force in ("ioc", "fok"):', "if False:"),
        ("a limit at its first open takes", "not (arrives or offer.slips))", "not offer.slips)"),
        ("what takes is no maker", "not (arrives or offer.slips))", "not arrives)", "test_honest_fills.py"),
        ("a limit that rested makes", 'maker=order.type == "limit" and not (arrives or offer.slips)', "maker=False"),
        ("what slips costs more", "if offer.slips else offer.price", "if False else offer.price"),
        (
            "a stop comes before the target",
            "held, stop, target = self._held, self.stop, self._due_target",
            "held, target = self._held, self._due_target\n        stop = self.stop if target is None else None",
        ),
        ("a stop slips", "self._leave(stop, self.depth.slipped(price, -self._held, lots), lots)", "self._leave(stop, price, lots)"),
        (
            "what waits in a hole grows old",
            " and self._has_waited_too_long(more=1):",
            " and False:",
        ),
        ("what is over inside a bar fills at its open alone", "offer = None if ends else inside", "offer = inside"),
        ("a limit works for its bars", "self.opening_left -= 1", "pass"),
        ("what follows the price follows it", "self.opening = self._trailed(self.opening, high, low)", "pass"),
        (
            "an opening waits inside for a closing in parts",
            "not tried and not (self.lots and self.closing is not None):  #",
            "not tried:  #",
        ),
        (
            "a limit waits for its turn",
            'lots = self.depth.room_in_the_queue("opening", self._steps(order), offer.price, side, high, low)',
            "lots = self.depth.room(self._steps(order))",
        ),
        ("a limit beyond the market takes", "if offer is not None and waits.takes:", "if False:", "test_honest_fills.py"),
        ("what is left of it takes too", "(arrives or waits.takes) and", "arrives and", "test_honest_fills.py"),
        (
            "a stop that was reached goes before openings",
            "if self.triggered and self.stop is not None:",
            "if False:",
            "test_honest_fills.py",
        ),
        ("up to its limit", "Offer(first, slips=True, worst=order.price)", "Offer(first, slips=True)", "test_honest_fills.py"),
        (
            "an order in the place of another ends it",
            "if rests is not None and rests.key is not None:",
            "if False:",
            "test_honest_fills.py",
        ),
        ("a target is a maker's", "target.price, -self._held), maker=True)", "target.price, -self._held))"),
        ("the open shows what there is for a target", "self.target_tried = self.till.row", "pass", "test_honest_venue.py"),
    ),
)
HOLDING = Rules(
    "workbench/execution/_holding.py",
    "test_partial_fills.py test_order_forms.py test_semantics_fills.py",
    (
        ("a larger target stands at the end of the queue", "self.depth.queue_up(leg)", "pass", "test_honest_venue.py"),
        (
            "what closes closes no more than it says",
            "return min(self._steps(order), abs(self.lots))",
            "return abs(self.lots)",
            "test_paper_troubles.py test_semantics_resizing.py test_session_resizing.py",
        ),
        ("a fill takes of the bar", "self.depth.take(abs(lots))", "pass"),
        (
            "exits stand at their distance from the average",
            "self.average, self.basis = average, 0.0 if",
            "self.average, self.basis = price, 0.0 if",
        ),
        ("what is left of an opening works on", "self.opening = self._rest_of(order, asked - lots)", "self.opening = None"),
        (
            "all dust is no position",
            "if not self.lots:\n            return  # all",
            "if False:\n            return  # all",
            "test_fee_in_base.py",
        ),
        ("exits follow what came in", "if more:\n            self._follow(order)\n            return", "if more:\n            return"),
        (
            "a stop that moved on stays",
            'price = level if leg == "target" else nearer(self._held, price, level)',
            "price = level",
            "test_partial_fills.py test_working_orders_random.py test_session_resizing.py test_order_forms.py test_working_orders.py",
        ),
        (
            "exits stand for what is held",
            "setattr(self, leg, replace(order, quantity=quantity, price=price))",
            "setattr(self, leg, replace(order, price=price))",
        ),
        ("a closing in parts is not the whole", "if lots < abs(self.lots):\n            if lots:", "if False:\n            if lots:"),
        (
            "a stop without room is remembered",
            "elif order is self.stop:\n                self._reached(order)\n            return",
            "return",
        ),
        ("a reached stop goes at market from then on", "self.triggered = self.triggered or order is self.stop", "pass"),
        (
            "what protects a position ends its entry",
            "self.opening.key is not None and self._continues(self.opening.key):\n            self._end_opening",
            "False:\n            self._end_opening",
            "test_partial_fills.py test_working_orders.py test_order_forms.py test_own_algorithms.py",
        ),
        (
            "additions end with what they add to",
            "if goes_with_it:\n            self._end_opening",
            "if False:\n            self._end_opening",
            "test_working_orders.py test_session_resizing.py test_semantics_resizing.py test_partial_fills.py",
        ),
        ("one fills, the others are off", "if other is not None and other is not order and other.key is not None:", "if False:"),
        (
            "a fee is paid",
            "unit, 0.0 if withheld else fee)",
            "unit, 0.0)",
            "test_costs.py test_semantics_fills.py test_account.py test_order_forms.py",
        ),
        ("a fee is paid once", "unit, 0.0 if withheld else fee)", "unit, fee)", "test_fee_in_base.py"),
        (
            "what is withheld does not come in",
            "return till.dust.bought(self.j, lots, withheld, (self.spec.number, self.spec.power)) if withheld else lots",
            "return lots",
            "test_fee_in_base.py",
        ),
    ),
)
DEPTH = Rules(
    "workbench/execution/_depth.py",
    "test_partial_fills.py test_order_forms.py",
    (
        (
            "a bar has room for its share",
            "return min(lots, max(self._lots(room_in(self._volume, share)) - self._taken.of(self.till.row), 0))",
            "return lots",
        ),
        (
            "what was taken is gone",
            "room_in(self._volume, share)) - self._taken.of(self.till.row), 0))",
            "room_in(self._volume, share)), 0))",
        ),
        ("nor is it there for a limit", "else max(left - self._taken.of(self.till.row), 0))", "else left)", "test_honest_fills.py"),
        ("impact is that of all that was taken", "lots + self._taken.of(self.till.row), spec", "lots, spec", "test_honest_fills.py"),
        ("makers pay what is paid a unit", " + abs(quantity) * (spec.fee_unit * (unit / spec.multiplier))", "", "test_honest_fills.py"),
        ("the next bar has all of its share", "return self._lots if row == self._row else 0", "return self._lots"),
        ("columns of an instrument share a bar", "till.taken.setdefault(instrument.traded_as, Taken())", "Taken()"),
        (
            "a limit stands behind others",
            "self._ahead[name] = self.costs.queue * volume if volume == volume else 0.0",
            "self._ahead[name] = 0.0",
        ),
        ("what stands before it goes first", "self._lots(max(traded - ahead, 0.0))", "self._lots(traded)"),
        ("what has gone does not come again", "self._ahead[name] = max(ahead - traded, 0.0)", "pass"),
        ("an order moves the price", "if self.costs.impact:", "if False:"),
        ("a quote has its spread in it", "if self.priced:\n            return price", "pass", "test_ticks.py"),
        ("the spread of the bars is paid", "if self.costs.quoted else (0.0, 0.0)", "if False else (0.0, 0.0)"),
        (
            "the spread is that known before the bar",
            "tape.spread[self.j][max(self.till.row - 1, tape.first)]",
            "tape.spread[self.j][self.till.row]",
        ),
        ("half of a spread is paid", "half = 0.5 * (self", "half = 1.0 * (self"),
        (
            "without a spread the usual slippage is paid",
            "(0.0, max(half, 0.0)) if half == half else self._usual",
            "(0.0, max(half, 0.0)) if half == half else (0.0, 0.0)",
        ),
        ("a rebate has no least fee", "if share < 0.0:  #", "if False:  #"),
        ("a sale pays in money", 'or order.reduce_only or order.side == "sell":', ":", "test_fee_in_base.py"),
        (
            "a maker pays the maker's share",
            "if self.costs.maker is None or not maker else self.costs.maker",
            "if True else self.costs.maker",
        ),
        ("a taker does not", "if self.costs.maker is None or not maker else", "if self.costs.maker is None else"),
    ),
)
LIQUIDITY = Rules(
    "workbench/execution/liquidity.py",
    "test_partial_fills.py test_order_forms.py",
    (
        (
            "nothing traded is no room",
            "return volume * participation if volume > 0.0 else 0.0",
            "return volume * participation if volume > 0.0 else 1e9",
        ),
        (
            "what traded beyond a limit is a part of the bar",
            "return min(max(through / (high - low), 0.0), 1.0) if high > low else",
            "return 1.0 if high > low else",
        ),
        ("a sale brings something", "moved if side > 0.0 else moved / (1.0 + moved)", "moved", "test_honest_venue.py"),
        ("the law is that of the square root", "volatility * math.sqrt(abs(quantity) / volume)", "volatility * abs(quantity) / volume"),
        (
            "the bar of the fill is not looked at",
            "(k for k in range(row - 1, max",
            "(k for k in range(row, max",
        ),
        ("its own bars are looked at", "max(row - REACH, first) - 1, -1)", "max(row - WINDOW, first) - 1, -1)", "test_honest_fills.py"),
        ("as many as say what is usual", "islice(own, WINDOW + 1)", "islice(own, 3 * WINDOW + 1)"),
    ),
)
ON_ITS_WAY = Rules(
    "workbench/execution/costs.py",
    "test_order_forms.py test_honest_venue.py",
    (
        ("a day's decision is there in time", "if not self.latency or interval >= DAY:", "if not self.latency:"),
        ("an order needs whole bars", "(math.floor if inside else math.ceil)(", "(math.floor if inside else round)("),
        ("among ticks it meets the bar that it arrives in", "(math.floor if inside else math.ceil)(", "math.ceil("),
    ),
)
WORKED = Rules(
    "workbench/session/deciding.py",
    "test_honest_venue.py test_left_over.py test_working_orders.py",
    (
        ("a part meets a bar before the next", " and self.tape.label[row] >= state.work.due:", ":"),
        ("a part below the smallest order is not sent", "if not below_minimum(child.quantity, tape.price[j], self.setup.specs[j])]", "]"),
    ),
)
RULES = (FILLS, OFFERS, DESK, HOLDING, DEPTH, LIQUIDITY, ON_ITS_WAY, WORKED)

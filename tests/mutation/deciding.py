"""The rules of the one path that every opening takes, of previews, and of positions that change while they are held (SEMANTICS 13-22)."""

from __future__ import annotations

from .rules import Rules

__all__ = ["RULES"]

DECISION = Rules(
    "workbench/decision.py",
    "test_decision.py test_semantics_limits.py test_semantics_buying_power.py test_preview.py",
    (
        ("buying power counts what is tied up", "left = equity - (b.used[0] - b.margin[j])", "left = equity"),
        ("an instrument's own margin is not counted twice", "left = equity - (b.used[0] - b.margin[j])", "left = equity - b.used[0]"),
        (
            "buying power pays a slipped price",
            "worst = slipped(b.price[j], 1.0, spec.slip_rate, spec.slip_offset) * b.unit[j]",
            "worst = b.price[j] * b.unit[j]",
        ),
        ("margin is a share of the notional", "each = worst * spec.margin", "each = worst"),
        ("what is held the other way may not fit", "if opposite * each > left:", "if False:"),
        ("what is held in its direction is paid for", "left = left - max(reached, 0.0) * each", "pass"),
        ("a short's room is that of a short", "reached = b.hi[j] if side > 0 else -b.lo[j]", "reached = b.hi[j]"),
        ("fees by rate are paid", "each + worst * spec.fee_rate + spec", "each + spec"),
        ("fees a contract are paid", " + spec.fee_unit * exchange)", ")"),
        ("the least fee is paid", "by_minimum = (left - spec.fee_minimum * exchange) / each", "by_minimum = left / each"),
        ("the most fee is the most", "return max(min(by_rate, by_minimum), by_most, 0.0)", "return max(min(by_rate, by_minimum), 0.0)"),
        ("buying power is not below nothing", "by_minimum), by_most, 0.0)", "by_minimum), by_most)"),
        ("conviction scales what is scaled", "asked = asked * min(abs(stance), 1.0)", "pass", "test_sizing_more.py"),
        (
            "a size that is none opens nothing",
            "if not asked > 0.0:\n        row.code = NO_SIZE\n        return 0",
            "pass",
            "test_sizing.py test_sizing_more.py",
        ),
        ("every limit cuts", "for k in range(c.length):", "for k in range(0):"),
        ("each limit cuts what the one before left", "allowed = cut(allowed, c.limits", "allowed = cut(asked, c.limits"),
        ("buying power cuts where it is asked for", "if c.buying_power != 0:", "if False:"),
        ("it can be switched off", "if c.buying_power != 0:", "if True:"),
        ("a limit never adds", "if room >= allowed:\n        return allowed", "pass"),
        ("NaN leaves nothing", "return room if room > 0.0 else 0.0", "return allowed if room != room else max(room, 0.0)"),
        ("no room is nothing", "return room if room > 0.0 else 0.0", "return abs(room)"),
        (
            "sizes are whole steps",
            "lots = lots_of(allowed, spec.number, spec.power)",
            "lots = lots_of(allowed, spec.number, spec.power) + 1",
        ),
        (
            "what was cut to nothing says so",
            "if not allowed > 0.0:",
            "if False:",
            "test_semantics_limits.py test_preview.py test_risk_losses.py",
        ),
        ("more steps than can be counted are none", "elif lots < 0:", "elif False:", "test_preview.py test_sizing.py test_sizing_more.py"),
        (
            "an order has a smallest size",
            "lots == 0 or below_minimum(quantity, price, spec):",
            "lots == 0:",
            "test_preview.py test_sizing.py",
        ),
        (
            "an exit has a distance above zero",
            "(distance > 0.0 and distance < below)",
            "distance < below",
            "test_semantics_fills.py test_semantics_exits.py test_exits.py",
        ),
        (
            "a long's stop lies above zero",
            "(distance > 0.0 and distance < below)",
            "distance > 0.0",
            "test_semantics_fills.py test_semantics_exits.py test_exits.py",
        ),
        (
            "what closes in this step counts as done",
            "held = 0.0 if done != 0 else quantity",
            "held = quantity",
            "test_semantics_limits.py test_semantics_buying_power.py test_semantics_decision.py",
        ),
        ("a closing that is out may fill: long", "b.lo[j] = min(held, 0.0) if leaving != 0 else held", "b.lo[j] = held"),
        ("a closing that is out may fill: short", "b.hi[j] = max(held, 0.0) if leaving != 0 else held", "b.hi[j] = held"),
        ("openings count for those after them: long", "b.hi[j] = b.hi[j] + quantity", "pass"),
        ("openings count for those after them: short", "b.lo[j] = b.lo[j] - quantity", "pass"),
        ("they tie up margin", "b.used[0] = b.used[0] + ((margin - b.margin[j]) + fee)", "b.used[0] = b.used[0] + fee"),
        ("they cost fees", "b.used[0] = b.used[0] + ((margin - b.margin[j]) + fee)", "b.used[0] = b.used[0] + (margin - b.margin[j])"),
        ("margin is that of the worse direction", "max(abs(b.hi[j]), abs(b.lo[j]))", "b.hi[j]"),
        (
            "margin is held at a slipped price",
            "needed = ((most * slipped(b.price[j], 1.0, spec.slip_rate, spec.slip_offset)) * b.unit[j])",
            "needed = ((most * b.price[j]) * b.unit[j])",
        ),
    ),
)
PREVIEW = Rules(
    "workbench/preview.py",
    "test_preview.py test_book_refusals.py",
    (
        ("an order is asked about", "if not isinstance(order, Order):", "if False:"),
        ("a portfolio is asked", "if not isinstance(portfolio, Portfolio):", "if False:"),
        ("what closes is never cut", "closing = max(-order.sign * portfolio.lots[j], 0)", "closing = 0"),
        ("a closing is not opened beyond", "if whole <= closed:", "if False:"),
        ("what cannot be sold short is not", "if order.sign < 0 and not instrument.can_short:", "if False:"),
        ("it can be bought back", "if order.sign < 0 and not instrument.can_short:", "if not instrument.can_short:"),
        ("without equity nothing opens", "if portfolio.told and not portfolio.equity > 0:", "if False:"),
        ("equity that was not told does not count", "if portfolio.told and not portfolio.equity > 0:", "if not portfolio.equity > 0:"),
        ("only what opens is asked about", "replace(order, quantity=order.quantity - closed)", "order"),
        ("the closing part counts as done", "portfolio.lots[j] + order.sign * closing)", "portfolio.lots[j])"),
        ("a cut is told of the whole order", "before=r.before + closed, after=r.after + closed", "before=r.before, after=r.after"),
        ("a limit is asked about what is left", "replace(order, quantity=left)", "order"),
        ("and not about nothing", ' if left > 0.0 else (0.0, "")', ""),
        ("buying power is asked where the portfolio says so", "int(portfolio.buying_power), 0)", "0, 0)"),
        ("costs are the usual ones where none are known", "if portfolio.rates is None:", "if True:"),
        ("a limit gives a number", "if not isinstance(given, Real):", "if False:"),
        ("what cut is said", "if after < left * (1.0 - 1e-12):", "if False:"),
        ("too many steps are said", "if row.code == TOO_MANY:", "if False:"),
        ("less than the smallest order is said", "if whole and row.code == BELOW_MINIMUM:", "if False:"),
        ("whole steps are said", "if whole < asked * (1.0 - 1e-9) else []", "if False else []"),
    ),
)
RESIZING = Rules(
    "workbench/session/resizing.py",
    "test_session_resizing.py test_semantics_resizing.py",
    (
        ("what is too small is no order", "or not below_minimum(self.quantity(change), price, spec):", "or True:", "test_left_over.py"),
        ("a breach is told once", " if k not in self.breached]", "]"),
        ("and again when it was over", "self.breached = set(found)", "self.breached |= set(found)"),
        (
            "what closes in this step is gone",
            "held[j] = 0.0 if closed[j] else quantity_of",
            "held[j] = quantity_of",
        ),
        (
            "a closing of before is none for a person",
            "state.closes and state.closed_at == row for state in self.states]",
            "state.closes for state in self.states]",
            "test_room_of_a_closing.py",
        ),
        ("only what is told to reduce reduces", 'if self.setup.strategy.risk[k].on_breach == "reduce":', "if True:"),
        ("nothing is reduced where no limit reduces", 'if all(part.on_breach != "reduce" for part in risk):', "if True:"),
        ("of two limits the stricter counts", "shares = [min(one, other) for one, other in", "shares = [other for one, other in"),
        ("rounding takes no step", "max(one * less, 0.0) * (1.0 + TOLERANCE))", "max(one * less, 0.0) * (1.0 - TOLERANCE))"),
        ("what may stay is not below nothing", "int(n * max(one * less, 0.0) *", "int(n * one * less *"),
        ("what no limit touches stays in full", "if one < 1.0 else n for n, one", "for n, one"),
        ("it is looked at again after whole steps were made", "for look in range(LOOKS):", "for look in range(1):"),
        ("each further look takes more off", "less = 1.0 - 10.0 ** (look + 1 - LOOKS) if look else 1.0", "less = 1.0"),
        ("the first look takes no more than it must", "(look + 1 - LOOKS) if look else 1.0", "(look + 1 - LOOKS)"),
        ("what is being closed is not reduced", "if less and self.states[j].closing is None:", "if less:"),
        ("an interval is looked at once", "return begun != before", "return True"),
        ("without a rebalance a size is kept", "if not every:\n            return False", "every = every or 1"),
        ("without equity nothing is resized", "if not equity > 0.0:\n            return", "pass"),
        ("what is not held is not resized", "if not held or waits", "if waits"),
        ("what is being closed is not resized", "state.closing is not None or state.reserved", "state.reserved"),
        ("what is opening is not resized", "or state.reserved is not None or", "or"),
        ("without a bar nothing is resized", " or self.tape.close[j][row] != self.tape.close[j][row]:", ":"),
        ("within the band nothing is traded", "abs(wanted - held) > self.setup.rules.band * held", "wanted != held"),
        ("a size that is unknown changes nothing", "if asked == asked else -1", "if asked == asked else 0"),
        ("the smaller of two changes counts", "if j not in reduced or change.lots < reduced[j].lots:", "if True:"),
        (
            "a rebalance does not give way to a smaller reduction",
            "if j not in reduced or change.lots < reduced[j].lots:",
            "if j not in reduced:",
        ),
        ("conviction is that of the last stance", "if stance == stance:", "if True:"),
    ),
)
ENTRIES = Rules(
    "workbench/session/entries.py",
    "test_semantics_entries.py",
    (
        ("an entry waits for its step", "self._count[first] > self.number[j]", "self._count[first] > 0"),
        ("another sign begins anew", "if sign and sign == self._sign[j] else", "if sign else"),
        ("zero begins anew", "else abs(sign)", "else self._count[j]"),
        ("the first is at once", "else abs(sign)", "else 0"),
        ("after a flatten nothing more enters", "states[j].wish, states[j].acted = sign, sign if", "_ = sign, sign if"),
        ("after a flatten the count is over", "self._count = [len(self.number)] * len(self.number)", "pass"),
    ),
)
SLEEVES = Rules(
    "workbench/session/sleeves.py",
    "test_team.py",
    (
        ("a limit of one's own sees its strategy's cash", "sleeve.decider.cash = partial", "_ = partial"),
        ("the capital is shared", "self._purse = [sleeve.setup.cash for", "self._purse = [setup.cash for"),
        ("what a strategy pays is its own", "self._purse[self._number[j]] += cash", "pass"),
        ("what a strategy holds is worth something to it", "for j in mine if portfolio.lots[j])", "for j in ())"),
        ("a limit of a strategy counts its own trades", "count_trade(self.at[j].decider.past, gain)", "pass"),
        ("only dust that is there has a worth", " if j in portfolio.remains)", ")", "test_left_over.py"),
        ("a limit of the account counts all trades", "count_trade(self.whole.decider.past, gain)", "pass"),
        ("the account is looked at as well", "[*self.each, self.whole] if self.whole is not None else self.each", "self.each"),
        ("of two changes the smaller size counts", "change if known is None or change.lots < known.lots else known", "change"),
    ),
)
OWN = Rules(
    "workbench/session/deciding.py",
    "test_team.py",
    (
        ("a limit of one's own sees its strategy's positions", "if j in self._seen else 0.0", "if True else 0.0"),
        ("nothing opens while the account is worth nothing", "if not self.above.equity > 0.0:", "if False:"),
    ),
)
CROSSED = Rules(
    "workbench/session/session.py",
    "test_team.py test_left_over.py",
    (
        ("a limit crosses while its strategy is worth something", "if min(equity, self.sleeves.own(j, equity)) > 0.0:", "if equity > 0.0:"),
        ("what is too small does not cross", "or below_minimum(order.quantity, self.tape.price[j], self.setup.specs[j]):", "or False:"),
    ),
)
SMALLEST = Rules(
    "workbench/money.py",
    "test_preview.py test_sizing.py",
    (
        ("an order has a least quantity", "return few or (", "return ("),
        ("an order has a least notional", "few or (quantity * price) * spec.multiplier < spec.min_notional * (1.0 - 1e-9)", "few"),
        ("rounding is not below the least", "spec.min_quantity * (1.0 - 1e-9)", "spec.min_quantity * (1.0 + 1e-9)"),
    ),
)
RULES = (DECISION, SMALLEST, PREVIEW, RESIZING, ENTRIES, SLEEVES, OWN, CROSSED)

"""The rules of the limits on exposure, leverage and the account, and of what the account remembers (SEMANTICS 18-21, 30, 32)."""

from __future__ import annotations

from .rules import Rules

__all__ = ["RULES"]

SIZES = "test_semantics_limits.py test_book_cases.py test_risk.py"
EXPOSURE = Rules(
    "workbench/risk/_exposure.py",
    SIZES,
    (
        ("a limit is positive", "or not 0 < value < float", "or not value < float", "test_risk.py test_book_refusals.py"),
        ("a limit by group names a group", "if not given:", "if False:", "test_risk.py"),
        ("only groups with a limit are limited", "return [name for name in found if self.limits(name)]", "return list(found)"),
        ("a group has a limit of its own", "float(self.limit[group] if isinstance", "float(max(self.limit.values()) if isinstance"),
        ("a limit may be a share of equity", "most = p[2 + g] * (equity if p[1] != 0.0 else 1.0)", "most = p[2 + g]"),
        ("the side of an order counts", "group_room(most, top, bottom, side * each)", "group_room(most, top, bottom, each)"),
        ("gross counts both directions", "each = abs(leg_value(", "each = (leg_value("),
        (
            "what a gross position could become counts",
            "        most = max(abs(hi[i]), abs(lo[i]))\n        used",
            "        most = abs(hi[i])\n        used",
        ),
        ("gross counts the instrument itself once", "if i != j and most != 0.0 else 0.0)", "if most != 0.0 else 0.0)"),
        ("net counts the highest that orders out could lead to", "top = top + max(high, low)", "top = top + low"),
        ("net counts the lowest as well", "bottom = bottom + min(high, low)", "bottom = bottom + high"),
        ("the group with the least room decides", "if left < room:", "if True:"),
        ("the leg in the base currency counts", "value = of_base * base[i]", "pass"),
        ("the leg in the value of the position counts", "value = value + of_value * (price[i] * unit[i])", "pass"),
        ("only members of a group count in it: gross", "used = used + (each * most", "used = used + (0.0 * most"),
        (
            "what is not held needs no price: net",
            "high = each * hi[i] if hi[i] != 0.0 else 0.0",
            "high = each * hi[i]",
            SIZES,
        ),
        ("the kind of group exists", "if self.by not in kinds:", "if False:", "test_book_refusals.py test_risk.py"),
        ("a share has a region where regions are limited", "if lost is not None:", "if False:", "test_book_refusals.py"),
        ("a misspelt group is refused", 'if "?" in near and not (', "if False and not (", "test_book_refusals.py"),
        (
            "a currency that may come yet is no misspelling",
            ' and not (self.by == "currency" and name in KNOWN)',
            "",
            "test_book_refusals.py",
        ),
        (
            "a limit that can never bind is said",
            "missing = [name for name in self.limit if name not in known]",
            "missing = []",
            "test_risk.py",
        ),
        ("nothing counting towards any group is said", "return [] if known else [f", "return [] if True else [f", "test_risk.py"),
        ("the reason is that of the group with least room", "if room < best:", "if True:", "test_risk.py test_book_cases.py"),
    ),
)
ROOM = Rules(
    "workbench/risk/_room.py",
    SIZES,
    (
        ("what is held in its own direction counts", "/ each - reached", "/ each"),
        ("a gross limit that is breached lets nothing through", "if not top + opposite * each <= most * (1.0 + TOLERANCE):", "if False:"),
        ("of a gross limit both directions are held against it", "if not top + opposite * each <= most", "if not top <= most"),
        (
            "rounding is no breach of a gross limit",
            "if not top + opposite * each <= most * (1.0 + TOLERANCE):",
            "if not top + opposite * each <= most:",
        ),
        (
            "beyond a gross limit is a breach from a billionth on",
            "opposite * each <= most * (1.0 + TOLERANCE)",
            "opposite * each <= most * 1.001",
        ),
        (
            "what does not count towards a gross group is free",
            "UNLIMITED if each == 0.0 else (most - top)",
            "0.0 if each == 0.0 else (most - top)",
        ),
        ("a breached group lets only through what reduces it", "if (over and not move < 0.0) or (under and not move > 0.0):", "if False:"),
        ("a group breached above takes no more above", "if (over and not move < 0.0) or (under", "if (under"),
        (
            "a group breached below takes no more below",
            "(over and not move < 0.0) or (under and not move > 0.0)",
            "(over and not move < 0.0)",
        ),
        ("rounding is no breach", "over = not top <= most * (1.0 + TOLERANCE)", "over = not top <= most"),
        ("a group may be filled to its limit above", "return (most - top) / move", "return UNLIMITED"),
        ("a group may be filled to its limit below", "return (most + bottom) / -move", "return UNLIMITED"),
        ("what does not count towards a group is free", "return UNLIMITED if move == 0.0 else 0.0", "return 0.0"),
        ("a move that is unknown is not free", "return UNLIMITED if move == 0.0 else 0.0", "return UNLIMITED"),
        ("a total that is unknown leaves nothing", "over = not top <= most", "over = top > most", SIZES),
        ("nor one below zero", "under = not -bottom <= most", "under = -bottom > most", SIZES),
    ),
)
RESIZED = "test_risk_breaches.py test_semantics_resizing.py"
BREACHES = Rules(
    "workbench/risk/_exposure.py",
    RESIZED,
    (
        ("a group beyond its limit is a breach", "if abs(used) > most * (1.0 + TOLERANCE):", "if False:"),
        ("below zero as well as above", "if abs(used) > most * (1.0 + TOLERANCE):", "if used > most * (1.0 + TOLERANCE):"),
        ("what hedges a net group stays", '(self.scope == "gross" or each[i] * used > 0.0)', "True"),
        ("of a gross group both sides are reduced", '(self.scope == "gross" or each[i] * used > 0.0)', "each[i] * used > 0.0"),
        ("net, all that is too much lies on one side", "share = max((most + mass - abs(used)) / mass, 0.0)", "share = most / mass"),
        ("of two groups the stricter share counts", "min(one, share) if i in along", "share if i in along"),
        ("what a group does not hold stays", "shares = [min(one, share) if i in along else one", "shares = [min(one, share)"),
        ("without equity nothing of a share of it stays", "self.money_of(group, max(s.equity, 0.0))", "self.money_of(group, s.equity)"),
        ("gross adds up", 'sum(map(abs, each)) if self.scope == "gross" else sum(each)', "sum(each)"),
    ),
)
LEVERAGE = Rules(
    "workbench/risk/_leverage.py",
    SIZES,
    (
        ("a limit is positive", 'if not 0 < self.limit < float("inf"):', "if False:", "test_risk.py test_book_refusals.py"),
        ("the limit is a multiple of equity", "most_allowed = p[0] * equity", "most_allowed = p[0] * 1e9"),
        ("the others take room", "left = left - (value if i != j and most > 0.0 else 0.0)", "pass"),
        (
            "the larger of both directions counts",
            "            most = max(abs(hi[i]), abs(lo[i]))\n            value",
            "            most = abs(hi[i])\n            value",
        ),
        ("the instrument itself counts once", "if i != j and most > 0.0 else 0.0)", "if most > 0.0 else 0.0)"),
        ("what is held in the order's direction counts", "return left / each - reached", "return left / each"),
        ("a breached limit lets nothing through", "if opposite * each > left + TOLERANCE * most_allowed:", "if False:"),
        ("what is held the other way counts", "if opposite * each > left + TOLERANCE", "if 0.0 > left + TOLERANCE"),
        ("a short's room is that of a short", "reached = hi[j] if side > 0 else -lo[j]", "reached = hi[j]"),
        ("values are in account currency", "each = price[j] * unit[j]", "each = price[j]"),
        ("net counts what orders out could lead to: above", "(high if hi[i] != 0.0 else 0.0)", "(low if hi[i] != 0.0 else 0.0)"),
        ("net counts what orders out could lead to: below", "(low if lo[i] != 0.0 else 0.0)", "(high if lo[i] != 0.0 else 0.0)"),
        ("net is no gross", "if p[1] != 0.0:", "if False:"),
        ("net leverage: a sale makes it smaller", "top, bottom, side * (price[j] * unit[j]))", "top, bottom, price[j] * unit[j])"),
        ("leverage beyond the limit is a breach", "if abs(used) <= most * (1.0 + TOLERANCE):", "if True:", RESIZED),
        ("net short as well as long", "if abs(used) <= most * (1.0 + TOLERANCE):", "if used <= most * (1.0 + TOLERANCE):", RESIZED),
        ("within the limit there is none", "if abs(used) <= most * (1.0 + TOLERANCE):", "if False:", RESIZED),
        ("short positions count in gross", "return sum(max(abs(hi), abs(lo)) * each", "return sum(hi * each", RESIZED),
        ("what hedges a net book stays", '(self.scope == "gross" or one * used > 0.0)', "True", RESIZED),
        ("gross, both sides are reduced", '(self.scope == "gross" or one * used > 0.0)', "one * used > 0.0", RESIZED),
        (
            "net, all that is too much lies on one side",
            "share = max((most + mass - abs(used)) / mass, 0.0)",
            "share = most / mass",
            RESIZED,
        ),
        ("without equity nothing stays", "self.limit * max(snapshot.equity, 0.0)", "self.limit * snapshot.equity", RESIZED),
    ),
)
ACCOUNT = Rules(
    "workbench/risk/_account.py",
    "test_risk_account.py",
    (
        ("a drawdown is a share below 1", "if not 0 < self.limit < 1:", "if False:"),
        ("an account is armed again after a step or more", "if self.rearm_after is not None and self.rearm_after < 1:", "if False:"),
        ("a halted account opens nothing", "return 0.0 if history.past[HALTED] >= 0.0 else UNLIMITED", "return UNLIMITED"),
        ("a loss of the day is a share below 1 or money", "if not 0 < self.limit < most:", "if False:"),
        ("a loss of the day may be money", "p[0] * history.past[DAY_EQUITY] if p[1] != 0.0 else p[0]", "p[0] * history.past[DAY_EQUITY]"),
        ("a loss of the day may be a share of equity", "p[0] * history.past[DAY_EQUITY] if p[1] != 0.0 else p[0]", "p[0]"),
        ("a day's loss beyond the limit ends it", "> most * (1.0 + TOLERANCE) else UNLIMITED", "> 1e300 else UNLIMITED"),
        ("at the limit it does not", "history.past[DAY_LOW] > most * (1.0 + TOLERANCE)", "history.past[DAY_LOW] >= most"),
        (
            "the day's worst counts",
            "return 0.0 if history.past[DAY_EQUITY] - history.past[DAY_LOW] >",
            "return 0.0 if history.past[DAY_EQUITY] - history.past[EQUITY] >",
        ),
        (
            "the instrument itself needs no second place",
            "if i != j and (hi[i] != 0.0 or lo[i] != 0.0):",
            "if hi[i] != 0.0 or lo[i] != 0.0:",
        ),
        ("openings that are out need a place", "(hi[i] != 0.0 or lo[i] != 0.0)", "(hi[i] != 0.0 and lo[i] != 0.0)"),
        ("short positions need a place", "(hi[i] != 0.0 or lo[i] != 0.0)", "hi[i] != 0.0"),
        ("so many positions are the most", "return UNLIMITED if held < p[0] else 0.0", "return UNLIMITED"),
        ("one less leaves room", "return UNLIMITED if held < p[0] else 0.0", "return UNLIMITED if held < p[0] - 1.0 else 0.0"),
        ("so many openings a day are the most", "return UNLIMITED if history.past[OPENED] < p[0] else 0.0", "return UNLIMITED"),
        ("losses in a row cool the account down", "history.past[STREAK] >= p[0] and", "False and"),
        ("for so many steps", "history.past[NOW] - history.past[LOST_AT] < p[1] else", "True else"),
        ("losses and steps are at least one", "if getattr(self, name) < 1:", "if False:"),
        ("a number of positions or openings is at least one", "if part.limit < 1:", "if False:"),
        (
            "a halted account keeps nothing",
            "explain(snapshot, instruments, currency, 1.0)) if halted else None",
            "explain(snapshot, instruments, currency, 1.0)) if False else None",
            RESIZED,
        ),
        (
            "a day that has ended keeps nothing",
            "explain(s, instruments, currency, 1.0)) if room == 0.0 else None",
            "explain(s, instruments, currency, 1.0)) if False else None",
            RESIZED,
        ),
    ),
)
ASKED = Rules(
    "workbench/risk/_base.py",
    "test_preview.py test_book_cases.py test_risk.py",
    (
        ("a limit of one's own is asked", "if callable(own):", "if False:"),
        (
            "it gives a quantity and a reason",
            "if not isinstance(answer, tuple) or len(answer) != 2:",
            "if False:",
            "test_risk.py",
        ),
        ("a manager without a rule says so", "if decide is None:", "if False:"),
        (
            "a position that is no number leaves nothing",
            "if any(held != held for held in (*s.hi, *s.lo)):",
            "if False:",
            "test_risk.py",
        ),
        ("orders out count at their highest", "[book.highest.get(s, 0.0) for s in symbols]", "[book.lowest.get(s, 0.0) for s in symbols]"),
        ("orders out count at their lowest", "[book.lowest.get(s, 0.0) for s in symbols]", "[book.highest.get(s, 0.0) for s in symbols]"),
    ),
)
PAST = Rules(
    "workbench/past.py",
    "test_past.py",
    (
        ("a day begins with the equity before it", "past[DAY_EQUITY] = past[EQUITY]\n", "past[DAY_EQUITY] = equity\n"),
        ("a day's lowest begins anew", "past[DAY_LOW] = past[EQUITY]\n", "pass\n"),
        ("a day's openings begin anew", "past[OPENED] = 0.0", "pass"),
        ("a day turns", "if day != past[DAY]:", "if past[DAY] < 0:"),
        ("the lowest of the day is kept", "if equity < past[DAY_LOW]:", "if True:"),
        ("a halted account is armed again after its steps", "if past[HALTED] >= 0.0 and rearm > 0 and", "if False and"),
        ("never where no steps are given", "if past[HALTED] >= 0.0 and rearm > 0 and", "if past[HALTED] >= 0.0 and"),
        ("not before", "t - past[HALTED] >= rearm:", "True:"),
        ("then its highest begins anew", "past[HALTED] = -1.0\n        past[PEAK] = equity", "past[HALTED] = -1.0"),
        ("the highest equity is kept", "if equity > past[PEAK]:", "if False:"),
        ("and does not fall again", "if equity > past[PEAK]:", "if True:"),
        ("a fall beyond the limit halts", "if limit > 0.0 and past[HALTED] < 0.0 and", "if False and"),
        ("a fall at the limit does not", "> limit * past[PEAK] * (1.0 + TOLERANCE):", ">= limit * past[PEAK]:"),
        ("a halt is counted from its beginning", "if limit > 0.0 and past[HALTED] < 0.0 and", "if limit > 0.0 and"),
        ("closed trades are counted", "past[CLOSED] = past[CLOSED] + 1.0", "pass"),
        ("a trade that ends even counts as lost", "if gain > 0.0:", "if gain >= 0.0:"),
        ("winners are counted", "past[WON] = past[WON] + 1.0", "pass"),
        ("what winners gained is summed", "past[GAINED] = past[GAINED] + gain", "past[GAINED] = gain"),
        ("a winner ends a row of losses", "past[STREAK] = 0.0", "pass"),
        ("what losers lost is summed", "past[LOST] = past[LOST] - gain", "past[LOST] = -gain"),
        ("losses in a row are counted", "past[STREAK] = past[STREAK] + 1.0", "past[STREAK] = 1.0"),
        ("the step of the last loss is kept", "past[LOST_AT] = past[NOW]", "pass"),
    ),
)
RULES = (EXPOSURE, ROOM, BREACHES, LEVERAGE, ACCOUNT, ASKED, PAST)

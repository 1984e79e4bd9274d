"""The rules of the limits on losses and volatility: what of the past counts, the measures, and the room that they leave (SEMANTICS 33)."""

from __future__ import annotations

from .rules import Rules

__all__ = ["RULES"]

NUMPY = "test_book_cases.py test_risk_losses.py test_risk_states.py"
BY_HAND = "test_risk_scenarios.py test_risk_wide.py::test_sums_that_are_kept_are_those_made_anew"
FORMULAS = "test_risk_tail.py test_book_cases.py"
RESIZED = "test_semantics_resizing.py test_risk_states.py"
LOSSES = Rules(
    "workbench/risk/_losses.py",
    NUMPY,
    (
        ("what is beyond the limit is a breach", "if not most * (1.0 + TOLERANCE) < measured < math.inf:", "if True:", RESIZED),
        ("within it there is none", "if not most * (1.0 + TOLERANCE) < measured < math.inf:", "if False:", RESIZED),
        ("what stays is the limit over the measure", "Breach([most / measured] *", "Breach([0.0] *", RESIZED),
        ("too few returns are said", "if math.isnan(found):", "if False:"),
        (
            "an expansion that breaks down is said",
            "if found == math.inf or self.unfit(memory):",
            "if False:",
            f"{NUMPY} test_book_refusals.py",
        ),
        ("a limit is positive", "if not 0 < limit < math.inf:", "if False:"),
        ("a share of equity is no amount", 'if of == "equity" and limit >= 10:', "if False:"),
        ("a window is 2 to 900", "if not 2 <= window <= LONGEST:", "if False:"),
        ("a horizon is positive", "if not 0 < self.horizon < math.inf:", "if False:"),
        ("a confidence lies between 0.5 and 1", "if not 0.5 < confidence < 1:", "if False:"),
        (
            "with fewer returns than the window nothing opens",
            "if count < window:\n            return 0.0",
            "if count < 2:\n            return 0.0",
        ),
        ("with fewer there is no measure", "if count < window:\n            return math.nan", "if count < 2:\n            return math.nan"),
        ("a limit may be a share of equity", "most = p[5] * (equity if p[6] != 0.0 else 1.0)", "most = p[5]"),
        ("a step's figure is scaled to days", "/ days_root(p[7], count, window, memory)\n        if", "/ 1.0\n        if"),
        ("a measure is scaled to days", "count, memory) * days_root(p[7], count, window, memory)", "count, memory)"),
        (
            "the horizon counts by its root",
            "return math.sqrt(horizon * (count / memory[3 * window]))",
            "return math.sqrt(count / memory[3 * window])",
        ),
        ("gaussian: a normal quantile", "times = density_of(p[2]) / p[1] if p[3] != 0.0 else -p[2]", "times = 1.0"),
        ("gaussian shortfall: the density over the part", "times = density_of(p[2]) / p[1] if p[3] != 0.0 else -p[2]", "times = -p[2]"),
        (
            "shortfall: so many steps of the window",
            "return shortfall_room(math.floor((count - 1) * p[1]) + 1,",
            "return shortfall_room(math.floor((count - 1) * p[1]) + 2,",
        ),
        ("shortfall is no quantile", "if p[3] != 0.0:\n            return shortfall_room", "if False:\n            return shortfall_room"),
        (
            "filtered returns are over their volatility then",
            "return filtered_returns(bars) if self._filtered else",
            "return own_returns(bars) if True else",
        ),
        (
            "a modified measure breaks down in a run",
            "return loss_of(p, 1.0, count, memory) * days_root",
            "return loss_of(p, 0.0, count, memory) * days_root",
            f"{NUMPY} test_book_refusals.py",
        ),
        (
            "an empty book may be unfit for its first lot",
            'if self.method != "modified" or memory[3 * self.window + 5] != 0.0:',
            "if True:",
            f"{NUMPY} test_book_refusals.py",
        ),
        ("the mean counts for the parametric", "* math.sqrt(memory[o + 2]) - memory[o]", "* math.sqrt(memory[o + 2])"),
    ),
)
SCENARIOS = Rules(
    "workbench/risk/_scenarios.py",
    BY_HAND,
    (
        ("steps are looked for in so many windows back", "back <= r.at and back < r.depth:", "back <= r.at and back < window:"),
        ("and no further", "DEPTH = 2", "DEPTH = 9"),
        (
            "the larger of both directions is held",
            "held = hi[i] if abs(hi[i]) >= abs(lo[i]) else lo[i]",
            "held = lo[i] if abs(hi[i]) >= abs(lo[i]) else hi[i]",
        ),
        ("the instrument itself counts in the order's direction", "held = hi[i] if side > 0 else lo[i]", "pass"),
        ("one lot more is on the order's side", "moving((side * price[j]) * unit[j], j, r)", "moving(price[j] * unit[j], j, r)"),
        ("money is in account currency", "moving((held * price[i]) * unit[i], i, r)", "moving(held * price[i], i, r)"),
        (
            "filtered: times the volatility of now",
            "return worth * r.series[(r.first + r.n + i) * r.stride + r.at] if r.scaled != 0.0 else worth",
            "return worth",
        ),
        ("steps at which something had no bar do not count", "if made[k] == made[k] and extra == extra:", "if True:"),
        ("neither where the new one had none", "if made[k] == made[k] and extra == extra:", "if made[k] == made[k]:"),
        ("different days are counted once", "if count == 0.0 or days[newest + 1 - size + k] != day:", "if True:"),
        ("another step begins anew", "if r.memory[r.kept] != r.at + 1.0:", "if False:"),
        ("what has changed is added up anew", "if changed and known > 0:", "if False:"),
        ("what is not held adds nothing", "if worth != NOTHING:", "if True:"),
        ("every block counts", "for b in range(blocks_of(r.n)):\n        last = r.kept", "for b in range(1):\n        last = r.kept"),
    ),
)
TAIL = Rules(
    "workbench/risk/_tail.py",
    FORMULAS,
    (
        ("a quantile is interpolated", "return low + (high - low) * share", "return low"),
        ("historical: a breached book may be hedged", "floor = min(-limit, quantile_at(", "floor = max(-limit, quantile_at("),
        (
            "historical: a step beyond the rank ends it",
            "if below > rank + 1 or (below == rank + 1 and share == 0.0):",
            "if below > rank + 2:",
        ),
        (
            "historical: between two steps the interpolation decides",
            "if end < following:\n                return end",
            "if end < following:\n                return x",
        ),
        (
            "historical: what hedges every step is free",
            "if not following < math.inf:\n            return UNLIMITED",
            "if not following < math.inf:\n            return 0.0",
        ),
        ("historical: a floor that is unknown leaves nothing", "if floor != floor:", "if False:"),
        ("shortfall: a breached book may be hedged", "most = max(limit, -memory[3 * window + 1] / tail)", "most = limit"),
        ("shortfall: what only gains is free", "if not more < 0.0:\n        return UNLIMITED", "if not more < 0.0:\n        return 0.0"),
        (
            "shortfall: the root is looked for until it is met",
            "for _ in range(100):\n        if not x > 0.0:",
            "for _ in range(0):\n        if not x > 0.0:",
        ),
        ("gaussian: a breached book may be hedged", "most = max(limit, now)\n    gap", "most = limit\n    gap"),
        ("gaussian: the mean counts", "gap = most + mean", "gap = most"),
        ("gaussian: how both move together counts", "slope = times * times * cross - gap * more_mean", "slope = -gap * more_mean"),
        ("gaussian: a mean that outruns the deviation is free", "if bend <= 0.0 and more_mean >= 0.0:", "if False:"),
        ("gaussian: one that falls without bound is not", "if bend <= 0.0 and more_mean >= 0.0:", "if bend <= 0.0:"),
        (
            "modified: where the expansion breaks down nothing opens",
            "if strict != 0.0 and (bend > 0.0 or abs(skew) > MOST_SKEW):",
            "if False:",
        ),
        ("modified: no skew beyond the most", " or abs(skew) > MOST_SKEW):", "):"),
        ("modified: skew counts", "h = z + (z * z - 1.0) * skew / 6.0", "h = z"),
        ("modified: tails count", " + (z * z * z - 3.0 * z) * excess / 24.0", ""),
        (
            "modified shortfall is no better than the quantile",
            "min(tail_mean(h, skew, excess) / part, h)",
            "tail_mean(h, skew, excess) / part",
        ),
        ("modified shortfall is the tail's mean", "min(tail_mean(h, skew, excess) / part, h)", "h"),
        (
            "modified: a book that breaks down opens nothing",
            "if not now < math.inf:\n        return 0.0",
            "if not now < math.inf:\n        return UNLIMITED",
        ),
        ("modified: a breached book may be hedged", "most = max(limit, now) + TINY", "most = limit + TINY"),
        (
            "modified: the first step beyond the limit is halved",
            "for _ in range(100):\n        middle",
            "for _ in range(0):\n        middle",
        ),
    ),
)
VOLATILITY = Rules(
    "workbench/risk/_volatility.py",
    f"{BY_HAND} {NUMPY}",
    (
        ("a shrink is a share", "if not 0 <= self.shrink <= 1:", "if False:"),
        ("a year is positive", "if not 0 < self.year < math.inf:", "if False:"),
        (
            "with fewer returns than the window nothing opens",
            "if count < window:\n            return 0.0",
            "if count < 2:\n            return 0.0",
        ),
        ("with fewer there is no measure", "if count < window:\n            return math.nan", "if count < 2:\n            return math.nan"),
        ("a limit may be a share of equity", "most = p[3] * (equity if p[4] != 0.0 else 1.0)", "most = p[3]"),
        ("a step's deviation is scaled to a year", "/ days_root(p[5], count, window, memory)", "/ days_root(1.0, count, window, memory)"),
        ("ewma weighs the newest most", "weight = weight * decay", "pass"),
        ("shrunk draws the book's variance", "memory[o + 2] = (1.0 - share) * memory[o + 2] + share * alone", "pass"),
        (
            "shrunk draws how both move together",
            "memory[o + 3] = (1.0 - share) * memory[o + 3] + share * together",
            "memory[o + 3] = memory[o + 3] + 0.0 * together",
        ),
        ("shrunk: variances of the steps that were found", "series[row + int(memory[2 * window + k])] - mean", "series[row + k] - mean"),
        ("shrunk: the larger of both directions is held", "held = hi[i] if abs(hi[i]) >= abs(lo[i]) else lo[i]", "held = hi[i]"),
        (
            "shrunk: the instrument itself counts in the order's direction",
            "            held = hi[i] if side > 0 else lo[i]",
            "            pass",
        ),
    ),
)
RETURNS = Rules(
    "workbench/risk/_returns.py",
    BY_HAND,
    (
        ("a return is from the instrument's own bar before", "rows = np.flatnonzero(bars.present[:, j])", "rows = np.arange(len(close))"),
        ("filtered: over the volatility known before", "/ volatility[:-1]", "/ volatility[1:]"),
        (
            "filtered: what is known stays known over holes",
            "known[rows[0] :, j] = volatility[newest[rows[0] :]]",
            "known[rows, j] = volatility",
        ),
    ),
)
MEASURES = Rules(
    "workbench/risk/_measures.py",
    NUMPY,
    (
        ("a confidence is one", "require_confidence(who, confidence)\n    if", "if"),
        ("a method is known", "if method not in METHODS[:3]:", "if method not in METHODS:"),
        ("NaN are left out", "values = values[~np.isnan(values)]", "pass"),
        ("two returns are needed", "if len(values) < 2:", "if False:"),
        ("an expansion that breaks down is said", "if math.isinf(loss_of(p, 1.0, n, memory)):", "if False:"),
    ),
)
RULES = (LOSSES, SCENARIOS, TAIL, VOLATILITY, RETURNS, MEASURES)

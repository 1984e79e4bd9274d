"""The rules of the sizers (SEMANTICS 12-13, 16)."""

from __future__ import annotations

from .rules import Rules

__all__ = ["RULES"]

SIZES, MORE, RUNS = "test_sizing.py", "test_sizing_more.py", "test_book_runs.py"
BASE = Rules(
    "workbench/sizing/_base.py",
    f"{SIZES} {MORE}",
    (
        ("a sizer without a rule says so", "if decide is None:", "if False:"),
        ("a sizer sees a side", "1.0 if signal > 0 else -1.0", "signal"),
        ("a measure of one's own is looked at", "if type(self).measure is PositionSizer.measure:", "if True:"),
        ("only known inputs are handed over", '(market.inputs.get(name, float("nan"))', '(market.inputs.get("", float("nan"))'),
    ),
)
FIXED = Rules(
    "workbench/sizing/_fixed.py",
    SIZES,
    (
        ("a quantity is positive", 'if not 0 < self.quantity < float("inf"):', "if False:"),
        ("the quantity is the one given", "return p[0]\n", "return 1.0\n"),
        ("a fraction is positive", 'if not 0 < self.fraction < float("inf"):', "if False:"),
        ("a fraction is one of equity", "return (p[0] * equity) / (price * unit)", "return p[0] / (price * unit)"),
        ("money is in account currency", "return (p[0] * equity) / (price * unit)", "return (p[0] * equity) / price"),
        ("the least quantity counts", "least = max(spec.min_quantity, spec.min_notional", "least = max(0.0, spec.min_notional"),
        ("the least notional counts", "spec.min_notional / (price * spec.multiplier))", "0.0)"),
        ("the least is rounded up", "return math.ceil(steps - min(1e-9 * steps, 1e-3))", "return math.floor(steps)"),
        ("rounding adds no step", "math.ceil(steps - min(1e-9 * steps, 1e-3))", "math.ceil(steps)"),
        ("a step is that of the instrument", "steps = least * spec.power / spec.number", "steps = least"),
    ),
)
KELLY = Rules(
    "workbench/sizing/_kelly.py",
    MORE,
    (
        ("a fraction is at most 1", "if not 0 < self.fraction <= 1:", "if False:"),
        ("a chance lies between 0 and 1", "if not 0 < self.win_rate < 1:", "if False:"),
        ("gain, loss and cap are positive", "if not 0 < getattr(self, name) < math.inf:", "if False:"),
        ("so many trades are at least one", "if self.least < 1:", "if False:"),
        ("a signal that is asked has a chance", "if not callable(ask):", "if False:"),
        ("trades are not asked of the signal", 'if self.source == "trades":', "if False:"),
        ("the chance may come from the signal", "win = measured", "pass"),
        ("closed trades outweigh the prior", "elif past[CLOSED] >= p[5]:", "elif False:"),
        ("not before there are enough", "elif past[CLOSED] >= p[5]:", "elif past[CLOSED] > 0.0:"),
        ("the chance is that of the trades", "win = past[WON] / past[CLOSED]", "pass"),
        ("the gain is the mean of the winners", "gain = past[GAINED] / past[WON]", "pass"),
        ("the loss is the mean of the losers", "loss = past[LOST] / (past[CLOSED] - past[WON])", "pass"),
        ("without an edge nothing opens", "if not share > 0.0:\n            return 0.0", "share = abs(share)"),
        ("a fraction of f", "share = p[0] * (win / loss", "share = (win / loss"),
        ("no more than the cap", "return (min(share, p[1]) * equity)", "return (share * equity)"),
    ),
)
RISK = Rules(
    "workbench/sizing/_risk_percent.py",
    f"{SIZES} test_semantics_decision.py",
    (
        ("a strategy without a stop is refused", "needs_stop: ClassVar[bool] = True", "needs_stop: ClassVar[bool] = False"),
        ("a risk is below a half", "if not 0 < self.risk < MOST:", "if False:"),
        ("risk over the distance", "/ (distance * unit)", "/ (price * unit)"),
        ("the distance is in account currency", "/ (distance * unit)", "/ distance"),
    ),
)
OTHERS = (
    Rules(
        "workbench/sizing/_scaled.py",
        MORE,
        (
            ("what is scaled is not scaled again", "if isinstance(self.sizer, Scaled):", "if False:"),
            ("conviction scales a size of one's own", "market) * min(abs(signal), 1.0)", "market)"),
            ("conviction is at most 1", "market) * min(abs(signal), 1.0)", "market) * abs(signal)"),
            ("what the sizer measures is measured", "return self.sizer.measured(bars, signal, newest)", "return None"),
            ("it looks back as far as the sizer", "return self.sizer.lookback", "return 1"),
        ),
    ),
    Rules(
        "workbench/sizing/_target_weights.py",
        f"test_signals_cross_sectional.py {RUNS}",
        (
            ("a multiple is positive", 'if not 0 < self.gross < float("inf"):', "if False:"),
            ("the stance is the weight", "return (abs(stance) * p[0] * equity)", "return (p[0] * equity)"),
            ("a weight of a short is positive", "return (abs(stance) * p[0]", "return (stance * p[0]"),
            ("times gross", "(abs(stance) * p[0] * equity)", "(abs(stance) * equity)"),
        ),
    ),
    Rules(
        "workbench/sizing/_rebalance.py",
        "test_semantics_resizing.py",
        (
            ("a band is a share", "if not 0 <= self.band < math.inf:", "if False:"),
            ("an interval is one", "nanoseconds(self.every)\n", "pass\n"),
        ),
    ),
    Rules(
        "workbench/sizing/_volatility_target.py",
        f"{MORE} {RUNS} test_garch.py::test_what_cannot_be_is_refused",
        (
            ("coins trade always", "ALWAYS if instrument.asset_class", "SESSION if instrument.asset_class"),
            ("currencies trade on weekdays", "else WEEKDAYS if", "else SESSION if"),
            ("a session has its hours", "days * (hours / 24.0) * DAY / interval_ns", "days * DAY / interval_ns"),
            ("target, year and cap are positive", "if value is not None and not 0 < value < math.inf:", "if False:"),
            ("a target is a share of equity", "if self.target >= 5:", "if False:"),
            ("a window has a deviation", "if self._window < least:", "if False:"),
            ("a fit lasts a bar or more", "if self.refit < 1:", "if False:"),
            ("a volatility is one of a year", "return found * np.sqrt(np.array(years))", "return found"),
            ("a year may be declared", "self.year or bars_a_year(", "bars_a_year("),
            (
                "without a volatility nothing opens",
                "if not measured > 0.0:\n            return 0.0",
                "if not measured > 0.0:\n            measured = 1.0",
            ),
            ("no more than the cap", "min(p[0] / measured, p[1])", "p[0] / measured"),
            ("the quieter the more", "min(p[0] / measured, p[1])", "min(p[0], p[1])"),
            ("equal risk shares the target", "return found * len(bars.instruments)", "return found"),
        ),
    ),
)
RULES = (BASE, FIXED, KELLY, RISK, *OTHERS)

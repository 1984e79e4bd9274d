"""Exits at a close: stops that move, and positions that have lasted long enough (SEMANTICS 23-25), as in the research kernel."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.execution.fills import best_price, even_level, nearer, trailed_level
from workbench.market import OrderKey
from workbench.portfolio import Portfolio
from workbench.session.setup import Setup
from workbench.session.state import State
from workbench.session.tape import Tape

__all__ = ["Ender"]


class Ender:
    """Looks after what is held, once per closed step."""

    def __init__(self, setup: Setup, portfolio: Portfolio, states: Sequence[State], tape: Tape) -> None:
        self.setup = setup
        self.portfolio = portfolio
        self.states = states
        self.tape = tape

    def look(self, row: int) -> tuple[list[tuple[OrderKey, float]], list[int]]:
        """Return the stops that move, each with its new price, and the instruments whose time is over."""
        moved: list[tuple[OrderKey, float]] = []
        over: list[int] = []
        for j in self.setup.mine:
            state = self.states[j]
            close = self.tape.close[j][row]
            if not self.portfolio.lots[j] or close != close or state.closes or state.plan is None:
                continue
            state.age += 1
            level = self._level(j, row, state, close)
            if state.stop is not None and state.stop.key is not None and level != state.stop.price:
                moved.append((state.stop.key, level))
            if state.age >= state.plan.time:
                over.append(j)
        return moved, over

    def _level(self, j: int, row: int, state: State, close: float) -> float:
        """Return where the stop belongs: its price, or nearer."""
        rules, spec, plan = self.setup.rules, self.setup.specs[j], state.plan
        held = 1.0 if self.portfolio.lots[j] > 0 else -1.0
        level = state.stop.price if state.stop is not None and state.stop.price is not None else float("nan")
        if plan.trail == plan.trail:
            reached = close
            if rules.extreme and not (state.age == 1 and state.by_limit):
                reached = (self.tape.high if held > 0.0 else self.tape.low)[j][row]
            state.best = best_price(held, state.best, reached)
            level = nearer(held, level, trailed_level(held, state.best, plan.trail, spec.tick_number, spec.tick_power))
        if held * (close - state.filled_at) >= plan.even:
            level = nearer(held, level, even_level(held, state.filled_at, rules.plus, spec.tick_number, spec.tick_power))
        return level

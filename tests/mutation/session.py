"""The rules of a live session: what people ask, in which mode what is sent, and what nobody wants any more (SEMANTICS 5, 10, 36-39)."""

from __future__ import annotations

from .rules import Rules

__all__ = ["RULES"]

APPROVING = Rules(
    "workbench/session/approving.py",
    "test_approval.py",
    (
        ("openings wait where their strategy wants it", "asks and sleeve.setup.strategy.approval > 0.0", "asks", "test_live_session.py"),
        ("they wait for so many seconds", "Proposal(order, decision, self.arrived + wait)", "Proposal(order, decision, self.arrived)"),
        ("silence is an answer once the time is over", "if one.until <= now]", "if one.until < now]"),
        ("no silence is heard while the gate is shut", "if symbols and not shut:", "if symbols:"),
        ("silence sends only where that is wanted", 'on_silence == "send" and self.mode == "RUNNING":', 'self.mode == "RUNNING":'),
        ("silence sends only while the session runs", 'on_silence == "send" and self.mode == "RUNNING":', 'on_silence == "send":'),
        ("another quantity lies on the grid", "if lots <= 0 or abs(rounded - quantity) > 1e-9 * quantity or", "if lots <= 0 or"),
        ("another quantity is not below the smallest order", " or below_minimum(rounded, self.tape.price[j], spec):", ":"),
        ("a veto is heard in every mode", 'if command.what != "veto" and self.mode != "RUNNING":', 'if self.mode != "RUNNING":'),
        ("nothing is approved while nothing opens", 'if command.what != "veto" and self.mode != "RUNNING":', "if False:"),
        ("an opening is sent once", "proposal, state.proposal = state.proposal, None", "proposal = state.proposal"),
        ("a veto lets it go", "proposal, self.states[j].proposal = self.states[j].proposal, None", "proposal = self.states[j].proposal"),
    ),
)
ASKED = (
    Rules(
        "workbench/session/words.py",
        "test_approval.py test_live_session_doubts.py",
        (("of several nobody guesses which is meant", "if named is None and guess and len(known) == 1:", "if named is None and guess:"),),
    ),
    Rules(
        "workbench/session/state.py",
        "test_approval.py",
        (("what waits counts in full", "if self.proposal is not None:\n            return self.proposal.order", "pass"),),
    ),
    Rules(
        "workbench/session/booking.py",
        "test_approval.py test_left_over.py test_leaving.py",
        (
            (
                "what waits goes with its stance",
                "state.crossing = state.work = state.proposal = None",
                "state.crossing = state.work = None",
            ),
            (
                "what could not be taken off does not cross",
                'if state.opening is not None:\n            state.opening = replace(state.opening, then="cancel")',
                "pass",
            ),
            ("a stop ends what would cross of its opening", "if fill.key.leg in PROTECTIVE:", "if False:"),
            (
                "an entry that came to nothing is not worked on",
                "state.work = None  # an entry",
                "pass  # an entry",
                "test_working_orders.py",
            ),
        ),
    ),
)
LIVE = Rules(
    "workbench/session/live.py",
    "test_live_session.py test_live_session_commands.py test_live_session_doubts.py test_left_over.py test_leaving.py",
    (
        ("nothing opens while the session reduces", 'if self.mode != "RUNNING":\n            return REDUCING', "pass"),
        ("nothing opens on top of a doubt", "if state.opening is not None:\n            return IN_DOUBT", "pass"),
        (
            "nothing opens over a closing that was kept back",
            "return GATED  # what should be closed first was kept back",
            "pass",
            "test_left_over.py test_leaving.py",
        ),
        (
            "a late step is no further entry",
            "self.entries.number[j] and state.missed_at < row",
            "self.entries.number[j]",
            "test_semantics_entries.py",
        ),
        ("a late opening is not made", "return MISSED if self._late(row, j) else 0", "return 0"),
        ("late entries may be wanted", "if not self._behind or self._enters_late(j):", "if not self._behind:"),
        ("a command that ran out is not done", "if command.expires and now > command.expires:", "if False:"),
        ("a closing may always be sent again", "if order.reduce_only:\n            return True\n        newest", "newest"),
        ("an opening is sent again while its step is the newest", "return newest and self.mode", "return self.mode"),
        ("no opening is sent again unless the session runs", 'newest and self.mode == "RUNNING" and', "newest and"),
        (
            "what nobody wants is not sent again",
            " and self.portfolio.column[order.key.instrument] not in self._unwanted\n\n    # -- verbs",
            "\n\n    # -- verbs",
        ),
        (
            "a pause holds slices up",
            'self._hold_up()\n        return self._latch("PAUSED"',
            'return self._latch("PAUSED"',
            "test_working_orders.py",
        ),
        (
            "kill takes openings off",
            "off = sum(self.withdraw(state) for state in self.states)\n        return self._latch",
            "off = 0\n        return self._latch",
        ),
        ("flatten spends the stances", "self.entries.spend(self.states, self._short)", "pass", "test_semantics_entries.py"),
        ("flatten takes openings off", "self.withdraw(state)\n            if state.opening is not None:", "if state.opening is not None:"),
        ("what a flatten could not take off is closed", "self._leaving.add(j)\n                out += 1", "out += 1"),
        (
            "a flatten closes once",
            "if self.portfolio.lots[j] and not self._closes(state):\n                state.closed_at",
            "if self.portfolio.lots[j]:\n                state.closed_at",
        ),
        ("armed latches are open", "self.latches.clear()", "pass", "test_session_gate.py"),
        ("a stop that was answered holds", "if self.stopping and self.name else []", "if False else []"),
        (
            "a limit does not cross after a step that nobody decided",
            "self._forget_crossings(all_of_them=False)",
            "pass",
        ),
        (
            "a limit crosses only while the session runs",
            'if self.mode == "RUNNING":\n            super()._cross_over',
            "if True:\n            super()._cross_over",
        ),
        (
            "slices go on only while the session runs",
            'if self.mode == "RUNNING":\n            super()._work',
            "if True:\n            super()._work",
            "test_working_orders.py",
        ),
        (
            "a stop that the session holds works in every step",
            "if self._holds:\n            self._watch(row, equity)\n        if self.sleeves.moves:  #",
            "if self.sleeves.moves:  #",
            "test_held_exits.py",
        ),
        ("stops move in every step", "if self.sleeves.moves:  # exits", "if False:  # exits", "test_live_session_exits.py"),
        (
            "a person's pause closes what is over",
            "self._move_exits(row, equity, close=why in HELD)",
            "self._move_exits(row, equity, close=False)",
            "test_live_session_exits.py",
        ),
        ("what is to be closed is closed in every mode", "self._close_what_leaves(row)\n            self._hold_up()", "self._hold_up()"),
        ("a late bar meets what the session holds", "self._unwatched += [", "[", "test_held_exits.py"),
        ("the third late bar raises an alert", "if state.late == MANY:", "if False:", "test_late_bars.py"),
        ("a bar in time begins the count anew", "self.states[j].late = 0", "pass", "test_late_bars.py"),
    ),
)
LEAVING = Rules(
    "workbench/session/leaving.py",
    "test_left_over.py test_leaving.py test_live_session.py test_live_session_doubts.py test_live_session_commands.py",
    (
        ("what could not be taken off is tried again", "self.take_off_opening(state)  # it could not be before", "pass"),
        (
            "a position on the wrong side is closed",
            "(j in self._leaving or (lots > 0) - (lots < 0) != state.acted)",
            "(j in self._leaving)",
        ),
        (
            "what is to leave is closed",
            "(j in self._leaving or (lots > 0) - (lots < 0) != state.acted)",
            "((lots > 0) - (lots < 0) != state.acted)",
        ),
        ("what opens beside a closing stays", "self._leaving.discard(j)\n            self._cut.discard(j)", "self._cut.discard(j)"),
        ("what nobody wants does not", "(j not in self._unwanted or self.states[j].opening is None)", "True"),
        ("what a cut closing left open does not", "if j not in self._cut and (", "if ("),
        ("and is closed", "self._leaving.add(j)\n            self._cut.add(j)", "self._cut.add(j)"),
        ("a closing that is cut twice is cut twice", "            self._cut.discard(j)\n", "", "test_left_over.py test_leaving.py"),
        ("what is left of an entry goes with its stop", "if opening is not None and of_what_closed(opening, fill, flat):", "if False:"),
        ("it is taken off", "self._unwanted.add(j)\n            if flat:", "if flat:"),
        ("and closed where it fills", "if flat:\n                self._leaving.add(j)", "pass"),
        ("a trim that cannot be taken off keeps nothing open", "if closes and not state.closes and", "if False and"),
        (
            "what an order opened that had ended is closed",
            "if not odd.halts:\n            self._leaving.add",
            "if False:\n            self._leaving.add",
            "test_session_lives.py",
        ),
        ("a closing that came to nothing is sent anew", "self._leaving.add(j)  # what it was to close is still there", "pass"),
        (
            "a closing that the gate kept back is sent anew",
            'if order.key is not None and order.key.leg == "close":',
            "if False:",
        ),
        (
            "a trim that the gate kept back closes nothing",
            'if order.key is not None and order.key.leg == "close":',
            "if order.key is not None and order.reduce_only:",
        ),
    ),
)
RULES = (APPROVING, *ASKED, LIVE, LEAVING)

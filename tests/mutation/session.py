"""The rules of a live session: what people ask, in which mode what is sent, and what nobody wants any more (SEMANTICS 5, 10, 36-39)."""

from __future__ import annotations

from .rules import Rules

__all__ = ["RULES"]

APPROVING = Rules(
    "workbench/session/approving.py",
    "test_approval.py test_approval_refused.py",
    (
        ("openings wait where their strategy wants it", "asks and sleeve.setup.strategy.approval > 0.0", "asks", "test_live_session.py"),
        ("they wait for so many seconds", "Proposal(order, decision, self.arrived + wait)", "Proposal(order, decision, self.arrived)"),
        ("silence is an answer once the time is over", "if one.until <= now]", "if one.until < now]"),
        ("no silence is heard while the gate is shut", "if symbols and not shut:", "if symbols:"),
        (
            "silence sends only where that is wanted",
            'on_silence == "send" and self.mode == "RUNNING"',
            'on_silence != "" and self.mode == "RUNNING"',
        ),
        ("silence sends only while the session runs", 'on_silence == "send" and self.mode == "RUNNING"', 'on_silence == "send"'),
        ("silence sends nothing over a closing", "if not (self._is_sent_on_silence(symbol) and self._in_the_way())]", "]"),
        (
            "nor does a word",
            'if command.what != "veto" and not self.recalls and (why := self._in_the_way()):',
            "if False and (why := ''):",
        ),
        ("what should be closed by now is in the way", "if left:\n            return f", "if False:\n            return f"),
        ("a closing in doubt is", 'return "" if doubted is None else', 'return "" if True else'),
        ("a larger size passes the limits", "if rounded > proposal.order.quantity and not self.recalls:", "if False:"),
        (
            "what was decided may be sent",
            "most = max(quantity_of(left, spec.number, spec.power), proposal.order.quantity)",
            "most = quantity_of(left, spec.number, spec.power)",
        ),
        ("what waits does not count besides itself", "state.proposal = None  # else it would count besides", "pass"),
        ("what was answered then is not judged anew", "self.recalls = False", "self.recalls = True"),
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
        "test_approval.py test_approval_refused.py test_live_session_doubts.py",
        (("of several nobody guesses which is meant", "if named is None and guess and len(known) == 1:", "if named is None and guess:"),),
    ),
    Rules(
        "workbench/session/state.py",
        "test_approval.py test_approval_refused.py",
        (
            ("what waits counts in full", "if self.proposal is not None:\n            return self.proposal.order", "pass"),
            (
                "an addition waits no more once its position is gone",
                "if self.proposal is not None and of_what_closed(self.proposal.order, fill, flat):",
                "if False:",
            ),
            ("a halt writes down which question it forgets", "(self.crossing, whole, asked) if order", "(self.crossing, whole) if order"),
            (
                "and which crossing",
                "(self.crossing, whole, asked) if order",
                "(whole, asked) if order",
                "test_leaving.py",
            ),
            (
                "what leaves is known by its label",
                "return self.held_by <= self.leaving",
                "return self.leaving >= 0",
                "test_left_over.py test_leaving.py",
            ),
            (
                "what was opened beside a closing stays",
                "self.held_by = self.added_by  # what",
                "pass  # what",
                "test_leaving.py",
            ),
            (
                "what could not be taken off leaves too",
                "self.leaving = max(self.leaving, self.held_by, self.added_by, label)",
                "self.leaving = max(self.leaving, self.held_by, self.added_by)",
                "test_left_over.py test_leaving.py test_fills_late.py",
            ),
            (
                "what was added leaves too",
                "self.leaving = max(self.leaving, self.held_by, self.added_by, label)",
                "self.leaving = max(self.leaving, self.held_by, label)",
                "test_fills_late.py",
            ),
            (
                "a key of nobody's has no label",
                "return key.label if isinstance(key.label, int) else -1",
                "return int(key.label)",
                "test_fills_late.py",
            ),
            (
                "a closing closes what it was meant for",
                'return self.leaves if key.leg == "close" else self.held_by < _decided_at(key)',
                "return True",
                "test_fills_late.py",
            ),
        ),
    ),
    Rules(
        "workbench/session/booking.py",
        "test_approval.py test_approval_refused.py test_left_over.py test_leaving.py",
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
        (
            "nothing opens on top of a doubt",
            "if state.opening is not None or (state.closing is not None and",
            "if (state.closing is not None and",
        ),
        ("nor of one about a closing", " or (state.closing is not None and self._is_unknown(state.closing)):", ":", "test_fills_late.py"),
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
        ("what nobody wants is not sent again", '== "RUNNING" and wanted and not', '== "RUNNING" and not'),
        ("nor what counts on what is still held", " and wanted and not self._left()", " and wanted", "test_room_of_a_closing.py"),
        (
            "nothing opens beside what should be gone",
            "(self.portfolio.lots[j] * state.acted < 0 or state.leaves) and self._is_left(j)",
            "False",
            "test_left_over.py test_leaving.py test_room_of_a_closing.py",
        ),
        (
            "a question ends with its step",
            "if why not in HELD:\n            self._forget_questions()",
            "pass",
            "test_approval.py test_approval_refused.py",
        ),
        (
            "a pause keeps it",
            "if why not in HELD:\n            self._forget_questions()",
            "self._forget_questions()",
            "test_approval.py test_approval_refused.py",
        ),
        (
            "a late question may be wanted",
            "if state.proposal is not None and not self._enters_late(j):",
            "if state.proposal is not None:",
            "test_approval.py test_approval_refused.py",
        ),
        ("a stop-out closes in every mode", "if needed > 0.0 and equity < needed:", "if False:"),
        ("a breach is said in every mode", "self._note_breaches(row, equity)", "pass"),
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
        ("flatten takes openings off", "self.withdraw(state)\n            state.leave", "state.leave"),
        (
            "what a flatten could not take off is closed",
            "state.leave(opening)  # it may",
            "state.leave()  # it may",
            "test_left_over.py test_leaving.py test_fills_late.py",
        ),
        (
            "nor what it took off too late",
            "opening = state.opening\n            self.withdraw(state)",
            "self.withdraw(state)\n            opening = state.opening",
            "test_fills_late.py",
        ),
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
            'if self.mode != "RUNNING":\n            self._hold_up()\n        elif',
            "if",
            "test_working_orders.py",
        ),
        ("nor while a closing is in doubt", "elif not self._in_the_way():", "else:", "test_fills_late.py"),
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
        (
            "a closing that was sent a moment ago is no doubt",
            'return self.lives.of(order).state == "unknown"',
            "return True",
            "test_approval.py test_approval_refused.py",
        ),
        (
            "what fills after its stance turned twice is closed",
            "super()._turn(row, j, state, sign, stance, equity)\n        state.leave(opening)",
            "super()._turn(row, j, state, sign, stance, equity)",
            "test_fills_late.py",
        ),
        ("what fills beside a stop-out is closed", "state.leave(out[j])", "pass", "test_fills_late.py"),
        ("what could not be taken off is tried again", "self.take_off_opening(state)  # it could not be before", "pass"),
        ("a position on the wrong side is closed", "(state.leaves or (lots > 0) - (lots < 0) != state.acted)", "state.leaves"),
        (
            "what is to leave is closed",
            "(state.leaves or (lots > 0) - (lots < 0) != state.acted)",
            "(lots > 0) - (lots < 0) != state.acted",
        ),
        ("what a closing is for leaves", 'if order.key is not None and order.key.leg == "close":', "if False:"),
        ("what a trim is for does not", 'if order.key is not None and order.key.leg == "close":', "if order.reduce_only:"),
        (
            "a part of a closing closes a part",
            "held > (self.portfolio.lots_in(j, closing.quantity) if closing",
            "held > (held if closing",
            "test_room_of_a_closing.py",
        ),
        (
            "what of an opening could not be taken off leaves with it",
            "state.leave(state.opening)\n\n    def _goes_with",
            "pass\n\n    def _goes_with",
        ),
        (
            "an opening the other way stays",
            "return super()._goes_with(state, lots) and not state.opens_anew()",
            "return not state.opens_anew()",
            "test_approval_refused.py",
        ),
        (
            "so does one that was decided on later",
            "return super()._goes_with(state, lots) and not state.opens_anew()",
            "return super()._goes_with(state, lots)",
            "test_leaving.py",
        ),
        ("what is left of an entry goes with its stop", "if opening is not None and of_what_closed(opening, fill, flat):", "if False:"),
        ("it is taken off", "self._unwanted.add(j)\n            if flat:", "if flat:"),
        ("and closed where it fills", "if flat:\n                self.states[j].leave(opening)", "pass"),
        ("a trim that cannot be taken off keeps nothing open", "if closes and not state.closes:", "if False:"),
        (
            "what an order opened that had ended is closed",
            "if not odd.halts:\n            self.states",
            "if False:\n            self.states",
            "test_words_of_a_venue.py",
        ),
    ),
)
RULES = (APPROVING, *ASKED, LIVE, LEAVING)

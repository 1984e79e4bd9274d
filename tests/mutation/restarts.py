"""The rules of restarts and doubt: what is written first, sent once, settled by asking, and lived through again (SEMANTICS 35-38)."""

from __future__ import annotations

from .rules import Rules

__all__ = ["RULES"]

WRITTEN = Rules(
    "workbench/session/journaled.py",
    "test_live_session.py test_live_session_doubts.py test_left_over.py test_leaving.py test_session_lives.py",
    (
        (
            "a step is written down before its orders leave",
            "self.journal.commit([*self._anchors(), step, *self._intents(), *self._alerts()], self._bars_in())\n"
            "        self._decided.clear()\n        self._submit(row)",
            "intents = self._intents()\n        self._submit(row)\n"
            "        self.journal.commit([*self._anchors(), step, *intents, *self._alerts()], self._bars_in())\n"
            "        self._decided.clear()",
        ),
        (
            "what the venue says is written down first",
            'self.journal.commit([Entry("event", one.number, event_plain(one.event)) for one in said])',
            "pass",
        ),
        ("an order that was never sent from here is noticed", "if key is not None and str(key) not in self.lives.keys:", "if False:"),
        ("what is sent again is the next attempt", "attempt=order.key.attempt + 1", "attempt=order.key.attempt"),
        ("a closing is cut to what is still open", "quantity=min(order.quantity, abs(held))", "quantity=order.quantity"),
        ("nothing is sent again to close nothing", "if held * order.sign >= 0.0 or", "if"),
        (
            "nor to close what was opened since",
            "or not state.closed_by(order.key):",
            "or False:",
            "test_fills_late.py",
        ),
        (
            "what an answer was lost of is in doubt",
            "except DuplicateOrder:  # the venue has it: by an answer that was lost\n            return False",
            "except DuplicateOrder:\n            return True",
            "test_refusals.py",
        ),
        (
            "what broke on the way is in doubt",
            'log.exception("sending %s broke", order.key)\n            return False',
            "return True",
            "test_refusals.py",
        ),
        ("no opening is sent over a closing in doubt", "certain = (order.reduce_only or not over) and", "certain ="),
        ("one over an opening in doubt is", "over = over or order.reduce_only", "over = True", "test_room_of_a_closing.py"),
        (
            "none is sent beside a closing that was refused",
            "if refused and not order.reduce_only:",
            "if False:",
            "test_room_of_a_closing.py",
        ),
        ("a refused opening keeps no other back", "refused = refused or order.reduce_only", "refused = True", "test_room_of_a_closing.py"),
        (
            "what a halt forgets is written down",
            "ended, before = [str(order.key) for state in self.states for order in state.pending], set(self._unwanted)",
            "ended, before = [], set(self._unwanted)",
            "test_approval.py test_approval_refused.py test_leaving.py",
        ),
        ("doubts are written down", "if doubts:\n            self.doubt(doubts)", "pass"),
        ("an order is asked off once in a step", "if str(key) in self._asked_off:\n            return False", "pass"),
        ("and again in the next", "self._asked_off.clear()\n        withdrawn", "withdrawn"),
        ("a session that halts forgets what it asked", "self._asked_off.clear()  # also where there was nothing to write down", "pass"),
        ("that an order is off is written down", "if off:\n            self._withdrawn.append(str(key))", "pass"),
        ("a fill is booked once", "if self.lives.has_booked(event):\n            return  # told once more", "pass"),
        ("what cannot be halts the session", 'self.mode = "HALTED" if odd.halts else self.mode', "pass"),
        ("what nobody wants is marked", "self._unwanted.add(self.portfolio.column[state.opening.key.instrument])", "pass"),
        ("an order that is refused has ended", "self.told(said)", "pass"),
        (
            "refusals are counted",
            'event.status == "rejected" and not taken:',
            'event.status == "nothing" and not taken:',
            "test_refusals.py",
        ),
        ("a taken order begins the count anew", "self.latches[symbol] = replace(latch, refused=0)", "pass", "test_refusals.py"),
        (
            "what the gate cuts is sent as it cut it",
            "replace(order, quantity=said.quantity), decision)",
            "order, decision)",
            "test_session_gate.py",
        ),
        (
            "what had filled untold is asked for",
            "more = self.portfolio.lots_in(self.portfolio.column[key.instrument], filled) - self.lives.filled(key)",
            "more = 0",
            "test_honest_fills.py",
        ),
        ("a refused opening says so", "state.row.code, state.row.lots = GATED, 0", "pass", "test_session_gate.py"),
    ),
)
DOUBTS = Rules(
    "workbench/session/doubts.py",
    "test_live_session.py test_live_session_doubts.py test_runner.py::test_rule_37_a_late_opening_that_never_arrived_is_not_sent_again",
    (
        ("what the venue knows is not absent", "and not account.knows(order.key)]", "]", "test_refusals.py"),
        (
            "what it has never had has ended",
            "session.absent(order.key)",
            "pass",
        ),
        ("a venue that knows orders late is asked again", ">= account.settle_time]", ">= 0.0]"),
        (
            "an order that it knew meanwhile is asked about anew",
            "self._missing.get(str(order.key), now) for order in missing}",
            "self._missing.get(str(order.key), now) for order in missing} | self._missing",
        ),
        ("the rest of its book agrees", "absent = [] if difference(session, state, state.number, missing) else absent", "pass"),
        (
            "closings are sent again first",
            "sorted(absent, key=lambda one: not one.reduce_only)",
            "sorted(absent, key=lambda one: one.reduce_only)",
        ),
        ("no opening is sent again over a closing in doubt", "over = over or (order.reduce_only and not certain)", "pass"),
        ("only closings where that is all", "over = closings_only", "over = False"),
        ("only what is timely", "if session.timely(order) and (order.reduce_only or not over):", "if order.reduce_only or not over:"),
        ("an order sent a moment ago is no news", "now - self._since[key] >= PATIENCE", "now >= self._since[key]"),
    ),
)
RECOVERY = Rules(
    "workbench/session/recovery.py",
    "test_live_session.py test_live_session_doubts.py test_left_over.py test_leaving.py test_session_gate.py test_approval.py",
    (
        ("what was sent then is sent again", "if _without_words(again) != _without_words(entry.body):", "if False:"),
        ("nothing more is sent than then", "for key, body in now.items():", "for key, body in ():"),
        ("nothing more is sent at the end", "_require_none_left(sent.intents)\n    session.setup", "session.setup"),
        ("the same equity", 'if equity != body["equity"]:', "if False:"),
        (
            "what was off is off",
            'echo.withdrawn, echo.beyond = frozenset(said.get("withdrawn", ())),',
            "echo.withdrawn, echo.beyond = frozenset(),",
        ),
        ("what the gate said is said again", 'keeper.recall(said.get("gate", {}))', "pass"),
        (
            "when bars came is known",
            'session.arrived = entry.time if entry.kind in ("step", "missed", "late") else session.arrived',
            "pass",
        ),
        ("silence is heard again", 'session.pass_over(body["symbols"], body["at"])', "pass"),
        ("what was taken off is taken off again", "session.take_off()", "pass"),
        ("doubts are doubts again", 'session.doubt(body["keys"])', "pass"),
    ),
)
STANDING = Rules(
    "workbench/session/standing.py",
    "test_runner_gate.py test_live_session_doubts.py",
    (
        ("a venue that has told less is another one", "if state.number < told:", "if False:"),
        ("a venue that has told more is asked again", "if state.number > told:\n        return MOVED", "pass"),
        ("positions agree", "if ours.get(symbol, 0.0) != state.positions.get(symbol, 0.0)", "if False"),
        ("what works there is known here", "for key in sorted(theirs.keys() - mine.keys())]", "for key in ()]"),
        ("what is known here works there", "for key in sorted(mine.keys() - theirs.keys())]", "for key in ()]"),
        ("orders agree to their price", "if _in_words(theirs[key]) != _in_words(mine[key])", "if False"),
        (
            "a stop that follows the price does so there alone",
            'if order.price is None or order.type == "trailing_stop" else',
            "if order.price is None else",
            "test_live_session_doubts.py",
        ),
        ("cash agrees", "if not said and state.account.cash != session.portfolio.cash:", "if False:"),
    ),
)
LIVES = Rules(
    "workbench/session/lives.py",
    "test_session_lives.py test_words_of_a_venue.py test_partial_fills.py",
    (
        ("a fill under its name is booked once", "return life is not None and event.fill.name in life.fills", "return False"),
        (
            "what is left is by our count",
            "return event if left == event.fill.left else OrderFilled(replace(event.fill, left=left))",
            "return event",
        ),
        (
            "the parts of an opening are counted together",
            "counted[1] += self._lots(event.fill)",
            "pass",
            "test_honest_fills.py",
        ),
        ("a fill of nobody's order halts", 'the session halts", True)', 'the session halts", False)'),
        ("a late fill halts nothing", 'finding != "late" or bool(of_all)', "True"),
    ),
)
UNDECIDED = Rules(
    "workbench/session/undecided.py",
    "test_live_session.py test_late_bars.py",
    (
        ("an opinion that is taken up is a late one", "state.missed_at = row", "pass", "test_semantics_entries.py"),
        (
            "a newer opinion stands",
            "if state.missed != state.missed or tape.stance[j][row] == tape.stance[j][row]:",
            "if state.missed != state.missed:",
        ),
        (
            "a late bar's close counts where none came since",
            "if all(tape.close[j][k] != tape.close[j][k] for k in later):\n        tape",
            "if True:\n        tape",
        ),
        ("its opinion too", "if all(tape.stance[j][k] != tape.stance[j][k] for k in later):\n        states", "if True:\n        states"),
        ("an entry without a bar has the stop of its late bar", "columns[j][row] = columns[j][state.missed_at]", "pass"),
        (
            "a turn that was missed is late",
            "return before == before and (now > 0) == (before > 0) and (now < 0) == (before < 0)",
            "return False",
        ),
        (
            "a turn since is not",
            "return before == before and (now > 0) == (before > 0) and (now < 0) == (before < 0)",
            "return before == before",
        ),
    ),
)
RUNNER = Rules(
    "workbench/session/runner.py",
    "test_runner_gate.py",
    (
        (
            "a command that waits is done before a step",
            "self._obey(session)  # nothing is decided over a command that is waiting",
            "pass",
            "test_runner_commands.py",
        ),
        (
            "a step that passed while nobody was there is missed",
            'self._came(came, "the session was down")',
            "self._came(came)",
            "test_runner.py",
        ),
        ("nothing is decided while the gate is shut", "why_not = why_not or self.gate or (", "why_not = why_not or ("),
        (
            "nothing is decided while it is paused",
            'self.gate or (session.mode if session.mode in HELD else "")',
            "self.gate",
            "test_runner_commands.py",
        ),
        (
            "books that differ shut the gate",
            "self.gate = self.gate if why == MOVED and",
            'self.gate = "" if why else self.gate if why == MOVED and',
        ),
        ("orders of others shut the gate", 'self.gate = f"reconcile: {self.session.foreign}"', "pass"),
        (
            "a query that failed is no answer",
            'is no answer\n            self.gate = f"reconcile: {error}"',
            "is no answer\n            self.gate = self.gate",
        ),
        ("what was told is not told again", 'self._inbox.know(written.began.body["seen"], numbers)', "pass", "test_runner.py"),
        ("a command to another run is not done", "command if mine else command._replace(expires=1)", "command", "test_runner_commands.py"),
        ("nothing is approved while the gate is shut", "return bool(self.gate) and command.what in WORDS", "return False"),
        (
            "no person settles a doubt before all is heard",
            'return bool(self.gate) and not self.gate.startswith("reconcile")',
            "return False",
        ),
    ),
)
CAUSES = Rules(
    "workbench/live/undisturbed.py",
    "test_run_parity.py test_run_parity_venue.py",
    (
        ("what nobody heard of again never arrived", "facts.arrivals.update(dict.fromkeys(unanswered, NEVER))", "pass"),
        ("what is heard of has arrived", "unanswered.discard(_order_of(entry.body))", "pass"),
        ("an order works from where it came", 'facts.arrivals[str(OrderKey(**entry.body["order"]["key"]))] = row', "pass"),
        ("one that the venue never had does not", 'facts.arrivals[str(OrderKey(**entry.body["key"]))] = NEVER', "pass"),
        ("a late order waits for its bar", "if arrives == row:", "if True:"),
        ("what could not be taken off then is not now", "return (str(key) not in self._sent or str(key) in self.withdrawn) and", "return"),
        ("what the gate said counts", "facts.gate.update(said)", "pass", "test_session_gate.py"),
        ("a missed step is missed", "session.miss(how)", "session.decide()"),
    ),
)
GATHERING = Rules(
    "workbench/session/gathering.py",
    "test_gathering.py",
    (
        (
            "a bar that is there already is not taken twice",
            "[symbol for symbol in part.bars.symbols if symbol not in there]",
            "list(part.bars.symbols)",
        ),
        ("a new one beside it is", "part if len(new) == len(part.bars.symbols) else part._replace(bars=part.bars[new])", "part"),
    ),
)
MARKET = Rules(
    "workbench/practice/paper/exchange.py",
    "test_paper_exchange.py",
    (
        ("a recording is kept whole", "elif len(self._past) == 1 and not self._past_row:", "if True:"),
        ("when a row closed is known for ever", 'if row < getattr(self._closes, "first", 0):', "if False:"),
        ("an amendment is a thing of its own", "{key} {price!r} {self.head}", "{key} {price!r}"),
    ),
)
RULES = (WRITTEN, DOUBTS, RECOVERY, STANDING, LIVES, UNDECIDED, RUNNER, CAUSES, GATHERING, MARKET)

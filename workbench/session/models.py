"""The trained models of a session, beside the market: looked after now and then, and told of once where something is wrong."""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import pandas as pd

from workbench.component_text import models_of
from workbench.errors import RunError
from workbench.journal import Beat
from workbench.session.live import LiveSession
from workbench.signals import health
from workbench.strategy import Strategy
from workbench.team import Team

__all__ = ["ModelWatch", "refusals_in_words", "require_unexpired", "troubles"]

log = logging.getLogger("workbench.session")
#: Seconds between two looks at least, and how many times longer than a look the pause after it is.
EVERY, SHARE = 1.0, 20


class ModelWatch:
    """Looks after the models of a session: what they refuse to predict, and what has drifted from what they were trained on.

    Parameters
    ----------
    before : Beat, optional
        The last sign of life of the session before: what is wrong there has been told of.
    """

    def __init__(self, before: Beat | None = None) -> None:
        #: The label of the first live bar, in nanoseconds: refusals are counted from there on.
        self.since = 0
        #: How each model does (`workbench.signals.Health`), as plain values: what a sign of life says.
        self.standing: list[dict[str, Any]] = [] if before is None else before.body.get("models", [])
        self._row = -1
        self._due = 0.0

    def look(self, session: LiveSession, at_once: bool = False) -> None:
        """Measure, where a step has passed since and the last look is long enough ago; raise alerts for what has come up.

        Each is raised once, until it is over and comes up anew.
        """
        row, begun = session.steps_done, time.monotonic()
        if row == self._row or (begun < self._due and not at_once) or next(models_of(session.setup.system), None) is None:
            return
        self._row, before = row, troubles(self.standing)
        self.standing = self._measured(session)
        for key, text in troubles(self.standing).items():
            if key not in before:
                session.alert(text, f"{key} {session.tape.label[row - 1]}")
        self._due = begun + max(EVERY, SHARE * (time.monotonic() - begun))

    def _measured(self, session: LiveSession) -> list[dict[str, Any]]:
        """Return how each model does; whatever goes wrong in that is told, and stops no trading."""
        try:
            setup = session.setup
            return [asdict(one) for strategy in setup.strategies for one in health(strategy.signal, setup.market, self.since)]
        except Exception as error:
            log.exception("the models cannot be looked after")
            return [{"model": "the models", "failed": f"{type(error).__name__}: {error}"}]


def require_unexpired(system: Strategy | Team, label: int) -> None:
    """Refuse to begin with a model that has expired before the first bar that is to be decided.

    What is judged is the label of that bar, never a clock. A run that has begun goes on without it: it may hold positions.

    Raises
    ------
    RunError
    """
    first = pd.DatetimeIndex([label], tz="UTC")
    for model in models_of(system):
        if model.card.expired(first)[0]:
            raise RunError(
                f"the model {model.id} expired at {model.card.expires}, and the first bar to be decided opens at {first[0].isoformat()}: "
                "train it again (wb.retrain), or note when else it expires, model.noted(expires=...), and promote that"
            )


def troubles(models: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return what is wrong with models for longer than a bar, each a sentence, by what names it."""
    said = {}
    for one in models:
        name = one["model"]
        if one.get("failed"):
            said[f"failed {name}"] = f"{name} cannot be looked after ({one['failed']})"
        if one.get("expired"):
            said[f"expired {name}"] = f"{name} expired at {one['expired']}: it predicts nothing any more"
        for feature, index in one.get("drifted", {}).items():
            said[f"drift {name} {feature}"] = (
                f"{name}: {feature} has drifted from what the model was trained on (population stability index {index:.2f})"
            )
    return said


def refusals_in_words(models: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return which newest bars are not predicted, and why, each a sentence."""
    said = []
    for one in models:
        symbols = defaultdict(list)
        for symbol, why in one.get("refused", {}).items():
            symbols[why].append(symbol)
        for why, whose in symbols.items():
            count = f"{one['reasons'].get(why, 0):,} of {one['asked']:,} live bars"
            said.append(f"{one['model']} predicts nothing of {', '.join(whose)}: {why} ({count})")
    return said

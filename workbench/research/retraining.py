"""Training anew on newer bars: what comes of it is a challenger, judged beside the model that it challenges."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from workbench.bars import Bars
from workbench.component import clone
from workbench.component_text import parts_of
from workbench.errors import ParameterError
from workbench.execution.costs import Costs
from workbench.features import table
from workbench.models import Model, Registry, drift
from workbench.rates import Rates
from workbench.research.readable import as_html
from workbench.research.walk_forward import Fold, Labels, labels_of, require_labeller, traded
from workbench.session.setup import DEFAULT_CASH, require_strategy_and_bars
from workbench.signals import TrainedSignal
from workbench.strategy import Strategy

__all__ = ["Retraining", "retrain"]

COMPARED = ("return %", "annual return %", "Sharpe", "max drawdown %", "trades")


@dataclass(frozen=True, slots=True)
class Retraining:
    """A challenger, and how it does beside the model that it challenges.

    Parameters
    ----------
    challenger : Model
        Registered; nothing trades with it until somebody promotes it.
    champion : Model
        What it challenges: the registry's champion, or the strategy's own model where there is none yet.
    comparison : DataFrame
        Rows champion and challenger: figures on bars that the challenger was not trained on, and how many of them the model was
        trained on all the same.
    drift : DataFrame
        How the newest bars differ from those that the champion was trained on (`wb.models.drift`).
    """

    challenger: Model
    champion: Model
    comparison: pd.DataFrame
    drift: pd.DataFrame

    def __repr__(self) -> str:
        head = f"challenger {self.challenger.id}, champion {self.champion.id}"
        return f"{head}\n{self.comparison.round(3).to_string()}\n{self.drift.round(3).to_string()}"

    def _repr_html_(self) -> str:
        head = f"<p><b>challenger {self.challenger.id}</b>: nothing trades with it until it is promoted; champion {self.champion.id}</p>"
        tables = (frame.round(3).rename_axis(name).reset_index() for name, frame in (("model", self.comparison), ("feature", self.drift)))
        return head + "".join(f"<div style='overflow-x:auto'>{as_html(frame)}</div>" for frame in tables)


def retrain(
    strategy: Strategy,
    bars: Bars,
    labels: Labels,
    registry: Registry | str | Path,
    name: str,
    *,
    why: str,
    holdout: float = 0.25,
    label: str = "",
    expires: Any = None,
    cash: float = DEFAULT_CASH,
    costs: Costs | Mapping[str, Costs] | None = None,
    currency: str | None = None,
    rates: Rates | None = None,
    buying_power: bool = True,
) -> Retraining:
    """Train a strategy's model anew, compare both on bars held out, and register the new one as challenger.

    What is registered is what was tested: it is trained on the bars before the held-out ones, and never again on all of them.
    The strategy and the champion stay as they are. Where the registry has a champion of that name, it is the one to be compared
    with and trained anew, whichever model the strategy was saved with.

    Parameters
    ----------
    strategy : Strategy
        With one trained signal, of which the champion is a model.
    bars : Bars
    labels : callable
        Makes the labels of the training bars: ``lambda bars: wb.labels.fixed_horizon(bars, 10)``.
    registry : Registry or path
    name : str
        Under which the models are kept there.
    why : str
        For the registry's log.
    holdout : float, default 0.25
        Share of the bars, the newest ones, that both models are judged on. The champion may have been trained on some of them:
        the comparison says on how many, and flatters it then.
    label, expires : optional
        For the card.
    cash, costs, currency, rates, buying_power : optional
        Of the backtests that are compared, as in `wb.backtest`.

    Returns
    -------
    Retraining

    Raises
    ------
    ParameterError
        The strategy has no trained signal, or several; nothing would be held out; or the labels know what is.
    ModelError
        The model was never trained, or the champion was trained with other features than the strategy has.
    """
    require_strategy_and_bars(strategy, bars)
    require_labeller(labels)
    if not 0.0 < holdout < 1.0:
        raise ParameterError(f"holdout must be a share of the bars between 0 and 1, got {holdout}")
    kept = registry if isinstance(registry, Registry) else Registry(registry)
    account: dict[str, Any] = {"costs": costs, "currency": currency, "rates": rates, "buying_power": buying_power}
    strategy = with_champion(strategy, kept, name)
    twin, old = clone(strategy), trained_signal(strategy).trained
    begin = round(len(bars) * (1.0 - holdout))
    known = bars.iloc[:begin]
    new = trained_signal(twin)
    new.fit(known, labels_of(labels, known), label=label or old.card.label, expires=expires, trained_at=known.index[-1])
    part = Fold(0, begin, len(bars))
    compared = {role: _figures(one, bars, part, cash, account) for role, one in (("champion", strategy), ("challenger", twin))}
    new.model = new.trained.noted(
        scores={f"held-out {k}": compared["challenger"][k] for k in COMPARED if math.isfinite(compared["challenger"][k])}
    )
    challenger = kept.register(new.trained, name, why)
    rows = table(new.columns(), bars).loc[bars.index[begin] :]
    return Retraining(challenger, old, pd.DataFrame(compared).T, drift(old.card, rows))


def with_champion(strategy: Strategy, kept: Registry, name: str) -> Strategy:
    """Return a strategy that speaks through the champion of a name; as it is where there is none."""
    twin = clone(strategy)
    signal = trained_signal(twin)
    if name in kept.names() and (kept.cards(name)["role"] == "champion").any():
        signal.model = kept.champion(name)
        signal.check()
    return twin


def trained_signal(strategy: Strategy) -> TrainedSignal:
    """Return the one signal of a strategy that a trained model speaks through."""
    found = [part for part in parts_of(strategy) if isinstance(part, TrainedSignal)]
    if len(found) != 1:
        raise ParameterError(f"a strategy with one trained signal is retrained, got one with {len(found)}")
    assert found[0].trained is not None
    return found[0]


def _figures(strategy: Strategy, bars: Bars, part: Fold, cash: float, account: Mapping[str, Any]) -> dict[str, float]:
    stats = traded(strategy, bars, part, cash, account).stats
    seen = bars.index[part.begin : part.end] <= pd.Timestamp(trained_signal(strategy).trained.card.last)
    return {name: float(stats[name]) for name in COMPARED} | {"bars trained on": float(seen.sum())}

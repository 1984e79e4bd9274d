"""Training anew on newer bars: what comes of it is a challenger, judged beside the model that it challenges."""

from __future__ import annotations

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
from workbench.research.result import Backtest
from workbench.research.walk_forward import Fold, Labels, labels_of, traded
from workbench.session.setup import DEFAULT_CASH, require_strategy_and_bars
from workbench.signals import TrainedSignal
from workbench.strategy import Strategy

__all__ = ["Retraining", "retrain"]

COMPARED = ("annual return %", "Sharpe", "max drawdown %", "trades")


@dataclass(frozen=True, slots=True)
class Retraining:
    """A challenger, and how it does beside the model that it challenges.

    Parameters
    ----------
    challenger : Model
        Registered; nothing trades with it until somebody promotes it.
    comparison : DataFrame
        Rows champion and challenger: figures on bars that the challenger was not trained on.
    drift : DataFrame
        How the newest bars differ from those that the champion was trained on (`wb.models.drift`).
    """

    challenger: Model
    comparison: pd.DataFrame
    drift: pd.DataFrame

    def __repr__(self) -> str:
        return f"challenger {self.challenger.id}\n{self.comparison.round(3).to_string()}\n{self.drift.round(3).to_string()}"

    def _repr_html_(self) -> str:
        head = f"<p><b>challenger {self.challenger.id}</b>: nothing trades with it until it is promoted</p>"
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
    The strategy and the champion stay as they are.

    Parameters
    ----------
    strategy : Strategy
        With one trained signal.
    bars : Bars
    labels : callable
        Makes the labels of the training bars: ``lambda bars: wb.labels.fixed_horizon(bars, 10)``.
    registry : Registry or path
    name : str
        Under which the models are kept there.
    why : str
        For the registry's log.
    holdout : float, default 0.25
        Share of the bars, the newest ones, that both models are judged on. The champion may have been trained on some of them.
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
    """
    require_strategy_and_bars(strategy, bars)
    if not 0.0 < holdout < 1.0:
        raise ParameterError(f"holdout must be a share of the bars between 0 and 1, got {holdout}")
    old, twin = trained_signal(strategy), clone(strategy)
    begin = round(len(bars) * (1.0 - holdout))
    known = bars.iloc[:begin]
    new = trained_signal(twin)
    new.fit(known, labels_of(labels, known), label=label or old.trained.card.label, expires=expires, trained_at=known.index[-1])
    part = Fold(0, begin, len(bars))
    account: dict[str, Any] = {"costs": costs, "currency": currency, "rates": rates, "buying_power": buying_power}
    compared = {role: _figures(traded(one, bars, part, cash, account)) for role, one in (("champion", strategy), ("challenger", twin))}
    new.model = new.trained.noted(scores={f"held-out {k}": v for k, v in compared["challenger"].items() if v == v})
    kept = registry if isinstance(registry, Registry) else Registry(registry)
    challenger = kept.register(new.trained, name, why)
    rows = table(old.columns(), bars).loc[bars.index[begin] :]
    return Retraining(challenger, pd.DataFrame(compared).T, drift(old.trained.card, rows))


def trained_signal(strategy: Strategy) -> TrainedSignal:
    """Return the one signal of a strategy that a trained model speaks through."""
    found = [part for part in parts_of(strategy) if isinstance(part, TrainedSignal)]
    if len(found) != 1:
        raise ParameterError(f"a strategy with one trained signal is retrained, got one with {len(found)}")
    assert found[0].trained is not None
    return found[0]


def _figures(result: Backtest) -> dict[str, float]:
    return {name: float(result.stats[name]) for name in COMPARED}

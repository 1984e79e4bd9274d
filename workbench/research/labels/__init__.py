"""Labels: what a model is asked to foresee, each with the bar at whose close it is known.

A label table is a DataFrame indexed by (timestamp, symbol), in the order of time, with the columns

- `label`: float, NaN where it is not known yet - never class 0;
- `end`: the label (UTC, OPEN time) of the bar at whose close it is known, NaT where unknown;
- `ret`: return from the close of the bar to the end, NaN where unknown;
- `barrier`, of `triple_barrier` alone: ``"upper"``, ``"lower"``, ``"vertical"``, or ``""`` where unknown.

Bars are an instrument's own: holes are skipped. Features are joined to it by (timestamp, symbol), never by position.
"""

from workbench.errors import unknown_name
from workbench.research.labels.barriers import triple_barrier
from workbench.research.labels.horizon import fixed_horizon
from workbench.research.labels.meta import meta_labels
from workbench.research.labels.sampling import draw_probabilities, sequential_bootstrap
from workbench.research.labels.weights import concurrency, uniqueness, uniqueness_weights

__all__ = [
    "concurrency",
    "draw_probabilities",
    "fixed_horizon",
    "meta_labels",
    "sequential_bootstrap",
    "triple_barrier",
    "uniqueness",
    "uniqueness_weights",
]


def __getattr__(name: str) -> object:
    raise unknown_name(__name__, name, __all__)

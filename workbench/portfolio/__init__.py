"""The books: `Portfolio` is the running account that a session trades on, `Ledger` the exact and dated record of several accounts."""

from workbench.errors import unknown_name
from workbench.portfolio._ledger import Ledger
from workbench.portfolio._portfolio import Portfolio
from workbench.portfolio._valuation import Valuation

__all__ = ["Ledger", "Portfolio", "Valuation"]


def __getattr__(name: str) -> object:
    raise unknown_name(__name__, name, __all__)

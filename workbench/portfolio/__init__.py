"""The books: `Portfolio` is the running account that a session trades on, `Ledger` the exact and dated record of several accounts."""

from workbench.portfolio._ledger import Ledger
from workbench.portfolio._portfolio import Portfolio
from workbench.portfolio._valuation import Valuation

__all__ = ["Ledger", "Portfolio", "Valuation"]

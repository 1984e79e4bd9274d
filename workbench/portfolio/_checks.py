"""What a hand-made portfolio is given, before it is one."""

from __future__ import annotations

import math

from workbench.bars import Bars
from workbench.errors import ParameterError
from workbench.instrument import Instrument
from workbench.numeric import number

__all__ = ["require_account"]


def require_account(currency: object, cash: object, positions: object, buying_power: object, history: object) -> None:
    """Refuse what is no account, whatever its annotations promised."""
    if not isinstance(currency, str) or not currency:
        raise ParameterError(f"Portfolio: currency must be a name such as 'USD', got {currency!r}")
    if cash is not None and not math.isfinite(number(cash)):
        raise ParameterError(f"Portfolio: cash must be a number, got {cash!r}")
    for instrument in positions or {}:  # type: ignore[attr-defined]
        if not isinstance(instrument, Instrument):
            raise ParameterError(f"Portfolio: positions are by instrument, {{wb.Instrument('AAPL'): 10}}, got {instrument!r}")
    if not isinstance(buying_power, bool):
        raise ParameterError(f"Portfolio: buying_power must be True or False, got {buying_power!r}")
    if history is not None and not isinstance(history, Bars):
        raise ParameterError(f"Portfolio: history must be wb.Bars, got {type(history).__name__}")

"""An instrument with its costs, in the plain numbers that every scalar reads."""

from __future__ import annotations

from typing import Any

from workbench.instrument import Instrument
from workbench.money import NO_MOST
from workbench.records import Spec

__all__ = ["FREE", "spec_of"]

#: No costs: fee rate, fee a unit, least fee, slippage rate, slippage as a price, largest fee rate.
FREE = (0.0, 0.0, 0.0, 0.0, 0.0, NO_MOST)


def spec_of(instrument: Instrument, costs: tuple[float, float, float, float, float, float] = FREE) -> Any:
    """Return an instrument and its costs as a row of numbers (`workbench.records.SPEC`)."""
    spec = Spec()
    spec.funded = int(instrument.funded)
    spec.can_short = int(bool(instrument.can_short))
    spec.number, spec.power = instrument.step
    spec.tick_number, spec.tick_power = instrument.tick
    spec.min_quantity = instrument.min_quantity
    spec.min_notional = float(instrument.min_notional)
    spec.multiplier = float(instrument.multiplier)
    spec.margin = instrument.margin
    # a long position bought with borrowed money is margined too (SEMANTICS 41)
    spec.margined = int(not instrument.funded or spec.margin < 1.0)
    spec.maintenance = instrument.tiers[0][1]
    if isinstance(instrument.maintenance, tuple):
        spec.tiers = len(instrument.tiers)
        for k, (_, rate, amount) in enumerate(instrument.tiers):
            spec.tier_rate[k], spec.tier_amount[k] = rate, amount
    spec.fee_rate, spec.fee_unit, spec.fee_minimum, spec.slip_rate, spec.slip_offset, spec.fee_most = costs
    return spec

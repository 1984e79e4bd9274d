"""The kernel's short cut: stretches of bars on which one instrument's position is marked and nothing else happens."""

from __future__ import annotations

from workbench.execution.fills import limit_inside, stop_inside
from workbench.maintenance import kept_for
from workbench.money import worth
from workbench.past import remember
from workbench.research.kernel_state import Columns, Ledger, Output, Settings

__all__ = ["calm"]


def calm(first: int, m: Columns, a: Ledger, out: Output, s: Settings) -> int:
    """Mark the only instrument's position from step `first` on; return the first step on which more may have to be done.

    No order to open or to close may be out. What does not change on such bars is held in plain numbers, which makes them ten times
    cheaper than whole steps. A step that is left out here is left as it was: the kernel takes it from its beginning.
    """
    if s.moves != 0 and a.quantity[0] != 0.0:
        return first
    slot, spec = a.slots[0], a.specs[0]
    quantity, basis, purse, wish = a.quantity[0], a.basis[0], a.purse[0], a.wish[0]
    price, unit, base = a.price[0], a.unit[0], a.base[0]
    held = 1.0 if quantity > 0.0 else -1.0
    stop = quantity != 0.0 and s.has_stop != 0
    target = quantity != 0.0 and s.has_target != 0
    margined = quantity != 0.0 and (quantity < 0.0 or spec.margined != 0)
    last = len(m.label)
    if s.financed != 0 and quantity != 0.0 and a.counts[3] < len(m.charged):
        last = m.charged[a.counts[3]] // 2
    t = first
    while t < last:
        stance = m.stance[t]
        if stance == stance and wish != (1 if stance > 0.0 else (-1 if stance < 0.0 else 0)):
            break
        # a bar that opens beyond an exit touches it inside too
        if stop and stop_inside(held, slot.stop, m.high[t], m.low[t]):
            break
        if target and limit_inside(-held, slot.target, m.high[t], m.low[t]):
            break
        close = m.close[t] if m.close[t] == m.close[t] else price
        rate = m.unit[t] if s.moving != 0 else unit
        equity = purse + worth(quantity, close, basis, rate) if quantity != 0.0 else purse
        if margined and equity < kept_for(quantity, close, rate, spec):
            break
        price = close
        unit = rate
        base = m.base[t] if s.moving != 0 else base
        out.equity[t] = equity
        if s.remembers != 0:
            remember(a.past, t, m.day[t], equity, s.drawdown, s.rearm)
        t += 1
    a.price[0] = price
    a.unit[0] = unit
    a.base[0] = base
    return t

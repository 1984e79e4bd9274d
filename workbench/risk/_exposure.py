"""A limit on the exposure of groups: currencies, regions, asset classes, instruments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from workbench.errors import ParameterError, did_you_mean
from workbench.instrument import KNOWN, Instrument, group_names
from workbench.risk._base import Breach, RiskManager, Snapshot
from workbench.risk._room import TOLERANCE, UNLIMITED, gross_room, group_room

__all__ = ["MaxExposure"]

#: What belongs to some region; a currency, a coin or oil need not.
PLACED = ("equity", "index", "rate")


class MaxExposure(RiskManager):
    """Net or gross exposure of each group, open orders at full size, in account currency (SEMANTICS 20-21, 30).

    By currency, a pair counts with both legs, shares with their value in their currency, spot coins with the coin and
    nothing in the quote, futures and perpetuals not at all.

    Parameters
    ----------
    limit : float or dict of str to float
        For every group, or by group: ``{"EUR": 750_000}``. In account currency, or as a multiple of equity.
    by : {"currency", "region", "asset_class", "instrument"} or str, default "currency"
        Or the name of a tag that instruments have (`Instrument.tags`): ``by="sector"``.
    of : {"money", "equity"}, default "money"
    scope : {"net", "gross"}, default "net"

    Examples
    --------
    >>> MaxExposure({"EUR": 750_000}, by="currency")
    MaxExposure(limit={'EUR': 750000}, by='currency', of='money', scope='net')
    """

    limit: float | Mapping[str, float]
    by: str = "currency"
    of: Literal["money", "equity"] = "money"
    scope: Literal["net", "gross"] = "net"

    @classmethod
    def example(cls) -> MaxExposure:
        """Return a limit of one and a half times the equity in each currency."""
        return cls(1.5, of="equity")

    def check(self) -> None:
        """Refuse limits that are not positive numbers."""
        given = self.limit.items() if isinstance(self.limit, Mapping) else [("every group", self.limit)]
        if not given:
            raise ParameterError("MaxExposure: limit is empty; give a number, or one by group such as {'EUR': 750_000}")
        for group, value in given:
            if not isinstance(value, (int, float)) or not 0 < value < float("inf"):
                raise ParameterError(f"MaxExposure: the limit of {group} must be a positive number, got {value!r}")

    def groups(self, instruments: Sequence[Instrument]) -> list[str]:
        """Return the limited groups, in the order of the instruments."""
        found = dict.fromkeys(name for i in instruments for name in i.legs(self.by))
        return [name for name in found if self.limits(name)]

    def notes(self, instruments: Sequence[Instrument]) -> list[str]:
        """Return which groups no instrument belongs to: their limits never bind."""
        known = {name for i in instruments for name in i.legs(self.by)}
        if not isinstance(self.limit, Mapping):
            return [] if known else [f"MaxExposure: nothing here counts towards any {self.by}"]
        missing = [name for name in self.limit if name not in known]
        return [f"MaxExposure: nothing here counts towards {self.by} {name!r}{did_you_mean(name, known)}" for name in missing]

    def limit_of(self, group: str) -> float:
        """Return the limit of one group."""
        return float(self.limit[group] if isinstance(self.limit, Mapping) else self.limit)

    def limits(self, group: str) -> bool:
        """Return whether a group has a limit here."""
        return not isinstance(self.limit, Mapping) or group in self.limit

    def money_of(self, group: str, equity: float) -> float:
        """Return the limit of one group in account currency."""
        return self.limit_of(group) * (equity if self.of == "equity" else 1.0)

    def parameters(self, instruments: Sequence[Instrument], currency: str) -> tuple[float, ...]:
        """Return the scope, the measure, and the limit of each group; refuse groups that nothing here can belong to."""
        self._require_groups(instruments)
        return float(self.scope == "gross"), float(self.of == "equity"), *(self.limit_of(g) for g in self.groups(instruments))

    def _require_groups(self, instruments: Sequence[Instrument]) -> None:
        """Refuse a kind of group that no instrument has, one that a share has lost, and a name that is almost one of theirs."""
        kinds = group_names(instruments)
        if self.by not in kinds:
            raise ParameterError(f"MaxExposure: no instrument has a tag {self.by!r}{did_you_mean(self.by, kinds)}")
        lost = next((one.symbol for one in instruments if self.by == "region" and one.asset_class in PLACED and not one.region), None)
        if lost is not None:
            raise ParameterError(
                f"MaxExposure(by='region'): {lost} has no region, so nothing would limit it; "
                f"say where it belongs, wb.Instrument({lost!r}, region='US')"
            )
        if isinstance(self.limit, Mapping) and self.by == "instrument":
            columns = {one.symbol: name for one in instruments for name in one.legs(self.by)}
            own = next((name for name in self.limit if columns.get(name, name) != name), None)
            if own is not None:
                raise ParameterError(
                    f"MaxExposure(by='instrument') counts all that is held of an instrument: name {columns[own]!r}, not {own!r}"
                )
        named = set(self.limit) if isinstance(self.limit, Mapping) and self.by != "instrument" else set()
        known = {name for one in instruments for name in one.legs(self.by)}
        for name in sorted(named - known):  # a name of its own is no misspelling: the book may hold it tomorrow
            near = did_you_mean(name, known - named)
            if "?" in near and not (self.by == "currency" and name in KNOWN):
                raise ParameterError(f"MaxExposure: nothing here counts towards {self.by} {name!r}{near}")

    def table(self, instruments: Sequence[Instrument], currency: str) -> Sequence[float]:
        """Return for each group how many instruments count in it, then their numbers, their base legs and those in their value."""
        rows: list[float] = []
        for group in self.groups(instruments):
            members = [(float(i), *legs[group]) for i, one in enumerate(instruments) if group in (legs := one.legs(self.by))]
            rows += [float(len(members)), *(number for column in zip(*members, strict=True) for number in column)]
        return rows or (0.0,)

    @staticmethod
    def decision(
        p: Any, table: Any, j: int, side: float, equity: float, hi: Any, lo: Any, price: Any, unit: Any, base: Any, history: Any
    ) -> float:
        """Return the largest quantity that keeps every group within its limit at every size up to it."""
        room = UNLIMITED
        place = 0
        for g in range(len(p) - 2):
            most = p[2 + g] * (equity if p[1] != 0.0 else 1.0)
            members = int(table[place])
            if p[0] != 0.0:
                top, each = gross_use(table, place + 1, members, j, hi, lo, price, unit, base)
                left = gross_room(most, top, each, side, hi[j], lo[j])
            else:
                top, bottom, each = net_reach(table, place + 1, members, j, hi, lo, price, unit, base)
                left = group_room(most, top, bottom, side * each)
            if left < room:
                room = left
            place += 1 + 3 * members
        return room

    def explain(self, snapshot: Snapshot, instruments: Sequence[Instrument], currency: str, side: float) -> str:
        """Return the group that leaves least room: how much of its limit is used."""
        best, words = UNLIMITED, f"no group of {self.by} is limited here"
        for group in self.groups(instruments):
            alone = MaxExposure({group: self.limit_of(group)}, by=self.by, of=self.of, scope=self.scope)
            s, p, table = snapshot, alone.parameters(instruments, currency), alone.table(instruments, currency)
            room = alone.decision(p, table, s.j, side, s.equity, s.hi, s.lo, s.price, s.unit, s.base, s.history)
            if room < best:
                used = f"{group} {self._used(s, group, instruments):,.0f} of {self.money_of(group, s.equity):,.0f} {currency} used"
                best, words = room, f"{used}, room for {max(room, 0):g}"
        return words

    def breach(self, snapshot: Snapshot, instruments: Sequence[Instrument], currency: str) -> Breach | None:
        """Return what may stay: of what makes a group too large all alike, of what hedges it everything."""
        s, n = snapshot, len(snapshot.hi)
        shares, said = [1.0] * n, list[str]()
        for group in self.groups(instruments):
            each = [self._each(s, group, i, instruments) * s.hi[i] if s.hi[i] else 0.0 for i in range(n)]
            most = self.money_of(group, max(s.equity, 0.0))
            used = sum(map(abs, each)) if self.scope == "gross" else sum(each)
            if abs(used) > most * (1.0 + TOLERANCE):
                # net, what lies on the other side stays, so that what is too much lies on this one
                along = [i for i in range(n) if each[i] and (self.scope == "gross" or each[i] * used > 0.0)]
                mass = sum(abs(each[i]) for i in along)
                share = max((most + mass - abs(used)) / mass, 0.0)
                shares = [min(one, share) if i in along else one for i, one in enumerate(shares)]
                said.append(f"{self.scope} {self.by} exposure {group} {used:,.0f} of {most:,.0f} {currency}")
        return Breach(shares, "; ".join(said)) if said else None

    def _each(self, s: Snapshot, group: str, i: int, instruments: Sequence[Instrument]) -> float:
        """Return what one lot of an instrument adds to a group, in account currency."""
        return leg_value(*instruments[i].legs(self.by).get(group, (0.0, 0.0)), i, s.price, s.unit, s.base)

    def _used(self, s: Snapshot, group: str, instruments: Sequence[Instrument]) -> float:
        held = [i for i in range(len(s.hi)) if s.hi[i] or s.lo[i]]
        each = {i: self._each(s, group, i, instruments) for i in held}
        if self.scope == "gross":
            return sum(abs(each[i]) * max(abs(s.hi[i]), abs(s.lo[i])) for i in held)
        top = sum(max(each[i] * s.hi[i], each[i] * s.lo[i]) for i in held)
        bottom = sum(min(each[i] * s.hi[i], each[i] * s.lo[i]) for i in held)
        return top if abs(top) >= abs(bottom) else bottom

    def words(self, equity: float, currency: str) -> str:
        """Return the limits in words."""
        said = self.limit if isinstance(self.limit, Mapping) else {f"each {self.by}": self.limit}
        unit = "x equity" if self.of == "equity" else currency
        return f"{self.scope} exposure limit " + ", ".join(f"{g} {v:,g} {unit}" for g, v in said.items())


def leg_value(of_base: float, of_value: float, i: int, price: Any, unit: Any, base: Any) -> float:
    """Return what one lot of instrument i adds to a group in which it has these legs, in account currency."""
    value = 0.0
    if of_base != 0.0:
        value = of_base * base[i]
    if of_value != 0.0:
        value = value + of_value * (price[i] * unit[i])
    return value


# What follows chooses numbers rather than branch off: in the kernel nobody can guess which of hundreds of instruments are held. A number
# that is seen not to be below 0 spares machine code the question whether it counts from the end.


def gross_use(table: Any, place: int, members: int, j: int, hi: Any, lo: Any, price: Any, unit: Any, base: Any) -> tuple[float, float]:
    """Return what the other members of a group use of a gross limit, and what one lot of instrument j would add."""
    numbers, of_base = table[place : place + members], table[place + members : place + 2 * members]
    of_value = table[place + 2 * members : place + 3 * members]
    used = 0.0
    own = 0.0
    for k in range(members):
        i = max(int(numbers[k]), 0)
        each = abs(leg_value(of_base[k], of_value[k], i, price, unit, base))
        most = max(abs(hi[i]), abs(lo[i]))
        used = used + (each * most if i != j and most != 0.0 else 0.0)
        own = each if i == j else own
    return used, own


def net_reach(
    table: Any, place: int, members: int, j: int, hi: Any, lo: Any, price: Any, unit: Any, base: Any
) -> tuple[float, float, float]:
    """Return the most and the least that the members of a group could come to, and what one lot of instrument j would add."""
    numbers, of_base = table[place : place + members], table[place + members : place + 2 * members]
    of_value = table[place + 2 * members : place + 3 * members]
    top = 0.0
    bottom = 0.0
    own = 0.0
    for k in range(members):
        i = max(int(numbers[k]), 0)
        each = leg_value(of_base[k], of_value[k], i, price, unit, base)
        high = each * hi[i] if hi[i] != 0.0 else 0.0
        low = each * lo[i] if lo[i] != 0.0 else 0.0
        top = top + max(high, low)
        bottom = bottom + min(high, low)
        own = each if i == j else own
    return top, bottom, own

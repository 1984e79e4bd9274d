"""What trading costs (SEMANTICS 31)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from workbench.component import Component
from workbench.errors import ParameterError, did_you_mean
from workbench.instrument import Instrument
from workbench.interval import DAY
from workbench.money import NO_MOST
from workbench.spec import spec_of

__all__ = ["Costs", "costs_for", "specs_for"]

BP = 1e-4
#: Commission and slippage by kind of market: share of the notional, per contract, least fee; share of the price, ticks.
USUAL: dict[str, tuple[float, float, float, float, float]] = {
    "coin": (10 * BP, 0.0, 0.0, 5 * BP, 0.0),
    "perpetual": (5 * BP, 0.0, 0.0, 5 * BP, 0.0),
    "equity": (5 * BP, 0.0, 1.0, 5 * BP, 0.0),
    "fx": (1 * BP, 0.0, 0.0, 1 * BP, 0.0),
    "future": (0.0, 2.5, 0.0, 0.0, 1.0),
}
FEE_IN = ("quote", "base")
#: Slippage of a future whose tick is not known.
TICKLESS = 10 * BP


class Costs(Component):
    """Commission, slippage and spread of a fill.

    What is left out has the default of the instrument's market: spot coins 10 bp + 5 bp slippage, perpetuals 5 + 5,
    shares 5 + 5 and at least 1 a fill, currencies 1 bp + half the spread (1 bp where unknown), futures 2.50 a contract
    + 1 tick (10 bp where no tick is known). Naming any part of the commission sets its other parts to 0, and the same
    goes for slippage. Market and stop fills carry slippage, limits that rest none; one beyond the last close takes what
    is there, and slips up to its price.

    Parameters
    ----------
    commission : float, optional
        Share of the notional: 0.001 is 10 basis points.
    per_unit : float, optional
        Per share, lot or contract, in the instrument's currency.
    minimum : float, optional
        Least fee of a fill, in the instrument's currency.
    maximum : float, optional
        Largest fee of a fill, as a share of the notional: 0.01 is one percent. It goes before the least fee.
    slippage : float, optional
        Share of the price.
    ticks : float, optional
        Slippage in ticks.
    spread : float, optional
        The whole spread as a share of the price; half of it is paid, on top of `slippage`.
    impact : float, optional
        What an order moves the price against itself: so many times volatility x sqrt(quantity / volume), both of the bars before it
        (`workbench.execution.liquidity`). About 1 for shares and futures.
    participation : float, optional
        The largest share of a bar's volume that an account's orders fill together, whatever strategies and entries they come from: the
        rest of them goes on in the next bars.
    maker : float, optional
        The commission of a limit that rested and was filled, as a share of the notional; `commission` is the taker's then.
    queue : float, optional
        What stands before a limit at its price when it arrives, in usual bars' volume: 0.1 is a tenth of one. It fills once more than that
        has traded through it, and only as much as then is left.
    quoted : float, optional
        Of the spread that the bars carry, ``bars.with_extra("spread", ...)`` in units of price, so many halves are paid at market: 1 is
        the quote's other side. It is the spread last known before the bar; where none is the usual slippage is paid. A run's bars carry
        no spreads yet, so a release with it is refused.
    latency : float, optional
        Seconds from a decision until the venue has the order: it meets the first bar that opens no earlier, so that an opening that is
        worked over several bars goes on once its last part has met one. Orders are taken off and moved at once. On bars of a day and
        longer it counts as none: a decision is there before the next session.
    fee_in : {"quote", "base"}, optional
        "base": the commission of what is bought to open is taken from the coins bought, to 8 decimals, as Binance does without BNB.
        The position is so much smaller, in whole steps; what is left below a step is dust, worth money and never traded
        (SEMANTICS 29). For spot coins.

    Notes
    -----
    With any of the last seven a backtest runs through the Session: what fills depends on what the fast kernel does not read.

    Examples
    --------
    >>> Costs(commission=0.001, slippage=0.0005).commission
    0.001
    """

    commission: float | None = None
    per_unit: float | None = None
    minimum: float | None = None
    slippage: float | None = None
    ticks: float | None = None
    spread: float | None = None
    maximum: float | None = None
    impact: float | None = None
    participation: float | None = None
    maker: float | None = None
    queue: float | None = None
    latency: float | None = None
    quoted: float | None = None
    fee_in: str | None = None

    def check(self) -> None:
        """Refuse negative costs and costs above the whole price."""
        for name in ("commission", "per_unit", "minimum", "slippage", "ticks", "spread", "maximum", "impact", "queue", "latency", "quoted"):
            value = getattr(self, name)
            if value is not None and not 0 <= value < float("inf"):
                raise ParameterError(f"Costs: {name} must not be negative, got {value!r}")
        if self.maker is not None and not -1 < self.maker < 1:
            raise ParameterError(
                f"Costs: maker is a share of the price, below 0 a rebate (-0.0001 = 1 basis point back), got {self.maker!r}"
            )
        for name in ("commission", "slippage", "spread", "maximum"):
            if (getattr(self, name) or 0.0) >= 1.0:
                raise ParameterError(f"Costs: {name} is a share of the price (0.001 = 10 basis points), got {getattr(self, name)!r}")

        if self.participation is not None and not 0 < self.participation <= 1:
            raise ParameterError(f"Costs: participation is a share of a bar's volume above 0 and at most 1, got {self.participation!r}")
        if self.fee_in is not None and self.fee_in not in FEE_IN:
            raise ParameterError(f"Costs: fee_in is 'quote' or 'base', got {self.fee_in!r}{did_you_mean(str(self.fee_in), FEE_IN)}")
        if self.in_base and (self.per_unit or self.minimum or self.maximum is not None):
            raise ParameterError("Costs: a fee in the base coin is a share of what is bought: commission= and maker= alone go with it")

    @property
    def by_volume(self) -> bool:
        """Whether what fills, and at what price, depends on how much is traded."""
        return bool(self.impact) or self.participation is not None or bool(self.queue)

    @property
    def in_base(self) -> bool:
        """Whether the fee of a purchase is taken from what was bought."""
        return self.fee_in == "base"

    @property
    def compiled(self) -> bool:
        """Whether the fast kernel knows these costs."""
        return not self.by_volume and self.maker is None and not self.latency and self.quoted is None and not self.in_base

    def bars_late(self, interval: int, inside: bool = False) -> int:
        """Return how many bars pass an order by on its way to the venue.

        Parameters
        ----------
        interval : int
            Their length in nanoseconds.
        inside : bool, default False
            Whether an order meets prices inside the bar in which it arrives, not its open alone.

        Examples
        --------
        >>> Costs(latency=0.2).bars_late(60_000_000_000), Costs().bars_late(60_000_000_000)
        (1, 0)
        """
        if not self.latency or interval >= DAY:
            return 0
        return (math.floor if inside else math.ceil)(self.latency * 1e9 / interval)

    def numbers(self, instrument: Instrument) -> tuple[float, float, float, float, float, float]:
        """Return fee rate, fee a unit, least fee, slippage rate, slippage as a price and largest fee rate, for one instrument."""
        rate, unit, least, slip, ticks = USUAL[_market(instrument)]
        if self.in_base and _market(instrument) != "coin":
            raise ParameterError(f"Costs: a fee is taken in the base coin of a spot coin only, and {instrument.symbol} is none")
        if (self.commission, self.per_unit, self.minimum) != (None, None, None):
            rate, unit, least = self.commission or 0.0, self.per_unit or 0.0, self.minimum or 0.0
        if (self.slippage, self.ticks, self.spread, self.quoted) != (None, None, None, None):
            slip, ticks = (self.slippage or 0.0) + (self.spread or 0.0) / 2, self.ticks or 0.0
        if ticks and instrument.tick_size is None:
            slip, ticks = slip + TICKLESS, 0.0
        most = NO_MOST if self.maximum is None else self.maximum
        return rate, unit, least, slip, ticks * (instrument.tick_size or 0.0), most

    def times(self, factor: float, instrument: Instrument) -> Costs:
        """Return the costs of one instrument, every part of them so many times what it is; a rebate so many times less."""
        rate, unit, least, slip, offset, most = (value * factor for value in self.numbers(instrument))
        ticks = offset / instrument.tick_size if offset and instrument.tick_size else 0.0
        impact = None if self.impact is None else self.impact * factor
        maker = None if self.maker is None else self.maker * factor if self.maker >= 0.0 else self.maker / max(factor, 1.0)
        rest = (self.participation, maker, self.queue, self.latency, None if self.quoted is None else self.quoted * factor, self.fee_in)
        return Costs(rate, unit, least, slip, ticks, None, most if most < 1.0 else None, impact, *rest)

    def to_dict(self) -> dict[str, Any]:
        """Return what was given, as plain values: ``Costs(**...)`` makes it again."""
        return {name: value for name, value in self.get_params().items() if value is not None}

    def describe(self, instrument: Instrument) -> str:
        """Return the costs of one instrument in words."""
        rate, unit, least, slip, offset, most = self.numbers(instrument)
        fee = [f"{rate / BP:g} bp"] if rate or not unit else []
        fee += [f"{unit:g} a unit"] if unit else []
        fee += [f"at least {least:g} a fill"] if least else []
        fee += [f"at most {most:.2%} of it".replace("%", " %")] if most < NO_MOST else []
        moved = [f"{slip / BP:g} bp"] if slip or not offset else []
        moved += [f"{offset:g} a unit of price"] if offset else []
        moved += [f"{self.quoted:g} x half the spread of the bars (where none is known the usual slippage)"] if self.quoted else []
        moved += [f"{self.impact:g} x volatility x sqrt(quantity / volume)"] if self.impact else []
        fee += [f"{self.maker / BP:g} bp where a limit rested"] if self.maker is not None else []
        fee += ["of a purchase taken from what was bought"] if self.in_base else []
        also = [f"orders fill at most {self.participation:.3g} of a bar's volume"] if self.participation is not None else []
        also += [f"a limit stands behind {self.queue:g} of a usual bar's volume"] if self.queue else []
        also += [f"an order is {self.latency:g} s on its way (on daily bars it is there in time)"] if self.latency else []
        moved_by = f"commission {' + '.join(fee)}, slippage {' + '.join(moved)} on market and stop fills, none on limits that rest"
        return "; ".join([moved_by, *also])


def _market(instrument: Instrument) -> str:
    if instrument.kind in ("perpetual", "future"):
        return instrument.kind
    if instrument.asset_class == "fx":
        return "fx"
    return "coin" if instrument.asset_class == "crypto" and instrument.kind == "spot" else "equity"


def costs_for(costs: Costs | Mapping[str, Costs] | None, instruments: Sequence[Instrument]) -> list[Costs]:
    """Return the costs of each instrument: one for all, or by symbol with the usual ones for the rest.

    Where a strategy has columns of its own (`workbench.layout`), the symbol is also that of the market.
    """
    if costs is None or isinstance(costs, Costs):
        return [costs or Costs()] * len(instruments)
    if not isinstance(costs, Mapping):
        raise ParameterError(f"costs must be wb.execution.Costs(...) or a dict by symbol, got {costs!r}")
    symbols = {i.symbol: i.traded_as for i in instruments}
    known = {*symbols, *symbols.values()}
    for name, given in costs.items():
        if not isinstance(given, Costs):
            raise ParameterError(f"the costs of {name!r} must be wb.execution.Costs(...), got {given!r}")
        if name not in known:
            raise ParameterError(f"costs given for {name!r}, which is not traded{did_you_mean(name, sorted(known))}")
    return [costs.get(own) or costs.get(symbol) or Costs() for own, symbol in symbols.items()]


def specs_for(instruments: Sequence[Instrument], costs: Sequence[Costs]) -> list[Any]:
    """Return instruments, each with its costs, in plain numbers (`workbench.spec`)."""
    return [spec_of(instrument, own.numbers(instrument)) for instrument, own in zip(instruments, costs, strict=True)]

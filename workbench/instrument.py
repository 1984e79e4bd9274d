"""What is traded: the instrument, with the grids, the margin and the money it is traded in."""

from __future__ import annotations

import numbers
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

from workbench.errors import ParameterError, did_you_mean
from workbench.grid import fraction

__all__ = ["AssetClass", "Instrument", "Kind"]

AssetClass = Literal["equity", "fx", "crypto", "commodity", "rate", "index"]
Kind = Literal["spot", "perpetual", "future", "cfd"]

#: Quote currencies by which a coin pair written in one word is told apart, longest first.
QUOTES = ("FDUSD", "USDT", "USDC", "USD", "EUR", "GBP", "JPY", "BTC", "ETH", "BNB")
CFD_MARGIN = {"index": 1 / 20, "commodity": 1 / 10, "equity": 1 / 5, "crypto": 1 / 2, "fx": 1 / 30, "rate": 1 / 5}


@dataclass(frozen=True, slots=True, repr=False)
class Instrument:
    """One thing that can be traded.

    Parameters
    ----------
    symbol : str
        The name of its column in `Bars`.
    asset_class : {"equity", "fx", "crypto", "commodity", "rate", "index"}
    kind : {"spot", "perpetual", "future", "cfd"}
    base, quote : str, optional
        Currency (or coin) bought, and currency of the price. Read from a pair's symbol (``EURUSD``, ``BTCUSDT``)
        where not given; else `quote` is ``USD``.
    multiplier : float, default 1
        Contract size: units of the base behind one lot or contract.
    tick_size : float, optional
        Grid of prices that we send. None: prices are sent as computed.
    quantity_step : float, optional
        Grid of quantities. Default: 1 (shares, contracts), 1e-8 (spot coins), 0.001 (perpetuals), 0.01 (lots of
        currency and contracts for difference; 1 for a currency pair with multiplier 1).
    min_quantity : float, optional
        Smallest order; one step where not given.
    min_notional : float, default 0
        Smallest order value, in the quote currency.
    can_short : bool, optional
        Default False for spot coins, True elsewhere (SEMANTICS 14).
    margin : float, optional
        Share of the notional that an open position ties up (SEMANTICS 22): 1/10 for futures and perpetuals, 1/30 for
        currencies, 1/20 ... 1/2 for contracts for difference, 1 for shares and coins.
    region : str, optional
    calendar : str, optional
        A calendar of exchange_calendars (``"XNYS"``): daily bars then close with the session, and stamps are checked.
    venue : str, optional

    Examples
    --------
    >>> Instrument("EURUSD", asset_class="fx", multiplier=100_000).quote
    'USD'
    """

    symbol: str
    asset_class: AssetClass = "equity"
    kind: Kind = "spot"
    base: str | None = None
    quote: str | None = None
    multiplier: float = 1.0
    tick_size: float | None = None
    quantity_step: float | None = None
    min_quantity: float | None = None
    min_notional: float = 0.0
    can_short: bool | None = None
    margin: float | None = None
    region: str | None = None
    calendar: str | None = None
    venue: str | None = None

    def __post_init__(self) -> None:
        """Check what was given and fill in what was not."""
        self._check()
        base, quote = _pair(self.symbol, self.asset_class)
        step = self.quantity_step or _default_step(self.asset_class, self.kind, self.multiplier)
        defaults = {
            "base": base,
            "quote": quote or "USD",
            "quantity_step": step,
            "min_quantity": step,
            "can_short": not (self.asset_class == "crypto" and self.kind == "spot"),
            "margin": _default_margin(self.asset_class, self.kind),
        }
        for name, value in defaults.items():
            if getattr(self, name) is None:
                object.__setattr__(self, name, value)

    def _check(self) -> None:
        if not isinstance(self.symbol, str) or not self.symbol:
            raise ParameterError(f"Instrument: symbol must be a name such as 'AAPL', got {self.symbol!r}")
        for name, allowed in (("asset_class", get_args(AssetClass)), ("kind", get_args(Kind))):
            value = getattr(self, name)
            if value not in allowed:
                raise ParameterError(f"Instrument {self.symbol}: unknown {name} {value!r}{did_you_mean(str(value), allowed)}")
        for name in ("multiplier", "tick_size", "quantity_step", "min_quantity", "margin"):
            value = getattr(self, name)
            if value is not None and not (_is_number(value) and 0 < value < float("inf")):
                raise ParameterError(f"Instrument {self.symbol}: {name} must be a positive number, got {value!r}")
        if not (_is_number(self.min_notional) and 0 <= self.min_notional < float("inf")):
            raise ParameterError(f"Instrument {self.symbol}: min_notional must not be negative, got {self.min_notional!r}")

    @property
    def funded(self) -> bool:
        """Whether the whole price is paid when bought (shares, coins), rather than margin put up."""
        return self.kind == "spot" and self.asset_class != "fx"

    @property
    def step(self) -> tuple[float, float]:
        """The grid of quantities, as numerator and power of ten."""
        assert self.quantity_step is not None
        return fraction(self.quantity_step)

    @property
    def tick(self) -> tuple[float, float]:
        """The grid of prices, as numerator and power of ten; (0, 1) where there is none."""
        return fraction(self.tick_size) if self.tick_size else (0.0, 1.0)

    def legs(self, by: str) -> dict[str, tuple[float, float]]:
        """Return the groups that a position counts in, with the weight of its base leg and of its value (SEMANTICS 30).

        Parameters
        ----------
        by : {"currency", "region", "asset_class", "instrument"}

        Examples
        --------
        >>> Instrument("EURUSD", asset_class="fx").legs("currency")
        {'EUR': (1.0, 0.0), 'USD': (0.0, -1.0)}
        """
        if by == "instrument":
            return {self.symbol: (0.0, 1.0)}
        if by != "currency":
            group = getattr(self, by)
            return {group: (0.0, 1.0)} if group else {}
        if self.kind in ("future", "perpetual"):
            return {}
        if self.asset_class == "fx":
            return {str(self.base): (1.0, 0.0), str(self.quote): (0.0, -1.0)}
        if self.kind == "cfd":
            return {}
        coin = self.base if self.asset_class == "crypto" else None
        return {coin or str(self.quote): (0.0, 1.0)}

    def to_dict(self) -> dict[str, Any]:
        """Return what a file needs to make the same instrument again."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    def __repr__(self) -> str:
        plain = Instrument(self.symbol, self.asset_class, self.kind, multiplier=self.multiplier)
        said = [repr(self.symbol)]
        for field in fields(self)[1:]:
            value = getattr(self, field.name)
            usual = getattr(plain, field.name) if field.name not in ("asset_class", "kind", "multiplier") else field.default
            if value != usual:
                said.append(f"{field.name}={value!r}")
        return f"Instrument({', '.join(said)})"


def _is_number(value: object) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def _pair(symbol: str, asset_class: str) -> tuple[str | None, str | None]:
    """Split the symbol of a pair into base and quote, where it is one."""
    parts = symbol.upper().replace("-", "/").replace("_", "/").split("/")
    if asset_class in ("fx", "crypto") and len(parts) == 2 and all(parts):
        return parts[0], parts[1]
    plain = symbol.upper()
    if asset_class == "fx" and len(plain) == 6:
        return plain[:3], plain[3:]
    if asset_class == "crypto":
        for quote in QUOTES:
            if plain.endswith(quote) and len(plain) > len(quote):
                return plain[: -len(quote)], quote
    return None, None


def _default_step(asset_class: str, kind: str, multiplier: float) -> float:
    if kind == "perpetual":
        return 0.001
    if kind == "cfd":
        return 0.01
    if kind == "spot" and asset_class == "crypto":
        return 1e-8
    if kind == "spot" and asset_class == "fx" and multiplier != 1.0:
        return 0.01
    return 1.0


def _default_margin(asset_class: str, kind: str) -> float:
    if kind in ("future", "perpetual"):
        return 1 / 10
    if kind == "cfd":
        return CFD_MARGIN[asset_class]
    return 1 / 30 if asset_class == "fx" else 1.0

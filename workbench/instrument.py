"""What is traded: the instrument, with the grids, the margin and the money it is traded in."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

from workbench.errors import ParameterError, did_you_mean
from workbench.grid import fraction, round_away
from workbench.maintenance import Tier, tiers_from
from workbench.numeric import is_number

__all__ = ["COINS", "CURRENCIES", "GROUPS", "QUOTES", "STABLE", "AssetClass", "Instrument", "Kind", "group_names", "pair_of", "word_set"]

AssetClass = Literal["equity", "fx", "crypto", "commodity", "rate", "index"]
Kind = Literal["spot", "perpetual", "future", "cfd"]


#: What every instrument belongs to.
GROUPS = ("currency", "region", "asset_class", "instrument")


def word_set(text: str) -> frozenset[str]:
    """Return the words of a text as a set."""
    return frozenset(text.split())


STABLE = ("FDUSD", "USDT", "USDC", "BUSD", "TUSD", "DAI")
CURRENCIES = word_set(
    "USD EUR GBP JPY CHF AUD NZD CAD SEK NOK DKK SGD HKD CNH CNY MXN ZAR TRY PLN CZK HUF RON ILS THB INR IDR PHP KRW BRL ARS COP RUB UAH"
)
METALS = word_set("XAU XAG XPT XPD")
#: The commonest coins, and those that end in the first letter of BUSD or TUSD.
COINS = word_set(
    "BTC XBT ETH XRP LTC BNB SOL ADA DOGE DOT LINK AVAX TRX MATIC XLM BCH EOS XMR ETC ATOM UNI NEAR SUI TON SHIB"
    " APT AR ARB BAT FET GRT MNT QNT"
)
#: Quote currencies by which a coin pair written in one word is told apart, longest first.
QUOTES = tuple(sorted((*STABLE, *CURRENCIES, "BTC", "ETH", "BNB"), key=lambda quote: (-len(quote), quote)))
KNOWN = CURRENCIES | METALS | COINS | set(STABLE)
#: What brokers and venues add to a pair: small letters (``EURUSDm``), or a word of their own (``EURUSD-ECN``, ``BTC/USDT:USDT``).
SMALL_LETTERS = re.compile(r"(?<=[A-Z])[a-z]{1,4}$")
ADDED_WORD = re.compile(rf":[A-Z]+$|[-_.#+=](?!(?i:{'|'.join(sorted(KNOWN))})$)[A-Za-z0-9]*$")
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
        Currency (or coin) bought, and currency of the price. Read from a pair's symbol (``EURUSD``, ``EURUSD.r``,
        ``BTCUSDT``) where not given; a currency pair or coin whose symbol does not tell them is refused. Else, and for
        futures, which are named after their root, `quote` is ``USD``.
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
    maintenance : float or sequence of (float, float, float), optional
        What an open position must keep, else its account is stopped out (SEMANTICS 41): a share of the notional, or tiers of
        (from which notional on, rate, amount) as Binance has them, ``[(0, 0.004, 0), (50_000, 0.005, 50)]``: in its tier a
        position keeps notional x rate - amount, in the quote currency. Half of `margin` where not given.
    region : str, optional
    calendar : str, optional
        A calendar of exchange_calendars (``"XNYS"``): daily bars then close with the session, and stamps are checked.
    venue : str, optional
    tags : mapping of str to str, optional
        Groups of your own, ``{"sector": "energy"}``: limits and exposures take their names as they take ``"region"``.

    Raises
    ------
    ParameterError
        A value out of its range, or base and quote are neither given nor to be read from the symbol.

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
    #: A rate, or tiers kept as tuples, so that an instrument stays a value.
    maintenance: Any = None
    region: str | None = None
    calendar: str | None = None
    venue: str | None = None
    #: Kept as sorted pairs, so that an instrument stays a value.
    tags: Any = ()

    def __post_init__(self) -> None:
        """Check what was given and fill in what was not."""
        self._check()
        object.__setattr__(self, "tags", self._tags())
        if self.maintenance is not None:
            object.__setattr__(self, "maintenance", tiers_from(self.symbol, self.maintenance))
        base, quote = self._currencies()
        step = self.quantity_step or _default_step(self.asset_class, self.kind, self.multiplier)
        defaults = {
            "base": base,
            "quote": quote,
            "quantity_step": step,
            "min_quantity": step,
            "can_short": not (self.asset_class == "crypto" and self.kind == "spot"),
            "margin": _default_margin(self.asset_class, self.kind),
        }
        for name, value in defaults.items():
            if getattr(self, name) is None:
                object.__setattr__(self, name, value)
        if self.tiers[0][1] > self.margin:  # type: ignore[operator]
            said = f"a position opened at a margin of {self.margin:g} could never keep a maintenance margin of {self.tiers[0][1]:g}"
            raise ParameterError(f"Instrument {self.symbol}: {said}")

    def _check(self) -> None:
        if not isinstance(self.symbol, str) or not self.symbol:
            raise ParameterError(f"Instrument: symbol must be a name such as 'AAPL', got {self.symbol!r}")
        for name, allowed in (("asset_class", get_args(AssetClass)), ("kind", get_args(Kind))):
            value = getattr(self, name)
            if value not in allowed:
                raise ParameterError(f"Instrument {self.symbol}: unknown {name} {value!r}{did_you_mean(str(value), allowed)}")
        for name in ("multiplier", "tick_size", "quantity_step", "min_quantity", "margin"):
            value = getattr(self, name)
            if value is not None and not (is_number(value) and 0 < value < float("inf")):
                raise ParameterError(f"Instrument {self.symbol}: {name} must be a positive number, got {value!r}")
        if not (is_number(self.min_notional) and 0 <= self.min_notional < float("inf")):
            raise ParameterError(f"Instrument {self.symbol}: min_notional must not be negative, got {self.min_notional!r}")

    def _tags(self) -> tuple[tuple[str, str], ...]:
        """Return the tags as sorted pairs of texts; refuse a name that means something else already."""
        try:
            pairs = tuple(sorted((str(name), str(group)) for name, group in dict(self.tags).items()))
        except (TypeError, ValueError):
            said = "tags must be groups by name such as {'sector': 'energy'}"
            raise ParameterError(f"Instrument {self.symbol}: {said}, got {self.tags!r}") from None
        taken = [name for name, _ in pairs if name in GROUPS]
        if taken:
            raise ParameterError(f"Instrument {self.symbol}: {taken[0]!r} is no tag, an instrument has it already")
        return pairs

    def _currencies(self) -> tuple[str | None, str | None]:
        """Return base and quote where they were given or can be read; refuse a pair that would be priced in a guess."""
        read = _usual_currencies(self.symbol, self.asset_class, self.kind)
        base, quote = self.base or read[0], self.quote or read[1]
        if base is None and quote and self.asset_class == "crypto" and self.kind != "future":
            base = self.symbol.upper().removesuffix(quote)
        if read[1] is None and not (base and quote):
            said = "base and quote currency cannot be read from the symbol; give base= and quote="
            raise ParameterError(f"Instrument {self.symbol}: {said}")
        return base, quote

    @property
    def funded(self) -> bool:
        """Whether the whole price is paid when bought (shares, coins), rather than margin put up."""
        return self.kind == "spot" and self.asset_class != "fx"

    @property
    def tiers(self) -> tuple[Tier, ...]:
        """The maintenance margin as tiers: from which notional on, rate, amount; half of the margin where none is declared."""
        if isinstance(self.maintenance, tuple):
            return self.maintenance
        assert self.margin is not None
        return ((0.0, 0.5 * self.margin if self.maintenance is None else self.maintenance, 0.0),)

    @property
    def step(self) -> tuple[float, float]:
        """The grid of quantities, as numerator and power of ten."""
        assert self.quantity_step is not None
        return fraction(self.quantity_step)

    @property
    def tick(self) -> tuple[float, float]:
        """The grid of prices, as numerator and power of ten; (0, 1) where there is none."""
        return fraction(self.tick_size) if self.tick_size else (0.0, 1.0)

    def smallest(self, price: float) -> float:
        """Return the smallest quantity of an order at a price: the least size or the least value, whichever is more, in whole steps.

        Examples
        --------
        >>> Instrument("ABC", min_quantity=2, min_notional=1_000).smallest(300.0)
        4.0
        """
        return round_away(max(self.min_quantity or 0.0, self.min_notional / (price * self.multiplier)), -1.0, *self.step)

    @property
    def traded_as(self) -> str:
        """What the market calls it, where a strategy trades it in a column of its own (`workbench.layout`)."""
        return str(dict(self.tags).get("symbol", self.symbol))

    def legs(self, by: str) -> dict[str, tuple[float, float]]:
        """Return the groups that a position counts in, with the weight of its base leg and of its value (SEMANTICS 30).

        Parameters
        ----------
        by : {"currency", "region", "asset_class", "instrument"} or str
            Or the name of a tag.

        Examples
        --------
        >>> Instrument("EURUSD", asset_class="fx").legs("currency")
        {'EUR': (1.0, 0.0), 'USD': (0.0, -1.0)}
        """
        if by == "instrument":  # what several strategies hold of it is one
            return {self.traded_as: (0.0, 1.0)}
        if by != "currency":
            group = getattr(self, by) if by in GROUPS else dict(self.tags).get(by)
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
        return {f.name: getattr(self, f.name) for f in fields(self)} | {"tags": dict(self.tags)}

    def __repr__(self) -> str:
        plain = Instrument(self.symbol, self.asset_class, self.kind, self.base, self.quote, self.multiplier)
        read = dict(zip(("base", "quote"), _usual_currencies(self.symbol, self.asset_class, self.kind), strict=True))
        usual = plain.to_dict() | {f.name: f.default for f in fields(self) if f.name in ("asset_class", "kind", "multiplier")} | read
        said = [repr(self.symbol)]
        for field in fields(self)[1:]:
            value = dict(self.tags) if field.name == "tags" else getattr(self, field.name)
            if value != usual[field.name]:
                said.append(f"{field.name}={value!r}")
        return f"Instrument({', '.join(said)})"


def group_names(instruments: Iterable[Instrument]) -> tuple[str, ...]:
    """Return by what instruments can be grouped: what each of them has, and the names of their tags.

    Examples
    --------
    >>> group_names([Instrument("XOM", tags={"sector": "energy"})])
    ('currency', 'region', 'asset_class', 'instrument', 'sector')
    """
    return (*GROUPS, *sorted({name for one in instruments for name, _ in one.tags}))


def _usual_currencies(symbol: str, asset_class: str, kind: str) -> tuple[str | None, str | None]:
    """Return base and quote as the symbol has them; None twice where it should have, and does not tell them."""
    if asset_class not in ("fx", "crypto"):
        return None, "USD"
    return pair_of(symbol, asset_class) or (None, "USD" if kind == "future" else None)


def pair_of(symbol: str, asset_class: str) -> tuple[str, str] | None:
    """Split the symbol of a currency pair (fx) or coin (crypto) into base and quote; None where that is not sure.

    Examples
    --------
    >>> pair_of("EURUSD.r", "fx"), pair_of("BTCTUSD", "crypto"), pair_of("EURXYZQ", "fx")
    (('EUR', 'USD'), ('BTC', 'TUSD'), None)
    """
    # Small letters go first: EURUSDc is EURUSD on a cent account, not EUR in USDC.
    for text in (SMALL_LETTERS.sub("", symbol), symbol, ADDED_WORD.sub("", symbol)):
        pair = _split(text.upper(), asset_class)
        if pair is not None:
            return pair
    return None


def _split(text: str, asset_class: str) -> tuple[str, str] | None:
    """Split at a separator, in the middle of six letters, or before a quote currency."""
    if asset_class == "fx":
        halves = re.fullmatch(r"([A-Z]{3})[-/_]?([A-Z]{3})", text)
        return (halves[1], halves[2]) if halves else None
    halves = re.fullmatch(r"([A-Z0-9]+)([-/_])([A-Z0-9]+)", text)
    # A slash stands in pairs only; behind the other separators may stand what a venue adds (BTCUSDT-PERP).
    if halves and (halves[2] == "/" or halves[3] in KNOWN):
        return halves[1], halves[3]
    return _split_coin(text) if re.fullmatch(r"[A-Z0-9]+", text) else None


def _split_coin(text: str) -> tuple[str, str] | None:
    splits = [(text.removesuffix(quote), quote) for quote in QUOTES if text.endswith(quote) and text != quote]
    # The dollar is never the coin: USDTUSD is not USD in TUSD.
    known = [split for split in splits if split[0] in KNOWN and split[0] != "USD"] or splits
    # One letter may be the coin's (PEPTUSD: PEPT in USD or PEP in TUSD?), two are the quote's (PEPEFDUSD).
    unsure = len(known) > 1 and len(known[0][1]) - len(known[1][1]) == 1
    return known[0] if known and not unsure else None


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

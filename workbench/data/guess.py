"""What a file's name says of the instrument in it: a guess, always spoken aloud."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from workbench.instrument import COINS, CURRENCIES, QUOTES, STABLE, AssetClass, Instrument, pair_of, word_set

__all__ = ["guess_instrument"]


INDICES = word_set("SPX GSPC SP500 NDX DJI RUT VIX DAX FTSE STOXX50 NIKKEI N225 HSI")
CLASSES: dict[str, AssetClass | str] = {
    **dict.fromkeys(("eq", "equity", "stock", "stocks", "share", "etf"), "equity"),
    **dict.fromkeys(("crypto", "coin"), "crypto"),
    **dict.fromkeys(("fx", "forex"), "fx"),
    **dict.fromkeys(("fut", "future", "futures"), "future"),
    **dict.fromkeys(("idx", "index"), "index"),
}
PERPETUAL = frozenset(("perp", "perpetual", "swap"))
#: A pair with the small letters that a broker adds to it.
SUFFIXED = re.compile(r"[A-Z]{6,}[a-z]{1,4}")
#: Words of file names that say nothing of the instrument.
NOISE = re.compile(
    r"\d+(s|sec|m|min|mins|minute|t|h|hour|d|day|w|wk)|[mhdw]\d+|(19|20)\d{2}(\d{2}(\d{2})?)?|tick|minute|min|hour|hourly|day|daily|weekly|raw|adj|adjusted"
    r"|unadjusted|ohlc|ohlcv|bars|candles|klines|data|trade|trades|spot|mid|mirror|bidask|binance|coinbase|kraken|bybit|okx|oanda|yahoo|tradestation|multicharts|metatrader|mt4|mt5"
)
#: Root: asset class, base, quote, contract size, tick.
FUTURES: dict[str, tuple[AssetClass, str | None, str, float, float]] = {
    "6E": ("fx", "EUR", "USD", 125_000, 0.00005),
    "6B": ("fx", "GBP", "USD", 62_500, 0.0001),
    "6J": ("fx", "JPY", "USD", 12_500_000, 0.0000005),
    "6A": ("fx", "AUD", "USD", 100_000, 0.00005),
    "6C": ("fx", "CAD", "USD", 100_000, 0.00005),
    "6S": ("fx", "CHF", "USD", 125_000, 0.00005),
    "ES": ("index", None, "USD", 50, 0.25),
    "MES": ("index", None, "USD", 5, 0.25),
    "NQ": ("index", None, "USD", 20, 0.25),
    "MNQ": ("index", None, "USD", 2, 0.25),
    "RTY": ("index", None, "USD", 50, 0.1),
    "YM": ("index", None, "USD", 5, 1.0),
    "CL": ("commodity", None, "USD", 1_000, 0.01),
    "NG": ("commodity", None, "USD", 10_000, 0.001),
    "GC": ("commodity", None, "USD", 100, 0.1),
    "SI": ("commodity", None, "USD", 5_000, 0.005),
    "ZN": ("rate", None, "USD", 1_000, 0.015625),
    "ZB": ("rate", None, "USD", 1_000, 0.03125),
    "FDAX": ("index", None, "EUR", 25, 1.0),
    "FGBL": ("rate", None, "EUR", 1_000, 0.01),
}


def guess_instrument(name: str | None, frame: pd.DataFrame | None = None) -> tuple[Instrument, str]:
    """Guess the instrument from a file's name or a symbol.

    Parameters
    ----------
    name : str or None
        ``"eq_AAPL_1d_raw"``, ``"BTCUSDT-1h"``, ``"fut_6EH4_1m"``, ``"EURUSD"`` ...; None where there is no name.
    frame : DataFrame, optional
        Its closes tell whether the usual price grid can be the right one.

    Returns
    -------
    instrument : Instrument
    why : str
        What was guessed from what, for the assumptions.

    Examples
    --------
    >>> guess_instrument("crypto_btcusd_1d")[0].base
    'BTC'
    """
    tokens = [token for token in re.split(r"[\s_\-./]+", name or "") if token]
    hint = next((CLASSES[token.lower()] for token in tokens if token.lower() in CLASSES), None)
    words = [_spelt(token) for token in tokens if token.lower() not in CLASSES and not _noise(token)]
    perpetual = any(token.lower() in PERPETUAL for token in tokens)
    if not words:
        return Instrument("ASSET"), "nothing names it: taken as a share priced in USD"
    symbol = words[0] + words[1] if _two_halves(words, hint) else words[0]
    kind = hint or _class_of(symbol)
    instrument = _make(symbol, kind, perpetual, frame)
    said = f"guessed from the name {name!r}"
    if kind == "future" and instrument.multiplier == 1:
        said += "; its contract size is not known, taken as 1"
    return instrument, said


def _noise(token: str) -> bool:
    return bool(NOISE.fullmatch(token.lower())) or token.lower() in PERPETUAL


def _spelt(token: str) -> str:
    return token if SUFFIXED.fullmatch(token) else token.upper()


def _two_halves(words: Sequence[str], hint: str | None) -> bool:
    """Whether a pair is written in two words: ``unittest_btc``, ``BTC-USD``, ``EUR/USD``."""
    if len(words) < 2 or hint not in (None, "crypto", "fx"):
        return False
    money = CURRENCIES.union(QUOTES)
    return words[1] in money and (hint is not None or words[0] in COINS | CURRENCIES or words[1] in STABLE)


def _class_of(symbol: str) -> str:
    pair, coin = pair_of(symbol, "fx"), pair_of(symbol, "crypto")
    if pair and CURRENCIES.issuperset(pair):
        return "fx"
    # Only the coin tells: shares end in BTC and ETH too (GBTC).
    if (coin and coin[0] in COINS) or any(_ends(symbol, quote) for quote in STABLE):
        return "crypto"
    if symbol.lstrip("^") in INDICES:
        return "index"
    return "future" if _root(symbol) in FUTURES else "equity"


def _ends(symbol: str, quote: str) -> bool:
    # Three letters end other words too (HYUNDAI).
    return symbol.endswith(quote) and len(symbol) > len(quote) > 3


def _root(symbol: str) -> str:
    """Return the root of a dated contract (``6EH4``, ``ESZ24``); the symbol itself where it has no date."""
    match = re.fullmatch(r"([A-Z0-9]{2,4}?)[FGHJKMNQUVXZ](\d{1,2}|\d{4})", symbol)
    return match[1] if match else ""


def _make(symbol: str, kind: str, perpetual: bool, frame: pd.DataFrame | None) -> Instrument:
    if kind == "future":
        return _future(symbol)
    if kind == "index":
        return Instrument(symbol.lstrip("^"), asset_class="index", kind="cfd")
    if kind == "crypto":
        return Instrument(symbol, asset_class="crypto", kind="perpetual" if perpetual else "spot")
    if kind == "fx":
        pair = Instrument(symbol, asset_class="fx")
        return replace(pair, tick_size=_grid(frame, 0.001 if pair.quote == "JPY" else 0.00001))
    return Instrument(symbol, tick_size=_grid(frame, 0.01))


def _future(symbol: str) -> Instrument:
    known = FUTURES.get(_root(symbol)) or FUTURES.get(symbol)
    if known is None:
        return Instrument(symbol, asset_class="commodity", kind="future")
    asset_class, base, quote, multiplier, tick = known
    return Instrument(symbol, asset_class=asset_class, kind="future", base=base, quote=quote, multiplier=multiplier, tick_size=tick)


def _grid(frame: pd.DataFrame | None, tick: float) -> float | None:
    """Return the usual tick where the closes lie on it; None where they do not (adjusted or averaged prices)."""
    if frame is None or not len(frame) or frame["close"].dtype.kind not in "fiu":
        return tick if frame is None else None
    ticks = frame["close"].to_numpy(dtype=float)[:1000] / tick
    return tick if bool(np.all(np.abs(ticks - np.round(ticks)) < 1e-4)) else None

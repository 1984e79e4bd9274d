"""Instruments: what is read from the symbol, the defaults of each market, legs, and refusals."""

from __future__ import annotations

import copy
import pickle
from dataclasses import FrozenInstanceError

import pytest

from workbench.errors import ParameterError
from workbench.instrument import CFD_MARGIN, QUOTES, Instrument

EURUSD = Instrument("EURUSD", "fx", multiplier=100_000)
SHARE = Instrument("SAP", quote="EUR", region="DE")
FUTURE = Instrument("ES", "index", "future", multiplier=50, tick_size=0.25, region="US")
COIN = Instrument("BTCUSDT", "crypto")
PERPETUAL = Instrument("ETHUSDT", "crypto", "perpetual")
CFD = Instrument("DAX", "index", "cfd", quote="EUR")
ALL = [EURUSD, SHARE, FUTURE, COIN, PERPETUAL, CFD]


@pytest.mark.parametrize(
    ("symbol", "asset_class", "pair"),
    [
        ("EURUSD", "fx", ("EUR", "USD")),
        ("eur/usd", "fx", ("EUR", "USD")),
        ("EUR_JPY", "fx", ("EUR", "JPY")),
        ("BTCUSDT", "crypto", ("BTC", "USDT")),
        ("BTC-USD", "crypto", ("BTC", "USD")),
        ("ETHBTC", "crypto", ("ETH", "BTC")),
        ("DOGEFDUSD", "crypto", ("DOGE", "FDUSD")),
        ("AAPL", "equity", (None, "USD")),
        ("EURUSD", "equity", (None, "USD")),
        ("BTCTRY", "crypto", ("BTC", "TRY")),
        ("SOLBRL", "crypto", ("SOL", "BRL")),
        ("USDTTRY", "crypto", ("USDT", "TRY")),
        ("EURUSDT", "crypto", ("EUR", "USDT")),
        ("ETHDAI", "crypto", ("ETH", "DAI")),
        ("PEPEFDUSD", "crypto", ("PEPE", "FDUSD")),
    ],
)
def test_a_pair_is_read_from_its_symbol(symbol: str, asset_class: str, pair: tuple[str | None, str]) -> None:
    made = Instrument(symbol, asset_class)  # type: ignore[arg-type]
    assert (made.base, made.quote) == pair


@pytest.mark.parametrize(
    ("symbol", "pair"),
    [
        ("BTCTUSD", ("BTC", "TUSD")), ("ETHBUSD", ("ETH", "BUSD")), ("EURBUSD", ("EUR", "BUSD")), ("BNBBUSD", ("BNB", "BUSD")),
        ("DOTTUSD", ("DOT", "TUSD")), ("DOTUSD", ("DOT", "USD")), ("BNBUSD", ("BNB", "USD")), ("USDTUSD", ("USDT", "USD")),
    ],
)  # fmt: skip
def test_a_coin_whose_last_letter_could_begin_the_quote_is_told_by_its_name(symbol: str, pair: tuple[str, str]) -> None:
    made = Instrument(symbol, "crypto")
    assert (made.base, made.quote) == pair


@pytest.mark.parametrize("added", [".r", "m", "c", ".pro", "pro", "-ECN", "_i", "#", "=X", "."])
@pytest.mark.parametrize(("symbol", "asset_class"), [("EURGBP", "fx"), ("EUR/GBP", "fx"), ("EURGBP", "crypto")])
def test_what_a_broker_adds_to_a_pair_is_no_part_of_its_currencies(symbol: str, asset_class: str, added: str) -> None:
    made = Instrument(symbol + added, asset_class)  # type: ignore[arg-type]
    assert (made.symbol, made.base, made.quote) == (symbol + added, "EUR", "GBP")


@pytest.mark.parametrize("symbol", ["BTCUSDT.P", "BTCUSDT-PERP", "BTC-USDT-SWAP", "BTC/USDT:USDT", "BTCUSDT_240628"])
def test_what_a_venue_adds_to_a_contract_is_no_part_of_its_currencies(symbol: str) -> None:
    made = Instrument(symbol, "crypto", "perpetual")
    assert (made.base, made.quote) == ("BTC", "USDT")


UNREADABLE = {
    "fx": ["EURXYZQ", "EUR", "EURUSDT", "EURUSD-ECN-X", "FX:EURUSD", "FX_EUR_USD", "EURUSD/ECN", "SPX500"],
    "crypto": ["BTC", "USDT", "BTCXYZ", "PEPTUSD", "ARBUSD", "BTC-PERP", "BINANCE_BTC_USDT", "binance_btc_usdt", "A<b>&"],
}


@pytest.mark.parametrize(("asset_class", "symbol"), [(name, symbol) for name, symbols in UNREADABLE.items() for symbol in symbols])
def test_a_pair_that_cannot_be_read_is_refused_unless_both_are_given(asset_class: str, symbol: str) -> None:
    with pytest.raises(ParameterError) as caught:
        Instrument(symbol, asset_class)  # type: ignore[arg-type]
    assert str(caught.value) == f"Instrument {symbol}: base and quote currency cannot be read from the symbol; give base= and quote="
    with pytest.raises(ParameterError, match="give base= and quote="):
        Instrument(symbol, asset_class, base="XYZ")  # type: ignore[arg-type]
    made = Instrument(symbol, asset_class, base="XYZ", quote="USD")  # type: ignore[arg-type]
    assert (made.base, made.quote) == ("XYZ", "USD")
    assert eval(repr(made), {"Instrument": Instrument}) == made


@pytest.mark.parametrize(("symbol", "quote", "base"), [("S001", "USD", "S001"), ("BTCXYZ", "XYZ", "BTC"), ("ARBUSD", "USD", "ARB")])
def test_beside_a_quote_that_is_given_the_rest_of_the_symbol_is_the_coin(symbol: str, quote: str, base: str) -> None:
    made = Instrument(symbol, "crypto", quote=quote)
    assert (made.base, made.quote) == (base, quote)
    assert eval(repr(made), {"Instrument": Instrument}) == made


def test_a_future_is_named_after_its_root_and_priced_in_dollars_unless_said() -> None:
    made = Instrument("6EH4", "fx", "future")
    assert (made.base, made.quote) == (None, "USD")


def test_the_longest_quote_is_looked_for_first() -> None:
    assert [len(quote) for quote in QUOTES] == sorted((len(quote) for quote in QUOTES), reverse=True)
    assert {"USDT", "USDC", "BUSD", "TUSD", "FDUSD", "DAI", "USD", "EUR", "GBP", "JPY", "TRY", "BRL", "AUD"} <= set(QUOTES)


@pytest.mark.parametrize("symbol", ["BNB/USD", "DOT-USD", "ARB_USD"])
def test_a_separator_says_where_a_pair_is_split(symbol: str) -> None:
    made = Instrument(symbol, "crypto")
    assert (made.base, made.quote) == (symbol[:3], "USD")


def test_what_is_given_wins_over_the_symbol() -> None:
    made = Instrument("EURUSD", "fx", base="XXX", quote="YYY", quantity_step=0.5, can_short=False, margin=0.5)
    assert (made.base, made.quote, made.quantity_step, made.can_short, made.margin) == ("XXX", "YYY", 0.5, False, 0.5)
    assert made.min_quantity == 0.5


@pytest.mark.parametrize(
    ("made", "step", "margin", "can_short", "funded"),
    [
        (EURUSD, 0.01, 1 / 30, True, False),
        (Instrument("EURUSD", "fx"), 1.0, 1 / 30, True, False),
        (SHARE, 1.0, 1.0, True, True),
        (FUTURE, 1.0, 0.1, True, False),
        (COIN, 1e-8, 1.0, False, True),
        (PERPETUAL, 0.001, 0.1, True, False),
        (CFD, 0.01, 0.05, True, False),
    ],
    ids=["lots", "units", "share", "future", "coin", "perpetual", "cfd"],
)
def test_the_defaults_of_a_market(made: Instrument, step: float, margin: float, can_short: bool, funded: bool) -> None:
    assert (made.quantity_step, made.margin, made.can_short, made.funded) == (step, margin, can_short, funded)
    assert made.min_quantity == step


@pytest.mark.parametrize("asset_class", CFD_MARGIN)
def test_every_asset_class_has_a_margin_as_cfd(asset_class: str) -> None:
    assert Instrument("EURUSD", asset_class, "cfd").margin == CFD_MARGIN[asset_class]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("made", "by", "legs"),
    [
        (EURUSD, "currency", {"EUR": (1.0, 0.0), "USD": (0.0, -1.0)}),
        (SHARE, "currency", {"EUR": (0.0, 1.0)}),
        (COIN, "currency", {"BTC": (0.0, 1.0)}),
        (PERPETUAL, "currency", {}),
        (FUTURE, "currency", {}),
        (CFD, "currency", {}),
        (Instrument("6E", "fx", "future", base="EUR"), "currency", {}),
        (FUTURE, "region", {"US": (0.0, 1.0)}),
        (COIN, "region", {}),
        (FUTURE, "asset_class", {"index": (0.0, 1.0)}),
        (EURUSD, "instrument", {"EURUSD": (0.0, 1.0)}),
    ],
)
def test_30_the_groups_that_a_position_counts_in(made: Instrument, by: str, legs: dict[str, tuple[float, float]]) -> None:
    assert made.legs(by) == legs


def test_the_grids_are_whole_numbers() -> None:
    assert (EURUSD.step, EURUSD.tick) == ((1.0, 100.0), (0.0, 1.0))
    assert (FUTURE.step, FUTURE.tick) == ((1.0, 1.0), (25.0, 100.0))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"symbol": ""}, "symbol must be a name such as 'AAPL', got ''"),
        ({"symbol": 5}, "symbol must be a name such as 'AAPL', got 5"),
        ({"asset_class": "equities"}, "unknown asset_class 'equities'; did you mean 'equity'?"),
        ({"kind": "futures"}, "unknown kind 'futures'; did you mean 'future'?"),
        ({"kind": "zzz"}, "unknown kind 'zzz'; known: cfd, future, perpetual, spot"),
        ({"multiplier": 0}, "multiplier must be a positive number, got 0"),
        ({"tick_size": -0.01}, "tick_size must be a positive number, got -0.01"),
        ({"quantity_step": float("nan")}, "quantity_step must be a positive number, got nan"),
        ({"min_quantity": float("inf")}, "min_quantity must be a positive number, got inf"),
        ({"margin": 0.0}, "margin must be a positive number, got 0.0"),
        ({"min_notional": -1}, "min_notional must not be negative, got -1"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_wrong_value_gets_a_sentence(changes: dict[str, object], said: str) -> None:
    with pytest.raises(ParameterError) as caught:
        Instrument(**({"symbol": "X"} | changes))  # type: ignore[arg-type]
    assert said in str(caught.value)
    assert str(caught.value).startswith("Instrument")


@pytest.mark.parametrize("changes", [{"multiplier": "10"}, {"min_notional": None}, {"margin": [1]}], ids=lambda value: next(iter(value)))
def test_a_value_of_another_type_gets_a_sentence(changes: dict[str, object]) -> None:
    with pytest.raises(ParameterError, match=f"{next(iter(changes))} must"):
        Instrument("X", **changes)  # type: ignore[arg-type]


# -- values -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("made", ALL, ids=lambda made: made.symbol)
def test_the_repr_is_the_constructor_call(made: Instrument) -> None:
    assert eval(repr(made), {"Instrument": Instrument}) == made
    assert Instrument(**made.to_dict()) == made


def test_the_repr_says_only_what_is_not_usual() -> None:
    assert repr(Instrument("AAPL")) == "Instrument('AAPL')"
    assert repr(EURUSD) == "Instrument('EURUSD', asset_class='fx', multiplier=100000)"
    assert repr(SHARE) == "Instrument('SAP', quote='EUR', region='DE')"


@pytest.mark.parametrize("made", ALL, ids=lambda made: made.symbol)
def test_an_instrument_is_a_value(made: Instrument) -> None:
    twin = pickle.loads(pickle.dumps(made))
    assert twin == made
    assert copy.deepcopy(made) == made
    assert {made: 1}[twin] == 1
    with pytest.raises(FrozenInstanceError):
        made.symbol = "other"  # type: ignore[misc]

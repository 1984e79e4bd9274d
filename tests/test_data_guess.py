"""What names say of instruments."""

from __future__ import annotations

import pandas as pd
import pytest

from workbench.data import guess_instrument
from workbench.errors import ParameterError

NAMES = {
    "eq_AAPL_1d_raw": ("AAPL", "equity", "spot", None, "USD"),
    "crypto_btcusd_1d": ("BTCUSD", "crypto", "spot", "BTC", "USD"),
    "crypto_unittest_btc_1m": ("UNITTESTBTC", "crypto", "spot", "UNITTEST", "BTC"),
    "fut_6EH4_1m": ("6EH4", "fx", "future", "EUR", "USD"),
    "fx_eurusd_1h": ("EURUSD", "fx", "spot", "EUR", "USD"),
    "BTCUSDT-1h": ("BTCUSDT", "crypto", "spot", "BTC", "USDT"),
    "BTC-USD": ("BTCUSD", "crypto", "spot", "BTC", "USD"),
    "EUR_USD_H1": ("EURUSD", "fx", "spot", "EUR", "USD"),
    "UNITTEST_USDT-5m": ("UNITTESTUSDT", "crypto", "spot", "UNITTEST", "USDT"),
    "binance_ETHUSDT_perp_15min": ("ETHUSDT", "crypto", "perpetual", "ETH", "USDT"),
    "EURUSD": ("EURUSD", "fx", "spot", "EUR", "USD"),
    "EURUSDm_M15": ("EURUSDm", "fx", "spot", "EUR", "USD"),
    "EURGBP.r": ("EURGBP", "fx", "spot", "EUR", "GBP"),
    "EURUSD-ECN": ("EURUSD", "fx", "spot", "EUR", "USD"),
    "BTCTRY-1d": ("BTCTRY", "crypto", "spot", "BTC", "TRY"),
    "ETHBUSD-1m": ("ETHBUSD", "crypto", "spot", "ETH", "BUSD"),
    "DOTUSD_1h": ("DOTUSD", "crypto", "spot", "DOT", "USD"),
    "GBTC": ("GBTC", "equity", "spot", None, "USD"),
    "HYUNDAI": ("HYUNDAI", "equity", "spot", None, "USD"),
    "USDJPY_daily_2020": ("USDJPY", "fx", "spot", "USD", "JPY"),
    "SPY": ("SPY", "equity", "spot", None, "USD"),
    "SPY 1 minute bars": ("SPY", "equity", "spot", None, "USD"),
    "ESZ24": ("ESZ24", "index", "future", None, "USD"),
    "futures_CL_daily": ("CL", "commodity", "future", None, "USD"),
    "^GSPC": ("GSPC", "index", "cfd", None, "USD"),
    "index_STOXX50_1d": ("STOXX50", "index", "cfd", None, "USD"),
    "minute1k": ("MINUTE1K", "equity", "spot", None, "USD"),
    "2024_1d": ("ASSET", "equity", "spot", None, "USD"),
    "005930": ("005930", "equity", "spot", None, "USD"),
}


@pytest.mark.parametrize(("name", "expected"), NAMES.items(), ids=NAMES.keys())
def test_a_name_tells_the_instrument(name: str, expected: tuple[str, str, str, str | None, str]) -> None:
    one, _ = guess_instrument(name)
    assert (one.symbol, one.asset_class, one.kind, one.base, one.quote) == expected


def test_a_known_future_has_its_contract_size_and_tick() -> None:
    one, said = guess_instrument("6EH4")
    assert (one.multiplier, one.tick_size, one.quantity_step) == (125_000, 0.00005, 1.0)
    assert said == "guessed from the name '6EH4'"


def test_an_unknown_future_says_that_its_size_is_not_known() -> None:
    one, said = guess_instrument("fut_QQQQZ4_1m")
    assert (one.kind, one.multiplier) == ("future", 1.0)
    assert said.endswith("its contract size is not known, taken as 1")


@pytest.mark.parametrize(
    ("name", "closes", "tick"),
    [
        ("EURUSD", [1.1, 1.10005], 0.00001),
        ("EURUSD", [1.1, 1.100005], None),
        ("USDJPY", [110.0, 110.123], 0.001),
        ("USDJPYm", [110.0, 110.123], 0.001),
        ("SPY", [100.0, 100.01], 0.01),
        ("SPY", [100.0, 100.012345], None),
        ("BTCUSDT", [100.0, 100.01], None),
    ],
    ids=["fx", "fx-mid", "yen", "yen-suffix", "share", "adjusted-share", "coin"],
)
def test_the_usual_tick_is_taken_where_the_closes_lie_on_it(name: str, closes: list[float], tick: float | None) -> None:
    assert guess_instrument(name, pd.DataFrame({"close": closes}))[0].tick_size == tick


@pytest.mark.parametrize("name", [None, "", "1d"])
def test_no_name_is_said(name: str | None) -> None:
    one, said = guess_instrument(name)
    assert one.symbol == "ASSET"
    assert said == "nothing names it: taken as a share priced in USD"


@pytest.mark.parametrize("name", ["fx_EURXYZQ_1h", "crypto_BTC_1d", "PEPTUSD"])
def test_a_pair_that_cannot_be_read_is_refused(name: str) -> None:
    with pytest.raises(ParameterError, match="base and quote currency cannot be read from the symbol; give base= and quote="):
        guess_instrument(name)

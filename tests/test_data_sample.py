"""Real bars out of the box, and what importing the data room loads."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import workbench.data
from workbench.data import sample
from workbench.errors import DataError
from workbench.quality import find_faults


def test_sp500_is_real_and_daily() -> None:
    bars = sample("sp500")
    assert (bars.symbols, bars.interval, len(bars)) == (["SPX"], "1D", 5_031)
    assert (bars.index[0], bars.index[-1]) == (pd.Timestamp("1999-01-04", tz="UTC"), pd.Timestamp("2018-12-31", tz="UTC"))
    np.testing.assert_allclose(bars.close["SPX"].iloc[[0, -1]], [1228.10, 2506.85], atol=1e-3)
    assert not bars.simulated
    assert bars.has_volume


@pytest.mark.parametrize("name", ["sp500", "nasdaq"])
def test_samples_lie_on_sessions_of_their_exchange(name: str) -> None:
    bars = sample(name)
    assert find_faults(bars[bars.symbols[0]], "1D", "XNYS") == []


def test_the_index_is_traded_as_a_contract_for_difference() -> None:
    one = sample().instruments[0]
    assert (one.asset_class, one.kind, one.quote, one.margin) == ("index", "cfd", "USD", 1 / 20)


def test_an_unknown_sample_gets_a_hint() -> None:
    with pytest.raises(DataError, match=r"no sample 'sp550'; did you mean 'sp500'\?"):
        sample("sp550")


def test_without_arch_a_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DataError, match="pip install arch"):
        sample("sp500")


@pytest.mark.parametrize("name", workbench.data.__all__)
def test_public_names_are_there(name: str) -> None:
    assert name in dir(workbench.data)
    assert getattr(workbench.data, name) is not None


def test_a_misspelt_name_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="has no 'read_bar'"):
        workbench.data.read_bar  # noqa: B018


def loaded_after(code: str) -> set[str]:
    shown = subprocess.run([sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"], capture_output=True, text=True, check=True)
    return set(shown.stdout.split())


def test_importing_the_room_loads_no_pandas() -> None:
    assert "pandas" not in loaded_after("import workbench.data")


@pytest.mark.parametrize("code", ["sample()", "simulate(bars=10)"])
def test_bars_need_only_pandas(code: str) -> None:
    heavy = {"arch", "exchange_calendars", "scipy", "numba", "sklearn", "filelock", "asyncio"}
    assert not heavy & loaded_after(f"from workbench.data import sample, simulate; {code}")

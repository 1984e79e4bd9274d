"""The result of a backtest: tables, figures, pictures, and what was assumed."""

from __future__ import annotations

import dis
import hashlib
import inspect
import platform
import re
from collections.abc import Iterable, Iterator, Set
from functools import cached_property
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np
import pandas as pd

from workbench.bars import Bars
from workbench.component import Component
from workbench.component_display import literal
from workbench.component_text import parts_among, parts_of
from workbench.errors import ParameterError, did_you_mean
from workbench.frames import made_once
from workbench.notebook_code import _codes, underlying
from workbench.research import tables
from workbench.research.assumptions import Assumptions, assumed
from workbench.research.exposures import holdings_of
from workbench.research.figures import Figures
from workbench.session.record import Record
from workbench.session.setup import Setup, set_up
from workbench.version import __version__

__all__ = ["Backtest", "fingerprint_of", "fingerprint_of_value"]

#: What a code object does; in which file and line it stands is left out.
CODE = ("co_code", "co_names", "co_varnames", "co_freevars", "co_exceptiontable", "co_consts")
#: What the workbench and dataclasses write into the class of a part.
GIVEN = {"__init__", "__replace__", *inspect.get_annotations(Component)}
ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


class Backtest:
    """What a strategy would have done on some bars.

    Everything is worked out when it is first asked for.

    Parameters
    ----------
    setup : Setup
        What was run.
    record : Record
        What happened.
    """

    def __init__(self, setup: Setup, record: Record) -> None:
        self.setup = setup
        self.record = record

    @property
    def strategy(self) -> Any:
        """The strategy, or the team of them, that was run."""
        return self.setup.system

    @property
    def bars(self) -> Bars:
        """The bars that it was run on."""
        return self.setup.bars

    @property
    def currency(self) -> str:
        """Account currency."""
        return self.setup.currency

    @made_once
    def orders(self) -> pd.DataFrame:
        """Every order that was sent: when decided, leg, side, quantity, type, price, how and when it ended."""
        return tables.orders_table(self.setup, self.record)

    @made_once
    def fills(self) -> pd.DataFrame:
        """Every fill: label of the bar that filled it, price, value and fee in account currency."""
        return tables.fills_table(self.setup, self.record)

    @made_once
    def trades(self) -> pd.DataFrame:
        """Round trips, profit after fees and funding in account currency; an open one is valued at the last close."""
        return tables.trades_table(self.setup, self.record)

    def by_strategy(self) -> pd.DataFrame:
        """Return what each strategy of the account has made of its share: profit, return on the share in percent, trades, costs.

        Returns
        -------
        DataFrame
            A row for each strategy; the profits add up to that of the account, open trades valued at the last close. The win rate is
            NaN where no trade has closed.
        """
        return tables.strategies_table(self.setup, self.trades)

    @made_once
    def decisions(self) -> pd.DataFrame:
        """Each stance that was acted on: what was asked, what was opened, who cut it, from what to what, and why."""
        return tables.decisions_table(self.setup, self.record)

    def explain(self, last: int = 30) -> pd.DataFrame:
        """Return the newest orders, each with its reason in words (`wb.Readable` shows them in full)."""
        return tables.explained_table(self.setup, self.record, last)

    def parity(self) -> Any:
        """Compare this record with what the research kernel makes of the same bars: every order, fill, decision, equity."""
        from workbench.research.audits import compare_with_research

        return compare_with_research(self.setup, self.record)

    @made_once
    def equity(self) -> pd.Series:
        """Cash + open profit at the close of each step, in account currency; indexed by label."""
        return pd.Series(self.record.equity, self.bars.index, name=f"equity in {self.currency}", copy=False)

    @made_once
    def equities(self) -> pd.DataFrame:
        """The equity of each strategy of the account at the close of each step: its share of the cash and what it made of it."""
        each = self.record.equity[:, None] if self.record.equities is None else self.record.equities
        return pd.DataFrame(each, self.bars.index, tables.strategy_names(self.setup))

    def of(self, name: str) -> Backtest:
        """Return what one strategy of a team did, as if it were alone with its share; what limits the account is not in it.

        Raises
        ------
        ParameterError
            There is no such strategy.
        """
        names = tables.strategy_names(self.setup)
        if name not in names:
            raise ParameterError(f"there is no strategy {name!r} in this result{did_you_mean(name, names)}")
        if self.setup.team is None:
            return self
        number, setup = names.index(name), self.setup
        own, market = setup.members[number], (setup.market_costs, setup.currency, setup.rates)
        alone = set_up(own.strategy, setup.market, own.cash, *market, buying_power=False)
        return Backtest(alone, self.record.of(own.mine, self.equities[name].to_numpy()))

    @made_once
    def positions(self) -> pd.DataFrame:
        """Signed quantity held at each close, shape (T, N)."""
        return tables.positions_of(self.setup, self.record)

    def exposure(self, by: str = "currency", scope: str = "net") -> pd.DataFrame:
        """Return the exposure of each group at each close, in account currency (SEMANTICS 30).

        Parameters
        ----------
        by : {"currency", "region", "asset_class", "instrument"} or str, default "currency"
            Or the name of a tag that instruments have (`Instrument.tags`).
        scope : {"net", "gross"}, default "net"

        Returns
        -------
        DataFrame of shape (T, groups)
            At each step what `Portfolio.exposure` says; 0 where nothing is held.
        """
        return holdings_of(self).exposure(by, scope)

    @made_once
    def stats(self) -> pd.Series:
        """The figures that a trader looks at first (`workbench.research.figures`)."""
        index = self.bars.index
        frame = {"start": index[0], "end": index[-1], "steps": len(index), "start equity": self.setup.cash}
        made = Figures(self.setup).of(self.setup, self.record)
        return pd.Series(frame | made, dtype=object, name="backtest")

    @cached_property
    def assumptions(self) -> Assumptions:
        """What the result rests on."""
        return Assumptions(assumed(self.setup, self.record))

    @cached_property
    def fingerprint(self) -> dict[str, str]:
        """Hashes of data, strategy and account, and the versions of what computed.

        The strategy's is of its parameters and of the code of its own parts, with what that uses of its own modules: the same
        in every process of a Python version, and another one for other code.
        """
        return fingerprint_of(self.setup)

    def plot(self, symbol: str | None = None) -> Any:
        """Return a plotly figure: a symbol's price with its trades, the equity, its drawdown.

        Of several symbols the one that was traded most, where none is named.
        """
        from workbench.research.plots import plot_backtest

        return plot_backtest(self, symbol)

    def report(self, path: str | Path) -> Path:
        """Write one HTML page with figures, pictures, trades, decisions and assumptions; return its path."""
        from workbench.research.report import write_report

        return write_report(self, Path(path))

    @cached_property
    def portfolio(self) -> Any:
        """A vectorbt Portfolio made of the fills, for all of vectorbt's statistics and plots."""
        from workbench.research.vectorbt_bridge import portfolio_of

        return portfolio_of(self)

    def __repr__(self) -> str:
        lines = [f"Backtest of {', '.join(self.bars.symbols[:4])} on {len(self.bars)} bars of {self.bars.interval}"]
        if self.bars.simulated:
            lines[0] += " - SIMULATED MARKET"
        return "\n".join([*lines, format_stats(self.stats), "", "Assumptions:", str(self.assumptions)])

    def _repr_html_(self) -> str:
        simulated = "<p><b>Simulated market.</b></p>" if self.bars.simulated else ""
        table = pd.DataFrame({"": format_values(self.stats)}).to_html(header=False, border=0)
        folded = f"<details><summary>Assumptions</summary>{self.assumptions._repr_html_()}</details>"
        return f"{simulated}{table}{folded}"


def fingerprint_of(setup: Setup) -> dict[str, str]:
    """Return hashes of data, strategy and account, and the versions of what computes."""
    rates = [array.tobytes() for array in (*setup.conversion[:3], *(setup.financing or ())[:4])]
    account = repr((setup.currency, setup.cash, setup.costs, setup.buying_power)).encode()
    hashes = {"strategy": _hash(*_strategy_pieces(setup.system)), "account": _hash(account, *rates)}
    versions = {"python": platform.python_version(), "numpy": np.__version__, "pandas": pd.__version__}
    return {"bars": setup.bars.fingerprint, **hashes, "workbench": __version__, **versions}


def fingerprint_of_value(value: Any, strategy: Component) -> str:
    """Return the hash of a parameter that a strategy is varied by: the same only where both data and code are the same."""
    own = _own_modules([*parts_of(strategy), *parts_among(value)])
    return _hash(*(f"{word}\n".encode() for word in _spelt(value, own, set())))


def _hash(*pieces: bytes) -> str:
    return hashlib.sha256(b"".join(pieces)).hexdigest()[:16]


def _strategy_pieces(strategy: Component) -> Iterator[bytes]:
    """Yield all that a strategy is made of: parameters, and the code that does not come with the workbench."""
    return (f"{word}\n".encode() for word in _spelt(strategy, _own_modules(parts_of(strategy)), set()))


def _own_modules(parts: Iterable[Component]) -> set[str]:
    classes = [cls for part in parts for cls in type(part).__mro__ if issubclass(cls, Component)]
    return {cls.__module__ for cls in classes if cls.__module__.partition(".")[0] != "workbench"}


def _spelt(value: Any, own: Set[str], seen: set[int]) -> Iterator[str]:
    """Yield a value in words that are the same in every process: of classes and functions from the `own` modules all that they do."""
    inside = None if id(value) in seen else _inside(value, own)
    if inside is None:
        yield ADDRESS.sub("", literal(value))
        return
    if isinstance(value, type | FunctionType):
        seen.add(id(value))  # it may use itself
    yield "("
    for part in inside:
        yield from _spelt(part, own, seen)
    yield ")"


def _inside(value: Any, own: Set[str]) -> Iterable[Any] | None:
    """Return what a value is made of; None where its name or its text says all."""
    match value:
        case Component():
            return type(value), value.get_params(deep=False)
        case type() if value.__module__ in own:
            return value.__name__, value.__bases__, _written(value)
        case FunctionType() if value.__module__ in own:
            cells = [cell.cell_contents for cell in value.__closure__ or ()]
            return value.__code__, value.__defaults__, value.__kwdefaults__, cells, _read(value)
        case CodeType():
            return [getattr(value, name) for name in CODE]
        case ModuleType():
            return [value.__name__]
        case dict():
            return value.items()
        case set() | frozenset():
            return sorted(value, key=repr)  # their own order is another in every process
        case list() | tuple():
            return value
        case np.ndarray():
            return np.atleast_1d(value).tolist()
        case pd.DataFrame() | pd.Series() | pd.Index():
            names = value.columns if isinstance(value, pd.DataFrame) else [value.name]
            return [type(value).__name__, list(map(str, names)), pd.util.hash_pandas_object(value).to_numpy()]
    plain = underlying(value)
    return None if plain is value else [plain]


def _written(cls: type) -> dict[str, Any]:
    """Return what the body of a class says: methods and constants."""
    given = GIVEN if "__dataclass_params__" in vars(cls) else set()
    members = {name: value for name, value in vars(cls).items() if name not in given}
    return {n: v for n, v in members.items() if isinstance(underlying(v), FunctionType) or not n.startswith("__")}


def _read(function: FunctionType) -> dict[str, Any]:
    """Return the variables of its module that a function reads, or a function inside it."""
    steps = [step for code in _codes(function.__code__) for step in dis.get_instructions(code)]
    names = {step.argval for step in steps if step.opname == "LOAD_GLOBAL"} & function.__globals__.keys()
    return {name: function.__globals__[name] for name in sorted(names)}


def format_values(stats: pd.Series) -> pd.Series:
    """Return figures as text, at a precision that a person reads."""

    def text(value: Any) -> str:
        if isinstance(value, pd.Timestamp):
            return f"{value:%Y-%m-%d %H:%M} UTC"
        if isinstance(value, float):
            return "-" if value != value else f"{value:,.2f}"
        return f"{value:,}"

    return pd.Series({name: text(value) for name, value in stats.items()})


def format_stats(stats: pd.Series) -> str:
    """Return figures as an aligned table."""
    texts = format_values(stats)
    width = max(len(str(name)) for name in texts.index)
    return "\n".join(f"  {name!s:<{width}}  {value:>22}" for name, value in texts.items())

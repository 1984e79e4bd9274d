"""The command line."""

from __future__ import annotations

import sys
import time
import warnings
from pathlib import Path
from typing import Annotated, Any

import typer

from workbench.errors import RunError, WorkbenchError, did_you_mean

__all__ = ["app", "main"]

app = typer.Typer(
    name="workbench",
    help="Research, replay and live trading with the same objects.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

BarsFile = Annotated[
    Path | None,
    typer.Option("--bars", help="Parquet or CSV file with open, high, low, close[, volume]; the S&P 500, daily, where not given."),
]
Stamp = Annotated[str, typer.Option("--stamp", help="Whether the file's times are the bars' 'open' or 'close'.")]
Interval = Annotated[str | None, typer.Option("--interval", help="1min, 5min, 1h, 1D ...; the commonest step where not given.")]
Symbol = Annotated[str | None, typer.Option("--symbol", help="What is in the file; guessed from its name where not given.")]
Cash = Annotated[
    float | None,
    typer.Option("--cash", help="At the start, in account currency; 100,000 (10 BTC, 100 ETH, 10,000,000 JPY) where not given."),
]
Currency = Annotated[str | None, typer.Option("--currency", help="Of the account; the instrument's where not given.")]
Rate = Annotated[list[str] | None, typer.Option("--rate", help="Conversion for --currency, EURUSD=1.10; may be given more than once.")]
Commission = Annotated[float | None, typer.Option("--commission", help="Share of the notional: 0.001 is 10 basis points.")]
Slippage = Annotated[float | None, typer.Option("--slippage", help="Share of the price.")]
Output = Annotated[Path, typer.Option("--output", help="Folder for what is written.")]


def _version(asked: bool) -> None:
    if asked:
        from workbench.version import __version__

        typer.echo(f"workbench {__version__}")
        raise typer.Exit


@app.callback()
def _workbench(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version, and end.")] = False,
) -> None:
    """Research, replay and live trading with the same objects."""


@app.command()
def demo(
    bars: BarsFile = None,
    stamp: Stamp = "open",
    interval: Interval = None,
    symbol: Symbol = None,
    cash: Cash = None,
    currency: Currency = None,
    rate: Rate = None,
    commission: Commission = None,
    slippage: Slippage = None,
    output: Output = Path("runs/demo"),
) -> None:
    """Walk the whole road once: backtest, parity, report, and a live notebook run by papermill on recorded bars."""
    from workbench.demo import run_demo

    given = _bars(bars, stamp, interval, symbol)
    run_demo(given, **_account(given, cash, currency, rate, commission, slippage), output=output)


@app.command()
def backtest(
    strategy: Annotated[Path, typer.Argument(help="Folder of a saved strategy (Strategy.save).")],
    bars: BarsFile = None,
    stamp: Stamp = "open",
    interval: Interval = None,
    symbol: Symbol = None,
    cash: Cash = None,
    currency: Currency = None,
    rate: Rate = None,
    commission: Commission = None,
    slippage: Slippage = None,
    report: Annotated[Path | None, typer.Option("--report", help="Write an HTML page here.")] = None,
) -> None:
    """Backtest a saved strategy on a file of bars."""
    from workbench.research.running import backtest as run
    from workbench.team import load_system

    given = _bars(bars, stamp, interval, symbol)
    account = _account(given, cash, currency, rate, commission, slippage)
    result = run(load_system(strategy), given, **account)
    typer.echo(repr(result))
    if report is not None:
        typer.echo(f"report: {result.report(report)}")


Root = Annotated[Path, typer.Option("--root", help="Folder of all runs and paper accounts.")]
Run = Annotated[str, typer.Argument(help="Name of the run: that of its release.")]


@app.command()
def promote(
    strategy: Annotated[Path, typer.Argument(help="Folder of a saved strategy (Strategy.save).")],
    name: Annotated[str, typer.Option("--name", help="Names the release, its run and its orders.")],
    bars: BarsFile = None,
    stamp: Stamp = "open",
    interval: Interval = None,
    symbol: Symbol = None,
    cash: Cash = None,
    currency: Currency = None,
    rate: Rate = None,
    commission: Commission = None,
    slippage: Slippage = None,
    start: Annotated[str | None, typer.Option("--start", help="'join' acts on the first stance, 'wait' only notes it.")] = None,
    folder: Annotated[Path, typer.Option("--folder", help="Folder of the releases.")] = Path("releases"),
) -> None:
    """Make a release of a saved strategy: the only thing that a run takes. The bars say what it trades, and at what interval."""
    from workbench.live.release import promote as make
    from workbench.team import load_system

    given = _bars(bars, stamp, interval, symbol)
    account = _account(given, cash, currency, rate, commission, slippage)
    loaded = load_system(strategy)
    first = start or _asked(loaded.start)
    typer.echo(f"release: {make(loaded, given, name, start=first, folder=folder, **account)}")  # type: ignore[arg-type]
    typer.echo(f"its first stance is {'acted on' if first == 'join' else 'only noted'} (--start join or wait)")


@app.command()
def run(
    release: Annotated[Path, typer.Argument(help="Folder of a release (workbench promote).")],
    mode: Annotated[str, typer.Option("--mode", help="'paper': at the paper venue, a process of its own on this machine.")] = "paper",
    account: Annotated[str | None, typer.Option("--account", help="The paper account; paper-NAME where not given.")] = None,
    bars: Annotated[Path | None, typer.Option("--bars", help="A recording as the account's market; else a simulated one.")] = None,
    stamp: Stamp = "open",
    store: Annotated[Path | None, typer.Option("--store", help="A Parquet store with a recording, instead of --bars.")] = None,
    speed: Annotated[float | None, typer.Option("--speed", help="Times faster than real time; else as fast as it decides.")] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Of a new account's simulated market; 0 where not given.")] = None,
    history: Annotated[int | None, typer.Option("--history", help="Bars that have closed when the account is made; 500.")] = None,
    late: Annotated[float | None, typer.Option("--late", help="Share of the bars that come a step late, to practise with.")] = None,
    rejects: Annotated[float | None, typer.Option("--rejects", help="Share of the openings that the venue refuses.")] = None,
    supports: Annotated[str | None, typer.Option("--supports", help="What the venue takes: market,limit for one without stops.")] = None,
    step: Annotated[bool, typer.Option("--step", help="Decide one step, then leave: for a scheduler.")] = False,
    root: Root = Path("runs"),
) -> None:
    """Run a release under a supervisor, in a notebook that papermill executes. Ctrl-C, SIGTERM or `workbench stop` end it cleanly."""
    from workbench.live.account import Market
    from workbench.live.release import Release
    from workbench.live.supervisor import Supervisor

    if mode != "paper":
        raise RunError(f"--mode must be 'paper', got {mode!r}: no venue for money is connected yet")
    kept = Release.open(release)
    recorded = _recorded(bars, stamp, store, kept)
    takes = None if supports is None else [one.strip() for one in supports.split(",")]
    market = Market(recorded, speed, seed, history, late, rejects, takes)
    sys.exit(Supervisor(release, root, account, market, step, _timed).run())


@app.command()
def stop(name: Run, root: Root = Path("runs")) -> None:
    """End a run cleanly: positions and their protective orders stay. Between scheduled steps: end the paper venue that stays up."""
    from workbench.live.commands import end_idle_venue

    ended = end_idle_venue(root, name)
    if ended:
        typer.echo(f"the paper venue, process {ended}, was ended: its market stands still, and its orders and stops with it")
    else:
        _command("stop", name, root)


@app.command()
def order(
    name: Run,
    what: Annotated[str, typer.Argument(help="'pause', 'resume', 'reduce', 'flatten', 'arm', 'approve', 'veto', 'resize' or 'absent'.")],
    root: Root = Path("runs"),
    symbol: Annotated[str | None, typer.Option(help="Of which opening that waits for a word; not needed where one waits.")] = None,
    key: Annotated[str | None, typer.Option(help="Which order in doubt never arrived: absent.")] = None,
    quantity: Annotated[float | None, typer.Option(help="For how much it is made instead: resize.")] = None,
) -> None:
    """Order a run about: pause or resume its decisions, let it only reduce, close all positions, arm the gate; answer what waits.

    `absent` ends an order in doubt that no query settles: you have looked at the venue, and there is neither the order nor a fill.
    """
    answers = ("approve", "veto", "resize")
    verbs = ("pause", "resume", "reduce", "flatten", "arm", *answers, "absent")
    if what not in verbs:
        raise RunError(f"a run is told to {', '.join(verbs)}, got {what!r}{did_you_mean(what, verbs)}")
    if (what == "resize") != (quantity is not None):
        raise RunError(f"resize and --quantity go together, got {what!r} and {quantity!r}")
    if (what == "absent") != (key is not None):
        raise RunError(f"absent and --key go together, got {what!r} and {key!r}; the panel names what is in doubt")
    if symbol is not None and what not in answers:
        raise RunError(f"--symbol goes with approve, veto and resize, got {what!r} and {symbol!r}")
    about = {"symbol": symbol, "quantity": quantity, "order": key}
    _command(what, name, root, {word: value for word, value in about.items() if value is not None})


@app.command()
def kill(name: Run, root: Root = Path("runs")) -> None:
    """Halt a run: all openings are taken off, at the venue and even while the session hangs; protective orders stay."""
    from workbench.live.kill import kill as end

    typer.echo(end(root, name))


@app.command()
def runs(root: Root = Path("runs")) -> None:
    """List the runs: mode, equity, age of the last sign of life."""
    from workbench.live.listing import listing

    typer.echo(listing(root))


@app.command()
def venue(
    kind: Annotated[str, typer.Argument(help="Which venue to practise against: 'paper'.")],
    folder: Annotated[Path, typer.Argument(help="Folder of the account.")],
) -> None:
    """Serve a practice venue on this machine; the supervisor starts it by itself."""
    from workbench.practice.paper.process import serve

    if kind != "paper":
        raise RunError(f"a practice venue is 'paper', got {kind!r}")
    serve(folder)


def _timed(text: str) -> None:
    """Print a sentence with its time: a run is read in the morning."""
    typer.echo(f"{time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime())} UTC  {text}")


def _asked(start: str) -> str:
    """Ask what becomes of the first stance, where somebody is there to answer."""
    if not sys.stdin.isatty():
        return start
    words = "The first stance of a run: 'join' acts on it, 'wait' only notes it"
    return str(typer.prompt(words, default=start))


def _recorded(path: Path | None, stamp: str, store: Path | None, release: Any) -> Any:
    """Return the recording that a paper account trades in, if one is given."""
    from workbench.data import ParquetStore, read_bars

    if store is not None:
        return ParquetStore(store).load([one.symbol for one in release.instruments], release.interval)
    if path is None:
        return None
    if len(release.instruments) != 1:
        raise RunError(f"--bars is a file of one instrument, and this release trades {len(release.instruments)}: give --store")
    return read_bars(path, instrument=release.instruments[0], interval=release.interval, stamp=stamp)  # type: ignore[arg-type]


def _command(what: str, name: str, root: Path, body: dict[str, Any] | None = None) -> None:
    from workbench.live.commands import order as ask

    typer.echo(ask(root, name, what, "the shell", body=body))


def _bars(path: Path | None, stamp: str, interval: str | None, symbol: str | None) -> Any:
    from workbench.data import read_bars, sample

    if path is None:
        for option, given in (("--stamp", stamp != "open"), ("--interval", interval), ("--symbol", symbol)):
            if given:
                raise RunError(f"{option} describes a file of bars: give it together with --bars FILE")
        return sample("sp500")
    return read_bars(path, instrument=symbol, interval=interval, stamp=stamp)  # type: ignore[arg-type]


def _currency(bars: Any, currency: str | None) -> str:
    from workbench.rates import common_currency

    return currency or common_currency(bars.instruments)


def _cash(cash: float | None, currency: str) -> float:
    """Return the cash given, or an amount that fits the currency."""
    from workbench.session.setup import DEFAULT_CASH

    return cash if cash is not None else {"BTC": 10.0, "ETH": 100.0, "JPY": 10_000_000.0}.get(currency, DEFAULT_CASH)


def _account(bars: Any, cash: float | None, currency: str | None, rate: list[str] | None, *costs: float | None) -> dict[str, Any]:
    """Return the account that the options describe: what a backtest and a release take."""
    kept = _currency(bars, currency)
    return {"cash": _cash(cash, kept), "currency": kept, "costs": _costs(*costs), "rates": _rates(rate)}


def _rates(given: list[str] | None) -> dict[str, float] | None:
    """Return conversion rates by pair from texts like EURUSD=1.10."""
    rates = {}
    for text in given or ():
        pair, _, value = text.partition("=")
        try:
            rates[pair] = float(value)
        except ValueError:
            raise RunError(f"--rate is written as PAIR=NUMBER, EURUSD=1.10, got {text!r}") from None
    return rates or None


def _costs(commission: float | None, slippage: float | None) -> Any:
    from workbench.execution import Costs

    if commission is None and slippage is None:
        return None
    return Costs(commission=commission, slippage=slippage)


def main() -> None:
    """Run the command line; an error is one sentence, and exit code 2."""
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _warn
            app(prog_name="workbench")
    except OSError as error:
        typer.echo(f"workbench: {error.filename}: {error.strerror}" if error.filename else f"workbench: {error}", err=True)
        sys.exit(2)
    except WorkbenchError as error:
        notes = "".join(f"\n  {note}" for note in getattr(error, "__notes__", []))
        typer.echo(f"workbench: {error}{notes}", err=True)
        sys.exit(2)


def _warn(message: Warning | str, *_: Any, **__: Any) -> None:
    """Print a warning as a sentence; the line of code that it came from is none of the user's."""
    typer.echo(f"workbench: warning: {message}", err=True)


if __name__ == "__main__":
    main()

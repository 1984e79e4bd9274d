"""The kernel, compiled: numba wraps the same plain functions, and keeps them on disk.

The decisions of sizers and limits are handed over as first-class functions with fixed signatures, so one compiled kernel
serves every strategy; they come as the addresses of their machine code, because numba takes longer to look nine functions
up than the kernel takes for twenty thousand bars. numba does not notice an edit in another file; its cache is therefore kept
in a folder named by a hash of every source file that the kernel inlines.
"""

from __future__ import annotations

import hashlib
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache, lru_cache
from pathlib import Path
from types import FunctionType
from typing import Any

from workbench.decision import BookColumns
from workbench.past import History
from workbench.records import DECISION, FILL, MOST_LIMITS, ORDER, SLOT, SPEC, dtype_of
from workbench.research.kernel import run as kernel_run
from workbench.research.kernel_state import Columns, Ledger, Output, Settings

__all__ = ["address_of", "compiled_decision", "compiled_kernel", "warm"]

LIMIT_KIND, SIZE_KIND = "limit", "size"
#: Functions of compiled code alone: they make a first-class function of an address.
limit_at: Any = None
size_at: Any = None


def functions_in(function: FunctionType) -> list[FunctionType]:
    """Return a plain function and all of the package's plain functions that it calls, itself last."""
    found: dict[FunctionType, None] = {}

    def visit(f: FunctionType) -> None:
        for name in f.__code__.co_names:
            called = f.__globals__.get(name)
            if isinstance(called, FunctionType) and called.__module__.startswith("workbench.") and called not in found and called is not f:
                visit(called)
        found[f] = None

    visit(function)
    return list(found)


@cache
def cache_folder(function: FunctionType) -> Path:
    """Return where the machine code of a function is kept: named by the sources and constants of all that it inlines.

    Constants come from the package's ground floor, and a few from beside the functions.
    """
    digest = hashlib.sha256(sys.version.encode())
    ground = {str(path) for path in Path(__file__).parents[1].glob("*.py")}
    for path in sorted(ground | {f.__code__.co_filename for f in functions_in(function)}):
        digest.update(Path(path).read_bytes() if os.path.exists(path) else path.encode())
    for f in functions_in(function):
        constants = {name: f.__globals__.get(name) for name in f.__code__.co_names}
        digest.update(repr({name: value for name, value in constants.items() if isinstance(value, (int, float))}).encode())
    home = os.environ.get("WORKBENCH_CACHE") or os.path.join(
        os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "workbench"
    )
    return Path(home) / f"numba-{digest.hexdigest()[:16]}"


@contextmanager
def quietly() -> Iterator[None]:
    """Keep numba's remark that first-class functions are experimental to ourselves: its minor version is pinned."""
    from numba.core.errors import NumbaExperimentalFeatureWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NumbaExperimentalFeatureWarning)
        yield


@contextmanager
def _cached_in(folder: Path) -> Iterator[None]:
    """Let numba keep what is declared inside in our folder; other code's numba is left alone."""
    from numba import config

    before = config.CACHE_DIR
    config.CACHE_DIR = str(folder)
    try:
        yield
    finally:
        config.CACHE_DIR = before


def _compile(function: FunctionType, signature: Any = None, given: Mapping[str, Any] | None = None) -> Any:
    """Compile a function with all that it calls; `given` are names that only compiled code has."""
    import numba

    twins: dict[FunctionType, Any] = {}
    on_disk = os.path.exists(function.__code__.co_filename)
    with _cached_in(cache_folder(function)):
        for f in functions_in(function):
            names = {k: twins[v] for k, v in f.__globals__.items() if isinstance(v, FunctionType) and v in twins}
            twin = FunctionType(f.__code__, {**f.__globals__, **names, **(given or {})}, f.__name__, f.__defaults__, f.__closure__)
            twin.__qualname__, twin.__module__ = f.__qualname__, f.__module__
            exact = (signature,) if f is function and signature is not None else ()
            # No reference counts and everything inlined: passing bundles of arrays costs nothing then (18 x faster).
            twins[f] = numba.njit(*exact, cache=on_disk, forceinline=f is not function, nogil=True, _nrt=False)(twin)
    return twins[function]


@lru_cache(maxsize=1)
def _types() -> dict[str, Any]:
    """Return the numba types of all that passes into the kernel."""
    import numba
    from numba import types

    def rows(fields: Any) -> Any:
        return types.Array(numba.from_dtype(dtype_of(fields)), 1, "C")

    f8, i8 = types.float64, types.int64
    given = types.Array(f8, 1, "C", readonly=True)
    whole = types.Array(i8, 1, "C", readonly=True)
    state = types.Array(f8, 1, "C")
    addresses = types.Array(i8, 1, "C", readonly=True)
    size = types.FunctionType(f8(given, numba.from_dtype(dtype_of(SPEC)), f8, f8, f8, f8, f8, f8, f8, state))
    history = types.NamedTuple([state, given, whole, state], History)
    limit = types.FunctionType(f8(given, given, i8, f8, f8, state, state, state, state, state, history))
    settings = types.NamedTuple([f8 if "float" in str(hint) else i8 for hint in Settings.__annotations__.values()], Settings)
    columns = types.NamedTuple([given] * 16 + [whole] * 6, Columns)
    numbers = types.Array(i8, 1, "C")
    ledger = types.NamedTuple([rows(SLOT), rows(SPEC)] + [state] * 6 + [numbers] * 3 + [state] + [numbers] * 2 + [state] * 2, Ledger)
    book = types.NamedTuple([rows(SPEC)] + [state] * 8, BookColumns)
    output = types.NamedTuple([rows(ORDER), rows(FILL), rows(DECISION), state], Output)
    many = types.UniTuple(given, MOST_LIMITS)
    run = i8(i8, columns, ledger, book, output, settings, addresses, given, many, many, i8, i8, i8)
    return {SIZE_KIND: size, LIMIT_KIND: limit, "run": run}


@lru_cache(maxsize=1)
def compiled_kernel() -> Any:
    """Return the compiled kernel; the first time ever it takes some seconds, and says so."""
    folder = cache_folder(_plain(run_at))
    if not any(folder.rglob("compiled.run_at*.nbc")):
        print("workbench: compiling the research kernel, once (about 20 s); later runs load it from disk", file=sys.stderr, flush=True)
    with quietly():
        known = {f"{kind}_at": _function_at(_types()[kind]) for kind in (SIZE_KIND, LIMIT_KIND)}
        return _compile(_plain(run_at), _types()["run"], known)


def run_at(
    first: int,
    columns: Columns,
    ledger: Ledger,
    book: BookColumns,
    output: Output,
    settings: Settings,
    addresses: Any,
    size_p: Any,
    limit_p: Any,
    tables: Any,
    count: int,
    buying_power: int,
    scaled: int,
) -> int:
    """Run the kernel with the decisions at these addresses: that of the sizer, then those of the limits."""
    limits = (
        limit_at(addresses[1]),
        limit_at(addresses[2]),
        limit_at(addresses[3]),
        limit_at(addresses[4]),
        limit_at(addresses[5]),
        limit_at(addresses[6]),
        limit_at(addresses[7]),
        limit_at(addresses[8]),
    )
    size = size_at(addresses[0])
    return kernel_run(first, columns, ledger, book, output, settings, size, size_p, limits, limit_p, tables, count, buying_power, scaled)


def _function_at(kind: Any) -> Any:
    """Return what makes a first-class function of an address, in compiled code."""
    from numba.core import cgutils, types
    from numba.extending import intrinsic

    @intrinsic  # type: ignore[untyped-decorator]
    def at(typing: Any, address: Any) -> Any:
        def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            made = cgutils.create_struct_proxy(signature.return_type)(context, builder)
            made.jit_addr = builder.inttoptr(args[0], context.get_value_type(types.voidptr))
            return made._getvalue()

        return kind(types.int64), build

    return at


@cache
def address_of(decision: Callable[..., float], kind: str) -> int:
    """Return where the machine code of a sizer's or a limit's decision is."""
    made = compiled_decision(decision, kind)
    result = made.get_compile_result(_types()[kind].signature)
    return int(result.library.get_pointer_to_function(result.fndesc.llvm_func_name))


@cache
def compiled_decision(decision: Callable[..., float], kind: str) -> Any:
    """Return the compiled form of a sizer's or a limit's decision."""
    if not isinstance(decision, FunctionType):
        return decision
    with quietly():
        return _compile(decision, _types()[kind].signature)


def warm() -> None:
    """Compile the kernel now rather than at the first large backtest."""
    compiled_kernel()


def _plain(function: Any) -> FunctionType:
    assert isinstance(function, FunctionType)
    return function

"""The floor plan: who may import whom, which libraries live where, what reads a clock, and what an import loads.

The plan below is the one in CONTRIBUTING.md. A new module of the ground floor or a new room is entered here first.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "workbench"

# From the ground up. On a floor each string is one room: its modules may import each other, other rooms of the floor may not.
# `component_text` belongs to the room of `component`, and so on; `notebook_...` reads the source of a class from its cell.
FLOORS = (
    (
        "errors numeric grid money dust maintenance financing rates interval instrument bars arrays frames rows extras resampling "
        "alignment quality market order past records spec version calendars sessions writing layout",
    ),
    ("indicators", "component notebook"),
    ("features", "models"),
    ("signals", "sizing", "exits", "risk", "portfolio", "data", "execution", "notify"),
    ("strategy team decision preview saving", "journal", "adapters"),
    ("session",),
    ("research",),
    ("live",),
    ("panel", "practice"),
    ("cli demo", "__main__"),
)
ROOMS = {module: (floor, room) for floor, rooms in enumerate(FLOORS) for room in rooms for module in room.split()}

PURE = ("indicators", "features", "signals", "sizing", "exits", "risk", "portfolio", "decision")
PURE += tuple(f"models.{name}" for name in ("_card", "_files", "_model", "_time_order", "_training", "_drift"))  # the registry keeps a log
RUN_PATH = ("session", "strategy", "live.run", "live.paper", "live.kill", "live.supervisor")
VENUE_PATH = ("practice.paper.process",)

# Who may import a library; everyone may import what is not listed.
LIBRARIES = {
    "vectorbt": ("research",),
    "numba": ("research",),
    "plotly": ("research", "panel"),
    "ipywidgets": ("panel",),
    "anywidget": ("panel",),
    "binance": ("adapters.binance",),
    "ib_insync": ("adapters.interactive_brokers",),
    "ib_async": ("adapters.interactive_brokers",),
    "eventkit": ("adapters.interactive_brokers",),
    "MetaTrader5": ("adapters.metatrader5",),
    "websockets": ("adapters", "practice"),
    "sqlalchemy": ("journal",),
    "papermill": ("live",),
    "pydantic": ("live",),
    "skops": ("models",),
}
LAZY = ("vectorbt", "skops", "sklearn", "scipy", "talib")
CLOCKS = ("now", "utcnow", "today", "perf_counter", "perf_counter_ns", "monotonic", "monotonic_ns", "time_ns")


@dataclass(frozen=True)
class Import:
    """One import statement: `importer` and `target` without the leading `workbench.`, a library by its full name."""

    importer: str
    target: str
    line: int
    lazy: bool
    ours: bool

    def __str__(self) -> str:
        return f"workbench.{self.importer}:{self.line} imports {self.target}"


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def trees() -> dict[str, ast.Module]:
    return {module_name(path): ast.parse(path.read_text(encoding="utf-8")) for path in sorted(PACKAGE.rglob("*.py"))}


def statements(node: ast.AST, lazy: bool = False) -> Iterator[tuple[ast.AST, bool]]:
    """Yield every node and whether it runs only later: inside a function, or for type checkers alone."""
    for child in ast.iter_child_nodes(node):
        typing_only = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)
        later = lazy or typing_only or isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        yield child, later
        yield from statements(child, later)


def is_module(name: str) -> bool:
    path = ROOT / name.replace(".", "/")
    return path.is_dir() or path.with_suffix(".py").is_file()


def targets(node: ast.AST, importer: str, is_package: bool) -> Iterator[str]:
    """Yield the full names that a node imports; `from workbench import x` is `workbench.x` where that is a module."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = node.module or ""
        if node.level:
            here = f"workbench.{importer}".rstrip(".").split(".")
            parents = here[: len(here) - node.level + is_package]
            base = ".".join([*parents, base] if base else parents)
        yield from (f"{base}.{alias.name}" if is_module(f"{base}.{alias.name}") else base for alias in node.names)
    elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
        named = [arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
        yield from (name for name in named if name != "workbench")


def imports() -> list[Import]:
    found = []
    for importer, tree in trees().items():
        is_package = (PACKAGE / importer.replace(".", "/")).is_dir()
        for node, lazy in statements(tree):
            for name in targets(node, importer, is_package):
                ours = name.split(".")[0] == "workbench"
                found.append(Import(importer, name.removeprefix("workbench.") if ours else name, getattr(node, "lineno", 0), lazy, ours))
    return found


IMPORTS = imports()


def inside(module: str, places: tuple[str, ...]) -> bool:
    return any(module == place or module.startswith(f"{place}.") for place in places)


def room_of(module: str) -> tuple[int, str] | None:
    """Return the floor and the room of a module."""
    name = module.split(".")[0]
    return ROOMS.get(name) or ROOMS.get(name.split("_")[0])


def test_every_module_has_a_room() -> None:
    homeless = sorted(name for name in trees() if name not in ("", "__init__") and room_of(name) is None)
    assert not homeless, f"give these a room in FLOORS: {homeless}"


def allowed(entry: Import) -> bool:
    importer, target = room_of(entry.importer), room_of(entry.target)
    if entry.importer in ("", "__init__"):
        return True  # the public names, resolved lazily
    return importer is not None and target is not None and (target == importer or target[0] < importer[0])


def test_imports_run_downwards_only() -> None:
    wrong = [str(entry) for entry in IMPORTS if entry.ours and not allowed(entry)]
    assert not wrong, "\n".join(wrong)


def test_venues_do_not_import_each_other() -> None:
    ours = [entry for entry in IMPORTS if entry.ours and inside(entry.importer, ("adapters",)) and inside(entry.target, ("adapters",))]
    wrong = [str(entry) for entry in ours if entry.target.count(".") and entry.importer.split(".")[:2] != entry.target.split(".")[:2]]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_library_stays_in_its_room(library: str) -> None:
    users = [entry for entry in IMPORTS if not entry.ours and entry.target.split(".")[0] == library]
    wrong = [str(entry) for entry in users if not inside(entry.importer, LIBRARIES[library])]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("library", LAZY)
def test_a_slow_library_is_imported_where_it_is_used(library: str) -> None:
    wrong = [str(entry) for entry in IMPORTS if entry.target.split(".")[0] == library and not entry.lazy]
    assert not wrong, "\n".join(wrong)


def practice_users() -> list[str]:
    return [str(entry) for entry in IMPORTS if inside(entry.target, ("practice",)) and not inside(entry.importer, ("practice", "cli"))]


def test_only_the_command_line_imports_practice() -> None:
    assert practice_users() == []


def reached(start: str) -> set[str]:
    """Return all modules that importing `start`, or a module in it, imports with it."""
    known: set[str] = set()
    waiting = [name for name in trees() if inside(name, (start,))]
    while waiting:
        module = waiting.pop()
        if module and module not in known:
            known.add(module)
            waiting += [module.rpartition(".")[0]]
            waiting += [entry.target for entry in IMPORTS if entry.ours and not entry.lazy and entry.importer == module]
    return known


@pytest.mark.parametrize("start", RUN_PATH + VENUE_PATH)
def test_the_run_path_reaches_neither_research_nor_panel(start: str) -> None:
    assert [module for module in reached(start) if inside(module, ("research", "panel"))] == []


def clocks(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import) and any(alias.name == "time" for alias in node.names):
            yield f"line {node.lineno}: import time"
        elif isinstance(node, ast.ImportFrom) and node.module == "time":
            yield f"line {node.lineno}: from time import"
        elif isinstance(node, ast.Call) and reads_a_clock(node):
            yield f"line {node.lineno}: {ast.unparse(node)}"


def reads_a_clock(call: ast.Call) -> bool:
    named = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    words = [arg.value for arg in call.args if isinstance(arg, ast.Constant)]
    return named in CLOCKS or (named in ("Timestamp", "to_datetime", "datetime64") and any(word in ("now", "today") for word in words))


def test_pure_rooms_read_no_clock() -> None:
    wrong = [f"workbench.{name} {found}" for name, tree in trees().items() if inside(name, PURE) for found in clocks(tree)]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("code", ["import time", "from time import time", "pd.Timestamp.now()", "pd.Timestamp('now')", "datetime.now(UTC)"])
def test_a_clock_is_seen(code: str) -> None:
    assert len(list(clocks(ast.parse(code)))) == 1


@pytest.mark.parametrize(
    ("importer", "code", "expected"),
    [
        ("risk.gate", "from workbench.sizing import Kelly", "workbench.sizing"),
        ("risk.gate", "from workbench import sizing", "workbench.sizing"),
        ("risk.gate", "from ..sizing import Kelly", "workbench.sizing"),
        ("risk.gate", "from .exposure import table", "workbench.risk.exposure"),
        ("risk.gate", "import workbench.sizing", "workbench.sizing"),
        ("risk.gate", "importlib.import_module('workbench.sizing')", "workbench.sizing"),
    ],
)
def test_an_import_is_seen(importer: str, code: str, expected: str) -> None:
    assert [name for node, _ in statements(ast.parse(code)) for name in targets(node, importer, is_package=False)] == [expected]


# -- what an import loads, asked of a fresh process -------------------------------------------------------------

LIGHT = ("pandas", "numpy", "numba", "sklearn", "vectorbt", "plotly", "ipywidgets", "sqlalchemy", "pydantic", "pyarrow", "scipy")
SMALL = ("numba", "sklearn", "sqlalchemy", "pydantic", "plotly", "vectorbt", "ipywidgets", "matplotlib", "exchange_calendars")
RUN = ("numba", "sklearn", "plotly", "vectorbt", "ipywidgets", "matplotlib", "workbench.research", "workbench.panel")

BACKTEST = """
import workbench as wb
bars = wb.simulate(days=30, seed=1)
strategy = wb.Strategy(signal=wb.signals.MovingAverageCross(3, 8), sizer=wb.sizing.RiskPercent(0.005), exits=[wb.exits.AtrStop()])
result = wb.backtest(strategy, bars, cash=100_000)
assert len(result.orders) and len(result.stats)
"""


def loaded(code: str, names: tuple[str, ...]) -> list[str]:
    """Return which of the modules a fresh process has loaded after the code."""
    tail = f"\nimport json, sys\nprint(json.dumps([name for name in {names!r} if name in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", code + tail], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout.splitlines()[-1]))


def test_labels_and_validation_load_nothing_heavy() -> None:
    assert loaded("import workbench as wb\nwb.labels, wb.validation", (*SMALL, "scipy", "arch", "purgedcv")) == []


def test_import_workbench_loads_nothing_heavy() -> None:
    assert loaded("import workbench", LIGHT) == []


def test_a_small_backtest_loads_nothing_heavy() -> None:
    assert loaded(BACKTEST, SMALL) == []


@pytest.mark.parametrize("module", RUN_PATH + VENUE_PATH)
def test_the_run_path_loads_nothing_heavy(module: str) -> None:
    assert loaded(f"import workbench.{module}", RUN) == []

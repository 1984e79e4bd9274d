"""Where the source of a class or function of a notebook or script stands, and which names it uses.

In a kernel `inspect.getsource` fails for classes; the cell's text is in `linecache` under the file name that the code
object carries, so the very definition that an object came from is found, even after its cell was edited and run again.
"""

from __future__ import annotations
import __future__

import ast
import copy
import dataclasses
import enum
import inspect
import linecache
import os
import symtable
import sys
import textwrap
from collections.abc import Iterator
from functools import cached_property
from types import CodeType, FunctionType
from typing import Any

from workbench.errors import StrategyError

__all__ = ["Source", "UsedNames", "find_class", "find_function", "local_sources", "own_functions", "underlying", "used_names"]

Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
_CELLS = ("<ipython-input", "<timed", "<stdin")
_COMPREHENSIONS = ("listcomp", "setcomp", "dictcomp", "genexpr")
_FUTURES = sum(getattr(__future__, name).compiler_flag for name in __future__.all_feature_names)


@dataclasses.dataclass(frozen=True, slots=True)
class Source:
    """The source of one definition: its text, its syntax tree, and the file or cell that holds it."""

    text: str
    node: Definition
    filename: str

    def holds(self, code: CodeType) -> bool:
        """Return whether a code object was compiled from these lines."""
        return code.co_filename == self.filename and _first_line(self.node) <= code.co_firstlineno <= (self.node.end_lineno or 0)


@dataclasses.dataclass(frozen=True, slots=True)
class UsedNames:
    """The global names that a definition uses."""

    early: frozenset[str]  # when it is defined: bases, decorators, defaults, the class body
    late: frozenset[str]  # when it is called
    annotations: frozenset[str]
    chains: frozenset[str]  # dotted, as written: np.linalg.norm


def underlying(value: Any) -> Any:
    """Return the plain function in what decorators made of it, or the value itself."""
    if isinstance(value, property):
        value = value.fget or value.fset
    if isinstance(value, classmethod | staticmethod):
        value = value.__func__
    if isinstance(value, cached_property):
        value = value.func
    value = inspect.unwrap(value) if callable(value) and not isinstance(value, type) else value
    return getattr(value, "py_func", value)  # numba's


def own_functions(cls: type) -> Iterator[FunctionType]:
    """Yield the functions in a class's namespace that somebody wrote (dataclasses' generated ones are left out)."""
    for value in vars(cls).values():
        function = underlying(value)
        if isinstance(function, FunctionType):
            filename = function.__code__.co_filename
            if not filename.startswith("<") or filename.startswith(_CELLS):
                yield function


def find_class(cls: type) -> Source:
    """Return the source of a class: the definition that this very object came from.

    Raises
    ------
    StrategyError
        Where the source is not available, is ambiguous, or has changed since it ran.
    """
    place = vars(cls).get("_defined_at") or _place_of_method(cls)
    if place is None:
        return _only_definition(cls)
    source = _find(cls.__name__, *place)
    for function in own_functions(cls):
        if source.holds(function.__code__):
            _require_unchanged(function, source, cls.__name__)
    return source


def find_function(function: FunctionType) -> Source:
    """Return the source of a function; raises as `find_class` does."""
    source = _find(function.__name__, function.__code__.co_filename, function.__code__.co_firstlineno)
    _require_unchanged(function, source, function.__name__)
    return source


def _place_of_method(cls: type) -> tuple[str, int] | None:
    for function in own_functions(cls):
        if function.__module__ == cls.__module__ and function.__qualname__.startswith(f"{cls.__qualname__}."):
            return function.__code__.co_filename, function.__code__.co_firstlineno
    return None


def _find(name: str, filename: str, line: int) -> Source:
    for source in _definitions(name, filename):
        if _first_line(source.node) <= line <= (source.node.end_lineno or 0):
            return source
    raise StrategyError(
        f"the source of {name!r} is not available, so it cannot be captured; define it in a cell of its own, "
        "without a cell magic such as %%time and without exec"
    )


def _definitions(name: str, filename: str) -> Iterator[Source]:
    lines = linecache.getlines(filename)
    try:
        tree = ast.parse("".join(lines))
    except SyntaxError:
        return
    for node in ast.walk(tree):
        if isinstance(node, Definition) and node.name == name:
            text = textwrap.dedent("".join(lines[_first_line(node) - 1 : node.end_lineno]))
            yield Source(text.rstrip() + "\n", node, filename)


def _first_line(node: Definition) -> int:
    return min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])


def _only_definition(cls: type) -> Source:
    """Return the source of a class that has no method to tell its cell (an enum): its only definition, wherever it stands."""
    found = {}
    for filename in local_sources(cls.__module__):
        for source in _definitions(cls.__name__, filename):
            if getattr(cls, "__firstlineno__", None) in (None, _first_line(source.node)):
                found[ast.dump(source.node)] = source
    likely = [source for source in found.values() if _looks_like(cls, source.node)] or list(found.values())
    if len(likely) == 1:
        return likely[0]
    reason = (
        f"has {len(likely)} different definitions and no method to tell which one is meant"
        if found
        else "has no source that could be found"
    )
    raise StrategyError(f"the class {cls.__name__!r} {reason}, so it cannot be captured; give it a method, or another name")


def _looks_like(cls: type, node: Definition) -> bool:
    """Return whether a class has the names and the plain values that a class statement gives: which cell made this enum."""
    given = {
        target.id: part.value
        for part in node.body
        if isinstance(part, ast.Assign)
        for target in part.targets
        if isinstance(target, ast.Name)
    }
    typed = {part.target.id: part.value for part in node.body if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name)}
    if set(typed) != set(inspect.get_annotations(cls)) or not set(getattr(cls, "__members__", given)) <= set(given):
        return False
    return all(_has_value(cls, name, value) for name, value in (given | typed).items() if value is not None)


def _has_value(cls: type, name: str, expression: ast.expr) -> bool:
    value = getattr(cls, name, None)
    try:
        return bool((value.value if isinstance(value, enum.Enum) else value) == ast.literal_eval(expression))
    except ValueError:  # not a plain value
        return hasattr(cls, name)


def local_sources(module: str) -> list[str]:
    """Return the names in `linecache` of the cells that ran, or the script's file."""
    cells = [name for name in linecache.cache if name.startswith("<ipython-input") or f"ipykernel_{os.getpid()}" in name]
    script = getattr(sys.modules.get(module), "__file__", None)
    return [*cells, *([script] if script else [])]


def _require_unchanged(function: FunctionType, source: Source, name: str) -> None:
    """Refuse a file that was edited after it ran; a cell's name is a hash of its text, so that cannot happen to cells."""
    if not os.path.exists(source.filename):
        return
    whole = "".join(linecache.getlines(source.filename))
    compiled = compile(whole, source.filename, "exec", flags=function.__code__.co_flags & _FUTURES, dont_inherit=True)
    if not any(code == function.__code__ for code in _codes(compiled)):
        raise StrategyError(f"the file of {name!r} was edited after it ran; run it again before its parts are captured")


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def used_names(node: Definition) -> UsedNames:
    """Return the global names that a definition uses, by when it uses them."""
    stripped = _Stripped()
    bare = ast.Module([stripped.visit(copy.deepcopy(node))], [])
    table = symtable.symtable(ast.unparse(bare), node.name, "exec")
    early: set[str] = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_referenced() and not symbol.is_assigned()}
    late: set[str] = set()
    for inner in table.get_children():
        _collect(inner, early, late, now=isinstance(node, ast.ClassDef) or inner.get_name() in _COMPREHENSIONS)
    chains = {ast.unparse(part) for part in ast.walk(node) if isinstance(part, ast.Attribute) and _is_dotted(part)}
    own = {node.name}
    return UsedNames(frozenset(early - own), frozenset(late - early - own), frozenset(stripped.names - own), frozenset(chains))


def _collect(table: symtable.SymbolTable, early: set[str], late: set[str], now: bool) -> None:
    into = early if now else late
    into |= {symbol.get_name() for symbol in table.get_symbols() if symbol.is_global()}
    for inner in table.get_children():
        runs_now = now and (inner.get_type() == "class" or inner.get_name() in _COMPREHENSIONS)
        _collect(inner, early, late, runs_now)


def _is_dotted(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) or (isinstance(node, ast.Attribute) and _is_dotted(node.value))


class _Stripped(ast.NodeTransformer):
    """Take the annotations out of a tree and keep the names in them: they need not exist when the code runs."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def visit_arg(self, node: ast.arg) -> ast.arg:
        self._keep(node.annotation)
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        self._keep(node.annotation)
        node.annotation = ast.Constant(None)
        return self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._without_return(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._without_return(node)

    def _without_return(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        self._keep(node.returns)
        node.returns = None
        return self.generic_visit(node)

    def _keep(self, annotation: ast.AST | None) -> None:
        if isinstance(annotation, ast.Name):
            self.names.add(annotation.id)
        elif isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
            self._keep_text(annotation.value)
        elif isinstance(annotation, ast.Subscript) and ast.unparse(annotation.value).endswith("Literal"):
            self._keep(annotation.value)
        elif annotation is not None:
            for inner in ast.iter_child_nodes(annotation):
                self._keep(inner)

    def _keep_text(self, text: str) -> None:
        try:
            self._keep(ast.parse(text, mode="eval").body)
        except SyntaxError:
            return  # text that is no type, as in Annotated[float, "per year"]

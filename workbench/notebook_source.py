"""Capture of classes defined in notebook cells or scripts, so that another process can import them.

`capture` writes the text of a module ``parts.py``: the classes, and everything of the notebook that they use - helper
functions, base classes, imports. What cannot be written down (a variable of the notebook, a closure, a lambda) is
refused by name.
"""

from __future__ import annotations

import ast
import builtins
import dataclasses
import functools
import inspect
import linecache
import sys
from collections.abc import Iterable
from types import FunctionType, ModuleType
from typing import Any, NoReturn

from workbench.component_text import is_local, public_path
from workbench.errors import StrategyError
from workbench.notebook_code import Source, UsedNames, find_class, find_function, local_sources, own_functions, underlying, used_names

__all__ = ["capture"]

_HEADER = '"""Parts of a notebook or script, captured by workbench together with what they use."""\n\nfrom __future__ import annotations\n'
_MODULE_NAMES = frozenset({"__name__", "__doc__", "__class__", "__debug__"})


def capture(classes: Iterable[type]) -> str:
    """Return the text of a module that defines classes of a notebook or script again.

    Parameters
    ----------
    classes : iterable of type
        Those that can be imported anyway (``workbench.signals.MovingAverageCross``) are left out.

    Returns
    -------
    str
        Python source: imports, then helpers and classes in an order in which they can be defined; empty where no
        class has to be captured.

    Raises
    ------
    StrategyError
        Naming what cannot be captured: a variable of the notebook, a closure, a lambda, code without source, a class
        that was changed after its definition.

    Examples
    --------
    >>> from workbench.signals import Breakout
    >>> capture([Breakout])  # a shipped class needs no source
    ''
    """
    given = list(classes)
    local = [cls for cls in given if is_local(cls.__module__)]
    for cls in given:
        if cls not in local:
            public_path(cls)  # raises where it cannot be imported after all
    if not local:
        return ""
    found = _Capture()
    for cls in local:
        found.add(cls.__name__, cls, vars(sys.modules[cls.__module__]), cls.__name__)
    return found.text()


@dataclasses.dataclass(frozen=True, slots=True)
class _Piece:
    """One definition of the captured module, and what of the same module it needs."""

    text: str
    early: frozenset[str]
    late: frozenset[str]


class _Capture:
    """Definitions and imports, collected from the classes that were asked for."""

    def __init__(self) -> None:
        self.objects: dict[str, object] = {}
        self.pieces: dict[str, _Piece] = {}
        self.imports: set[str] = set()

    def add(self, name: str, value: Any, scope: dict[str, Any], user: str) -> None:
        """Capture a class or function of the notebook under its name, and all that it uses."""
        if self._is_other(name, value):
            raise StrategyError(
                f"two different definitions of {name!r} are in use; run the cells again and build the parts from the newest one"
            )
        if name in self.pieces:
            return
        defined = value.__name__
        if name != defined:
            self.add(defined, value, scope, user)
            self.pieces[name] = _Piece(f"{name} = {defined}\n", frozenset({defined}), frozenset())
            return
        source = _source_of(value, user)
        names = used_names(source.node)
        self.pieces[name] = _Piece(source.text, names.early, names.late | names.annotations)
        if isinstance(value, type):
            self._check_class(value, source, names, scope)
        self._add_used(names, scope, user)

    def _is_other(self, name: str, value: object) -> bool:
        """Keep what a name stands for; return whether it already stands for something else."""
        return self.objects.setdefault(name, value) is not value

    def _check_class(self, cls: type, source: Source, names: UsedNames, scope: dict[str, Any]) -> None:
        """Refuse a class that is not what its source says any more."""
        for function in own_functions(cls):
            given = function.__qualname__.partition(".")[0] in names.early
            if is_local(function.__module__) and not given and not source.holds(function.__code__):
                raise StrategyError(f"{function.__name__!r} of {cls.__name__} was set outside of the class body; write it into the class")
        for base in cls.__bases__:
            if is_local(base.__module__) and scope.get(base.__name__) is not base:
                raise StrategyError(f"{cls.__name__} was built on an earlier definition of {base.__name__}; run its cell again")

    def _add_used(self, names: UsedNames, scope: dict[str, Any], user: str) -> None:
        for name in sorted(names.early | names.late | names.annotations):
            only_annotation = name not in names.early | names.late
            if name in _MODULE_NAMES or _is_builtin(name, scope):
                continue
            if name in scope or hasattr(builtins, name):
                self._add_name(name, scope.get(name, getattr(builtins, name, None)), scope, user, names)
            elif not only_annotation:  # a name for type checkers need not exist
                raise StrategyError(f"{user} uses {name!r}, which is not defined")

    def _add_name(self, name: str, value: Any, scope: dict[str, Any], user: str, names: UsedNames) -> None:
        statement = _import_statement(name, value, str(scope.get("__name__")))
        if statement:
            if self._is_other(name, value):
                raise StrategyError(f"{user} uses {name!r}, which means two different things in the parts that are captured together")
            self.imports.add(statement)
            self.imports |= _submodules(name, value, names.chains)
            return
        plain = underlying(value)
        if isinstance(value, type) and is_local(value.__module__):
            self.add(name, value, scope, f"{user} uses the class {name}, which")
        elif isinstance(plain, FunctionType) and is_local(plain.__module__) and not hasattr(value, "registry"):  # singledispatch
            self.add(name, _named(value, plain), scope, f"{user} uses the function {name}, which")
        else:
            _refuse_variable(name, scope, user)

    def text(self) -> str:
        """Return the module."""
        imports = sorted(self.imports, key=lambda line: (line.startswith("from "), line))
        head = "\n".join([_HEADER, *imports, *([""] if imports else []), "__workbench_parts__ = True"])
        return "\n\n\n".join([head, *(self.pieces[name].text.rstrip() for name in _ordered(self.pieces))]) + "\n"


def _named(value: Any, plain: FunctionType) -> Any:
    return value if getattr(value, "__name__", None) == plain.__name__ else plain


def _source_of(value: Any, user: str) -> Source:
    plain = value if isinstance(value, type) else underlying(value)
    if plain.__name__ == "<lambda>":
        raise StrategyError(f"{user} is a lambda, which has no source of its own; write it as a function with def")
    free = [] if isinstance(plain, type) else _free_variables([plain])
    if isinstance(plain, type):
        free = _free_variables(own_functions(plain)) if "<locals>" in plain.__qualname__ else []
    if free:
        raise StrategyError(f"{user} closes over the local variable {free[0]!r}, which cannot be captured; make it a parameter")
    if plain.__qualname__ != plain.__name__:
        outer = plain.__qualname__.rpartition(f".{plain.__name__}")[0].removesuffix(".<locals>")
        raise StrategyError(f"{user} is defined inside of {outer!r}, which cannot be captured; define it at the top of a cell")
    return find_class(plain) if isinstance(plain, type) else find_function(plain)


def _free_variables(functions: Iterable[FunctionType]) -> list[str]:
    return sorted({name for function in functions for name in function.__code__.co_freevars} - {"__class__"})


def _refuse_variable(name: str, scope: dict[str, Any], user: str) -> NoReturn:
    home = "script" if "__file__" in scope else "notebook"
    remedy = "hand it over as an argument" if user.endswith("which") and "the function" in user else "make it a parameter of the class"
    raise StrategyError(f"{user} uses the {home}'s variable {name!r}; {remedy}")


def _is_builtin(name: str, scope: dict[str, Any]) -> bool:
    """Return whether a name is Python's own; a kernel adds others (get_ipython, display) and wraps `open`."""
    if not hasattr(builtins, name):
        return False
    value = getattr(builtins, name)
    if name in scope and scope[name] is not value and inspect.unwrap(scope[name]) is not value:
        return False
    return str(getattr(value, "__module__", None)).partition(".")[0] not in ("IPython", "ipykernel")


def _import_statement(name: str, value: Any, module: str) -> str | None:
    """Return the statement that imports a value under its name: the notebook's own, else one made from the object."""
    for filename in local_sources(module):
        for statement, imported in _imports_of(filename, name):
            if imported is value:
                return statement
    if isinstance(value, ModuleType):
        return None if sys.modules.get(value.__name__) is not value or is_local(value.__name__) else _import_module(value.__name__, name)
    origin = getattr(value, "__module__", None) or type(value).__module__
    attribute = getattr(value, "__name__", None)
    if not callable(value) or not isinstance(attribute, str) or is_local(origin):
        return None
    packages = origin.split(".")
    for depth in range(1, len(packages) + 1):
        package = ".".join(packages[:depth])
        if getattr(sys.modules.get(package), attribute, None) is value:
            return _import_from(package, attribute, name)
    return None


def _imports_of(filename: str, name: str) -> Iterable[tuple[str, Any]]:
    """Yield the import statements of a source that bind a name, with what each one gives."""
    for node in _imports(tuple(linecache.getlines(filename))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                module = alias.name if alias.asname else alias.name.partition(".")[0]
                if (alias.asname or module) == name and module in sys.modules and not is_local(module):
                    yield _import_module(module, name), sys.modules[module]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level and not is_local(node.module):
            for alias in node.names:
                if (alias.asname or alias.name) == name:
                    yield _import_from(node.module, alias.name, name), getattr(sys.modules.get(node.module), alias.name, None)


@functools.lru_cache
def _imports(lines: tuple[str, ...]) -> list[ast.Import | ast.ImportFrom]:
    try:
        tree = ast.parse("".join(lines))
    except SyntaxError:
        return []
    return [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]


def _import_module(module: str, name: str) -> str:
    return f"import {module}" if module == name else f"import {module} as {name}"


def _import_from(module: str, attribute: str, name: str) -> str:
    return f"from {module} import {attribute}" + ("" if attribute == name else f" as {name}")


def _submodules(name: str, value: Any, chains: Iterable[str]) -> set[str]:
    """Return the imports of submodules that are reached through a package: ``xml.etree.ElementTree`` needs its own."""
    found = set()
    for chain in chains:
        root, *rest = chain.split(".")
        module = value if root == name else None
        for attribute in rest:
            inner = getattr(module, attribute, None) if isinstance(module, ModuleType) else None
            if not isinstance(module, ModuleType) or sys.modules.get(f"{module.__name__}.{attribute}") is not inner or inner is None:
                break
            module = inner
            found.add(f"import {module.__name__}")
    return {line for line in found if not line.startswith("import workbench.")}  # its rooms load by themselves


def _ordered(pieces: dict[str, _Piece]) -> list[str]:
    """Return the names in an order in which they can be defined; what is only called later still comes first where it can."""
    order: list[str] = []
    for name in pieces:
        _visit(name, pieces, order, ())
    return order


def _visit(name: str, pieces: dict[str, _Piece], order: list[str], stack: tuple[str, ...]) -> None:
    if name in order or name in stack or name not in pieces:
        return
    stack = (*stack, name)
    for needed in sorted(pieces[name].early):
        _visit(needed, pieces, order, stack)
    for used in sorted(pieces[name].late):
        if not _needed_first(used, pieces) & set(stack):
            _visit(used, pieces, order, stack)
    order.append(name)


def _needed_first(name: str, pieces: dict[str, _Piece]) -> set[str]:
    """Return all that has to be defined before a definition can run."""
    found: set[str] = set()
    waiting = list(pieces[name].early) if name in pieces else []
    while waiting:
        needed = waiting.pop()
        if needed in pieces and needed not in found:
            found.add(needed)
            waiting += [*pieces[needed].early, *pieces[needed].late]
    return found

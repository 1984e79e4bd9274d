"""Components as readable text: a structure of plain dicts and lists, ready for JSON.

::

    {"part": "workbench.signals.AllAgree", "signals": [{"part": "workbench.signals.MovingAverageCross", "fast": 10, "slow": 50}]}

A class is named by its shortest public path; one of a notebook or script by ``parts.<name>``, the module that
`notebook_source.capture` writes. What JSON cannot hold is written as an object of one key: ``{"tuple": [...]}``,
``{"float": "inf"}``, and ``{"dict": {...}}`` for a dict that has one of these words as a key. A trained model is a file of its
own, which the text names by its folder and hashes: ``{"model": "models/3f2a91c0d2b1", "sha256": "...", "card": "..."}``.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import json
import math
import pkgutil
import sys
from collections.abc import Callable, Iterator, Sequence
from types import ModuleType
from typing import Any

from workbench.component import Component
from workbench.component_values import has_parameters, is_model, is_numpy_scalar
from workbench.errors import StrategyError, WorkbenchError, did_you_mean

__all__ = ["from_dict", "is_local", "models_of", "parts_inside", "parts_of", "public_path", "round_trip", "to_dict"]

_WORDS = frozenset({"part", "tuple", "float", "dict", "model"})
_MODEL = {"model", "sha256", "card"}
ReadModel = Callable[[dict[str, str]], Any]


def parts_of(component: Component) -> Iterator[Component]:
    """Yield a component and every component nested in it, in lists and dicts as well."""
    yield component
    for part in parts_inside(component):
        yield from parts_of(part)


def parts_among(value: Any) -> Iterator[Component]:
    """Yield the components in a value, in lists and dicts as well, and every one nested in them."""
    for part in _inside(value):
        yield from parts_of(part)


def parts_inside(component: Component) -> Iterator[Component]:
    """Yield the components that a component holds itself, in lists and dicts as well: one level down."""
    for value in component.get_params(deep=False).values():
        yield from _inside(value)


def _inside(value: Any) -> Iterator[Component]:
    if isinstance(value, Component):
        yield value
    elif isinstance(value, list | tuple | dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _inside(item)


def models_of(component: Component) -> Iterator[Any]:
    """Yield every trained model in a component and its parts."""
    for part in parts_of(component):
        for value in part.get_params(deep=False).values():
            yield from (one for one in (value if isinstance(value, list | tuple) else [value]) if is_model(one))


def is_local(module: str) -> bool:
    """Return whether a module is a notebook, a script or a captured ``parts.py``: no other process can import it by name."""
    if module in ("__main__", "parts"):
        return True
    loaded = sys.modules.get(module)
    if loaded is None or getattr(loaded, "__workbench_parts__", False):
        return True
    root = module.partition(".")[0]
    return root not in sys.builtin_module_names and not any(_finds(finder, root) for finder in sys.meta_path)


def _finds(finder: Any, root: str) -> bool:
    return hasattr(finder, "find_spec") and finder.find_spec(root, None) is not None


def public_path(cls: type) -> str:
    """Return the shortest path under which a class can be imported: ``workbench.signals.MovingAverageCross``.

    Raises
    ------
    StrategyError
        Where the class is defined inside a function or its module does not hold it any more.
    """
    if "<locals>" in cls.__qualname__:
        raise StrategyError(
            f"{cls.__name__} is defined inside a function, so no other process can find it; define it at the top of a cell or module"
        )
    if is_local(cls.__module__):
        return f"parts.{cls.__qualname__}"
    packages = cls.__module__.split(".")
    for depth in range(1, len(packages) + 1):
        module = ".".join(packages[:depth])
        if _reached(module, cls.__qualname__) is cls:
            return f"{module}.{cls.__qualname__}"
    raise StrategyError(
        f"{cls.__module__} does not hold the class {cls.__qualname__} any more; build the part again from the class that is there now"
    )


def _reached(module: str, qualname: str) -> Any:
    found: Any = sys.modules.get(module)
    for name in qualname.split("."):
        # asked for what it does not have, a package of ours would look for names like it first
        found = getattr(found, name, None) if name in dir(found) else None
    return found


def to_dict(component: Component) -> dict[str, Any]:
    """Return a component as a structure of dicts and lists, ready for `json.dumps`.

    Parameters
    ----------
    component : Component
        Its parameters may hold None, bool, int, float, str, lists, tuples, dicts with str keys, and components.

    Returns
    -------
    dict
        ``{"part": path, parameter: value, ...}``, every parameter written out.

    Raises
    ------
    StrategyError
        For any other value, named with its parameter and type, and for a part that has been fitted: its state would
        be lost.

    Examples
    --------
    >>> from workbench.signals import MovingAverageCross
    >>> to_dict(MovingAverageCross(fast=5))
    {'part': 'workbench.signals.MovingAverageCross', 'fast': 5, 'slow': 50}
    """
    owner = type(component).__name__
    fitted = sorted(name for name in vars(component) if name.endswith("_") and not name.startswith("_"))
    if fitted:
        raise StrategyError(f"{owner} has been fitted ({', '.join(fitted)}), and fitted state has no text form")
    params = component.get_params(deep=False)
    return {"part": public_path(type(component))} | {name: _encoded(value, f"{owner}.{name}") for name, value in params.items()}


def _encoded(value: Any, where: str) -> Any:
    if isinstance(value, Component):
        return to_dict(value)
    if is_model(value):
        return {"model": f"models/{value.id}", "sha256": value.sha256, "card": value.hash}
    if is_numpy_scalar(value):
        value = value.item()
    if type(value) is float and not math.isfinite(value):
        return {"float": str(value)}
    if value is None or type(value) in (bool, int, float, str):
        return value
    if type(value) in (list, tuple):
        items = [_encoded(item, f"{where}[{index}]") for index, item in enumerate(value)]
        return items if type(value) is list else {"tuple": items}
    if type(value) is dict and all(type(key) is str for key in value):
        plain = {key: _encoded(item, f"{where}[{key!r}]") for key, item in value.items()}
        return {"dict": plain} if _WORDS & plain.keys() else plain
    if has_parameters(value):
        raise StrategyError(
            f"{where} holds a {type(value).__name__}, which has no text form; train it first, signal.fit(bars, labels): a model is saved"
        )
    raise StrategyError(
        f"{where} holds a {type(value).__name__}, which has no text form; "
        "expected None, bool, int, float, str, components, or lists, tuples and dicts (with str keys) of them"
    )


def from_dict(
    data: dict[str, Any],
    allowed_modules: Sequence[str] = (),
    local_module: ModuleType | None = None,
    source: str = "strategy.json",
    models: ReadModel | None = None,
) -> Component:
    """Return the component that a structure of `to_dict` describes.

    Parameters
    ----------
    data : dict
        As from `json.loads`.
    allowed_modules : sequence of str
        Modules or packages of the user's own that may be imported, besides `workbench`.
    local_module : module, optional
        The captured ``parts.py``, already imported; it gives the classes named ``parts.<name>``.
    source : str, default "strategy.json"
        What the sentences call the text.
    models : callable, optional
        Given the words of a trained model (its folder and hashes), returns it.

    Raises
    ------
    StrategyError
        For a class that does not exist, is no component, or stands in a module that may not be imported.
    ParameterError
        For a parameter that the class does not have or refuses; a note says where in the text.
    """
    return _Reader(tuple(allowed_modules), local_module, source, models).part(data, "")


class _Reader:
    def __init__(self, allowed: tuple[str, ...], local: ModuleType | None, source: str, models: ReadModel | None) -> None:
        self.allowed, self.local, self.source, self.models = allowed, local, source, models

    def part(self, data: Any, where: str) -> Component:
        if not isinstance(data, dict) or not isinstance(data.get("part"), str):
            raise StrategyError(
                f'{self.source}: expected an object with the path of a part ("part": "workbench...."), got {str(data)[:80]}'
            )
        cls = self._class(data["part"])
        params = {name: self._decoded(value, f"{where}.{name}" if where else name) for name, value in data.items() if name != "part"}
        try:
            return cls(**params)
        except WorkbenchError as error:
            error.add_note(f"in {self.source}, {where or 'at the top'}: {data['part']}")
            raise

    def _decoded(self, value: Any, where: str) -> Any:
        if isinstance(value, list):
            return [self._decoded(item, f"{where}[{index}]") for index, item in enumerate(value)]
        if not isinstance(value, dict):
            return value
        if "part" in value:
            return self.part(value, where)
        if value.keys() == _MODEL:
            return self._model(value, where)
        if value.keys() == {"float"}:
            return float(value["float"])
        if value.keys() == {"tuple"}:
            return tuple(self._decoded(value["tuple"], where))
        inner = value["dict"] if value.keys() == {"dict"} else value
        return {key: self._decoded(item, f"{where}[{key!r}]") for key, item in inner.items()}

    def _model(self, words: dict[str, str], where: str) -> Any:
        """Return a trained model, which must be the one that the text names."""
        if self.models is None:
            raise StrategyError(f"{self.source}, {where}: names the trained model {words['model']}, and none came with it")
        model = self.models(words)
        if (model.sha256, model.hash) != (words["sha256"], words["card"]):
            raise StrategyError(f"{self.source}, {where}: {words['model']} is another model than the one that was saved")
        return model

    def _class(self, path: str) -> type[Component]:
        module, names = self._module(path)
        found: Any = module
        for name in names:
            holder, found = found, getattr(found, name, None)
            if found is None:
                raise StrategyError(f"{self.source} names {path}, which does not exist{did_you_mean(name, _offered(holder))}")
        if not (isinstance(found, type) and issubclass(found, Component)):
            raise StrategyError(f"{self.source} names {path}, which is no part: expected a subclass of Component")
        if inspect.isabstract(found):
            raise StrategyError(f"{self.source} names {path}, which is only the base of parts; name one of them")
        return found

    def _module(self, path: str) -> tuple[ModuleType, list[str]]:
        """Return the module that holds a class, and the names that lead to the class in it."""
        root, *rest = path.split(".")
        if not all(name.isidentifier() and not name.startswith("__") for name in (root, *rest)):
            raise StrategyError(f"{self.source} names {path!r}, which is no path of a class")
        if root == "parts" and self.local is not None:
            return self.local, rest
        if root != "workbench" and not any(path.startswith(f"{module}.") for module in self.allowed):
            missing = "no parts.py came with it" if root == "parts" else "only workbench, parts.py and modules that you allow are imported"
            raise StrategyError(f"{self.source} names {path}, but {missing}")
        return self._imported(root, rest, path)

    def _imported(self, root: str, names: list[str], path: str) -> tuple[ModuleType, list[str]]:
        if importlib.util.find_spec(root) is None:
            raise StrategyError(f"{self.source} names {path}, but there is no module {root!r}")
        module = importlib.import_module(root)
        while names and hasattr(module, "__path__") and importlib.util.find_spec(f"{module.__name__}.{names[0]}"):
            module = importlib.import_module(f"{module.__name__}.{names[0]}")
            names = names[1:]
        return module, names


def _offered(holder: Any) -> list[str]:
    """Return the names worth suggesting: classes, and the modules of a package; nothing is imported for it."""
    modules = [module.name for module in pkgutil.iter_modules(getattr(holder, "__path__", []))]
    return [name for name in (*dir(holder), *modules) if not name.startswith("_") and (name[0].isupper() or name in modules)]


def round_trip(
    component: Component,
    allowed_modules: Sequence[str] | None = None,
    local_module: ModuleType | None = None,
) -> Component:
    """Return the component written as text and read back, after checking that nothing changed.

    Parameters
    ----------
    component : Component
        The part to try.
    allowed_modules : sequence of str, optional
        As in `from_dict`; by default the modules of the component's own classes.
    local_module : module, optional
        As in `from_dict`; by default the notebook or script that defined the local classes.

    Raises
    ------
    StrategyError
        Where the text cannot be written or read, or gives other parameters.
    """
    modules = {type(part).__module__ for part in parts_of(component)}
    allowed = sorted(modules) if allowed_modules is None else allowed_modules
    local = local_module or next((sys.modules.get(name) for name in sorted(modules) if is_local(name)), None)
    written = json.dumps(to_dict(component))
    held = {model.hash: model for model in models_of(component)}
    packages = {*allowed, *(name.partition(".")[0] for name in allowed)}
    back = from_dict(json.loads(written), sorted(packages), local, "the text", lambda words: held[words["card"]])
    if not _alike(component, back) or json.dumps(to_dict(back)) != written:
        raise StrategyError(f"{component!r} comes back from its text as {back!r}")
    return back


def _alike(one: Any, other: Any) -> bool:
    if isinstance(one, Component):
        mine, theirs = (part.get_params(deep=False) if isinstance(part, Component) else None for part in (one, other))
        return type(one).__name__ == type(other).__name__ and _alike(mine, theirs)
    if is_numpy_scalar(one):
        one = one.item()
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return list(one) == list(other) and all(_alike(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(_alike, one, other))
    return bool(one == other or (one != one and other != other))

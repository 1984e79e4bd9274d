"""`Component`: typed fields as parameters, scikit-learn's conventions without importing scikit-learn.

A part is a class with typed fields and one method; no decorator, no registration::

    class MovingAverageCross(SignalGenerator):
        fast: int = 10
        slow: int = 50

        def check(self) -> None:
            if self.fast >= self.slow:
                raise ParameterError(f"fast must be below slow, got {self.fast} and {self.slow}")

Fields are parameters; constants are written in capitals; names that start or end with ``_`` are state, which is not a
parameter and is not cloned.
"""

from __future__ import annotations

import copy
import dataclasses
import importlib
import inspect
import pkgutil
import sys
from abc import ABC
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Self, TypeVar, dataclass_transform

from workbench.component_definition import define, is_state
from workbench.component_display import constructor_call, html_table
from workbench.component_values import copied, explain, fits, has_parameters, is_part, named_parts, parameter_hints
from workbench.errors import ParameterError, did_you_mean

__all__ = ["Component", "all_components", "clone", "varied"]

# rooms above the parts, and the venues, whose libraries may be missing
_NO_PARTS = frozenset({"__main__", "adapters", "cli", "journal", "live", "panel", "practice", "research", "session"})


@dataclass_transform(eq_default=False, field_specifiers=(dataclasses.field,))
class Component(ABC):
    """Base of every part: its typed fields are its parameters.

    A subclass becomes a dataclass that is compared and hashed by identity. Parameters are stored as they came, judged
    lightly by their annotations, then by the part's own `check`. `get_params`, `set_params`, `clone`, ``ParameterGrid``
    and ``GridSearchCV`` of scikit-learn work on it, pickling and `copy.deepcopy` as well.

    Raises
    ------
    ParameterError
        At construction: an unknown or missing parameter, a value that does not fit its annotation (NaN does not fit
        ``float``), or whatever `check` refuses. At class definition: a default that would be shared, slots, an own
        ``__init__``.

    Examples
    --------
    >>> class Band(Component):
    ...     width: float = 2.0
    >>> Band(width=3)
    Band(width=3)
    """

    _workbench_part: ClassVar[bool] = True
    _parameter_names: ClassVar[tuple[str, ...]] = ()
    _hints: ClassVar[dict[str, Any]]
    _own_dataclass_params: ClassVar[Any]
    _defined_at: ClassVar[tuple[str, int] | None]

    def __init_subclass__(cls, **options: Any) -> None:
        """Make the subclass a component."""
        super().__init_subclass__(**options)
        define(cls)

    def check(self) -> None:  # noqa: B027 - a hook: most parts have nothing to refuse
        """Raise `ParameterError` where parameters do not fit together; the base has nothing to refuse."""

    @classmethod
    def example(cls) -> Self:
        """Return an instance to try the part with; a part with required parameters overrides it."""
        return cls()

    def __setattr__(self, name: str, value: Any) -> None:
        """Set a parameter, a class attribute or state; anything else is a misspelt name."""
        cls: type[Component] = type(self)
        if name in cls._parameter_names:
            _require_fit(cls, name, value)
        elif not is_state(name) and name not in getattr(cls, "__dataclass_fields__", ()):
            if not hasattr(cls, name):
                raise _unknown(self, name)
            if not hasattr(getattr(cls, name), "__set__"):
                raise ParameterError(f"{cls.__name__}.{name} belongs to the class and is no parameter; it cannot be set on one part")
        super().__setattr__(name, value)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters by name.

        Parameters
        ----------
        deep : bool, default True
            Also those of nested parts: ``signal__fast``; in a list by class name: ``risk__maxleverage__limit``,
            the second of a kind ``risk__maxexposure_2__limit``.

        Returns
        -------
        dict of str to object
            The values themselves, no copies.
        """
        params = {name: getattr(self, name) for name in self._parameter_names}
        if deep:
            for name in self._parameter_names:
                params.update(_nested(name, params[name]))
        return params

    def set_params(self, **params: Any) -> Self:
        """Set parameters, also nested ones; where one is refused nothing changes.

        Parameters
        ----------
        **params : object
            By the names of `get_params`.

        Returns
        -------
        Component
            This component.

        Raises
        ------
        ParameterError
            For an unknown name, a value that does not fit, or whatever `check` refuses.
        """
        trial = {name: copied(value, _same, _trial) for name, value in params.items()}
        _apply(_trial(self), trial, check=True)
        _apply(self, params, check=False)
        return self

    def set_output(self, *, transform: str | None = None) -> Self:
        """Choose the container that `transform` returns, as in scikit-learn.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"}, optional
            None changes nothing.

        Returns
        -------
        Component
            This component.
        """
        if transform is not None:
            self._sklearn_output_config = {"transform": transform}
        return self

    def __repr__(self) -> str:
        """Return the constructor call."""
        return constructor_call(self)

    def _repr_html_(self) -> str:
        return html_table(self)

    def __sklearn_clone__(self) -> Self:
        """Return a new part with copies of the parameters and without fitted state."""
        return clone(self)

    def __sklearn_tags__(self) -> Any:
        """Return scikit-learn's default tags; scikit-learn is imported only here."""
        from sklearn.utils import Tags, TargetTags

        return Tags(estimator_type=None, target_tags=TargetTags(required=False))


PartT = TypeVar("PartT", bound=Component)


def clone(part: PartT) -> PartT:
    """Return a new part with copies of the parameters, as ``sklearn.base.clone`` does, without scikit-learn.

    Parameters
    ----------
    part : Component
        The part to copy; its fitted state (``model_``) is left behind.

    Returns
    -------
    Component
        The copy, checked as at any construction.
    """
    if not is_part(part):  # an estimator, or a model, which is its own copy
        return copied(part, copy.deepcopy, clone)
    params = {name: copied(value, copy.deepcopy, clone) for name, value in part.get_params(deep=False).items()}
    twin = type(part)(**params)
    for name in {"_sklearn_output_config", "_metadata_request"} & vars(part).keys():
        setattr(twin, name, copy.deepcopy(getattr(part, name)))
    return twin


def varied(part: PartT, values: Mapping[str, Any]) -> PartT:
    """Return a new part with some parameters of its own, as `clone` and `set_params` would, in a fraction of their time.

    Whole parts are set first, then what is inside of them. Parts and containers are new, fitted state is left behind; other values
    are shared with the first part, so this is for parts that are used and not changed.

    Raises
    ------
    ParameterError
        As from `set_params`.
    """
    twin = _unfitted(part)
    _apply(twin, {name: clone(value) if has_parameters(value) else value for name, value in values.items()}, check=True)
    return twin


def all_components(base: type = Component) -> list[type]:
    """Return every concrete, public subclass that the package `workbench` defines, sorted by path.

    All rooms that hold parts are imported for it. Concrete means: no abstract methods (`Component` is an ABC), a name
    without a leading underscore, and not the port of a room, which stands in its ``_base.py`` and may have no abstract
    method (`RiskManager`). Classes made inside functions are left out.

    Parameters
    ----------
    base : type, default Component
        The kind of part; the base itself is not among them.
    """
    _import_rooms()
    found = {cls for cls in _subclasses(base) if cls.__module__.partition(".")[0] == "workbench"}
    shipped = (cls for cls in found if _is_public(cls) and not inspect.isabstract(cls))
    return sorted(shipped, key=lambda cls: (cls.__module__, cls.__qualname__))


def _import_rooms() -> None:
    package = importlib.import_module("workbench")
    for room in pkgutil.iter_modules(package.__path__, "workbench."):
        if room.name.rpartition(".")[2] in _NO_PARTS:
            continue
        module = importlib.import_module(room.name)
        for inner in pkgutil.walk_packages(getattr(module, "__path__", []), f"{room.name}."):
            importlib.import_module(inner.name)


def _subclasses(base: type) -> Iterator[type]:
    children: list[type] = base.__subclasses__()
    for cls in children:
        yield cls
        yield from _subclasses(cls)


def _is_public(cls: type) -> bool:
    if cls.__name__.startswith("_") or cls.__module__.endswith("._base"):
        return False
    return getattr(sys.modules.get(cls.__module__), cls.__name__, None) is cls


def _require_fit(cls: type[Component], name: str, value: Any) -> None:
    if "_hints" not in vars(cls):
        cls._hints = parameter_hints(cls)  # at first use: a class may name itself or a later one
    hint = vars(cls)["_hints"].get(name, Any)
    if not fits(value, hint):
        raw = next((inspect.get_annotations(base)[name] for base in cls.__mro__ if name in inspect.get_annotations(base)), hint)
        raise explain(value, hint, f"{cls.__name__}.{name}", raw)


def _unknown(part: Component, name: str) -> ParameterError:
    inside = [repr(known) for known in part.get_params() if known.endswith(f"__{name}")]  # of a part in it, by its short name
    hint = f"; did you mean {' or '.join(inside[:3])}?" if inside else did_you_mean(name, part._parameter_names)
    return ParameterError(f"{type(part).__name__} has no parameter {name!r}{hint}")


def _nested(name: str, value: Any) -> dict[str, Any]:
    """Return the nested parameters of a value that is a part, or a list of parts, under long names."""
    if has_parameters(value):
        return {f"{name}__{inner}": item for inner, item in value.get_params(deep=True).items()}
    params: dict[str, Any] = {}
    for label, key in named_parts(value).items():
        params[f"{name}__{label}"] = value[key]
        params.update({f"{name}__{label}__{inner}": item for inner, item in value[key].get_params(deep=True).items()})
    return params


def _same(value: Any) -> Any:
    return value


def _trial(part: PartT) -> PartT:
    """Return a twin to try parameters on: parts anew, everything else shared, nothing checked."""
    twin = object.__new__(type(part))
    vars(twin).update(vars(part))
    for name in part._parameter_names:
        vars(twin)[name] = copied(vars(part)[name], _same, _trial)
    return twin


def _unfitted(part: PartT) -> PartT:
    """Return a twin without fitted state: parts and containers anew, other values shared."""
    twin = object.__new__(type(part))
    for name in part._parameter_names:
        vars(twin)[name] = copied(vars(part)[name], _same, _unfitted)
    twin.check()  # what was fit once is fit again, and a part may prepare itself here
    return twin


def _split(params: dict[str, Any]) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Return what belongs to this level, and what belongs to nested parts by their names."""
    own: dict[str, Any] = {}
    nested: dict[str, dict[str, Any]] = {}
    for name, value in params.items():
        head, separator, rest = name.partition("__")
        if separator:
            nested.setdefault(head, {})[rest] = value
        else:
            own[name] = value
    return own, nested


def _apply(part: Component, params: dict[str, Any], check: bool) -> None:
    own, nested = _split(params)
    for name in own.keys() | nested.keys():
        if name not in part._parameter_names:
            raise _unknown(part, name)
    for name, value in own.items():
        setattr(part, name, value)
    for name, inner in nested.items():
        value = getattr(part, name)
        if has_parameters(value):
            _apply_to(value, inner, check)
        else:
            _apply_in_container(part, name, inner, check)
    if check:
        part.check()


def _apply_to(value: Any, params: dict[str, Any], check: bool) -> None:
    if is_part(value):
        _apply(value, params, check)
    else:
        value.set_params(**params)


def _apply_in_container(part: Component, name: str, params: dict[str, Any], check: bool) -> None:
    """Set parameters of parts in a list; a part put in its place makes a new list, the caller's own stays as it was."""
    container = getattr(part, name)
    labels = named_parts(container)
    own, nested = _split(params)
    for label in own.keys() | nested.keys():
        if label not in labels:
            raise ParameterError(f"{type(part).__name__}.{name} holds no part {label!r}{did_you_mean(label, labels)}")
    if own:
        container = _replaced(container, {labels[label]: value for label, value in own.items()})
        setattr(part, name, container)
    for label, inner in nested.items():
        _apply_to(container[labels[label]], inner, check)


def _replaced(container: Any, items: dict[Any, Any]) -> Any:
    changed = dict(container) if isinstance(container, dict) else list(container)
    for key, value in items.items():
        changed[key] = value
    return tuple(changed) if isinstance(container, tuple) else changed

"""What a parameter's value is: whether it fits its annotation, which parts it holds, how it is copied.

Judged from the annotation alone and without numpy or scikit-learn; whatever cannot be judged passes.
"""

from __future__ import annotations

import collections.abc
import enum
import numbers
import sys
import types
import typing
from collections.abc import Callable
from inspect import get_annotations
from typing import Any

from workbench.errors import ParameterError, did_you_mean

__all__ = ["copied", "explain", "fits", "has_parameters", "is_model", "is_numpy_scalar", "is_part", "named_parts", "parameter_hints"]

_SEQUENCES = (
    list,
    tuple,
    set,
    frozenset,
    collections.abc.Sequence,
    collections.abc.MutableSequence,
    collections.abc.Iterable,
    collections.abc.Collection,
    collections.abc.Set,
)
_MAPPINGS = (dict, collections.abc.Mapping, collections.abc.MutableMapping)
_BUILTIN_CONTAINERS = (list, tuple, set, frozenset)


def is_part(value: object) -> bool:
    """Return whether a value is a component (an instance, not a class)."""
    return getattr(type(value), "_workbench_part", False) is True


def is_model(value: object) -> bool:
    """Return whether a value is a trained model: it has no parameters, never changes, and is kept as a file."""
    return getattr(type(value), "_workbench_model", False) is True


def has_parameters(value: object) -> bool:
    """Return whether a value is a component or follows scikit-learn's protocol as one does."""
    return hasattr(value, "get_params") and not isinstance(value, type)


def named_parts(value: object) -> dict[str, Any]:
    """Return the nested names of the parts in a list, tuple or dict, each with its index or key.

    In a list a part is named after its class, the second of a kind with ``_2``: ``maxexposure``, ``maxexposure_2``.
    """
    if type(value) is dict:
        return {key: key for key, item in value.items() if isinstance(key, str) and "__" not in key and has_parameters(item)}
    names: dict[str, Any] = {}
    if type(value) in (list, tuple):
        for index, item in enumerate(typing.cast("list[object]", value)):
            if has_parameters(item):
                names[_free_name(type(item).__name__.lower().replace("__", "_"), names)] = index
    return names


def _free_name(kind: str, taken: dict[str, Any]) -> str:
    name, count = kind, 1
    while name in taken:
        count += 1
        name = f"{kind}_{count}"
    return name


def copied(value: Any, leaf: Callable[[Any], Any], part: Callable[[Any], Any]) -> Any:
    """Return a value copied as scikit-learn's `clone` does: containers anew, parts by `part`, all else by `leaf`."""
    if is_part(value):
        return part(value)
    if type(value) in _BUILTIN_CONTAINERS:
        return type(value)(copied(item, leaf, part) for item in value)
    if type(value) is dict:
        return {key: copied(item, leaf, part) for key, item in value.items()}
    if has_parameters(value):
        from sklearn.base import clone

        return clone(value, safe=False)
    return leaf(value)


def parameter_hints(cls: type) -> dict[str, Any]:
    """Return the annotations of a class and its bases as objects; what cannot be resolved becomes `Any`."""
    hints: dict[str, Any] = {}
    for owner in reversed(cls.__mro__):
        for name, raw in get_annotations(owner).items():
            hints[name] = _resolved(raw, owner) if isinstance(raw, str) else raw
    return hints


def _resolved(text: str, owner: type) -> Any:
    scope = vars(sys.modules[owner.__module__]) if owner.__module__ in sys.modules else {}
    try:
        return eval(text, dict(scope), {owner.__name__: owner})  # the class's own source, as typing.get_type_hints evaluates it
    except Exception:
        return Any  # for instance a name imported for type checkers only


def fits(value: Any, hint: Any) -> bool:
    """Return whether a value fits an annotation; what cannot be judged fits."""
    hint = _bare(hint)
    if hint is None or hint is type(None):
        return value is None
    origin, choices = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return any(fits(value, choice) for choice in choices)
    if origin is typing.Literal:
        return any(_is_choice(value, choice) for choice in choices)
    if origin is not None:
        return _fits_container(value, origin, choices)
    return _fits_class(value, hint) if isinstance(hint, type) else True


def _bare(hint: Any) -> Any:
    """Return an annotation without what wraps it: Annotated, Final, NewType, a type alias."""
    if typing.get_origin(hint) in (typing.Annotated, typing.Final):
        return _bare(typing.get_args(hint)[0])
    for inner in ("__supertype__", "__value__"):
        if not isinstance(hint, type) and hasattr(hint, inner):
            return _bare(getattr(hint, inner))
    return hint


def _is_choice(value: Any, choice: Any) -> bool:
    if isinstance(value, bool) is not isinstance(choice, bool):
        return False
    return bool(isinstance(value, type(choice)) and value == choice)


def _fits_class(value: Any, hint: type) -> bool:
    if hint in _JUDGES:
        return _JUDGES[hint](value)
    if hint in _SEQUENCES or hint in _MAPPINGS:
        return _fits_container(value, hint, ())
    judged = getattr(hint, "_workbench_part", False) or hint.__module__.startswith("workbench.") or issubclass(hint, enum.Enum)
    try:
        return isinstance(value, hint) if judged else True
    except TypeError:  # a protocol that cannot be tested at run time
        return True


def _fits_container(value: Any, origin: Any, inner: tuple[Any, ...]) -> bool:
    if origin is type:
        return isinstance(value, type)
    if origin is collections.abc.Callable:
        return callable(value)
    if origin in _MAPPINGS:
        return _fits_mapping(value, inner)
    return _fits_sequence(value, inner) if origin in _SEQUENCES else True


def _fits_mapping(value: Any, inner: tuple[Any, ...]) -> bool:
    if _is_single(value) or type(value) in _BUILTIN_CONTAINERS:
        return False
    if type(value) is not dict or len(inner) != 2:
        return True
    return all(fits(key, inner[0]) and fits(item, inner[1]) for key, item in value.items())


def _fits_sequence(value: Any, inner: tuple[Any, ...]) -> bool:
    if _is_single(value) or type(value) is dict:
        return False
    if type(value) not in _BUILTIN_CONTAINERS or not inner:
        return True
    if len(inner) == 1 or inner[-1] is Ellipsis:
        return all(fits(item, inner[0]) for item in value)
    return len(value) == len(inner) and all(map(fits, value, inner))


def _is_single(value: Any) -> bool:
    return value is None or is_part(value) or isinstance(value, str | bytes | numbers.Number | type)


def is_numpy_scalar(value: Any) -> bool:
    """Return whether a value is one number, string or time of numpy's; numpy is not imported for it."""
    return (
        hasattr(value, "dtype")
        and hasattr(value, "item")
        and getattr(value, "shape", None) == ()
        and isinstance(value, collections.abc.Hashable)
    )


def _is_bool(value: Any) -> bool:
    return isinstance(value, bool) or (is_numpy_scalar(value) and isinstance(value.item(), bool))


def _is_int(value: Any) -> bool:
    return not isinstance(value, bool) and isinstance(value, numbers.Integral)


def _is_float(value: Any) -> bool:
    return not isinstance(value, bool) and isinstance(value, numbers.Real) and bool(value == value)  # NaN is no number to trade on


_JUDGES: dict[Any, Callable[[Any], bool]] = {
    bool: _is_bool,
    int: _is_int,
    float: _is_float,
    str: lambda value: isinstance(value, str),
}


def explain(value: Any, hint: Any, name: str, raw: Any) -> ParameterError:
    """Return the error for a value that does not fit: what was expected, what came, and where in a list it stands."""
    if typing.get_origin(_bare(hint)) is typing.Literal:
        expected = _listed(typing.get_args(_bare(hint)))
    else:
        expected = raw if isinstance(raw, str) else _written(raw)
    position, got = _culprit(value, hint)
    return ParameterError(f"{name} must be {expected}, got {_described(got)}{position}{_advice(value, hint, name)}")


def _listed(choices: tuple[Any, ...]) -> str:
    """Return the choices in words: 'net' or 'gross'."""
    return " or ".join(filter(None, [", ".join(map(repr, choices[:-1])), repr(choices[-1])]))


def _advice(value: Any, hint: Any, name: str) -> str:
    """Return what to write instead: the nearest choice; one part for a list, a class for a function, which people try."""
    if isinstance(value, str) and typing.get_origin(_bare(hint)) is typing.Literal:
        near = did_you_mean(value, [choice for choice in typing.get_args(_bare(hint)) if isinstance(choice, str)])
        return near if "?" in near else ""  # what is known stands there already
    inner = typing.get_args(_bare(hint))
    if is_part(value) and inner and fits(value, inner[0]):
        return f"; write {name.rpartition('.')[2]}=[{type(value).__name__}(...)]"
    if isinstance(value, types.FunctionType) and getattr(hint, "_workbench_part", False):
        return f"; a part is a class: `class Mine({hint.__name__})` with its one method"
    return ""


def _written(hint: Any) -> str:
    return hint.__name__ if type(hint) is type or getattr(hint, "_workbench_part", False) else str(hint).replace("typing.", "")


def _culprit(value: Any, hint: Any) -> tuple[str, Any]:
    """Return the element of a list that does not fit, and its position in words; the value itself where it is no list."""
    for choice in (_bare(hint), *typing.get_args(_bare(hint))):
        inner = typing.get_args(choice)
        if typing.get_origin(choice) in _SEQUENCES and type(value) in (list, tuple) and inner:
            for index, item in enumerate(value):
                if not fits(item, inner[0]):
                    return f" at position {index}", item
    return "", value


def _described(value: Any) -> str:
    if isinstance(value, type):
        hint = f"; write {value.__name__}(...) to make one" if getattr(value, "_workbench_part", False) else ""
        return f"the class {value.__name__}{hint}"
    if isinstance(value, numbers.Real) and not isinstance(value, numbers.Integral) and value != value:
        return "nan (no number)"
    text = repr(value)
    return f"{text if len(text) <= 80 else text[:77] + '...'} ({type(value).__name__})"

"""How a class statement becomes a component: what is refused at definition, and the guarded constructor."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import re
import sys
import typing
from collections.abc import Callable
from typing import Any

from workbench.component_values import has_parameters
from workbench.errors import ParameterError, did_you_mean

__all__ = ["define", "is_state", "refuse_foreign_decorator"]

_KINDS = ("ClassVar", "InitVar", "KW_ONLY")
_METHODS = (classmethod, staticmethod)
#: Values that a user means as a parameter.
_PLAIN = (bool, int, float, str, type(None), list, tuple, dict, set)


def is_state(name: str) -> bool:
    """Return whether a name is state (``model_``, ``_cache``), which is neither a parameter nor cloned."""
    return name.startswith("_") or name.endswith("_")


def define(cls: type) -> None:
    """Make a class a component: a dataclass by identity with a guarded constructor.

    Parameters
    ----------
    cls : type
        The class as its statement left it.

    Raises
    ------
    ParameterError
        Where the class cannot keep scikit-learn's promises, for instance with a mutable default.
    """
    _refuse_shape(cls)
    own = inspect.get_annotations(cls)
    for name, annotation in own.items():
        _prepare_field(cls, name, _kind(annotation))
    _refuse_untyped_override(cls, own)
    _refuse_untyped(cls, own)
    try:
        made: Any = dataclasses.dataclass(eq=False, repr=False)(cls)
    except TypeError as error:
        raise ParameterError(f"{cls.__name__}: {error}; write parameters without a default first, or give this one a default") from None
    made._own_dataclass_params = made.__dataclass_params__
    made._parameter_names = tuple(field.name for field in dataclasses.fields(made) if field.init)
    made._defined_at = _place(made)
    made.__init__ = _guarded(made, made.__init__)
    _wrap_outputs(made)


def _refuse_shape(cls: type) -> None:
    """Refuse what a dataclass decorator or the class body did to the class as a whole."""
    if "__slots__" in vars(cls):
        raise ParameterError(f"{cls.__name__} has __slots__, which breaks pickling of parts; leave out slots")
    if "__init__" in vars(cls):
        raise ParameterError(f"{cls.__name__} writes its own __init__; write each parameter as a typed field (fast: int = 10) instead")
    for base in cls.__mro__[1:]:
        if getattr(base, "_workbench_part", False) and "_own_dataclass_params" in vars(base):
            refuse_foreign_decorator(base)


def refuse_foreign_decorator(cls: type) -> None:
    """Refuse a class that was decorated with ``@dataclass`` after it had become a component.

    Raises
    ------
    ParameterError
        With what the decorator would break: hashing (``eq``) or `set_params` (``frozen``).
    """
    params = vars(cls)["__dataclass_params__"]
    if params is not vars(cls)["_own_dataclass_params"]:
        broken = "set_params" if params.frozen else "hashing and ==" if params.eq else "repr"
        raise ParameterError(
            f"{cls.__name__} is decorated with @dataclass, which breaks {broken}; leave the decorator out, a part is a dataclass already"
        )


def _kind(annotation: Any) -> str | None:
    """Return which of dataclasses' special annotations this is; it may be text."""
    if isinstance(annotation, str):
        found = re.match(r"(?:\w+\.)*(ClassVar|InitVar|KW_ONLY)\b", annotation)
        return found[1] if found else None
    if annotation is dataclasses.KW_ONLY:
        return "KW_ONLY"
    if annotation is dataclasses.InitVar or isinstance(annotation, dataclasses.InitVar):
        return "InitVar"
    return "ClassVar" if typing.ClassVar in (annotation, typing.get_origin(annotation)) else None


def _prepare_field(cls: type, name: str, kind: str | None) -> None:
    if kind == "InitVar":
        raise ParameterError(
            f"{cls.__name__}.{name} is an InitVar, which is not kept; make it a parameter, or work it out where it is used"
        )
    if kind:
        return
    given = vars(cls).get(name, dataclasses.MISSING)
    default = given.default if isinstance(given, dataclasses.Field) else given
    _refuse_shared_default(cls, name, default)
    if is_state(name):
        field: Any = given if isinstance(given, dataclasses.Field) else dataclasses.field(default=default)
        field.init = False
        setattr(cls, name, field)
    else:
        _refuse_name(cls, name, default)


def _refuse_shared_default(cls: type, name: str, default: Any) -> None:
    values = default if isinstance(default, tuple) else (default,)
    for value in values:
        if has_parameters(value) or type(value).__hash__ is None:
            kind = type(value).__name__
            raise ParameterError(
                f"{cls.__name__}.{name}: one {kind} as a default would be shared by every {cls.__name__}; "
                f"write {name}: ... = field(default_factory=lambda: ...), with field from dataclasses"
            )


def _refuse_name(cls: type, name: str, default: Any) -> None:
    if "__" in name:
        raise ParameterError(
            f"{cls.__name__}.{name}: '__' separates nested names (signal__fast), so a parameter cannot have it in its name"
        )
    if isinstance(default, property | functools.cached_property | classmethod | staticmethod):
        raise ParameterError(f"{cls.__name__}.{name} is both a typed parameter and a {type(default).__name__}; keep one of them")
    inherited = next((vars(base)[name] for base in cls.__mro__[1:] if name in vars(base)), None)
    known = any(name in getattr(base, "__dataclass_fields__", {}) for base in cls.__mro__[1:])
    if not known and (inspect.isfunction(inherited) or isinstance(inherited, _METHODS)):
        raise ParameterError(f"{cls.__name__}.{name}: a parameter of this name would hide the method {name}(); choose another name")
    if isinstance(inherited, property) and default is dataclasses.MISSING:
        raise ParameterError(f"{cls.__name__}.{name} takes the place of a property; give the parameter a default")


def _refuse_untyped_override(cls: type, own: dict[str, Any]) -> None:
    """Refuse ``fast = 20`` over an inherited ``fast: int = 10``: the dataclass would silently keep 10."""
    for base in cls.__mro__[1:]:
        for name in vars(base).get("_parameter_names", ()):
            if name in vars(cls) and name not in own:
                raise ParameterError(
                    f"{cls.__name__}.{name}: {base.__name__} has a parameter of this name; give it its type again ({name}: ... = ...)"
                )


def _refuse_untyped(cls: type, own: dict[str, Any]) -> None:
    """Refuse ``window = 200``: it looks like a parameter and would be none, so that a saved part forgets it."""
    for name, value in vars(cls).items():
        known = any(name in vars(base) for base in cls.__mro__[1:])
        if name in own or known or is_state(name) or name.isupper() or not isinstance(value, _PLAIN):
            continue
        kind = type(value).__name__ if value is not None else "..."
        raise ParameterError(
            f"{cls.__name__}.{name} has no type, so it would be no parameter: write {name}: {kind} = {value!r}, "
            f"or {name.upper()} for a constant"
        )


def _place(cls: type) -> tuple[str, int] | None:
    """Return the file name (of a cell: its name in linecache) and line of the class statement that is running."""
    frame = sys._getframe(1)
    while frame.f_globals.get("__name__") != cls.__module__:
        if frame.f_back is None:
            return None
        frame = frame.f_back
    return frame.f_code.co_filename, frame.f_lineno


def _guarded(cls: type, raw: Callable[..., None]) -> Callable[..., None]:
    """Return the dataclass's constructor, refusing unknown and missing names, and checking what it made."""
    fields = [field for field in dataclasses.fields(typing.cast(Any, cls)) if field.init]
    positional = [field.name for field in fields if not field.kw_only]
    required = [f.name for f in fields if f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING]
    names = [field.name for field in fields]

    @functools.wraps(raw)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        refuse_foreign_decorator(cls)
        given = _bound(cls.__name__, positional, args, kwargs, names)
        _refuse_missing(cls.__name__, [name for name in required if name not in given])
        raw(self, *args, **kwargs)
        for name, value in given.items():
            if getattr(self, name) is not value:
                raise ParameterError(
                    f"{cls.__name__} changes its parameter {name!r} while it is built, which breaks clone; keep it as it came"
                )
        self.check()

    return __init__


def _bound(owner: str, positional: list[str], args: tuple[Any, ...], kwargs: dict[str, Any], names: list[str]) -> dict[str, Any]:
    if len(args) > len(positional):
        raise ParameterError(f"{owner} takes at most {len(positional)} parameters by position ({', '.join(positional)}), got {len(args)}")
    given = dict(zip(positional, args, strict=False))
    for name in kwargs:
        if name in given:
            raise ParameterError(f"{owner} got two values for the parameter {name!r}")
        if name not in names:
            raise ParameterError(f"{owner} has no parameter {name!r}{did_you_mean(name, names)}")
    return given | kwargs


def _refuse_missing(owner: str, missing: list[str]) -> None:
    if missing:
        plural = "s" if len(missing) > 1 else ""
        raise ParameterError(
            f"{owner} needs the parameter{plural} {', '.join(map(repr, missing))}, which ha{'ve' if plural else 's'} no default"
        )


def _wrap_outputs(cls: Any) -> None:
    """Let `set_output` reach a transformer's output; a class with scikit-learn's own mixin has it already."""
    if cls.set_output.__module__ != "workbench.component":
        return
    for name in {"transform", "fit_transform"} & vars(cls).keys():
        setattr(cls, name, _with_container(vars(cls)[name]))
        cls._sklearn_auto_wrap_output_keys = {"transform"}


def _with_container(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def wrapped(self: Any, *args: Any, **kwargs: Any) -> Any:
        data = method(self, *args, **kwargs)
        if "_sklearn_output_config" not in vars(self) and "sklearn" not in sys.modules:
            return data
        from sklearn.utils._set_output import _wrap_data_with_container

        return _wrap_data_with_container("transform", data, args[0] if args else next(iter(kwargs.values()), None), self)

    return wrapped

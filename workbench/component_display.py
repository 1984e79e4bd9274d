"""How a component is shown: the constructor call in text, a small table in notebooks."""

from __future__ import annotations

import dataclasses
import enum
import html
import textwrap
import types
from typing import Any

from workbench.component_values import is_numpy_scalar, is_part, named_parts

__all__ = ["constructor_call", "html_table", "literal"]

LINE = 100  # characters; a longer call is broken over lines
CELL = 200  # characters of a value shown in a notebook

# colours come from the notebook's theme, so that the table is readable in light and dark
_PLAIN = "color:inherit;background:transparent"
_TABLE = "border-collapse:collapse;margin:4px 0;font-size:90%;" + _PLAIN
_CELL = "text-align:left;padding:2px 12px 2px {indent}px;border:none;border-bottom:1px solid rgba(128,128,128,.3);{plain}"


def constructor_call(part: Any) -> str:
    """Return the call that makes this component again, ready to be pasted."""
    usual = {f.name: f.default for f in dataclasses.fields(part) if f.kw_only}
    given = part.get_params(deep=False).items()
    # what is given by its name alone is said where it is not as usual
    arguments = [f"{name}={literal(value)}" for name, value in given if name not in usual or value != usual[name]]
    return _joined(f"{type(part).__name__}(", arguments, ")")


def _joined(opening: str, items: list[str], closing: str) -> str:
    line = f"{opening}{', '.join(items)}{closing}"
    if len(line) <= LINE and "\n" not in line:
        return line
    body = ",\n".join(textwrap.indent(item, "    ") for item in items)
    return f"{opening}\n{body},\n{closing.lstrip(',')}"


def literal(value: Any) -> str:
    """Return the text of a value as one would write it in a constructor call."""
    if is_part(value):
        return constructor_call(value)
    if type(value) in (list, tuple, dict):
        return _container(value)
    if is_numpy_scalar(value):
        value = value.item()
    if isinstance(value, enum.Enum):
        return f"{type(value).__name__}.{value.name}"
    if isinstance(value, type | types.FunctionType | types.BuiltinFunctionType):
        return value.__qualname__
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return f"float('{float(value)}')"
    return _shape(value) or repr(value)


def _container(value: Any) -> str:
    if type(value) is dict:
        return _joined("{", [f"{literal(key)}: {literal(item)}" for key, item in value.items()], "}")
    items = [literal(item) for item in value]
    if type(value) is tuple:
        return _joined("(", items, ",)" if len(items) == 1 else ")")
    return _joined("[", items, "]")


def _shape(value: Any) -> str:
    """Return ``<DataFrame of shape (250, 2)>`` for data that is too large to be written out."""
    shape = getattr(value, "shape", None)
    return f"<{type(value).__name__} of shape {shape}>" if isinstance(shape, tuple) and shape else ""


def html_table(part: Any) -> str:
    """Return a small table of a component's parameters, nested parts indented."""
    name = type(part).__name__
    summary = (type(part).__doc__ or "").strip().partition("\n")[0]
    if summary.startswith(f"{name}("):  # what dataclasses write where a class has no docstring
        summary = ""
    head = f"<b>{html.escape(name)}</b>" + (f" &ndash; {html.escape(summary)}" if summary else "")
    return f'<div class="workbench-part">{head}<table style="{_TABLE}"><tbody>{"".join(_rows(part, 0))}</tbody></table></div>'


def _rows(part: Any, depth: int) -> list[str]:
    rows = []
    for name, value in part.get_params(deep=False).items():
        parts = named_parts(value)
        if is_part(value):
            rows += [_row(name, type(value).__name__, depth), *_rows(value, depth + 1)]
        elif parts:
            rows.append(_row(name, f"{len(parts)} part{'s' if len(parts) > 1 else ''}", depth))
            for label, key in parts.items():
                rows += [_row(label, type(value[key]).__name__, depth + 1), *(_rows(value[key], depth + 2) if is_part(value[key]) else [])]
        else:
            rows.append(_row(name, literal(value), depth))
    return rows


def _row(name: str, text: str, depth: int) -> str:
    shown = html.escape(text if len(text) <= CELL else text[: CELL - 3] + "...")
    left, right = (_CELL.format(indent=indent, plain=_PLAIN) for indent in (4 + 20 * depth, 4))
    value = f'<td style="{right}"><code style="white-space:pre-wrap;{_PLAIN}">{shown}</code></td>'
    return f'<tr style="background:transparent"><td style="{left};opacity:.75">{html.escape(name)}</td>{value}</tr>'

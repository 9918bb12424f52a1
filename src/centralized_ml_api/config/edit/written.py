"""Values as a person would write them, in JSON and YAML. Pure."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_LONGEST_ON_ONE_LINE = 70
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*")
_NOT_PLAIN = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
"""Some are words of YAML 1.1 only; other programs would not read them as strings."""

YAML_INDENT = "  "


def render_json(value: Any, indent: str, unit: str) -> list[str]:
    """Returns the lines of a value.

    Args:
        value: Plain data.
        indent: What every line but the first begins with.
        unit: One more step of indentation.
    """
    whole = render_json_line(value)
    if not isinstance(value, (dict, list)) or (len(whole) <= _LONGEST_ON_ONE_LINE and _is_flat(value)):
        return [whole]
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    members = list(_members(value, indent + unit, unit))
    lines = [line for member in members[:-1] for line in _with_comma(member)] + members[-1]
    return [opening, *lines, f"{indent}{closing}"]


def render_json_line(value: Any) -> str:
    """Returns the value on one line."""
    return json.dumps(value, ensure_ascii=False)


def render_yaml(value: dict[str, Any] | list[Any], indent: str) -> list[str]:
    """Returns the lines of a block that is not empty; each begins with `indent`."""
    if isinstance(value, list):
        return [line for item in value for line in _yaml_item(item, indent)]
    return [line for key, item in value.items() for line in _yaml_member(key, item, indent)]


def render_yaml_scalar(value: Any) -> str:
    """Returns a value without members, unquoted where every YAML reader takes it for a string."""
    plain = isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _NOT_PLAIN
    return value if plain and isinstance(value, str) else render_json_line(value)


def _is_flat(value: dict[str, Any] | list[Any]) -> bool:
    items = value.values() if isinstance(value, dict) else value
    return not any(isinstance(item, (dict, list)) for item in items)


def _members(value: dict[str, Any] | list[Any], indent: str, unit: str) -> Iterator[list[str]]:
    keyed = value.items() if isinstance(value, dict) else ((None, item) for item in value)
    for key, item in keyed:
        first, *rest = render_json(item, indent, unit)
        yield [f"{indent}{'' if key is None else f'{render_json_line(key)}: '}{first}", *rest]


def _with_comma(lines: list[str]) -> list[str]:
    return [*lines[:-1], f"{lines[-1]},"]


def _yaml_member(key: str, value: Any, indent: str) -> list[str]:
    name = f"{indent}{render_yaml_scalar(key)}:"
    if isinstance(value, (dict, list)) and value:
        return [name, *render_yaml(value, indent + YAML_INDENT)]
    return [f"{name} {render_yaml_scalar(value)}"]


def _yaml_item(value: Any, indent: str) -> list[str]:
    if isinstance(value, (dict, list)) and value:
        first, *rest = render_yaml(value, indent + YAML_INDENT)
        return [f"{indent}- {first.removeprefix(indent + YAML_INDENT)}", *rest]
    return [f"{indent}- {render_yaml_scalar(value)}"]

"""The schema -> the reference of the config: every key, its type, default, meaning and an example. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from centralized_ml_api.config.fields import engines, keys_of
from centralized_ml_api.config.json_schema import build_schema
from centralized_ml_api.config.schema import (
    Autoscaling,
    Aws,
    Budget,
    Config,
    CopyResources,
    Domain,
    EndpointEntry,
    Event,
    FunctionProperties,
    Integration,
    Join,
    KeySource,
    ModelEntry,
    Provider,
    ScopedPermissions,
    Team,
    Vpc,
    Written,
)

if TYPE_CHECKING:
    from centralized_ml_api.config.schema.written import WrittenField

_OBJECTS: tuple[tuple[str, type[Written]], ...] = (
    ("`$`, the file", Config),
    ("`models[]`, a model", ModelEntry),
    ("`endpoints[]`, an endpoint", EndpointEntry),
    ("`autoscaling`", Autoscaling),
    ("`autoscaling.resources`", CopyResources),
    ("`integration`", Integration),
    ("`integration.properties`", FunctionProperties),
    ("`permissions` with resources", ScopedPermissions),
    *((f"`local` with the engine `{engine}`", kind) for engine, kind in engines().items()),
    ("`provider`, a model that somebody else hosts", Provider),
    ("`provider.key`", KeySource),
    ("`event`", Event),
    ("`teams[]`, a team with limits", Team),
    ("`join`, places for teams that join", Join),
    ("`budget`", Budget),
    ("`aws`", Aws),
    ("`aws.vpc`", Vpc),
    ("`aws.domain`", Domain),
)


def render_config_reference() -> str:
    """Returns the page: one section for each object of the format, one row for each key."""
    schema = build_schema()
    return "\n".join([_HEAD, *(_render_object(title, kind, schema) for title, kind in _OBJECTS)])


def _render_object(title: str, kind: type[Written], schema: dict[str, Any]) -> str:
    described = schema if kind is Config else schema["$defs"][kind.__name__]
    fields = sorted(keys_of(kind).items(), key=lambda named: not named[1].is_required)
    rows = [_row(key, field, described["properties"][key]) for key, field in fields]
    head = "| key | type | default | meaning | example |\n| --- | --- | --- | --- | --- |"
    return "\n".join([f"## {title}\n", f"{kind.__doc__}\n", head, *rows, ""])


def _row(key: str, field: WrittenField, schema: dict[str, Any]) -> str:
    example = _code(field.examples[0]) if field.examples else ""
    cells = [f"`{key}`", _type(schema), _default(field), field.description or "", example]
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _default(field: WrittenField) -> str:
    if field.is_required:
        return "required"
    return "" if field.default is None else _code(field.default)


def _code(value: Any) -> str:
    return f"`{json.dumps(value, ensure_ascii=False)}`"


def _type(schema: dict[str, Any]) -> str:
    """Returns the type in words, with its limits."""
    alternatives = schema.get("oneOf") or schema.get("anyOf")
    if alternatives:
        return " or ".join(dict.fromkeys(_type(kind) for kind in alternatives))
    if "enum" in schema:
        return " or ".join(_code(word) for word in schema["enum"])
    if "const" in schema:
        return _code(schema["const"])
    names = {"string": "string", "integer": "whole number", "number": "number", "boolean": "true or false"}
    match schema.get("type"):
        case "array":
            return f"array of {_type(schema['items']).replace(' or ', 's or ')}s"
        case str(name) if name in names:
            return names[name] + _limits(schema)
        case _:
            return "object" if "$ref" in schema or "type" in schema else "any value"


def _limits(schema: dict[str, Any]) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None and high < _NO_LIMIT:
        return f", {low}-{high}"
    if low is not None:
        return f", at least {low}"
    return f", more than {schema['exclusiveMinimum']}" if "exclusiveMinimum" in schema else ""


_NO_LIMIT = 1_000_000

_HEAD = """\
<!-- Generated from src/centralized_ml_api/config/schema by `make docs`. -->

# The config

The config is one JSON file, which may contain comments and trailing commas, or the same in YAML (`.yaml`,
`.yml`). Unknown and duplicate keys, wrong types and `null` are errors. `mlapi check` lists every problem;
`mlapi schema` prints the JSON Schema, with which an editor completes and explains each key.

Relative paths start at the project root (the nearest folder above the file that contains a `cdk.json`, else
the current folder) or, where nothing is found there, at the file's own folder.
"""

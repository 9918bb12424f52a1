"""The schema -> the reference of the config: every key, its type, default, meaning and an example. Pure."""

from __future__ import annotations

import json
import re
from inspect import cleandoc
from typing import TYPE_CHECKING, Any

from centralized_ml_api.config.fields import engines, keys_of, nested_kinds
from centralized_ml_api.config.json_schema import build_schema
from centralized_ml_api.config.schema import (
    Adapter,
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
    LlamaCpp,
    LocalServing,
    ModelEntry,
    Pot,
    Provider,
    ScopedPermissions,
    SleepingServer,
    Team,
    TeamLimits,
    TokenPrices,
    Vpc,
    Written,
)
from centralized_ml_api.config.schema.event import Hours

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from centralized_ml_api.config.schema.written import WrittenField

_BEFORE_LOCAL: tuple[tuple[str, type[Written]], ...] = (
    ("`$`, the file", Config),
    ("`models[]`, a model", ModelEntry),
    ("`endpoints[]`, an endpoint", EndpointEntry),
    ("`price`", TokenPrices),
    ("`autoscaling`", Autoscaling),
    ("`autoscaling.resources`", CopyResources),
    ("`integration`", Integration),
    ("`integration.properties`", FunctionProperties),
    ("`permissions` with resources", ScopedPermissions),
)
_AFTER_LOCAL: tuple[tuple[str, type[Written]], ...] = (
    ("`adapters[]`, an adapter of `llama.cpp`", Adapter),
    ("`provider`, a model that somebody else hosts", Provider),
    ("`provider.key`", KeySource),
    ("`event`", Event),
    ("`teams[]`, a team with limits", Team),
    ("`join`, places for teams that join", Join),
    ("`pot`", Pot),
    ("`hours[]`", Hours),
    ("`budget`", Budget),
    ("`aws`", Aws),
    ("`aws.vpc`", Vpc),
    ("`aws.domain`", Domain),
)


_TITLES = {kind: title for title, kind in (*_BEFORE_LOCAL, *_AFTER_LOCAL)}
_TITLES[TeamLimits] = _TITLES[Team]


def render_config_reference() -> str:
    """Returns the page: one section for each object of the format, one row for each key."""
    schema = build_schema()
    sections = [
        _HEAD,
        *(_render_object(title, kind, schema) for title, kind in _BEFORE_LOCAL),
        *_render_engines(schema["$defs"]),
        *(_render_object(title, kind, schema) for title, kind in _AFTER_LOCAL),
    ]
    return "\n".join(sections)


def _render_object(title: str, kind: type[Written], schema: dict[str, Any]) -> str:
    described = schema if kind is Config else schema["$defs"][kind.__name__]
    return _render_section(title, _about(kind), keys_of(kind), described)


def _render_engines(kinds: dict[str, Any]) -> Iterable[str]:
    """Yields first what engines have in common, then what each has besides."""
    shared = keys_of(SleepingServer)
    of_all = {key: field for key, field in keys_of(LocalServing).items() if key not in _OF_PROCESSES}
    of_servers = {key: field for key, field in shared.items() if key not in of_all}
    yield _render_section(_ANY_ENGINE_TITLE, _ANY_ENGINE, of_all, kinds[LlamaCpp.__name__])
    yield _render_section("`local` with servers here", _SERVERS_HERE, of_servers, kinds[LlamaCpp.__name__])
    for engine, kind in engines().items():
        own = {key: field for key, field in keys_of(kind).items() if field != shared.get(key)}
        more = _MORE_OF_SERVERS if issubclass(kind, SleepingServer) else _MORE
        title = f"`local` with the engine `{engine}`"
        yield _render_section(title, f"{_about(kind)} {more}", own, kinds[kind.__name__])


def _about(kind: type[Written]) -> str:
    return cleandoc(kind.__doc__ or "").partition("\n\nSource:")[0]


def _render_section(
    title: str, about: str, fields: Mapping[str, WrittenField], described: dict[str, Any]
) -> str:
    ordered = sorted(fields.items(), key=lambda named: not named[1].is_required)
    links = _link_objects(fields)
    rows = [_row(key, field, described["properties"][key], links.get(key)) for key, field in ordered]
    head = "| key | type | default | meaning | example |\n| --- | --- | --- | --- | --- |"
    return "\n".join([f"## {title}\n", f"{about}\n", head, *rows, ""])


def _link_objects(fields: Mapping[str, WrittenField]) -> dict[str, str]:
    """Returns, by key, the title of the section about the objects that its value holds."""
    titles = {key: _TITLES[kind] for key, kind in nested_kinds(fields).items() if kind in _TITLES}
    return titles | ({"local": _ANY_ENGINE_TITLE} if "local" in fields else {})


def _row(key: str, field: WrittenField, schema: dict[str, Any], title: str | None) -> str:
    example = _code(field.examples[0]) if field.examples else ""
    kind = _type(schema)
    if title is not None:
        anchor = re.sub(r"[^\w -]", "", title).lower().replace(" ", "-")
        kind = re.sub(r"objects?", rf"[\g<0>](#{anchor})", kind)
    cells = [f"`{key}`", kind, _default(field), field.description or "", example]
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
        return _alternatives(*alternatives)
    if "enum" in schema:
        words = [_code(word) for word in schema["enum"]]
        return " or ".join(words) if len(words) <= _FEW else f"one of {', '.join(words)}"
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


def _alternatives(one: dict[str, Any], *others: dict[str, Any]) -> str:
    if others == ({"items": one, "minItems": 1, "type": "array"},):
        return f"{_type(one)}, or an array of them"
    return " or ".join(dict.fromkeys(_type(kind) for kind in (one, *others)))


def _limits(schema: dict[str, Any]) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None and high < _NO_LIMIT:
        return f", {low}-{high}"
    if low is not None:
        return f", at least {low}"
    return f", more than {schema['exclusiveMinimum']}" if "exclusiveMinimum" in schema else ""


_NO_LIMIT = 1_000_000
_FEW = 3
_OF_PROCESSES = ("replicas", "environment")
_ANY_ENGINE_TITLE = "`local` with any engine"
_ANY_ENGINE = "How one machine serves an entry. Each engine has further keys, in the sections below."
_SERVERS_HERE = "The engines `llama.cpp`, `python` and `command` start servers on this machine."
_MORE = "See also [any engine](#local-with-any-engine)."
_MORE_OF_SERVERS = (
    "See also [any engine](#local-with-any-engine) and [servers here](#local-with-servers-here)."
)

_HEAD = """\
<!-- Generated from src/centralized_ml_api/config/schema by `make docs`. -->

# The config

The config is one JSON file, which may contain comments and trailing commas, or the same in YAML (`.yaml`,
`.yml`). Unknown and duplicate keys, wrong types and `null` are errors. `mlapi check` lists every problem;
`mlapi schema` prints the JSON Schema, with which an editor completes and explains each key.

Relative paths start at the project root (the nearest folder above the file that contains a `cdk.json`, else
the current folder) or, where nothing is found there, at the file's own folder.
"""

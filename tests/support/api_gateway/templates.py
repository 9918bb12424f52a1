"""Mapping templates: Velocity by `airspeed`, with the variables that API Gateway has.

Two things of Java's Velocity that airspeed does not do are put into its own words first:

- names with hyphens, which Velocity allows: `$context.responseOverride.header.Retry-After`;
- string literals, in which Velocity takes a backslash for itself: `replaceAll("\\\\'","'")`.

Source: https://velocity.apache.org/engine/1.7/vtl-reference.html and
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import airspeed

_OVERRIDDEN = re.compile(r"(\$context\.responseOverride\.header\.)([\w-]+)")
_REPLACED = re.compile(r"""(?<=\.replaceAll\()"[^"]*",\s*"[^"]*"(?=\))""")
_HYPHEN = "__hyphen__"
_STEP = re.compile(r"\.([\w-]+)|\['([^']+)'\]|\[(\d+)\]")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "'": "\\'", "/": "\\/", "\n": "\\n", "\r": "\\r", "\t": "\\t",
            "\b": "\\b", "\f": "\\f"}  # fmt: skip


@dataclass
class Context:
    """`$context` of one request, and what templates override in it."""

    values: Mapping[str, Any]
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def value(self, name: str) -> str | None:
        """What a dotted name stands for, such as `identity.sourceIp`."""
        found: Any = self.values
        for part in name.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
        return None if found is None else str(found)


class Input:
    """`$input`: the body that the template is for."""

    def __init__(self, body: bytes) -> None:
        self.body = body.decode(errors="replace")

    def path(self, expression: str) -> Any:
        """The value at a JSONPath; None where there is none, or the body is not JSON."""
        try:
            return _walk(json.loads(self.body), expression)
        except ValueError:
            return None

    def json(self, expression: str) -> str:
        """The same as JSON text."""
        return json.dumps(self.path(expression))


class Util:
    """`$util`."""

    def escapeJavaScript(self, text: Any) -> str:  # noqa: N802  AWS's name
        """Escapes by the rules of JavaScript's strings, apostrophes too.

        Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html#util-template-reference
        """
        return "".join(map(_escape, str(text)))


def render(template: str, body: bytes, context: Context) -> str:
    """The text that the template makes; what it overrides is then in `context`.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-override-request-response-parameters.html
    """
    override: dict[str, Any] = {"header": {}}
    names = {
        "input": Input(body),
        "util": Util(),
        "context": {**context.values, "responseOverride": override},
        "stageVariables": {},
    }
    text: str = _compile(template).merge(names)
    context.headers.update(
        {name.replace(_HYPHEN, "-"): str(item) for name, item in override["header"].items()}
    )
    context.status = int(override["status"]) if "status" in override else context.status
    return text


@lru_cache
def _compile(template: str) -> airspeed.Template:
    named = _OVERRIDDEN.sub(lambda found: found[1] + found[2].replace("-", _HYPHEN), template)
    return airspeed.Template(_REPLACED.sub(lambda found: found[0].replace("\\", "\\\\"), named))


def _escape(character: str) -> str:
    """One character; beyond ASCII as UTF-16 code units."""
    if character in _ESCAPES:
        return _ESCAPES[character]
    if " " <= character <= "~":
        return character
    units = character.encode("utf-16-be", "surrogatepass").hex().upper()
    return "".join(f"\\u{units[start : start + 4]}" for start in range(0, len(units), 4))


def _walk(value: Any, expression: str) -> Any:
    for name, quoted, index in _STEP.findall(expression):
        if index:
            value = value[int(index)] if isinstance(value, list) and int(index) < len(value) else None
        else:
            value = value.get(name or quoted) if isinstance(value, dict) else None
    return value

"""Servers that several entries share, and the names of their models: C310."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from centralized_ml_api.config.checks.checked_rule import CheckedRule
from centralized_ml_api.config.checks.context import given
from centralized_ml_api.config.rule import Example
from centralized_ml_api.config.wording import listed_some, quoted

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from centralized_ml_api.config.checks.context import Context, ObjectNode
    from centralized_ml_api.errors import Problem

_PORTS = {"http": 80, "https": 443}


def _check(context: Context) -> Iterator[Problem]:
    sharing: dict[Hashable, list[tuple[str, ObjectNode]]] = defaultdict(list)
    for entry in context.entries:
        name, local = entry.string("name"), entry.object("local")
        server = _server(local) if local else None
        if name and local and server:
            sharing[server].append((name.value, local))
    for entries in sharing.values():
        for own, local in entries:
            others = (quoted(other) for other, _ in entries if other != own)
            if any(other != own for other, _ in entries) and not given(local, ("model",)):
                yield SHARED_SERVER.problem(
                    local.location,
                    found=f'the server of {listed_some(others, "and")} too, without "model"',
                    expected="the server's own name of this entry's model",
                    fix='add "model" to "local"; if the server reads no "model" in a body, change nothing',
                )


def _server(local: ObjectNode) -> Hashable | None:
    """Returns what two entries have in common if the same server, or another copy of it, serves both."""
    url, run = local.string("url"), local.strings("run")
    if url:
        try:
            parts = urlsplit(url.value)
            return parts.hostname and (parts.hostname, parts.port or _PORTS.get(parts.scheme))
        except ValueError:  # C304 reports it
            return None
    return tuple(word.value for word in run) or None


SHARED_SERVER = CheckedRule(
    id="C310",
    title="shared server without a model",
    severity="warning",
    meaning="""\
Two entries use the same server: a `url` with the same host and port, or the same command. A server with
several models reads from the body of a request which of them is meant, so whoever may call one entry can name
the model of the other. `model` in `local` is the server's own name of the entry's model, and replaces
whatever the body names. If the server chooses the model by the path alone, ignore this warning.""",
    example=Example(
        at="$.models[1]",
        wrong='"local": {"engine": "url", "url": "http://127.0.0.1:9000/chat"}',
        right='"local": {"engine": "url", "url": "http://127.0.0.1:9001/chat"}',
    ),
    check=_check,
)

RULES = (SHARED_SERVER,)

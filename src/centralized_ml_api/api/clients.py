"""The clients that people call models with, and the lines that tell each of them where the API is.

The table is `clients.toml`. `mlapi clients` and the page render the same lines.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from centralized_ml_api.plan.apis import MODEL_APIS
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

OWN_PATH = "own-path"
"""The key of the lines that call an entry at its own path, outside of `/v1`."""

NO_KEY = "none"
"""What stands in place of a key where the API has no teams: most clients insist on one."""

_TABLE = Path(__file__).with_name("clients.toml")
_PLACEHOLDER = re.compile(r"<<(\w+)(?::(\w+))?>>")


@record
class Client:
    """One client.

    Attributes:
        id: What `--client` takes.
        title: Its name.
        language: Of its lines: `shell`, `python`, `javascript`, `json`, `toml`, `yaml` or `text`.
        place: Where they go.
        install: The command that installs it; empty where there is none.
        lines: By the name of the API under `/v1` that they call. Their placeholders are `url` of the API,
            `base` (the same with `/v1`), `model` and `key`; in `own-path` also `path`, `type` and `body`.
    """

    id: str
    title: str
    language: str
    place: str
    install: str
    lines: Mapping[str, str]

    def lines_for(self, routes: Iterable[str]) -> str | None:
        """Returns its lines for an entry with these paths under `/v1`; None where it calls none of them."""
        paths = {*routes}
        return next(
            (self.lines[api.name] for api in MODEL_APIS if api.name in self.lines and api.paths[0] in paths),
            None,
        )


@cache
def load_clients() -> tuple[Client, ...]:
    """Loads the table, which is a file of this package."""
    import tomllib  # noqa: PLC0415  # many verbs import this module and need no table

    rows = tomllib.loads(_TABLE.read_text(encoding="utf-8"))["client"]
    return tuple(
        Client(**{**row, "lines": {api: lines.strip("\n") for api, lines in row["lines"].items()}})
        for row in rows
    )


def render_lines(lines: str, values: Mapping[str, str]) -> str:
    """Returns the lines with values in place of the placeholders, each quoted for where it stands. Pure.

    Raises:
        KeyError: A placeholder names no value, or no form.
    """
    return _PLACEHOLDER.sub(lambda found: _FORMS[found[2] or ""](values[found[1]]), lines)


def _escape(value: str) -> str:
    """Escapes as JSON does, which Python, JavaScript, TOML and YAML read too, between double quotes."""
    return json.dumps(value, ensure_ascii=False)[1:-1]


def _end_quotes(value: str) -> str:
    return value.replace("'", r"'\''")


_FORMS: dict[str, Callable[[str], str]] = {
    "": _escape,
    "plain": lambda value: value,
    "shell": lambda value: f"'{_end_quotes(value)}'",
    "single": lambda value: _end_quotes(_escape(value)),
}
"""How a value is written: between double quotes; as it is; as a word of a shell; in JSON that stands between
single quotes of a shell."""

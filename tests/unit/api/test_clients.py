"""The lines for clients: each value is quoted for where it stands, and no line holds a key."""

from __future__ import annotations

import ast
import json
import re
import shlex
import tomllib
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.api.clients import OWN_PATH, load_clients, render_lines
from centralized_ml_api.plan.apis import API_NAMES, MODEL_APIS

if TYPE_CHECKING:
    from collections.abc import Callable

HOSTILE = """it's "$(touch /tmp/x)" `y` \\ ${z} é 🎨"""
VALUES = {
    "url": "http://127.0.0.1:8080",
    "base": "http://127.0.0.1:8080/v1",
    "model": HOSTILE,
    "key": "the-key",
    "path": "/chat",
    "type": "text/plain",
    "body": HOSTILE,
}
RECIPES = [
    pytest.param(client.language, lines, id=f"{client.id}-{api}")
    for client in load_clients()
    for api, lines in client.lines.items()
]


def read_python(lines: str) -> list[str]:
    """Returns the texts in a program."""
    nodes = ast.walk(ast.parse(lines))
    return [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]


def read_quoted(lines: str) -> list[str]:
    """Returns what stands between double quotes; JavaScript and YAML read it as JSON does."""
    return [json.loads(text) for text in re.findall(r'"(?:[^"\\]|\\.)*"', lines)]


def read_words(lines: str) -> list[str]:
    """Returns the words of a shell, what variables are set to, and the texts of words that are JSON."""
    words = shlex.split(lines)
    bodies = [word for word in words if word.startswith("{")]
    assigned = [word.partition("=")[2] for word in words]
    return [*words, *assigned, *(text for body in bodies for text in list_texts(json.loads(body)))]


def list_texts(value: object) -> list[str]:
    """Returns the keys and values of an object, and of those in it."""
    if isinstance(value, dict):
        return [text for key, member in value.items() for text in (key, *list_texts(member))]
    return [str(value)]


PARSERS: dict[str, Callable[[str], list[str]]] = {
    "python": read_python,
    "javascript": read_quoted,
    "yaml": read_quoted,
    "shell": read_words,
    "json": lambda lines: list_texts(json.loads(lines)),
    "toml": lambda lines: list_texts(tomllib.loads(lines)),
    "text": lambda lines: [line.partition(":")[2].strip() for line in lines.splitlines()],
}


@pytest.mark.parametrize(("language", "lines"), RECIPES)
def test_every_value_arrives_as_it_is(language: str, lines: str) -> None:
    rendered = render_lines(lines, VALUES)
    texts = PARSERS[language](rendered)
    wanted = [VALUES[name] for name in ("model", "body") if re.search(f"<<{name}[:>]", lines)]
    for value in wanted:
        assert any(text in {value, f"openai/{value}", f"mlapi/{value}"} for text in texts), rendered
    assert "<<" not in rendered


@pytest.mark.parametrize(("language", "lines"), RECIPES)
def test_only_a_box_holds_the_key(language: str, lines: str) -> None:
    rendered = render_lines(lines, VALUES)
    assert ("the-key" in rendered) == (language == "text")
    assert language == "text" or "MLAPI_KEY" in rendered


def test_a_client_is_listed_once_for_the_first_api_that_the_entry_has() -> None:
    (curl,) = [client for client in load_clients() if client.id == "curl"]
    routes = [api.paths[0] for api in MODEL_APIS]
    assert curl.lines_for(routes) == curl.lines["openai-chat"]
    assert curl.lines_for(["/v1/embeddings"]) == curl.lines["openai-embeddings"]
    assert curl.lines_for(["/v1/messages"]) is None


def test_the_table_names_apis_that_exist() -> None:
    clients = load_clients()
    assert {api for client in clients for api in client.lines} <= {*API_NAMES, OWN_PATH}
    assert len({client.id for client in clients}) == len(clients)
    assert {client.language for client in clients} == {*PARSERS}


def test_what_a_placeholder_may_name_is_known() -> None:
    with pytest.raises(KeyError):
        render_lines("<<nobody>>", VALUES)
    with pytest.raises(KeyError):
        render_lines("<<model:sideways>>", VALUES)

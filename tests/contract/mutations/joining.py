"""What is broken of joining, on both targets, and the case that must notice."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from centralized_ml_api.local.gateway import JOIN_PROOF_HEADER
from contract.cases import joining as cases
from contract.mutations.mutation import Mutation

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from contract.mutated import EnvoyConfig, Json

JOIN = "/join"


def _routes(config: EnvoyConfig) -> list[Json]:
    return [route for route in config.routes if route["match"].get("path") == JOIN]


def _call(config: EnvoyConfig) -> Json:
    """The route by which a team joins."""
    (call,) = (route for route in _routes(config) if "route" in route)
    return call


def _guard(config: EnvoyConfig) -> None:
    """Joining needs the key that it is to give, and so does its page."""
    for route in _routes(config):
        route.get("typed_per_filter_config", {}).pop("key", None)


def _send_nobody(config: EnvoyConfig) -> None:
    """The call goes to the door without the proof that the gateway sends it."""
    mutations = _call(config)["typed_per_filter_config"]["headers"]["mutations"]["request_mutations"]
    kept = [each for each in mutations if JOIN_PROOF_HEADER not in json.dumps(each)]
    assert len(kept) < len(mutations)
    mutations[:] = kept


def _let_it_be_stored(config: EnvoyConfig) -> None:
    mutations = _call(config)["typed_per_filter_config"]["headers"]["mutations"]["response_mutations"]
    kept = [each for each in mutations if "no-store" not in json.dumps(each)]
    assert len(kept) < len(mutations)
    mutations[:] = kept


def _drop(kind: str) -> Callable[[EnvoyConfig], None]:
    """The last route of that kind is not there."""

    def change(config: EnvoyConfig) -> None:
        config.remove([route for route in _routes(config) if kind in route][-1])

    return change


GATEWAY = [
    Mutation("joining needs a key", _guard, cases.NAME.name),
    Mutation("the page of joining needs a key", _guard, cases.PAGE.name),
    Mutation("the door is not told who asks", _send_nobody, cases.NAME.name),
    Mutation("keys may be stored on their way", _let_it_be_stored, cases.NAME.name),
    Mutation("nobody can join", _drop("route"), cases.NAME.name),
    Mutation("another method is a stranger's", _drop("direct_response"), cases.METHOD.name),
]


def _secure(method: str) -> Callable[[dict[str, Any]], None]:
    """A method of joining is for those who have a key."""

    def change(document: dict[str, Any]) -> None:
        paths = document["paths"]
        paths[JOIN][method]["security"] = paths["/echo"]["post"]["security"]

    return change


def _leave_out(method: str) -> Callable[[dict[str, Any]], None]:
    def change(document: dict[str, Any]) -> None:
        del document["paths"][JOIN][method]

    return change


DOCUMENT = [
    Mutation("joining needs a key", _secure("post"), cases.NAME.name),
    Mutation("the page of joining needs a key", _secure("get"), cases.PAGE.name),
    Mutation("nobody can join", _leave_out("post"), cases.NAME.name),
    Mutation(
        "another method is a stranger's", _leave_out("x-amazon-apigateway-any-method"), cases.METHOD.name
    ),
]


def _replace(text: str, by: str) -> Callable[[Path], None]:
    """Changes the code of the function in a folder."""

    def change(index: Path) -> None:
        code = index.read_text()
        assert code.count(text) == 1, text
        index.write_text(code.replace(text, by))

    return change


FUNCTION = [
    Mutation(
        "any code opens", _replace("is_right = is_code(code, item.code)", "is_right = True"), cases.WRONG.name
    ),
    Mutation(
        "a team of the config may join again",
        _replace("if name.casefold() in self._listed:", "if name in self._listed:"),
        cases.TAKEN.name,
    ),
    Mutation(
        "keys may be stored on their way", _replace('"cache-control": "no-store",', ""), cases.NAME.name
    ),
    Mutation("any body will do", _replace("if wanted is None:", "if len(body) < 0:"), cases.NO_OBJECT.name),
    Mutation("any length will do", _replace("if len(body) <= BODY_BYTES else None", ""), cases.LARGE.name),
]

"""Pauses a deployed stack, one of its models, or one of its teams.

What is paused is a variable of the function that hands keys on, which API Gateway asks before every call with
a key: nothing has to be looked up while calls pass. ADR 0035 says why.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import field, replace
from typing import TYPE_CHECKING

from centralized_ml_api.aws.event.function_variable import FunctionVariable, VariableWords
from centralized_ml_api.aws.stack.contract import HASH_CHARACTERS, KEY_FUNCTION, PAUSED_VARIABLE
from centralized_ml_api.aws.stack.deployed_stack import find_physical_id
from centralized_ml_api.aws.stack.stored import StoredValueError, read_object, read_texts
from centralized_ml_api.config.checks.models.names import RESERVED
from centralized_ml_api.errors import UsageError
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from centralized_ml_api.aws.clients import AwsClients
    from centralized_ml_api.aws.stack.deployed_stack import StackResource

EVERYTHING = ""
"""Where the name of a model could be."""

_API = "AWS::ApiGateway::RestApi"
_NAME = re.compile(r"[A-Za-z0-9-]+")

_WORDS = VariableWords(
    older="pauses",
    absent="has no teams: everybody may call it, and nothing can pause that",
    absent_fix="add `event.teams` or `event.join` to the config, then deploy again",
    one_more="another pause",
    room_fix="end another pause, or use fewer words",
)

_PATHS_A_PAGE = 500
"""Source: https://docs.aws.amazon.com/apigateway/latest/api/API_GetResources.html"""


@record
class Pauses:
    """What callers are told of each pause, maybe nothing.

    `models` are by name, and `EVERYTHING` is that of all; `teams` are by what the tags of their keys name.
    `keys` has these names by the `hash_key` of each key of a paused team: so the function need not look up
    whose key it is, and needs no right to.
    """

    models: Mapping[str, str] = field(default_factory=dict)
    teams: Mapping[str, str] = field(default_factory=dict)
    keys: Mapping[str, str] = field(default_factory=dict)

    def set_model(self, name: str, words: str | None) -> Pauses:
        """Returns the pauses with another one of a model; with None as `words` without it."""
        return replace(self, models=_put(self.models, name, words))

    def set_team(self, name: str, words: str | None, keys: Iterable[str]) -> Pauses:
        """Returns the pauses with that of a team changed. Pure.

        Args:
            name: The team.
            words: What it is told; None ends its pause.
            keys: The values of its keys.
        """
        others = {hashed: owner for hashed, owner in self.keys.items() if owner != name}
        own = {} if words is None else {hash_key(key): name for key in keys}
        return replace(self, teams=_put(self.teams, name, words), keys=others | own)

    def cover(self, name: str, keys: Iterable[str]) -> Pauses:
        """Returns the pauses with more keys of a team, if it is paused. Pure.

        Those that are there stay: another organizer may know of newer ones.
        """
        if name not in self.teams:
            return self
        return replace(self, keys={**self.keys, **{hash_key(key): name for key in keys}})


class AwsPauses:
    """The pauses of a deployed stack; every method raises what those of `FunctionVariable` do.

    Args:
        clients: Of the region of the stack.
        stack: Its name.
    """

    def __init__(self, clients: AwsClients, stack: str) -> None:
        self._clients, self._stack = clients, stack
        self._variable = FunctionVariable(
            clients, stack, part=KEY_FUNCTION, name=PAUSED_VARIABLE, words=_WORDS
        )

    def load(self) -> Pauses:
        """Returns what is paused.

        Raises:
            StoredValueError: Somebody has written something else there, part of which pauses nothing.
        """
        value = self._variable.load()
        pauses = _read(value)
        if read_object(value) != _list_told(pauses):
            raise StoredValueError(
                f"the variable {PAUSED_VARIABLE} of the function that passes keys on is not in the form of"
                " pauses: not all of it has an effect",
                fix="pause a model or a team again, which rewrites the variable",
            )
        return pauses

    def set_model(self, name: str, words: str | None) -> str | None:
        """Pauses a model, or `EVERYTHING`, or ends that; returns what callers were told before.

        Args:
            name: Of the model.
            words: What callers are told; None ends the pause.

        Raises:
            UsageError: The stack has no such model.
            DeployError: Nothing can be paused.
        """
        resources = self._variable.load_resources()
        if words is not None and name != EVERYTHING:
            self._check_model(name, resources)
        return self._change(
            lambda pauses: (pauses.models.get(name), pauses.set_model(name, words)), resources
        )

    def set_team(self, name: str, words: str | None, keys: Iterable[str] = ()) -> str | None:
        """Pauses a team, or ends that; returns what it was told before.

        Args:
            name: What the tags of its keys name.
            words: What it is told; None ends the pause.
            keys: The values of its keys.

        Raises:
            DeployError: Nothing can be paused.
        """
        listed = [*keys]
        return self._change(
            lambda pauses: (pauses.teams.get(name), pauses.set_team(name, words, listed)),
        )

    def cover(self, name: str, keys: Iterable[str]) -> str | None:
        """Lets the pause of a team cover these keys; changes nothing if the team is not paused by then.

        Returns what the team is told; None where it is not paused.

        Args:
            name: What the tags of its keys name.
            keys: The values of its keys, as far as they are known.

        Raises:
            DeployError: The pause cannot be changed.
        """
        listed = [*keys]
        return self._change(lambda pauses: (pauses.teams.get(name), pauses.cover(name, listed)))

    def _change(
        self,
        change: Callable[[Pauses], tuple[str | None, Pauses]],
        resources: Sequence[StackResource] | None = None,
    ) -> str | None:
        def write(value: str) -> tuple[str | None, str]:
            before = _read(value)
            told, after = change(before)
            is_kept = after == before and read_object(value) == _list_told(after)
            return told, value if is_kept else _render(after)

        return self._variable.change(write, resources)

    def _check_model(self, name: str, resources: Sequence[StackResource]) -> None:
        """Checks that the API has the path of a model."""
        pages = (
            self._clients.client("apigateway")
            .get_paginator("get_resources")
            .paginate(
                restApiId=find_physical_id(resources, _API, ""), PaginationConfig={"PageSize": _PATHS_A_PAGE}
            )
        )
        paths = [item["path"].removeprefix("/") for page in pages for item in page["items"]]
        models = sorted({path for path in paths if _NAME.fullmatch(path)} - {*RESERVED})
        if name not in models:
            raise UsageError(f"{self._stack} has no model {name}", fix=f"name one of: {', '.join(models)}")


def hash_key(key: str) -> str:
    """Returns what stands for a key where it is paused: as the function computes it."""
    return hashlib.sha256(key.encode()).hexdigest()[:HASH_CHARACTERS]


def _put(told: Mapping[str, str], name: str, words: str | None) -> dict[str, str]:
    others = {other: known for other, known in told.items() if other != name}
    return others if words is None else {**others, name: words}


def _read(value: str) -> Pauses:
    """Reads what of a text has the form of pauses, as the function does."""
    told = read_object(value) or {}
    return Pauses(read_texts(told.get("models")), read_texts(told.get("teams")), read_texts(told.get("keys")))


def _list_told(pauses: Pauses) -> dict[str, dict[str, str]]:
    written = {"models": dict(pauses.models), "teams": dict(pauses.teams), "keys": dict(pauses.keys)}
    return {kind: told for kind, told in written.items() if told}


def _render(pauses: Pauses) -> str:
    """Renders them as the function reads them."""
    return json.dumps(_list_told(pauses), ensure_ascii=False)

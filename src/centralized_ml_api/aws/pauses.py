"""Pauses a deployed stack, one of its models, or one of its teams.

What is paused is a variable of the function that hands keys on, which API Gateway asks before every call with
a key: nothing has to be looked up while calls pass. ADR 0035 says why.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Mapping
from dataclasses import field, replace
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from centralized_ml_api.aws.deployed_stack import find_physical_id, load_resources
from centralized_ml_api.aws.settings import stack_flags
from centralized_ml_api.aws.stack_contract import HASH_CHARACTERS, KEY_FUNCTION, PAUSED_VARIABLE
from centralized_ml_api.commands import command
from centralized_ml_api.config.checks.models.names import RESERVED
from centralized_ml_api.errors import DeployError, UsageError
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from centralized_ml_api.aws.clients import AwsClients
    from centralized_ml_api.aws.deployed_stack import StackResource

EVERYTHING = ""
"""Where the name of a model could be."""

_FUNCTION, _API = "AWS::Lambda::Function", "AWS::ApiGateway::RestApi"
_NAME = re.compile(r"[A-Za-z0-9-]+")
_ATTEMPTS = 5
_BUSY = {"PreconditionFailedException", "ResourceConflictException"}
"""Somebody else changes the function at this moment.

Source: https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionConfiguration.html
"""

_FULL = "4kb limit"
"""What Lambda says, in whatever case, of variables that are too long.

Source: https://github.com/github-aws-runners/terraform-aws-github-runner/issues/3594
"""

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
        """Returns the pauses with another one of a team with these keys; with None as `words` without it."""
        others = {hashed: owner for hashed, owner in self.keys.items() if owner != name}
        own = {} if words is None else {hash_key(key): name for key in keys}
        return replace(self, teams=_put(self.teams, name, words), keys=others | own)


class AwsPauses:
    """The pauses of a deployed stack.

    Every method raises `DeployError` when the stack has nothing that can pause it, and botocore's errors.

    Args:
        clients: Of the region of the stack.
        stack: Its name.
        sleep: Waits for so many seconds.
    """

    def __init__(self, clients: AwsClients, stack: str, sleep: Callable[[float], None] = time.sleep) -> None:
        self._clients, self._stack, self._sleep = clients, stack, sleep

    def load(self) -> Pauses:
        """Returns what is paused."""
        return _read(self._load_function(self._find_function(self._load_resources()))["Environment"])

    def set_model(self, name: str, words: str | None) -> str | None:
        """Pauses a model, or `EVERYTHING`, or ends that; returns what callers were told before.

        Args:
            name: Of the model.
            words: What callers are told; None ends the pause.

        Raises:
            UsageError: The stack has no such model.
            DeployError: Nothing can be paused.
        """
        resources = self._load_resources()
        if words is not None and name != EVERYTHING:
            self._check_model(name, resources)
        return self._change(
            resources, lambda pauses: (pauses.models.get(name), pauses.set_model(name, words))
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
            self._load_resources(),
            lambda pauses: (pauses.teams.get(name), pauses.set_team(name, words, listed)),
        )

    def _change(
        self, resources: Sequence[StackResource], change: Callable[[Pauses], tuple[str | None, Pauses]]
    ) -> str | None:
        """Returns what was told before; a change in which somebody else is faster is tried again."""
        function = self._find_function(resources)
        for _ in range(_ATTEMPTS - 1):
            try:
                return self._change_once(function, change)
            except ClientError as error:
                if error.response["Error"]["Code"] not in _BUSY:
                    raise
                self._sleep(1)
        return self._change_once(function, change)

    def _change_once(
        self, function: str, change: Callable[[Pauses], tuple[str | None, Pauses]]
    ) -> str | None:
        client = self._clients.client("lambda")
        now = self._load_function(function)
        pauses = _read(now["Environment"])
        before, after = change(pauses)
        if after == pauses:
            return before
        variables = {**now["Environment"]["Variables"], PAUSED_VARIABLE: _render(after)}
        try:
            client.update_function_configuration(
                FunctionName=function, Environment={"Variables": variables}, RevisionId=now["RevisionId"]
            )
        except client.exceptions.InvalidParameterValueException as error:
            if _FULL not in str(error).lower():
                raise
            raise DeployError(
                f"{self._stack} has no room for another pause: all of them share Lambda's 4 KB",
                fix="end another pause, or use fewer words",
            ) from error
        client.get_waiter("function_updated_v2").wait(FunctionName=function, WaiterConfig={"Delay": 1})
        return before

    def _load_function(self, function: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self._clients.client("lambda").get_function_configuration(
            FunctionName=function
        )
        if PAUSED_VARIABLE not in found.get("Environment", {}).get("Variables", {}):
            flags = stack_flags(self._clients.region, self._stack)
            raise DeployError(
                f"{self._stack} was deployed before there were pauses",
                fix=f"deploy it again: {command('deploy', *flags)}",
            )
        return found

    def _find_function(self, resources: Sequence[StackResource]) -> str:
        if not resources:
            raise DeployError(
                f"{self._stack} is not deployed in {self._clients.region}",
                fix="deploy it, or name another stack with --stack and --region",
            )
        function = find_physical_id(resources, _FUNCTION, KEY_FUNCTION)
        if not function:
            raise DeployError(
                f"{self._stack} has no teams: everybody may call it, and nothing can pause that",
                fix="add `event.teams` or `event.join` to the config, then deploy again",
            )
        return function

    def _load_resources(self) -> tuple[StackResource, ...]:
        return load_resources(self._clients.client("cloudformation"), self._stack)

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


def _read(environment: Mapping[str, Any]) -> Pauses:
    told = json.loads(environment["Variables"][PAUSED_VARIABLE])
    return Pauses(told.get("models", {}), told.get("teams", {}), told.get("keys", {}))


def _render(pauses: Pauses) -> str:
    """Renders them as the function reads them."""
    written = {"models": dict(pauses.models), "teams": dict(pauses.teams), "keys": dict(pauses.keys)}
    return json.dumps({kind: told for kind, told in written.items() if told}, ensure_ascii=False)

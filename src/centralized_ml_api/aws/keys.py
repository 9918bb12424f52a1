"""Shows, rotates and revokes the keys of a deployed API, which API Gateway holds."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from centralized_ml_api.api.event_end import render_instant
from centralized_ml_api.api.keys import SHOWN_CHARACTERS, FormerKey, TeamKeys, new_key, unknown_team
from centralized_ml_api.aws.deployed_stack import load_teams
from centralized_ml_api.aws.failures.explain import build_aws_error
from centralized_ml_api.aws.settings import stack_flags
from centralized_ml_api.aws.stack_contract import STACK_TAG, TEAM_TAG, key_tags, render_schedule
from centralized_ml_api.commands import command
from centralized_ml_api.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import timedelta

    from centralized_ml_api.aws.clients import AwsClients
    from centralized_ml_api.aws.deployed_stack import DeployedTeams
    from centralized_ml_api.aws.target import AwsTarget

_UNTIL = re.compile(r"Replaced; works until (\S+)")

_UPDATE_KEY = "arn:{partition}:scheduler:::aws-sdk:apigateway:updateApiKey"
"""Source: https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-universal.html"""


@dataclass(frozen=True, slots=True)
class _Key:
    """A key as API Gateway has it; `until` is set when it was replaced."""

    id: str
    value: str
    enabled: bool
    until: datetime | None
    created: datetime

    @property
    def ending(self) -> str:
        return self.value[-SHOWN_CHARACTERS:]

    def works(self, now: datetime) -> bool:
        return self.enabled and (self.until is None or now < self.until)


class AwsKeys:
    """The keys of a deployed stack; implements the protocol `centralized_ml_api.api.keys.Keys`.

    A replaced or revoked key is disabled, not deleted: the key of the template must exist when the stack is
    changed or deleted. Limits apply to each key, so during a grace period a team has them twice.
    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-usage-plans.html

    Every method raises `DeployError` when AWS refuses, or when nothing with teams is deployed.
    """

    def __init__(
        self,
        target: AwsTarget,
        clients: AwsClients,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Keeps what the methods need; asks AWS nothing yet.

        Args:
            target: the stack.
            clients: of its region.
            clock: returns the present instant, with a zone.
        """
        self._clients, self._stack, self._clock = clients, target.stack, clock
        self._gateway = clients.client("apigateway")

    def teams(self) -> tuple[TeamKeys, ...]:
        """Returns the keys of every team of the stack, then those of teams that the config no longer has."""
        with _Refusals(self._stack):
            teams = self._load_teams()
            listed = [self._describe(team, self._keys_of(plan)) for team, plan in teams.plans.items()]
            return (*listed, *self._unlisted(set(teams.plans)))

    def show(self, team: str) -> str:
        """Returns the value of the team's current key.

        Raises:
            UsageError: there is no such team, or it has no key.
            DeployError: AWS refused, or nothing with teams is deployed.
        """
        with _Refusals(self._stack):
            key = self._current(self._keys_of(_plan_of(team, self._load_teams())))
        if key is None:
            flags = stack_flags(self._clients.region, self._stack)
            fix = f"make one: {command('keys', 'rotate', team, '--target', 'aws', *flags)}"
            raise UsageError(f"team {team} has no key", fix=fix)
        return key.value

    def rotate(self, team: str, grace: timedelta) -> None:
        """Gives the team a new key; a schedule on AWS ends the old ones after `grace`.

        Raises:
            UsageError: there is no such team.
            DeployError: AWS refused, or nothing with teams is deployed.
        """
        with _Refusals(self._stack):
            teams = self._load_teams()
            plan = _plan_of(team, teams)
            old = [key for key in self._keys_of(plan) if key.works(self._clock())]
            self._add(team, plan)
            for key in old:
                self._end(key, self._clock() + grace, teams) if grace else self._disable(key)

    def revoke(self, team: str, *, former_only: bool = False) -> None:
        """Disables all keys of the team, or only the replaced ones.

        Raises:
            UsageError: there is no such team.
            DeployError: AWS refused, or nothing with teams is deployed.
        """
        with _Refusals(self._stack):
            for key in self._keys_of(_plan_of(team, self._load_teams())):
                if key.enabled and (key.until or not former_only):
                    self._disable(key)

    def _load_teams(self) -> DeployedTeams:
        return load_teams(self._clients.client("cloudformation"), self._stack)

    def _keys_of(self, plan: str) -> list[_Key]:
        pages = self._gateway.get_paginator("get_usage_plan_keys").paginate(usagePlanId=plan)
        return [self._load(key["id"]) for page in pages for key in page["items"]]

    def _load(self, key_id: str) -> _Key:
        found = self._gateway.get_api_key(apiKey=key_id, includeValue=True)
        until = _UNTIL.match(found.get("description") or "")
        return _Key(
            id=key_id,
            value=found["value"],
            enabled=found["enabled"],
            until=datetime.fromisoformat(until[1]) if until else None,
            created=found["createdDate"],
        )

    def _describe(self, team: str, keys: list[_Key]) -> TeamKeys:
        current = self._current(keys)
        former = [FormerKey(key.ending, key.until) for key in keys if key.until and key.works(self._clock())]
        return TeamKeys(
            team, "active" if current else "revoked", current.ending if current else "", tuple(former)
        )

    def _current(self, keys: list[_Key]) -> _Key | None:
        working = [key for key in keys if key.until is None and key.enabled]
        return max(working, key=lambda key: key.created, default=None)

    def _unlisted(self, listed: set[str]) -> Iterator[TeamKeys]:
        for key in find_keys(self._gateway, self._stack):
            team = key["tags"][TEAM_TAG]
            if team not in listed and key["enabled"]:
                listed.add(team)
                yield TeamKeys(team, "not listed", "")

    def _add(self, team: str, plan: str) -> None:
        made = self._gateway.create_api_key(
            name=team, enabled=True, value=new_key(), tags=key_tags(self._stack, team)
        )
        self._gateway.create_usage_plan_key(usagePlanId=plan, keyId=made["id"], keyType="API_KEY")

    def _disable(self, key: _Key) -> None:
        """Disables the key; API Gateway refuses it from then on."""
        self._update(key, "/enabled", "false")

    def _end(self, key: _Key, until: datetime, teams: DeployedTeams) -> None:
        """Lets AWS disable the key at `until`, unless it ends earlier anyway."""
        if key.until and key.until <= until:
            return
        _schedule_end(self._clients.client("scheduler"), teams, key.id, until)
        self._update(key, "/description", f"Replaced; works until {render_instant(until)}")

    def _update(self, key: _Key, path: str, value: str) -> None:
        change = {"op": "replace", "path": path, "value": value}
        self._gateway.update_api_key(apiKey=key.id, patchOperations=[change])


def _schedule_end(scheduler: Any, teams: DeployedTeams, key_id: str, until: datetime) -> None:
    """Makes a schedule that disables the key once and then deletes itself.

    A key may have several schedules: the first one ends it. Universal targets take names with capitals.
    """
    change = {"Op": "replace", "Path": "/enabled", "Value": "false"}
    scheduler.create_schedule(
        Name=f"key-{key_id}-{until:%Y%m%dT%H%M%S}",
        GroupName=teams.schedule_group,
        ScheduleExpression=render_schedule(until),
        ScheduleExpressionTimezone="UTC",
        FlexibleTimeWindow={"Mode": "OFF"},
        ActionAfterCompletion="DELETE",
        Target={
            "Arn": _UPDATE_KEY.format(partition=teams.ending_role.split(":")[1]),
            "RoleArn": teams.ending_role,
            "Input": json.dumps({"ApiKey": key_id, "PatchOperations": [change]}),
        },
    )


def _plan_of(team: str, teams: DeployedTeams) -> str:
    if team not in teams.plans:
        raise unknown_team(team, teams.plans)
    return teams.plans[team]


def find_keys(gateway: Any, stack: str) -> list[dict[str, Any]]:
    """Returns the keys with the stack's tag, whoever made them, without their values.

    Raises:
        botocore.exceptions.ClientError: AWS refused.
        botocore.exceptions.BotoCoreError: AWS could not be asked.
    """
    pages = gateway.get_paginator("get_api_keys").paginate(includeValues=False)
    keys = [key for page in pages for key in page["items"]]
    return [key for key in keys if (key.get("tags") or {}).get(STACK_TAG) == stack]


class _Refusals:
    """A block in which AWS's refusals become one of the project's errors."""

    def __init__(self, stack: str) -> None:
        self._stack = stack

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, (BotoCoreError, ClientError)):
            raise build_aws_error(f"cannot work on the keys of {self._stack}", error) from error

"""Shows, rotates and revokes the keys of a deployed API, which API Gateway holds."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from centralized_ml_api.api.event_end import render_instant
from centralized_ml_api.api.keys import SHOWN_CHARACTERS, FormerKey, TeamKeys, new_key, unknown_team
from centralized_ml_api.aws.event.function_variable import NoVariableError
from centralized_ml_api.aws.event.joining import load_roster
from centralized_ml_api.aws.event.pauses import AwsPauses
from centralized_ml_api.aws.failures.explain import build_aws_error
from centralized_ml_api.aws.settings import stack_flags
from centralized_ml_api.aws.stack.contract import STACK_TAG, TEAM_TAG, key_tags, render_schedule
from centralized_ml_api.aws.stack.deployed_stack import load_teams
from centralized_ml_api.commands import command
from centralized_ml_api.errors import MlApiError, UsageError
from centralized_ml_api.plan.aws.event import PLACE_PREFIX

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import timedelta

    from centralized_ml_api.aws.cdk.target import AwsTarget
    from centralized_ml_api.aws.clients import AwsClients
    from centralized_ml_api.aws.stack.deployed_stack import DeployedTeams

_UNTIL = re.compile(r"Replaced; works until (\S+)")

KEYS_A_PAGE = 500
"""The most that API Gateway lists in one request, of which it answers ten a second in all.

Source: https://docs.aws.amazon.com/apigateway/latest/api/API_GetApiKeys.html
"""

JOIN_PAUSES_SECONDS = (1.0, 2.0, 4.0, 8.0)
"""The pauses before joining a key with its plan is tried again.

API Gateway joins one key at a time in an account and region.
Source: https://github.com/serverless/serverless/issues/12065 (the words of AWS's support)
"""

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
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """Keeps what the methods need; asks AWS nothing yet.

        Args:
            target: The stack.
            clients: Of its region.
            clock: Returns the present instant, with a zone.
            pause: Waits for that many seconds.
        """
        self._clients, self._stack, self._clock, self._pause = clients, target.stack, clock, pause
        self._gateway, self._pauses = clients.client("apigateway"), AwsPauses(clients, target.stack)

    def teams(self) -> tuple[TeamKeys, ...]:
        """Returns the keys of every team of the stack, then those of teams that the config no longer has."""
        with _Refusals(self._stack):
            teams = self._load_teams()
            plans, keys = teams.plans, self._load_keys(teams)
            listed = [self._describe(team, keys.get(team, [])) for team in plans]
            former = [team for team in keys if team not in plans and any(key.enabled for key in keys[team])]
            return (*listed, *(TeamKeys(team, "not listed", "") for team in former))

    def show(self, team: str) -> str:
        """Returns the value of the team's current key.

        Raises:
            UsageError: There is no such team, or it has no key.
            DeployError: AWS refused, or nothing with teams is deployed.
        """
        with _Refusals(self._stack):
            key = self._current(self._keys_of(team, self._load_teams()))
        if key is None:
            flags = stack_flags(self._clients.region, self._stack)
            fix = f"make one: {command('keys', 'rotate', team, '--target', 'aws', *flags)}"
            raise UsageError(f"team {team} has no key", fix=fix)
        return key.value

    def rotate(self, team: str, grace: timedelta) -> str | None:
        """Gives the team a new key; a schedule on AWS ends the old ones after `grace`.

        A pause of the team covers the new key before that exists; no key is made that it cannot cover.

        Raises:
            UsageError: There is no such team.
            DeployError: AWS refused, or nothing with teams is deployed.
        """
        with _Refusals(self._stack):
            teams = self._load_teams()
            old = [key for key in self._keys_of(team, teams) if key.works(self._clock())]
            value, owner = new_key(), teams.owner_of(team)
            self._cover(owner, value)
            made = self._add(team, value, teams)
            try:
                words = self._cover(owner, value)  # a pause that began meanwhile knows nothing of it
            except (MlApiError, BotoCoreError, ClientError):
                self._gateway.delete_api_key(apiKey=made)
                raise
            for key in old:
                self._end(key, self._clock() + grace, teams) if grace else self._disable(key)
            return words

    def revoke(self, team: str, *, former_only: bool = False) -> None:
        """Disables all keys of the team, or only the replaced ones.

        Raises:
            UsageError: There is no such team.
            DeployError: AWS refused, or nothing with teams is deployed.
        """
        with _Refusals(self._stack):
            for key in self._keys_of(team, self._load_teams()):
                if key.enabled and (key.until or not former_only):
                    self._disable(key)

    def _load_teams(self) -> DeployedTeams:
        cloudformation, roster = self._clients.client("cloudformation"), partial(load_roster, self._clients)
        return load_teams(cloudformation, self._stack, roster)

    def _keys_of(self, team: str, teams: DeployedTeams) -> list[_Key]:
        if team not in teams.plans:
            raise unknown_team(team, teams.plans)
        return self._load_keys(teams).get(team, [])

    def _load_keys(self, teams: DeployedTeams) -> dict[str, list[_Key]]:
        """Loads the keys by their teams: one request, however many teams there are.

        A key that somebody made by hand may have the stack's tag and no team's: it is nobody's, like that of
        a place which nobody has taken, and like that of a former team whose name a team with a place has.
        """
        by_team: dict[str, list[_Key]] = {}
        roster = {place: team for team, place in teams.places.items()}
        for key in find_keys(self._gateway, self._stack, values=True):
            name = key["tags"].get(TEAM_TAG, "")
            team = roster.get(name, "" if name.startswith(PLACE_PREFIX) else name)
            is_former = name in teams.places and teams.owner_of(name) != name
            if team and not is_former:
                by_team.setdefault(team, []).append(_read(key))
        return by_team

    def _describe(self, team: str, keys: list[_Key]) -> TeamKeys:
        current = self._current(keys)
        former = [FormerKey(key.ending, key.until) for key in keys if key.until and key.works(self._clock())]
        return TeamKeys(
            team, "active" if current else "revoked", current.ending if current else "", tuple(former)
        )

    def _current(self, keys: list[_Key]) -> _Key | None:
        working = [key for key in keys if key.until is None and key.enabled]
        return max(working, key=lambda key: key.created, default=None)

    def _cover(self, owner: str, value: str) -> str | None:
        """Lets a pause of the team cover a key; returns what the team is told, None without a pause."""
        try:
            return self._pauses.cover(owner, [value])
        except NoVariableError:
            return None  # the stack is older than pauses

    def _add(self, team: str, value: str, teams: DeployedTeams) -> str:
        """Makes a key; returns API Gateway's id of it."""
        tags = {**teams.tags, **key_tags(self._stack, teams.owner_of(team))}
        made = self._gateway.create_api_key(name=team, enabled=True, value=value, tags=tags)
        try:
            join_plan(self._gateway, teams.plans[team], made["id"], self._pause)
        except (BotoCoreError, ClientError):
            self._gateway.delete_api_key(apiKey=made["id"])  # a key without a plan opens nothing
            raise
        made_id: str = made["id"]
        return made_id

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


def join_plan(gateway: Any, plan: str, key_id: str, pause: Callable[[float], None]) -> None:
    """Puts a key into a plan; tries again while API Gateway puts another one into some plan.

    Args:
        gateway: A client of API Gateway.
        plan: The id of the usage plan.
        key_id: The id of the key.
        pause: Waits for that many seconds.

    Raises:
        botocore.exceptions.ClientError: AWS refused, in the end.
        botocore.exceptions.BotoCoreError: AWS could not be asked.
    """
    for seconds in (*JOIN_PAUSES_SECONDS, None):
        try:
            gateway.create_usage_plan_key(usagePlanId=plan, keyId=key_id, keyType="API_KEY")
        except ClientError as error:
            if seconds is None or error.response["Error"]["Code"] != "ConflictException":
                raise
            pause(seconds)
        else:
            return


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


def _read(key: Mapping[str, Any]) -> _Key:
    return _Key(
        id=key["id"],
        value=key["value"],
        enabled=key["enabled"],
        until=_read_until(key.get("description") or ""),
        created=key["createdDate"],
    )


def _read_until(description: str) -> datetime | None:
    """Returns when a key ends that was replaced; None for one that was not, also where a hand has written."""
    found = _UNTIL.match(description)
    try:
        until = datetime.fromisoformat(found[1]) if found else None
    except ValueError:
        return None
    return until if until is None or until.tzinfo else until.replace(tzinfo=UTC)


def find_keys(gateway: Any, stack: str, *, values: bool = False) -> list[dict[str, Any]]:
    """Returns the keys with the stack's tag, whoever made them.

    Args:
        gateway: A client of API Gateway.
        stack: The name of the stack.
        values: Whether the keys have their values.

    Raises:
        botocore.exceptions.ClientError: AWS refused.
        botocore.exceptions.BotoCoreError: AWS could not be asked.
    """
    pages = gateway.get_paginator("get_api_keys").paginate(
        includeValues=values, PaginationConfig={"PageSize": KEYS_A_PAGE}
    )
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

"""The keys of a deployed API, as API Gateway has them."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from centralized_ml_api.api.event_end import render_instant
from centralized_ml_api.api.keys import SHOWN_CHARACTERS, FormerKey, TeamKeys, new_key
from centralized_ml_api.aws.cdk_failure import build_aws_error
from centralized_ml_api.aws.deployed_teams import load_deployed_teams
from centralized_ml_api.aws.key_ending import schedule_end, stop_key
from centralized_ml_api.aws.tags import STACK_TAG, TEAM_TAG, key_tags
from centralized_ml_api.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import timedelta

    from centralized_ml_api.aws.clients import AwsClients
    from centralized_ml_api.aws.deployed_teams import DeployedTeams
    from centralized_ml_api.aws.target import AwsTarget

_UNTIL = re.compile(r"Replaced; works until (\S+)")


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
    """Keeps the protocol `centralized_ml_api.api.keys.Keys` for a stack that is deployed.

    A key that is replaced or revoked is disabled, not deleted: the one of the template must be there when the
    stack is changed or deleted. Limits hold for each key, so during a grace a team has them twice.
    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-usage-plans.html

    Every method raises `DeployError` when AWS refuses or nothing with teams is deployed.
    """

    def __init__(
        self,
        target: AwsTarget,
        clients: AwsClients,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Asks AWS nothing yet.

        Args:
            target: what is deployed.
            clients: of its region.
            clock: the present, with its zone.
        """
        self._clients, self._stack, self._clock = clients, target.stack, clock
        self._gateway = clients.client("apigateway")

    def teams(self) -> tuple[TeamKeys, ...]:
        """Every team of the stack; after them, those that have keys still and are in the config no more."""
        with _Refusals(self._stack):
            teams = self._load_teams()
            listed = [self._describe(team, self._keys_of(plan)) for team, plan in teams.plans.items()]
            return (*listed, *self._unlisted(set(teams.plans)))

    def show(self, team: str) -> str:
        """The value of the team's current key.

        Raises:
            UsageError: there is no such team, or it has no key.
        """
        with _Refusals(self._stack):
            key = self._current(self._keys_of(_plan_of(team, self._load_teams())))
        if key is None:
            fix = f"mlapi keys rotate {shlex.quote(team)} --target aws"
            raise UsageError(f"team {team} has no key", fix=fix)
        return key.value

    def rotate(self, team: str, grace: timedelta) -> None:
        """Gives the team a new key; those that it had end after `grace`, by a schedule on AWS.

        Raises:
            UsageError: there is no such team.
        """
        with _Refusals(self._stack):
            teams = self._load_teams()
            plan = _plan_of(team, teams)
            had = [key for key in self._keys_of(plan) if key.works(self._clock())]
            self._add(team, plan)
            for key in had:
                self._end(key, self._clock() + grace, teams) if grace else stop_key(self._gateway, key.id)

    def revoke(self, team: str, *, former_only: bool = False) -> None:
        """Disables all keys of the team, or only those that were replaced.

        Raises:
            UsageError: there is no such team.
        """
        with _Refusals(self._stack):
            for key in self._keys_of(_plan_of(team, self._load_teams())):
                if key.enabled and (key.until or not former_only):
                    stop_key(self._gateway, key.id)

    def _load_teams(self) -> DeployedTeams:
        return load_deployed_teams(self._clients.client("cloudformation"), self._stack)

    def _keys_of(self, plan: str) -> list[_Key]:
        pages = self._gateway.get_paginator("get_usage_plan_keys").paginate(usagePlanId=plan)
        return [self._load(one["id"]) for page in pages for one in page["items"]]

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

    def _end(self, key: _Key, until: datetime, teams: DeployedTeams) -> None:
        """At `until`, unless it ends earlier anyway."""
        if key.until and key.until <= until:
            return
        schedule_end(self._clients.client("scheduler"), teams, key.id, until)
        said = f"Replaced; works until {render_instant(until)}"
        change = {"op": "replace", "path": "/description", "value": said}
        self._gateway.update_api_key(apiKey=key.id, patchOperations=[change])


def _plan_of(team: str, teams: DeployedTeams) -> str:
    if team not in teams.plans:
        raise UsageError(f"there is no team {team!r}", fix=f"choose one of: {', '.join(teams.plans)}")
    return teams.plans[team]


def find_keys(gateway: Any, stack: str) -> list[dict[str, Any]]:
    """The keys that have the stack's tag, whoever made them, without their values."""
    pages = gateway.get_paginator("get_api_keys").paginate(includeValues=False)
    keys = [one for page in pages for one in page["items"]]
    return [one for one in keys if (one.get("tags") or {}).get(STACK_TAG) == stack]


class _Refusals:
    """What AWS refuses inside of the block is told as one of the project's errors."""

    def __init__(self, stack: str) -> None:
        self._stack = stack

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, (BotoCoreError, ClientError)):
            raise build_aws_error(f"the keys of {self._stack} could not be worked on", error) from error

"""What organizers grant to teams of a deployed stack: an item of each in the table of what teams spend.

`grants.mjs` of the function that streams reads it. API Gateway counts requests by itself: nobody can be
granted more of these.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from centralized_ml_api.aws.stack.contract import SPENDING_TABLE
from centralized_ml_api.aws.stack.deployed_stack import TABLE, find_physical_id, load_resources
from centralized_ml_api.aws.stack.stored import read_count
from centralized_ml_api.errors import DeployError, UsageError
from centralized_ml_api.organizer.grant import NOTHING, Grant
from centralized_ml_api.plan.aws.spending import GRANTED_SPAN, OWNER_KEY, PERIOD_KEY, TEAM_OWNER

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from centralized_ml_api.aws.clients import AwsClients

_UNITS = ("tokens", "nanodollars")
_NAMES = {f"#{unit}": unit for unit in _UNITS}


class AwsGrants:
    """What teams of a stack may use on top of its limits; teams are named as the tags of their keys are.

    Every method raises `DeployError` when the stack counts nothing, and botocore's errors.

    Args:
        clients: Of the region of the stack.
        stack: Its name.
    """

    def __init__(self, clients: AwsClients, stack: str) -> None:
        self._clients, self._stack = clients, stack

    def load(self) -> dict[str, Grant]:
        """Returns what each team has been granted, without those that have nothing."""
        pages = self._client.get_paginator("scan").paginate(
            TableName=self._find_table(),
            ConsistentRead=True,
            FilterExpression="#span = :granted",
            ExpressionAttributeNames={"#span": PERIOD_KEY},
            ExpressionAttributeValues={":granted": {"S": GRANTED_SPAN}},
        )
        return read_grants(item for page in pages for item in page["Items"])

    def add(self, team: str, grant: Grant) -> None:
        """Grants a team more; grants add up."""
        self._update(team, grant)

    def take_back(self, team: str, grant: Grant | None = None) -> Grant:
        """Takes back what a team was granted, all of it or so much; returns how much.

        Raises:
            UsageError: It was granted nothing, or less than that.
            DeployError: Nothing is counted.
        """
        if grant is not None:
            self._take(team, grant)
            return grant
        key = _key_of(team)
        removed = self._client.delete_item(TableName=self._find_table(), Key=key, ReturnValues="ALL_OLD")
        taken = _parse(removed.get("Attributes", {}))
        if taken == NOTHING:
            raise UsageError(f"{team} was granted nothing")
        return taken

    def _take(self, team: str, grant: Grant) -> None:
        values = {":least_tokens": grant.tokens, ":least_nanodollars": grant.nanodollars}
        least = {name: {"N": str(amount)} for name, amount in values.items() if amount}
        condition = " AND ".join(f"#{name.removeprefix(':least_')} >= {name}" for name in least)
        back = Grant(-grant.nanodollars, -grant.tokens)
        try:
            self._update(team, back, least, ConditionExpression=condition)
        except self._client.exceptions.ConditionalCheckFailedException as error:
            raise UsageError(f"{team} was granted less than that") from error

    def _update(self, team: str, change: Grant, values: Mapping[str, Any] | None = None, **more: str) -> None:
        changes = {f":{unit}": {"N": str(getattr(change, unit))} for unit in _UNITS}
        self._client.update_item(
            TableName=self._find_table(),
            Key=_key_of(team),
            UpdateExpression=f"ADD {', '.join(f'#{unit} :{unit}' for unit in _UNITS)}",
            ExpressionAttributeNames=_NAMES,
            ExpressionAttributeValues={**changes, **(values or {})},
            **more,
        )

    @property
    def _client(self) -> Any:
        return self._clients.client("dynamodb")

    def _find_table(self) -> str:
        resources = load_resources(self._clients.client("cloudformation"), self._stack)
        table = find_physical_id(resources, TABLE, SPENDING_TABLE)
        if not table:
            raise DeployError(
                f"nothing limits what teams of {self._stack} spend in tokens or dollars",
                fix="add limits to the config, such as `usd`, then deploy again",
            )
        return table


def read_grants(items: Iterable[Mapping[str, Any]]) -> dict[str, Grant]:
    """Returns what teams have been granted, from items of the table; without empty ones. Pure."""
    found = {item[OWNER_KEY]["S"].removeprefix(TEAM_OWNER): _parse(item) for item in items}
    return {team: grant for team, grant in found.items() if grant != NOTHING}


def _parse(item: Mapping[str, Any]) -> Grant:
    return Grant(**{unit: read_count(item, unit) for unit in _UNITS})


def _key_of(team: str) -> dict[str, Any]:
    return {OWNER_KEY: {"S": f"{TEAM_OWNER}{team}"}, PERIOD_KEY: {"S": GRANTED_SPAN}}

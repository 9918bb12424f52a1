"""Reads what was called on AWS: the access log, with CloudWatch Logs Insights, and the usage plans."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from centralized_ml_api.aws.event.joining import load_roster
from centralized_ml_api.aws.event.keys import find_keys
from centralized_ml_api.aws.failures.explain import build_aws_error
from centralized_ml_api.aws.stack.contract import PLACES_PLAN, SPENDING_TABLE, TEAM_TAG
from centralized_ml_api.aws.stack.deployed_stack import (
    TABLE,
    StackResource,
    find_physical_id,
    load_outputs,
    load_resources,
)
from centralized_ml_api.aws.usage.rows import MOST_ROWS, QUERIES, Counted
from centralized_ml_api.aws.usage.spent_tokens import load_spent
from centralized_ml_api.errors import DeployError
from centralized_ml_api.plan.usage.types import SpentTokens, TeamDay, UsageTable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from centralized_ml_api.aws.clients import AwsClients
    from centralized_ml_api.aws.usage.rows import Row

_LOG_GROUP = "AWS::Logs::LogGroup"
_ACCESS_LOG = "AccessLog"
_USAGE_PLAN = "AWS::ApiGateway::UsagePlan"
_MOST_PLANS = 500
"""The most that API Gateway lists in one request.

Source: https://docs.aws.amazon.com/apigateway/latest/api/API_GetUsagePlans.html
"""

_MOST_DAYS = 90
"""How far back the usage plans are asked."""

QUERY_TIMEOUT_SECONDS = 120.0
_POLL_SECONDS = 0.5
_UNDER_WAY = ("Scheduled", "Running", "Unknown")


@dataclass(frozen=True, slots=True)
class _Deployed:
    """The stack, as far as usage needs it."""

    stack: str
    made: datetime
    resources: Sequence[StackResource]

    @property
    def log_group(self) -> str:
        if group := find_physical_id(self.resources, _LOG_GROUP, _ACCESS_LOG):
            return group
        raise DeployError(
            f"{self.stack} has no access log yet",
            fix="wait until the deploy ends, or deploy again",
        )


def load_table(
    clients: AwsClients, stack: str, since: datetime | None, *, now: datetime | None = None
) -> UsageTable:
    """Returns the calls of a deployed stack since an instant.

    Args:
        clients: Of the region of the stack.
        stack: Its name.
        since: The first instant that counts; None for when the stack was created.
        now: The last instant that counts; None for the present.

    Raises:
        DeployError: There is no such stack, or AWS refused.
    """
    until = now or datetime.now(UTC)
    try:
        cloudformation, gateway = clients.client("cloudformation"), clients.client("apigateway")
        deployed = _load_deployed(cloudformation, stack, clients.region)
        roster = load_roster(clients, load_outputs(cloudformation, stack))
        teams = _load_teams(gateway, stack, roster)
        start = max(since, deployed.made) if since else deployed.made
        answers = run_queries(clients.client("logs"), deployed.log_group, QUERIES, since=start, until=until)
        counted = Counted(answers, teams)
        days = tuple(_load_days(gateway, deployed.resources, start, until, teams))
        first = since.astimezone(UTC).date() if since else None
        spent = tuple(_load_spent(clients, deployed.resources, first, roster))
    except (BotoCoreError, ClientError) as error:
        raise build_aws_error(f"cannot read the usage of {stack}", error) from error
    notes = [*counted.notes(), *(["tokens are those of whole days (UTC)"] if spent and since else [])]
    return UsageTable(
        since, counted.rows(), counted.models(), counted.hours(), days, tuple(notes), spent=spent
    )


def find_log_group(clients: AwsClients, stack: str) -> str:
    """Returns the log group of a stack's access log.

    Raises:
        DeployError: There is no such stack, or it has no access log yet.
        botocore.exceptions.ClientError: AWS refused.
        botocore.exceptions.BotoCoreError: AWS could not be asked.
    """
    return _load_deployed(clients.client("cloudformation"), stack, clients.region).log_group


def load_key_owners(clients: AwsClients, stack: str) -> dict[str, str]:
    """Returns the teams of a stack by the ids of their keys, without reading the keys' values.

    Raises:
        botocore.exceptions.ClientError: AWS refused.
        botocore.exceptions.BotoCoreError: AWS could not be asked.
    """
    roster = load_roster(clients, load_outputs(clients.client("cloudformation"), stack))
    return _load_teams(clients.client("apigateway"), stack, roster)


def load_made(clients: AwsClients, stack: str) -> datetime:
    """Returns when the stack was created, which is when its instances begin to be billed.

    Raises:
        DeployError: There is no such stack, or AWS refused.
    """
    try:
        return _load_made(clients.client("cloudformation"), stack)
    except (BotoCoreError, ClientError) as error:
        raise build_aws_error(f"cannot read when {stack} was created", error) from error


def _load_deployed(cloudformation: Any, stack: str, region: str) -> _Deployed:
    resources = load_resources(cloudformation, stack)
    if not resources:
        raise DeployError(
            f"{stack} is not deployed in {region}",
            fix="deploy it, or name another stack with --stack and --region",
        )
    return _Deployed(stack, _load_made(cloudformation, stack), resources)


def _load_made(cloudformation: Any, stack: str) -> datetime:
    made: datetime = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["CreationTime"]
    return made


def _load_teams(gateway: Any, stack: str, roster: Mapping[str, str]) -> dict[str, str]:
    """Returns the teams by the ids of their keys, without reading the keys' values.

    `roster` has the teams that joined by the names of their places, which their keys have.
    """
    named = {key["id"]: key["tags"].get(TEAM_TAG) for key in find_keys(gateway, stack)}
    return {key_id: roster.get(name, name) for key_id, name in named.items() if name}


def _load_spent(
    clients: AwsClients,
    resources: Iterable[StackResource],
    first: date | None,
    roster: Mapping[str, str],
) -> Iterable[SpentTokens]:
    """Yields the tokens where a table counts them: where some are limited."""
    table = find_physical_id(resources, TABLE, SPENDING_TABLE)
    if table:
        for spent in load_spent(clients.client("dynamodb"), table, first):
            yield replace(spent, team=roster.get(spent.team, spent.team))


def _load_days(
    gateway: Any,
    resources: Iterable[StackResource],
    since: datetime,
    until: datetime,
    teams: Mapping[str, str],
) -> Iterable[TeamDay]:
    """Yields what API Gateway counts towards the quotas, over all keys of each team.

    A key that is gone counts for the team of its plan; `teams` are those of all others.
    """
    first = max(since, until - timedelta(days=_MOST_DAYS)).astimezone(UTC).date()
    pages = gateway.get_paginator("get_usage_plans").paginate(PaginationConfig={"PageSize": _MOST_PLANS})
    names = {plan["id"]: plan["name"] for page in pages for plan in page.get("items", [])}
    for plan in (resource.physical_id for resource in resources if resource.type == _USAGE_PLAN):
        is_shared = names[plan] == PLACES_PLAN
        counts = Counter[tuple[str, date]]()
        for key, day, requests in _load_plan_days(gateway, plan, first, until.astimezone(UTC).date()):
            counts[teams.get(key, names[plan]) if is_shared else names[plan], day] += requests
        yield from (TeamDay(*of, requests) for of, requests in sorted(counts.items()) if requests)


def _load_plan_days(gateway: Any, plan: str, first: date, last: date) -> Iterable[tuple[str, date, int]]:
    """Yields keys of a plan with a day each: API Gateway gives [used, remaining] of each day for each key.

    Source: https://docs.aws.amazon.com/apigateway/latest/api/API_GetUsage.html
    """
    pages = gateway.get_paginator("get_usage").paginate(
        usagePlanId=plan, startDate=first.isoformat(), endDate=last.isoformat()
    )
    for page in pages:
        for key, used in page.get("items", {}).items():
            for number, (requests, *_) in enumerate(used):
                yield key, first + timedelta(days=number), int(requests)


def run_queries(
    logs: Any,
    group: str,
    queries: Mapping[str, str],
    *,
    since: datetime,
    until: datetime,
    pause: Callable[[float], None] = time.sleep,
) -> dict[str, list[Row]]:
    """Runs queries of CloudWatch Logs Insights, which AWS bills, at once; returns their rows by their names.

    Args:
        logs: A client of CloudWatch Logs.
        group: The log group.
        queries: The queries, by names of the caller's choice.
        since: The first instant that counts.
        until: The last instant that counts.
        pause: Waits that many seconds between two polls.

    Raises:
        DeployError: A query failed, or took longer than `QUERY_TIMEOUT_SECONDS`.
        botocore.exceptions.ClientError: AWS refused.
        botocore.exceptions.BotoCoreError: AWS could not be asked.
    """
    times = {"startTime": int(since.timestamp()), "endTime": int(until.timestamp())}
    asked = {
        name: logs.start_query(logGroupName=group, queryString=query, limit=MOST_ROWS, **times)["queryId"]
        for name, query in queries.items()
    }
    return {name: _wait(logs, query, pause) for name, query in asked.items()}


def _wait(logs: Any, query: str, pause: Callable[[float], None]) -> list[Row]:
    for _ in range(int(QUERY_TIMEOUT_SECONDS / _POLL_SECONDS)):
        answer = logs.get_query_results(queryId=query)
        if answer["status"] == "Complete":
            return [{cell["field"]: cell.get("value", "") for cell in row} for row in answer["results"]]
        if answer["status"] not in _UNDER_WAY:
            raise DeployError(f"a CloudWatch query of the access log ended as {answer['status']}")
        pause(_POLL_SECONDS)
    logs.stop_query(queryId=query)
    raise DeployError(
        f"a CloudWatch query of the access log took longer than {QUERY_TIMEOUT_SECONDS:g} seconds",
        fix="ask for a shorter time: --since 24h",
    )

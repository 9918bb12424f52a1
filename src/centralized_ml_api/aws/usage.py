"""What was called on AWS: the access log, asked with CloudWatch Logs Insights, and the usage plans."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from centralized_ml_api.aws.cdk_failure import build_aws_error
from centralized_ml_api.aws.deployed import StackResource, load_resources
from centralized_ml_api.aws.log_queries import run_queries
from centralized_ml_api.aws.tags import STACK_TAG, TEAM_TAG
from centralized_ml_api.aws.usage_rows import QUERIES, Counted
from centralized_ml_api.errors import DeployError
from centralized_ml_api.plan.usage.types import TeamDay, UsageTable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from centralized_ml_api.aws.clients import AwsClients

_LOG_GROUP = "AWS::Logs::LogGroup"
_ACCESS_LOG = "AccessLog"
_USAGE_PLAN = "AWS::ApiGateway::UsagePlan"
_MOST_DAYS = 90
"""How far back the usage plans are asked."""


@dataclass(frozen=True, slots=True)
class _Deployed:
    """The stack, as far as usage needs it."""

    stack: str
    made: datetime
    resources: Sequence[StackResource]

    @property
    def log_group(self) -> str:
        groups = [one for one in self.resources if one.type == _LOG_GROUP and _ACCESS_LOG in one.logical_id]
        if not groups:
            raise DeployError(
                f"{self.stack} has no access log yet",
                fix="wait until mlapi deploy has ended, or deploy again",
            )
        return groups[0].physical_id


def load_table(
    clients: AwsClients, stack: str, since: datetime | None, *, now: datetime | None = None
) -> UsageTable:
    """The calls of a deployed stack since an instant; None since it was made.

    Args:
        clients: of the region of the stack.
        stack: its name.
        since: the first instant that counts.
        now: the last one; None for this very moment.

    Raises:
        DeployError: there is no such stack, or AWS refused.
    """
    until = now or datetime.now(UTC)
    try:
        deployed = _load_deployed(clients.client("cloudformation"), stack, clients.region)
        gateway = clients.client("apigateway")
        start = max(since, deployed.made) if since else deployed.made
        answers = run_queries(clients.client("logs"), deployed.log_group, QUERIES, since=start, until=until)
        counted = Counted(answers, _load_teams(gateway, stack))
        days = tuple(_load_days(gateway, deployed.resources, start, until))
    except (BotoCoreError, ClientError) as error:
        raise build_aws_error(f"the usage of {stack} cannot be read", error) from error
    return UsageTable(since, counted.rows(), counted.models(), counted.hours(), days, counted.notes())


def load_made(clients: AwsClients, stack: str) -> datetime:
    """When the stack was made, from which on its instances are billed.

    Raises:
        DeployError: there is no such stack, or AWS refused.
    """
    try:
        return _load_made(clients.client("cloudformation"), stack)
    except (BotoCoreError, ClientError) as error:
        raise build_aws_error(f"when {stack} was made cannot be read", error) from error


def _load_deployed(cloudformation: Any, stack: str, region: str) -> _Deployed:
    resources = load_resources(cloudformation, stack)
    if not resources:
        raise DeployError(f"{stack} is not deployed in {region}", fix="mlapi deploy, or --stack and --region")
    return _Deployed(stack, _load_made(cloudformation, stack), resources)


def _load_made(cloudformation: Any, stack: str) -> datetime:
    made: datetime = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["CreationTime"]
    return made


def _load_teams(gateway: Any, stack: str) -> dict[str, str]:
    """Teams by the ids of their keys. The keys' values are not asked for."""
    pages = gateway.get_paginator("get_api_keys").paginate(includeValues=False)
    keys = [key for page in pages for key in page.get("items", [])]
    return {
        key["id"]: key["tags"][TEAM_TAG]
        for key in keys
        if key.get("tags", {}).get(STACK_TAG) == stack and TEAM_TAG in key["tags"]
    }


def _load_days(
    gateway: Any, resources: Iterable[StackResource], since: datetime, until: datetime
) -> Iterable[TeamDay]:
    """What API Gateway counts towards the quotas: a plan is a team's, whichever of its keys was used."""
    first = max(since, until - timedelta(days=_MOST_DAYS)).astimezone(UTC).date()
    for plan in (one.physical_id for one in resources if one.type == _USAGE_PLAN):
        team = gateway.get_usage_plan(usagePlanId=plan)["name"]
        counts = _load_plan_days(gateway, plan, first, until.astimezone(UTC).date())
        yield from (TeamDay(team, day, requests) for day, requests in sorted(counts.items()) if requests)


def _load_plan_days(gateway: Any, plan: str, first: date, last: date) -> dict[date, int]:
    """For each key, API Gateway gives [used, remaining] of one day after another.

    Source: https://docs.aws.amazon.com/apigateway/latest/api/API_GetUsage.html
    """
    pages = gateway.get_paginator("get_usage").paginate(
        usagePlanId=plan, startDate=first.isoformat(), endDate=last.isoformat()
    )
    days: dict[date, int] = {}
    for page in pages:
        for used in page.get("items", {}).values():
            for number, (requests, *_) in enumerate(used):
                day = first + timedelta(days=number)
                days[day] = days.get(day, 0) + int(requests)
    return days

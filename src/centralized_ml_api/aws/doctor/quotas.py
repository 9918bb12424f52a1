"""Checks whether the account may run the instances: quotas, minus what already runs in the account.

SageMaker's quota of a type is often 0 at first, and every endpoint of the account and region shares it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from centralized_ml_api.aws.doctor.running import Running, load_running
from centralized_ml_api.aws.failures.known import failure_of
from centralized_ml_api.plan.finding import Finding
from centralized_ml_api.plan.types import GATEWAY_TIMEOUT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from centralized_ml_api.aws.clients import AwsClients
    from centralized_ml_api.aws.doctor.context import DoctorContext
    from centralized_ml_api.config.schema import ModelEntry

_SUFFIX = " for endpoint usage"
"""A type's quota is called `ml.g5.2xlarge for endpoint usage`.

Source: https://docs.aws.amazon.com/general/latest/gr/sagemaker.html#limits_sagemaker
"""

_PAGE = failure_of("quota").page

_INTEGRATION_TIMEOUT = "Maximum integration timeout in milliseconds"
"""The name of its quota.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
"""


@dataclass(frozen=True, slots=True)
class Demand:
    """How many instances of each type a deploy starts, and how many autoscaling may start in all."""

    at_first: Counter[str]
    at_most: Counter[str]


@dataclass(frozen=True, slots=True)
class Account:
    """What one region of an account allows and runs, in instances by type."""

    region: str
    quotas: Mapping[str, int]
    running: Running

    def free(self, instance: str) -> int:
        """Returns what this stack may run of a type, its running instances included."""
        return max(0, self.quotas.get(instance, 0) - self.running.others[instance])

    def describe_running(self, instance: str) -> str:
        """Returns a clause on what runs now, empty where nothing does."""
        others, own = self.running.others[instance], self.running.own[instance]
        said = [
            f"{others} run elsewhere in the account" if others else "",
            f"{own} in this stack" if own else "",
        ]
        clause = ", ".join(part for part in said if part)
        return f"; now {clause}" if clause else ""


def check_quotas(context: DoctorContext) -> Iterator[Finding]:
    """Yields a finding for each instance type, and one for each model with several types.

    Raises:
        botocore.exceptions.ClientError: AWS refused to say what is allowed.
        botocore.exceptions.BotoCoreError: AWS could not be asked.
    """
    if not context.models:
        return
    quotas = load_quotas(context.clients)
    running = Running()
    try:
        running = load_running(context.clients, context.stack)
    except (BotoCoreError, ClientError) as error:
        reason = str(error).partition("\n")[0]
        title = "what already runs in the account is not subtracted from the quotas"
        yield Finding("quota", "unknown", title, reason, "allow sagemaker:ListEndpoints, DescribeEndpoint*")
    account = Account(context.clients.region, quotas, running)
    yield from compare(context.models, account)


def compare(models: Sequence[ModelEntry], account: Account) -> Iterator[Finding]:
    """Yields what `check_quotas` finds. Pure."""
    demand = count_instances(models)
    for instance in demand.at_first:
        yield _compare(instance, demand, account)
    free = Counter({instance: account.free(instance) for instance in account.quotas})
    free.subtract(demand.at_first)
    for model in models:
        if model.instances:
            yield _compare_pool(model, account, free)


def check_integration_timeout(context: DoctorContext) -> Iterator[Finding]:
    """Yields a finding where the config wants API Gateway to wait longer than it does by default.

    Raises:
        botocore.exceptions.ClientError: AWS refused to say.
        botocore.exceptions.BotoCoreError: AWS could not be asked.
    """
    aws = context.config.aws if context.config else None
    wanted = (aws.integration_timeout or 0) * 1000 if aws else 0
    if wanted <= GATEWAY_TIMEOUT_SECONDS * 1000:
        return
    pages = context.clients.client("service-quotas").get_paginator("list_service_quotas")
    quotas = (quota for page in pages.paginate(ServiceCode="apigateway") for quota in page["Quotas"])
    allowed = next(
        (int(quota["Value"]) for quota in quotas if quota["QuotaName"] == _INTEGRATION_TIMEOUT), None
    )
    numbers = f"{allowed} ms allowed, {wanted} ms wanted"
    if allowed is None:
        yield Finding(
            "timeout", "unknown", f"{context.clients.region} lists no quota for integration_timeout"
        )
    elif allowed < wanted:
        fix = f'request an increase of "{_INTEGRATION_TIMEOUT}" to {wanted} in Service Quotas'
        title = "integration_timeout is above the quota of API Gateway"
        yield Finding(
            "timeout", "error", title, numbers, f"{fix} ({context.clients.region}), or lower it", _PAGE
        )
    else:
        yield Finding("timeout", "ok", "API Gateway may wait as long as integration_timeout says", numbers)


def count_instances(models: Sequence[ModelEntry]) -> Demand:
    """Counts what the models with one type need. Pure."""
    demand = Demand(Counter(), Counter())
    for model in models:
        if model.instance:
            first, most = _capacity(model)
            demand.at_first[model.instance] += first
            demand.at_most[model.instance] += most
    return demand


def _capacity(model: ModelEntry) -> tuple[int, int]:
    """Returns how many instances a deploy starts, even of a model that may sleep, and the most."""
    scaling = model.autoscaling
    return (max(scaling.min_capacity, 1), scaling.max_capacity) if scaling else (1, 1)


def load_quotas(clients: AwsClients) -> dict[str, int]:
    """Returns the quota of each instance type for endpoints, in instances, without the types that have none.

    Raises:
        botocore.exceptions.ClientError: AWS refused to say.
        botocore.exceptions.BotoCoreError: AWS could not be asked.
    """
    pages = clients.patient_client("service-quotas").get_paginator("list_service_quotas")
    return {
        quota["QuotaName"].removesuffix(_SUFFIX): int(quota["Value"])
        for page in pages.paginate(ServiceCode="sagemaker")
        for quota in page["Quotas"]
        if quota["QuotaName"].endswith(_SUFFIX)
    }


def _compare(instance: str, demand: Demand, account: Account) -> Finding:
    first, most, quota = demand.at_first[instance], demand.at_most[instance], account.quotas.get(instance)
    region = account.region
    if quota is None:
        return Finding("quota", "unknown", f"{region} lists no quota for {instance}", page=_PAGE)
    others, own = account.running.others[instance], account.running.own[instance]
    numbers = f"{quota} allowed, {first} started at first, {most} at most{account.describe_running(instance)}"
    if quota < others + first:
        fix = f"{_request(instance, others + most, region)}, or choose another type"
        if others:
            title = f"the quota of {instance} is {quota}, and {others} run already"
            return Finding("quota", "error", title, numbers, f"{fix}, or end what runs", _PAGE)
        return Finding("quota", "error", f"the quota of {instance} is {quota}", numbers, fix, _PAGE)
    if quota < others + most:
        title = f"the quota of {instance} is below what autoscaling may start"
        fix = f"{_request(instance, others + most, region)}, or lower max_capacity"
        return Finding("quota", "warning", title, numbers, fix, _PAGE)
    if own and quota <= others + own:
        title = f"the quota of {instance} leaves no room for an update"
        said = f"{numbers}; an update starts new instances before it stops the old ones"
        fix = f"{_request(instance, others + own + 1, region)}; adding and removing models works without"
        return Finding("quota", "warning", title, said, fix, _PAGE)
    return Finding("quota", "ok", f"the quota of {instance} is enough", numbers)


def _compare_pool(model: ModelEntry, account: Account, free: Counter[str]) -> Finding:
    """Compares a model with several types; takes what it starts at first from `free`, in its order."""
    types = model.instances or []
    first, most = _capacity(model)
    room = {instance: max(0, free[instance]) for instance in types}
    numbers = ", ".join(
        f"{instance}: {account.quotas.get(instance, 0)}{_free(instance, room, account)}" for instance in types
    )
    there = [instance for instance in types if room[instance]]
    _take(free, room, first)
    fix = f"request an increase for one of them in Service Quotas ({account.region})"
    if not there:
        title = f"no instance type of {model.name} has a quota"
        if any(account.quotas.get(instance, 0) for instance in types):
            title = f"the quotas of all instance types of {model.name} are used up"
        return Finding("quota", "error", title, numbers, fix, _PAGE)
    total = sum(room.values())
    if total < first:
        title = f"{model.name} starts {first} instances at first, and the quotas of its types allow {total}"
        return Finding("quota", "error", title, numbers, f"{fix}, or lower min_capacity", _PAGE)
    if total < most:
        title = f"{model.name} may scale to {most} instances, and the quotas of its types allow {total}"
        return Finding("quota", "warning", title, numbers, f"{fix}, or lower max_capacity", _PAGE)
    return Finding("quota", "ok", f"{model.name} can start on {' or '.join(there)}", numbers)


def _free(instance: str, room: Mapping[str, int], account: Account) -> str:
    return "" if room[instance] == account.quotas.get(instance, 0) else f" ({room[instance]} free)"


def _take(free: Counter[str], room: Mapping[str, int], wanted: int) -> None:
    for instance, count in room.items():
        taken = min(count, wanted)
        free[instance] -= taken
        wanted -= taken


def _request(instance: str, count: int, region: str) -> str:
    return f'request an increase of "{instance}{_SUFFIX}" to {count} in Service Quotas ({region})'

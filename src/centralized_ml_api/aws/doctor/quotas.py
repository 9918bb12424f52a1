"""Checks whether the account may run the instances: SageMaker's quota of a type is often 0 at first."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from centralized_ml_api.aws.failures.known import failure_of
from centralized_ml_api.plan.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from centralized_ml_api.aws.clients import AwsClients
    from centralized_ml_api.aws.doctor.context import DoctorContext
    from centralized_ml_api.config.schema import ModelEntry

_SUFFIX = " for endpoint usage"
"""A type's quota is called `ml.g5.2xlarge for endpoint usage`.

Source: https://docs.aws.amazon.com/general/latest/gr/sagemaker.html#limits_sagemaker
"""

_PAGE = failure_of("quota").page


@dataclass(frozen=True, slots=True)
class Demand:
    """How many instances of each type a deploy starts, and how many autoscaling may start in all."""

    at_first: Counter[str]
    at_most: Counter[str]


def check_quotas(context: DoctorContext) -> Iterator[Finding]:
    """Yields a finding for each instance type, and one for each model with several types.

    Raises:
        botocore.exceptions.ClientError: AWS refused to say.
        botocore.exceptions.BotoCoreError: AWS could not be asked.
    """
    if not context.models:
        return
    quotas = load_quotas(context.clients)
    demand = count_instances(context.models)
    for instance in demand.at_first:
        yield _compare(instance, demand, quotas, context.clients.region)
    for model in context.models:
        if model.instances:
            yield _compare_pool(model, quotas, context.clients.region)


def count_instances(models: list[ModelEntry]) -> Demand:
    """Counts what the models with one type need. Pure."""
    demand = Demand(Counter(), Counter())
    for model in models:
        if model.instance:
            scaling = model.autoscaling
            demand.at_first[model.instance] += scaling.min_capacity if scaling else 1
            demand.at_most[model.instance] += scaling.max_capacity if scaling else 1
    return demand


def load_quotas(clients: AwsClients) -> dict[str, int]:
    """Returns the quota of each instance type for endpoints, in instances, without the types that have none.

    Raises:
        botocore.exceptions.ClientError: AWS refused to say.
        botocore.exceptions.BotoCoreError: AWS could not be asked.
    """
    pages = clients.client("service-quotas").get_paginator("list_service_quotas")
    return {
        quota["QuotaName"].removesuffix(_SUFFIX): int(quota["Value"])
        for page in pages.paginate(ServiceCode="sagemaker")
        for quota in page["Quotas"]
        if quota["QuotaName"].endswith(_SUFFIX)
    }


def _compare(instance: str, demand: Demand, quotas: Mapping[str, int], region: str) -> Finding:
    first, most, quota = demand.at_first[instance], demand.at_most[instance], quotas.get(instance)
    if quota is None:
        return Finding("quota", "unknown", f"{region} lists no quota for {instance}", page=_PAGE)
    numbers = f"{quota} allowed, {first} started at first, {most} at most"
    if quota >= most:
        return Finding("quota", "ok", f"the quota of {instance} is enough", numbers)
    fix = f'request an increase of "{instance}{_SUFFIX}" to {most} in Service Quotas ({region})'
    if quota < first:
        title = f"the quota of {instance} is {quota}"
        return Finding("quota", "error", title, numbers, f"{fix}, or choose another type", _PAGE)
    title = f"the quota of {instance} is below what autoscaling may start"
    return Finding("quota", "warning", title, numbers, f"{fix}, or lower max_capacity", _PAGE)


def _compare_pool(model: ModelEntry, quotas: Mapping[str, int], region: str) -> Finding:
    types = model.instances or []
    allowed = [instance for instance in types if quotas.get(instance, 0) > 0]
    numbers = ", ".join(f"{instance}: {quotas.get(instance, 0)}" for instance in types)
    if allowed:
        return Finding("quota", "ok", f"{model.name} can start on {' or '.join(allowed)}", numbers)
    fix = f"request an increase for one of them in Service Quotas ({region})"
    return Finding("quota", "error", f"no instance type of {model.name} has a quota", numbers, fix, _PAGE)

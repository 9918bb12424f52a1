"""Whether the account may run the instances: SageMaker's quota of each type, often 0 at first."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from centralized_ml_api.aws.failures import failure_of
from centralized_ml_api.plan.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from centralized_ml_api.aws.clients import AwsClients
    from centralized_ml_api.aws.doctor.context import DoctorContext
    from centralized_ml_api.config.schema import ModelEntry

CHECK = "quota"
_SUFFIX = " for endpoint usage"
"""A type's quota is called `ml.g5.2xlarge for endpoint usage`.

Source: https://docs.aws.amazon.com/general/latest/gr/sagemaker.html#limits_sagemaker
"""


@dataclass(frozen=True, slots=True)
class Demand:
    """How many instances of each type are started, and how many there may be once all models have scaled."""

    at_first: Counter[str]
    at_most: Counter[str]


def check(subject: DoctorContext) -> Iterator[Finding]:
    """One finding an instance type, and one a model with several types."""
    if not subject.models:
        return
    quotas = load_quotas(subject.clients)
    demand = count_instances(subject.models)
    for instance in demand.at_first:
        yield _compare(instance, demand, quotas, subject.clients.region)
    for model in subject.models:
        if model.instances:
            yield _compare_pool(model, quotas, subject.clients.region)


def count_instances(models: list[ModelEntry]) -> Demand:
    """What the models with one type need. Pure."""
    demand = Demand(Counter(), Counter())
    for model in models:
        if model.instance:
            scaling = model.autoscaling
            demand.at_first[model.instance] += scaling.min_capacity if scaling else 1
            demand.at_most[model.instance] += scaling.max_capacity if scaling else 1
    return demand


def load_quotas(clients: AwsClients) -> dict[str, int]:
    """The quota of each instance type for endpoints, in instances; types without one are not in it."""
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
        return Finding(CHECK, "unknown", f"{region} names no quota for {instance}", page=_PAGE)
    words = f"{quota} allowed, {first} started at first, {most} at most"
    if quota >= most:
        return Finding(CHECK, "ok", f"the quota of {instance} is enough", words)
    fix = f'request an increase of "{instance}{_SUFFIX}" to {most} in Service Quotas ({region})'
    if quota < first:
        title = f"the quota of {instance} is {quota}"
        return Finding(CHECK, "error", title, words, f"{fix}, or take another type", _PAGE)
    title = f"the quota of {instance} does not allow all that autoscaling may start"
    return Finding(CHECK, "warning", title, words, f"{fix}, or lower max_capacity", _PAGE)


def _compare_pool(model: ModelEntry, quotas: Mapping[str, int], region: str) -> Finding:
    types = model.instances or []
    allowed = [one for one in types if quotas.get(one, 0) > 0]
    words = ", ".join(f"{one}: {quotas.get(one, 0)}" for one in types)
    if allowed:
        return Finding(CHECK, "ok", f"{model.name} can start on {' or '.join(allowed)}", words)
    fix = f"request an increase for one of them in Service Quotas ({region})"
    return Finding(CHECK, "error", f"no type of {model.name} has a quota", words, fix, _PAGE)


_PAGE = failure_of("quota").page

"""Counts what runs in the account now: the instances behind its endpoints, by type."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from centralized_ml_api.aws.stack.deployed_stack import ENDPOINT, load_resources

if TYPE_CHECKING:
    from collections.abc import Mapping

    from centralized_ml_api.aws.clients import AwsClients

_WITHOUT_INSTANCES = frozenset({"OutOfService", "Deleting", "Failed"})
"""States of an endpoint in which it has no instances, or is about to have none.

Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeEndpoint.html
"""

_GONE = "ValidationException"
"""SageMaker's error for a name that it does not know.

Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/CommonErrors.html
"""


@dataclass(frozen=True, slots=True)
class Running:
    """Instances by type: those of the stack that is looked at, and those of everything else."""

    own: Counter[str] = field(default_factory=Counter)
    others: Counter[str] = field(default_factory=Counter)


def load_running(clients: AwsClients, stack: str) -> Running:
    """Returns what the endpoints of the region run now.

    SageMaker publishes no count of it: neither Service Quotas nor CloudWatch knows how much of such a quota
    is used. So every endpoint is described, one after another, by a client that slows down when AWS asks it.

    The physical ids are ARNs, which SageMaker writes in lower case; a name keeps its capitals, and no two
    endpoints of a region differ only in them.
    Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateEndpoint.html

    Args:
        clients: Of the region.
        stack: Whose endpoints count as its own, with those of its nested stacks.

    Raises:
        botocore.exceptions.ClientError: AWS refused to say.
        botocore.exceptions.BotoCoreError: AWS could not be asked.
    """
    resources = load_resources(clients.client("cloudformation"), stack)
    own = {resource.name.lower() for resource in resources if resource.type == ENDPOINT}
    sagemaker = clients.patient_client("sagemaker")
    running = Running()
    for page in sagemaker.get_paginator("list_endpoints").paginate(MaxResults=100):
        for endpoint in page["Endpoints"]:
            if endpoint["EndpointStatus"] not in _WITHOUT_INSTANCES:
                name = endpoint["EndpointName"]
                counted = running.own if name.lower() in own else running.others
                counted.update(_load_instances(sagemaker, name))
    return running


def _load_instances(sagemaker: Any, name: str) -> Counter[str]:
    """Returns the instances of an endpoint; none where it has gone meanwhile."""
    try:
        endpoint = sagemaker.describe_endpoint(EndpointName=name)
        config = sagemaker.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
    except ClientError as error:
        if error.response["Error"]["Code"] == _GONE:
            return Counter()
        raise
    return count_instances_of(endpoint, config)


def count_instances_of(endpoint: Mapping[str, Any], config: Mapping[str, Any]) -> Counter[str]:
    """Counts the instances of an endpoint by type, those that are being started included. Pure.

    While an endpoint is created, only its configuration tells them.

    Args:
        endpoint: As SageMaker describes it.
        config: Its configuration, which alone names the type of a variant without pools.
    """
    variants = [*endpoint.get("ProductionVariants", []), *endpoint.get("ShadowProductionVariants", [])]
    live = {variant["VariantName"]: variant for variant in variants}
    total: Counter[str] = Counter()
    for kind in ("ProductionVariants", "ShadowProductionVariants"):
        for variant in config.get(kind, []):
            now = live.get(variant["VariantName"], {})
            if "InstanceType" in variant:
                first = variant.get("InitialInstanceCount", 0)
                known = [now[key] for key in ("CurrentInstanceCount", "DesiredInstanceCount") if key in now]
                total[variant["InstanceType"]] += max(known, default=first)
            for pool in now.get("InstancePools", []):
                total[pool["InstanceType"]] += pool["CurrentInstanceCount"]
    return total

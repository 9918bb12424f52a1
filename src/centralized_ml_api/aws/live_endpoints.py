"""Compares the endpoints that are live with what their stack says.

An update of SageMaker can end in service on the old configuration, without an error and without a failed
stack: the new containers did not start, or there was no capacity, and SageMaker went back by itself.
Source: https://github.com/hashicorp/terraform-provider-aws/issues/48997 (and 46663, 39099)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from centralized_ml_api.aws.deployed_stack import (
    ENDPOINT,
    NESTED,
    load_physical_ids,
    load_resources,
    load_template,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.aws.clients import AwsClients

_CONFIG = "AWS::SageMaker::EndpointConfig"
ROLLED_BACK = "docs/how-to/troubleshoot-aws.md#rolled-back"
"""The page to read."""

_ABSENT = "ValidationException"
"""SageMaker's error for a name that it does not know."""


@dataclass(frozen=True, slots=True)
class EndpointConfig:
    """A configuration: its name, the instance types of its variant in order, and the name of the model.

    `instances` and `model` are empty where SageMaker no longer has the configuration.
    """

    name: str
    instances: tuple[str, ...] = ()
    model: str = ""

    @property
    def words(self) -> str:
        """Returns what it runs, for a sentence."""
        what = (
            f"{self.model} on {' or '.join(self.instances)}" if self.instances else "a deleted configuration"
        )
        return f"{what} ({self.name})"


@dataclass(frozen=True, slots=True)
class LiveEndpoint:
    """An endpoint of a stack: what it runs, and what the stack says that it runs.

    `status` is SageMaker's, such as `InService`, or `Absent`. `count` is the number of instances, `reason`
    why SageMaker could not do the last thing that it was asked for, if it says so.
    """

    name: str
    status: str
    live: EndpointConfig | None
    deployed: EndpointConfig
    count: int = 0
    reason: str = ""

    @property
    def is_as_deployed(self) -> bool:
        """Whether it runs what the stack says: a configuration never changes, so the name is enough.

        SageMaker's ARNs, from which the name in the stack comes, are in lower case.
        """
        return self.live is not None and self.live.name.lower() == self.deployed.name.lower()


def load_live_endpoints(clients: AwsClients, stack: str) -> tuple[LiveEndpoint, ...]:
    """Returns the endpoints of a stack and of those nested in it; none where there is no such stack.

    Raises:
        botocore.exceptions.ClientError: AWS refused.
        botocore.exceptions.BotoCoreError: AWS could not be asked.
    """
    resources = load_resources(clients.client("cloudformation"), stack)
    if not resources:
        return ()
    stacks = [stack, *(each.physical_id for each in resources if each.type == NESTED)]
    return tuple(endpoint for name in stacks for endpoint in _load_stack(clients, name))


def _load_stack(clients: AwsClients, stack: str) -> Iterator[LiveEndpoint]:
    cloudformation, sagemaker = clients.client("cloudformation"), clients.client("sagemaker")
    endpoints = load_physical_ids(cloudformation, stack, ENDPOINT)
    if not endpoints:
        return
    configs = load_physical_ids(cloudformation, stack, _CONFIG)
    written = (load_template(cloudformation, stack) or {}).get("Resources", {})
    for logical_id, arn in endpoints.items():
        config = written[logical_id]["Properties"]["EndpointConfigName"]["Fn::GetAtt"][0]
        yield _load_endpoint(sagemaker, _name(arn), _name(configs[config]))


def _load_endpoint(sagemaker: Any, name: str, config: str) -> LiveEndpoint:
    deployed = _load_config(sagemaker, config)
    try:
        found = sagemaker.describe_endpoint(EndpointName=name)
    except ClientError as error:
        if error.response["Error"]["Code"] != _ABSENT:
            raise
        return LiveEndpoint(name, "Absent", None, deployed)
    live = found["EndpointConfigName"]
    return LiveEndpoint(
        name=found["EndpointName"],
        status=found["EndpointStatus"],
        live=deployed if live.lower() == config.lower() else _load_config(sagemaker, live),
        deployed=deployed,
        count=sum(variant.get("CurrentInstanceCount", 0) for variant in found.get("ProductionVariants", [])),
        reason=found.get("FailureReason", ""),
    )


def _load_config(sagemaker: Any, name: str) -> EndpointConfig:
    try:
        variants = sagemaker.describe_endpoint_config(EndpointConfigName=name)["ProductionVariants"]
    except ClientError as error:
        if error.response["Error"]["Code"] != _ABSENT:
            raise
        return EndpointConfig(name)
    (variant,) = variants
    pools = sorted(variant.get("InstancePools", []), key=lambda pool: pool["Priority"])
    types = (
        [variant["InstanceType"]] if "InstanceType" in variant else [pool["InstanceType"] for pool in pools]
    )
    return EndpointConfig(name, tuple(types), variant.get("ModelName", ""))


def describe_rollback(endpoint: LiveEndpoint) -> str:
    """Returns what differs, as a sentence without its end. Pure."""
    if endpoint.live is None:
        return (
            f"the endpoint {endpoint.name} is gone, but the stack says that it runs {endpoint.deployed.words}"
        )
    reason = f": {endpoint.reason}" if endpoint.reason else ""
    return (
        f"the endpoint {endpoint.name} is {endpoint.status} with {endpoint.live.words}, but the stack says"
        f" that it runs {endpoint.deployed.words}{reason}"
    )


def repair_rollback(endpoint: LiveEndpoint, region: str) -> str:
    """Returns how to find the reason, and the command that brings the endpoint to what was deployed. Pure."""
    if endpoint.live is None:
        return "destroy the stack and deploy again, or rename the entry"
    return (
        f"read why: aws logs tail /aws/sagemaker/Endpoints/{endpoint.name} --since 2h --region {region}\n"
        f"  then, with its cause gone: aws sagemaker update-endpoint --endpoint-name {endpoint.name}"
        f" --endpoint-config-name {endpoint.deployed.name} --region {region}"
    )


def _name(arn: str) -> str:
    return arn.rpartition("/")[2]

"""Compares the endpoints that are live with what their stack says.

An update of SageMaker can end in service on the old configuration, without an error and without a failed
stack: the new containers did not start, or there was no capacity, and SageMaker went back by itself.
Source: https://github.com/hashicorp/terraform-provider-aws/issues/48997 (and 46663, 39099)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from centralized_ml_api.aws.stack.deployed_stack import (
    COMPONENT,
    ENDPOINT,
    load_physical_ids,
    load_resources,
    load_template,
    nested_stacks,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.aws.clients import AwsClients

_CONFIG = "AWS::SageMaker::EndpointConfig"
ROLLED_BACK = "docs/how-to/troubleshoot-aws.md#rolled-back"
"""The page to read."""

UNKNOWN_TYPE = "unknown type"
"""Of instances whose configuration is deleted: SageMaker tells the type only where there are several."""

_ABSENT = "ValidationException"
"""SageMaker's error for a name that it does not know."""


_UPDATING = {"Creating", "Updating", "SystemUpdating", "RollingBack"}
"""The states of SageMaker from which an endpoint goes on by itself.

Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeEndpoint.html
"""


@dataclass(frozen=True, slots=True)
class Variant:
    """A variant of a configuration: the name of its model, and its instance types in order.

    There are no types where it is serverless.
    """

    model: str
    instances: tuple[str, ...]

    @property
    def words(self) -> str:
        """Returns what it runs, for a sentence."""
        return f"{self.model} on {' or '.join(self.instances)}" if self.instances else self.model


@dataclass(frozen=True, slots=True)
class EndpointConfig:
    """A configuration: its name, and its variants by their names.

    The project makes one variant; somebody may give the endpoint a configuration with several. There are
    none where SageMaker no longer has the configuration.
    """

    name: str
    variants: Mapping[str, Variant] = field(default_factory=dict)

    @property
    def instances(self) -> tuple[str, ...]:
        """Returns the instance types of all variants, each once."""
        types = (kind for variant in self.variants.values() for kind in variant.instances)
        return tuple(dict.fromkeys(types))

    @property
    def words(self) -> str:
        """Returns what it runs, for a sentence."""
        what = " and ".join(variant.words for variant in self.variants.values())
        return f"{what or 'a deleted configuration'} ({self.name})"


@dataclass(frozen=True, slots=True)
class Component:
    """The inference component of an endpoint whose model may sleep.

    `status` is SageMaker's, `copies` how many serve, `wanted` how many there are to be, `reason` why
    SageMaker could not do the last thing that it was asked for, if it says so.

    Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeInferenceComponent.html
    """

    name: str
    status: str
    copies: int
    wanted: int
    reason: str = ""

    @property
    def sleep(self) -> str:
        """`asleep` or `waking`; empty while a copy serves, and where SageMaker cannot start one."""
        if self.copies or self.status == "Failed":
            return ""
        return "waking" if self.wanted else "asleep"


@dataclass(frozen=True, slots=True)
class LiveEndpoint:
    """An endpoint of a stack: what it runs, and what the stack says that it runs.

    `status` is SageMaker's, such as `InService`, or `Absent`. `running` are the instances: how many of which
    type. `reason` is why SageMaker could not do the last thing that it was asked for, if it says so. `entry`
    is its name in the config. `component` is None where the model never sleeps.
    """

    name: str
    status: str
    live: EndpointConfig | None
    deployed: EndpointConfig
    running: tuple[tuple[int, str], ...] = ()
    reason: str = ""
    entry: str = ""
    component: Component | None = None

    @property
    def is_as_deployed(self) -> bool:
        """Whether it runs what the stack says: a configuration never changes, so the name is enough.

        SageMaker's ARNs, from which the name in the stack comes, are in lower case.
        """
        return self.live is not None and self.live.name.lower() == self.deployed.name.lower()

    @property
    def is_updating(self) -> bool:
        """Whether SageMaker still works on it: until it ends, it runs what was deployed before."""
        return self.status in _UPDATING


def load_live_endpoints(clients: AwsClients, stack: str) -> tuple[LiveEndpoint, ...]:
    """Returns the endpoints of a stack and of those nested in it; none where there is no such stack.

    Raises:
        botocore.exceptions.ClientError: AWS refused.
        botocore.exceptions.BotoCoreError: AWS could not be asked.
    """
    resources = load_resources(clients.client("cloudformation"), stack)
    if not resources:
        return ()
    stacks = [stack, *nested_stacks(resources)]
    return tuple(endpoint for name in stacks for endpoint in _load_stack(clients, name))


def _load_stack(clients: AwsClients, stack: str) -> Iterator[LiveEndpoint]:
    cloudformation, sagemaker = clients.client("cloudformation"), clients.client("sagemaker")
    endpoints = load_physical_ids(cloudformation, stack, ENDPOINT)
    if not endpoints:
        return
    configs = load_physical_ids(cloudformation, stack, _CONFIG)
    components = load_physical_ids(cloudformation, stack, COMPONENT)
    written = (load_template(cloudformation, stack) or {}).get("Resources", {})
    for logical_id, arn in endpoints.items():
        resource = written.get(logical_id)
        if resource is None or not arn:
            continue  # an update is about to remove it, or to make it
        config = configs.get(resource["Properties"]["EndpointConfigName"]["Fn::GetAtt"][0])
        if config:  # else an update is about to make it
            live = _load_endpoint(sagemaker, _name(arn), _name(config), _entry(logical_id, resource))
            hosted = [
                found for each, found in components.items() if _is_hosted_by(logical_id, written.get(each))
            ]
            yield (
                replace(live, component=load_component(sagemaker, _name(hosted[0]))) if any(hosted) else live
            )


def _is_hosted_by(endpoint: str, component: dict[str, Any] | None) -> bool:
    """Returns whether a component of a template is that of the endpoint with this logical id. Pure."""
    return component is not None and component["Properties"]["EndpointName"]["Fn::GetAtt"][0] == endpoint


def load_component(sagemaker: Any, name: str) -> Component | None:
    """Returns an inference component as it is now, None where SageMaker does not know it.

    Raises:
        botocore.exceptions.ClientError: AWS refused.
        botocore.exceptions.BotoCoreError: AWS could not be asked.
    """
    try:
        found = sagemaker.describe_inference_component(InferenceComponentName=name)
    except ClientError as error:
        if error.response["Error"]["Code"] != _ABSENT:
            raise
        return None
    copies = found.get("RuntimeConfig", {})
    return Component(
        found["InferenceComponentName"],
        found["InferenceComponentStatus"],
        copies.get("CurrentCopyCount", 0),
        copies.get("DesiredCopyCount", 0),
        found.get("FailureReason", ""),
    )


def _entry(logical_id: str, resource: dict[str, Any]) -> str:
    """Returns the name of the entry, which the CDK writes down; `…/Models/<entry>/Endpoint`."""
    path: list[str] = resource.get("Metadata", {}).get("aws:cdk:path", "").split("/")
    return path[-2] if len(path) > 1 else logical_id


def _load_endpoint(sagemaker: Any, name: str, config: str, entry: str) -> LiveEndpoint:
    deployed = _load_config(sagemaker, config)
    try:
        found = sagemaker.describe_endpoint(EndpointName=name)
    except ClientError as error:
        if error.response["Error"]["Code"] != _ABSENT:
            raise
        return LiveEndpoint(name, "Absent", None, deployed, entry=entry)
    name_of_live = found["EndpointConfigName"]
    live = deployed if name_of_live.lower() == config.lower() else _load_config(sagemaker, name_of_live)
    return LiveEndpoint(
        name=found["EndpointName"],
        status=found["EndpointStatus"],
        live=live,
        deployed=deployed,
        running=tuple(_running(found.get("ProductionVariants", []), live)),
        reason=found.get("FailureReason", ""),
        entry=entry,
    )


def _running(variants: list[dict[str, Any]], live: EndpointConfig) -> Iterator[tuple[int, str]]:
    """Yields how many instances of which type run; SageMaker counts by type only where there are several."""
    for variant in variants:
        pools = variant.get("InstancePools", [])
        yield from ((pool["CurrentInstanceCount"], pool["InstanceType"]) for pool in pools)
        if not pools and "CurrentInstanceCount" in variant:
            known = live.variants.get(variant["VariantName"])
            yield (
                variant["CurrentInstanceCount"],
                " or ".join(known.instances if known else ()) or UNKNOWN_TYPE,
            )


def _load_config(sagemaker: Any, name: str) -> EndpointConfig:
    try:
        variants = sagemaker.describe_endpoint_config(EndpointConfigName=name)["ProductionVariants"]
    except ClientError as error:
        if error.response["Error"]["Code"] != _ABSENT:
            raise
        return EndpointConfig(name)
    return EndpointConfig(name, {variant["VariantName"]: _read_variant(variant) for variant in variants})


def _read_variant(variant: Mapping[str, Any]) -> Variant:
    pools = sorted(variant.get("InstancePools", []), key=lambda pool: pool["Priority"])
    types = (
        [variant["InstanceType"]] if "InstanceType" in variant else [pool["InstanceType"] for pool in pools]
    )
    return Variant(variant.get("ModelName", ""), tuple(types))


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


def repair_component(component: Component, region: str) -> str:
    """Returns how to find why SageMaker could not start a copy. Pure."""
    return (
        f"read why: aws logs tail /aws/sagemaker/InferenceComponents/{component.name} --since 2h"
        f" --region {region}"
    )


def _name(arn: str) -> str:
    return arn.rpartition("/")[2]

"""How others reach an endpoint: its name, its ARN, and the policies that let a role invoke it.

An endpoint that is scaled is never given another instance type: another endpoint takes over. While the API
moves, roles must reach both. So a policy is no part of its role: it attaches itself, and when an endpoint is
replaced it is another resource. CloudFormation makes the new one before anything moves, and removes the old
one at the end, with the old endpoint.
Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-update-behaviors.html
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

from centralized_ml_api.aws.constructs.resources import allow, build_attached_policy
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from aws_cdk import CfnResource, Stack
    from constructs import Construct

    from centralized_ml_api.aws.constructs.resources import Statement
    from centralized_ml_api.aws.constructs.stack_context import StackContext

_DIGITS = 8

_OF_COMPONENTS = {"sagemaker:DescribeEndpoint": "sagemaker:DescribeInferenceComponent"}
"""The actions whose name differs for an inference component."""


@record
class EndpointAddress:
    """The name of an endpoint and its ARN; both may be CDK tokens.

    `generation` ends the logical ids of an endpoint that another one replaces, and is another one then. It
    is empty for an endpoint that stays. `component` and `component_arn` are those of the inference component
    that every call must name; they are empty for an endpoint that hosts a model.
    """

    name: str
    arn: str
    generation: str = ""
    component: str = ""
    component_arn: str = ""

    @property
    def arns(self) -> list[str]:
        """Returns what a caller must be allowed to invoke."""
        return [self.arn, *([self.component_arn] if self.component_arn else [])]

    def with_component(self, name: str, stack_context: StackContext) -> EndpointAddress:
        """Returns the address of the same endpoint with its inference component."""
        arn = stack_context.stack.format_arn(
            service="sagemaker", resource="inference-component", resource_name=name
        )
        return replace(self, component=name, component_arn=arn)


def adopted_address(stack: Stack, endpoint_name: str) -> EndpointAddress:
    """Returns the address of an endpoint of the same account and region that somebody else made.

    An ARN has the name in lower case, and IAM is case-sensitive.
    Source: https://docs.aws.amazon.com/sagemaker/latest/dg/security_iam_id-based-policy-examples.html
    """
    arn = stack.format_arn(service="sagemaker", resource="endpoint", resource_name=endpoint_name.lower())
    return EndpointAddress(endpoint_name, arn)


def build_generation(parts: Iterable[str]) -> str:
    """Returns eight hexadecimal digits that stand for these texts in their order; none for no text. Pure."""
    text = "|".join(parts).strip("|")
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS] if text else ""


class EndpointPolicies:
    """The policies that let one role use endpoints; whoever uses them depends on `all`."""

    def __init__(self, scope: Construct, role: CfnResource, endpoints: Mapping[str, EndpointAddress]) -> None:
        self._scope, self._role, self._endpoints = scope, role, endpoints
        self.all: list[CfnResource] = []

    def add(self, kind: str, actions: Sequence[str], lists: Iterable[Sequence[str]]) -> None:
        """Builds a policy for each list of names.

        Args:
            kind: Begins the logical ids.
            actions: Such as `sagemaker:InvokeEndpoint`.
            lists: The names of the endpoints, as many as one policy can hold.
        """
        for number, names in enumerate(lists, 1):
            addresses = [self._endpoints[name] for name in names]
            construct_id = f"{kind}{number}{build_generation(address.generation for address in addresses)}"
            statements = _allow_addresses(addresses, actions)
            self.all.append(build_attached_policy(self._scope, construct_id, statements, self._role))


def _allow_addresses(addresses: Sequence[EndpointAddress], actions: Sequence[str]) -> Iterator[Statement]:
    """Yields what allows the actions on the endpoints, and those that components know on components."""
    yield allow(actions, list(dict.fromkeys(address.arn for address in addresses)))
    components = [address.component_arn for address in addresses if address.component_arn]
    if components:
        yield allow([_OF_COMPONENTS.get(action, action) for action in actions], components)

"""How others reach an endpoint: its name, its ARN, and the policies that let a role invoke it.

An endpoint that is scaled is never given another instance type: another endpoint takes over. While the API
moves, roles must reach both. So a policy is no part of its role: it attaches itself, and when an endpoint is
replaced it is another resource. CloudFormation makes the new one before anything moves, and removes the old
one at the end, with the old endpoint.
Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-update-behaviors.html
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from centralized_ml_api.aws.constructs.resources import allow, build_attached_policy

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from aws_cdk import CfnResource, Stack
    from constructs import Construct

_DIGITS = 8


@dataclass(frozen=True, slots=True)
class EndpointAddress:
    """The name of an endpoint and its ARN; both may be CDK tokens.

    `generation` ends the logical ids of an endpoint that another one replaces, and is another one then. It
    is empty for an endpoint that stays.
    """

    name: str
    arn: str
    generation: str = ""


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
            kind: begins the logical ids.
            actions: such as `sagemaker:InvokeEndpoint`.
            lists: the names of the endpoints, as many as one policy can hold.
        """
        for number, names in enumerate(lists, 1):
            addresses = [self._endpoints[name] for name in names]
            statement = allow(actions, list(dict.fromkeys(address.arn for address in addresses)))
            construct_id = f"{kind}{number}{build_generation(address.generation for address in addresses)}"
            self.all.append(build_attached_policy(self._scope, construct_id, [statement], self._role))

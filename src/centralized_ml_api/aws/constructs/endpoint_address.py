"""How an endpoint is named: by SageMaker, and by IAM."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aws_cdk import Stack


@dataclass(frozen=True, slots=True)
class EndpointAddress:
    """The name of an endpoint and its ARN; both may be CDK tokens."""

    name: str
    arn: str


def adopted_address(stack: Stack, endpoint_name: str) -> EndpointAddress:
    """The address of an endpoint of the same account and region that somebody else made.

    An ARN holds the name in small letters, and IAM compares the case.
    Source: https://docs.aws.amazon.com/sagemaker/latest/dg/security_iam_id-based-policy-examples.html
    """
    arn = stack.format_arn(service="sagemaker", resource="endpoint", resource_name=endpoint_name.lower())
    return EndpointAddress(endpoint_name, arn)

"""What a company's account demands: a boundary on every role, and its network for models and functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import CfnResource

from centralized_ml_api.aws.constructs.resources import allow, build_managed_policy, deny
from centralized_ml_api.aws.constructs.stack_context import NetworkPolicies

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from constructs import Construct

    from centralized_ml_api.plan.account import AccountPlan, VpcPlan

_FOR_MODELS = [
    "ec2:CreateNetworkInterface",
    "ec2:CreateNetworkInterfacePermission",
    "ec2:DeleteNetworkInterface",
    "ec2:DeleteNetworkInterfacePermission",
    "ec2:DescribeDhcpOptions",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
]
"""What SageMaker needs to put a model into a network.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html (CreateModel with a VPC)
"""

_FOR_FUNCTIONS = [
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
]
"""What Lambda needs to put a function into a network.

Source: https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSLambdaVPCAccessExecutionRole.html
"""

_FROM_CODE = {"ArnLike": {"lambda:SourceFunctionArn": "arn:*:lambda:*:*:function:*"}}
"""Of requests that the code of a function makes; those of Lambda itself have no such key.

Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html (best practice for permissions)
"""

_KINDS = frozenset({"AWS::IAM::Role", "AWS::Lambda::Function", "AWS::SageMaker::Model"})


def build_network_policies(scope: Construct, vpc: VpcPlan | None) -> NetworkPolicies:
    """Builds the policies that roles need in a network; none without one.

    EC2 has no resource for an interface that is yet to be made. The code of functions may do nothing of it.
    """
    if vpc is None:
        return NetworkPolicies()
    functions = [allow(_FOR_FUNCTIONS, ["*"]), deny(_FOR_FUNCTIONS, ["*"], _FROM_CODE)]
    return NetworkPolicies(
        models=(build_managed_policy(scope, "Network", [allow(_FOR_MODELS, ["*"])]),),
        functions=(build_managed_policy(scope, "FunctionNetwork", functions),),
    )


def apply_account(scope: Construct, account: AccountPlan, hosts: Sequence[CfnResource] = ()) -> None:
    """Applies boundary and network to everything in the scope, nested stacks included.

    In one place, so that nothing that is added later can lack them.

    Args:
        scope: Whose resources these are.
        account: What the account demands.
        hosts: The configurations that host inference components, which have a network of their own.
    """
    if not (account.permissions_boundary or account.vpc):
        return
    for resource in [*_resources(scope), *hosts]:
        for name, value in _demanded(resource.cfn_resource_type, account).items():
            resource.add_property_override(name, value)


def _resources(scope: Construct) -> Iterator[CfnResource]:
    for construct in scope.node.find_all():
        if isinstance(construct, CfnResource) and construct.cfn_resource_type in _KINDS:
            yield construct


def _demanded(kind: str, account: AccountPlan) -> dict[str, Any]:
    """Returns the properties that a type of resource gets."""
    vpc = account.vpc
    if kind == "AWS::IAM::Role":
        boundary = account.permissions_boundary
        return {"PermissionsBoundary": boundary} if boundary else {}
    if vpc is None:
        return {}
    groups, subnets = [*vpc.security_groups], [*vpc.subnets]
    if kind == "AWS::Lambda::Function":
        return {"VpcConfig": {"SecurityGroupIds": groups, "SubnetIds": subnets}}
    isolated = {"EnableNetworkIsolation": True} if vpc.isolation else {}
    return {"VpcConfig": {"SecurityGroupIds": groups, "Subnets": subnets}, **isolated}

"""What a company's account demands: a boundary on every role, and its network for models and functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import CfnResource

from centralized_ml_api.aws.constructs.resources import allow, build_managed_policy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs import Construct

    from centralized_ml_api.plan.account import AccountPlan, VpcPlan

_INTERFACES = [
    "ec2:CreateNetworkInterface",
    "ec2:CreateNetworkInterfacePermission",
    "ec2:DeleteNetworkInterface",
    "ec2:DeleteNetworkInterfacePermission",
    "ec2:DescribeDhcpOptions",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
    "ec2:AssignPrivateIpAddresses",
    "ec2:UnassignPrivateIpAddresses",
]
"""What SageMaker and Lambda need to put a model or a function into a network.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html (CreateModel with a VPC) and
https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html (permissions of the execution role)
"""

_KINDS = frozenset({"AWS::IAM::Role", "AWS::Lambda::Function", "AWS::SageMaker::Model"})


def build_network_policy(scope: Construct, vpc: VpcPlan | None) -> tuple[str, ...]:
    """Builds the policy that roles of models and functions need in a network; returns its ARN, if any."""
    return (build_managed_policy(scope, "Network", [allow(_INTERFACES, ["*"])]),) if vpc else ()


def apply_account(scope: Construct, account: AccountPlan) -> None:
    """Applies boundary and network to everything in the scope, nested stacks included.

    In one place, so that nothing that is added later can lack them.
    """
    if not (account.permissions_boundary or account.vpc):
        return
    for resource in _resources(scope):
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

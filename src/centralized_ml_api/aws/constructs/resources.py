"""Roles, policies and log groups, in CloudFormation's words.

They have the logical ids that the CDK's own classes would give them; those classes take as long to load as
half of the stack takes to build.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import Aws, CfnResource, RemovalPolicy
from constructs import Construct

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from aws_cdk import Reference

Statement = dict[str, Any]
"""What a policy allows or denies."""

_VERSION = "2012-10-17"


def build_resource(
    scope: Construct, construct_id: str, kind: str, properties: Mapping[str, Any]
) -> CfnResource:
    """Builds a resource below a construct of its own, with the logical id that a class of the CDK gives it.

    Args:
        scope: The construct that holds it.
        construct_id: Its id there.
        kind: Its type, such as `AWS::IAM::Role`.
        properties: Those of its type.
    """
    return CfnResource(Construct(scope, construct_id), "Resource", type=kind, properties=properties)


def allow(
    actions: Sequence[str], resources: Sequence[str | Reference], condition: Mapping[str, Any] | None = None
) -> Statement:
    """Builds a statement that allows these actions on these ARNs.

    Args:
        actions: Such as `s3:GetObject`.
        resources: Their ARNs.
        condition: When the statement applies; None for always.
    """
    return {
        "Action": _single_or_list(actions),
        "Effect": "Allow",
        "Resource": _single_or_list(resources),
        **_when(condition),
    }


def deny(
    actions: Sequence[str], resources: Sequence[str | Reference], condition: Mapping[str, Any]
) -> Statement:
    """Builds a statement that denies these actions on these ARNs, whatever else allows them.

    Args:
        actions: Such as `s3:GetObject`.
        resources: Their ARNs.
        condition: When the statement applies.
    """
    return {**allow(actions, resources, condition), "Effect": "Deny"}


def only_from_this_account() -> dict[str, Any]:
    """Builds the condition that the schedule that takes a role is one of this account.

    Source: https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html
    """
    return {"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}}


def build_managed_policy(scope: Construct, construct_id: str, statements: Iterable[Statement]) -> str:
    """Builds a policy that exists before the roles that use it; returns its ARN.

    The description and the path are the CDK's: others would replace deployed policies.

    Args:
        scope: The construct that holds it.
        construct_id: Its id there.
        statements: What it allows.
    """
    properties = {"Description": "", "Path": "/", "PolicyDocument": _document(statements)}
    return build_resource(scope, construct_id, "AWS::IAM::ManagedPolicy", properties).ref


def build_attached_policy(
    scope: Construct, construct_id: str, statements: Iterable[Statement], role: CfnResource
) -> CfnResource:
    """Builds a managed policy that attaches itself to a role.

    Whatever needs it must depend on it: the role does not. The description and the path are the CDK's.

    Args:
        scope: The construct that holds it.
        construct_id: Its id there.
        statements: What it allows.
        role: Who may do that.
    """
    properties = {
        "Description": "",
        "Path": "/",
        "PolicyDocument": _document(statements),
        "Roles": [role.ref],
    }
    return build_resource(scope, construct_id, "AWS::IAM::ManagedPolicy", properties)


def build_inline_policy(
    scope: Construct, construct_id: str, statements: Iterable[Statement], role: CfnResource
) -> CfnResource:
    """Builds a policy inside a role, as a resource of its own; its name there is `construct_id`.

    It counts against none of the account's policies. Whatever needs it must depend on it.

    Args:
        scope: The construct that holds it.
        construct_id: Its id there.
        statements: What it allows.
        role: Who may do that.
    """
    properties = {
        "PolicyName": construct_id,
        "PolicyDocument": _document(statements),
        "Roles": [role.ref],
    }
    return build_resource(scope, construct_id, "AWS::IAM::Policy", properties)


def build_role(
    scope: Construct,
    construct_id: str,
    *,
    service: str,
    description: str | None = None,
    condition: Mapping[str, Any] | None = None,
    inline: Mapping[str, Iterable[Statement]] | None = None,
    managed: Sequence[str] = (),
) -> CfnResource:
    """Builds a role that one AWS service may assume.

    Args:
        scope: The construct that holds it.
        construct_id: Its id there.
        service: Who may assume it, such as `lambda.amazonaws.com`.
        description: What it is for.
        condition: When the service may assume it; None for always.
        inline: Statements by the name of the policy that holds them.
        managed: ARNs of managed policies.
    """
    assume = {"Action": "sts:AssumeRole", "Effect": "Allow", "Principal": {"Service": service}}
    properties = {
        "AssumeRolePolicyDocument": _document([{**assume, **_when(condition)}]),
        "Description": description,
        "Policies": [
            {"PolicyName": name, "PolicyDocument": _document(statements)}
            for name, statements in (inline or {}).items()
        ],
        "ManagedPolicyArns": [*managed],
    }
    present = {name: value for name, value in properties.items() if value}
    return build_resource(scope, construct_id, "AWS::IAM::Role", present)


def role_arn(role: CfnResource) -> Reference:
    """Returns a role's ARN as a property's value; `to_string` makes it a text by one more call to Node."""
    return role.get_att("Arn")


def build_log_group(scope: Construct, construct_id: str, retention_days: int) -> CfnResource:
    """Builds a log group without a fixed name, which is deleted with its stack.

    Args:
        scope: The construct that holds it.
        construct_id: Its id there.
        retention_days: One of the numbers of days that CloudWatch accepts. Source:
            https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
    """
    properties = {"RetentionInDays": retention_days}
    log_group = build_resource(scope, construct_id, "AWS::Logs::LogGroup", properties)
    log_group.apply_removal_policy(RemovalPolicy.DESTROY)
    return log_group


def _when(condition: Mapping[str, Any] | None) -> Statement:
    return {"Condition": dict(condition)} if condition else {}


def _document(statements: Iterable[Statement]) -> dict[str, Any]:
    return {"Statement": [*statements], "Version": _VERSION}


def _single_or_list(values: Sequence[str | Reference]) -> str | Reference | list[str | Reference]:
    """Writes a single value without a list, as IAM and the CDK do."""
    return values[0] if len(values) == 1 else [*values]

"""Roles and policies of IAM, in CloudFormation's words.

The CDK's own classes for them take as long to load as half of the stack takes to build.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import CfnResource
from constructs import Construct

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from aws_cdk import Reference

Statement = dict[str, Any]
"""What a policy allows."""

_VERSION = "2012-10-17"


def allow(
    actions: Sequence[str], resources: Sequence[str | Reference], condition: Mapping[str, Any] | None = None
) -> Statement:
    """A statement that allows these actions on these ARNs, under a condition or always."""
    return {
        "Action": _one_or_all(actions),
        "Effect": "Allow",
        "Resource": _one_or_all(resources),
        **_where(condition),
    }


def build_managed_policy(scope: Construct, construct_id: str, statements: Iterable[Statement]) -> str:
    """A policy that exists before the roles that it is given to; returns its ARN.

    Another description or path would replace those that are deployed: these are the CDK's.
    """
    properties = {"Description": "", "Path": "/", "PolicyDocument": _document(statements)}
    return _add(scope, construct_id, "AWS::IAM::ManagedPolicy", properties).ref


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
    """A role that one service of AWS may take, such as `lambda.amazonaws.com`.

    Args:
        scope: where it stands.
        construct_id: its name there.
        service: who may take it.
        description: what it is for.
        condition: when the service may take it; always by default.
        inline: statements by the name of the policy that holds them.
        managed: ARNs of policies that stand for themselves.
    """
    policies = [
        {"PolicyName": name, "PolicyDocument": _document(statements)}
        for name, statements in (inline or {}).items()
    ]
    properties = {
        "AssumeRolePolicyDocument": _document([_may_be_taken_by(service, condition)]),
        "Description": description,
        "Policies": policies,
        "ManagedPolicyArns": [*managed],
    }
    said = {name: value for name, value in properties.items() if value}
    return _add(scope, construct_id, "AWS::IAM::Role", said)


def role_arn(role: CfnResource) -> Reference:
    """The ARN of a role, as the value of a property; a text needs its `to_string`, which is one call more."""
    return role.get_att("Arn")


def _may_be_taken_by(service: str, condition: Mapping[str, Any] | None) -> Statement:
    principal = {"Service": service}
    return {"Action": "sts:AssumeRole", "Effect": "Allow", "Principal": principal, **_where(condition)}


def _where(condition: Mapping[str, Any] | None) -> Statement:
    return {"Condition": dict(condition)} if condition else {}


def _document(statements: Iterable[Statement]) -> dict[str, Any]:
    return {"Statement": [*statements], "Version": _VERSION}


def _one_or_all(values: Sequence[str | Reference]) -> str | Reference | list[str | Reference]:
    """As IAM itself writes it, and the CDK."""
    return values[0] if len(values) == 1 else [*values]


def _add(scope: Construct, construct_id: str, kind: str, properties: dict[str, Any]) -> CfnResource:
    """Where the CDK's own classes put it, so that it keeps its logical id."""
    return CfnResource(Construct(scope, construct_id), "Resource", type=kind, properties=properties)

"""The role by which API Gateway writes logs: one for all APIs of an account in a region."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import CfnResource, RemovalPolicy

from centralized_ml_api.aws.constructs.role import build_role, role_arn

if TYPE_CHECKING:
    from constructs import Construct

    from centralized_ml_api.aws.constructs.stack_context import StackContext

_POLICY = "iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"


def build_account_logging(
    scope: Construct, *, after: CfnResource, stack_context: StackContext
) -> CfnResource:
    """The account's setting, without which no stage with an access log can be made.

    It and its role outlive the stack: the setting goes on naming the role, and the logs of every other API of
    the account and region depend on it. Neither costs anything.
    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html

    Args:
        scope: where both stand.
        after: an API; before its first, an account has no such setting.
        stack_context: of the stack.
    """
    role = build_role(
        scope,
        "CloudWatchRole",
        service="apigateway.amazonaws.com",
        managed=[f"arn:{stack_context.partition}:{_POLICY}"],
    )
    setting = CfnResource(
        scope, "Account", type="AWS::ApiGateway::Account", properties={"CloudWatchRoleArn": role_arn(role)}
    )
    setting.add_resource_dependency(after)
    for one in (role, setting):
        one.apply_removal_policy(RemovalPolicy.RETAIN)
    return setting

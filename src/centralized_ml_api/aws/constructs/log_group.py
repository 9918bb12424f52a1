"""Log groups that keep their lines for a while and go with their stack."""

from __future__ import annotations

from aws_cdk import CfnResource, RemovalPolicy
from constructs import Construct


def build_log_group(scope: Construct, construct_id: str, retention_days: int) -> CfnResource:
    """A log group without a fixed name.

    Args:
        scope: where it stands.
        construct_id: its name there.
        retention_days: one of the numbers of days that CloudWatch takes. Source:
            https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
    """
    # Below a construct of its own, as the CDK's class for it, whose module takes long to load.
    log_group = CfnResource(
        Construct(scope, construct_id),
        "Resource",
        type="AWS::Logs::LogGroup",
        properties={"RetentionInDays": retention_days},
    )
    log_group.apply_removal_policy(RemovalPolicy.DESTROY)
    return log_group

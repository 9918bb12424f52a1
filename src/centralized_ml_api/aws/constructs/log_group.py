"""Log groups that keep their lines for a while and go with their stack."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import RemovalPolicy
from aws_cdk import aws_logs as logs

if TYPE_CHECKING:
    from constructs import Construct

_RETENTION = {30: logs.RetentionDays.ONE_MONTH}
"""CDK has a name for each number of days that CloudWatch takes; the plan knows one of them."""


def build_log_group(scope: Construct, construct_id: str, retention_days: int) -> logs.LogGroup:
    """A log group without a fixed name."""
    return logs.LogGroup(
        scope,
        construct_id,
        retention=_RETENTION[retention_days],
        removal_policy=RemovalPolicy.DESTROY,
    )

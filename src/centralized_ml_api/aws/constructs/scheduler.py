"""What every role that EventBridge Scheduler takes has in common."""

from __future__ import annotations

from typing import Any

from aws_cdk import Aws


def only_from_here() -> dict[str, Any]:
    """The condition that the schedule is one of this account.

    Source: https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html
    """
    return {"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}}

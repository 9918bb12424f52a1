"""Why CloudFormation's last operation on a stack failed, resource by resource."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from collections.abc import Iterator

_CONSEQUENCES = (
    "Resource creation cancelled",
    "Resource update cancelled",
    "The following resource(s) failed",
)


def read_reasons(cloudformation: Any, stack: str) -> list[str]:
    """One line a failed resource, `id (type): reason`, first failure first.

    Empty when AWS cannot be asked or has nothing to say: the CDK's own output is then all there is.

    Args:
        cloudformation: a boto3 client.
        stack: the name or id of the stack.
    """
    try:
        events = list(_last_operation(cloudformation, stack))
    except (BotoCoreError, ClientError):
        return []
    reasons = [_reason(event) for event in reversed(events) if _is_cause(event)]
    return list(dict.fromkeys(reasons))


def _last_operation(cloudformation: Any, stack: str) -> Iterator[dict[str, Any]]:
    """Its events, newest first, back to the one that started it."""
    for page in cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack):
        for event in page["StackEvents"]:
            yield event
            if event.get("ResourceStatusReason") == "User Initiated":
                return


def _is_cause(event: dict[str, Any]) -> bool:
    reason = event.get("ResourceStatusReason", "")
    return event["ResourceStatus"].endswith("_FAILED") and not reason.startswith(_CONSEQUENCES)


def _reason(event: dict[str, Any]) -> str:
    return f"{event['LogicalResourceId']} ({event['ResourceType']}): {event.get('ResourceStatusReason', '')}"

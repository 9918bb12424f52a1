"""Whether a stack of that name is there, and whether it can be updated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from centralized_ml_api.aws.failures import failure_of
from centralized_ml_api.plan.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.aws.doctor.context import DoctorContext

CHECK = "stack"
_STUCK = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED", "UPDATE_ROLLBACK_FAILED")


def check(subject: DoctorContext) -> Iterator[Finding]:
    """One finding: free, updatable, busy or stuck."""
    status = _status(subject)
    if status is None:
        yield Finding(CHECK, "ok", f"the name {subject.stack} is free")
        return
    busy = status.endswith("_IN_PROGRESS")
    if not busy and status not in _STUCK:
        yield Finding(CHECK, "ok", f"{subject.stack} is there and can be updated", status)
        return
    failure = failure_of("stack-busy")
    fix = "wait until it has ended" if busy else f"mlapi destroy --stack {subject.stack}, then deploy again"
    yield Finding(CHECK, "error", f"{subject.stack} cannot be updated", status, fix, failure.page)


def _status(subject: DoctorContext) -> str | None:
    try:
        stacks = subject.clients.client("cloudformation").describe_stacks(StackName=subject.stack)["Stacks"]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise
    return str(stacks[0]["StackStatus"])

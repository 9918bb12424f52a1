"""Whether AWS knows who deploys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from centralized_ml_api.aws.failures import explain_failures, failure_of
from centralized_ml_api.plan.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.aws.doctor.context import DoctorContext

CHECK = "credentials"


def check(subject: DoctorContext) -> Iterator[Finding]:
    """One finding: the account and the region, or what is wrong with the credentials."""
    if not subject.clients.has_credentials():
        missing = failure_of("no-credentials")
        yield Finding(CHECK, "error", missing.title, "none are configured", missing.fix, missing.page)
        return
    try:
        caller = subject.clients.client("sts").get_caller_identity()
    except (BotoCoreError, ClientError) as error:
        yield _refused(error)
        return
    who = f"account {caller['Account']} as {caller['Arn']} in {subject.clients.region}"
    yield Finding(CHECK, "ok", "AWS knows who you are", who)


def _refused(error: Exception) -> Finding:
    found = explain_failures([f"{type(error).__name__}: {error}"])
    if not found:
        return Finding(CHECK, "error", "AWS does not know who you are", str(error))
    failure = found[0].failure
    return Finding(CHECK, "error", failure.title, str(error), failure.fix, failure.page)

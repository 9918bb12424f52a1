"""All known failures, from the families beside this file, and the one that explains a message.

Each has an entry of the same id in docs/how-to/troubleshoot-aws.md; a test keeps both complete.
"""

from __future__ import annotations

from centralized_ml_api.aws.failures import (
    api_gateway,
    calls,
    cdk,
    cloudformation,
    credentials,
    lambda_functions,
    permissions,
    sagemaker,
    services,
)
from centralized_ml_api.aws.failures.failure import Failure

FAILURES: tuple[Failure, ...] = (
    *sagemaker.FAILURES,
    *calls.FAILURES,
    *api_gateway.FAILURES,
    *lambda_functions.FAILURES,
    *services.FAILURES,
    *permissions.FAILURES,
    *credentials.FAILURES,
    *cdk.FAILURES,
    *cloudformation.FAILURES,
)
"""In the order of the documentation. Which one explains a message is decided by their ranks alone."""

UNKNOWN = Failure(
    "something-else",
    "a reason that has no entry here",
    (),
    "look at the whole log; the first failed event of the stack is the cause, the others follow from it",
)


def recognise(message: str) -> Failure | None:
    """Returns the failure of the lowest rank that recognises a message, None where none does."""
    recognised = [failure for failure in FAILURES if failure.recognises(message)]
    return min(recognised, key=lambda failure: failure.rank, default=None)


def failure_of(id_: str) -> Failure:
    """Returns the failure with that id."""
    return next(failure for failure in FAILURES if failure.id == id_)

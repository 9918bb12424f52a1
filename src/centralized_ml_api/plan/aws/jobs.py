"""How long the jobs of callers who do not wait may take on AWS, and how many there may be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.plan.aws.streaming import STREAM_SECONDS
from centralized_ml_api.plan.aws.types import FunctionRoute

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from centralized_ml_api.plan.aws.types import Route

QUEUE_SECONDS = 300
"""How long Lambda may try to begin a job while the account has no room for another function."""

AGAIN_SECONDS = 15
"""How long a job waits before it calls a model again that sleeps, wakes or is being replaced."""

LIMITS = {
    "queue_seconds": QUEUE_SECONDS,
    "run_seconds": STREAM_SECONDS,
    "grace_seconds": 60,
    "kept_seconds": 24 * 60 * 60,
    "most_at_once": 20,
}
"""What the function is told: after which time a job that has not ended is lost, how long jobs are kept where
the event has no end, and how many of a team may be open at once."""

_PASSES = (
    "A call with `Prefer: respond-async` becomes a job of up to 15 minutes, whose answer a table of DynamoDB"
    " keeps. All calls of models pass through the function that streams, those of their own paths too."
)


def list_answered_later(routes: Iterable[Route]) -> frozenset[str]:
    """Returns the entries whose own paths take jobs: API Gateway calls the functions of others itself."""
    return frozenset(route.name for route in routes if not isinstance(route, FunctionRoute))


def describe_jobs(routes: Iterable[Route]) -> Iterator[str]:
    """Yields what a reader of the plan must know of jobs. Pure."""
    yield _PASSES
    names = [route.name for route in routes if isinstance(route, FunctionRoute)]
    if names:
        yield f"API Gateway itself calls the functions of {', '.join(names)}: their own paths know no jobs."

"""When a server is started again and when we give up: tables of events."""

from __future__ import annotations

import pytest

from centralized_ml_api.local.supervision.restart_policy import (
    LONGEST_DELAY_SECONDS,
    STEADY_SECONDS,
    RestartPolicy,
)

FAILED = None
"""A start that never became ready; a number is how long it was ready, in seconds."""


def after(*events: float | None) -> RestartPolicy:
    policy = RestartPolicy()
    for event in events:
        policy = policy.after_failed_start() if event is FAILED else policy.after_crash(event)
    return policy


@pytest.mark.parametrize(
    ("events", "gives_up"),
    [
        ((), False),
        ((FAILED, FAILED), False),
        ((FAILED, FAILED, FAILED), True),
        ((FAILED, FAILED, 1.0, FAILED, FAILED), False),
        ((1.0,) * 50, False),
        ((1.0, *[FAILED] * 50), False),
        ((60.0, *[FAILED] * 50), False),
    ],
)
def test_gives_up_only_what_was_never_ready_in_three_starts(
    events: tuple[float | None, ...],
    gives_up: bool,  # noqa: FBT001  # a column of the table
) -> None:
    assert after(*events).gives_up is gives_up


def test_each_failure_waits_longer_up_to_a_limit() -> None:
    delays = [after(*[1.0] * count).delay_seconds for count in range(20)]
    assert delays == sorted(delays)
    assert delays[0] < delays[1] < delays[2]
    assert delays[-1] == LONGEST_DELAY_SECONDS


def test_a_steady_server_starts_with_a_clean_slate() -> None:
    assert after(1.0, 1.0, 1.0, 60.0) == after(60.0)
    assert after(1.0, STEADY_SECONDS) == after(60.0)

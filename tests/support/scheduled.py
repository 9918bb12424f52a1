"""A schedule of entries that may sleep, and what it says is to be done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.local.sleep.schedule import Schedule
from centralized_ml_api.plan.types import SleepPlan

if TYPE_CHECKING:
    from centralized_ml_api.local.sleep.types import Phase

CALL_SECONDS = 29.0
NAPS = SleepPlan(idle_seconds=60)
GPU = SleepPlan(shares="gpu")


def schedule(call_seconds: float = CALL_SECONDS, **entries: tuple[SleepPlan, Phase]) -> Schedule:
    made = Schedule(call_seconds)
    made.adopt(
        {name: plan for name, (plan, _) in entries.items()},
        {name: phase for name, (_, phase) in entries.items()},
        {},
        0.0,
    )
    return made


def did(made: Schedule, now: float) -> list[str]:
    """What is to be done, where an entry that is to close is closed at once."""
    steps: list[str] = []
    while more := made.advance(now):
        steps += [f"{step.action} {step.name}" for step in more]
        for name in made.names:
            made.note_closed(name)
    return steps


def phases(made: Schedule, now: float) -> dict[str, Phase]:
    return {name: made.view(name, now).phase for name in made.names}

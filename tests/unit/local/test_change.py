"""What a reload says of itself."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import pytest

from centralized_ml_api.local.run.change import decide_change, describe_reload
from centralized_ml_api.plan.event import EventPlan, TeamPlan, Throttle
from centralized_ml_api.plan.types import ApiPlan

RED = TeamPlan("red", Throttle(5, 10), None, None)
BLUE = TeamPlan("blue", Throttle(5, 10), None, None)


def said(before: EventPlan, after: EventPlan) -> str:
    old, new = (ApiPlan((), (), event=event) for event in (before, after))
    return describe_reload(asdict(decide_change(old, new, lambda _: None, {}).reloaded))


@pytest.mark.parametrize(
    ("after", "words"),
    [
        ({"teams": (RED, BLUE)}, "teams"),
        ({"teams": ()}, "teams"),
        ({"teams": (TeamPlan("red", RED.throttle, None, ("a",)),)}, "models of teams"),
        ({"teams": (TeamPlan("red", RED.throttle, 500, None),)}, "limits"),
        ({"teams": (RED,), "throttle": Throttle(1, 2)}, "limits"),
        ({"teams": (RED,), "ends": datetime(2099, 1, 1, tzinfo=UTC)}, "end"),
    ],
)
def test_what_changed_of_the_event_is_said(after: dict[str, Any], words: str) -> None:
    assert said(EventPlan(teams=(RED,)), EventPlan(**after)) == f"Reloaded: of the event: {words}."


def test_the_same_event_is_not_mentioned() -> None:
    event = EventPlan(teams=(RED, BLUE))
    assert said(event, event) == "Reloaded: nothing differs from what is served."

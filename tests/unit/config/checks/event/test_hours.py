"""When the hours of an event may be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

EIGHT, NOON, SIX = "2030-06-01T08:00:00Z", "2030-06-01T12:00:00Z", "2030-06-01T18:00:00Z"


@pytest.mark.parametrize(
    ("times", "ids"),
    [
        ([(EIGHT, NOON), (NOON, SIX)], []),
        ([("2020-06-01T08:00:00Z", NOON)], []),
        ([(NOON, EIGHT)], ["C421"]),
        ([(NOON, NOON)], ["C421"]),
        ([(EIGHT, SIX), (NOON, "2030-06-01T19:00:00Z")], ["C421"]),
        ([("2030-06-01T08:00:00+02:00", "2030-06-01T07:00:00Z")], []),
        ([(EIGHT, "2030-06-01 18:00")], ["C403"]),
    ],
    ids=["they touch", "past", "backwards", "empty", "overlap", "zones", "no zone"],
)
def test_they_follow_one_another(
    times: list[tuple[str, str]], ids: list[str], good: dict[str, Any], problems_of: Callable[..., Any]
) -> None:
    good["models"][0]["local"] = {"engine": "command", "run": ["serve", "{port}"], "idle": "10m"}
    good["event"]["hours"] = [{"from": begins, "to": ends} for begins, ends in times]
    assert [problem.id for problem in problems_of(good)] == ids


SCALING = {"max_capacity": 2, "invocations_per_instance": 5, "resources": {"memory_mb": 1024}}
COMMAND = {"engine": "command", "run": ["serve", "{port}"]}


@pytest.mark.parametrize(
    ("entry", "ids"),
    [
        ({"autoscaling": {**SCALING, "min_capacity": 0}}, []),
        ({"local": {**COMMAND, "starts": "on-call"}}, []),
        ({"local": {**COMMAND, "shares": "gpu"}}, []),
        ({"autoscaling": {**SCALING, "min_capacity": 1}, "local": COMMAND}, ["C422"]),
    ],
    ids=["on AWS", "on call", "in a group", "never"],
)
def test_some_model_may_sleep(
    entry: dict[str, Any], ids: list[str], good: dict[str, Any], problems_of: Callable[..., Any]
) -> None:
    hosted = {"name": "mine", "image": "1.dkr.ecr.us-east-1.amazonaws.com/m:1", "instance": "ml.g5.2xlarge"}
    good["models"] = [{**hosted, "integration": {"type": "api"}, **entry}]
    good["endpoints"] = []
    good["event"] = {"hours": [{"from": EIGHT, "to": SIX}]}
    assert [problem.id for problem in problems_of(good) if problem.id.startswith("C4")] == ids

"""Which instance types there are, and how many instances."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    "instance",
    [
        "ml.g5.xlarge",
        "ml.p4d.24xlarge",
        "ml.t3.medium",
        "ml.m7i.metal-24xl",
        "ml.inf2.8xlarge",
        "ml.m5.metal",
    ],
)
def test_a_type_of_the_right_form_is_fine(
    instance: str, good: dict[str, Any], problems_of: Callable[..., Any]
) -> None:
    good["models"][0]["instance"] = instance
    assert problems_of(good) == ()


@pytest.mark.parametrize(
    ("instance", "fix"),
    [
        ("g5.2xlarge", 'write "ml.g5.2xlarge"'),
        ("ml.g5.2xlrage", 'write "ml.g5.2xlarge"'),
        (" ML.G5.12XLARGE ", 'write "ml.g5.12xlarge"'),
        ("ml.t3.medum", 'write "ml.t3.medium"'),
        ("ml.g5", ""),
        ("ml.g5.", ""),
        ("ml.g5.huge", ""),
        ("ml.5g.xlarge", ""),
        ("ml.g5.0xlarge.x", ""),
        ("gpu", ""),
        ("", ""),
    ],
)
def test_any_other_type_is_refused_with_the_nearest_that_exists(
    instance: str, fix: str, good: dict[str, Any], problems_of: Callable[..., Any]
) -> None:
    good["models"][0]["instance"] = instance
    (problem,) = problems_of(good)
    assert (problem.id, problem.fix) == ("C102", fix)


def test_each_of_several_types_is_checked(good: dict[str, Any], problems_of: Callable[..., Any]) -> None:
    good["models"][2]["instances"] = ["ml.g6.2xlarge", "g5", "g6"]
    assert [(problem.id, problem.location.path) for problem in problems_of(good)] == [
        ("C102", "$.models[2].instances[1]"),
        ("C102", "$.models[2].instances[2]"),
    ]


def test_a_type_that_is_listed_three_times_is_a_problem_twice(
    good: dict[str, Any], problems_of: Callable[..., Any]
) -> None:
    good["models"][2]["instances"] = ["ml.g6.2xlarge", "ml.g6.4xlarge", "ml.g6.2xlarge", "ml.g6.2xlarge"]
    assert [(problem.id, problem.location.path) for problem in problems_of(good)] == [
        ("C112", "$.models[2].instances[2]"),
        ("C112", "$.models[2].instances[3]"),
    ]


@pytest.mark.parametrize(("fewest", "most", "ids"), [(1, 2, []), (2, 2, []), (3, 2, ["C113"])])
def test_the_fewest_instances_are_at_most_the_most(
    fewest: int, most: int, ids: list[str], good: dict[str, Any], problems_of: Callable[..., Any]
) -> None:
    good["models"][0]["autoscaling"] |= {"min_capacity": fewest, "max_capacity": most}
    assert [problem.id for problem in problems_of(good)] == ids


@pytest.mark.parametrize(
    ("keys", "found", "path"),
    [
        ({}, "neither", "$.models[0]"),
        ({"instance": "ml.g5.2xlarge", "instances": ["ml.g5.4xlarge"]}, "both", "$.models[0].instances"),
    ],
)
def test_the_types_are_given_in_one_way(
    keys: dict[str, Any], found: str, path: str, good: dict[str, Any], problems_of: Callable[..., Any]
) -> None:
    del good["models"][0]["instance"]
    good["models"][0] |= keys
    (problem,) = problems_of(good)
    assert (problem.id, problem.found, problem.location.path) == ("C111", found, path)

"""Which names models and endpoints may have, and which name is suggested."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize("name", ["a", "7b", "a-b", "x" * 63])
def test_a_name_of_the_right_form_is_fine(
    name: str, good: dict[str, Any], problems_of: Callable[..., Any]
) -> None:
    good["models"][1]["name"] = name
    assert problems_of(good) == ()


@pytest.mark.parametrize(
    ("name", "found", "fix"),
    [
        ("", '""', ""),
        ("-", '"-"', ""),
        ("Open LLaMA 3", '"Open LLaMA 3"', 'write "open-llama-3"'),
        ("a-", '"a-"', 'write "a"'),
        ("-a", '"-a"', 'write "a"'),
        ("a\n", '"a\\n"', 'write "a"'),
        ("é", '"é"', ""),
        ("x" * 64, "64 characters", f'write "{"x" * 63}"'),
        ("x" * 62 + "--", "64 characters", f'write "{"x" * 62}"'),
    ],
)
def test_any_other_name_is_refused_with_the_nearest_that_is_allowed(
    name: str, found: str, fix: str, good: dict[str, Any], problems_of: Callable[..., Any]
) -> None:
    good["endpoints"][0]["name"] = name
    (problem,) = problems_of(good)
    assert (problem.id, problem.found, problem.fix) == ("C101", found, fix)


@pytest.mark.parametrize("name", ["models", "v1", "openapi-json", "health"])
def test_the_paths_of_the_api_itself_are_reserved(
    name: str, good: dict[str, Any], problems_of: Callable[..., Any]
) -> None:
    good["models"][1]["name"] = name
    (problem,) = problems_of(good)
    assert (problem.id, problem.fix) == ("C103", f'write "{name}-model"')


def test_the_same_name_a_third_time_is_compared_with_the_first(
    good: dict[str, Any], problems_of: Callable[..., Any]
) -> None:
    good["models"][1]["name"] = good["endpoints"][0]["name"] = "open-llama"
    problems = problems_of(good)
    assert [(problem.id, problem.location.path) for problem in problems] == [
        ("C104", "$.models[1].name"),
        ("C104", "$.endpoints[0].name"),
    ]
    assert {problem.found for problem in problems} == {'"open-llama", as in $.models[0].name on line 4'}

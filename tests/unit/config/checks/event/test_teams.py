"""Which names teams may have, and which models they may call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize("name", ["r", "Red Team", "a.b_c-d", "7", "x" * 64])
def test_a_name_of_the_right_form_is_fine(
    name: str, good: dict[str, Any], problems_of: Callable[..., Any]
) -> None:
    good["event"]["teams"] = [name]
    assert problems_of(good) == ()
    good["event"]["teams"] = [{"name": name}]
    assert problems_of(good) == ()


@pytest.mark.parametrize(
    ("name", "fix"),
    [
        ("red/blue", 'write "red-blue"'),
        (" red ", 'write "red"'),
        (".", ""),
        ("", ""),
        ("é", ""),
        ("x" * 65, f'write "{"x" * 64}"'),
    ],
)
def test_any_other_name_is_refused(
    name: str, fix: str, good: dict[str, Any], problems_of: Callable[..., Any]
) -> None:
    good["event"]["teams"] = [{"name": name}]
    (problem,) = problems_of(good)
    assert (problem.id, problem.fix) == ("C408", fix)


def test_the_same_name_a_third_time_is_compared_with_the_first_in_either_form(
    good: dict[str, Any], problems_of: Callable[..., Any]
) -> None:
    good["event"]["teams"] = [{"name": "Red"}, "blue", "red", {"name": "RED"}]
    problems = problems_of(good)
    assert [(problem.id, problem.location.path) for problem in problems] == [
        ("C401", "$.event.teams[2]"),
        ("C401", "$.event.teams[3].name"),
    ]
    assert len({problem.found.partition(",")[2] for problem in problems}) == 1


def test_a_team_may_call_models_and_endpoints(good: dict[str, Any], problems_of: Callable[..., Any]) -> None:
    good["event"]["teams"] = [{"name": "red", "models": ["own", "adopted"]}]
    assert problems_of(good) == ()


@pytest.mark.parametrize(("entries", "last"), [(12, "m-11"), (13, "m-11 or …")])
def test_a_model_that_nobody_has_is_refused_with_the_first_twelve(
    entries: int, last: str, good: dict[str, Any], problems_of: Callable[..., Any]
) -> None:
    model = good["models"][2]
    config = {
        "models": [{**model, "name": f"m-{number}"} for number in range(entries)],
        "event": {"teams": [{"name": "red", "models": ["m-1", "m-x"]}]},
    }
    (problem,) = problems_of(config)
    assert (problem.id, problem.found) == ("C402", '"m-x"')
    assert problem.expected.replace(" or m-11", ", m-11").endswith(f"m-10, {last}")


def test_a_team_of_a_config_without_entries_may_call_nothing(problems_of: Callable[..., Any]) -> None:
    (problem,) = problems_of({"models": [], "event": {"teams": [{"name": "red", "models": ["a"]}]}})
    assert (problem.expected, problem.fix) == ("the name of a model or endpoint: there are none", "")

"""When the folder of the engine `python` can be run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.mark.parametrize(
    ("code", "found", "fix"),
    [
        ("models", "no inference.py in <root>/models", "add the file, or name the folder that has it"),
        ("models/orc", '"models/orc", which is not a folder', "create the folder, or correct the path"),
        ("cdk.json", '"cdk.json", which is not a folder', "create the folder, or correct the path"),
    ],
)
def test_it_contains_an_inference_py(  # noqa: PLR0917  # three are of the table, three are fixtures
    code: str, found: str, fix: str, project: Path, good: dict[str, Any], problems_of: Callable[..., Any]
) -> None:
    good["models"][2]["local"]["code"] = code
    (problem,) = problems_of(good)
    shown = problem.found.replace(str(project), "<root>")
    assert (problem.id, shown, problem.fix) == ("C306", found, fix)
    assert str(project / code) in problem.expected


def test_it_may_lie_beside_the_config(
    project: Path, good: dict[str, Any], problems_of: Callable[..., Any]
) -> None:
    (project / "config/own").mkdir(exist_ok=True)
    (project / "config/own/inference.py").touch()
    good["models"][2]["local"]["code"] = "own"
    assert problems_of(good) == ()


def test_a_blank_path_is_one_problem(good: dict[str, Any], problems_of: Callable[..., Any]) -> None:
    good["models"][2]["local"]["code"] = " "
    assert [problem.id for problem in problems_of(good)] == ["C015"]

"""The pages that `mlapi explain` shows: their examples do what the pages say."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.config.checks.registry import RULES

if TYPE_CHECKING:
    from collections.abc import Callable

    from centralized_ml_api.config.rule import Example, Rule

REGION = "us-east-1"
CHECKABLE = [
    pytest.param(rule, id=rule.id)
    for rule in RULES
    if rule.example.suffix and not rule.id.startswith("C5")  # those are found when a model is looked up
]


def example_config(example: Example, text: str, good: dict[str, Any]) -> str | dict[str, Any]:
    """A whole file stands as it is; members go into the good config, at their place."""
    if not example.at:
        return text
    part: Any = good
    for key, index in re.findall(r"\.(\w+)|\[(\d+)\]", example.at):
        part = part[key] if key else part[int(index)]
    part.update(json.loads(f"{{{text}}}"))
    return good


@pytest.mark.parametrize("rule", CHECKABLE)
def test_the_wrong_example_breaks_its_rule(
    rule: Rule, good: dict[str, Any], problems_of: Callable[..., Any]
) -> None:
    wrong = example_config(rule.example, rule.example.wrong, good)
    found = {problem.id for problem in problems_of(wrong, rule.example.suffix, REGION)}
    assert rule.id in found


@pytest.mark.parametrize("rule", CHECKABLE)
def test_the_right_example_has_no_problem_at_all(
    rule: Rule, good: dict[str, Any], problems_of: Callable[..., Any]
) -> None:
    right = example_config(rule.example, rule.example.right, good)
    assert problems_of(right, rule.example.suffix, REGION) == ()


def test_ids_are_unique_ordered_and_of_a_family() -> None:
    ids = [rule.id for rule in RULES]
    assert ids == sorted(set(ids))
    assert all(re.fullmatch(r"C[0-5][0-9]{2}", one) for one in ids)

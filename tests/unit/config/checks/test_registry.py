"""Every rule is found, its id is never used twice, and its examples do what its page says."""

from __future__ import annotations

import json
import re
from importlib import import_module
from pkgutil import walk_packages
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api import config
from centralized_ml_api.config.checks.registry import RULES
from centralized_ml_api.config.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Callable

    from centralized_ml_api.config.rule import Example

REGION = "us-east-1"
CHECKABLE = [
    pytest.param(rule, id=rule.id)
    for rule in RULES
    if rule.example.suffix and not rule.id.startswith("C5")  # those are found when a model is looked up
]


def example_config(example: Example, text: str, good: dict[str, Any]) -> str | dict[str, Any]:
    """Returns a whole file as it is; puts members into the good config, where they belong."""
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


LAST_GIVEN = {"C0": 16, "C1": 22, "C2": 17, "C3": 12, "C4": 23, "C5": 14, "C6": 7, "C7": 1, "C8": 13}
"""The last number that was given in each family; it only ever grows, so that no id is used twice."""

RETIRED: frozenset[str] = frozenset()
"""The ids of rules that were removed: nobody gets them again."""


def test_ids_are_unique_and_in_order() -> None:
    ids = [rule.id for rule in RULES]
    assert ids == sorted(set(ids))


def test_no_id_is_left_out_or_used_again() -> None:
    given = [f"{family}{number:02}" for family, last in LAST_GIVEN.items() for number in range(1, last + 1)]
    assert [rule.id for rule in RULES] == [identity for identity in given if identity not in RETIRED]


def test_every_rule_of_every_module_is_registered() -> None:
    modules = [import_module(module.name) for module in walk_packages(config.__path__, f"{config.__name__}.")]
    rules = [value for module in modules for value in vars(module).values() if isinstance(value, Rule)]
    assert {rule.id for rule in rules} == {rule.id for rule in RULES}

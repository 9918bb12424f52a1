"""C111: no instance type, or two ways of saying it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.config.checks.context import given
from centralized_ml_api.config.rule import Example, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context
    from centralized_ml_api.errors import Problem

_EXPECTED = '"instance" or "instances"'


def _check(context: Context) -> Iterator[Problem]:
    for model in context.models:
        ways = given(model, ("instance", "instances"))
        if not ways:
            fix = 'add "instance": "ml.g5.2xlarge"'
            yield RULE.problem(model.key_location, found="neither of them", expected=_EXPECTED, fix=fix)
        if len(ways) > 1:
            location = (model.member("instances") or model).key_location
            fix = 'remove "instance" and put it first in "instances"'
            yield RULE.problem(location, found="both of them", expected=_EXPECTED, fix=fix)


RULE = Rule(
    id="C111",
    title="not exactly one choice of instances",
    meaning="""\
A model says on what it runs: `instance`, one type, or `instances`, up to five of them that are tried in
order when the first has no capacity. Either, not both.""",
    example=Example(
        at="$.models[0]",
        wrong='"instance": "ml.g5.2xlarge", "instances": ["ml.g5.4xlarge"]',
        right='"instance": "ml.g5.2xlarge"',
    ),
    check=_check,
)

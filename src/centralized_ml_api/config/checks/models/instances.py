"""What a model runs on: the instance types, the choice among them, and how many instances there are."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from centralized_ml_api.config.checks.checked_rule import CheckedRule
from centralized_ml_api.config.checks.context import given, repeated
from centralized_ml_api.config.checks.models.source import is_only_local
from centralized_ml_api.config.rule import Example
from centralized_ml_api.config.wording import nearest, quoted, write

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context
    from centralized_ml_api.errors import Problem

_SIZES = ("nano", "micro", "small", "medium", "large", "xlarge", "metal")
_TYPE = re.compile(r"ml\.(?P<family>[a-z][a-z0-9-]*)\.(?P<size>[a-z0-9-]+)")
_SIZE = re.compile(r"nano|micro|small|medium|large|[1-9]?[0-9]*xlarge|metal(-[0-9]+xl)?")


def _check_types(context: Context) -> Iterator[Problem]:
    for model in context.models:
        single = model.string("instance")
        for instance in [*([single] if single else []), *model.strings("instances")]:
            if not is_instance_type(instance.value):
                yield UNSUPPORTED_INSTANCE.problem(
                    instance.location,
                    found=quoted(instance.value),
                    expected='"ml.", a family and a size, such as "ml.g5.2xlarge"',
                    fix=write(_suggestion(instance.value)),
                )


def is_instance_type(written: str) -> bool:
    """Returns whether the text has the form of a SageMaker instance type: `ml.`, a family, a size."""
    match = _TYPE.fullmatch(written)
    return bool(match and _SIZE.fullmatch(match["size"]))


def _suggestion(written: str) -> str | None:
    """Returns the type with `ml.` before it and an existing size, if that makes it valid."""
    family, _, size = written.strip().lower().removeprefix("ml.").rpartition(".")
    number = re.match(r"[0-9]*", size)
    digits = number[0] if number else ""
    better = f"ml.{family}.{digits}{nearest(size[len(digits) :], _SIZES)}"
    return better if is_instance_type(better) else None


UNSUPPORTED_INSTANCE = CheckedRule(
    id="C102",
    title="unsupported instance type",
    meaning="""\
This is not a SageMaker instance type, or not one that can serve the model. Types consist of `ml.`, a
family and a size: `ml.g5.2xlarge`. EC2's own names (`g5.2xlarge`) lack the `ml.`. A JumpStart model runs
only on the types that its publisher has tested. The problem lists them; `"instance_check": false` lets
you try another one.""",
    example=Example(at="$.models[0]", wrong='"instance": "g5.2xlrage"', right='"instance": "ml.g5.2xlarge"'),
    check=_check_types,
)


def _check_choice(context: Context) -> Iterator[Problem]:
    expected = '"instance" or "instances"'
    for model in context.models:
        if is_only_local(model):
            continue
        match given(model, ("instance", "instances")):
            case []:
                fix = 'add "instance": "ml.g5.2xlarge"'
                yield INSTANCE_CHOICE.problem(model.key_location, found="neither", expected=expected, fix=fix)
            case [_, _]:
                location = (model.member("instances") or model).key_location
                fix = 'remove "instance" and put it first in "instances"'
                yield INSTANCE_CHOICE.problem(location, found="both", expected=expected, fix=fix)


INSTANCE_CHOICE = CheckedRule(
    id="C111",
    title="not exactly one of instance and instances",
    meaning="""\
A model says what it runs on: `instance` is a single type; `instances` lists up to five types, which are
tried in order while there is no capacity. Use one of the two keys, not both.""",
    example=Example(
        at="$.models[0]",
        wrong='"instance": "ml.g5.2xlarge", "instances": ["ml.g5.4xlarge"]',
        right='"instance": "ml.g5.2xlarge"',
    ),
    check=_check_choice,
)


def _check_duplicates(context: Context) -> Iterator[Problem]:
    for model in context.models:
        for instance, _ in repeated(model.strings("instances")):
            yield DUPLICATE_INSTANCE.problem(
                instance.location,
                found=f"{quoted(instance.value)} again",
                expected="each type once",
                fix="remove it",
            )


DUPLICATE_INSTANCE = CheckedRule(
    id="C112",
    title="duplicate instance type",
    meaning="""\
`instances` names the same type twice. The types are tried in order, and a type without capacity has none
the second time either.""",
    example=Example(
        at="$.models[2]",
        wrong='"instances": ["ml.g6.2xlarge", "ml.g6.2xlarge"]',
        right='"instances": ["ml.g6.2xlarge", "ml.g6.4xlarge"]',
    ),
    check=_check_duplicates,
)


def _check_capacity(context: Context) -> Iterator[Problem]:
    for model in context.models:
        autoscaling = model.object("autoscaling")
        fewest = autoscaling.integer("min_capacity") if autoscaling else None
        most = autoscaling.integer("max_capacity") if autoscaling else None
        if fewest and most and fewest.value > most.value:
            yield MIN_ABOVE_MAX.problem(
                fewest.location,
                found=f'"min_capacity" {fewest.value}, "max_capacity" {most.value}',
                expected=f'"min_capacity" of at most {most.value}',
                fix="swap the two numbers, or change one of them",
            )


MIN_ABOVE_MAX = CheckedRule(
    id="C113",
    title="min_capacity above max_capacity",
    meaning="""\
The smallest number of instances (`min_capacity`) cannot exceed the largest (`max_capacity`). Equal
numbers are fine: that many instances then always run.""",
    example=Example(
        at="$.models[0]",
        wrong='"autoscaling": {"min_capacity": 3, "max_capacity": 2, "invocations_per_instance": 5}',
        right='"autoscaling": {"min_capacity": 2, "max_capacity": 3, "invocations_per_instance": 5}',
    ),
    check=_check_capacity,
)

RULES = (UNSUPPORTED_INSTANCE, INSTANCE_CHOICE, DUPLICATE_INSTANCE, MIN_ABOVE_MAX)

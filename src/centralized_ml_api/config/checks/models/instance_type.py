"""C102: an instance type that does not exist."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from centralized_ml_api.config.rule import Example, Rule
from centralized_ml_api.config.wording import nearest, quoted, write

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context
    from centralized_ml_api.config.document import Node
    from centralized_ml_api.errors import Problem

_SIZES = ("nano", "micro", "small", "medium", "large", "xlarge", "metal")
_TYPE = re.compile(r"ml\.(?P<family>[a-z][a-z0-9-]*)\.(?P<size>[a-z0-9-]+)")
_SIZE = re.compile(r"nano|micro|small|medium|large|[1-9]?[0-9]*xlarge|metal(-[0-9]+xl)?")


def _check(context: Context) -> Iterator[Problem]:
    for model in context.models:
        single = model.text("instance")
        for one in [*([single] if single else []), *model.texts("instances")]:
            if not is_instance_type(one.value):
                yield _problem(one)


def is_instance_type(written: str) -> bool:
    """Whether the text has the form of a SageMaker instance type: `ml.`, a family, a size."""
    match = _TYPE.fullmatch(written)
    return bool(match and _SIZE.fullmatch(match["size"]))


def _problem(one: Node[str]) -> Problem:
    return RULE.problem(
        one.location,
        found=quoted(one.value),
        expected='"ml.", a family and a size, such as "ml.g5.2xlarge"',
        fix=write(_suggestion(one.value)),
    )


def _suggestion(written: str) -> str | None:
    """The type with `ml.` before it and a size that exists, if that makes it one."""
    family, _, size = written.strip().lower().removeprefix("ml.").rpartition(".")
    number = re.match(r"[0-9]*", size)
    digits = number[0] if number else ""
    better = f"ml.{family}.{digits}{nearest(size[len(digits) :], _SIZES)}"
    return better if is_instance_type(better) else None


RULE = Rule(
    id="C102",
    title="unsupported instance type",
    meaning="""\
This is no SageMaker instance type that could serve the model. Types begin with `ml.`, then come a family
and a size: `ml.g5.2xlarge`. EC2's own names (`g5.2xlarge`) lack the `ml.`. A JumpStart model runs only
on the types that its publisher tried; those are named then, and `"instance_check": false` lets you try
another.""",
    example=Example(at="$.models[0]", wrong='"instance": "g5.2xlrage"', right='"instance": "ml.g5.2xlarge"'),
    check=_check,
)

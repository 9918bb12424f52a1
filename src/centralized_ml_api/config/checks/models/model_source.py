"""C105: which model it is, is not said, or said twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.config.checks.context import given
from centralized_ml_api.config.rule import Example, Rule
from centralized_ml_api.config.wording import listed, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context
    from centralized_ml_api.errors import Problem

_SOURCES = ("model_id", "model_package_arn", "image")


def _check(context: Context) -> Iterator[Problem]:
    expected = f"exactly one of {listed(map(quoted, _SOURCES))}"
    for model in context.models:
        sources = given(model, _SOURCES)
        if not sources:
            yield RULE.problem(
                model.key_location,
                found="none of them",
                expected=expected,
                fix='add "model_id": "…", or one of the others',
            )
        for second in sources[1:]:
            location = (model.member(second) or model).key_location
            found = f"{quoted(second)} besides {quoted(sources[0])}"
            yield RULE.problem(location, found=found, expected=expected, fix="remove one of the two")


RULE = Rule(
    id="C105",
    title="not exactly one model",
    meaning="""\
An entry of `models` says which model it is by exactly one of three keys: `model_id` (a JumpStart id),
`model_package_arn` (a package of the AWS Marketplace) or `image` (a container of your own).""",
    example=Example(
        at="$.models[0]",
        wrong='"model_id": "huggingface-textgeneration-open-llama", "image": "my-image"',
        right='"model_id": "huggingface-textgeneration-open-llama"',
    ),
    check=_check,
)

"""C101: a name that cannot be a path."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from centralized_ml_api.config.rule import Example, Rule
from centralized_ml_api.config.wording import quoted, write

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context
    from centralized_ml_api.errors import Problem

_LONGEST = 63
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")


def _check(context: Context) -> Iterator[Problem]:
    for entry in context.entries:
        name = entry.text("name")
        if name is None or (_NAME.fullmatch(name.value) and len(name.value) <= _LONGEST):
            continue
        yield RULE.problem(
            name.location,
            found=quoted(name.value) if len(name.value) <= _LONGEST else f"{len(name.value)} characters",
            expected=f"small letters, digits and hyphens, none at the ends; 1 to {_LONGEST} characters",
            fix=write(_suggestion(name.value)),
        )


def _suggestion(name: str) -> str:
    """The nearest name that is allowed, or nothing."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower())[:_LONGEST].strip("-")


RULE = Rule(
    id="C101",
    title="badly formed name",
    meaning="""\
The name is the path of the API (`open-llama` is called at `/open-llama`) and the name of the SageMaker
endpoint. So it consists of small letters, digits and hyphens, begins and ends with a letter or digit,
and has at most 63 characters.

Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateEndpoint.html (EndpointName)""",
    example=Example(at="$.models[0]", wrong='"name": "Open_LLaMA"', right='"name": "open-llama"'),
    check=_check,
)

"""C206: a function that nothing would call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.config.rule import Example, Rule
from centralized_ml_api.config.wording import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context
    from centralized_ml_api.errors import Problem


def _check(context: Context) -> Iterator[Problem]:
    for integration in context.integrations:
        kind, properties = integration.value.get("type"), integration.member("properties")
        if properties and kind in ("api", "stream"):
            yield RULE.problem(
                properties.key_location,
                found=f'"properties" beside the type {quoted(kind)}',
                expected='"properties" only beside the type "lambda"',
                fix='remove "properties", or write "type": "lambda"',
            )


RULE = Rule(
    id="C206",
    title="properties without lambda",
    meaning="""\
`properties` describes a Lambda function. With the types `api` and `stream` the gateway calls the model
itself, so the function would never be called.""",
    example=Example(
        at="$.models[1]",
        wrong='"integration": {"type": "api", "properties": {"code": "functions/example_function", '
        '"permissions": [], "timeout": 29}}',
        right='"integration": {"type": "api"}',
    ),
    check=_check,
)

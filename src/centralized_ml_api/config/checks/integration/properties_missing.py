"""C205: a lambda integration without its function."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.config.checks.context import given, is_lambda
from centralized_ml_api.config.rule import Example, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context
    from centralized_ml_api.errors import Problem


def _check(context: Context) -> Iterator[Problem]:
    for integration in context.integrations:
        if is_lambda(integration) and not given(integration, ("properties",)):
            yield RULE.problem(
                integration.key_location,
                found='the type "lambda" without "properties"',
                expected='"properties" with at least "code", "permissions" and "timeout"',
                fix='add "properties": {"code": "functions/example_function", '
                '"permissions": ["sagemaker:InvokeEndpoint"], "timeout": 29}, or use the type "api"',
            )


RULE = Rule(
    id="C205",
    title="lambda without properties",
    meaning="""\
With the type `lambda` a function of yours stands between the API and the model. `properties` describes
it: where its code lies, what it may do, how long it may take.""",
    example=Example(
        at="$.models[1]",
        wrong='"integration": {"type": "lambda"}',
        right='"integration": {"type": "lambda", "properties": {"code": "functions/example_function", '
        '"permissions": ["sagemaker:InvokeEndpoint"], "timeout": 29}}',
    ),
    check=_check,
)

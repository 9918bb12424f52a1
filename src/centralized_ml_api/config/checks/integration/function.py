"""The Lambda function of an integration: whether there is one, its layers, timeout and environment."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from centralized_ml_api.config.checks.checked_rule import CheckedRule
from centralized_ml_api.config.checks.context import given, is_lambda, present
from centralized_ml_api.config.rule import Example
from centralized_ml_api.config.wording import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context
    from centralized_ml_api.errors import Problem

_LAYER = re.compile(
    r"arn:aws[a-z-]*:lambda:[a-z]{2,}(-[a-z]+)+-[0-9]:[0-9]{12}:layer:[A-Za-z0-9_-]{1,140}:[0-9]+"
)
_LAYER_WITHOUT_VERSION = re.compile(r"arn:aws[a-z-]*:lambda:[a-z0-9-]+:[0-9]{12}:layer:[A-Za-z0-9_-]+")

_API_TIMEOUT_SECONDS = 29
_LONGEST_TIMEOUT_SECONDS = 900

_VARIABLE = re.compile(r"[A-Za-z][A-Za-z0-9_]+")
_RESERVED_VARIABLES = frozenset(
    {
        "_HANDLER", "_X_AMZN_TRACE_ID", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR", "ENDPOINT_NAME",
        "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
        "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV", "AWS_LAMBDA_RUNTIME_API",
        "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME",
    }
)  # fmt: skip


def _check_missing(context: Context) -> Iterator[Problem]:
    for integration in context.integrations:
        if is_lambda(integration) and not given(integration, ("properties",)):
            yield LAMBDA_WITHOUT_PROPERTIES.problem(
                integration.key_location,
                found='the type "lambda" without "properties"',
                expected='"properties" with at least "code", "permissions" and "timeout"',
                fix='add "properties": {"code": "functions/example_function", '
                '"permissions": ["sagemaker:InvokeEndpoint"], "timeout": 29}, or use the type "api"',
            )


LAMBDA_WITHOUT_PROPERTIES = CheckedRule(
    id="C205",
    title="lambda without properties",
    meaning="""\
With the type `lambda`, a function of yours stands between the API and the model. `properties` describes
the function: where its code is, what it may do and how long it may take.""",
    example=Example(
        at="$.models[1]",
        wrong='"integration": {"type": "lambda"}',
        right='"integration": {"type": "lambda", "properties": {"code": "functions/example_function", '
        '"permissions": ["sagemaker:InvokeEndpoint"], "timeout": 29}}',
    ),
    check=_check_missing,
)


def _check_unwanted(context: Context) -> Iterator[Problem]:
    for integration in context.integrations:
        kind, properties = integration.value.get("type"), integration.member("properties")
        if properties and kind in ("api", "stream"):
            yield PROPERTIES_WITHOUT_LAMBDA.problem(
                properties.key_location,
                found=f'"properties" with the type {quoted(kind)}',
                expected='"properties" only with the type "lambda"',
                fix='remove "properties", or write "type": "lambda"',
            )


PROPERTIES_WITHOUT_LAMBDA = CheckedRule(
    id="C206",
    title="properties without lambda",
    meaning="""\
`properties` describes a Lambda function. With the types `api` and `stream` the gateway calls the model
directly, so the function would never be called.""",
    example=Example(
        at="$.models[1]",
        wrong='"integration": {"type": "api", "properties": {"code": "functions/example_function", '
        '"permissions": [], "timeout": 29}}',
        right='"integration": {"type": "api"}',
    ),
    check=_check_unwanted,
)


def _check_layers(context: Context) -> Iterator[Problem]:
    for function in context.functions:
        for layer in function.strings("layers"):
            if not _LAYER.fullmatch(layer.value):
                yield MALFORMED_LAYER_ARN.problem(
                    layer.location,
                    found=quoted(layer.value),
                    expected="arn:aws:lambda:<region>:<12 digits>:layer:<name>:<version>",
                    fix='add the version at the end, such as ":1"'
                    if _LAYER_WITHOUT_VERSION.fullmatch(layer.value)
                    else "copy the ARN of the layer version from the console",
                )


MALFORMED_LAYER_ARN = CheckedRule(
    id="C212",
    title="malformed layer ARN",
    meaning="""\
`layers` takes ARNs of layer versions: partition, `lambda`, region, the twelve digits of the account,
`layer`, the name of the layer and the number of its version.

Source: https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html (Layers)""",
    example=Example(
        at="$.models[0].integration.properties",
        wrong='"layers": ["arn:aws:lambda:us-east-1:123456789012:layer:my-layer"]',
        right='"layers": ["arn:aws:lambda:us-east-1:123456789012:layer:my-layer:3"]',
    ),
    check=_check_layers,
)


def _check_timeout(context: Context) -> Iterator[Problem]:
    aws = context.root.object("aws")
    raised = aws.integer("integration_timeout") if aws else None
    longest = raised.value if raised else _API_TIMEOUT_SECONDS
    for function in context.functions:
        timeout = function.integer("timeout")
        if timeout and longest < timeout.value <= _LONGEST_TIMEOUT_SECONDS:
            yield LONG_TIMEOUT.problem(
                timeout.location,
                found=f"{timeout.value} seconds",
                expected=f"at most {longest}: the API answers 504 after that",
                fix=f"write {longest}",
            )


LONG_TIMEOUT = CheckedRule(
    id="C215",
    title="timeout longer than the API waits",
    severity="warning",
    meaning="""\
The API waits 29 seconds for a response and then answers 504 itself. A function that takes longer keeps
running, at your cost, for a response that nobody receives.

Source:
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
(integration timeout)""",
    example=Example(at="$.models[0].integration.properties", wrong='"timeout": 60', right='"timeout": 29'),
    check=_check_timeout,
)


def _check_environment(context: Context) -> Iterator[Problem]:
    for environment in present(function.object("environment") for function in context.functions):
        for name in environment.value:
            if name in _RESERVED_VARIABLES or not _VARIABLE.fullmatch(name):
                is_set = name in _RESERVED_VARIABLES
                reason = "which is set for every function" if is_set else "which Lambda refuses"
                yield UNUSABLE_VARIABLE.problem(
                    context.document.key_location((*environment.path, name)),
                    found=f"{quoted(name)}, {reason}",
                    expected="a name of your own: a letter, then more letters, digits or underscores",
                    fix="rename it, or remove it",
                )


UNUSABLE_VARIABLE = CheckedRule(
    id="C217",
    title="unusable name of an environment variable",
    meaning="""\
The name of a function's environment variable consists of at least two letters, digits and underscores,
and begins with a letter. Variables that Lambda sets itself (`AWS_REGION`, …) cannot be set, and neither
can `ENDPOINT_NAME`, which always holds the name of the entry's endpoint.

Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html""",
    example=Example(
        at="$.models[0].integration.properties",
        wrong='"environment": {"ENDPOINT_NAME": "other"}',
        right='"environment": {"OTHER_ENDPOINT": "other"}',
    ),
    check=_check_environment,
)

RULES = (
    LAMBDA_WITHOUT_PROPERTIES,
    PROPERTIES_WITHOUT_LAMBDA,
    MALFORMED_LAYER_ARN,
    LONG_TIMEOUT,
    UNUSABLE_VARIABLE,
)

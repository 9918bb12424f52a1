"""When an integration has a function, and what its properties may be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable


LAYER = "arn:aws:lambda:us-east-1:123456789012:layer:my_layer-1:3"


@pytest.fixture
def function(good: dict[str, Any]) -> dict[str, Any]:
    """The function of the good config."""
    properties: dict[str, Any] = good["models"][0]["integration"]["properties"]
    return properties


@pytest.mark.parametrize("kind", ["api", "stream"])
def test_only_a_lambda_integration_has_properties(
    kind: str, good: dict[str, Any], problems_of: Callable[..., Any]
) -> None:
    good["models"][0]["integration"]["type"] = kind
    (problem,) = problems_of(good)
    assert (problem.id, problem.found) == ("C206", f'"properties" with the type "{kind}"')


def test_a_lambda_integration_needs_properties(good: dict[str, Any], problems_of: Callable[..., Any]) -> None:
    del good["models"][0]["integration"]["properties"]
    (problem,) = problems_of(good)
    assert (problem.id, problem.location.path) == ("C205", "$.models[0].integration")


@pytest.mark.parametrize(
    "layer", [LAYER, LAYER.replace("arn:aws:", "arn:aws-cn:"), LAYER.replace("us-east-1", "us-gov-west-1")]
)
def test_a_version_of_a_layer_is_fine(
    layer: str, good: dict[str, Any], function: dict[str, Any], problems_of: Callable[..., Any]
) -> None:
    function["layers"] = [layer]
    assert problems_of(good) == ()


@pytest.mark.parametrize(
    ("layer", "fix"),
    [
        (LAYER.removesuffix(":3"), 'add the version at the end, such as ":1"'),
        (LAYER.replace(":3", ":latest"), "copy the ARN of the layer version from the console"),
        (LAYER.replace("123456789012", "12345"), "copy the ARN of the layer version from the console"),
        (LAYER.replace("us-east-1", "Ireland"), "copy the ARN of the layer version from the console"),
        (LAYER.replace("my_layer-1", "x" * 141), "copy the ARN of the layer version from the console"),
        ("my-layer", "copy the ARN of the layer version from the console"),
    ],
)
def test_any_other_layer_is_refused(
    layer: str, fix: str, good: dict[str, Any], function: dict[str, Any], problems_of: Callable[..., Any]
) -> None:
    function["layers"] = [LAYER, layer]
    (problem,) = problems_of(good)
    assert (problem.id, problem.location.path.removeprefix("$.models[0].integration."), problem.fix) == (
        "C212",
        "properties.layers[1]",
        fix,
    )


@pytest.mark.parametrize(
    ("seconds", "ids"), [(1, []), (29, []), (30, ["C215"]), (900, ["C215"]), (901, ["C014"])]
)
def test_a_timeout_that_the_api_does_not_wait_for_is_a_warning(
    seconds: int,
    ids: list[str],
    good: dict[str, Any],
    function: dict[str, Any],
    problems_of: Callable[..., Any],
) -> None:
    function["timeout"] = seconds
    assert [problem.id for problem in problems_of(good)] == ids


@pytest.mark.parametrize("name", ["LOG_LEVEL", "ab", "A1"])
def test_a_variable_of_your_own_is_fine(
    name: str, good: dict[str, Any], function: dict[str, Any], problems_of: Callable[..., Any]
) -> None:
    function["environment"] = {name: "x"}
    assert problems_of(good) == ()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("a", "which Lambda refuses"),
        ("1A", "which Lambda refuses"),
        ("_A", "which Lambda refuses"),
        ("A-B", "which Lambda refuses"),
        *((name, "which is set for every function") for name in (
            "_HANDLER", "_X_AMZN_TRACE_ID", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR", "ENDPOINT_NAME",
            "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
            "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV", "AWS_LAMBDA_RUNTIME_API",
            "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION",
            "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME",
        )),
    ],
)  # fmt: skip
def test_a_variable_that_lambda_refuses_or_sets_is_refused(
    name: str, reason: str, good: dict[str, Any], function: dict[str, Any], problems_of: Callable[..., Any]
) -> None:
    function["environment"] = {"LOG_LEVEL": "INFO", name: "x"}
    (problem,) = problems_of(good)
    assert (problem.id, problem.found) == ("C217", f'"{name}", {reason}')

"""The organizer's view: graphs of the API, of each model, of each function.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import CfnResource, Fn

from centralized_ml_api.aws.constructs.hosted_model import VARIANT
from centralized_ml_api.aws.constructs.http_api import STAGE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from constructs import Construct

    from centralized_ml_api.aws.constructs.stack_context import StackContext

Metric = list[Any]

_COLUMNS, _WIDTH, _HEIGHT = 2, 12, 6
_MINUTE = 60
_FROM_ZERO = {"left": {"min": 0}}


def build_dashboard(
    scope: Construct,
    construct_id: str,
    *,
    endpoints: Mapping[str, str],
    functions: Mapping[str, str],
    stack_context: StackContext,
) -> CfnResource:
    """A dashboard without a fixed name.

    Args:
        scope: where it stands.
        construct_id: its name there.
        endpoints: SageMaker's names of endpoints by what they are called here.
        functions: the ARNs of functions by what they are called here.
        stack_context: of the stack.
    """
    names = {label: Fn.select(6, Fn.split(":", arn)) for label, arn in functions.items()}
    graphs = [*_of_api(stack_context.stack_name), *_of_models(endpoints), *_of_functions(names)]
    body = {"widgets": [_place(number, graph, stack_context.region) for number, graph in enumerate(graphs)]}
    properties = {"DashboardBody": stack_context.stack.to_json_string(body)}
    return CfnResource(scope, construct_id, type="AWS::CloudWatch::Dashboard", properties=properties)


def api_dimensions(api: str) -> dict[str, str]:
    """API Gateway's metrics know a REST API by its name, not by its id.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html
    """
    return {"ApiName": api, "Stage": STAGE}


def _of_api(api: str) -> Iterable[dict[str, Any]]:
    of = _metrics("AWS/ApiGateway", api_dimensions(api))
    calls = [of("Count", "calls", "Sum"), of("4XXError", "4xx", "Sum"), of("5XXError", "5xx", "Sum")]
    yield _graph("Calls a minute", calls)
    taken = [of("Latency", "median", "p50"), of("Latency", "95 %", "p95")]
    yield _graph("Milliseconds, from the API", taken)


def _of_models(endpoints: Mapping[str, str]) -> Iterable[dict[str, Any]]:
    """Source: https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html."""
    if not endpoints:
        return
    of = {
        label: _metrics("AWS/SageMaker", {"EndpointName": name, "VariantName": VARIANT})
        for label, name in endpoints.items()
    }
    yield _graph("Calls a minute, by model", [one("Invocations", name, "Sum") for name, one in of.items()])
    yield _graph(
        "Microseconds, 95 %, by model", [one("ModelLatency", name, "p95") for name, one in of.items()]
    )
    failed = [
        one(f"Invocation{kind}Errors", f"{name} {kind[0]}xx", "Sum")
        for name, one in of.items()
        for kind in ("4XX", "5XX")
    ]
    yield _graph("Errors a minute, by model", failed)


def _of_functions(functions: Mapping[str, str]) -> Iterable[dict[str, Any]]:
    """Source: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html."""
    if not functions:
        return
    of = {label: _metrics("AWS/Lambda", {"FunctionName": name}) for label, name in functions.items()}
    failed = [
        one(metric, f"{name} {word}", "Sum")
        for name, one in of.items()
        for metric, word in (("Errors", "errors"), ("Throttles", "turned away"))
    ]
    yield _graph("Errors a minute, by function", failed)
    yield _graph(
        "Milliseconds, 95 %, by function", [one("Duration", name, "p95") for name, one in of.items()]
    )


def _metrics(namespace: str, dimensions: Mapping[str, str]) -> Callable[[str, str, str], Metric]:
    """Gives metrics by their name, their label and their statistic."""
    named = [part for pair in dimensions.items() for part in pair]
    return lambda metric, label, statistic: [namespace, metric, *named, {"label": label, "stat": statistic}]


def _graph(title: str, metrics: list[Metric]) -> dict[str, Any]:
    return {"title": title, "metrics": metrics, "period": _MINUTE, "view": "timeSeries", "yAxis": _FROM_ZERO}


def _place(number: int, graph: dict[str, Any], region: str) -> dict[str, Any]:
    row, column = divmod(number, _COLUMNS)
    place = {"x": column * _WIDTH, "y": row * _HEIGHT, "width": _WIDTH, "height": _HEIGHT}
    return {"type": "metric", **place, "properties": {**graph, "region": region}}

"""Builds the organizer's view: graphs of the API, of each model and each function, and alarms by e-mail.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import CfnResource, Fn
from constructs import Construct

from centralized_ml_api.aws.constructs.hosted_model import VARIANT
from centralized_ml_api.aws.constructs.http_api import STAGE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from centralized_ml_api.aws.constructs.stack_context import StackContext
    from centralized_ml_api.plan.aws.event import AlarmPlan

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
    spending: str | None = None,
    stack_context: StackContext,
) -> CfnResource:
    """Builds a dashboard without a fixed name.

    Args:
        scope: The construct that holds it.
        construct_id: Its id there.
        endpoints: SageMaker's names of endpoints, by their labels.
        functions: The ARNs of functions, by their labels.
        spending: The ARN of the function that counts what teams spend, if there is one.
        stack_context: The stack, its region and its name.
    """
    names = {label: _name_function(arn) for label, arn in functions.items()}
    graphs = [
        *_api_graphs(stack_context.stack_name),
        *_model_graphs(endpoints),
        *_function_graphs(names),
        *([] if spending is None else _spending_graphs(_name_function(spending))),
    ]
    body = {"widgets": [_widget(number, graph, stack_context.region) for number, graph in enumerate(graphs)]}
    properties = {"DashboardBody": stack_context.stack.to_json_string(body)}
    return CfnResource(scope, construct_id, type="AWS::CloudWatch::Dashboard", properties=properties)


def _api_dimensions(api: str) -> dict[str, str]:
    """Names a REST API as API Gateway's metrics do: by its name, not by its id.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html
    """
    return {"ApiName": api, "Stage": STAGE}


def _api_graphs(api: str) -> Iterable[dict[str, Any]]:
    metric = _metrics("AWS/ApiGateway", _api_dimensions(api))
    calls = [("Count", "calls"), ("4XXError", "4xx"), ("5XXError", "5xx")]
    yield _graph("Calls a minute", [metric(name, label, "Sum") for name, label in calls])
    latencies = [metric("Latency", "median", "p50"), metric("Latency", "95 %", "p95")]
    yield _graph("Milliseconds, from the API", latencies)


def _model_graphs(endpoints: Mapping[str, str]) -> Iterable[dict[str, Any]]:
    """Yields graphs with one line per model; none without models.

    Source: https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html
    """
    if not endpoints:
        return
    metrics = {
        label: _metrics("AWS/SageMaker", {"EndpointName": name, "VariantName": VARIANT})
        for label, name in endpoints.items()
    }
    calls = [metric("Invocations", label, "Sum") for label, metric in metrics.items()]
    yield _graph("Calls a minute, by model", calls)
    latencies = [metric("ModelLatency", label, "p95") for label, metric in metrics.items()]
    yield _graph("Microseconds, 95 %, by model", latencies)
    errors = [
        metric(f"Invocation{kind}Errors", f"{label} {kind[0]}xx", "Sum")
        for label, metric in metrics.items()
        for kind in ("4XX", "5XX")
    ]
    yield _graph("Errors a minute, by model", errors)


def _function_graphs(functions: Mapping[str, str]) -> Iterable[dict[str, Any]]:
    """Yields graphs with one line per function; none without functions.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
    """
    if not functions:
        return
    metrics = {label: _metrics("AWS/Lambda", {"FunctionName": name}) for label, name in functions.items()}
    errors = [
        metric(name, f"{label} {word}", "Sum")
        for label, metric in metrics.items()
        for name, word in (("Errors", "errors"), ("Throttles", "throttled"))
    ]
    yield _graph("Errors a minute, by function", errors)
    durations = [metric("Duration", label, "p95") for label, metric in metrics.items()]
    yield _graph("Milliseconds, 95 %, by function", durations)


def _spending_graphs(function: str) -> Iterable[dict[str, Any]]:
    """Yields graphs with one line per team, of the metrics in the log of a function (spent_metrics.mjs).

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/search-expression-syntax.html
    """
    for metric, title in (
        ("Tokens", "Tokens a minute, by team"),
        ("UsDollars", "US dollars a minute, by team"),
    ):
        found = f'{{CentralizedMlApi,FunctionName,Team}} MetricName="{metric}" FunctionName="{function}"'
        line = {"expression": f"SEARCH('{found}', 'Sum')", "label": "${PROP('Dim.Team')}"}
        yield _graph(title, [[line]])


def _name_function(arn: str) -> str:
    return Fn.select(6, Fn.split(":", arn))


def _metrics(namespace: str, dimensions: Mapping[str, str]) -> Callable[[str, str, str], Metric]:
    """Returns a function that builds a metric from its name, its label and its statistic."""
    named = [part for pair in dimensions.items() for part in pair]
    return lambda metric, label, statistic: [namespace, metric, *named, {"label": label, "stat": statistic}]


def _graph(title: str, metrics: list[Metric]) -> dict[str, Any]:
    return {"title": title, "metrics": metrics, "period": _MINUTE, "view": "timeSeries", "yAxis": _FROM_ZERO}


def _widget(number: int, graph: dict[str, Any], region: str) -> dict[str, Any]:
    row, column = divmod(number, _COLUMNS)
    position = {"x": column * _WIDTH, "y": row * _HEIGHT, "width": _WIDTH, "height": _HEIGHT}
    return {"type": "metric", **position, "properties": {**graph, "region": region}}


class Alarms(Construct):
    """Alarms that tell a topic when they begin and when they end."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        alarms: Iterable[AlarmPlan],
        topic: CfnResource,
        stack_context: StackContext,
    ) -> None:
        super().__init__(scope, construct_id)
        for alarm in alarms:
            properties = _alarm(alarm, stack_context.stack_name, topic.ref)
            CfnResource(self, alarm.id, type="AWS::CloudWatch::Alarm", properties=properties)


def _alarm(alarm: AlarmPlan, api: str, topic: str) -> dict[str, Any]:
    return {
        "AlarmDescription": alarm.says,
        **_alarm_metric(alarm, api),
        "Period": _MINUTE,
        "EvaluationPeriods": alarm.minutes,
        "ComparisonOperator": "GreaterThanThreshold",
        "Threshold": alarm.threshold,
        "TreatMissingData": "notBreaching",  # nobody calls
        "AlarmActions": [topic],
        "OKActions": [topic],
    }


def _alarm_metric(alarm: AlarmPlan, api: str) -> dict[str, Any]:
    """Builds the metric; percentiles have a property of their own."""
    kind = "ExtendedStatistic" if alarm.statistic.startswith("p") else "Statistic"
    named = {"MetricName": alarm.metric, kind: alarm.statistic}
    if alarm.of == "functions":
        return {"Namespace": "AWS/Lambda", **named}
    dimensions = [{"Name": name, "Value": value} for name, value in _api_dimensions(api).items()]
    return {"Namespace": "AWS/ApiGateway", "Dimensions": dimensions, **named}

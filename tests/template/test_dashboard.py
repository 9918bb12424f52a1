"""What an organizer sees on AWS and is told of; both only when there is an event."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.plan.aws.event import MOST_SHOWN
from support.linting import lint_template
from support.synthesis import REGION, STACK, build_test_plan, function, model, package

if TYPE_CHECKING:
    from pathlib import Path

    from centralized_ml_api.plan.aws.nested_stacks import TemplateSize
    from support.synthesis import Deploys, Template

BUDGET = {"usd": 100, "email": "you@example.com"}
ALARM, DASHBOARD = "AWS::CloudWatch::Alarm", "AWS::CloudWatch::Dashboard"
STREAMED: dict[str, Any] = {"speaks": "openai-chat", "integration": {"type": "stream"}}


@pytest.fixture
def monitored(template_of: Deploys) -> Template:
    return template_of(
        model("direct"), model("through", integration=function()), event={"budget": BUDGET, "teams": ["red"]}
    )


def body_of(template: Template) -> dict[str, Any]:
    """The dashboard, with what only CloudFormation knows as `<Logical.Attribute>`."""
    written = template.only(DASHBOARD)["DashboardBody"]
    joined = written["Fn::Join"][1] if isinstance(written, dict) else [written]
    body: dict[str, Any] = json.loads(
        "".join(item if isinstance(item, str) else render(item) for item in joined)
    )
    return body


def render(value: Any) -> str:
    if "Fn::GetAtt" in value:
        return f"<{'.'.join(value['Fn::GetAtt'])}>"
    if "Fn::Select" in value:
        index, split = value["Fn::Select"]
        return f"{render(split['Fn::Split'][1])}[{index}]"
    return f"<{value['Ref']}>"


def metrics_of(template: Template) -> list[list[Any]]:
    return [metric for widget in body_of(template)["widgets"] for metric in widget["properties"]["metrics"]]


def test_without_an_event_nothing_watches_and_nothing_costs(template_of: Deploys) -> None:
    for event in ({}, {"requests_per_second": 5}):
        template = template_of(model(), event=event)
        for kind in (ALARM, DASHBOARD, "AWS::SNS::Topic"):
            assert not template.of_type(kind), event


@pytest.mark.parametrize("event", [{"teams": ["red"]}, {"ends": "2040-06-01T18:00:00+02:00"}])
def test_an_event_has_graphs_and_without_an_email_no_alarms(
    template_of: Deploys, event: dict[str, Any]
) -> None:
    template = template_of(model(), event=event)
    assert template.of_type(DASHBOARD)
    assert not template.of_type(ALARM)
    assert "DashboardUrl" in template.document["Outputs"]


def test_the_graphs_show_this_api_every_model_and_every_function(monitored: Template) -> None:
    shown = [(metric[0], metric[1], tuple(metric[2:-1])) for metric in metrics_of(monitored)]
    api = ("ApiName", STACK, "Stage", "prod")
    for name in ("Count", "4XXError", "5XXError", "Latency"):
        assert ("AWS/ApiGateway", name, api) in shown
    for name in ("Invocations", "ModelLatency", "Invocation4XXErrors", "Invocation5XXErrors"):
        of = [dimensions for namespace, metric, dimensions in shown if metric == name]
        assert len(of) == 2, name
        for dimensions in of:
            assert re.fullmatch(r"<\w+\.EndpointName>", dimensions[1])
            assert dimensions[2:] == ("VariantName", "AllTraffic")
    for name in ("Errors", "Throttles", "Duration"):
        (dimensions,) = [dimensions for _, metric, dimensions in shown if metric == name]
        assert dimensions[0] == "FunctionName"
        assert dimensions[1].endswith(".Arn>[6]")


def test_what_teams_spend_is_drawn_where_it_is_counted(template_of: Deploys, tmp_path: Path) -> None:
    def build(event: dict[str, Any]) -> tuple[list[Any], int]:
        template = template_of(package(**STREAMED), event=event)
        metrics = [metric for metric in metrics_of(template) if "expression" in metric[0]]
        return [metric[0]["expression"] for metric in metrics], len(json.dumps(template.only(DASHBOARD)))

    searched, counted = build({"teams": ["red"], "tokens_per_day": 10**6})
    assert len(searched) == 2
    for metric, expression in zip(("Tokens", "UsDollars"), searched, strict=True):
        schema = "{CentralizedMlApi,FunctionName,Team}"
        pattern = rf"""SEARCH\('{schema} MetricName="{metric}" FunctionName="<\w+\.Arn>\[6\]"', 'Sum'\)"""
        assert re.fullmatch(pattern, expression)
    nothing, uncounted = build({"teams": ["red"]})
    assert nothing == []
    plan = build_test_plan(
        {"models": [package(**STREAMED)], "event": {"teams": ["red"], "tokens_per_day": 10**6}}, tmp_path
    ).dashboard
    assert plan
    assert counted - uncounted <= plan.size.characters - replace(plan, counts=False).size.characters


def test_the_api_has_the_name_that_its_metrics_are_asked_for(monitored: Template) -> None:
    assert monitored.only("AWS::ApiGateway::RestApi")["Name"] == STACK


def test_no_graph_covers_another(monitored: Template) -> None:
    taken: set[tuple[int, int]] = set()
    for widget in body_of(monitored)["widgets"]:
        cells = {
            (widget["x"] + x, widget["y"] + y)
            for x in range(widget["width"])
            for y in range(widget["height"])
        }
        assert not cells & taken
        assert max(x for x, _ in cells) < 24
        taken |= cells
    assert taken


def test_alarms_go_to_the_budgets_address_and_say_when_it_is_over(monitored: Template) -> None:
    topic = {"Ref": monitored.id_of("AWS::SNS::Topic")}
    assert monitored.only("AWS::SNS::Topic")["Subscription"] == [
        {"Protocol": "email", "Endpoint": "you@example.com"}
    ]
    alarms = {alarm["MetricName"]: alarm for alarm in monitored.of_type(ALARM)}
    assert set(alarms) == {"5XXError", "Latency", "Throttles"}
    for alarm in alarms.values():
        assert alarm["AlarmActions"] == alarm["OKActions"] == [topic]
        assert alarm["TreatMissingData"] == "notBreaching", "nobody calls at night"
        assert "AlarmName" not in alarm
    assert alarms["5XXError"]["Dimensions"] == [
        {"Name": "ApiName", "Value": STACK},
        {"Name": "Stage", "Value": "prod"},
    ]
    assert alarms["Latency"]["ExtendedStatistic"] == "p95"


def test_streams_ring_no_alarm_of_latency_and_no_functions_none_of_throttles(template_of: Deploys) -> None:
    def rung(template: Template) -> set[str]:
        return {alarm["MetricName"] for alarm in template.of_type(ALARM)}

    assert rung(template_of(package(**STREAMED), event={"budget": BUDGET})) == {"5XXError", "Throttles"}
    assert rung(template_of(model(), event={"budget": BUDGET})) == {"5XXError", "Latency"}


def test_only_the_accounts_own_alarms_may_write_to_the_topic(monitored: Template) -> None:
    topic = {"Ref": monitored.id_of("AWS::SNS::Topic")}
    allowed, denied = monitored.only("AWS::SNS::TopicPolicy")["PolicyDocument"]["Statement"]
    assert (allowed["Principal"], allowed["Action"]) == (
        {"Service": "cloudwatch.amazonaws.com"},
        "sns:Publish",
    )
    assert allowed["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    assert (denied["Effect"], denied["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    assert allowed["Resource"] == denied["Resource"] == topic


@pytest.mark.slow
def test_cloudformation_would_take_it(monitored: Template) -> None:
    assert lint_template(monitored, REGION) == []


def test_of_many_models_the_first_are_shown(tmp_path: Path) -> None:
    models = [model(f"m{number}") for number in range(MOST_SHOWN + 1)]
    dashboard = build_test_plan({"models": models, "event": {"teams": ["red"]}}, tmp_path).dashboard
    assert dashboard
    assert dashboard.endpoints == tuple(each["name"] for each in models[:MOST_SHOWN])


def test_its_weight_covers_what_it_takes_of_the_stack(template_of: Deploys, tmp_path: Path) -> None:
    def added(count: int) -> int:
        models = [model(f"{'m' * 50}{number}", integration=function()) for number in range(count)]
        resources = template_of(*models, event={"budget": BUDGET}).document["Resources"].values()
        kinds = (ALARM, DASHBOARD, "AWS::SNS::Topic", "AWS::SNS::TopicPolicy")
        return sum(len(json.dumps(resource)) for resource in resources if resource["Type"] in kinds)

    def planned(count: int) -> TemplateSize:
        models = [model(f"m{number}", integration=function()) for number in range(count)]
        dashboard = build_test_plan({"models": models, "event": {"budget": BUDGET}}, tmp_path).dashboard
        assert dashboard
        return dashboard.size

    assert 0 < added(1) <= planned(1).characters
    assert 0 < added(9) - added(1) <= planned(9).characters - planned(1).characters

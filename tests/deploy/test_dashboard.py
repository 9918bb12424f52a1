"""The graphs and alarms of an event on the simulated AWS: there, changed in place, gone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.aws.clients import AwsClients
from centralized_ml_api.aws.deploy.leftovers import find_leftovers
from centralized_ml_api.aws.stack.deployed_stack import load_resources
from support.aws_inventory import count_leftovers
from support.deployment import STACK

if TYPE_CHECKING:
    from support.deployment import Deployment

pytestmark = pytest.mark.slow

ENTRY = {"name": "adopted", "integration": {"type": "api"}}


def config(email: str) -> dict[str, Any]:
    return {"models": [], "endpoints": [ENTRY], "event": {"budget": {"usd": 500, "email": email}}}


def test_the_life_of_graphs_and_alarms(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    deployment.deploy(config("you@example.com"))
    for name, value in deployment.aws.environment.items():
        monkeypatch.setenv(name, value)
    clients = AwsClients()
    cloudwatch, sns = deployment.aws.client("cloudwatch"), deployment.aws.client("sns")
    (name,) = dashboards(cloudwatch)
    body = json.loads(cloudwatch.get_dashboard(DashboardName=name)["DashboardBody"])
    shown = {tuple(metric[:4]) for widget in body["widgets"] for metric in widget["properties"]["metrics"]}
    assert ("AWS/ApiGateway", "5XXError", "ApiName", "CentralizedMlApiStack") in shown
    alarms = cloudwatch.describe_alarms()["MetricAlarms"]
    assert {alarm["MetricName"] for alarm in alarms} == {"5XXError", "Latency"}
    (topic,) = [each["TopicArn"] for each in sns.list_topics()["Topics"]]
    assert all(alarm["AlarmActions"] == [topic] for alarm in alarms)
    assert told(sns) == ["you@example.com"]
    resources = load_resources(clients.client("cloudformation"), STACK)
    left = [leftover.partition(" ")[0] for leftover in find_leftovers(clients, resources)]
    assert (left.count("dashboard"), left.count("alarm")) == (1, 2), "a destroy asks for what costs"
    deployment.deploy(config("other@example.com"))
    assert told(sns) == ["other@example.com"]
    assert "Nothing billed is left." in deployment.mlapi("destroy", "--yes").stdout
    assert find_leftovers(clients, resources) == []
    assert not dashboards(cloudwatch)
    assert not cloudwatch.describe_alarms()["MetricAlarms"]
    assert not sns.list_topics()["Topics"]
    assert count_leftovers(deployment.aws) == {}


def dashboards(cloudwatch: Any) -> list[str]:
    return [entry["DashboardName"] for entry in cloudwatch.list_dashboards()["DashboardEntries"]]


def told(sns: Any) -> list[str]:
    return [subscription["Endpoint"] for subscription in sns.list_subscriptions()["Subscriptions"]]

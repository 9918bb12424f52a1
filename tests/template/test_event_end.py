"""The end of an event: endpoints first, the stack until nothing is left of it, and a mail if it stays."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.aws.deploy.template_diff import creation_order, references
from centralized_ml_api.aws.stack.contract import STACK_TAG
from support.synthesis import STACK, build_test_plan, function, model, package, synthesize

if TYPE_CHECKING:
    from pathlib import Path

    from support.synthesis import Deploys, Resource, Template

ENDS = {"ends": "2030-06-01T18:00:00+02:00"}
BUDGET = {"budget": {"usd": 500, "email": "you@example.com"}}
SCALED = {"autoscaling": {"min_capacity": 1, "max_capacity": 2, "invocations_per_instance": 5}}
SCHEDULE, RULE = "AWS::Scheduler::Schedule", "AWS::Events::Rule"
ENDPOINT, API = "AWS::SageMaker::Endpoint", "AWS::ApiGateway::RestApi"


@pytest.fixture
def ending(template_of: Deploys) -> Template:
    """Two models, one of them scaled, with an end and somebody to tell."""
    return template_of(package("chat", **SCALED), model("plain"), event=ENDS | BUDGET)


def ids(template: Template, kind: str) -> set[str]:
    """The logical ids of a type."""
    return {name for name, resource in template.resources.items() if resource["Type"] == kind}


def schedules(template: Template, call: str) -> dict[str, Resource]:
    """The properties of the schedules that make this call, by their logical ids."""
    return {
        name: template.resources[name]["Properties"]
        for name in ids(template, SCHEDULE)
        if json.dumps(template.resources[name]["Properties"]["Target"]["Arn"]).endswith(f':{call}"]]}}')
    }


def statements(template: Template, schedule: Resource) -> list[dict[str, Any]]:
    """What the role of a schedule allows."""
    role = template.resources[schedule["Target"]["RoleArn"]["Fn::GetAtt"][0]]["Properties"]
    assert "ManagedPolicyArns" not in role
    (policy,) = role["Policies"]
    found: list[dict[str, Any]] = policy["PolicyDocument"]["Statement"]
    return found


def test_each_endpoint_is_deleted_at_the_end_and_the_stack_ten_minutes_later(ending: Template) -> None:
    deleting = schedules(ending, "sagemaker:deleteEndpoint")
    deleted = {name for schedule in deleting.values() for name in references(schedule["Target"]["Input"])}
    assert deleted == ids(ending, ENDPOINT)
    assert len(deleting) == 2
    for schedule in deleting.values():
        assert schedule["StartDate"] == "2030-06-01T16:00:00Z"
        assert schedule["ScheduleExpression"] == "rate(30 minutes)"
        assert '{\\"EndpointName\\":\\"' in json.dumps(schedule["Target"]["Input"])
    (stack,) = schedules(ending, "cloudformation:deleteStack").values()
    assert stack["StartDate"] == "2030-06-01T16:10:00Z"


def test_without_endpoints_of_its_own_the_stack_goes_at_the_end(template_of: Deploys) -> None:
    template = template_of(endpoints=[{"name": "theirs", "integration": {"type": "api"}}], event=ENDS)
    (stack,) = schedules(template, "cloudformation:deleteStack").values()
    assert stack["StartDate"] == "2030-06-01T16:00:00Z"
    assert ids(template, SCHEDULE) == set(schedules(template, "cloudformation:deleteStack"))


def test_a_call_that_fails_is_not_repeated_once_the_next_one_is_due(ending: Template) -> None:
    for schedule in ending.of_type(SCHEDULE):
        assert schedule["Target"]["RetryPolicy"] == {"MaximumEventAgeInSeconds": 30 * 60}


def test_the_role_that_deletes_endpoints_can_delete_those_of_this_stack_alone(ending: Template) -> None:
    own = {"StringEquals": {f"aws:ResourceTag/{STACK_TAG}": STACK}}
    for schedule in schedules(ending, "sagemaker:deleteEndpoint").values():
        deletes, deregisters = statements(ending, schedule)
        assert deletes["Action"] == "sagemaker:DeleteEndpoint"
        assert json.dumps(deletes["Resource"]).endswith(':endpoint/*"]]}')
        assert deregisters["Action"] == "application-autoscaling:DeregisterScalableTarget"
        assert json.dumps(deregisters["Resource"]).endswith(':scalable-target/*"]]}')
        assert deletes["Condition"] == deregisters["Condition"] == own


def test_without_scaling_that_role_can_deregister_nothing(template_of: Deploys) -> None:
    template = template_of(model(), event=ENDS)
    (schedule,) = schedules(template, "sagemaker:deleteEndpoint").values()
    assert [each["Action"] for each in statements(template, schedule)] == ["sagemaker:DeleteEndpoint"]


def test_what_deletes_endpoints_outlives_the_api(ending: Template) -> None:
    """CloudFormation deletes the API before its endpoints; where it will not go, they are still deleted."""
    (api,) = ids(ending, API)
    assert set(schedules(ending, "sagemaker:deleteEndpoint")) <= set(ending.resources[api]["DependsOn"])


def test_the_end_is_made_first_and_deleted_last(ending: Template) -> None:
    """CloudFormation deletes a resource after all that depend on it: what will not go keeps the schedule."""
    (schedule,) = schedules(ending, "cloudformation:deleteStack")
    order = creation_order(ending.resources)
    first = set(order[: order.index(schedule) + 1])
    kinds = ("AWS::SNS::Topic", "AWS::SNS::TopicPolicy", RULE)
    told = {name for kind in kinds for name in ids(ending, kind)}
    role = ending.resources[schedule]["Properties"]["Target"]["RoleArn"]["Fn::GetAtt"][0]
    assert first == {schedule, role} | told, "they tell of whatever will not go"
    for name in ending.resources.keys() - first:
        assert schedule in set(references(ending.resources[name])), f"{name} could go after the schedule"


def test_a_stack_that_could_not_be_deleted_is_told_by_mail(ending: Template) -> None:
    rule = ending.only(RULE)
    assert rule["EventPattern"] == {
        "source": ["aws.cloudformation"],
        "detail-type": ["CloudFormation Stack Status Change"],
        "detail": {"stack-id": [{"Ref": "AWS::StackId"}], "status-details": {"status": ["DELETE_FAILED"]}},
    }
    (target,) = rule["Targets"]
    topic = ending.only("AWS::SNS::Topic")
    assert target["Arn"] == {"Ref": next(iter(ids(ending, "AWS::SNS::Topic")))}
    assert topic["Subscription"] == [{"Protocol": "email", "Endpoint": "you@example.com"}]
    words = target["InputTransformer"]
    assert words["InputPathsMap"] == {"reason": "$.detail.status-details.status-reason"}
    text = json.loads(words["InputTemplate"])
    assert f"mlapi destroy --stack {STACK} --region us-east-1" in text
    assert "<reason>" in text


def test_only_that_rule_and_the_alarms_may_send_such_a_mail(ending: Template) -> None:
    alarms, rule, plain = ending.only("AWS::SNS::TopicPolicy")["PolicyDocument"]["Statement"]
    assert alarms["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert rule["Principal"] == {"Service": "events.amazonaws.com"}
    (name,) = ids(ending, RULE)
    assert rule["Condition"] == {"ArnEquals": {"aws:SourceArn": {"Fn::GetAtt": [name, "Arn"]}}}
    assert plain["Effect"] == "Deny"


@pytest.mark.parametrize("event", [ENDS, BUDGET], ids=["nobody to tell", "no end"])
def test_without_an_end_or_an_address_there_is_no_rule(template_of: Deploys, event: dict[str, Any]) -> None:
    template = template_of(model(), event=event)
    assert not ids(template, RULE)
    assert "events.amazonaws.com" not in json.dumps(template.document)


@pytest.mark.slow
def test_endpoints_in_nested_stacks_are_deleted_first_too(tmp_path: Path) -> None:
    models = [package(f"m{number}", integration=function()) for number in range(60)]
    plan = build_test_plan({"models": models, "event": ENDS | BUDGET}, tmp_path)
    template = synthesize(plan, tmp_path / "out")
    assert template.nested
    for document in [template.document, *template.nested.values()]:
        own = [each for each in document["Resources"].values() if each["Type"] == ENDPOINT]
        deleting = [
            each["Properties"]["Target"]["Input"]
            for each in document["Resources"].values()
            if each["Type"] == SCHEDULE
            and "EndpointName" in json.dumps(each["Properties"]["Target"]["Input"])
        ]
        assert len(deleting) == len(own), "beside its endpoint"

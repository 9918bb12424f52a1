"""What the event of a config becomes: keys, limits, an end, a budget."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import App

from centralized_ml_api.aws.constructs.stack import CentralizedMlApiStack
from centralized_ml_api.aws.deploy.template_diff import compare_templates, creation_order
from centralized_ml_api.aws.document.event import CACHE_SECONDS, is_public
from centralized_ml_api.aws.stack.contract import STACK_TAG, TEAM_TAG
from support.linting import lint_template
from support.moto_extension.key_order import check_order
from support.synthesis import (
    REGION,
    STACK,
    build_test_plan,
    container,
    function,
    model,
    package,
    synthesize,
)

if TYPE_CHECKING:
    from pathlib import Path

    from support.synthesis import Deploys, Template

RED = {"name": "red", "models": ["direct"], "requests_per_second": 2, "burst": 3, "requests_per_day": 100}
EVENT: dict[str, Any] = {
    "teams": [RED, "blue team"],
    "requests_per_second": 5,
    "starts": "2030-06-01T09:00:00+02:00",
    "ends": "2030-06-01T18:00:00+02:00",
    "budget": {"usd": 500, "email": "you@example.com"},
}
STREAMED = {"speaks": "openai-chat", "integration": {"type": "stream"}}
MAPPED = "gatewayresponse.header.x-event-ends"


@pytest.fixture
def event(template_of: Deploys) -> Template:
    """A template with all of an event."""
    return template_of(model("direct"), package("flow", **STREAMED), event=EVENT)


def operations(template: Template) -> dict[tuple[str, str], dict[str, Any]]:
    """Every method of every path."""
    paths = template.api["paths"]
    return {(path, method): operation for path, item in paths.items() for method, operation in item.items()}


def test_every_method_but_the_public_ones_asks_for_a_key(event: Template) -> None:
    found = operations(event)
    assert ("/direct", "post") in found
    assert ("/v1/models", "get") in found
    for (path, method), operation in found.items():
        if method == "options" or path in {"/", "/health"}:
            assert is_public(path, method)
            assert "security" not in operation, f"{method} {path} asks for a key"
        else:
            (authorizer,), (key,) = operation["security"]
            assert authorizer in {"PlainKey", "KeyOrBearer"}, f"{method} {path} has no authorizer"
            assert key == "api_key", f"{method} {path} asks for no key"


def test_a_plain_header_is_remembered_and_openais_clients_may_say_bearer(event: Template) -> None:
    schemes = {
        name: scheme["x-amazon-apigateway-authorizer"]
        for name, scheme in event.api["components"]["securitySchemes"].items()
        if name != "api_key"
    }
    (plain,) = operations(event)["/direct", "post"]["security"][0]
    (either,) = operations(event)["/v1/models", "get"]["security"][0]
    assert schemes[plain]["identitySource"] == "method.request.header.x-api-key"
    assert schemes[plain]["authorizerResultTtlInSeconds"] > 0
    assert schemes[either]["authorizerResultTtlInSeconds"] == 0
    assert event.api["x-amazon-apigateway-api-key-source"] == "AUTHORIZER"


def test_the_function_of_keys_knows_the_start_and_says_why_it_refuses_one(event: Template) -> None:
    (told,) = [
        json.loads(variables["WORDS"])
        for function in event.of_type("AWS::Lambda::Function")
        if "WORDS" in (variables := function.get("Environment", {}).get("Variables", {}))
    ]
    assert (told["at"], told["before"]["code"]) == ("2030-06-01T07:00:00Z", "event_not_started")
    denied = event.api["x-amazon-apigateway-gateway-responses"]["ACCESS_DENIED"]
    (body,) = denied["responseTemplates"].values()
    error = json.loads(body)["error"]
    assert error["code"] == "$context.authorizer.code"
    assert error["message"] == "$context.authorizer.message"
    assert event.document["Outputs"]["EventStarts"]["Value"] == "2030-06-01T07:00:00Z"
    (plain,) = operations(event)["/direct", "post"]["security"][0]
    remembered = event.api["components"]["securitySchemes"][plain]["x-amazon-apigateway-authorizer"]
    assert remembered["authorizerResultTtlInSeconds"] == CACHE_SECONDS


def test_what_only_api_gateway_can_refuse_the_function_of_keys_knows(template_of: Deploys) -> None:
    """The entries that API Gateway calls itself: others are paused by the function that streams."""
    direct = template_of(model("direct"), event={"teams": ["red"]})
    streamed = template_of(model("direct"), event={"teams": [{"name": "red", "tokens_per_minute": 9}]})
    told = [
        variables
        for template in (direct, streamed)
        for function in template.of_type("AWS::Lambda::Function")
        if "PAUSED" in (variables := function.get("Environment", {}).get("Variables", {}))
    ]
    assert [variables["PAUSED"] for variables in told] == ["{}", "{}"]
    assert [variables.get("DIRECT") for variables in told] == ["direct", None]
    assert ["WORDS" in variables for variables in told] == [True, False]
    says_why = [
        "$context.authorizer" in json.dumps(template.api["x-amazon-apigateway-gateway-responses"])
        for template in (direct, streamed)
    ]
    assert says_why == [True, False]


def test_a_key_that_nobody_has_is_401_like_none(event: Template) -> None:
    responses = event.api["x-amazon-apigateway-gateway-responses"]
    assert responses["INVALID_API_KEY"]["statusCode"] == responses["UNAUTHORIZED"]["statusCode"] == "401"


def test_each_team_has_a_key_without_a_value_and_its_limits(event: Template) -> None:
    red, blue = event.of_type("AWS::ApiGateway::UsagePlan")
    assert (red["UsagePlanName"], blue["UsagePlanName"]) == ("red", "blue team")
    assert red["Throttle"] == {"RateLimit": 2, "BurstLimit": 3}
    assert red["Quota"] == {"Limit": 100, "Period": "DAY"}
    assert blue["Throttle"] == {"RateLimit": 5, "BurstLimit": 10}
    assert "Quota" not in blue
    for key in event.of_type("AWS::ApiGateway::ApiKey"):
        assert "Value" not in key, "no template holds a key"
        assert {"Key": STACK_TAG, "Value": STACK} in key["Tags"]
    assert len(event.of_type("AWS::ApiGateway::UsagePlanKey")) == 2


TWENTY = [f"team {number:02}" for number in range(20)]


def test_api_gateway_is_asked_for_one_team_after_another(template_of: Deploys) -> None:
    """It refuses a second CreateUsagePlanKey meanwhile, and changes one usage plan every 20 seconds."""
    template = template_of(model(), event={"teams": TWENTY})
    check_order(template.resources, list(template.resources), list(template.resources))
    order = [name for name in creation_order(template.resources) if "Teams" in name]
    assert [type_of(template, name) for name in order] == ["ApiKey", "UsagePlan", "UsagePlanKey"] * 20


def type_of(template: Template, logical_id: str) -> str:
    """The last part of the type of a resource."""
    kind: str = template.resources[logical_id]["Type"]
    return kind.rpartition("::")[2]


@pytest.mark.parametrize("where", [0, 10, 20])
def test_a_team_that_comes_or_goes_changes_no_other_one(template_of: Deploys, where: int) -> None:
    before = template_of(model(), event={"teams": TWENTY})
    more = [*TWENTY[:where], "new", *TWENTY[where:]]
    after = template_of(model(), event={"teams": more})
    for old, new, action in ((before, after, "add"), (after, before, "remove")):
        changes = compare_templates(old.document, new.document)
        own = [change for change in changes if "Teamsnew" in change.logical_id]
        assert [change.action for change in own] == [action] * 3
        (limits,) = [change for change in changes if change not in own]
        assert (limits.type, limits.because) == ("AWS::ApiGateway::Stage", ("MethodSettings",))


def test_the_function_of_keys_may_only_list_keys(event: Template) -> None:
    allowed = [
        statement
        for role in event.of_type("AWS::IAM::Role")
        for policy in role.get("Policies", [])
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Action"] == "apigateway:GET"
    ]
    (statement,) = allowed
    assert json.dumps(statement["Resource"]).endswith(':apigateway:us-east-1::/apikeys"]]}')


def test_the_ids_of_the_keys_are_told(event: Template) -> None:
    told = json.dumps(event.document["Outputs"]["TeamKeyIds"])
    keys = [
        name for name, resource in event.resources.items() if resource["Type"] == "AWS::ApiGateway::ApiKey"
    ]
    assert len(keys) == 2
    assert all(key in told for key in keys)


def test_the_function_of_keys_knows_what_a_team_may_not_call(event: Template) -> None:
    (function,) = [
        each
        for each in event.of_type("AWS::Lambda::Function")
        if "REFUSED" in each["Environment"]["Variables"]
    ]
    variables = function["Environment"]["Variables"]
    assert json.loads(variables["REFUSED"]) == {"red": ["flow"]}
    assert json.loads(variables["OWN_TAG"]) == [STACK_TAG, STACK]
    assert variables["TEAM_TAG"] == TEAM_TAG


def test_without_lists_the_function_of_keys_may_look_nothing_up(template_of: Deploys) -> None:
    template = template_of(model(), event={"teams": ["red"]})
    assert "apigateway:GET" not in json.dumps(template.of_type("AWS::IAM::Role"))


def stack_schedule(event: Template) -> dict[str, Any]:
    """The one that deletes the stack; the others delete endpoints."""
    (found,) = [
        schedule
        for schedule in event.of_type("AWS::Scheduler::Schedule")
        if "StackName" in schedule["Target"]["Input"]
    ]
    return found


def test_the_role_of_the_end_can_delete_this_stack_and_do_nothing_else(event: Template) -> None:
    schedule = stack_schedule(event)
    role = event.resources[schedule["Target"]["RoleArn"]["Fn::GetAtt"][0]]["Properties"]
    (policy,) = role["Policies"]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement == {
        "Action": "cloudformation:DeleteStack",
        "Effect": "Allow",
        "Resource": {"Ref": "AWS::StackId"},
    }
    assert "ManagedPolicyArns" not in role
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "scheduler.amazonaws.com"}
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_the_end_is_one_call_of_delete_stack_in_utc(event: Template) -> None:
    schedule = stack_schedule(event)
    assert schedule["ScheduleExpression"] == "rate(30 minutes)", "until nothing is left"
    assert schedule["StartDate"] == "2030-06-01T16:10:00Z", "once the endpoints had time to go"
    assert schedule["ScheduleExpressionTimezone"] == "UTC"
    assert schedule["FlexibleTimeWindow"] == {"Mode": "OFF"}
    assert json.dumps(schedule["Target"]["Arn"]).endswith(
        ':scheduler:::aws-sdk:cloudformation:deleteStack"]]}'
    )
    assert json.loads(schedule["Target"]["Input"]) == {"StackName": STACK}


def test_every_answer_of_api_gateway_says_when_the_event_ends(event: Template) -> None:
    for kind, response in event.api["x-amazon-apigateway-gateway-responses"].items():
        assert response["responseParameters"][MAPPED] == "'2030-06-01T16:00:00Z'", kind
    for where, operation in operations(event).items():
        integration = operation["x-amazon-apigateway-integration"]
        for pattern, answer in integration.get("responses", {}).items():
            assert "x-event-ends" in json.dumps(answer), f"{where} {pattern}"


def test_the_budget_counts_this_stack_and_warns_before_and_ahead(event: Template) -> None:
    budget = event.only("AWS::Budgets::Budget")
    assert budget["Budget"]["BudgetLimit"] == {"Amount": 500, "Unit": "USD"}
    assert budget["Budget"]["CostFilters"] == {"TagKeyValue": [f"user:{STACK_TAG}${STACK}"]}
    warnings = [warning["Notification"] for warning in budget["NotificationsWithSubscribers"]]
    assert [(warning["NotificationType"], warning["Threshold"]) for warning in warnings] == [
        ("ACTUAL", 80),
        ("FORECASTED", 100),
    ]
    for notification in budget["NotificationsWithSubscribers"]:
        assert notification["Subscribers"] == [{"SubscriptionType": "EMAIL", "Address": "you@example.com"}]


def test_a_role_that_ends_keys_can_change_those_of_this_stack_alone(event: Template) -> None:
    output = event.document["Outputs"]["KeyEndsRole"]["Value"]["Fn::GetAtt"][0]
    (policy,) = event.resources[output]["Properties"]["Policies"]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Action"] == "apigateway:PATCH"
    assert statement["Condition"] == {"StringEquals": {f"aws:ResourceTag/{STACK_TAG}": STACK}}


@pytest.mark.slow
def test_an_event_is_clean(event: Template) -> None:
    assert lint_template(event, REGION) == []


def test_everything_in_the_stack_has_its_tag(tmp_path: Path) -> None:
    """CloudFormation gives the tags of a stack to all that it makes, nested stacks included."""
    plan = build_test_plan({"models": [model()]}, tmp_path)
    stack = CentralizedMlApiStack(App(outdir=str(tmp_path / "out")), STACK, plan=plan)
    assert stack.tags.tag_values() == {STACK_TAG: STACK}


@pytest.mark.slow
@pytest.mark.parametrize("region", ["eu-central-1", "cn-north-1"])
def test_other_regions_and_partitions_are_clean(tmp_path: Path, region: str) -> None:
    event = {key: value for key, value in EVENT.items() if key != "budget"}
    models = [container("direct", region), model("f", integration=function())]
    template = synthesize(
        build_test_plan({"models": models, "event": event}, tmp_path, region=region), tmp_path / "out"
    )
    assert lint_template(template, region) == []
    assert "arn:aws:" not in json.dumps(template.document)
    assert region in json.dumps(template.api)


def test_without_an_event_there_is_nothing_of_it(template_of: Deploys) -> None:
    text = json.dumps(template_of(model()).document)
    for word in ("ApiKey", "UsagePlan", "Scheduler", "Budgets", "securitySchemes", "x-event-ends"):
        assert word not in text, word

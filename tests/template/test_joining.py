"""Joining: a key for each place, one table, one function that may read these keys alone, a public path."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.aws.document.integrations import ANY_METHOD
from centralized_ml_api.aws.stack.contract import STACK_TAG, TEAM_TAG
from support.linting import lint_template
from support.synthesis import REGION, STACK, container

if TYPE_CHECKING:
    from support.synthesis import Deploys, Template

INTEGRATION = "x-amazon-apigateway-integration"
FREE = {"input_per_million": 0, "output_per_million": 0}
CODE = "HERON-4217"
JOIN = {"teams": 3, "code": CODE, "until": "2030-06-01T11:00:00+02:00", "limits": {"requests_per_day": 100}}
EVENT = {"teams": ["red"], "join": JOIN, "requests_per_second": 5}


@pytest.fixture
def template(template_of: Deploys) -> Template:
    return template_of(container(price=FREE), event=EVENT)


def keys_of(template: Template) -> dict[str, dict[str, Any]]:
    """The keys by their names, each with its logical id."""
    return {
        resource["Properties"]["Name"]: {"id": name, **resource}
        for name, resource in template.resources.items()
        if resource["Type"] == "AWS::ApiGateway::ApiKey"
    }


def function_of(template: Template) -> dict[str, Any]:
    (found,) = (
        function
        for function in template.of_type("AWS::Lambda::Function")
        if "KEY_IDS" in function["Environment"]["Variables"]
    )
    return found


def test_each_place_has_a_key_with_the_tags_by_which_it_is_known(template: Template) -> None:
    keys = keys_of(template)
    assert [*keys] == ["place:1", "place:2", "place:3", "red"]
    for name, key in keys.items():
        tags = {tag["Key"]: tag["Value"] for tag in key["Properties"]["Tags"]}
        assert (tags[STACK_TAG], tags[TEAM_TAG]) == (STACK, name)
        assert "Value" not in key["Properties"]


def test_all_places_have_one_plan_with_the_limits_of_those_who_join(template: Template) -> None:
    plans = {plan["UsagePlanName"]: plan for plan in template.of_type("AWS::ApiGateway::UsagePlan")}
    assert [*plans] == ["(places)", "red"]
    assert plans["(places)"]["Quota"] == {"Limit": 100, "Period": "DAY"}
    assert plans["(places)"]["Throttle"] == {"RateLimit": 5, "BurstLimit": 10}
    assert "Quota" not in plans["red"]


def test_keys_are_made_and_put_into_plans_one_after_another(template: Template) -> None:
    """API Gateway refuses a second `CreateUsagePlanKey` while one is under way."""
    resources = template.resources
    joined = [name for name, each in resources.items() if each["Type"] == "AWS::ApiGateway::UsagePlanKey"]
    *places, red = joined
    assert [[one for one in resources[name].get("DependsOn", []) if one in joined] for name in places] == [
        [red],
        [places[0]],
        [places[1]],
    ]
    first, second, third = (key["id"] for name, key in keys_of(template).items() if name != "red")
    assert [resources[name].get("DependsOn") for name in (first, second, third)] == [None, [first], [second]]


def test_the_function_knows_the_ids_of_the_keys_in_the_order_of_the_places(template: Template) -> None:
    variables = function_of(template)["Environment"]["Variables"]
    ids = [key["id"] for name, key in keys_of(template).items() if name != "red"]
    parts = variables["KEY_IDS"]["Fn::Join"][1]
    assert [part["Ref"] for part in parts if part != ","] == ids
    table = template.id_of("AWS::DynamoDB::Table")
    assert variables["TABLE"] == {"Ref": table}
    assert variables["UNTIL"] == "2030-06-01T09:00:00Z"
    told = json.dumps(template.document["Outputs"]["Joining"]["Value"])
    assert table in told
    assert "HERON" not in told


def test_its_role_may_read_the_keys_of_places_and_change_one_table_and_nothing_else(
    template: Template,
) -> None:
    (role,) = (
        role
        for role in template.of_type("AWS::IAM::Role")
        if role.get("Description") == "The function that lets teams join"
    )
    ((policy),) = role["Policies"]
    log, table, keys = policy["PolicyDocument"]["Statement"]
    assert log["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]
    assert table == {
        "Action": ["dynamodb:GetItem", "dynamodb:UpdateItem"],
        "Effect": "Allow",
        "Resource": {"Fn::GetAtt": [template.id_of("AWS::DynamoDB::Table"), "Arn"]},
    }
    assert (keys["Action"], keys["Effect"]) == ("apigateway:GET", "Allow")
    assert json.dumps(keys["Resource"]).endswith('::/apikeys/*"]]}')
    assert keys["Condition"] == {
        "StringEquals": {f"aws:ResourceTag/{STACK_TAG}": STACK},
        "StringLike": {f"aws:ResourceTag/{TEAM_TAG}": "place:*"},
    }


def test_the_path_needs_no_key_and_every_other_path_does(template: Template) -> None:
    paths = template.api["paths"]
    join = paths["/join"]
    assert {*join} == {"get", "head", "post", "options", ANY_METHOD}
    assert not [method for method, operation in join.items() if "security" in operation]
    assert function_id(join["post"][INTEGRATION]["uri"], template)
    assert paths["/a-container"]["post"]["security"]
    assert paths["/models"]["get"]["security"]


def function_id(uri: Any, template: Template) -> bool:
    """Whether an integration calls the function that lets teams join."""
    (name,) = (
        name for name, each in template.resources.items() if each.get("Properties") == function_of(template)
    )
    return name in json.dumps(uri)


def test_joining_has_a_rate_of_its_own_as_it_needs_no_key(template: Template) -> None:
    (stage,) = template.of_type("AWS::ApiGateway::Stage")
    _, joining = stage["MethodSettings"]
    assert joining == {
        "HttpMethod": "POST",
        "ResourcePath": "/~1join",
        "DataTraceEnabled": False,
        "ThrottlingRateLimit": 20,
        "ThrottlingBurstLimit": 100,
    }


def test_no_template_has_the_code(template: Template) -> None:
    assert CODE not in json.dumps(template.document)


def test_places_are_counted_like_teams_where_tokens_are_limited(template_of: Deploys) -> None:
    join = {"teams": 2, "limits": {"tokens_per_day": 1000, "models": ["a-container"]}}
    models = (container(price=FREE), container("other", price=FREE))
    template = template_of(*models, event={"join": join})
    (refused,) = (
        function["Environment"]["Variables"]
        for function in template.of_type("AWS::Lambda::Function")
        if "REFUSED" in function["Environment"]["Variables"]
    )
    assert json.loads(refused["REFUSED"]) == {"place:": ["other"]}
    assert refused["NAMES_TEAM"] == "yes"
    assert "/v1/usage" in template.api["paths"]
    tables = [name for name, each in template.resources.items() if each["Type"] == "AWS::DynamoDB::Table"]
    (joined,) = (name for name in tables if "Join" in name)
    (variables,) = (
        function["Environment"]["Variables"]
        for function in template.of_type("AWS::Lambda::Function")
        if function["Handler"] == "index.handler"
    )
    assert (len(tables), variables["JOIN_TABLE"]) == (2, {"Ref": joined})
    (role,) = (
        role
        for role in template.of_type("AWS::IAM::Role")
        if role.get("Description") == "The function that streams"
    )
    assert {
        "Action": "dynamodb:GetItem",
        "Effect": "Allow",
        "Resource": {"Fn::GetAtt": [joined, "Arn"]},
        "Condition": {
            "ForAllValues:StringEquals": {"dynamodb:Attributes": ["holder", "span", "names", "places"]},
            "StringEqualsIfExists": {"dynamodb:Select": "SPECIFIC_ATTRIBUTES"},
        },
    } in role["Policies"][0]["PolicyDocument"]["Statement"]


def test_who_joined_is_nobodys_to_read_where_nothing_is_counted(template: Template) -> None:
    assert "JOIN_TABLE" not in json.dumps(template.of_type("AWS::Lambda::Function"))
    (reader,) = (
        role["Description"]
        for role in template.of_type("AWS::IAM::Role")
        if "dynamodb" in json.dumps(role.get("Policies", []))
    )
    assert reader == "The function that lets teams join"


def test_without_places_there_is_none_of_it(template_of: Deploys) -> None:
    template = template_of(container(price=FREE), event={"teams": ["red"], "requests_per_second": 5})
    assert "/join" not in template.api["paths"]
    assert "Joining" not in template.document["Outputs"]
    assert template.of_type("AWS::DynamoDB::Table") == []
    assert [*keys_of(template)] == ["red"]


@pytest.mark.slow
def test_the_template_is_clean(template: Template) -> None:
    assert lint_template(template, REGION) == []

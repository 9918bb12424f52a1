"""Limits in tokens and dollars: one table, who may use it, and which calls pass by it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.aws.document.integrations import ANY_METHOD
from support.linting import lint_template
from support.synthesis import REGION, container, package

if TYPE_CHECKING:
    from support.synthesis import Deploys, Template

INTEGRATION = "x-amazon-apigateway-integration"
FREE = {"input_per_million": 0, "output_per_million": 0}
GPT = {
    "name": "gpt",
    "integration": {"type": "api"},
    "provider": {"name": "openai", "model": "gpt-5-mini", "key": {"secret": "mine"}},
}
EVENT = {"teams": ["red", {"name": "blue", "usd": 20}], "usd": 5, "pot": {"usd": 20}}


@pytest.fixture
def template(template_of: Deploys) -> Template:
    models = (package(price=FREE), container(price=FREE, speaks="openai-chat"))
    return template_of(*models, endpoints=[GPT], event=EVENT)


def function_of(template: Template, handler: str) -> dict[str, Any]:
    (found,) = (found for found in template.of_type("AWS::Lambda::Function") if found["Handler"] == handler)
    variables: dict[str, Any] = found["Environment"]["Variables"]
    return variables


def test_there_is_a_table_paid_by_use_that_forgets_and_goes_with_its_stack(template: Template) -> None:
    (table,) = (found for found in template.resources.values() if found["Type"] == "AWS::DynamoDB::Table")
    assert table["DeletionPolicy"] == "Delete"
    assert table["Properties"] == {
        "AttributeDefinitions": [
            {"AttributeName": "holder", "AttributeType": "S"},
            {"AttributeName": "span", "AttributeType": "S"},
        ],
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [
            {"AttributeName": "holder", "KeyType": "HASH"},
            {"AttributeName": "span", "KeyType": "RANGE"},
        ],
        "TimeToLiveSpecification": {"AttributeName": "expires_at", "Enabled": True},
    }


def test_one_role_may_change_and_read_its_items_and_nothing_else(template: Template) -> None:
    statements = [
        (role["Description"], statement)
        for role in template.of_type("AWS::IAM::Role")
        for policy in role.get("Policies", [])
        for statement in policy["PolicyDocument"]["Statement"]
        if "dynamodb" in str(statement["Action"])
    ]
    table = template.id_of("AWS::DynamoDB::Table")
    assert statements == [
        (
            "The function that streams",
            {
                "Action": ["dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:UpdateItem"],
                "Effect": "Allow",
                "Resource": {"Fn::GetAtt": [table, "Arn"]},
            },
        )
    ]
    assert function_of(template, "index.handler")["SPENDING_TABLE"] == {"Ref": table}


def test_all_calls_of_models_pass_the_function_that_counts(template: Template) -> None:
    paths = template.api["paths"]
    for path in ("/a-package", "/a-container", "/gpt", "/v1/chat/completions"):
        assert "response-streaming-invocations" in json.dumps(paths[path]["post"][INTEGRATION]["uri"]), path
    usage = paths["/v1/usage"]
    assert "response-streaming-invocations" in json.dumps(usage["get"][INTEGRATION]["uri"])
    assert usage["get"]["security"] == [{"KeyOrBearer": []}, {"api_key": []}]
    assert set(usage) == {"get", "options", ANY_METHOD}


def test_whose_key_it_is_is_known_at_every_call(template: Template) -> None:
    assert function_of(template, "index.lambda_handler")["NAMES_TEAM"] == "yes"
    assert "apigateway:GET" in json.dumps(template.of_type("AWS::IAM::Role"))


def test_without_such_limits_there_is_none_of_it(template_of: Deploys) -> None:
    template = template_of(package(price=FREE), event={"teams": ["red"], "requests_per_second": 5})
    assert template.of_type("AWS::DynamoDB::Table") == []
    assert "/v1/usage" not in template.api["paths"]
    assert "NAMES_TEAM" not in function_of(template, "index.lambda_handler")
    assert "SPENDING_TABLE" not in function_of(template, "index.handler")


@pytest.mark.slow
def test_the_template_is_clean(template: Template) -> None:
    assert lint_template(template, REGION) == []

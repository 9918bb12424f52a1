"""`aws.jobs`: what runs the calls of callers who do not wait, once, and where it keeps their answers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.aws.constructs.stream_function_code import load_stream_code
from centralized_ml_api.aws.document.integrations import ANY_METHOD
from centralized_ml_api.aws.stack.contract import KEY_FUNCTION
from support.linting import lint_template
from support.synthesis import REGION, container, function, model, package

if TYPE_CHECKING:
    from support.synthesis import Deploys, Template

INTEGRATION = "x-amazon-apigateway-integration"
EVENT = {"teams": ["red", "blue"], "ends": "2030-06-01T18:00:00+02:00"}
STREAMS = "index.handler"
RUNS = "job.handler"


@pytest.fixture
def template(template_of: Deploys) -> Template:
    models = (package(), container(speaks="openai-chat"), model("through", integration=function()))
    return template_of(*models, aws={"jobs": True}, event=EVENT)


def function_of(template: Template, handler: str) -> tuple[str, dict[str, Any]]:
    (found,) = (
        (name, resource)
        for name, resource in template.resources.items()
        if resource["Type"] == "AWS::Lambda::Function" and resource["Properties"]["Handler"] == handler
    )
    return found


def keeper_of(template: Template) -> str:
    """The function that admits callers."""
    (found,) = (
        name
        for name, resource in template.resources.items()
        if resource["Type"] == "AWS::Lambda::Function" and KEY_FUNCTION in name
    )
    return found


def test_the_function_that_runs_jobs_is_the_one_that_streams_by_another_handler(template: Template) -> None:
    _, streams = function_of(template, STREAMS)
    runner, runs = function_of(template, RUNS)
    same = ("Code", "Role", "Runtime", "MemorySize", "LoggingConfig", "Timeout")
    assert [runs["Properties"][name] for name in same] == [streams["Properties"][name] for name in same]
    assert runs["Properties"]["Timeout"] == 900
    variables = streams["Properties"]["Environment"]["Variables"]
    assert variables["JOB_FUNCTION"] == {"Ref": runner}
    own = {"JOB_FUNCTION", "EVENT_MESSAGE"}  # what organizers say goes with the answer to who asks for a job
    expected = {name: value for name, value in variables.items() if name not in own}
    assert runs["Properties"]["Environment"]["Variables"] == {
        **expected,
        "IDLE_SECONDS": "900",
        "AGAIN_SECONDS": "15",
        "KEY_FUNCTION": {"Ref": keeper_of(template)},
    }
    assert variables["EVENT_ENDS"] == "2030-06-01T16:00:00Z"


def test_lambda_runs_a_job_once_and_gives_up_one_that_waits_too_long(template: Template) -> None:
    runner, _ = function_of(template, RUNS)
    (name,) = (
        name
        for name, resource in template.resources.items()
        if resource["Type"] == "AWS::Lambda::EventInvokeConfig"
    )
    properties = template.resources[name]["Properties"]
    assert properties == {
        "FunctionName": {"Ref": runner},
        "Qualifier": "$LATEST",
        "MaximumRetryAttempts": 0,
        "MaximumEventAgeInSeconds": json.loads(load_stream_code()["jobs.json"])["queue_seconds"],
    }
    _, streams = function_of(template, STREAMS)
    assert name in streams["DependsOn"], "no job begins before that is settled"


def test_there_is_a_table_that_goes_with_its_stack(template: Template) -> None:
    (table,) = (found for found in template.resources.values() if found["Type"] == "AWS::DynamoDB::Table")
    assert table["DeletionPolicy"] == "Delete"
    assert table["Properties"]["BillingMode"] == "PAY_PER_REQUEST"
    assert table["Properties"]["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}


def test_one_role_may_keep_jobs_and_call_two_functions_and_nothing_else(template: Template) -> None:
    runner, runs = function_of(template, RUNS)
    keeper = keeper_of(template)
    (invoke,) = (
        policy
        for policy in template.of_type("AWS::IAM::Policy")
        if runner in json.dumps(policy["PolicyDocument"])
    )
    assert invoke["PolicyDocument"]["Statement"] == [
        {
            "Action": "lambda:InvokeFunction",
            "Effect": "Allow",
            "Resource": [{"Fn::GetAtt": [runner, "Arn"]}, {"Fn::GetAtt": [keeper, "Arn"]}],
        }
    ]
    role = runs["Properties"]["Role"]["Fn::GetAtt"][0]
    assert invoke["Roles"] == [{"Ref": role}]
    (statement,) = (
        statement
        for found in template.of_type("AWS::IAM::Role")
        for policy in found.get("Policies", [])
        for statement in policy["PolicyDocument"]["Statement"]
        if "dynamodb" in str(statement["Action"])
    )
    assert statement["Action"] == [
        "dynamodb:DeleteItem",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:Query",
        "dynamodb:UpdateItem",
    ]
    assert statement["Resource"] == {"Fn::GetAtt": [template.id_of("AWS::DynamoDB::Table"), "Arn"]}


def test_all_calls_pass_the_function_but_those_of_functions(template: Template) -> None:
    paths = template.api["paths"]
    streaming = "response-streaming-invocations"
    for path in ("/a-package", "/a-container", "/v1/chat/completions"):
        assert streaming in json.dumps(paths[path]["post"][INTEGRATION]["uri"]), path
    assert streaming not in json.dumps(paths["/through"]["post"][INTEGRATION]["uri"])


def test_the_paths_of_jobs_need_a_key_and_refuse_other_methods(template: Template) -> None:
    paths = template.api["paths"]
    for path, methods in (("/v1/jobs", {"get", "head"}), ("/v1/jobs/{id}", {"get", "head", "delete"})):
        assert set(paths[path]) == {*methods, "options", ANY_METHOD}
        for method in methods:
            operation = paths[path][method]
            assert operation["security"] == [{"KeyOrBearer": []}, {"api_key": []}]
            assert "response-streaming-invocations" in json.dumps(operation[INTEGRATION]["uri"])
    assert "GET, HEAD, DELETE, OPTIONS" in json.dumps(paths["/v1/jobs/{id}"][ANY_METHOD])
    (parameter,) = paths["/v1/jobs/{id}"]["get"]["parameters"]
    assert (parameter["name"], parameter["in"], parameter["required"]) == ("id", "path", True)


def test_whose_key_it_is_is_known_at_every_call(template: Template) -> None:
    (authorizer,) = (
        variables
        for found in template.of_type("AWS::Lambda::Function")
        if "TEAM_TAG" in (variables := found["Environment"]["Variables"])
    )
    assert authorizer["NAMES_TEAM"] == "yes"


def test_without_it_there_is_none_of_it(template_of: Deploys) -> None:
    template = template_of(package(), event=EVENT)
    assert template.document == template_of(package(), event=EVENT, aws={"jobs": False}).document
    text = json.dumps(template.document)
    for part in ("/v1/jobs", "JOBS_TABLE", "EventInvokeConfig", "AWS::DynamoDB::Table", "NAMES_TEAM"):
        assert part not in text
    assert "runtime.sagemaker" in json.dumps(template.api["paths"]["/a-package"]["post"])


@pytest.mark.slow
def test_the_template_is_clean(template: Template) -> None:
    assert lint_template(template, REGION) == []

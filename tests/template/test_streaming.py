"""The function that streams, and the paths under `/v1`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.api.notices import LONGEST_WORDS
from centralized_ml_api.api.openai import ListedModel, build_model
from centralized_ml_api.aws.stack.contract import MESSAGE_VARIABLE
from support.api_gateway.templates import Context, render
from support.synthesis import build_facts, function, model, package

if TYPE_CHECKING:
    from support.synthesis import Deploys, Template

FUNCTION = "AWS::Lambda::Function"
INTEGRATION = "x-amazon-apigateway-integration"
ANY = "x-amazon-apigateway-any-method"
CHATS = build_facts(task="textgeneration")
STREAM = {"type": "stream", "headers": ["X-Amzn-SageMaker-Custom-Attributes"]}


def environment(template: Template) -> dict[str, Any]:
    found: dict[str, Any] = template.only(FUNCTION)["Environment"]["Variables"]
    return found


def joined(value: Any) -> str:
    """As CloudFormation would join it; what only it knows is `<attribute>`."""
    if isinstance(value, str):
        return value
    if "Fn::Join" in value:
        return "".join(joined(part) for part in value["Fn::Join"][1])
    return f"<{value['Fn::GetAtt'][1]}>" if "Fn::GetAtt" in value else "<ref>"


@pytest.mark.parametrize("path", ["/a-package", "/v1/chat/completions", "/v1/embeddings"])
def test_api_gateway_streams_what_the_function_answers(template_of: Deploys, path: str) -> None:
    template = template_of(
        package(integration=STREAM, speaks="openai-chat"), package("e", speaks="openai-embeddings")
    )
    integration = template.api["paths"][path]["post"][INTEGRATION]
    assert (integration["type"], integration["httpMethod"]) == ("aws_proxy", "POST")
    assert integration["responseTransferMode"] == "STREAM"
    assert integration["timeoutInMillis"] == 900_000
    uri = joined(integration["uri"])
    assert uri.startswith("arn:<ref>:apigateway:")
    assert uri.endswith(":lambda:path/2021-11-15/functions/<Arn>/response-streaming-invocations")


def test_the_function_is_there_once_and_runs_as_long_as_a_stream_may(template_of: Deploys) -> None:
    found = template_of(package(integration=STREAM), package("b", speaks="openai-chat")).only(FUNCTION)
    assert (found["Runtime"], found["Handler"], found["Timeout"]) == ("nodejs24.x", "index.handler", 900)


def test_without_anything_that_streams_it_tells_of_health_alone(template_of: Deploys) -> None:
    template = template_of(model())
    assert json.loads(joined(environment(template)["MODELS"])) == {"a-model": {"endpoint": "<EndpointName>"}}
    assert not [path for path in template.api["paths"] if path.startswith("/v1")]


def test_the_function_knows_its_models_by_their_endpoints(template_of: Deploys) -> None:
    template = template_of(package(integration=STREAM), model("chats"), facts=CHATS)
    variables = environment(template)
    assert json.loads(joined(variables["MODELS"])) == {
        "a-package": {"endpoint": "<EndpointName>", "headers": STREAM["headers"]},
        "chats": {"endpoint": "<EndpointName>", "speaks": "text-generation-inference"},
    }
    assert "MODEL_PARAMETERS" not in variables


LONGEST = {"Fn::GetAtt": 63, "Ref": 75}
"""How long AWS may make the name of an endpoint, and that of a table in a stack with a usual name."""


def longest(value: Any) -> Any:
    """A value of the template with names as long as AWS may make them."""
    if not isinstance(value, dict):
        return value
    ((kind, said),) = value.items()
    if kind == "Fn::Join":
        return "".join(longest(part) for part in said[1])
    return LONGEST[kind] * "x"


def test_as_many_models_as_are_in_the_environment_leave_room_for_a_message_and_all_else(
    template_of: Deploys,
) -> None:
    """As Lambda measures: https://github.com/github-aws-runners/terraform-aws-github-runner/issues/3594."""
    event = {
        "teams": [{"name": "red", "tokens_per_day": 1000}],
        "join": {"teams": 3},
        "ends": "2030-06-01T18:00:00Z",
    }
    for count in range(30, 0, -1):
        models = [package(f"m-{number:02}", speaks="openai-chat") for number in range(count)]
        template = template_of(*models, event=event, aws={"jobs": True})
        (variables,) = (
            found["Environment"]["Variables"]
            for found in template.of_type(FUNCTION)
            if MESSAGE_VARIABLE in found.get("Environment", {}).get("Variables", {})
        )
        if "MODELS" in variables:
            break
    assert {"MODELS", "SPENDING_TABLE", "JOIN_TABLE", "JOBS_TABLE", "JOB_FUNCTION", "EVENT_ENDS"} <= {
        *variables
    }
    measured = {name: longest(value) for name, value in variables.items()}
    measured[MESSAGE_VARIABLE] = json.dumps({"words": LONGEST_WORDS * "x", "at": "2030-06-01T12:00:00Z"})
    assert 3_500 < len(json.dumps(measured, separators=(",", ":"))) <= 4_096


def test_health_is_told_by_the_function(template_of: Deploys) -> None:
    item = template_of(model()).api["paths"]["/health"]
    for method in ("get", "head"):
        assert joined(item[method][INTEGRATION]["uri"]).endswith("/response-streaming-invocations")
    assert item["options"][INTEGRATION]["responses"]["default"]["statusCode"] == "204"
    assert item[ANY][INTEGRATION]["responses"]["default"]["statusCode"] == "405"


def test_its_role_may_call_what_streams_and_ask_about_the_others_and_nothing_else(
    template_of: Deploys,
) -> None:
    template = template_of(package(integration=STREAM), model("plain"))
    ((name, role),) = [
        (name, each["Properties"])
        for name, each in template.resources.items()
        if each["Type"] == "AWS::IAM::Role" and "lambda.amazonaws.com" in str(each)
    ]
    (own,) = role["Policies"][0]["PolicyDocument"]["Statement"]
    assert own["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]
    assert "ManagedPolicyArns" not in role
    managed = template.of_type("AWS::IAM::ManagedPolicy")
    policies = [policy for policy in managed if policy.get("Roles") == [{"Ref": name}]]
    (invoke,), (describe,) = (policy["PolicyDocument"]["Statement"] for policy in policies)
    assert invoke["Action"] == [
        "sagemaker:DescribeEndpoint",
        "sagemaker:InvokeEndpoint",
        "sagemaker:InvokeEndpointWithResponseStream",
    ]
    assert "apackage" in invoke["Resource"]["Ref"]
    assert describe["Action"] == "sagemaker:DescribeEndpoint"
    assert "plain" in describe["Resource"]["Ref"]


def test_the_api_may_call_the_function(template_of: Deploys) -> None:
    template = template_of(package(integration=STREAM))
    statements = [
        policy["PolicyDocument"]["Statement"][0] for policy in template.of_type("AWS::IAM::ManagedPolicy")
    ]
    (invoke,) = [statement for statement in statements if statement["Action"] == "lambda:InvokeFunction"]
    assert invoke["Resource"] == {"Fn::GetAtt": [template.id_of(FUNCTION), "Arn"]}


def test_more_models_than_an_environment_holds_are_in_parameters_that_the_role_may_read(
    template_of: Deploys,
) -> None:
    names = [f"model-{number}" for number in range(60)]
    template = template_of(*(package(name, speaks="openai-chat") for name in names))
    parameters = template.of_type("AWS::SSM::Parameter")
    rows = [json.loads(joined(parameter["Value"])) for parameter in parameters]
    assert [name for table in rows for name in table] == names
    assert "MODELS" not in environment(template)
    refs = {
        name for name, resource in template.resources.items() if resource["Type"] == "AWS::SSM::Parameter"
    }
    assert all(name in str(environment(template)["MODEL_PARAMETERS"]) for name in refs)
    (role,) = [
        each
        for each in template.of_type("AWS::IAM::Role")
        if "lambda.amazonaws.com" in str(each["AssumeRolePolicyDocument"])
    ]
    read = role["Policies"][0]["PolicyDocument"]["Statement"][1]
    assert read["Action"] == "ssm:GetParameters"
    assert all(joined(item).endswith(":parameter/<ref>") for item in read["Resource"])


def test_other_models_mean_a_new_environment(template_of: Deploys) -> None:
    """Instances of the function keep what they have read."""
    first, second = (
        environment(template_of(package(integration=STREAM, speaks=speaks)))["MODELS_VERSION"]
        for speaks in ("openai-chat", "text-inputs")
    )
    assert first != second


def test_the_models_of_v1_are_listed_by_api_gateway_itself(template_of: Deploys) -> None:
    template = template_of(
        package("e", speaks="openai-embeddings"), model(integration=function()), facts=CHATS
    )
    item = template.api["paths"]["/v1/models"]
    assert item["get"][INTEGRATION]["type"] == "mock"
    answer = item["get"][INTEGRATION]["responses"]["default"]
    text = answer["responseTemplates"]["application/json"]
    assert answer["statusCode"] == "200"
    for authorizer, names in (({}, ["a-model", "e"]), ({"refused": '["a-model"]'}, ["e"])):
        context = Context({"requestId": "the-request", "authorizer": authorizer})
        listed = json.loads(render(text, b"", context))
        assert [each["id"] for each in listed["data"]] == names
        assert [each["capabilities"]["chat"] for each in listed["data"]] == [name != "e" for name in names]
    refusal = item[ANY][INTEGRATION]["responses"]["default"]
    assert "GET, HEAD, OPTIONS" in refusal["responseTemplates"]["application/json"]


EMBEDS = {"chat": False, "embeddings": True, "tools": False, "vision": False}
SAYS_WORDS = {"chat": True, "embeddings": False, "tools": False, "vision": False}


@pytest.mark.parametrize(
    ("name", "can", "routes", "status"),
    [
        ("e", EMBEDS, ("/v1/embeddings",), None),
        ("a-model", SAYS_WORDS, ("/v1/chat/completions",), None),
        ("nobody", {}, (), 404),
        ("", {}, (), 404),
    ],
)
def test_one_model_is_told_by_the_end_of_the_path(
    template_of: Deploys, name: str, can: dict[str, bool], routes: tuple[str, ...], status: int | None
) -> None:
    template = template_of(package("e", speaks="openai-embeddings"), model(), facts=CHATS)
    answer = template.api["paths"]["/v1/models/{model}"]["get"][INTEGRATION]["responses"]["default"]
    context = Context({"path": f"/prod/v1/models/{name}", "requestId": "the-request"})
    told = json.loads(render(answer["responseTemplates"]["application/json"], b"", context))
    assert context.status == status
    assert (
        told == build_model(ListedModel(name, capabilities=can, routes=routes))
        if status is None
        else told["error"]["code"] == "model_not_found"
    )


def test_every_path_of_v1_has_a_preflight_and_a_405(template_of: Deploys) -> None:
    template = template_of(package(speaks="openai-chat"))
    for path in ("/v1/chat/completions", "/v1/models", "/v1/models/{model}"):
        item = template.api["paths"][path]
        assert item["options"][INTEGRATION]["responses"]["default"]["statusCode"] == "204"
        assert item[ANY][INTEGRATION]["responses"]["default"]["statusCode"] == "405"


def test_an_unknown_path_is_told_of_them(template_of: Deploys) -> None:
    template = template_of(package(speaks="openai-chat"))
    answer = template.api["x-amazon-apigateway-gateway-responses"]["MISSING_AUTHENTICATION_TOKEN"]
    message = json.loads(answer["responseTemplates"]["application/json"])["error"]["message"]
    assert message.endswith(
        "Available: POST /a-package, POST /v1/chat/completions, GET /v1/models, GET /, GET /models,"
        " GET /openapi.json, GET /health."
    )

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.api import error_shape
from centralized_ml_api.api.error_shape import ApiError
from support.synthesis import Template, function, model

if TYPE_CHECKING:
    from support.synthesis import Deploys

INTEGRATION = "x-amazon-apigateway-integration"
ANY = "x-amazon-apigateway-any-method"
GATEWAY = "x-amazon-apigateway-gateway-responses"


def post(template: Template, name: str = "a-model") -> dict[str, Any]:
    operation: dict[str, Any] = template.api["paths"][f"/{name}"]["post"]
    return operation


def error_in(template: str) -> dict[str, str]:
    """The error that a template without conditions answers."""
    body = template[template.index('{"error"') :]
    found: dict[str, str] = json.loads(body)["error"]
    return found


def overridden_headers(template: str) -> dict[str, str]:
    pattern = r'#set\(\$context\.responseOverride\.header\.([\w-]+)="?([^")]*)"?\)'
    return dict(re.findall(pattern, template))


def test_a_model_path_calls_its_endpoint_by_the_apis_own_role(template_of: Deploys) -> None:
    template = template_of(model())
    integration = post(template)[INTEGRATION]
    assert (integration["type"], integration["httpMethod"]) == ("aws", "POST")
    uri = integration["uri"]["Fn::Join"][1]
    assert uri[0].endswith(
        ":runtime.sagemaker:path/endpoints/"
    ) or "runtime.sagemaker:path/endpoints/" in str(uri)
    assert {"Fn::GetAtt": [template.id_of("AWS::SageMaker::Endpoint"), "EndpointName"]} in uri
    assert "ApiRole" in str(integration["credentials"])


def test_bodies_pass_as_they_are(template_of: Deploys) -> None:
    integration = post(template_of(model()))[INTEGRATION]
    assert "requestTemplates" not in integration
    assert "contentHandling" not in integration
    assert "responseTemplates" not in integration["responses"][r"2\d{2}"]


def test_content_type_accept_and_the_configured_headers_pass_and_no_others(template_of: Deploys) -> None:
    written = {"type": "api", "headers": ["X-Amzn-SageMaker-Custom-Attributes"]}
    operation = post(template_of(model(integration=written)))
    names = ["Content-Type", "Accept", "X-Amzn-SageMaker-Custom-Attributes"]
    assert operation[INTEGRATION]["requestParameters"] == {
        f"integration.request.header.{name}": f"method.request.header.{name}" for name in names
    }
    assert [(parameter["name"], parameter["required"]) for parameter in operation["parameters"]] == [
        (name, False) for name in names
    ]


def test_the_answer_keeps_its_content_type_and_custom_attributes(template_of: Deploys) -> None:
    mapped = post(template_of(model()))[INTEGRATION]["responses"][r"2\d{2}"]["responseParameters"]
    for name in ("Content-Type", "X-Amzn-SageMaker-Custom-Attributes"):
        assert mapped[f"method.response.header.{name}"] == f"integration.response.header.{name}"
    assert mapped["method.response.header.access-control-allow-origin"] == "'*'"
    assert mapped["method.response.header.x-request-id"] == "context.requestId"


def test_every_mapped_header_is_declared(template_of: Deploys) -> None:
    mapped_headers = 0
    for path in template_of(model(), model("b", integration=function())).api["paths"].values():
        for operation in path.values():
            for answer in operation[INTEGRATION].get("responses", {}).values():
                declared = operation["responses"][answer["statusCode"]].get("headers", {})
                mapped = answer.get("responseParameters", {})
                assert {item.removeprefix("method.response.header.") for item in mapped} <= set(declared)
                mapped_headers += len(mapped)
    assert mapped_headers


def test_a_status_belongs_to_one_pattern(template_of: Deploys) -> None:
    """API Gateway keeps one integration response a status."""
    answers = post(template_of(model()))[INTEGRATION]["responses"].values()
    statuses = [answer["statusCode"] for answer in answers]
    assert {"200", "400", "424", "500"} <= set(statuses)
    assert len(statuses) == len(set(statuses))


@pytest.mark.parametrize(
    ("status", "answered"),
    [("200", "200"), ("201", "200"), ("400", "400"), ("403", "502"), ("404", "502"), ("413", "413"),
     ("424", "424"), ("429", "429"), ("500", "500"), ("502", "502"), ("503", "503"), ("504", "504"),
     ("530", "500")],
)  # fmt: skip
def test_each_status_of_sagemaker_has_one_answer(template_of: Deploys, status: str, answered: str) -> None:
    answers = post(template_of(model()))[INTEGRATION]["responses"]
    matching = [answer for pattern, answer in answers.items() if re.fullmatch(pattern, status)] or [
        answers["default"]
    ]
    assert [item["statusCode"] for item in matching] == [answered]


@pytest.mark.parametrize("pattern", ["413", "500|530", "503", "504", "default"])
def test_a_fixed_error_has_the_one_shape_and_the_headers_of_every_answer(
    template_of: Deploys, pattern: str
) -> None:
    answer = post(template_of(model()))[INTEGRATION]["responses"][pattern]
    template = answer["responseTemplates"]["application/json"]
    assert set(error_in(template)) == {"message", "type", "code", "request_id"}
    assert error_in(template)["request_id"] == "$context.requestId"
    headers = overridden_headers(template)
    assert headers["access-control-allow-origin"] == "*"
    assert headers["x-request-id"] == "$context.requestId"
    assert ("Retry-After" in headers) is (pattern == "503")
    assert answer["contentHandling"] == "CONVERT_TO_TEXT"


def test_a_model_error_has_the_models_own_status(template_of: Deploys) -> None:
    template = post(template_of(model()))[INTEGRATION]["responses"]["424"]["responseTemplates"][
        "application/json"
    ]
    assert "#set($s=$input.path('$.OriginalStatusCode'))" in template
    assert "#set($context.responseOverride.status=$s)" in template


def test_throttling_which_sagemaker_calls_a_400_is_a_429(template_of: Deploys) -> None:
    template = post(template_of(model()))[INTEGRATION]["responses"]["400"]["responseTemplates"][
        "application/json"
    ]
    assert "#set($context.responseOverride.status=429)" in template
    assert '"too_many_requests"' in template


def test_templates_open_and_close_their_conditions(template_of: Deploys) -> None:
    templates = [
        template
        for answer in post(template_of(model()))[INTEGRATION]["responses"].values()
        for template in answer.get("responseTemplates", {}).values()
    ]
    assert any("#if(" in template for template in templates)
    for template in templates:
        assert len(re.findall(r"#if\(", template)) == len(re.findall("#end", template))


def test_a_message_of_ours_cannot_be_taken_for_the_template_language() -> None:
    errors = [value for value in vars(error_shape).values() if isinstance(value, ApiError)]
    assert errors
    assert not [error for error in errors if re.search(r'[$#"\\]', error.message)]


def test_a_function_path_passes_the_whole_request(template_of: Deploys) -> None:
    template = template_of(model(integration=function()))
    integration = post(template)[INTEGRATION]
    assert integration["type"] == "aws_proxy"
    (called,) = [item["Fn::GetAtt"][0] for item in integration["uri"]["Fn::Join"][1] if "Fn::GetAtt" in item]
    assert called.startswith("ApiFunctionsamodel")
    assert "responses" not in integration


def test_other_methods_are_answered_405_with_allow(template_of: Deploys) -> None:
    operation = template_of(model()).api["paths"]["/a-model"][ANY]
    template = operation[INTEGRATION]["responses"]["default"]["responseTemplates"]["application/json"]
    assert overridden_headers(template)["Allow"] == "POST, OPTIONS"
    assert error_in(template)["code"] == "method_not_allowed"
    assert operation[INTEGRATION]["responses"]["default"]["statusCode"] == "405"


def test_other_methods_are_answered_405_whatever_the_content_type(template_of: Deploys) -> None:
    """A mock has templates for the usual types only; models take every type, so none of theirs is refused."""
    api = template_of(model(), model("b", integration=function())).api
    mock = api["paths"]["/a-model"][ANY][INTEGRATION]["responses"]["default"]["responseTemplates"]
    (said,) = mock.values()
    answer = api[GATEWAY]["UNSUPPORTED_MEDIA_TYPE"]
    assert answer["statusCode"] == "405"
    assert error_in(answer["responseTemplates"]["application/json"]) == error_in(said)
    allow = answer["responseParameters"]["gatewayresponse.header.Allow"]
    assert allow.strip("'") == overridden_headers(said)["Allow"]
    posts = [path["post"][INTEGRATION] for path in api["paths"].values() if "post" in path]
    assert {post["passthroughBehavior"] for post in posts} == {"when_no_match"}


@pytest.mark.parametrize("path", ["/", "/{proxy+}", "/a-model"])
def test_a_preflight_succeeds_on_any_path(template_of: Deploys, path: str) -> None:
    integration = template_of(model()).api["paths"][path]["options"][INTEGRATION]
    assert json.loads(integration["requestTemplates"]["application/json"]) == {"statusCode": 204}
    answer = integration["responses"]["default"]
    headers = overridden_headers(answer["responseTemplates"]["application/json"])
    assert answer["statusCode"] == "204"
    assert headers["access-control-allow-origin"] == "*"
    assert headers["access-control-allow-headers"] == "*, Authorization"
    assert "POST" in headers["access-control-allow-methods"]


def test_mocks_take_binary_bodies_as_text(template_of: Deploys) -> None:
    """Otherwise a mock answers 500 to them."""
    mocks = [
        operation[INTEGRATION]
        for path in template_of(model()).api["paths"].values()
        for operation in path.values()
        if operation[INTEGRATION]["type"] == "mock"
    ]
    assert {mock["contentHandling"] for mock in mocks} == {"CONVERT_TO_TEXT"}


def test_an_unknown_path_is_a_404_that_lists_the_paths(template_of: Deploys) -> None:
    responses = template_of(model("b"), model("a")).api[GATEWAY]
    for kind in ("MISSING_AUTHENTICATION_TOKEN", "RESOURCE_NOT_FOUND"):
        assert responses[kind]["statusCode"] == "404"
        error = error_in(responses[kind]["responseTemplates"]["application/json"])
        assert error["message"].endswith(
            "Available: POST /a, POST /b, GET /, GET /models, GET /openapi.json, GET /health."
        )


def test_every_gateway_response_has_the_one_shape_and_cors(template_of: Deploys) -> None:
    answers = template_of(model()).api[GATEWAY]
    assert {"DEFAULT_4XX", "DEFAULT_5XX"} <= set(answers)
    for kind, answer in answers.items():
        body = answer["responseTemplates"]["application/json"].replace(
            "$context.error.messageString", '"said"'
        )
        assert set(json.loads(body)["error"]) == {"message", "type", "code", "request_id"}, kind
        headers = answer["responseParameters"]
        assert headers["gatewayresponse.header.access-control-allow-origin"] == "'*'"
        assert headers["gatewayresponse.header.x-request-id"] == "context.requestId"


def test_who_must_wait_is_told_how_long(template_of: Deploys) -> None:
    responses = template_of(model()).api[GATEWAY]
    for kind in ("THROTTLED", "QUOTA_EXCEEDED"):
        assert responses[kind]["statusCode"] == "429"
        assert (
            responses[kind]["responseParameters"]["gatewayresponse.header.retry-after"].strip("'").isdigit()
        )


def test_a_body_that_is_too_large_is_told_the_limit(template_of: Deploys) -> None:
    answer = template_of(model()).api[GATEWAY]["REQUEST_TOO_LARGE"]
    assert "6 MB" in error_in(answer["responseTemplates"]["application/json"])["message"]


def test_binary_types_are_a_list(template_of: Deploys) -> None:
    """With `*/*`, functions would get every body as base64."""
    types = template_of(model()).api["x-amazon-apigateway-binary-media-types"]
    assert {"image/*", "audio/*", "application/x-npy", "application/octet-stream"} <= set(types)
    assert "*/*" not in types


def test_the_stage_is_throttled_and_logged_without_bodies_and_keys(template_of: Deploys) -> None:
    stage = template_of(model()).only("AWS::ApiGateway::Stage")
    (settings,) = stage["MethodSettings"]
    assert (settings["HttpMethod"], settings["ResourcePath"]) == ("*", "/*")
    assert (settings["ThrottlingRateLimit"], settings["ThrottlingBurstLimit"]) == (100, 200)
    assert settings["DataTraceEnabled"] is False
    line = json.loads(stage["AccessLogSetting"]["Format"])
    assert {"request_id", "model", "status", "milliseconds", "team"} <= set(line)
    assert not [value for value in line.values() if "body" in value.lower() or value.endswith("apiKey")]


def test_the_rate_of_the_event_is_the_stages(template_of: Deploys) -> None:
    stage = template_of(model(), event={"requests_per_second": 5}).only("AWS::ApiGateway::Stage")
    (settings,) = stage["MethodSettings"]
    assert (settings["ThrottlingRateLimit"], settings["ThrottlingBurstLimit"]) == (5, 10)


def test_the_api_is_regional_and_its_address_is_the_output(template_of: Deploys) -> None:
    template = template_of(model())
    api = template.only("AWS::ApiGateway::RestApi")
    assert api["EndpointConfiguration"] == {"Types": ["REGIONAL"]}
    assert list(template.document["Outputs"]) == ["MyApiEndpoint", "CatalogueUrl"]
    assert template.only("AWS::ApiGateway::Stage")["StageName"] == "prod"

"""What a request becomes on its way to the back end."""

from __future__ import annotations

from typing import Any

import pytest

from contract.interpreter.examples import api, methods, request
from support.api_gateway.integration_request import build_call, choose_template
from support.api_gateway.message import GatewayError
from support.api_gateway.method_request import check_request
from support.api_gateway.routing import find_route
from support.api_gateway.templates import Context

JSON_TEMPLATE = {"application/json": "{}"}


# https://docs.aws.amazon.com/apigateway/latest/developerguide/integration-passthrough-behaviors.html
@pytest.mark.parametrize(
    ("content_type", "behaviour", "templates", "expected"),
    [
        (None, "WHEN_NO_MATCH", JSON_TEMPLATE, "{}"),
        (None, "WHEN_NO_TEMPLATES", JSON_TEMPLATE, "{}"),
        (None, "NEVER", JSON_TEMPLATE, "{}"),
        ("application/json", "WHEN_NO_MATCH", JSON_TEMPLATE, "{}"),
        ("application/json", "WHEN_NO_TEMPLATES", JSON_TEMPLATE, "{}"),
        ("application/json", "NEVER", JSON_TEMPLATE, "{}"),
        ("application/xml", "WHEN_NO_MATCH", JSON_TEMPLATE, None),
        ("application/xml", "WHEN_NO_TEMPLATES", JSON_TEMPLATE, 415),
        ("application/xml", "NEVER", JSON_TEMPLATE, 415),
        (None, "WHEN_NO_MATCH", {}, None),
        (None, "WHEN_NO_TEMPLATES", {}, None),
        (None, "NEVER", {}, 415),
    ],
)
def test_a_body_passes_through_or_not_as_the_table_says(
    content_type: str | None, behaviour: str, templates: dict[str, str], expected: str | int | None
) -> None:
    integration = {"passthroughBehavior": behaviour, "requestTemplates": templates}
    sent = request(Content_Type=content_type)
    if expected == 415:
        with pytest.raises(GatewayError) as refused:
            choose_template(integration, sent.content_type)
        assert refused.value.kind == "UNSUPPORTED_MEDIA_TYPE"
    else:
        assert choose_template(integration, sent.content_type) == expected


def test_required_parameters_count_with_a_validator() -> None:
    """https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-method-request-validation.html"""
    operation = {"parameters": [{"name": "q1", "in": "query", "required": True}], **methods("post")["post"]}
    paths: dict[str, Any] = {"/pets": {"post": operation}}
    check_request(request(), find_route(api(paths), "POST", "/pets"))
    operation["x-amazon-apigateway-request-validator"] = "params-only"
    check_request(request(query=(("q1", "1"),)), find_route(api(paths), "POST", "/pets"))
    with pytest.raises(GatewayError) as refused:
        check_request(request(), find_route(api(paths), "POST", "/pets"))
    assert refused.value.message == "Missing required request parameters: [q1]"


def test_only_mapped_headers_reach_the_integration() -> None:
    """https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-parameter-mapping-sources.html"""
    mapped = {
        "integration.request.header.domainParam": "method.request.header.domainParam",
        "integration.request.header.fixed": "'a, b'",
        "integration.request.header.absent": "method.request.header.absent",
    }
    sent = request(b"{}", domainParam="example", other="x", Content_Type="text/plain")
    call = build_call(api(), sent, {"requestParameters": mapped}, Context({}))
    assert call.headers == {
        "Content-Type": "application/json",
        "domainParam": "example",
        "fixed": "a, b",
    }


def test_a_template_cannot_take_a_binary_body() -> None:
    """https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-mock-integration.html"""
    rest = api(binary_media_types=["*/*"])
    mock = {"requestTemplates": {"application/json": '{"statusCode": 200}'}}
    with pytest.raises(GatewayError):
        build_call(rest, request(b"{}"), mock, Context({}))
    converted = {**mock, "contentHandling": "CONVERT_TO_TEXT"}
    assert build_call(rest, request(b"{}"), converted, Context({})).body == b'{"statusCode": 200}'

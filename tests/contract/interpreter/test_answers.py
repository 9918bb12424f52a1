"""What an answer of a back end, or none, becomes."""

from __future__ import annotations

import json

import pytest

from contract.interpreter.examples import api, request
from support.api_gateway.gateway_responses import build_gateway_response
from support.api_gateway.message import GatewayError, Response
from support.api_gateway.responses import build_response
from support.api_gateway.selection import choose_response
from support.api_gateway.templates import Context


# https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-integration-settings-integration-response.html
@pytest.mark.parametrize(
    ("status", "expected"), [(200, "200"), (404, "400"), (500, "500"), (504, "500"), (302, "200")]
)
def test_a_pattern_chooses_the_answer_and_default_takes_the_rest(status: int, expected: str) -> None:
    responses = {
        "default": {"statusCode": "200"},
        r"4\d{2}": {"statusCode": "400"},
        r"5\d{2}": {"statusCode": "500"},
        "50": {"statusCode": "never: it is not the whole status"},
    }
    assert choose_response(responses, status)["statusCode"] == expected


def test_without_a_default_nothing_may_be_left_over() -> None:
    """https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html"""
    with pytest.raises(GatewayError) as failed:
        choose_response({"200": {"statusCode": "200"}}, 500)
    assert failed.value.kind == "API_CONFIGURATION_ERROR"


def test_an_answer_has_only_mapped_headers() -> None:
    """https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-parameter-mapping-sources.html"""
    chosen = {
        "statusCode": "200",
        "responseParameters": {
            "method.response.header.id": "integration.response.header.x-id",
            "method.response.header.Timestamp": "context.requestTimeEpoch",
            "method.response.header.fixed": "'a'",
        },
    }
    answer = Response(200, (("x-id", "1"), ("other", "2"), ("Content-Type", "image/png")), b"")
    made = build_response(api(), request(), chosen, answer, Context({"requestTimeEpoch": 7}))
    assert dict(made.headers) == {
        "content-type": "application/json",
        "id": "1",
        "timestamp": "7",
        "fixed": "a",
    }


def test_a_header_must_be_declared_before_it_is_mapped() -> None:
    """https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-method-settings-method-response.html"""
    answer = {"statusCode": "200", "responseParameters": {"method.response.header.id": "'1'"}}
    operation = {
        "responses": {"200": {"headers": {}}},
        "x-amazon-apigateway-integration": {"responses": {"default": answer}},
    }
    with pytest.raises(ValueError, match="id"):
        api({"/pets": {"get": operation}})


def test_a_gateway_response_puts_in_its_variables() -> None:
    """https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-gatewayResponse-definition.html"""
    template = (
        '{"message": $context.error.messageString, "type": "$context.error.responseType",'
        ' "stage": "$context.stage"}'
    )
    response = {
        "statusCode": "404",
        "responseParameters": {"gatewayresponse.header.Access-Control-Allow-Origin": "'a.b.c'"},
        "responseTemplates": {"application/json": template},
    }
    rest = api(gateway_responses={"MISSING_AUTHENTICATION_TOKEN": response})
    error = GatewayError("MISSING_AUTHENTICATION_TOKEN", "Missing Authentication Token")
    answer = build_gateway_response(rest, error, Context({"stage": "test"}))
    assert (answer.status, answer.header("access-control-allow-origin")) == (404, "a.b.c")
    assert json.loads(answer.body) == {
        "message": "Missing Authentication Token",
        "type": "MISSING_AUTHENTICATION_TOKEN",
        "stage": "test",
    }


def test_a_type_without_a_response_of_its_own_takes_the_default() -> None:
    response = {"responseTemplates": {"application/json": "default"}}
    rest = api(gateway_responses={"DEFAULT_4XX": response})
    answer = build_gateway_response(rest, GatewayError("THROTTLED", "Limit Exceeded"), Context({}))
    assert (answer.status, answer.body) == (429, b"default")

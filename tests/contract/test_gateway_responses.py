"""Every error that API Gateway answers by itself has the one shape, CORS, its id, and how long to wait."""

from __future__ import annotations

import pytest

from centralized_ml_api.aws.document.gateway_responses import build_gateway_responses
from contract.case import CORS
from support.api_gateway.document import build_rest_api
from support.api_gateway.gateway_responses import STATUSES, build_gateway_response
from support.api_gateway.message import GatewayError
from support.api_gateway.templates import Context
from support.running_gateway import Answer

API = build_rest_api(
    {"paths": {}, "x-amazon-apigateway-gateway-responses": build_gateway_responses(["POST /a"], 29)}
)
KINDS = sorted({*STATUSES, *API.gateway_responses} - {"DEFAULT_4XX", "DEFAULT_5XX"})
OPEN = [("AN_UNKNOWN_TYPE", 400), ("AN_UNKNOWN_TYPE", 500)]
MESSAGE = 'it\'s "so" \\ é'


@pytest.mark.parametrize(("kind", "status"), [*((kind, 500) for kind in KINDS), *OPEN])
def test_an_error_of_api_gateway_keeps_the_contract(kind: str, status: int) -> None:
    answer = answered(kind, status)
    assert answer.error.keys() == {"message", "type", "code", "request_id"}
    assert answer.error["request_id"] == answer.header("x-request-id") == "an-id"
    assert CORS.items() <= dict(answer.headers).items()
    assert (answer.header("retry-after") is not None) is (answer.status in {429, 503})


def test_what_has_no_words_of_ours_keeps_api_gateways() -> None:
    assert answered("AN_UNKNOWN_TYPE", 400).error["message"] == MESSAGE


def answered(kind: str, status: int) -> Answer:
    made = build_gateway_response(API, GatewayError(kind, MESSAGE, status), Context({"requestId": "an-id"}))
    return Answer(made.status, made.headers, made.body)

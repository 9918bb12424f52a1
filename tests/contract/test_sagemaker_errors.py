"""What callers get for each error that SageMaker documents; few of them can be had from a model at will.

Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html and
https://docs.aws.amazon.com/sagemaker/latest/APIReference/CommonErrors.html
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.aws.document.integrations import build_sagemaker
from centralized_ml_api.local.sagemaker_runtime import service_error
from contract.case import LOCAL, Bytes, Expected, refused
from support.api_gateway.document import INTEGRATION, build_rest_api
from support.api_gateway.message import Request, Response
from support.api_gateway.responses import build_response
from support.api_gateway.selection import choose_response
from support.api_gateway.templates import Context
from support.running_gateway import Answer

OPERATION = build_sagemaker("uri", "role", (), 29)
API = build_rest_api({"paths": {"/model": {"post": OPERATION}}})
RETRY = {"retry-after": "2"}
QUOTED = 'it\'s "so", é 🙂 \\ <b>\n$input #end'


def told(status: int, message: str | None, key: str = "Message") -> tuple[int, dict[str, Any]]:
    return status, {} if message is None else {key: message}


def model_error(status: int, message: str) -> tuple[int, dict[str, Any]]:
    error = service_error.model_error("one", status, message)
    return error.status, error.members


ROWS = {
    "ValidationError": (
        told(400, QUOTED),
        refused(errors.REFUSED_BY_SAGEMAKER, QUOTED),
    ),
    "its message in small letters": (
        told(400, QUOTED, "message"),
        refused(errors.REFUSED_BY_SAGEMAKER, QUOTED),
    ),
    "a 400 without a word": (told(400, None), refused(errors.REFUSED_BY_SAGEMAKER)),
    "an endpoint that does not exist": (
        told(400, "Endpoint one of account 1 not found."),
        refused(errors.MODEL_NOT_READY, headers=RETRY),
    ),
    "ThrottlingException": (
        told(400, "Rate exceeded"),
        refused(errors.TOO_MANY_REQUESTS, "Rate exceeded", headers=RETRY),
    ),
    "too many calls as a 429": (
        told(429, "Request was throttled."),
        refused(errors.TOO_MANY_REQUESTS, headers=RETRY),
    ),
    "ModelNotReadyException": (
        told(429, "The model is being downloaded."),
        refused(errors.MODEL_NOT_READY, "being downloaded", headers=RETRY),
    ),
    "InternalFailure": (told(500, "secret"), refused(errors.API_FAILED)),
    "InternalDependencyException": (told(530, "secret"), refused(errors.API_FAILED)),
    "ServiceUnavailable": (told(503, "secret"), refused(errors.MODEL_NOT_READY, headers=RETRY)),
    "AccessDeniedException": (told(403, "arn:aws:iam::1:role/secret"), refused(errors.MODEL_FAILED)),
    "ModelError of a model that refuses, in words": (
        model_error(418, QUOTED),
        refused(errors.ApiError(418, "invalid_request_error", "model_refused", ""), QUOTED),
    ),
    "ModelError of a model that fails, in words": (
        model_error(500, QUOTED),
        refused(errors.ApiError(500, "model_error", "model_failed", ""), QUOTED),
    ),
    "ModelError of a model that refuses, in JSON": (
        model_error(422, '{"detail": "it\'s"}'),
        Expected(422, Bytes(b'{"detail": "it\'s"}'), "application/json"),
    ),
    "ModelError of a model that ended": (
        (424, service_error.model_exited("one").members),
        refused(errors.MODEL_FAILED),
    ),
    "ModelError of a model that is too slow": (
        (424, service_error.model_too_slow("one").members),
        refused(errors.MODEL_TOO_SLOW),
    ),
}


@pytest.mark.parametrize("row", ROWS)
def test_an_error_of_sagemaker_is_told_as_the_contract_says(row: str) -> None:
    (status, members), expected = ROWS[row]
    expected.check(_answer(status, members), LOCAL)


@pytest.mark.parametrize("row", ["InternalFailure", "AccessDeniedException", "ServiceUnavailable"])
def test_what_only_the_operator_may_know_is_not_told(row: str) -> None:
    (status, members), _ = ROWS[row]
    assert b"secret" not in _answer(status, members).body


def _answer(status: int, members: dict[str, Any]) -> Answer:
    """The way of an answer of SageMaker's to the caller."""
    body = json.dumps(members).encode()
    chosen = choose_response(OPERATION[INTEGRATION]["responses"], status)
    said = Response(status, (("Content-Type", "application/json"),), body)
    asked = Request("POST", "/model", (), (), b"{}", "an-id")
    made = build_response(API, asked, chosen, said, Context({"requestId": "an-id"}))
    return Answer(made.status, tuple((name.lower(), value) for name, value in made.headers), made.body)

"""What callers get for each error that SageMaker documents."""

from __future__ import annotations

import json
from typing import Any

import pytest

from centralized_ml_api.aws.document.integrations import build_sagemaker
from contract.case import LOCAL
from contract.sagemaker_errors import ROWS, ROWS_OF_SLEEPERS
from support.api_gateway.document import INTEGRATION, build_rest_api
from support.api_gateway.message import Request, Response
from support.api_gateway.responses import build_response
from support.api_gateway.selection import choose_response
from support.api_gateway.templates import Context
from support.running_gateway import Answer

AWAKE = build_sagemaker("uri", "role", (), 29)
SLEEPER = build_sagemaker("uri", "role", (), 29, "a-component")
API = build_rest_api({"paths": {"/model": {"post": AWAKE}}})


@pytest.mark.parametrize("row", ROWS)
def test_an_error_of_sagemaker_is_told_as_the_contract_says(row: str) -> None:
    (status, members), expected = ROWS[row]
    expected.check(_answer(status, members), LOCAL)


@pytest.mark.parametrize("row", ROWS_OF_SLEEPERS)
def test_an_error_of_a_model_that_may_sleep_is_told_as_the_contract_says(row: str) -> None:
    (status, members), expected = ROWS_OF_SLEEPERS[row]
    expected.check(_answer(status, members, SLEEPER), LOCAL)


@pytest.mark.parametrize("row", ["InternalFailure", "AccessDeniedException", "ServiceUnavailable"])
def test_what_only_the_operator_may_know_is_not_told(row: str) -> None:
    (status, members), _ = ROWS[row]
    assert b"secret" not in _answer(status, members).body


def _answer(status: int, members: dict[str, Any], operation: dict[str, Any] = AWAKE) -> Answer:
    """The way of an answer of SageMaker's to the caller."""
    body = json.dumps(members).encode()
    chosen = choose_response(operation[INTEGRATION]["responses"], status)
    said = Response(status, (("Content-Type", "application/json"),), body)
    asked = Request("POST", "/model", (), (), b"{}", "an-id")
    made = build_response(API, asked, chosen, said, Context({"requestId": "an-id"}))
    return Answer(made.status, tuple((name.lower(), value) for name, value in made.headers), made.body)

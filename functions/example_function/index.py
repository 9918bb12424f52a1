# ruff: noqa: INP001  a Lambda function's folder is not a package
"""Lets callers use the same body for text generation, whatever the model server speaks.

`{"text_inputs": ...}` is translated in both directions (`text_generation.py`, `model_servers.py`); every
other body passes through unchanged. Two environment variables configure it: ENDPOINT_NAME, and MODEL_SPEAKS,
which is `text-generation-inference` (the default, for JumpStart's containers) or `openai-chat` (llama.cpp's
server). With any other value, every body passes through.
"""

from __future__ import annotations

import base64
import json
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from answers import Failure, build_answer, build_error_answer, build_json_answer
from endpoint import CUSTOM_ATTRIBUTES, invoke
from model_servers import MODEL_SERVERS, ModelServer
from text_generation import (
    RefusedError,
    UnexpectedAnswerError,
    check_number,
    read_parameters,
    read_texts,
)

ENDPOINT_NAME = os.environ["ENDPOINT_NAME"]
MODEL_SERVER = MODEL_SERVERS.get(os.environ.get("MODEL_SPEAKS") or "text-generation-inference")
JSON = "application/json"
CALLS_AT_ONCE = 4
TEXT_INPUTS = "text_inputs"
WRONG_BODY = {400, 422}


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answers one request of API Gateway's Lambda proxy integration."""
    try:
        return _answer(event)
    except RefusedError as error:
        failure = Failure(400, "invalid_request_error", "invalid_body", str(error))
    except UnexpectedAnswerError as error:
        message = (
            f'The model\'s answer has no "{error}" where one belongs; check MODEL_SPEAKS of the function.'
        )
        failure = Failure(502, "model_error", "model_failed", message)
    except Failure as error:
        failure = error
    request_id = event.get("requestContext", {}).get("requestId") or context.aws_request_id
    return build_error_answer(failure, request_id)


def _answer(event: dict[str, Any]) -> dict[str, Any]:
    body, headers = _read_body(event), _read_headers(event)
    value = _read_json(body)
    if MODEL_SERVER and isinstance(value, dict) and TEXT_INPUTS in value:
        return build_json_answer({"generated_texts": _generate(MODEL_SERVER, value)})
    if value is not None and headers["Content-Type"].startswith("application/x-www-form-urlencoded"):
        headers["Content-Type"] = JSON  # the default of `curl -d`
    try:
        return build_answer(invoke(ENDPOINT_NAME, body, headers))
    except Failure as failure:
        if failure.status in WRONG_BODY and MODEL_SERVER and _has_no_input(value, MODEL_SERVER):
            # The model speaks of its own body alone, while the caller may have meant the translated one.
            note = f'The body has neither "{TEXT_INPUTS}" nor "{MODEL_SERVER.input_key}".'
            raise failure.adding(note) from failure
        raise


def _has_no_input(value: Any, server: ModelServer) -> bool:
    return isinstance(value, dict) and TEXT_INPUTS not in value and server.input_key not in value


def _generate(server: ModelServer, value: dict[str, Any]) -> list[str]:
    """Calls the model for each text, several at once; returns the generated texts in order."""
    texts, parameters = read_texts(value), read_parameters(value)
    check_number(texts, parameters)
    requests = [(text, request) for text in texts for request in server.build_requests(text, parameters)]

    def ask(text: str, request: dict[str, Any]) -> list[str]:
        answer = invoke(ENDPOINT_NAME, json.dumps(request).encode(), {"Content-Type": JSON, "Accept": JSON})
        return server.read_texts(text, parameters, _read_json(answer.body))

    with ThreadPoolExecutor(CALLS_AT_ONCE) as pool:
        return [text for generated in pool.map(lambda pair: ask(*pair), requests) for text in generated]


def _read_body(event: dict[str, Any]) -> bytes:
    body = event.get("body") or ""
    return base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()


def _read_headers(event: dict[str, Any]) -> dict[str, str]:
    """Returns the headers that a model gets, in canonical case."""
    given = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    names = ("Accept", CUSTOM_ATTRIBUTES)
    passed = {name: given[name.lower()] for name in names if name.lower() in given}
    return {"Content-Type": given.get("content-type", JSON), **passed}


def _read_json(body: bytes) -> Any:
    """Returns the value, or None if the body is not JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):  # RecursionError: nested too deeply
        return None

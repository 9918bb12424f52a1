# ruff: noqa: INP001  a Lambda function's folder is not a package
"""Calls the SageMaker endpoint behind the function, and translates its errors."""

from __future__ import annotations

import json
import os
from typing import Any

import boto3
from answers import Answer, Failure
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ReadTimeoutError

CUSTOM_ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"

# A caller is waiting: report an error at once, and do not call a slow model twice.
_client = boto3.client(
    "sagemaker-runtime",
    config=Config(retries={"mode": "standard", "total_max_attempts": 1}, max_pool_connections=32),
)

_COMPONENT = os.environ.get("INFERENCE_COMPONENT_NAME")
"""Set where the model may sleep: its endpoint hosts an inference component, which every call names."""

_ASLEEP = "has no capacity to process"
"""What SageMaker's ValidationError contains while no copy of such a model runs."""

_UNAVAILABLE = {"ServiceUnavailable", "ServiceUnavailableException", "ModelNotReadyException"}
_THROTTLED = {"ThrottlingException", "Throttling", "TooManyRequestsException"}
_STATUS_WITHOUT_ANSWER = 0
_SERVER_ERRORS = 500
_HIGHEST_STATUS = 599


def invoke(endpoint_name: str, body: bytes, headers: dict[str, str]) -> Answer:
    """Calls the model. `headers` may hold Content-Type, Accept and SageMaker's custom attributes.

    Raises:
        Failure: The call failed. It has the model's own status and message, if the model sent them.
    """
    names = {"Content-Type": "ContentType", "Accept": "Accept", CUSTOM_ATTRIBUTES: "CustomAttributes"}
    parameters = {names[name]: value for name, value in headers.items() if name in names}
    if _COMPONENT:
        parameters["InferenceComponentName"] = _COMPONENT
    try:
        response = _client.invoke_endpoint(EndpointName=endpoint_name, Body=body, **parameters)
        content = response["Body"].read()
    except ClientError as error:
        raise _read_error(error) from error
    except ReadTimeoutError as error:
        raise Failure(504, "timeout_error", "model_too_slow", "The model did not answer in time.") from error
    except BotoCoreError as error:
        message = "The model cannot be reached; try again shortly."
        raise Failure(503, "unavailable_error", "model_not_ready", message) from error
    answer_headers = {"Content-Type": response.get("ContentType", "application/octet-stream")}
    if "CustomAttributes" in response:
        answer_headers[CUSTOM_ATTRIBUTES] = response["CustomAttributes"]
    return Answer(content, answer_headers)


def _read_error(error: ClientError) -> Failure:
    """Translates the service's error."""
    response: dict[str, Any] = error.response
    code, message = response["Error"].get("Code", ""), response["Error"].get("Message", "")
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500)
    if code == "ModelError":
        return _read_model_error(response, message)
    if code in _UNAVAILABLE:
        return Failure(503, "unavailable_error", "model_not_ready", message)
    if code in _THROTTLED:
        return Failure(429, "rate_limit_error", "too_many_requests", message)
    if code == "ValidationError":
        return _read_refusal(message)
    if status == 413:  # noqa: PLR2004  HTTP's own number
        return Failure(413, "invalid_request_error", "body_too_large", message)
    return Failure(502, "model_error", "model_failed", f"{code}: {message}")


def _read_refusal(message: str) -> Failure:
    """Returns SageMaker's own refusal, or that the model wakes."""
    if _ASLEEP in message:
        waking = "The model was asleep and is waking; try again after the time given in Retry-After."
        return Failure(503, "unavailable_error", "model_waking", waking)
    return Failure(400, "invalid_request_error", "refused_by_sagemaker", message)


def _read_model_error(response: dict[str, Any], message: str) -> Failure:
    """Returns the model's own status and message; without them, the model was too slow or exited."""
    status = response.get("OriginalStatusCode", _STATUS_WITHOUT_ANSWER)
    said = _own_words(response.get("OriginalMessage") or message)
    if status == _STATUS_WITHOUT_ANSWER:
        if "timed out" in said:
            return Failure(504, "timeout_error", "model_too_slow", said)
        return Failure(502, "model_error", "model_failed", said)
    if not 400 <= status <= _HIGHEST_STATUS:  # noqa: PLR2004  an invalid status is the model's fault
        return Failure(502, "model_error", "model_failed", said)
    kind = "invalid_request_error" if status < _SERVER_ERRORS else "model_error"
    return Failure(status, kind, "model_refused" if status < _SERVER_ERRORS else "model_failed", said)


def _own_words(text: str) -> str:
    """Returns the message of a common JSON error (`message`, `error`, `error.message`), or the whole text."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    for _ in range(2):
        if isinstance(value, dict):
            value = value.get("message") or value.get("error") or value.get("detail")
    return value if isinstance(value, str) and value else text

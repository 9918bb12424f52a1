"""The errors that SageMaker documents, and what callers get for each; few can be had from a model at will.

Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html and
https://docs.aws.amazon.com/sagemaker/latest/APIReference/CommonErrors.html
"""

from __future__ import annotations

from typing import Any

from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.local.sagemaker_runtime import service_error
from contract.case import Bytes, Expected, refused

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

ASLEEP: str = service_error.no_capacity().members["Message"]
ROWS_OF_SLEEPERS = {
    **ROWS,
    "a ValidationError while no copy runs": (
        told(400, ASLEEP),
        refused(errors.MODEL_WAKING, headers={"retry-after": "60"}),
    ),
}
"""What callers of a model that may sleep get: nobody else hears that a model wakes."""

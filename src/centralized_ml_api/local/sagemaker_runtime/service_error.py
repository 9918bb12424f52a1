"""Builds the errors of the service, in the form that the SDKs turn into their exception types. Pure.

Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html (errors)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from centralized_ml_api.plan.types import BODY_LIMIT_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable

NO_STATUS = 0
"""The `OriginalStatusCode` of a model that did not answer.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/neo-troubleshooting-inference.html ("Received server
error (0)")
"""

_SERVER_ERRORS = 500


class ServiceError(Exception):
    """An error of the service: HTTP status, the name that SDKs know it by, and the members of its body."""

    def __init__(self, status: int, code: str, members: dict[str, Any]) -> None:
        super().__init__(members["Message"])
        self.status = status
        self.code = code
        self.members = members


def unknown_endpoint(name: str, known: Iterable[str]) -> ServiceError:
    """Builds the error for an endpoint that does not exist."""
    names = ", ".join(sorted(known)) or "none"
    return ServiceError(
        400, "ValidationError", {"Message": f"Endpoint {name} not found. Endpoints here: {names}"}
    )


def refused(name: str, reason: str) -> ServiceError:
    """Builds the error for a call that can never be answered, which SDKs do not retry."""
    return ServiceError(
        400, "ValidationError", {"Message": f"Endpoint {name} cannot be called here: {reason}"}
    )


def unknown_operation(method: str, path: str) -> ServiceError:
    """Builds the error for anything but the two invocations."""
    message = (
        f"{method} {path} is not served here; only InvokeEndpoint and InvokeEndpointWithResponseStream are"
    )
    return ServiceError(404, "UnknownOperationException", {"Message": message})


def unavailable(name: str, reason: str) -> ServiceError:
    """Builds the error for an endpoint that exists but cannot answer now."""
    return ServiceError(
        503, "ServiceUnavailable", {"Message": f"Endpoint {name} cannot answer now: {reason}"}
    )


def no_capacity() -> ServiceError:
    """Builds the error for a model that sleeps and does not wake in time, as SageMaker words it.

    Source: https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling-zero-instances.html
    """
    message = (
        "Inference Component has no capacity to process this request. ApplicationAutoScaling may be"
        " in-progress (if configured) or try to increase the capacity by invoking"
        " UpdateInferenceComponentRuntimeConfig API."
    )
    return ServiceError(400, "ValidationError", {"Message": message})


def too_large() -> ServiceError:
    """Builds the error for a body over the limit; the real service, too, uses the status as the code."""
    return ServiceError(413, "413", {"Message": f"HTTP content length exceeded {BODY_LIMIT_BYTES} bytes."})


def model_error(name: str, status: int, message: str) -> ServiceError:
    """Builds the error for a model that answered with an error, or not at all.

    Args:
        name: The endpoint.
        status: The model's status, or `NO_STATUS`.
        message: The model's body.
    """
    side = "client" if NO_STATUS < status < _SERVER_ERRORS else "server"
    cause = "CLIENT_ERROR_FROM_MODEL" if side == "client" else "INTERNAL_FAILURE_FROM_MODEL"
    return ServiceError(
        424,
        "ModelError",
        {
            "ErrorCode": cause,
            "Message": f'Received {side} error ({status}) from primary with message "{message}".'
            " See the log of the endpoint for more information.",
            "OriginalStatusCode": status,
            "OriginalMessage": message,
            "LogStreamArn": f"arn:aws:logs:us-east-1:000000000000:log-group:/aws/sagemaker/Endpoints/{name}",
        },
    )


def model_too_slow(name: str) -> ServiceError:
    """Builds the error for a model that did not answer in time."""
    return model_error(
        name,
        NO_STATUS,
        "Your invocation timed out while waiting for a response from container primary."
        " Review the log of the model, resolve the issue, and try again.",
    )


def model_exited(name: str) -> ServiceError:
    """Builds the error for a model that closed the connection before its answer was complete."""
    return model_error(
        name, NO_STATUS, "An error occurred while handling request as the model process exited."
    )

"""The OpenAPI document of a deployment: every path, what it takes, what it answers. Pure.

Version 3.0, because that is what API Gateway imports.
Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-import-api.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from centralized_ml_api import __version__
from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.api.openai_operations import build_openai_operations
from centralized_ml_api.plan.sample import media_type_of, sample_file_of, sample_of
from centralized_ml_api.plan.speaks import OpenAiModels

if TYPE_CHECKING:
    from centralized_ml_api.plan.model import ApiPlan, ModelDeployment

TITLE = "Centralized ML API"
JSON = "application/json"
CUSTOM_ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"

_ERRORS = {
    "400": "The model refused the input; the message is its own.",
    "413": errors.BODY_TOO_LARGE.message,
    "429": errors.TOO_MANY_REQUESTS.message,
    "501": errors.NOT_SERVED.message,
    "502": errors.MODEL_FAILED.message,
    "503": errors.MODEL_NOT_READY.message,
    "504": errors.MODEL_TOO_SLOW.message,
    "default": "The model's own status, where it answered an error.",
}


def build_openapi(plan: ApiPlan, openai: OpenAiModels | None = None) -> dict[str, Any]:
    """The document as plain values, in config order; it holds nothing that only one target knows.

    Args:
        plan: the paths of the entries.
        openai: the entries under `/v1`, on the target that the document is for.
    """
    return {
        "openapi": "3.0.1",
        "info": {
            "title": TITLE,
            "version": __version__,
            "description": "One path for each model. Errors have one shape, see the schema `Error`.",
        },
        "paths": {
            **{one.path: {"post": _operation(one)} for one in plan.deployments},
            **build_openai_operations(openai or OpenAiModels(), _known_errors()),
        },
        "components": {"schemas": {"Error": _error_schema()}},
    }


def _operation(deployment: ModelDeployment) -> dict[str, Any]:
    description = {"description": deployment.description} if deployment.description else {}
    return {
        "operationId": operation_id(deployment.name),
        "summary": f"Call {deployment.name}",
        **description,
        "parameters": [build_header_parameter(name) for name in deployment.headers],
        "requestBody": _body(deployment),
        "responses": {"200": _answer(), **_known_errors()},
    }


def _known_errors() -> dict[str, Any]:
    """What any call may be answered instead, by status."""
    return {status: _error(text) for status, text in _ERRORS.items()}


def operation_id(name: str) -> str:
    """A name for generated clients: `call_` and the path in a form that every language takes."""
    return f"call_{name.replace('-', '_')}"


def build_header_parameter(name: str) -> dict[str, Any]:
    """A request header that reaches the model, where it is sent.

    Content-Type and Accept are not among the parameters of a document.
    Source: https://spec.openapis.org/oas/v3.0.3#parameter-object
    """
    return {"name": name, "in": "header", "required": False, "schema": {"type": "string"}}


def _body(deployment: ModelDeployment) -> dict[str, Any]:
    """Any body may be sent; the sample is one that works."""
    return {"content": {**_known_body(deployment), "*/*": {}}}


def _known_body(deployment: ModelDeployment) -> dict[str, Any]:
    if sample_file_of(deployment):
        return {media_type_of(deployment): {"schema": {"type": "string", "format": "binary"}}}
    sample = sample_of(deployment)
    return {} if sample is None else {media_type_of(deployment): {"example": sample}}


def _answer() -> dict[str, Any]:
    return {
        "description": "The model's answer, as it is.",
        "headers": {
            CUSTOM_ATTRIBUTES: {"schema": {"type": "string"}, "description": "What the model adds, if any."}
        },
        "content": {"*/*": {}},
    }


def _error(description: str) -> dict[str, Any]:
    return {
        "description": description,
        "content": {JSON: {"schema": {"$ref": "#/components/schemas/Error"}}},
    }


def _error_schema() -> dict[str, Any]:
    texts = {
        "message": "What happened, for people.",
        "type": "Whose move it is; one of few, stable.",
        "code": "The case; stable.",
        "request_id": "Names this request in the logs.",
    }
    return {
        "type": "object",
        "required": ["error"],
        "properties": {
            "error": {
                "type": "object",
                "required": list(texts),
                "properties": {key: {"type": "string", "description": text} for key, text in texts.items()},
            }
        },
    }

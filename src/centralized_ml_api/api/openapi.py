"""The OpenAPI document of a deployment: every path, what it takes, what it answers. Pure.

Version 3.0, because that is what API Gateway imports.
Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-import-api.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from centralized_ml_api import __version__
from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.api.http import (
    CATALOGUE_PATH,
    EVENTS,
    HEALTH_PATH,
    JOIN_PATH,
    OPENAPI_PATH,
    PAGE_PATH,
    PUBLIC_PATHS,
)
from centralized_ml_api.api.job_operations import SCHEMAS, add_later_answer, build_job_operations
from centralized_ml_api.api.join_operations import build_join_operations
from centralized_ml_api.api.keys import KEY_HEADER
from centralized_ml_api.api.openai_operations import build_openai_operations
from centralized_ml_api.plan.sample import media_type_of, sample_file_of, sample_of
from centralized_ml_api.plan.speaks import OpenAiModels

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from centralized_ml_api.plan.types import ApiPlan, ModelDeployment


Operation = dict[str, Any]

_OBJECT: Operation = {"application/json": {"schema": {"type": "object"}}}
_HTML: Operation = {"text/html": {"schema": {"type": "string"}}}


def build_own_operations(refusals: Mapping[str, Any]) -> dict[str, Operation]:
    """Builds one GET each; `refusals` are the responses to callers without a key, where one is required."""
    unready = {"503": {"description": "Some models are not ready; the body names them.", "content": _OBJECT}}
    return {
        PAGE_PATH: _get(PAGE_PATH, "show_page", "The page to try the models on", _HTML),
        CATALOGUE_PATH: _get(CATALOGUE_PATH, "show_catalogue", "The models", _OBJECT, refusals),
        OPENAPI_PATH: _get(OPENAPI_PATH, "show_openapi", "This document", _OBJECT, refusals),
        HEALTH_PATH: _get(HEALTH_PATH, "show_health", "Which models are ready", _OBJECT, unready),
    }


def _get(
    path: str, name: str, summary: str, content: Operation, more: Mapping[str, Any] | None = None
) -> Operation:
    responses = {"200": {"description": "Success.", "content": content}, **(more or {})}
    everybody: Operation = {"security": []} if path in PUBLIC_PATHS else {}
    return {"get": {"operationId": name, "summary": summary, **everybody, "responses": responses}}


TITLE = "Centralized ML API"
JSON = "application/json"
CUSTOM_ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"

_OWN_ERRORS = {
    "400": "The model refused the input. The body is the model's own.",
    "default": "An error of the model, with its own status and body.",
}
_ERRORS = {
    "413": errors.BODY_TOO_LARGE.message,
    "429": errors.TOO_MANY_REQUESTS.message,
    "501": errors.NOT_SERVED.message,
    "502": errors.MODEL_FAILED.message,
    "503": errors.MODEL_NOT_READY.message,
    "504": errors.MODEL_TOO_SLOW.message,
}
_KEY_ERRORS = {"401": errors.UNAUTHORIZED.message, "403": errors.NOT_ALLOWED.message}

_SECURITY_SCHEMES = {
    "key": {"type": "apiKey", "in": "header", "name": KEY_HEADER},
    "bearer": {"type": "http", "scheme": "bearer"},
}
_EITHER: dict[str, Any] = {"security": [{name: []} for name in _SECURITY_SCHEMES]}
"""For clients of OpenAI's API, which know `Authorization: Bearer` alone."""


def build_openapi(
    plan: ApiPlan,
    openai: OpenAiModels | None = None,
    *,
    root: str = "",
    later: Collection[str] | None = None,
) -> dict[str, Any]:
    """Builds the document as plain values, in config order; nothing in it is known to one target only.

    Args:
        plan: The paths of the entries.
        openai: The entries under `/v1`, on the target that the document is for.
        root: Where on its host the API lies, such as `/prod`; a relative address, as no plan knows the host.
        later: The entries whose own paths take calls that are answered later; None where nothing does.
    """
    needs_key = plan.event.needs_key
    known = _known_errors(needs_key=needs_key)
    either, refusals = (_EITHER, _refusals(_KEY_ERRORS)) if needs_key else ({}, {})
    models = {entry.path: {"post": _operation(entry, known)} for entry in plan.deployments}
    below_v1 = build_openai_operations(openai or OpenAiModels(), known, either)
    if later is not None:
        own = {entry.path for entry in plan.deployments if entry.name in later}
        models = {path: _add_later(item) if path in own else item for path, item in models.items()}
        below_v1 = {path: _add_later(item) for path, item in below_v1.items()}
    return {
        "openapi": "3.0.1",
        "info": {
            "title": TITLE,
            "version": __version__,
            "description": "One path for each model. Errors have one shape, see the schema `Error`.",
        },
        "servers": [{"url": root or "/"}],
        **({"security": [{"key": []}]} if needs_key else {}),
        "paths": {
            **models,
            **below_v1,
            **({} if later is None else build_job_operations(refusals, _error, either)),
            **build_own_operations(refusals),
            **({JOIN_PATH: build_join_operations(_error)} if plan.event.join else {}),
        },
        "components": {
            "schemas": {"Error": _error_schema(), **({} if later is None else SCHEMAS)},
            **({"securitySchemes": _SECURITY_SCHEMES} if needs_key else {}),
        },
    }


def _add_later(item: dict[str, Operation]) -> dict[str, Operation]:
    """Returns a path whose calls, if it takes any, may ask to be answered later."""
    return {method: add_later_answer(each) if method == "post" else each for method, each in item.items()}


def _operation(deployment: ModelDeployment, known: dict[str, Any]) -> dict[str, Any]:
    description = {"description": deployment.description} if deployment.description else {}
    return {
        "operationId": operation_id(deployment.name),
        "summary": f"Call {deployment.name}",
        **description,
        "parameters": [build_header_parameter(name) for name in deployment.headers],
        "requestBody": _body(deployment),
        "responses": {"200": _answer(deployment), **known},
    }


def _known_errors(*, needs_key: bool) -> dict[str, Any]:
    """Returns the errors that any call may get, by status."""
    refused = _refusals({**(_KEY_ERRORS if needs_key else {}), **_ERRORS})
    return {**{status: {"description": text} for status, text in _OWN_ERRORS.items()}, **refused}


def _refusals(texts: Mapping[str, str]) -> dict[str, Any]:
    return {status: _error(text) for status, text in texts.items()}


def operation_id(name: str) -> str:
    """Returns a name for generated clients: `call_` and the path in a form that every language accepts."""
    return f"call_{name.replace('-', '_')}"


def build_header_parameter(name: str) -> dict[str, Any]:
    """Builds the parameter for a request header that reaches the model.

    Content-Type and Accept are not among the parameters of a document.
    Source: https://spec.openapis.org/oas/v3.0.3#parameter-object
    """
    return {"name": name, "in": "header", "required": False, "schema": {"type": "string"}}


def _body(deployment: ModelDeployment) -> dict[str, Any]:
    """Describes what the entry takes; for JSON the sample is a body that works."""
    media_type = media_type_of(deployment)
    sample = None if sample_file_of(deployment) else sample_of(deployment)
    example = {} if sample is None else {"example": sample}
    return {"required": True, "content": {media_type: {"schema": _schema(media_type), **example}}}


def _schema(media_type: str) -> dict[str, Any]:
    """Returns the schema: JSON can be anything, since nobody says more; everything else is text or bytes."""
    if media_type.endswith("json"):
        return {}
    return {"type": "string", **({} if media_type.startswith("text/") else {"format": "binary"})}


def _answer(deployment: ModelDeployment) -> dict[str, Any]:
    media_type = deployment.about.gives or (EVENTS if deployment.integration == "stream" else JSON)
    return {
        "description": "The model's response, unchanged.",
        "headers": {
            CUSTOM_ATTRIBUTES: {"schema": {"type": "string"}, "description": "What the model adds, if any."}
        },
        "content": {media_type: {} if media_type == EVENTS else {"schema": _schema(media_type)}},
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

"""Adds the event to a document: which methods need a team's key, and when the event ends. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from centralized_ml_api.api.event_end import ENDS_HEADER, render_instant
from centralized_ml_api.api.http import JOIN_PATH, PUBLIC_PATHS
from centralized_ml_api.api.keys import KEY_HEADER
from centralized_ml_api.aws.document.gateway_responses import build_denial
from centralized_ml_api.aws.document.integrations import ANY_METHOD, INTEGRATION
from centralized_ml_api.aws.document.other_paths import ANY_PATH
from centralized_ml_api.aws.document.templates import render_header
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from centralized_ml_api.aws.document.integrations import Operation, PathItem

CACHE_SECONDS = 5
"""How long API Gateway remembers what a key may call. It checks the key itself on every call.

By so much may a key work too long after an organizer has paused it, and too late after the event has started.
"""

OPENAI_PREFIX = "/v1/"
GATEWAY_RESPONSES = "x-amazon-apigateway-gateway-responses"
_PREFLIGHT = "options"
_METHODS = {"get", "put", "post", "delete", "head", "patch", ANY_METHOD}
_KEY, _PLAIN, _EITHER = "api_key", "PlainKey", "KeyOrBearer"


@record
class Authorizer:
    """The function that passes keys on: its address for API Gateway, and the role that may call it.

    `says_why` tells that it says why it refuses a key: the event has not started, or is paused.
    """

    uri: str
    role: str
    says_why: bool = False


def require_keys(
    document: Mapping[str, Any], authorizer: Authorizer, *, joins: bool = False
) -> dict[str, Any]:
    """Returns the document with a key required for every method but the public ones, joining among them.

    A whole API has one key source. `HEADER` would read `x-api-key` and nothing else; with `AUTHORIZER` a
    function passes the key on, and API Gateway itself checks it, its limits and its team.
    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-key-source.html

    Args:
        document: The OpenAPI document of the API.
        authorizer: The function that passes keys on.
        joins: Whether teams may join; that takes no key.
    """
    responses = document[GATEWAY_RESPONSES]
    refused = {"ACCESS_DENIED": build_denial()} if authorizer.says_why else {}
    return {
        **document,
        "x-amazon-apigateway-api-key-source": "AUTHORIZER",
        # An unknown key is answered like a missing one.
        GATEWAY_RESPONSES: {**responses, **refused, "INVALID_API_KEY": responses["UNAUTHORIZED"]},
        "components": {"securitySchemes": _build_schemes(authorizer)},
        "paths": {
            path: item if joins and path == JOIN_PATH else _secure(path, item)
            for path, item in document["paths"].items()
        },
    }


def is_public(path: str, method: str) -> bool:
    """Returns whether the method is answered without a key."""
    return path in PUBLIC_PATHS or method == _PREFLIGHT


def _secure(path: str, item: PathItem) -> PathItem:
    """Lets OpenAI's paths, and those below an entry, take either header: its clients send only a bearer.

    API Gateway requires the authorizer and the key though OpenAPI reads two items as alternatives: AWS SAM
    writes them so, and its integration tests call the result on AWS.
    Source: https://github.com/aws/serverless-application-model (integration/combination,
    test_api_with_authorizer_apikey.py)
    """
    scheme = _EITHER if path.startswith(OPENAI_PREFIX) or path == ANY_PATH else _PLAIN
    security: dict[str, Any] = {"security": [{scheme: []}, {_KEY: []}]}
    return {
        method: {**operation, **security} if method in _METHODS and not is_public(path, method) else operation
        for method, operation in item.items()
    }


def _build_schemes(authorizer: Authorizer) -> dict[str, Any]:
    """Builds the key itself, and two ways to one function.

    API Gateway asks the first way once for each key, remembers the answer, and does not ask without the
    header. It can remember only by a header that is present, so the way that takes either header is asked
    on every call. As in AWS SAM, an authorizer of requests has the header `Unused`: its identity source
    alone says what it reads, and only the key itself has the header of keys.
    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions-authorizer.html
    """
    key = {"type": "apiKey", "name": KEY_HEADER, "in": "header"}
    unused = {**key, "name": "Unused"}
    remembered = {
        "identitySource": f"method.request.header.{KEY_HEADER}",
        "authorizerResultTtlInSeconds": CACHE_SECONDS,
    }
    return {
        _KEY: key,
        _PLAIN: {**unused, **_authorized(authorizer, remembered)},
        _EITHER: {**unused, **_authorized(authorizer, {"authorizerResultTtlInSeconds": 0})},
    }


def _authorized(authorizer: Authorizer, more: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "x-amazon-apigateway-authtype": "custom",
        "x-amazon-apigateway-authorizer": {
            "type": "request",
            "authorizerUri": authorizer.uri,
            "authorizerCredentials": authorizer.role,
            **more,
        },
    }


def announce_end(document: Mapping[str, Any], ends: datetime) -> dict[str, Any]:
    """Returns the document with `x-event-ends` on every answer except those that functions make themselves.

    API Gateway cannot compute the time that is left, so the header gives the instant, not a duration.
    """
    instant = render_instant(ends)
    return {
        **document,
        GATEWAY_RESPONSES: {
            kind: _mapped(response, "gatewayresponse", instant)
            for kind, response in document[GATEWAY_RESPONSES].items()
        },
        "paths": {
            path: {method: _with_header(operation, instant) for method, operation in item.items()}
            for path, item in document["paths"].items()
        },
    }


def _with_header(operation: Operation, instant: str) -> Operation:
    integration = operation[INTEGRATION]
    if "responses" not in integration:
        return {**operation}
    answers = {
        pattern: _with_header_in_answer(response, instant)
        for pattern, response in integration["responses"].items()
    }
    return {
        **operation,
        "responses": {status: _declared(response) for status, response in operation["responses"].items()},
        INTEGRATION: {**integration, "responses": answers},
    }


def _with_header_in_answer(response: Mapping[str, Any], instant: str) -> dict[str, Any]:
    """Sets the header in the template where a template makes the answer, else by mapping."""
    templates = response.get("responseTemplates")
    if templates is None:
        return _mapped(response, "method.response", instant)
    header = render_header(ENDS_HEADER, f'"{instant}"')
    return {**response, "responseTemplates": {media: header + text for media, text in templates.items()}}


def _mapped(response: Mapping[str, Any], where: str, instant: str) -> dict[str, Any]:
    parameters = {**response.get("responseParameters", {}), f"{where}.header.{ENDS_HEADER}": f"'{instant}'"}
    return {**response, "responseParameters": parameters}


def _declared(response: Mapping[str, Any]) -> dict[str, Any]:
    """Declares the header where headers are mapped; those that a template sets need no declaration."""
    if "headers" not in response:
        return {**response}
    return {**response, "headers": {**response["headers"], ENDS_HEADER: {"schema": {"type": "string"}}}}

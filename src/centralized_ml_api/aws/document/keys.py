"""Keys in the document: which methods ask for one, and where API Gateway takes it from. Pure.

One key source counts for a whole API. With `HEADER` it would be `x-api-key` and nothing else; with
`AUTHORIZER` a function gives the key on, and API Gateway checks it, its limits and its team by itself.
Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-key-source.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from centralized_ml_api.api.keys import KEY_HEADER
from centralized_ml_api.api.paths import PUBLIC_PATHS

if TYPE_CHECKING:
    from collections.abc import Mapping

CACHE_SECONDS = 300
"""How long API Gateway remembers what a key may call. Whether the key is valid it asks anew each time."""

OPENAI_PREFIX = "/v1/"
_PREFLIGHT = "options"
_METHODS = {"get", "put", "post", "delete", "head", "patch", "x-amazon-apigateway-any-method"}
_KEY, _PLAIN, _EITHER = "api_key", "plain-key", "key-or-bearer"


@dataclass(frozen=True, slots=True)
class Authorizer:
    """The function that gives keys on: its address for API Gateway, and the role that may call it."""

    uri: str
    role: str


def ask_for_keys(document: Mapping[str, Any], authorizer: Authorizer) -> dict[str, Any]:
    """The document, with every method but the public ones asking for a key."""
    responses = document["x-amazon-apigateway-gateway-responses"]
    return {
        **document,
        "x-amazon-apigateway-api-key-source": "AUTHORIZER",
        # A key that nobody has is answered like none at all.
        "x-amazon-apigateway-gateway-responses": {**responses, "INVALID_API_KEY": responses["UNAUTHORIZED"]},
        "components": {"securitySchemes": _build_schemes(authorizer)},
        "paths": {path: _path(path, item) for path, item in document["paths"].items()},
    }


def is_public(path: str, method: str) -> bool:
    """Whether the method is answered without a key."""
    return path in PUBLIC_PATHS or method == _PREFLIGHT


def _path(path: str, item: Mapping[str, Any]) -> dict[str, Any]:
    """OpenAI's clients know `Authorization: Bearer` alone, so their paths take either."""
    scheme = _EITHER if path.startswith(OPENAI_PREFIX) else _PLAIN
    security: dict[str, Any] = {"security": [{scheme: [], _KEY: []}]}
    return {
        method: {**operation, **security} if method in _METHODS and not is_public(path, method) else operation
        for method, operation in item.items()
    }


def _build_schemes(authorizer: Authorizer) -> dict[str, Any]:
    """The key itself, and two ways to one function.

    The first is asked once for each key and then remembered, and never without the header. What is
    remembered needs a header that is there, so the way that takes either header cannot be.
    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions-authorizer.html
    """
    key = {"type": "apiKey", "name": KEY_HEADER, "in": "header"}
    remembered = {
        "identitySource": f"method.request.header.{KEY_HEADER}",
        "authorizerResultTtlInSeconds": CACHE_SECONDS,
    }
    return {
        _KEY: key,
        _PLAIN: {**key, **_authorized(authorizer, remembered)},
        _EITHER: {**key, "name": "Unused", **_authorized(authorizer, {"authorizerResultTtlInSeconds": 0})},
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

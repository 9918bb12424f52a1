"""From the public document to the one that API Gateway imports.

What API Gateway does not act on (samples, bodies, schemas, texts) is left out: the document counts against
the size of the template.
Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from centralized_ml_api.api.media import BINARY_MEDIA_TYPES
from centralized_ml_api.api.openapi import build_header_parameter
from centralized_ml_api.aws.document.direct import build_direct
from centralized_ml_api.aws.document.function import build_function
from centralized_ml_api.aws.document.gateway_responses import build_gateway_responses
from centralized_ml_api.aws.document.mocks import (
    MODEL_METHODS,
    build_other_methods,
    build_preflight,
    build_refusal,
)
from centralized_ml_api.plan.aws.model import DirectRoute, FunctionRoute, RefusedRoute

if TYPE_CHECKING:
    from collections.abc import Sequence

    from centralized_ml_api.plan.aws.model import Route

ANY_METHOD = "x-amazon-apigateway-any-method"


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the routes lead, by their names: SageMaker's endpoint names and the functions' ARNs.

    `service` is `arn:<partition>:apigateway:<region>`; `role` is the ARN of the role that calls them.
    """

    service: str
    role: str
    endpoints: Mapping[str, str]
    functions: Mapping[str, str]


def extend_document(
    public: Mapping[str, Any], routes: Sequence[Route], addresses: Addresses
) -> dict[str, Any]:
    """The document for API Gateway.

    Args:
        public: the participants' document.
        routes: one for each path `/{name}` of it.
        addresses: where they lead.
    """
    paths = {f"/{route.name}": _path(public, route, addresses) for route in routes}
    return {
        "openapi": public["openapi"],
        "info": {"title": public["info"]["title"], "version": public["info"]["version"]},
        "x-amazon-apigateway-binary-media-types": list(BINARY_MEDIA_TYPES),
        "x-amazon-apigateway-gateway-responses": build_gateway_responses(list(paths)),
        "paths": {**paths, **_everything_else()},
    }


def _path(public: Mapping[str, Any], route: Route, addresses: Addresses) -> dict[str, Any]:
    operation = public["paths"][f"/{route.name}"]["post"]
    return {
        "post": {"operationId": operation["operationId"], **_post(route, addresses)},
        "options": build_preflight(),
        ANY_METHOD: build_other_methods(MODEL_METHODS),
    }


def _post(route: Route, addresses: Addresses) -> dict[str, Any]:
    match route:
        case DirectRoute(name, headers=headers):
            path = f"path/endpoints/{addresses.endpoints[name]}/invocations"
            return build_direct(f"{addresses.service}:runtime.sagemaker:{path}", addresses.role, headers)
        case FunctionRoute(name):
            path = f"path/2015-03-31/functions/{addresses.functions[name]}/invocations"
            return build_function(f"{addresses.service}:lambda:{path}", addresses.role)
        case RefusedRoute(message=message):
            return build_refusal(message)


def _everything_else() -> dict[str, Any]:
    """A preflight succeeds on any path, so that a page is shown the 404 of the call that follows."""
    proxy = {**build_header_parameter("proxy"), "in": "path", "required": True}
    return {
        "/": {"options": build_preflight()},
        "/{proxy+}": {"options": {"parameters": [proxy], **build_preflight()}},
    }

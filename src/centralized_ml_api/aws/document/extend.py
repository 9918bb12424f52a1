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
from centralized_ml_api.api.paths import HEALTH_PATH
from centralized_ml_api.aws.document.direct import build_direct
from centralized_ml_api.aws.document.ending import announce_end
from centralized_ml_api.aws.document.function import build_function
from centralized_ml_api.aws.document.gateway_responses import build_gateway_responses
from centralized_ml_api.aws.document.health import build_health_path
from centralized_ml_api.aws.document.keys import Authorizer, ask_for_keys
from centralized_ml_api.aws.document.mocks import (
    MODEL_METHODS,
    build_other_methods,
    build_preflight,
)
from centralized_ml_api.aws.document.openai import build_openai_paths, list_openai_calls
from centralized_ml_api.aws.document.stored import StoredDocument, build_stored_paths
from centralized_ml_api.aws.document.stream import build_stream
from centralized_ml_api.plan.aws.types import DirectRoute, FunctionRoute, StreamRoute

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from centralized_ml_api.plan.aws.types import Route
    from centralized_ml_api.plan.speaks import OpenAiModels

ANY_METHOD = "x-amazon-apigateway-any-method"


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the routes lead, by their names: SageMaker's endpoint names and the functions' ARNs.

    `service` is `arn:<partition>:apigateway:<region>`; `role` is the ARN of the role that calls them;
    `stream` is the ARN of the function that streams and answers `/health`; `authorizer` gives the keys
    of callers on, None where nobody needs one.
    """

    service: str
    role: str
    endpoints: Mapping[str, str]
    functions: Mapping[str, str]
    stream: str
    stored: tuple[StoredDocument, ...] = ()
    authorizer: Authorizer | None = None


def extend_document(
    public: Mapping[str, Any],
    routes: Sequence[Route],
    addresses: Addresses,
    openai: OpenAiModels,
    ends: datetime | None = None,
) -> dict[str, Any]:
    """The document for API Gateway.

    Args:
        public: the participants' document.
        routes: one for each path `/{name}` of it.
        addresses: where they lead.
        openai: the entries under `/v1`.
        ends: when the event does, which every answer then says.
    """
    document = _open_document(public, routes, addresses, openai)
    if addresses.authorizer:
        document = ask_for_keys(document, addresses.authorizer)
    return announce_end(document, ends) if ends else document


def _open_document(
    public: Mapping[str, Any], routes: Sequence[Route], addresses: Addresses, openai: OpenAiModels
) -> dict[str, Any]:
    """What everybody may call."""
    paths = {f"/{route.name}": _path(public, route, addresses) for route in routes}
    own = (f"GET {one.document.path}" for one in addresses.stored)
    calls = [
        *(f"POST {path}" for path in sorted(paths)),
        *list_openai_calls(openai),
        *own,
        f"GET {HEALTH_PATH}",
    ]
    stored = build_stored_paths(addresses.stored, addresses.service, addresses.role)
    return {
        "openapi": public["openapi"],
        "info": {"title": public["info"]["title"], "version": public["info"]["version"]},
        "x-amazon-apigateway-binary-media-types": list(BINARY_MEDIA_TYPES),
        "x-amazon-apigateway-gateway-responses": build_gateway_responses(calls),
        "paths": {
            **paths,
            **build_openai_paths(public, openai, _stream(addresses)),
            **stored,
            HEALTH_PATH: build_health_path(_stream(addresses)),
            **_everything_else(),
        },
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
        case StreamRoute():
            return _stream(addresses)


def _stream(addresses: Addresses) -> dict[str, Any]:
    return build_stream(addresses.service, addresses.stream, addresses.role)


def _everything_else() -> dict[str, Any]:
    """A preflight succeeds on any path, so that a page is shown the 404 of the call that follows."""
    proxy = {**build_header_parameter("proxy"), "in": "path", "required": True}
    return {"/{proxy+}": {"options": {"parameters": [proxy], **build_preflight()}}}

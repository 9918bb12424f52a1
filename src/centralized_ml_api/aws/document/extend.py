"""Builds the document that API Gateway imports from the public one.

It leaves out what API Gateway does not act on (samples, bodies, schemas, texts), because the document counts
against the size of the template.
Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any

from centralized_ml_api.api.http import (
    BINARY_MEDIA_TYPES,
    HEALTH_PATH,
    JOIN_PATH,
    USAGE_PATH,
)
from centralized_ml_api.api.openapi import build_header_parameter
from centralized_ml_api.aws.document.event import (
    GATEWAY_RESPONSES,
    Authorizer,
    announce_end,
    require_keys,
)
from centralized_ml_api.aws.document.gateway_responses import build_gateway_responses
from centralized_ml_api.aws.document.integrations import (
    ANY_METHOD,
    build_function,
    build_path,
    build_preflight,
    build_sagemaker,
    build_stream,
)
from centralized_ml_api.aws.document.other_paths import ANY_PATH, list_calls
from centralized_ml_api.aws.document.own_paths import (
    StoredDocument,
    build_health_path,
    build_job_paths,
    build_openai_paths,
    build_stored_paths,
)
from centralized_ml_api.plan.aws.types import DirectRoute, FunctionRoute, StreamRoute
from centralized_ml_api.plan.types import GATEWAY_TIMEOUT_SECONDS
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from centralized_ml_api.aws.document.integrations import Operation
    from centralized_ml_api.plan.aws.types import Route
    from centralized_ml_api.plan.speaks import OpenAiModels


@record
class Addresses:
    """Where the routes lead, by their names: SageMaker's endpoint names and the functions' ARNs.

    `service` is `arn:<partition>:apigateway:<region>`; `role` is the ARN of the role that calls them;
    `stream` is the ARN of the function that streams and answers `/health`; `authorizer` passes callers' keys
    on, None where nobody needs a key. `timeout_seconds` is how long the API waits
    for what does not stream. `components` are the inference components of endpoints whose models may sleep.
    With `tells_usage`, that function also tells teams what they have used; with `has_jobs`, callers need not
    wait for its answers. `joining` is the ARN of the
    function that lets teams join, and that of the role that calls it; None where nobody can.
    """

    service: str
    role: str
    endpoints: Mapping[str, str]
    functions: Mapping[str, str]
    stream: str
    stored: tuple[StoredDocument, ...] = ()
    authorizer: Authorizer | None = None
    timeout_seconds: int = GATEWAY_TIMEOUT_SECONDS
    components: Mapping[str, str] = field(default_factory=dict)
    tells_usage: bool = False
    has_jobs: bool = False
    joining: tuple[str, str] | None = None


def extend_document(
    public: Mapping[str, Any],
    routes: Sequence[Route],
    addresses: Addresses,
    openai: OpenAiModels,
    ends: datetime | None = None,
) -> dict[str, Any]:
    """Builds the document for API Gateway.

    Args:
        public: The participants' document.
        routes: One for each path `/{name}` of it.
        addresses: Where they lead.
        openai: The entries under `/v1`.
        ends: When the event ends, which every answer then says.
    """
    document = _extend_without_event(public, routes, addresses, openai)
    if addresses.authorizer:
        document = require_keys(document, addresses.authorizer, joins=addresses.joining is not None)
    return announce_end(document, ends) if ends else document


def _extend_without_event(
    public: Mapping[str, Any], routes: Sequence[Route], addresses: Addresses, openai: OpenAiModels
) -> dict[str, Any]:
    models = {}
    for route in routes:
        operation_id = public["paths"][f"/{route.name}"]["post"]["operationId"]
        post = {"operationId": operation_id, **_call_route(route, addresses)}
        models[f"/{route.name}"] = build_path({"post": post})
    stream = build_stream(addresses.service, addresses.stream, addresses.role)
    documents = (entry.document.path for entry in addresses.stored)
    names = (route.name for route in routes)
    calls = list_calls(
        names, openai, documents, tells_usage=addresses.tells_usage, has_jobs=addresses.has_jobs
    )
    return {
        "openapi": public["openapi"],
        "info": {"title": public["info"]["title"], "version": public["info"]["version"]},
        "x-amazon-apigateway-binary-media-types": list(BINARY_MEDIA_TYPES),
        GATEWAY_RESPONSES: build_gateway_responses(calls, addresses.timeout_seconds),
        "paths": {
            **models,
            **build_openai_paths(public, openai, stream),
            **build_stored_paths(
                addresses.stored, addresses.service, addresses.role, _post_to_join(addresses)
            ),
            HEALTH_PATH: build_health_path(stream),
            **({USAGE_PATH: build_path({"get": stream})} if addresses.tells_usage else {}),
            **(build_job_paths(stream) if addresses.has_jobs else {}),
            ANY_PATH: _build_other_paths(stream if openai.names else None),
        },
    }


def _build_other_paths(stream: Operation | None) -> Operation:
    """Builds what answers paths that are no resources: `stream`, where there are entries under `/v1`.

    Without it API Gateway answers them itself. A preflight succeeds on any path, so that a page is shown the
    404 of the call that follows.
    """
    proxy = {**build_header_parameter("proxy"), "in": "path", "required": True}
    others = {ANY_METHOD: {"parameters": [proxy], **stream}} if stream else {}
    return {"options": {"parameters": [proxy], **build_preflight()}, **others}


def _post_to_join(addresses: Addresses) -> dict[str, Operation]:
    """Builds what is posted to the path of a document: the call by which a team joins."""
    if addresses.joining is None:
        return {}
    function, role = addresses.joining
    called = build_function(_find_function(addresses, function), role, addresses.timeout_seconds)
    return {JOIN_PATH: {"operationId": "join", **called}}


def _find_function(addresses: Addresses, arn: str) -> str:
    return f"{addresses.service}:lambda:path/2015-03-31/functions/{arn}/invocations"


def _call_route(route: Route, addresses: Addresses) -> Operation:
    match route:
        case DirectRoute(name, headers=headers):
            path = f"path/endpoints/{addresses.endpoints[name]}/invocations"
            return build_sagemaker(
                f"{addresses.service}:runtime.sagemaker:{path}",
                addresses.role,
                headers,
                addresses.timeout_seconds,
                addresses.components.get(name, ""),
            )
        case FunctionRoute(name):
            uri = _find_function(addresses, addresses.functions[name])
            return build_function(uri, addresses.role, addresses.timeout_seconds)
        case StreamRoute():
            return build_stream(addresses.service, addresses.stream, addresses.role)

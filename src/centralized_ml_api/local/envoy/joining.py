"""The path at which teams join: its page, and the call that gets a key from `mlapi up` itself.

Neither needs a key. What the call sends is small, and no log has it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.api.documents import METHODS
from centralized_ml_api.api.http import JOIN_PATH
from centralized_ml_api.api.joining import BODY_BYTES
from centralized_ml_api.local.envoy.direct_responses import (
    build_405_route,
    build_document_routes,
    match_method,
)
from centralized_ml_api.local.envoy.headers import (
    SET_REQUEST_ID,
    build_header,
    build_request_mutations,
    build_response_headers,
    build_response_mutations,
)
from centralized_ml_api.local.envoy.rate_limits import THROTTLE_FILTER, build_join_limit
from centralized_ml_api.local.envoy.refused_bodies import build_large_refusal_for_model, refuse_without_length
from centralized_ml_api.local.envoy.route_action import HEADERS_FILTER, MUTATIONS_PER_ROUTE
from centralized_ml_api.local.envoy.settings import render_seconds
from centralized_ml_api.local.gateway import JOIN_ADDRESS_HEADER, JOIN_PROOF_HEADER

if TYPE_CHECKING:
    from centralized_ml_api.local.envoy.direct_responses import Route
    from centralized_ml_api.local.envoy.settings import Limits
    from centralized_ml_api.local.gateway import Door, Gateway

_SECONDS = 20.0
"""How long a team waits for its key: it is on the disk, and known to the gateway, before it is told."""


def build_joining(gateway: Gateway, limits: Limits) -> list[Route]:
    """Builds the routes of the path; none where nobody can join. Pure."""
    if gateway.door is None:
        return []
    path = {"path": JOIN_PATH}
    page, *_ = build_document_routes(document for document in gateway.documents if document.path == JOIN_PATH)
    post = {**path, "headers": [match_method("POST")]}
    return [
        page,
        build_large_refusal_for_model(post, BODY_BYTES, errors.INVALID_BODY, limits),
        refuse_without_length(post, errors.INVALID_BODY),
        {"match": post, **_build_call(gateway.door)},
        build_405_route(path, (*METHODS, "POST", "OPTIONS")),
        {
            "match": {"path": f"{JOIN_PATH}/"},
            "redirect": {"path_redirect": JOIN_PATH, "response_code": "PERMANENT_REDIRECT"},
            "response_headers_to_add": build_response_headers(),
        },
    ]


def _build_call(door: Door) -> dict[str, Any]:
    """Sends the door nothing of the caller's but the body and where it comes from."""
    own = {
        JOIN_PROOF_HEADER: door.token,
        JOIN_ADDRESS_HEADER: "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%",
    }
    mutations = {
        "request_mutations": [
            *build_request_mutations(()),
            *({"append": build_header(name, value)} for name, value in own.items()),
            SET_REQUEST_ID,
        ],
        "response_mutations": [
            *build_response_mutations(),
            {"append": build_header("cache-control", "no-store")},
        ],
    }
    return {
        "route": {
            "cluster": door.upstream.name,
            "host_rewrite_literal": "localhost",
            "timeout": render_seconds(_SECONDS),
        },
        "request_headers_to_remove": ["x-forwarded-proto"],
        "typed_per_filter_config": {
            HEADERS_FILTER: {"@type": MUTATIONS_PER_ROUTE, "mutations": mutations},
            THROTTLE_FILTER: build_join_limit(),
        },
    }

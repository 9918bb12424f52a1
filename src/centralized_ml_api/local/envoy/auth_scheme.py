"""Reads `authorization: bearer KEY` and `BEARER  KEY` like `Bearer KEY`, which alone the key check knows.

The scheme's case does not matter, and more than one space may follow it. A call that spells it another way
takes a route of its own, which rewrites the header; then the route is chosen again. Other calls pay nothing.
Source: RFC 9110, section 11.4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.local.envoy.admission import ADMISSION_FILTER, UNREAD_FILTER
from centralized_ml_api.local.envoy.anthropic_errors import BELOW_ENTRIES
from centralized_ml_api.local.envoy.direct_responses import build_error_route
from centralized_ml_api.local.envoy.route_action import (
    FILTER_ENABLED,
    HEADERS_FILTER,
    METADATA_FILTER,
    QUERY_FILTER,
    RESPONSE_FILTER,
    with_filter_config,
)
from centralized_ml_api.local.envoy.usual_headers import USUAL_HEADERS_FILTER

if TYPE_CHECKING:
    from centralized_ml_api.local.envoy.direct_responses import Route
    from centralized_ml_api.local.gateway import Gateway

SCHEME_FILTER = "scheme"
REWRITE_SCHEME = """
function envoy_on_request(request_handle)
  local headers = request_handle:headers()
  headers:replace("authorization", (string.gsub(headers:get("authorization"), "^%a+ +", "Bearer ")))
end
"""

_OTHER_SPELLINGS: tuple[list[dict[str, Any]], ...] = (
    [
        {
            "name": "authorization",
            "string_match": {"prefix": "Bearer "},
            "invert_match": True,
            "treat_missing_header_as_empty": True,
        },
        {"name": "authorization", "string_match": {"safe_regex": {"regex": "(?i:bearer) +[^ ].*"}}},
    ],
    [{"name": "authorization", "string_match": {"prefix": "Bearer  "}}],
)
_BELOW_V1: tuple[dict[str, Any], ...] = ({"prefix": "/v1/"}, BELOW_ENTRIES)
"""Where a body chooses the route."""


def build_scheme_routes(gateway: Gateway) -> list[Route]:
    """Builds the routes of other spellings, to stand before those that check a key; none without teams. Pure.

    Filters are chosen with the first route of a call, so these have all that the second may need: a call that
    is not asked about gets round every limit. Where the second route has no terms, nothing is asked.
    """
    if not gateway.needs_key:
        return []
    names = (
        SCHEME_FILTER,
        QUERY_FILTER,
        HEADERS_FILTER,
        USUAL_HEADERS_FILTER,
        RESPONSE_FILTER,
        ADMISSION_FILTER,
    )
    filters = dict.fromkeys(names, FILTER_ENABLED)
    below_v1 = {**filters, **dict.fromkeys((METADATA_FILTER, UNREAD_FILTER), FILTER_ENABLED)}
    routes = []
    for headers in _OTHER_SPELLINGS:
        for paths, chosen in (*((below, below_v1) for below in _BELOW_V1), ({"prefix": "/"}, filters)):
            match = {**paths, "headers": headers}
            routes.append(with_filter_config(build_error_route(match, errors.UNAUTHORIZED), chosen))
    return routes

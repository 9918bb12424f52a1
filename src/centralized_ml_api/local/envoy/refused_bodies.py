"""Reads the body of a call that is refused, so that its caller gets to read why.

Many clients send a whole body before they read a single byte of the response. Envoy refuses a call at once
and then stops reading: such a client blocks, and two seconds later its connection is reset. A body that fits
into the kernel's buffers does no harm. A larger one is read and dropped as it comes, in constant memory, by
these routes and scripts, and then the call is refused.
Source: https://github.com/envoyproxy/envoy/issues/13781
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.local.envoy.api_keys import (
    KEY_FILTER,
    build_key_check,
    is_restricted,
    match_no_key_of,
)
from centralized_ml_api.local.envoy.direct_responses import build_error_route
from centralized_ml_api.local.envoy.route_action import (
    BODY_SIZE_FILTER,
    BUFFER_FILTER,
    FILTER_DISABLED,
    FILTER_ENABLED,
    LUA_PER_ROUTE,
    with_filter_config,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from centralized_ml_api.local.envoy.direct_responses import Route
    from centralized_ml_api.local.envoy.settings import Limits
    from centralized_ml_api.local.gateway import Gateway

DRAIN_FILTER = "drain"
WAIT_FILTER = "wait"
"""Drops the body as it comes; holds the call until nothing more comes. They are the first two filters."""

UNDROPPED_BYTES = 1024 * 1024
"""What is held of a body beyond what is dropped; Envoy's one limit, so a refusal's own text must fit too."""

_LARGE_BYTES = 64 * 1024
"""From here on a body may not fit into the buffers of the kernel."""

_BUFFER_PER_ROUTE = {"@type": "type.googleapis.com/envoy.extensions.filters.http.buffer.v3.BufferPerRoute"}
_CUT = "cut"
_DROP = """
function envoy_on_request(request_handle)
  local left = {dropped}
  for chunk in request_handle:bodyChunks() do
    left = left - chunk:length()
    if left >= 0 then chunk:setBytes("") end
  end
end
"""
_CUT_OFF = """
function envoy_on_request(request_handle)
  local room, left, over = {limit}, {dropped}, false
  for chunk in request_handle:bodyChunks() do
    local length = chunk:length()
    left = left - length
    if over and length == 0 then
      chunk:setBytes("!")
    elseif length > room and left >= 0 then
      chunk:setBytes(chunk:getBytes(0, room))
      room, over = 0, true
    else
      room = room - length
    end
  end
end
"""
"""Lets a body of unknown length pass up to the limit, drops the rest, and only then goes over the limit."""

MAYBE_LARGE = {
    "name": "content-length",
    "range_match": {"start": 0, "end": _LARGE_BYTES},
    "invert_match": True,
    "treat_missing_header_as_empty": True,
}
"""Matches all calls but those whose body says that it is small."""

NO_LENGTH = {"name": "content-length", "present_match": True, "invert_match": True}
"""Matches calls without a body, or with a chunked one: Envoy hides `Transfer-Encoding` from routes."""

DROPPING = {DRAIN_FILTER: FILTER_ENABLED, WAIT_FILTER: FILTER_ENABLED}
"""For a route that refuses: reads the body, drops it, and goes on when it has ended."""

CUTTING = {DRAIN_FILTER: {**LUA_PER_ROUTE, "name": _CUT}}
"""For a route that takes bodies without a length: one that is too large is refused when it has ended."""


def build_drain_scripts(limits: Limits) -> dict[str, Any]:
    """Builds the options of the Lua filter that drops bodies, or their end. Pure."""
    numbers = {"limit": limits.body_bytes, "dropped": limits.dropped_bytes}
    return {
        "default_source_code": {"inline_string": _DROP.format_map(numbers)},
        "source_codes": {_CUT: {"inline_string": _CUT_OFF.format_map(numbers)}},
    }


def build_large_refusals(gateway: Gateway, limits: Limits) -> list[Route]:
    """Builds the routes that refuse large bodies of those who may not call. Pure.

    They stand before all that looks at the body's length. A body that says to be larger than even
    `dropped_bytes` is not read: no route here matches it, and a filter refuses it at once.
    """
    routes: list[Route] = []
    large = [{"prefix": "/", "headers": [match]} for match in _match_large(limits)]
    if gateway.needs_key:
        for name in sorted(route.name for route in gateway.routes):
            if is_restricted(gateway.teams, name):
                allowed = [team for team in gateway.teams if team.may_call(name)]
                check = {KEY_FILTER: build_key_check(gateway.teams, name)}
                refusals = _refuse(_add_headers(large, match_no_key_of(allowed)), errors.NOT_ALLOWED)
                routes += [
                    with_filter_config(
                        {**route, "name": name, "match": {"headers": route["match"]["headers"], **at}}, check
                    )
                    for route in refusals
                    for at in ({"path": f"/{name}"}, {"prefix": f"/{name}/v1/"})
                ]
        routes += _refuse(_add_headers(large, match_no_key_of(gateway.teams)), errors.UNAUTHORIZED)
    return routes


def build_too_large_refusals(limits: Limits) -> list[Route]:
    """Builds the route that refuses bodies that are too large for all entries. Pure."""
    return _refuse([{"prefix": "/", "headers": [match_too_large(limits)]}], body_too_large(limits))


def take_large(route: Route, limit_bytes: int, limits: Limits) -> Route:
    """Returns a route for bodies that are larger than others may be, and say so. Pure.

    What is above its own limit must be refused by a route before it. A body without a length is watched by
    filters that know one limit for all routes.

    Args:
        route: The route of the model.
        limit_bytes: The largest body for the model.
        limits: Those of the gateway.
    """
    match = route["match"]
    is_large = match_too_large(limits)
    held_bytes = limits.response_bytes + limit_bytes
    narrow = {**route, "match": {**match, "headers": [*match["headers"], is_large]}}
    buffer = {**_BUFFER_PER_ROUTE, "buffer": {"max_request_bytes": held_bytes}}
    allowed = {BODY_SIZE_FILTER: FILTER_DISABLED, BUFFER_FILTER: buffer}
    return {**with_filter_config(narrow, allowed), "request_body_buffer_limit": held_bytes}


def refuse_large_too(route: Route, limits: Limits) -> list[Route]:
    """Returns a route that answers by itself, behind two that read a large body first. Pure."""
    match = route["match"]
    headers = match.get("headers", [])
    large = [{**match, "headers": [*headers, matcher]} for matcher in _match_large(limits)]
    return [*(with_filter_config({**route, "match": match}, DROPPING) for match in large), route]


def build_large_refusal_for_model(
    match: dict[str, Any], limit_bytes: int, error: errors.ApiError, limits: Limits
) -> Route:
    """Builds the route that refuses what is too large for one model, to stand before its own. Pure.

    Args:
        match: What the model's own route matches.
        limit_bytes: The largest body for the model.
        error: The refusal.
        limits: Those of the gateway.
    """
    (route,) = _refuse(_add_headers([match], [match_length(limit_bytes + 1, limits)]), error)
    return route


def refuse_without_length(match: dict[str, Any], error: errors.ApiError) -> Route:
    """Builds the route that refuses bodies of unknown length, to stand before one that takes them. Pure."""
    (route,) = _refuse(_add_headers([match], [NO_LENGTH]), error)
    return route


def body_too_large(limits: Limits) -> errors.ApiError:
    """Builds the 413 that names the limit. Pure."""
    megabytes = limits.body_bytes // (1024 * 1024)
    return errors.BODY_TOO_LARGE.with_message("over_limit", megabytes=megabytes, bytes=limits.body_bytes)


def _refuse(matches: Iterable[dict[str, Any]], error: errors.ApiError) -> list[Route]:
    """Builds routes that read the body; then a filter of the table refuses the call, or else this error."""
    return [with_filter_config(build_error_route(match, error), DROPPING) for match in matches]


def _add_headers(matches: Iterable[dict[str, Any]], more: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**match, "headers": [*match["headers"], *more]} for match in matches]


def _match_large(limits: Limits) -> list[dict[str, Any]]:
    return [match_length(_LARGE_BYTES, limits), NO_LENGTH]


def match_too_large(limits: Limits) -> dict[str, Any]:
    """Matches bodies that say to be larger than most entries take. Pure."""
    return match_length(limits.body_bytes + 1, limits)


def match_length(start: int, limits: Limits) -> dict[str, Any]:
    """Matches bodies that say to have that many bytes or more, as far as they are read at all. Pure."""
    return {"name": "content-length", "range_match": {"start": start, "end": limits.dropped_bytes + 1}}

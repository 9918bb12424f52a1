"""Which filters the route table enables for every route that does not say otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from centralized_ml_api.api.event_end import ENDS_HEADER, render_instant
from centralized_ml_api.api.notices import build_message_headers
from centralized_ml_api.local.envoy.api_keys import (
    KEY_FILTER,
    TEAM_FILTER,
    build_key_check,
)
from centralized_ml_api.local.envoy.headers import build_header
from centralized_ml_api.local.envoy.rate_limits import LEFT_FILTER, build_left_headers, drop_own_headers
from centralized_ml_api.local.envoy.route_action import (
    BODY_SIZE_FILTER,
    BUFFER_FILTER,
    FILTER_ENABLED,
    HEADERS_FILTER,
    MUTATIONS_PER_ROUTE,
)

if TYPE_CHECKING:
    from centralized_ml_api.local.gateway import Gateway


def build_default_filters(gateway: Gateway) -> dict[str, Any]:
    """Enables filters for every route that does not say otherwise.

    The body of every call with a valid key is read to its end before anything else is decided: see
    `refused_bodies`. Every response names the instant at which the API ends, and has the message to all, even
    a response of a filter.
    A route's own mutations come first and these of the whole table last.
    Source: https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/http/http_filters/header_mutation_filter
    """
    told = {ENDS_HEADER: render_instant(gateway.ends)} if gateway.ends else {}
    for name, value in build_message_headers(gateway.message).items():
        told[name] = value.replace("%", "%%")  # a format of Envoy's
    left = build_left_headers(gateway)
    response_mutations = [{"append": build_header(name, value)} for name, value in told.items()]
    response_mutations += drop_own_headers() if left else []
    mutations = {HEADERS_FILTER: response_mutations, LEFT_FILTER: left}
    headers = {
        name: {"@type": MUTATIONS_PER_ROUTE, "mutations": {"response_mutations": own}}
        for name, own in mutations.items()
        if own
    }
    keys = (
        {KEY_FILTER: build_key_check(gateway.teams), TEAM_FILTER: FILTER_ENABLED} if gateway.needs_key else {}
    )
    bodies = dict.fromkeys((BODY_SIZE_FILTER, BUFFER_FILTER), FILTER_ENABLED)
    return {**headers, **keys, **bodies}

"""The route table of the calls that jobs make: models alone, no keys, no rates."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from centralized_ml_api.local.envoy.admission import build_limits_metadata
from centralized_ml_api.local.envoy.anthropic_errors import with_anthropic_errors
from centralized_ml_api.local.envoy.api_keys import TEAM_FILTER, build_credential_removal
from centralized_ml_api.local.envoy.closed import build_team_pauses
from centralized_ml_api.local.envoy.jobs import JOB_TABLE_NAME, build_team_refusals
from centralized_ml_api.local.envoy.openai import build_openai_routes
from centralized_ml_api.local.envoy.route_action import (
    BODY_SIZE_FILTER,
    BUFFER_FILTER,
    FILTER_ENABLED,
    HEADERS_FILTER,
    MUTATIONS_PER_ROUTE,
)
from centralized_ml_api.local.envoy.routes import (
    DIRECT_RESPONSE_BYTES,
    ROUTE_CONFIG,
    build_calls,
    build_unknown_path_route,
)

if TYPE_CHECKING:
    from centralized_ml_api.local.envoy.direct_responses import Route
    from centralized_ml_api.local.envoy.settings import Limits
    from centralized_ml_api.local.gateway import Gateway

_NEVER_MET = {HTTPStatus.OK, HTTPStatus.METHOD_NOT_ALLOWED}


def build_job_table(gateway: Gateway, limits: Limits) -> dict[str, Any]:
    """Builds the table of the calls that jobs make: models alone, no keys, no rates. Pure.

    Who calls is in the team's header, which nobody but `mlapi up` can set there.
    """
    models, below, large = build_calls(gateway, limits)
    guarded = [
        *build_team_pauses(gateway, limits),  # first: a paused team may call nothing, but only for now
        *build_team_refusals(gateway),
        *filter(_may_be_met, (*large, *models, *build_openai_routes(gateway, limits), *below)),
        build_unknown_path_route(gateway),
    ]
    bodies = dict.fromkeys((BODY_SIZE_FILTER, BUFFER_FILTER), FILTER_ENABLED)
    team = {TEAM_FILTER: FILTER_ENABLED} if gateway.needs_key else {}
    own = {"request_mutations": build_credential_removal()}
    return {
        "@type": ROUTE_CONFIG,
        "name": JOB_TABLE_NAME,
        "max_direct_response_body_size_bytes": DIRECT_RESPONSE_BYTES,
        "typed_per_filter_config": {
            HEADERS_FILTER: {"@type": MUTATIONS_PER_ROUTE, "mutations": own},
            **team,
            **bodies,
        },
        "virtual_hosts": [
            {
                "name": "api",
                "domains": ["*"],
                "request_body_buffer_limit": limits.response_bytes,
                **build_limits_metadata(gateway),
                "routes": [each for route in guarded for each in with_anthropic_errors(route)],
            }
        ],
    }


def _may_be_met(route: Route) -> bool:
    """Returns whether a job's call may come to a route: to no list, and to nothing that was told at once."""
    status = route.get("direct_response", {}).get("status")
    was_told = status == HTTPStatus.NOT_FOUND and "dynamic_metadata" in route["match"]
    return status not in _NEVER_MET and not was_told

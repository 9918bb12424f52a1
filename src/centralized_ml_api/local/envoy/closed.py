"""What calls to models get while these are closed: before the start of the event, and in a pause.

Documents can be read meanwhile. A call with a body that is too large may be told that first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from centralized_ml_api.api.event_start import METHOD, build_start_headers, not_started
from centralized_ml_api.local.envoy.api_keys import match_callers
from centralized_ml_api.local.envoy.direct_responses import (
    answer_callers,
    build_error_route,
    build_paused_route,
    match_method,
)
from centralized_ml_api.local.envoy.entry_paths import list_entry_paths
from centralized_ml_api.local.envoy.headers import build_header
from centralized_ml_api.local.envoy.refused_bodies import refuse_large_too

if TYPE_CHECKING:
    from centralized_ml_api.local.envoy.direct_responses import Route
    from centralized_ml_api.local.envoy.settings import Limits
    from centralized_ml_api.local.gateway import Gateway


def build_refusals_before_start(gateway: Gateway) -> list[Route]:
    """Builds what calls to models get until the event starts. Pure."""
    if gateway.starts is None:
        return []
    models = sorted(f"/{route.name}" for route in gateway.routes)
    refusals = [
        build_error_route({"path": path, "headers": [match_method(METHOD)]}, not_started(gateway.starts))
        for path in (*models, *gateway.by_model, *list_entry_paths(gateway))
    ]
    headers = [build_header(name, value) for name, value in build_start_headers(gateway.starts)]
    for refusal in refusals:
        refusal["response_headers_to_add"] += headers
    return refusals


def build_pause(name: str, gateway: Gateway) -> list[Route]:
    """Builds what calls at the paths of one entry get while it is paused; nothing while it is not. Pure."""
    if name not in gateway.paused:
        return []
    own = [path for path in list_entry_paths(gateway) if path.startswith(f"/{name}/")]
    posts: list[dict[str, Any]] = [
        {"path": path, "headers": [match_method(METHOD)]} for path in (f"/{name}", *own)
    ]
    return [{"name": name, **build_paused_route(post, gateway.paused[name])} for post in posts]


def build_team_pauses(gateway: Gateway, limits: Limits) -> list[Route]:
    """Builds what paused teams get for each call, to stand before all that takes calls. Pure.

    A call whose key no matcher here finds, such as one that has the header twice, meets the key check of
    each entry: a paused team may call none.
    """
    return [
        route
        for team in gateway.teams
        if team.paused is not None
        for refusal in answer_callers(
            [build_paused_route({"prefix": "/", "headers": [match_method(METHOD)]}, team.paused)],
            match_callers([team]),
        )
        for route in refuse_large_too(refusal, limits)
    ]

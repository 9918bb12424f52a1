"""Splits the first route of a call by what it is like, so that only calls that need a filter pay for it.

The filters of a call are chosen with its first route.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from centralized_ml_api.local.envoy.refused_bodies import CUTTING, NO_LENGTH
from centralized_ml_api.local.envoy.route_action import FILTER_ENABLED, QUERY_FILTER, with_filter_config

if TYPE_CHECKING:
    from centralized_ml_api.local.envoy.direct_responses import Route

HAS_QUERY = {"name": ":path", "string_match": {"contains": "?"}}
"""Matches calls with a query."""


def split_calls(route: Route, *, drops_query: bool = True) -> list[Route]:
    """Returns the route behind those for bodies without a length, which Lua watches, and for queries. Pure.

    A model behind the API never sees a query. Envoy appends the query to every rewritten path, so a line of
    Lua removes it first.

    Args:
        route: It has headers to match.
        drops_query: Whether the server gets no query.
    """
    no_query = {QUERY_FILTER: FILTER_ENABLED} if drops_query else {}
    chunked = match_also(route, [NO_LENGTH], {**CUTTING, **no_query})
    return [chunked, *([match_also(route, [HAS_QUERY], no_query)] if drops_query else []), route]


def match_also(route: Route, headers: list[dict[str, Any]], filters: dict[str, Any]) -> Route:
    """Returns the route of only those calls that match further headers. Pure.

    Args:
        route: It has headers to match.
        headers: What else must match.
        filters: The filters of these calls, besides those of the route: name → configuration.
    """
    match = {**route["match"], "headers": [*route["match"]["headers"], *headers]}
    return with_filter_config({**route, "match": match}, filters)

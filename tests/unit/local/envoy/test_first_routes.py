"""Only calls that need a script begin on a route that enables it."""

from __future__ import annotations

from typing import Any

import pytest

from centralized_ml_api.local.envoy.direct_responses import match_method
from centralized_ml_api.local.envoy.first_routes import HAS_QUERY, split_calls
from centralized_ml_api.local.envoy.refused_bodies import DRAIN_FILTER, NO_LENGTH
from centralized_ml_api.local.envoy.route_action import QUERY_FILTER
from centralized_ml_api.local.envoy.routes import build_routes
from centralized_ml_api.local.envoy.settings import Limits
from centralized_ml_api.local.gateway import Gateway, ServedRoute, Upstream
from support.route_table import list_routes

POST = match_method("POST")
ROUTE: dict[str, Any] = {"match": {"path": "/chat", "headers": [POST]}, "route": {"cluster": "chat"}}


def show(routes: list[dict[str, Any]]) -> list[tuple[list[dict[str, Any]], set[str]]]:
    """What each matches besides the method, and the scripts that it enables."""
    scripts = {QUERY_FILTER, DRAIN_FILTER}
    return [
        (
            [header for header in route["match"]["headers"] if header != POST],
            scripts & route.get("typed_per_filter_config", {}).keys(),
        )
        for route in routes
    ]


def test_a_script_is_enabled_for_queries_and_for_bodies_without_a_length() -> None:
    assert show(split_calls(ROUTE)) == [
        ([NO_LENGTH], {DRAIN_FILTER, QUERY_FILTER}),
        ([HAS_QUERY], {QUERY_FILTER}),
        ([], set()),
    ]


def test_a_server_that_gets_the_query_needs_no_script_for_it() -> None:
    assert show(split_calls(ROUTE, drops_query=False)) == [([NO_LENGTH], {DRAIN_FILTER}), ([], set())]


@pytest.mark.parametrize("path", ["/chat", "/v1/chat/completions", "/chat/v1/chat/completions"])
def test_the_first_route_of_an_ordinary_call_enables_no_script_for_queries(path: str) -> None:
    chat = ServedRoute("chat", "chat", "/v1/chat/completions", ())
    gateway = Gateway((Upstream("chat", (1,)),), (chat,), by_model={"/v1/chat/completions": (chat,)})
    own = [
        route
        for route in list_routes(build_routes(gateway, Limits()))
        if route["match"].get("path") == path and POST in route["match"].get("headers", ())
    ]
    firsts = [route for route in own if "dynamic_metadata" not in route["match"]]
    assert show(firsts)[-3:] == show(split_calls(ROUTE))

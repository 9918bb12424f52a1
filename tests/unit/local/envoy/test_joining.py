"""The routes by which teams join, and that nothing else is open while nobody has."""

from __future__ import annotations

import json
from typing import Any

from centralized_ml_api.api.documents import ServedDocument
from centralized_ml_api.api.joining import BODY_BYTES
from centralized_ml_api.local.envoy.api_keys import KEY_FILTER
from centralized_ml_api.local.envoy.rate_limits import LIMITED_STATUS, THROTTLE_FILTER
from centralized_ml_api.local.envoy.route_action import FILTER_DISABLED, HEADERS_FILTER
from centralized_ml_api.local.envoy.routes import build_routes
from centralized_ml_api.local.envoy.settings import Limits
from centralized_ml_api.local.gateway import (
    JOIN_ADDRESS_HEADER,
    JOIN_PROOF_HEADER,
    Door,
    Gateway,
    ServedRoute,
    Upstream,
)
from support.route_table import list_routes

DOOR = Door(7777, "t0ken")
CHAT = ServedRoute("chat", "up", "/invocations", ())
PAGE = ServedDocument("/join", "text/html; charset=utf-8", "<p>100 %</p>", (("x-frame-options", "DENY"),))
GATEWAY = Gateway((Upstream("up", (1,)), DOOR.upstream), (CHAT,), documents=(PAGE,), door=DOOR)


def table(gateway: Gateway = GATEWAY) -> dict[str, Any]:
    return build_routes(gateway, Limits())


def headers_of(added: list[dict[str, Any]]) -> dict[str, str]:
    return {option["header"]["key"]: option["header"]["value"] for option in added}


def routes_of(path: str, gateway: Gateway = GATEWAY) -> list[dict[str, Any]]:
    return [route for route in list_routes(table(gateway)) if route["match"].get("path") == path]


def test_a_key_is_asked_for_before_anybody_has_joined() -> None:
    assert table()["typed_per_filter_config"][KEY_FILTER]["credentials"] == []
    closed = [route for route in routes_of("/chat") if "route" in route]
    assert closed
    assert all(KEY_FILTER not in route["typed_per_filter_config"] for route in closed)
    assert KEY_FILTER not in table(Gateway((), (CHAT,)))["typed_per_filter_config"]


def test_joining_takes_no_key_and_sends_the_door_the_address_and_its_token() -> None:
    routes = routes_of("/join")
    assert all(route["typed_per_filter_config"][KEY_FILTER] == FILTER_DISABLED for route in routes)
    (call,) = [route for route in routes if "route" in route]
    assert call["match"]["headers"] == [{"name": ":method", "string_match": {"exact": "POST"}}]
    assert call["route"]["cluster"] == DOOR.upstream.name == "/join"
    mutations = call["typed_per_filter_config"][HEADERS_FILTER]["mutations"]
    values = headers_of([sent["append"] for sent in mutations["request_mutations"] if "append" in sent])
    assert values[JOIN_PROOF_HEADER] == "t0ken"
    assert values[JOIN_ADDRESS_HEADER] == "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%"
    first, *_ = mutations["request_mutations"]
    assert "remove_on_match" in first, "whatever a caller sends of these is gone before"
    back = headers_of([sent["append"] for sent in mutations["response_mutations"] if "append" in sent])
    assert back["cache-control"] == "no-store"


def test_what_is_too_large_or_of_unknown_length_never_gets_to_the_door() -> None:
    page, large, chunked, call, *others = routes_of("/join")
    assert large["match"]["headers"][1]["range_match"]["start"] == BODY_BYTES + 1
    assert chunked["match"]["headers"][1] == {
        "name": "content-length",
        "present_match": True,
        "invert_match": True,
    }
    assert [route["direct_response"]["status"] for route in (page, large, chunked)] == [200, 400, 400]
    assert {other["direct_response"]["status"] for other in others} == {405}
    assert "route" in call
    assert headers_of(others[-1]["response_headers_to_add"])["allow"] == "GET, HEAD, POST, OPTIONS"
    assert headers_of(page["response_headers_to_add"])["x-frame-options"] == "DENY"


def test_without_places_there_is_no_such_path() -> None:
    assert routes_of("/join", Gateway((), (CHAT,))) == []


def test_the_token_is_in_no_text_that_python_shows() -> None:
    assert "t0ken" not in repr(GATEWAY)
    assert "t0ken" in json.dumps(table())


def test_each_address_may_ask_to_join_so_often_and_takes_nothing_from_the_models() -> None:
    (call,) = [route for route in routes_of("/join") if "route" in route]
    limit = call["typed_per_filter_config"][THROTTLE_FILTER]
    (bucket,) = limit["descriptors"]
    assert bucket["entries"] == [{"key": "masked_remote_address"}], "each value has a bucket of its own"
    assert bucket["token_bucket"] == {"max_tokens": 100, "tokens_per_fill": 5000, "fill_interval": "1000s"}
    (rate_limit,) = limit["rate_limits"]
    assert rate_limit["actions"] == [
        {"masked_remote_address": {"v4_prefix_mask_len": 32, "v6_prefix_mask_len": 64}}
    ]
    assert headers_of(limit["response_headers_to_add"]) == {"retry-after": "1"}
    assert limit["status"]["code"] == 421
    assert sorted(LIMITED_STATUS.values()) == sorted(set(LIMITED_STATUS.values())), "each says whose limit"


def test_a_slash_at_the_end_leads_to_the_page() -> None:
    (slash,) = [route for route in routes_of("/join/") if not route["match"].get("headers")]
    assert slash["redirect"] == {"path_redirect": "/join", "response_code": "PERMANENT_REDIRECT"}
    assert slash["typed_per_filter_config"][KEY_FILTER] == FILTER_DISABLED
    assert routes_of("/join/", Gateway((), (CHAT,))) == []

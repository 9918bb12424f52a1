"""What is paused, and what is said to everybody, in the route table."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from centralized_ml_api.api.notices import Message
from centralized_ml_api.api.openai import CHAT_PATH
from centralized_ml_api.local.envoy.routes import build_routes
from centralized_ml_api.local.envoy.settings import Limits
from centralized_ml_api.local.gateway import Gateway, ServedRoute, TeamAccess, Upstream
from support.route_table import list_routes

CHAT, ECHO = ServedRoute("chat", "chat@1", "/chat", ()), ServedRoute("echo", "echo@1", "/echo", ())
GATEWAY = Gateway(
    (Upstream("chat@1", (7000,)), Upstream("echo@1", (7001,))),
    (CHAT, ECHO),
    by_model={CHAT_PATH: (replace(CHAT, rewrite=CHAT_PATH), replace(ECHO, rewrite=CHAT_PATH))},
)


def routes(gateway: Gateway) -> list[dict[str, Any]]:
    return list_routes(build_routes(gateway, Limits()))


def paused(gateway: Gateway) -> list[tuple[str, str]]:
    """The paths at which calls are paused, with the entry, in the order of the table."""
    return [
        (route["match"]["path"], route["name"])
        for route in routes(gateway)
        if "have paused" in json.dumps(route.get("direct_response", {}))
    ]


def test_an_entry_is_paused_at_each_of_its_paths_and_no_other_is() -> None:
    assert paused(GATEWAY) == []
    closed = replace(GATEWAY, paused={"echo": ""})
    assert set(paused(closed)) == {
        ("/echo", "echo"),
        (f"/echo{CHAT_PATH}", "echo"),
        (CHAT_PATH, "echo"),
    }


def test_its_refusal_comes_before_where_its_calls_would_go() -> None:
    found = routes(replace(GATEWAY, paused={"echo": ""}))
    for path in ("/echo", CHAT_PATH, f"/echo{CHAT_PATH}"):
        own = [route for route in found if route["match"].get("path") == path and route.get("name") == "echo"]
        assert own[0]["direct_response"]["status"] == 503, path


def test_callers_get_the_words_as_they_are_and_sdks_do_not_try_again() -> None:
    closed = replace(GATEWAY, paused={"echo": 'Back at "14:00" … 100 % {sure}'})
    route = next(route for route in routes(closed) if route["match"].get("path") == "/echo")
    text = route["direct_response"]["body_format"]["text_format_source"]["inline_string"].replace("%%", "%")
    error = json.loads(text)["error"]
    told = 'The organizers have paused this for now: Back at "14:00" … 100 % {sure}'
    assert (error["code"], error["message"]) == ("paused", told)
    headers = {
        header["header"]["key"]: header["header"]["value"] for header in route["response_headers_to_add"]
    }
    assert (headers["retry-after"], headers["x-should-retry"]) == ("60", "false")


def test_a_team_that_may_not_call_it_is_still_told_that() -> None:
    red = TeamAccess("red", ("key",), ("chat",))
    closed = replace(GATEWAY, paused={"echo": ""}, teams=(red,))
    route = next(route for route in routes(closed) if route["match"].get("path") == "/echo")
    assert route["typed_per_filter_config"]["key"]["allowed_clients"] == ["/"]


RED, BLUE = TeamAccess("red", ("mlapi_red",), paused="see us"), TeamAccess("blue", ("mlapi_blue",))


def test_a_paused_team_is_told_so_wherever_its_key_is_and_before_its_body_counts() -> None:
    found = routes(replace(GATEWAY, teams=(RED, BLUE)))
    told = [index for index, route in enumerate(found) if "see us" in json.dumps(route)]
    callers = {
        header["name"]: header["string_match"]["safe_regex"]["regex"]
        for index in told
        for header in found[index]["match"]["headers"]
        if "safe_regex" in header.get("string_match", {})
    }
    assert callers == {
        "x-api-key": "mlapi_red",
        "authorization": "(?i:bearer) +(?:mlapi_red)",
        "x-mlapi-team": "red",
    }
    assert {found[index]["direct_response"]["status"] for index in told} == {503}
    posts = [
        {"name": ":method", "string_match": {"exact": "POST"}} in found[at]["match"]["headers"] for at in told
    ]
    assert all(posts), "documents can be read meanwhile"
    first_call = next(index for index, route in enumerate(found) if route["match"].get("path") == "/chat")
    too_large = next(index for index, route in enumerate(found) if "body_too_large" in json.dumps(route))
    assert max(told) < min(first_call, too_large)


def test_a_paused_team_passes_no_key_check_of_an_entry() -> None:
    found = routes(replace(GATEWAY, teams=(RED, BLUE)))
    calls = [route for route in found if route["match"].get("path") == "/chat" and "route" in route]
    assert calls
    assert {tuple(call["typed_per_filter_config"]["key"]["allowed_clients"]) for call in calls} == {("blue",)}
    by_model = [route for route in found if route["match"].get("path") == CHAT_PATH]
    refused = [route for route in by_model if "x-mlapi-team" in json.dumps(route["match"])]
    assert {route["name"] for route in refused} == {"chat", "echo"}
    untouched = routes(replace(GATEWAY, teams=(replace(RED, paused=None), BLUE)))
    assert "allowed_clients" not in json.dumps(untouched)


def test_health_says_so() -> None:
    found = routes(replace(GATEWAY, paused={"echo": "why"}))
    health = next(route for route in found if route["match"].get("path") == "/health")
    text = health["direct_response"]["body_format"]["text_format_source"]["inline_string"]
    assert '"unready": {"echo": "is paused"}' in text
    assert "why" not in text


def test_the_message_is_on_every_answer_in_ascii() -> None:
    table = build_routes(
        replace(GATEWAY, message=Message("Mittag: Käse, 5 %", datetime(2030, 6, 1, 12, tzinfo=UTC))), Limits()
    )
    mutations = table["typed_per_filter_config"]["headers"]["mutations"]["response_mutations"]
    assert [mutation["append"]["header"] for mutation in mutations] == [
        {"key": "x-event-message", "value": "Mittag: K%%C3%%A4se, 5 %%25"},
        {"key": "x-event-message-time", "value": "2030-06-01T12:00:00Z"},
    ]

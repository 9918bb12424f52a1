"""In the tree, each call meets the route that it would meet in one list, in which the first match counts."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING

from centralized_ml_api.api.documents import ServedDocument
from centralized_ml_api.api.http import HEALTH_PATH, PUBLIC_PATHS, USAGE_PATH
from centralized_ml_api.local.admission.terms import TEAM_HEADER, EntryTerms
from centralized_ml_api.local.envoy.anthropic_errors import with_anthropic_errors
from centralized_ml_api.local.envoy.auth_scheme import build_scheme_routes
from centralized_ml_api.local.envoy.closed import build_team_pauses
from centralized_ml_api.local.envoy.headers import PATH_HEADER
from centralized_ml_api.local.envoy.jobs import (
    build_job_routes,
    build_large_job_routes,
    build_lookup_routes,
    build_own_job_routes,
)
from centralized_ml_api.local.envoy.openai import build_openai_routes
from centralized_ml_api.local.envoy.refused_bodies import build_large_refusals, build_too_large_refusals
from centralized_ml_api.local.envoy.routes import build_calls, build_routes, build_unknown_path_route
from centralized_ml_api.local.envoy.settings import Limits
from centralized_ml_api.local.gateway import Door, Gateway, RefusedRoute, ServedRoute, TeamAccess, Upstream
from centralized_ml_api.plan.event import Throttle
from support.route_search import Headers, Json, find, header_matches, matches
from support.route_table import list_routes

if TYPE_CHECKING:
    from collections.abc import Iterator

LIMITS = Limits()
LARGE = LIMITS.body_bytes * 2
CHAT, HEAR, MESSAGES = "/v1/chat/completions", "/v1/audio/transcriptions", "/v1/messages"
JOBS = Door(7777, "t0ken", "/jobs")
CHATS = ServedRoute("chat", "up", CHAT, (), admission=EntryTerms(body_limit_bytes=100_000))
GATEWAY = Gateway(
    (Upstream("up", (1,)), JOBS.upstream),
    (
        CHATS,
        ServedRoute("echo", "up", "/echo", ()),
        ServedRoute("hear", "up", "/invocations", (), body_limit_bytes=LARGE),
        ServedRoute("later", "up", "/invocations", ()),
        RefusedRoute("gone", "no"),
    ),
    by_model={
        CHAT: (CHATS, ServedRoute("later", "up", CHAT, ())),
        HEAR: (ServedRoute("hear", "up", HEAR, (), body_limit_bytes=LARGE),),
        MESSAGES: (ServedRoute("chat", "up", MESSAGES, ()),),
    },
    aliases={"gpt": "chat"},
    documents=(ServedDocument("/", "text/html", "page"), ServedDocument("/models", "text/plain", "list")),
    teams=(
        TeamAccess("red", ("red-key",), throttle=Throttle(1, 2)),
        TeamAccess("blue", ("blue-key",), ("echo", "hear")),
        TeamAccess("grey", ("grey-key",), paused="later"),
    ),
    paused={"later": "at noon"},
    jobs=JOBS,
)
DOCUMENTS = {"/", "/models", HEALTH_PATH, USAGE_PATH}

VALUES: dict[str, tuple[str | None, ...]] = {
    ":method": ("POST", "GET", "HEAD", "DELETE", "OPTIONS"),
    "content-length": ("9", None, "70000", "100001", str(LIMITS.body_bytes + 1), str(LARGE + 1)),
    "prefer": (None, "respond-async"),
    "x-api-key": ("red-key", "blue-key", "grey-key", None, "wrong"),
    "authorization": (None, "bearer red-key", "Bearer  red-key", "Bearer red-key", "Basic eA=="),
    TEAM_HEADER: ("red", "blue", "grey", None),
    "body:model": (None, "chat", "later", "hear", "echo", "gpt", "none"),
    "body:stream": (None, "true"),
}
AROUND: tuple[dict[str, str], ...] = (
    {},
    {"prefer": "respond-async"},
    {"prefer": "respond-async", "body:model": "gpt"},
    {"prefer": "respond-async", "body:model": "hear", "content-length": str(LARGE)},
    {"body:model": "chat", "body:stream": "true", "x-api-key": "blue-key", TEAM_HEADER: "blue"},
    {":method": "PATCH", "content-length": "70000", "x-api-key": "wrong"},
)
"""What else a call may have than what a route asks for."""


def plain(route: Json | None) -> Json:
    """Leaves out the filters, which are added wherever a route is."""
    return {name: value for name, value in (route or {}).items() if name != "typed_per_filter_config"}


def list_in_order(table: Json) -> list[Json]:
    """The list. Documents are looked up by their paths alone: they are taken from the table."""
    models, below, larger = build_calls(GATEWAY, LIMITS)
    documents = [route for route in list_routes(table) if route["match"].get("path") in DOCUMENTS]
    guarded = [
        *build_scheme_routes(GATEWAY),
        *build_team_pauses(GATEWAY, LIMITS),
        *build_large_refusals(GATEWAY, LIMITS),
        *build_large_job_routes(GATEWAY, LIMITS),
        *larger,
        *build_too_large_refusals(LIMITS),
        *build_own_job_routes(GATEWAY, LIMITS),
        *build_job_routes(GATEWAY, LIMITS),
        *models,
        *build_openai_routes(GATEWAY, LIMITS),
        *(route for route in documents if route["match"]["path"] not in PUBLIC_PATHS),
        *build_lookup_routes(GATEWAY),
        *below,
        build_unknown_path_route(GATEWAY),
    ]
    preflight = [
        route
        for route in list_routes(table)
        for header in route["match"].get("headers", [])
        if header.get("string_match") == {"exact": "OPTIONS"}
    ]
    public = [route for route in documents if route["match"]["path"] in PUBLIC_PATHS]
    return [*preflight, *public, *(each for route in guarded for each in with_anthropic_errors(route))]


def is_at(route: Json, path: str) -> bool:
    """Whether the route has the path, whatever else it asks for."""
    at = {
        name: value for name, value in route["match"].items() if name not in {"headers", "dynamic_metadata"}
    }
    return matches(at, {":path": path})


def list_calls(route: Json, path: str) -> Iterator[Headers]:
    """Calls at a path that a route takes if none before it does."""
    wanted = route["match"].get("headers", [])
    query = "?a=b" if any(header["name"] == ":path" for header in wanted) else ""
    for around in AROUND:
        headers = {":path": path + query, PATH_HEADER: path}
        for name, values in VALUES.items():
            own = [header for header in wanted if header["name"] == name]
            for value in (around.get(name, values[0]), *values):
                known = {} if value is None else {name: value}
                if all(header_matches(header, known) for header in own):
                    headers |= known
                    break
        for model, stream in itertools.product(VALUES["body:model"], VALUES["body:stream"]):
            more = {"body:model": model, "body:stream": stream}
            call = headers | {name: value for name, value in more.items() if value is not None}
            if matches(route["match"], call):
                yield call
                if "dynamic_metadata" not in route["match"]:
                    break


def test_every_route_takes_the_calls_that_it_takes_in_a_list() -> None:
    table = build_routes(GATEWAY, LIMITS)
    (host,) = table["virtual_hosts"]
    routes = list_in_order(table)
    own = {f"/{route.name}" for route in GATEWAY.routes}
    own |= {route["match"]["path"] for route in routes if "path" in route["match"]}
    met = []
    for path in (*own, "/v1/jobs/j", "/none", "/v1/none", f"{MESSAGES}/none", "/chat/v1/none", "/chatter"):
        tried = [route for route in routes if is_at(route, path)]
        for headers in (headers for route in tried for headers in list_calls(route, path)):
            first = next(route for route in tried if matches(route["match"], headers))
            assert plain(find({"matcher": host["matcher"]}, headers)) == plain(first), headers
            met.append(id(first))
    of_jobs = [route for route in routes if route.get("route", {}).get("cluster") == JOBS.upstream.name]
    assert len(of_jobs) > len(GATEWAY.routes)
    assert {id(route) for route in of_jobs} <= set(met)


def test_every_route_of_the_list_is_in_the_tree() -> None:
    table = build_routes(GATEWAY, LIMITS)
    placed = [plain(route) for route in list_routes(table)]
    assert [plain(route) for route in list_in_order(table) if plain(route) not in placed] == []


def test_a_call_that_asks_to_be_answered_later_meets_the_routes_of_its_path_alone() -> None:
    (host,) = build_routes(replace(GATEWAY, teams=()), LIMITS)["virtual_hosts"]
    for path, model in ((CHAT, "gpt"), (f"/chat{CHAT}", "any"), ("/echo", None)):
        asked = {":method": "POST", ":path": path, PATH_HEADER: path, "prefer": "respond-async"}
        for length in ({}, {"content-length": "9"}):
            unread = find({"matcher": host["matcher"]}, asked | length)
            read = find(
                {"matcher": host["matcher"]}, asked | length | ({"body:model": model} if model else {})
            )
            assert read is not None
            assert read["route"]["cluster"] == JOBS.upstream.name
            assert (unread is read) is (model is None)


def test_conditions_read_headers_alone() -> None:
    (host,) = build_routes(GATEWAY, LIMITS)["virtual_hosts"]
    inputs = list(list_inputs(host["matcher"]))
    assert {each["typed_config"]["@type"].rpartition(".")[2] for each in inputs} == {
        "HttpRequestHeaderMatchInput"
    }


def list_inputs(tree: object) -> Iterator[Json]:
    """What the conditions and the lookups of a tree read; its routes read what they like."""
    if isinstance(tree, list):
        for each in tree:
            yield from list_inputs(each)
    elif isinstance(tree, dict):
        for name, value in tree.items():
            if name == "input":
                yield value
            elif name != "action":
                yield from list_inputs(value)

"""Which routes have the usual lists of headers, and which their own; which filters a call needs for that."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from centralized_ml_api.local.admission.terms import LLAMA_CPP, EntryTerms
from centralized_ml_api.local.envoy.api_keys import KEY_HEADERS
from centralized_ml_api.local.envoy.auth_scheme import SCHEME_FILTER
from centralized_ml_api.local.envoy.headers import JSON_CONTENT_TYPE, LIST_MARK
from centralized_ml_api.local.envoy.listener import build_connection_manager
from centralized_ml_api.local.envoy.route_action import (
    HEADERS_FILTER,
    METADATA_FILTER,
    RESPONSE_FILTER,
    build_route_action,
)
from centralized_ml_api.local.envoy.routes import build_routes
from centralized_ml_api.local.envoy.settings import Limits
from centralized_ml_api.local.envoy.usual_headers import APPLY_USUAL, USUAL_HEADERS_FILTER, are_usual
from centralized_ml_api.local.gateway import (
    Attempt,
    Door,
    ExternalUpstream,
    Gateway,
    ProviderAccess,
    ServedRoute,
    Signing,
    TeamAccess,
    Translation,
    Upstream,
)
from support.route_table import list_routes
from unit.local.envoy.test_golden import SETTINGS

CHAT, HEAR = "/v1/chat/completions", "/v1/audio/transcriptions"
LIMITS = Limits()
USUAL = ServedRoute("usual", "up", CHAT, ())
LISTING = ServedRoute("listing", "up", CHAT, ("X-Custom",))
FUNCTION = ServedRoute("function", "up", None, None)
JOBS = Door(7777, "t0ken", "/jobs")
GATEWAY = Gateway(
    (Upstream("up", (1,)), JOBS.upstream),
    (USUAL, LISTING, FUNCTION),
    by_model={CHAT: (USUAL, LISTING), HEAR: (replace(USUAL, rewrite=HEAR),)},
    jobs=JOBS,
)
KEYED = replace(GATEWAY, teams=(TeamAccess("red", ("red-key",)),))
CREDENTIALS = [*KEY_HEADERS, "x-mlapi-team"]


def filters_of(route: dict[str, Any]) -> dict[str, Any]:
    config: dict[str, Any] = route.get("typed_per_filter_config", {})
    return config


def routes_of(gateway: Gateway, upstream: str = "up") -> list[dict[str, Any]]:
    routes = list_routes(build_routes(gateway, LIMITS))
    return [route for route in routes if route.get("route", {}).get("cluster") == upstream]


def removed_by(route: dict[str, Any]) -> list[str]:
    mutations = filters_of(route)[HEADERS_FILTER]["mutations"]["request_mutations"]
    return [each["remove"] for each in mutations if "remove" in each]


@pytest.mark.parametrize(
    ("configured", "usual"),
    [
        ((), "usual"),
        (("Accept", "CONTENT-TYPE"), "usual"),
        (("X-Custom",), "own"),
        (("Accept", "X-Id"), "own"),
    ],
)
def test_a_list_is_usual_that_adds_nothing(configured: tuple[str, ...], usual: str) -> None:
    assert are_usual(configured) == (usual == "usual")


def test_the_lists_are_said_once_however_many_entries_have_them() -> None:
    many = tuple(replace(USUAL, name=f"usual-{number}") for number in range(9))
    served = Gateway((Upstream("up", (1,)),), many, by_model={CHAT: many, HEAR: many})
    assert LIST_MARK not in json.dumps(build_routes(served, LIMITS), separators=(",", ":"))
    assert all(filters_of(route)[USUAL_HEADERS_FILTER] == APPLY_USUAL for route in routes_of(served))


def test_the_filter_passes_a_call_by_unless_its_last_route_says_otherwise() -> None:
    names = [each["name"] for each in build_connection_manager(SETTINGS)["http_filters"]]
    place = names.index(USUAL_HEADERS_FILTER)
    # What a route adds to a response is added later, and what the filter removes was added before.
    assert names[place - 1 : place + 2] == [HEADERS_FILTER, USUAL_HEADERS_FILTER, RESPONSE_FILTER]
    config = build_connection_manager(SETTINGS)["http_filters"][place]["typed_config"]
    assert config["xds_matcher"]["on_no_match"]["action"]["name"] == "skip"
    assert "on_no_match" not in APPLY_USUAL["xds_matcher"]


ANTHROPIC = Translation("anthropic-messages", "openai-chat", "max_tokens", takes_stream_options=True)
IN_TURN = (Attempt("usual", "/usual"), Attempt("other", "/other"))
PROVIDER = ExternalUpstream("up", "p.example", 443, tls=True, provider=ProviderAccess("x-api-key", "", None))
SAGEMAKER = ExternalUpstream("up", "s.example", 443, tls=True, signing=Signing("eu-west-1", Path("/keys")))


@pytest.mark.parametrize("external", [PROVIDER, SAGEMAKER])
def test_hosted_models_have_the_usual_lists_too(external: ExternalUpstream) -> None:
    filters = filters_of(build_route_action(USUAL, {"up": external}, LIMITS))
    assert filters[USUAL_HEADERS_FILTER] == APPLY_USUAL
    assert HEADERS_FILTER not in filters


@pytest.mark.parametrize(
    ("route", "external"),
    [
        (FUNCTION, None),
        (LISTING, None),
        (replace(USUAL, translation=ANTHROPIC), None),
        (replace(USUAL, attempts=IN_TURN), None),
        (LISTING, PROVIDER),
    ],
)
def test_every_other_route_says_itself_what_passes(
    route: ServedRoute, external: ExternalUpstream | None
) -> None:
    built = build_route_action(route, {external.name: external} if external else {}, LIMITS)
    assert USUAL_HEADERS_FILTER not in filters_of(built)
    assert filters_of(built)[HEADERS_FILTER]["mutations"]["request_mutations"]


def test_a_server_elsewhere_that_nobody_hosts_has_the_usual_lists() -> None:
    external = ExternalUpstream("up", "box.example", 8000, tls=False)
    assert USUAL_HEADERS_FILTER in filters_of(build_route_action(USUAL, {"up": external}, LIMITS))


@pytest.mark.parametrize("route", [USUAL, LISTING])
def test_llama_cpp_is_not_told_what_the_caller_accepts(route: ServedRoute) -> None:
    others = build_route_action(replace(route, admission=EntryTerms(places=1)), {}, LIMITS)
    assert "accept" not in others["request_headers_to_remove"]
    asked = build_route_action(replace(route, admission=EntryTerms(body_rules=LLAMA_CPP)), {}, LIMITS)
    assert asked["request_headers_to_remove"] == [*others["request_headers_to_remove"], "accept"]


@pytest.mark.parametrize("route", [USUAL, LISTING])
def test_a_body_that_was_parsed_is_declared_json_by_the_route(route: ServedRoute) -> None:
    assert "request_headers_to_add" not in build_route_action(route, {}, LIMITS)
    reads = build_route_action(replace(route, reads_json=True), {}, LIMITS)
    assert reads["request_headers_to_add"] == [JSON_CONTENT_TYPE]
    paths = {CHAT: 0, HEAR: 0}
    for each in routes_of(GATEWAY):
        if each["match"]["path"] in paths:
            paths[each["match"]["path"]] += each.get("request_headers_to_add") == [JSON_CONTENT_TYPE]
    assert paths == {CHAT: 4, HEAR: 0}, "of both models, streams and others; a form is no JSON"


@pytest.mark.parametrize(
    ("path", "filters"),
    [
        (CHAT, {HEADERS_FILTER, USUAL_HEADERS_FILTER}),
        (HEAR, {USUAL_HEADERS_FILTER}),
        (f"/usual{CHAT}", {USUAL_HEADERS_FILTER}),
        (f"/listing{CHAT}", {HEADERS_FILTER}),
    ],
)
def test_the_first_route_of_a_path_has_the_filters_that_any_other_may_need(
    path: str, filters: set[str]
) -> None:
    routes = [
        each for each in list_routes(build_routes(GATEWAY, LIMITS)) if each["match"].get("path") == path
    ]
    (first, *_) = (each for each in routes if METADATA_FILTER in filters_of(each))
    assert filters_of(first).keys() & {HEADERS_FILTER, USUAL_HEADERS_FILTER} == filters
    chosen = {name for each in routes if "route" in each for name in filters_of(each)}
    assert chosen & {HEADERS_FILTER, USUAL_HEADERS_FILTER} == filters


def test_a_key_that_is_spelled_otherwise_may_lead_to_any_route() -> None:
    spelled = [each for each in list_routes(build_routes(KEYED, LIMITS)) if SCHEME_FILTER in filters_of(each)]
    assert spelled
    assert all({HEADERS_FILTER, USUAL_HEADERS_FILTER} <= filters_of(each).keys() for each in spelled)


@pytest.mark.parametrize(("gateway", "removed"), [(GATEWAY, []), (KEYED, CREDENTIALS)])
def test_no_server_sees_a_key_that_the_gateway_checks(gateway: Gateway, removed: list[str]) -> None:
    own = [each for each in routes_of(gateway) if HEADERS_FILTER in filters_of(each)]
    assert {each["name"] for each in own} == {"function", "listing"}
    assert [removed_by(each) for each in own] == [removed] * len(own)

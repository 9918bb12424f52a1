"""What must hold for every route, whatever other features add."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from centralized_ml_api.local.admission.terms import EntryTerms, name_terms, parse_limits, parse_terms
from centralized_ml_api.local.envoy.admission import ADMISSION_FILTER
from centralized_ml_api.local.envoy.auth_scheme import SCHEME_FILTER
from centralized_ml_api.local.envoy.direct_responses import match_method
from centralized_ml_api.local.envoy.refused_bodies import DRAIN_FILTER, WAIT_FILTER
from centralized_ml_api.local.envoy.routes import build_routes
from centralized_ml_api.local.envoy.settings import Limits
from centralized_ml_api.local.envoy.translator import IS_NO_ATTEMPT
from centralized_ml_api.local.gateway import Attempt, Gateway, ServedRoute, TeamAccess, Upstream
from centralized_ml_api.plan.event import Spending
from support.route_table import list_routes

TERMS = EntryTerms(model="m", has_tokens=True, price=(1, 1, 1))
CHAT = ServedRoute("chat", "up", "/v1/chat/completions", (), admission=TERMS, counts_tokens=True)

CALLED = (match_method("POST"), match_method("GET"))
CALLER_HEADERS = {"x-api-key", "authorization", "x-mlapi-team"}
OF_BODIES = {DRAIN_FILTER, WAIT_FILTER}
"""Those that only tell a caller more kindly that a body is too large."""


def is_asked(route: dict[str, Any]) -> bool:
    """Whether the admission service is asked about calls on a route."""
    return "filter_context" in route["typed_per_filter_config"].get(ADMISSION_FILTER, {})


def test_no_route_to_a_model_passes_the_limits_by() -> None:
    large = replace(CHAT, name="large", body_limit_bytes=20 * 1024 * 1024)
    function = ServedRoute("function", "up", None, None, admission=EntryTerms(price=(1, 1, 1)))
    served = (CHAT, large, function, replace(CHAT, name="streams", streams=True))
    gateway = Gateway(
        (Upstream("up", (1,)),),
        served,
        by_model=dict.fromkeys(("/v1/chat/completions", "/v1/messages", "/v1/embeddings"), (CHAT, large)),
        teams=(TeamAccess("red", ("k",), spending=Spending(nanodollars=5)), TeamAccess("blue", ("l",))),
        pot=Spending(tokens=7),
    )
    table = build_routes(gateway, Limits())
    led = [route for route in list_routes(table) if "route" in route]
    assert len(led) > 10
    shared = table["virtual_hosts"][0]["metadata"]["filter_metadata"][ADMISSION_FILTER]["limits"]
    limits = parse_limits(shared)
    for route in led:
        question = route["typed_per_filter_config"][ADMISSION_FILTER]["filter_context"]
        told = route["metadata"]["filter_metadata"][ADMISSION_FILTER]["terms"]
        assert question == {"name": name_terms(told), "reads_body": True}
        terms = parse_terms(told)
        assert terms.limits_name == name_terms(shared)
        terms = terms.limited_by(limits)
        assert [limit.most for limit in terms.limits_of("red")] == [5, 7], json.dumps(route["match"])
        assert [limit.most for limit in terms.limits_of("blue")] == [7]


def test_only_routes_that_know_a_model_from_a_body_may_rewrite_it_without_a_question() -> None:
    hosted = replace(CHAT, admission=EntryTerms(model="org/own", body_rules="provider"))
    served = {"/v1/chat/completions": (hosted,)}
    routes = list_routes(build_routes(Gateway((Upstream("up", (1,)),), (hosted,), by_model=served), Limits()))
    asking = [route for route in routes if "route" in route and is_asked(route)]
    assert {route["match"]["path"] for route in asking} == {
        "/chat",
        "/v1/chat/completions",
        "/chat/v1/chat/completions",
    }
    for route in asking:
        told = route["metadata"]["filter_metadata"][ADMISSION_FILTER]
        name, knows_model = name_terms(told["terms"]), "dynamic_metadata" in route["match"]
        question = {"plain": name} if knows_model else {"name": name, "reads_body": True}
        assert route["typed_per_filter_config"][ADMISSION_FILTER]["filter_context"] == question
        assert ("plain" in told) == knows_model


@pytest.mark.parametrize(
    "path", ["/chat", "/v1/chat/completions", "/v1/messages", "/chat/v1/chat/completions", "/v1/usage"]
)
def test_a_key_that_is_spelled_otherwise_gets_round_no_filter(path: str) -> None:
    """The filters of a call are those of its first route, which reads the key and chooses the second."""
    red = TeamAccess("red", ("k",), requests_per_day=9, spending=Spending(nanodollars=5))
    served = dict.fromkeys(("/v1/chat/completions", "/v1/messages"), (CHAT,))
    gateway = Gateway((Upstream("up", (1,)),), (CHAT,), by_model=served, teams=(red,))
    routes = list_routes(build_routes(gateway, Limits()))
    spelled = [route for route in routes if SCHEME_FILTER in route.get("typed_per_filter_config", {})]
    assert len({json.dumps(route["match"]["headers"]) for route in spelled}) == 2
    for headers in (spelled[0]["match"]["headers"], spelled[-1]["match"]["headers"]):
        first = next(
            route for route in spelled if route["match"]["headers"] == headers and may_match(route, path)
        )
        then = [
            route
            for route in routes
            if route["match"].get("path") == path and route["match"].get("headers", [None])[0] in CALLED
        ]
        needed = {name for route in then for name in route["typed_per_filter_config"]} - OF_BODIES
        assert ADMISSION_FILTER in needed
        assert needed <= first["typed_per_filter_config"].keys()


def may_match(route: dict[str, Any], path: str) -> bool:
    match = route["match"]
    if "safe_regex" in match:
        return re.fullmatch(match["safe_regex"]["regex"], path) is not None
    if "path_separated_prefix" in match:
        return path.startswith(match["path_separated_prefix"])
    return path.startswith(match["prefix"])


def test_only_teams_with_limits_are_asked_about_where_nothing_else_is_asked() -> None:
    url = replace(CHAT, admission=EntryTerms(has_tokens=True, price=(1, 1, 1)))
    red = TeamAccess("red", ("k",), spending=Spending(nanodollars=5))
    blue = TeamAccess("blue", ("l+", "m"))
    upstreams, served = (Upstream("up", (1,)),), {"/v1/chat/completions": (url,)}
    gateway = Gateway(upstreams, (url,), by_model=served, teams=(red, blue))

    def unasked(gateway: Gateway) -> list[list[dict[str, Any]]]:
        """What calls have in common about which nothing is asked: headers that tell of their team."""
        routes = list_routes(build_routes(gateway, Limits()))
        led = [route["match"]["headers"] for route in routes if "route" in route and not is_asked(route)]
        found = [[header for header in headers if header["name"] in CALLER_HEADERS] for headers in led]
        return [headers for index, headers in enumerate(found) if headers not in found[:index]]

    first = {"name": "x-api-key", "string_match": {"safe_regex": {"regex": r"l\+|m"}}}
    second = {"name": "authorization", "string_match": {"safe_regex": {"regex": r"Bearer (?:l\+|m)"}}}
    without_first = {"name": "x-api-key", "present_match": True, "invert_match": True}
    known = {"name": "x-mlapi-team", "string_match": {"safe_regex": {"regex": "blue"}}}
    assert unasked(gateway) == [[first], [without_first, second], [known]]
    for asked in (
        replace(gateway, pot=Spending(tokens=7)),
        replace(gateway, teams=(red, replace(blue, requests_at_once=2))),
        replace(gateway, routes=(CHAT,), by_model={"/v1/chat/completions": (CHAT,)}),
    ):
        assert unasked(asked) == []


def test_a_call_of_a_team_without_limits_costs_what_it_costs_where_nobody_has_any() -> None:
    """Its route is the same, but for what says whose call it is."""
    blue = TeamAccess("blue", ("l",))

    def lead(admission: EntryTerms | None, spending: Spending) -> list[dict[str, Any]]:
        chat = replace(CHAT, admission=admission)
        teams = (TeamAccess("red", ("k",), spending=spending), blue)
        gateway = Gateway(
            (Upstream("up", (1,)),), (chat,), by_model={"/v1/chat/completions": (chat,)}, teams=teams
        )
        led = [route for route in list_routes(build_routes(gateway, Limits())) if "route" in route]
        return [without_caller(route) for route in led if not is_asked(route)]

    def without_caller(route: dict[str, Any]) -> dict[str, Any]:
        match = route["match"]
        headers = [header for header in match["headers"] if header["name"] not in CALLER_HEADERS]
        return {**route, "match": {**match, "headers": headers}}

    alone = lead(None, Spending())
    beside = lead(EntryTerms(has_tokens=True, price=(1, 1, 1)), Spending(nanodollars=5))
    assert alone
    assert all(route in beside for route in alone)
    assert all(route in alone for route in beside)


def test_who_has_others_to_fall_back_on_is_called_in_turn_unless_a_call_is_one_of_these() -> None:
    attempts = (Attempt("a", "/a/v1/chat/completions"), Attempt("b", "/b/v1/chat/completions", ("X-B",)))
    chat = ServedRoute("a", "one", "/chat", (), admission=EntryTerms(places=1), attempts=attempts)
    gateway = Gateway((Upstream("one", (1,)),), (chat,), by_model={"/v1/chat/completions": (chat,)})
    routes = list_routes(build_routes(gateway, Limits()))
    own = [route for route in routes if route["match"].get("path") == "/a" and "route" in route]
    assert {route["route"]["cluster"] for route in own} == {"translator"}
    for path in ("/v1/chat/completions", "/a/v1/chat/completions"):
        calls = [route for route in routes if route["match"].get("path") == path and "route" in route]
        assert [route["route"]["cluster"] for route in calls] == ["translator", "translator", "one", "one"]
        assert [IS_NO_ATTEMPT in route["match"]["headers"] for route in calls] == [True, True, False, False]
        assert [is_asked(route) for route in calls] == [False, False, True, True]  # who is admitted
        assert "/b/v1/chat/completions" in json.dumps(calls[0]["typed_per_filter_config"]["headers"])


def count_bytes(entries: int, teams: int) -> int:
    """How long a table is in which every team has limits."""
    routes = tuple(replace(CHAT, name=f"chat-{number:03}") for number in range(entries))
    limited = tuple(
        TeamAccess(f"team-{number:03}", (f"k{number:03}",), requests_at_once=3, spending=Spending(tokens=500))
        for number in range(teams)
    )
    paths = dict.fromkeys(("/v1/chat/completions", "/v1/messages"), routes)
    gateway = Gateway((Upstream("up", (1,)),), routes, by_model=paths, teams=limited)
    return len(json.dumps(build_routes(gateway, Limits())))


def test_a_team_with_limits_takes_as_much_of_a_table_of_many_entries_as_of_one_of_few() -> None:
    few, many = (count_bytes(entries, 40) - count_bytes(entries, 20) for entries in (2, 20))
    assert few == many > 0


def test_an_entry_takes_as_much_of_a_table_of_many_entries_as_of_one_of_some() -> None:
    def count(entries: int) -> int:
        """Half of the entries chat, all others are somewhere else."""
        routes = tuple(replace(CHAT, name=f"entry-{number:03}") for number in range(entries))
        by_model = {"/v1/chat/completions": routes[::2], "/v1/embeddings": routes[1::2]}
        return len(
            json.dumps(build_routes(Gateway((Upstream("up", (1,)),), routes, by_model=by_model), Limits()))
        )

    some, more, many = map(count, (100, 200, 300))
    assert many - more == pytest.approx(more - some, rel=0.001)

"""The routes of calls that ask to be answered later: which calls take them, and which never do."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from centralized_ml_api.local.admission.terms import TEAM_HEADER, EntryTerms
from centralized_ml_api.local.envoy.api_keys import KEY_FILTER
from centralized_ml_api.local.envoy.job_listener import build_job_listener, patient
from centralized_ml_api.local.envoy.job_table import build_job_table
from centralized_ml_api.local.envoy.jobs import (
    build_job_routes,
    build_large_job_routes,
    build_lookup_routes,
    build_team_refusals,
)
from centralized_ml_api.local.envoy.rate_limits import NOT_COUNTED, RATE_FILTER, RATE_LIMIT_FILTERS
from centralized_ml_api.local.envoy.route_action import FILTER_ENABLED
from centralized_ml_api.local.envoy.routes import build_routes
from centralized_ml_api.local.envoy.settings import Limits
from centralized_ml_api.local.envoy.xds import build_snapshot
from centralized_ml_api.local.gateway import (
    DOOR_MODEL_HEADER,
    DOOR_TEAM_HEADER,
    JOIN_PROOF_HEADER,
    Door,
    Gateway,
    RefusedRoute,
    ServedRoute,
    TeamAccess,
    Upstream,
)
from centralized_ml_api.plan.event import Throttle
from support.route_table import list_routes
from unit.local.envoy.test_golden import SETTINGS

JOBS = Door(7777, "t0ken", "/jobs")
CHAT = "/v1/chat/completions"
LIMITS = Limits()
GATEWAY = Gateway(
    (Upstream("up", (1,)), JOBS.upstream),
    (ServedRoute("chat", "up", "/invocations", ()), ServedRoute("echo", "up", "/echo", ())),
    by_model={CHAT: (ServedRoute("chat", "up", CHAT, ()),)},
    aliases={"gpt": "chat"},
    jobs=JOBS,
)
TEAMS = (
    TeamAccess("red", ("red-key",), throttle=Throttle(1, 2)),
    TeamAccess("blue", ("blue-key",), ("echo",)),
)
EVENT = replace(GATEWAY, teams=TEAMS)


def paths_of(routes: list[dict[str, Any]]) -> set[str]:
    """Those that the routes match; each matches one."""
    return {route["match"]["path"] for route in routes}


def lengths_of(routes: list[dict[str, Any]], path: str) -> list[int | None]:
    """The ends of the ranges of lengths of the routes of a path; None for those without a length."""
    return [
        header.get("range_match", {}).get("end")
        for route in routes
        if route["match"]["path"] == path
        for header in route["match"]["headers"]
        if header["name"] == "content-length"
    ]


def sent_by(route: dict[str, Any]) -> dict[str, str]:
    return {sent["header"]["key"]: sent["header"]["value"] for sent in route["request_headers_to_add"]}


def test_every_path_of_a_model_takes_them_and_no_other() -> None:
    assert paths_of(build_job_routes(GATEWAY, LIMITS)) == {"/chat", "/echo", f"/chat{CHAT}", CHAT}


def test_they_match_nothing_without_the_preference_and_no_other_method() -> None:
    for route in build_job_routes(EVENT, LIMITS):
        first, method, _, *_ = route["match"]["headers"]
        assert first["name"] == "prefer", "the first that is looked up: most calls have none"
        assert method == {"name": ":method", "string_match": {"exact": "POST"}}


def test_they_lead_to_this_process_with_its_token_and_the_team() -> None:
    for route in (*build_job_routes(EVENT, LIMITS), *build_lookup_routes(EVENT)):
        if "route" in route:
            assert route["route"]["cluster"] == "/jobs"
            sent = sent_by(route)
            assert sent[JOIN_PROOF_HEADER] == "t0ken"
            assert sent[DOOR_TEAM_HEADER] == "%FILTER_STATE(mlapi.team:PLAIN)%"


def test_only_a_model_by_which_the_route_was_chosen_becomes_a_header() -> None:
    named = [route for route in build_job_routes(GATEWAY, LIMITS) if DOOR_MODEL_HEADER in sent_by(route)]
    assert paths_of(named) == {CHAT}
    assert {route["match"]["dynamic_metadata"][0]["path"][0]["key"] for route in named} == {"model"}


@pytest.mark.parametrize(
    "gateway",
    [
        replace(GATEWAY, jobs=None),
        replace(GATEWAY, starts=datetime(2030, 6, 1, tzinfo=UTC)),
        replace(GATEWAY, routes=(RefusedRoute("chat", "no"),), by_model={}),
        replace(GATEWAY, paused={"chat": "later", "echo": "later"}),
    ],
    ids=["nobody takes them", "not started", "not served", "paused"],
)
def test_what_leads_to_no_model_now_is_refused_as_ever(gateway: Gateway) -> None:
    assert build_job_routes(gateway, LIMITS) == []
    assert build_large_job_routes(gateway, LIMITS) == []


def test_a_body_that_is_too_large_for_its_model_is_refused_as_ever() -> None:
    chat = ServedRoute("chat", "up", "/invocations", (), admission=EntryTerms(body_limit_bytes=1000))
    gateway = replace(GATEWAY, routes=(chat, GATEWAY.routes[1]))
    routes = build_job_routes(gateway, LIMITS)
    assert lengths_of(routes, "/chat") == [None, 1001]
    assert lengths_of(routes, "/echo") == [None, LIMITS.body_bytes + 1]
    assert build_large_job_routes(gateway, LIMITS) == []


def test_larger_bodies_than_others_may_have_are_taken_too() -> None:
    large = LIMITS.body_bytes * 2
    hears = ServedRoute("chat", "up", CHAT, (), body_limit_bytes=large)
    gateway = replace(GATEWAY, by_model={CHAT: (hears,)})
    assert lengths_of(build_job_routes(gateway, LIMITS), CHAT) == [None, LIMITS.body_bytes + 1]
    routes = build_large_job_routes(gateway, LIMITS)
    assert paths_of(routes) == {CHAT, f"/chat{CHAT}"}
    assert large + 1 in lengths_of(routes, CHAT)


def test_a_body_may_name_a_model_by_an_alias() -> None:
    (route, _) = [each for each in build_job_routes(GATEWAY, LIMITS) if paths_of([each]) == {CHAT}]
    (metadata,) = route["match"]["dynamic_metadata"]
    names = [each["string_match"]["exact"] for each in metadata["value"]["or_match"]["value_matchers"]]
    assert names == ["chat", "gpt"]


def test_a_team_that_may_not_call_a_model_gets_no_job() -> None:
    routes = build_job_routes(EVENT, LIMITS)
    own = [route for route in routes if paths_of([route]) == {"/chat"}]
    assert own
    for route in own:
        assert route["typed_per_filter_config"][KEY_FILTER]["allowed_clients"] == ["red"]
    others = [route for route in routes if paths_of([route]) == {"/echo"}]
    assert others
    assert all(KEY_FILTER not in route["typed_per_filter_config"] for route in others)
    by_body = [route for route in routes if CHAT in paths_of([route])]
    for route in by_body:
        (team,) = [header for header in route["match"]["headers"] if header["name"] == TEAM_HEADER]
        assert team["invert_match"]
        assert team["string_match"]["safe_regex"]["regex"] == "blue"


def test_asking_counts_and_looking_does_not() -> None:
    routes = list_routes(build_routes(EVENT, LIMITS))
    led = [route for route in routes if route.get("route", {}).get("cluster") == "/jobs"]
    counted = {
        ("prefer" in [header["name"] for header in route["match"]["headers"]]): route[
            "typed_per_filter_config"
        ][RATE_FILTER]
        for route in led
    }
    assert counted == {True: FILTER_ENABLED, False: NOT_COUNTED}


def test_the_paths_of_jobs_take_what_reads_and_deletes() -> None:
    looked = build_lookup_routes(GATEWAY)
    allow = [
        option["header"]["value"]
        for route in looked
        for option in route.get("response_headers_to_add", [])
        if option["header"]["key"] == "allow"
    ]
    assert allow == ["GET, HEAD, OPTIONS", "GET, HEAD, DELETE, OPTIONS"]
    pattern = looked[2]["match"]["safe_regex"]["regex"]
    assert [bool(re.fullmatch(pattern, path)) for path in ("/v1/jobs/a", "/v1/jobs/", "/v1/jobs/a/b")] == [
        True,
        False,
        False,
    ]
    assert build_lookup_routes(replace(GATEWAY, jobs=None)) == []


def test_the_calls_of_jobs_may_take_as_long_as_those_of_aws() -> None:
    limits = patient(Limits(response_seconds=29))
    assert (limits.response_seconds, limits.stream_idle_seconds) == (900, 900)
    assert limits.turn_seconds < limits.stream_idle_seconds
    assert patient(Limits(response_seconds=2000)).response_seconds == 2000


def test_the_listener_of_jobs_is_for_this_user_and_compares_no_keys() -> None:
    listener = build_job_listener(SETTINGS)
    assert listener["address"] == {"pipe": {"path": "jobs.sock", "mode": 0o600}}
    (chain,) = listener["filter_chains"]
    (http,) = chain["filters"]
    names = {each["name"] for each in http["typed_config"]["http_filters"]}
    assert not {KEY_FILTER, *RATE_LIMIT_FILTERS} & names
    assert "team" in names
    assert http["typed_config"]["early_header_mutation_extensions"] == []


def test_a_job_whose_team_may_not_call_any_more_is_refused() -> None:
    (host,) = build_job_table(EVENT, LIMITS)["virtual_hosts"]
    refusals = [
        route for route in host["routes"] if route.get("direct_response", {}).get("status") in {401, 403}
    ]
    told = {
        (route["direct_response"]["status"], header.get("invert_match", False), pattern)
        for route in refusals
        for header in route["match"]["headers"]
        if header["name"] == TEAM_HEADER
        for pattern in [header["string_match"]["safe_regex"]["regex"]]
    }
    assert told == {(401, True, "red|blue"), (403, False, "blue")}
    assert host["routes"][0] in refusals, "before a model is called"
    assert {"/chat"} < {route["match"].get("path") for route in refusals}
    assert {"/chat/v1/"} < {route["match"].get("prefix") for route in refusals}


def test_a_job_of_a_team_without_a_key_is_refused() -> None:
    red, blue = (replace(team, keys=()) for team in TEAMS)
    first = build_team_refusals(replace(EVENT, teams=(red, TEAMS[1])))[0]
    (header,) = first["match"]["headers"]
    assert (header["string_match"]["safe_regex"]["regex"], header["invert_match"]) == ("blue", True)
    assert build_team_refusals(replace(EVENT, teams=(red, blue)))[0]["match"] == {"prefix": "/"}
    assert build_team_refusals(GATEWAY) == []


def test_a_paused_team_is_told_that_before_that_it_may_call_nothing() -> None:
    paused = replace(EVENT, teams=(TEAMS[0], replace(TEAMS[1], paused="Lunch")))
    (host,) = build_job_table(paused, LIMITS)["virtual_hosts"]
    for_blue = [
        route["direct_response"]["status"]
        for route in host["routes"]
        for header in route["match"].get("headers", ())
        if header["name"] == TEAM_HEADER and header["string_match"]["safe_regex"]["regex"] == "blue"
    ]
    assert for_blue[0] == 503


def test_an_answer_says_how_its_call_ended_and_a_refusal_for_now_is_no_call() -> None:
    (chain,) = build_job_listener(SETTINGS)["filter_chains"]
    manager = chain["filters"][0]["typed_config"]
    (mutation,) = manager["http_filters"][0]["typed_config"]["mutations"]["response_mutations"]
    assert mutation["append"]["header"]["key"] == "x-mlapi-ending"
    told = {log["name"]: "via_upstream" in json.dumps(log["filter"]) for log in manager["access_log"]}
    assert {"access", "admission call"} < told.keys()
    assert told == {name: not name.startswith("admission") for name in told}


def test_no_job_asks_to_be_answered_later_again() -> None:
    (host,) = build_job_table(EVENT, LIMITS)["virtual_hosts"]
    assert all(route.get("route", {}).get("cluster") != "/jobs" for route in host["routes"])


def test_the_table_of_jobs_has_no_models_until_there_is_a_job() -> None:
    def clusters(gateway: Gateway) -> set[str]:
        (table,) = json.loads(build_snapshot(gateway, SETTINGS).job_routes.text)["resources"]
        (host,) = table["virtual_hosts"]
        return {route["route"]["cluster"] for route in host["routes"] if "route" in route}

    assert clusters(EVENT) == set()
    assert clusters(replace(EVENT, runs_jobs=True)) == {"up"}

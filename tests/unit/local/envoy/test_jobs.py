"""The routes of calls that ask to be answered later: which calls take them, and which never do."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from centralized_ml_api.local.admission.terms import TEAM_HEADER, EntryTerms
from centralized_ml_api.local.envoy.api_keys import KEY_FILTER, KEY_HEADERS
from centralized_ml_api.local.envoy.job_listener import build_job_listener, patient
from centralized_ml_api.local.envoy.job_table import build_job_table
from centralized_ml_api.local.envoy.jobs import (
    build_job_filters,
    build_job_routes,
    build_large_job_routes,
    build_lookup_routes,
    build_own_job_routes,
    build_team_refusals,
)
from centralized_ml_api.local.envoy.rate_limits import NOT_COUNTED, RATE_FILTER, RATE_LIMIT_FILTERS
from centralized_ml_api.local.envoy.route_action import FILTER_ENABLED
from centralized_ml_api.local.envoy.routes import build_routes, build_unknown_path_route
from centralized_ml_api.local.envoy.settings import Limits
from centralized_ml_api.local.envoy.xds import build_snapshot
from centralized_ml_api.local.gateway import (
    DOOR_HOST_HEADER,
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
from support.route_search import header_matches, matches
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


def asking(gateway: Gateway) -> list[dict[str, Any]]:
    """The routes of calls that ask to be answered later."""
    return [*build_own_job_routes(gateway, LIMITS), *build_job_routes(gateway, LIMITS)]


def is_at(route: dict[str, Any], path: str) -> bool:
    return matches(
        {name: route["match"][name] for name in ("path", "safe_regex") if name in route["match"]},
        {":path": path},
    )


def paths_of(routes: list[dict[str, Any]]) -> set[str]:
    """Those of the event, and some that nobody serves, that the routes match."""
    known = (CHAT, *(f"/{name}{rest}" for name in ("chat", "echo", "chats", "cha") for rest in ("", CHAT)))
    return {path for path in known if any(is_at(route, path) for route in routes)}


def takes(routes: list[dict[str, Any]], path: str, length: int | None) -> bool:
    """Whether one of the routes of a path takes a body of that length, or one without a length."""
    call = {} if length is None else {"content-length": str(length)}
    return any(
        all(
            header_matches(header, call)
            for header in route["match"]["headers"]
            if header["name"] == "content-length"
        )
        for route in routes
        if is_at(route, path)
    )


def sent_by(route: dict[str, Any]) -> dict[str, str]:
    return {sent["header"]["key"]: sent["header"]["value"] for sent in route["request_headers_to_add"]}


def test_every_path_of_a_model_takes_them_and_no_other() -> None:
    assert paths_of(asking(GATEWAY)) == {"/chat", "/echo", f"/chat{CHAT}", CHAT}


def test_entries_that_are_alike_share_the_routes_of_their_own_paths() -> None:
    shared = build_own_job_routes(GATEWAY, LIMITS)
    assert [paths_of([route]) for route in shared] == [{"/chat", "/echo"}] * 2, "with a length and without"
    of_teams = build_own_job_routes(EVENT, LIMITS)
    assert [paths_of([route]) for route in of_teams] == [{"/chat"}, {"/chat"}, {"/echo"}, {"/echo"}]
    odd = replace(GATEWAY, routes=(ServedRoute("a.b", "up", "/", ()),))
    assert not any(is_at(route, "/a-b") for route in build_own_job_routes(odd, LIMITS))
    assert all(is_at(route, "/a.b") for route in build_own_job_routes(odd, LIMITS))


def test_they_match_nothing_without_the_preference_and_no_other_method() -> None:
    for route in asking(EVENT):
        first, method, _, *_ = route["match"]["headers"]
        assert first["name"] == "prefer", "the first that is looked up: most calls have none"
        assert method == {"name": ":method", "string_match": {"exact": "POST"}}


def test_they_lead_to_this_process_and_tell_the_host_that_was_called() -> None:
    for route in (*asking(EVENT), *build_lookup_routes(EVENT)):
        if "route" in route:
            assert route["route"]["cluster"] == "/jobs"
            assert sent_by(route)[DOOR_HOST_HEADER] == "%REQ(:authority)%"


@pytest.mark.parametrize(("gateway", "credentials"), [(GATEWAY, set()), (EVENT, {*KEY_HEADERS, TEAM_HEADER})])
def test_its_cluster_tells_its_token_and_the_team_and_no_key(gateway: Gateway, credentials: set[str]) -> None:
    cluster = build_snapshot(gateway, SETTINGS).clusters["/jobs"]
    ((_, options),) = cluster["typed_extension_protocol_options"].items()
    (told, _) = options["http_filters"]
    mutations = told["typed_config"]["mutations"]["request_mutations"]
    sent = [each["append"]["header"] for each in mutations if "append" in each]
    values = {header["key"]: header["value"] for header in sent}
    assert values[JOIN_PROOF_HEADER] == "t0ken"
    assert values[DOOR_TEAM_HEADER] == "%FILTER_STATE(mlapi.team:PLAIN)%"
    removed = {each["remove"] for each in mutations if "remove" in each}
    assert removed == {"origin", "x-forwarded-proto", DOOR_TEAM_HEADER, *credentials}
    assert "http_filters" not in json.dumps(build_snapshot(gateway, SETTINGS).clusters["up"])


def test_without_anybody_who_takes_them_no_cluster_tells_anything() -> None:
    assert build_job_filters(replace(GATEWAY, jobs=None)) == []


def test_only_a_model_by_which_the_route_was_chosen_becomes_a_header() -> None:
    named = [route for route in asking(GATEWAY) if DOOR_MODEL_HEADER in sent_by(route)]
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
    assert asking(gateway) == []
    assert build_large_job_routes(gateway, LIMITS) == []


def test_a_body_that_is_too_large_for_its_model_is_refused_as_ever() -> None:
    chat = ServedRoute("chat", "up", "/invocations", (), admission=EntryTerms(body_limit_bytes=1000))
    gateway = replace(GATEWAY, routes=(chat, GATEWAY.routes[1]))
    most = {"/chat": 1000, "/echo": LIMITS.body_bytes, CHAT: LIMITS.body_bytes}
    for path, length in most.items():
        taken = [takes(asking(gateway), path, each) for each in (None, 0, length, length + 1)]
        assert taken == [True, True, True, False], path
    assert build_large_job_routes(gateway, LIMITS) == []


def test_larger_bodies_than_others_may_have_are_taken_too() -> None:
    large = LIMITS.body_bytes * 2
    hears = ServedRoute("chat", "up", CHAT, (), body_limit_bytes=large)
    gateway = replace(GATEWAY, by_model={CHAT: (hears,)})
    assert not takes(asking(gateway), CHAT, LIMITS.body_bytes + 1)
    routes = build_large_job_routes(gateway, LIMITS)
    assert paths_of(routes) == {CHAT, f"/chat{CHAT}"}
    taken = [
        takes(routes, CHAT, each) for each in (LIMITS.body_bytes, LIMITS.body_bytes + 1, large, large + 1)
    ]
    assert taken == [False, True, True, False]


def test_a_body_may_name_a_model_by_an_alias() -> None:
    (route,) = [each for each in build_job_routes(GATEWAY, LIMITS) if paths_of([each]) == {CHAT}]
    (metadata,) = route["match"]["dynamic_metadata"]
    names = [each["string_match"]["exact"] for each in metadata["value"]["or_match"]["value_matchers"]]
    assert names == ["chat", "gpt"]


def test_a_team_that_may_not_call_a_model_gets_no_job() -> None:
    routes = asking(EVENT)
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


def test_the_404_offers_the_list_of_jobs() -> None:
    assert "GET /v1/jobs" in json.dumps(build_unknown_path_route(GATEWAY))
    assert "/v1/jobs" not in json.dumps(build_unknown_path_route(replace(GATEWAY, jobs=None)))


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
    untaken = {log["name"]: '"untaken"' in json.dumps(log["filter"]) for log in manager["access_log"]}
    assert untaken == told, "that no entry of several has got the call is noted, and such a call is none"
    assert mutation["append"]["header"]["value"].endswith(":untaken)%")


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

"""A tree of routes takes each call to the route that a list of them would."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from centralized_ml_api.api.documents import ServedDocument
from centralized_ml_api.local.admission.terms import EntryTerms
from centralized_ml_api.local.envoy.direct_responses import match_method
from centralized_ml_api.local.envoy.headers import PATH_HEADER
from centralized_ml_api.local.envoy.refused_bodies import MAYBE_LARGE, NO_LENGTH
from centralized_ml_api.local.envoy.route_tree import (
    build_condition,
    look_up,
    look_up_path,
    narrow,
    render_range,
    try_all,
    try_first,
)
from centralized_ml_api.local.envoy.routes import build_routes
from centralized_ml_api.local.envoy.settings import Limits
from centralized_ml_api.local.gateway import Gateway, ServedRoute, TeamAccess, Upstream
from support.route_search import Headers, Json, find, header_matches, holds, matches

ANYTHING: Json = {"match": {"prefix": "/"}, "name": "anything"}


def call(path: str, **headers: str) -> Headers:
    own = {name.replace("_", "-"): value for name, value in headers.items()}
    return {":method": "POST", ":path": path, PATH_HEADER: path.partition("?")[0], **own}


@pytest.mark.parametrize(
    ("start", "end"), [(0, 65536), (65536, 67108865), (7, 8), (0, 1), (99, 1002), (10, 20)]
)
def test_a_range_is_a_regular_expression(start: int, end: int) -> None:
    pattern = re.compile(render_range(start, end))
    near = {*range(200), *(edge + off for edge in (start, end, 1000, 65536) for off in range(-150, 150))}
    for number in (number for number in near if number >= 0):
        assert (pattern.fullmatch(str(number)) is not None) == (start <= number < end), number
    assert pattern.fullmatch(f"00{start}")
    assert pattern.fullmatch("") is None


@pytest.mark.parametrize(
    "header",
    [
        match_method("POST"),
        NO_LENGTH,
        MAYBE_LARGE,
        {"name": "content-length", "range_match": {"start": 5, "end": 50}},
        {"name": "x-api-key", "string_match": {"safe_regex": {"regex": "a|b"}}},
        {
            "name": "x-api-key",
            "string_match": {"safe_regex": {"regex": "a|b"}},
            "invert_match": True,
            "treat_missing_header_as_empty": True,
        },
        {"name": "x-api-key", "string_match": {"exact": "a"}, "invert_match": True},
    ],
)
def test_a_condition_holds_whenever_the_matcher_of_a_route_matches(header: Json) -> None:
    for name in (":method", "content-length", "x-api-key"):
        for value in ("POST", "GET", "a", "c", "", "4", "5", "49", "50", "65535", "65536", "999999"):
            headers = {name: value}
            assert holds(build_condition(header), headers) == header_matches(header, headers), headers


def test_a_path_is_looked_up_unless_an_earlier_route_takes_some_of_its_calls() -> None:
    routes: list[Json] = [
        {"match": {"path": "/a"}, "name": "a"},
        {"match": {"prefix": "/b/", "headers": [match_method("GET")]}, "name": "below b"},
        {"match": {"path": "/b/c", "headers": [match_method("POST")]}, "name": "post"},
        {"match": {"path": "/b/c"}, "name": "c"},
        {"match": {"path": "/open", "headers": [match_method("GET")]}, "name": "open"},
        {"match": {"safe_regex": {"regex": "/r(/.*)?"}, "headers": [match_method("GET")]}, "name": "regex"},
        {"match": {"path": "/r/s"}, "name": "s"},
        ANYTHING,
        {"match": {"path": "/late"}, "name": "late"},
    ]
    branch = look_up_path(routes)
    assert list(branch["matcher"]["matcher_tree"]["exact_match_map"]["map"]) == ["/a"]
    for path in ("/a", "/a?b=/b/c", "/b/c", "/open", "/r/s", "/r/t", "/late", "/b/", "/none"):
        for method in ("GET", "POST"):
            headers = {**call(path), ":method": method}
            first = next(route for route in routes if matches(route["match"], headers))
            assert find(branch, headers) is first, headers


def test_what_the_first_routes_do_not_take_goes_on() -> None:
    key = {"name": "x-api-key", "string_match": {"exact": "k"}}
    first: list[Json] = [
        {"match": {"prefix": "/v1/", "headers": [key]}, "name": "v1"},
        {"match": {"prefix": "/", "headers": [key]}, "name": "all"},
        {"match": {"path_separated_prefix": "/a", "headers": [NO_LENGTH]}, "name": "below a"},
        {"match": {"path": "/b", "headers": [NO_LENGTH]}, "name": "b"},
    ]
    inner = try_first(first, None)
    branch = narrow(MAYBE_LARGE, inner, look_up("x-api-key", {}, try_all([ANYTHING])))
    expected = {
        ("/v1/x", None): "v1",
        ("/v1/x", "9"): "anything",
        ("/c", None): "all",
        ("/a/b?c", None): "all",
    }
    for (path, length), name in expected.items():
        sized = {} if length is None else {"content-length": length}
        found = find(branch, {**call(path), "x-api-key": "k", **sized})
        assert found is not None
        assert found["name"] == name
    for path, name in (("/a/b?c", "below a"), ("/ab", "anything"), ("/b?c", "b"), ("/bc", "anything")):
        found = find(branch, call(path))
        assert found is not None
        assert found["name"] == name
    assert find(inner, call("/ab")) is None


def test_a_call_tries_no_route_of_another_entry() -> None:
    def count(entries: int) -> int:
        served = [ServedRoute(f"m{number}", "up", "/v1/chat/completions", ()) for number in range(entries)]
        teams = (TeamAccess("red", ("k",)), TeamAccess("blue", ("l",), models=("m1",)))
        gateway = Gateway(
            (Upstream("up", (1,)),),
            tuple(replace(route, admission=EntryTerms()) for route in served),
            by_model={"/v1/chat/completions": tuple(served[:1])},
            documents=(ServedDocument("/", "text/html", "page"),),
            teams=teams,
        )
        (host,) = build_routes(gateway, Limits())["virtual_hosts"]
        tried = 0
        branch: Json | None = {"matcher": host["matcher"]}
        headers = {**call("/m0", content_length="9"), "x-api-key": "k"}
        while branch is not None and "matcher" in branch:
            tree = branch["matcher"]
            fields = tree.get("matcher_list", {"matchers": []})["matchers"]
            tried += len(fields)
            assert not any(holds(field["predicate"], headers) for field in fields)
            leaves = tree["matcher_tree"]["exact_match_map"]["map"] if "matcher_tree" in tree else {}
            branch = leaves.get("/m0") or tree["on_no_match"]
        assert branch is not None
        return tried + len(branch["action"]["typed_config"]["routes"])

    assert count(2) == count(30) < 15

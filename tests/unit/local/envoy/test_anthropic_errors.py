"""Which routes give their errors the shape of Anthropic's API."""

from __future__ import annotations

from typing import Any

import pytest

from centralized_ml_api.local.envoy.anthropic_errors import (
    ANTHROPIC_FILTER,
    render_anthropic_errors,
    with_anthropic_errors,
)
from centralized_ml_api.local.envoy.route_action import FILTER_ENABLED

ENABLED = {ANTHROPIC_FILTER: FILTER_ENABLED}


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/messages/count_tokens", "/chat/v1/messages"])
def test_a_route_below_messages_does(path: str) -> None:
    route = {"match": {"path": path}, "typed_per_filter_config": {"other": {}}}
    (built,) = with_anthropic_errors(route)
    assert built == {"match": {"path": path}, "typed_per_filter_config": {"other": {}, **ENABLED}}


@pytest.mark.parametrize(
    "match",
    [
        {"path": "/v1/messages-2"},
        {"path": "/a/b/v1/messages"},
        {"path": "/"},
        {"prefix": "/v1/models/"},
        {"prefix": "/chat/v1/models/"},
    ],
)
def test_a_route_beside_it_stays_as_it_is(match: dict[str, str]) -> None:
    assert with_anthropic_errors({"match": match}) == [{"match": match}]


@pytest.mark.parametrize(
    ("prefix", "is_below"),
    [
        ("/", {"safe_regex": {"regex": "(/[^/]+)?/v1/messages(/.*)?"}}),
        ("/v1/", {"path_separated_prefix": "/v1/messages"}),
        ("/chat/v1/", {"path_separated_prefix": "/chat/v1/messages"}),
    ],
)
def test_a_route_of_many_paths_gets_one_before_it(prefix: str, is_below: dict[str, Any]) -> None:
    headers: list[Any] = [{"name": "x"}]
    route = {"match": {"prefix": prefix, "headers": headers}, "name": "a"}
    narrowed = {**is_below, "headers": headers}
    before = {"match": narrowed, "name": "a", "typed_per_filter_config": ENABLED}
    assert with_anthropic_errors(route) == [before, route]


def test_the_script_begins_with_the_types_of_errors() -> None:
    types, others, header, *_ = render_anthropic_errors().splitlines()
    assert '[401] = "authentication_error"' in types
    assert '[503] = "overloaded_error"' in types
    assert others == 'local CALLER_ERROR, SERVER_ERROR = "invalid_request_error", "api_error"'
    assert header == 'local REQUEST_ID = "request-id"'

"""What a route tells a server, and what it tells the scripts about the server's response."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from centralized_ml_api.local.envoy.headers import (
    KEPT_ID_HEADER,
    OWN_REPLY_HEADER,
    REQUEST_ID,
    SERVED_BY_HEADER,
    SET_REQUEST_ID,
)
from centralized_ml_api.local.envoy.route_action import HEADERS_FILTER, build_route_action
from centralized_ml_api.local.envoy.settings import Limits
from centralized_ml_api.local.gateway import (
    Attempt,
    ExternalUpstream,
    ProviderAccess,
    ServedRoute,
    Signing,
    Translation,
)

ELSEWHERE = ExternalUpstream("there", "example.com", 443, tls=True)
PROVIDER = replace(ELSEWHERE, provider=ProviderAccess("authorization", "Bearer ", None))
SAGEMAKER = replace(ELSEWHERE, signing=Signing("eu-west-1", Path("/x")))
BEDROCK = replace(ELSEWHERE, signing=Signing("eu-west-1", Path("/x"), "bedrock"))
ROUTE = ServedRoute("chat", "there", "/v1/chat/completions", ("X-Request-Id", "X-Seed"))
TRANSLATED = replace(ROUTE, translation=Translation("anthropic-messages", "openai-chat", "max_tokens", True))  # noqa: FBT003
IN_TURN = replace(ROUTE, attempts=(Attempt("chat", "/chat", ("x-request-id",)), Attempt("b", "/b")))


def build(route: ServedRoute, upstream: ExternalUpstream | None) -> tuple[dict[str, Any], list[Any], str]:
    """Returns the action, the mutations of its requests, and the pattern of the headers that it removes."""
    action = build_route_action(route, {} if upstream is None else {"there": upstream}, Limits())
    mutations = action["typed_per_filter_config"][HEADERS_FILTER]["mutations"]["request_mutations"]
    return action, mutations, mutations[0]["remove_on_match"]["key_matcher"]["safe_regex"]["regex"]


@pytest.mark.parametrize(
    ("route", "upstream", "keeps"),
    [
        (ROUTE, None, False),
        (ROUTE, ELSEWHERE, False),
        (ROUTE, PROVIDER, True),
        (ROUTE, SAGEMAKER, True),
        (ROUTE, BEDROCK, True),
        (TRANSLATED, None, True),
        (IN_TURN, ELSEWHERE, True),
    ],
)
def test_a_response_whose_errors_are_reworded_has_the_id_and_no_such_server_does(
    route: ServedRoute,
    upstream: ExternalUpstream | None,
    keeps: bool,  # noqa: FBT001
) -> None:
    action, mutations, removed = build(route, upstream)
    added = {each["header"]["key"]: each for each in action.get("response_headers_to_add", ())}
    assert (KEPT_ID_HEADER in added) == keeps
    if keeps:
        assert added[KEPT_ID_HEADER]["header"]["value"] == REQUEST_ID
        assert added[KEPT_ID_HEADER]["append_action"] == "OVERWRITE_IF_EXISTS_OR_ADD"
    assert (SET_REQUEST_ID in mutations) == (not keeps)
    assert (re.fullmatch(removed, "x-request-id") is not None) == keeps
    assert re.fullmatch(removed, "x-seed") is None


@pytest.mark.parametrize(
    ("route", "upstream", "drops"),
    [
        (ROUTE, PROVIDER, True),
        (ROUTE, BEDROCK, True),
        (TRANSLATED, PROVIDER, False),
        (IN_TURN, PROVIDER, False),
    ],
)
def test_only_our_own_processes_say_who_has_answered(
    route: ServedRoute,
    upstream: ExternalUpstream,
    drops: bool,  # noqa: FBT001
) -> None:
    removed = build(route, upstream)[0].get("response_headers_to_remove", [])
    assert ({SERVED_BY_HEADER, OWN_REPLY_HEADER} <= {*removed}) == drops

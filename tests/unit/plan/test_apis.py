"""The table of APIs under `/v1`, and where a server has them."""

from __future__ import annotations

from typing import get_args

import pytest

from centralized_ml_api.config.schema import ServerSpeaks, Speaks
from centralized_ml_api.plan.apis import (
    CHAT,
    COUNT_TOKENS_PATH,
    MESSAGES,
    MODEL_APIS,
    RESPONSES,
    SPOKEN_AT,
    find_server_path,
    list_paths,
)


def test_each_api_is_a_word_of_the_config_and_has_paths_of_its_own() -> None:
    assert {api.name for api in MODEL_APIS} < {*get_args(ServerSpeaks)}
    assert {*get_args(Speaks)} < {*get_args(ServerSpeaks)}
    paths = [path for api in MODEL_APIS for path in api.paths]
    assert len(paths) == len({*paths})
    assert SPOKEN_AT["/v1/responses"] == "openai-responses"
    assert COUNT_TOKENS_PATH not in SPOKEN_AT
    assert list_paths(["anthropic-messages", "openai-chat"]) == (
        "/v1/chat/completions",
        "/v1/messages",
        "/v1/messages/count_tokens",
    )


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ("/v1/messages", "/v1/messages/count_tokens"),
        ("/v1/chat/completions", "/v1/messages/count_tokens"),
        ("/a/v1/embeddings?key=1", "/a/v1/messages/count_tokens?key=1"),
        ("/go?key=1", "/go/count_tokens?key=1"),
    ],
)
def test_a_path_below_the_one_that_is_called_is_below_it_there_too(own: str, expected: str) -> None:
    assert find_server_path(own, MESSAGES, COUNT_TOKENS_PATH, is_first=True) == expected


def test_only_the_first_of_several_apis_is_where_a_path_says_nothing() -> None:
    assert find_server_path("/go", CHAT, "/v1/chat/completions", is_first=True) == "/go"
    assert find_server_path("/go", RESPONSES, "/v1/responses", is_first=False) == "/v1/responses"

"""What a provider says of a key and of its models."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.local.servers.provider_models import (
    KeyRefusedError,
    NotAskedError,
    check_provider_key,
    list_provider_models,
)
from centralized_ml_api.plan.provider import KeyPlace, ProviderServing
from support.file_server import Answer, FileServer

if TYPE_CHECKING:
    from collections.abc import Iterator

MODELS = {"object": "list", "data": [{"id": "b"}, {"id": "a"}]}


@pytest.fixture
def server() -> Iterator[FileServer]:
    with FileServer(json.dumps(MODELS).encode()) as server:
        yield server


def serving(server: FileServer, name: Any = None) -> ProviderServing:
    return ProviderServing(f"{server.url}/v1/", "m", KeyPlace("env", "KEY"), ("openai-chat",), name)


def test_models_are_asked_for_with_the_key_in_the_providers_header(server: FileServer) -> None:
    assert list_provider_models(serving(server), "sk-1") == ["a", "b"]
    assert server.seen[-1].target == "/v1/models"
    assert server.seen[-1].headers["Authorization"] == "Bearer sk-1"
    assert list_provider_models(serving(server, "azure"), "az-1") == ["a", "b"]
    assert (server.seen[-1].headers["api-key"], server.seen[-1].headers["Authorization"]) == ("az-1", None)
    assert check_provider_key(serving(server), None)
    assert server.seen[-1].headers["Authorization"] is None


def test_anthropics_own_api_is_asked_for_all_models_in_its_own_way(server: FileServer) -> None:
    native = replace(serving(server, "anthropic"), apis=("anthropic-messages",))
    assert list_provider_models(native, "sk-ant-1") == ["a", "b"]
    asked = server.seen[-1]
    assert asked.target == "/v1/models?limit=1000"
    assert (asked.headers["x-api-key"], asked.headers["anthropic-version"]) == ("sk-ant-1", "2023-06-01")
    assert asked.headers["Authorization"] is None


def test_a_bare_list_is_a_list_of_models_too(server: FileServer) -> None:
    server.body = json.dumps(MODELS["data"]).encode()
    assert list_provider_models(serving(server), "sk-1") == ["a", "b"]


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_is_told_by_its_place(server: FileServer, status: int) -> None:
    server.usual = Answer(status=status)
    with pytest.raises(KeyRefusedError) as refused:
        check_provider_key(serving(server, "openai"), "sk-secret")
    assert refused.value.message == f"openai refuses the key from the variable KEY ({status})"
    assert "sk-secret" not in f"{refused.value.message}{refused.value.fix}"


@pytest.mark.parametrize(
    "said", [b'[{"error": {"details": [{"reason": "API_KEY_INVALID"}]}}]', b"API key not valid. Please pass"]
)
def test_gemini_refuses_a_key_with_400(server: FileServer, said: bytes) -> None:
    server.usual = Answer(status=400, failure=said)
    with pytest.raises(KeyRefusedError) as refused:
        check_provider_key(serving(server, "gemini"), "AIza-secret")
    assert refused.value.message == "gemini refuses the key from the variable KEY (400)"


def test_any_other_400_refuses_no_key(server: FileServer) -> None:
    server.usual = Answer(status=400, failure=b"no such page")
    assert not check_provider_key(serving(server, "gemini"), "AIza-secret")


def test_what_tells_of_a_key_differs(server: FileServer) -> None:
    assert check_provider_key(serving(server, "openrouter"), "sk-1")
    assert server.seen[-1].target == "/v1/key"
    assert not check_provider_key(serving(server, "huggingface"), "hf_1"), "everybody may list its models"
    server.usual = Answer(status=404)
    assert not check_provider_key(serving(server), "sk-1")


@pytest.mark.parametrize("body", [b"<html>", b"{}", b'{"data": [1]}', b"[" * 100_000])
def test_something_else_than_a_list_is_told(server: FileServer, body: bytes) -> None:
    server.body = body
    with pytest.raises(NotAskedError, match="lists no models"):
        list_provider_models(serving(server), "sk-1")


def test_a_provider_that_is_not_there_is_told(server: FileServer) -> None:
    gone = replace(serving(server), url="http://127.0.0.1:9/v1")
    with pytest.raises(NotAskedError, match=r"127\.0\.0\.1:9 was refused"):
        check_provider_key(gone, "sk-1")

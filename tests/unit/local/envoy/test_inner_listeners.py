"""Envoy has those listeners beside the public one that something calls on, and no others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from centralized_ml_api.api.openai import CHAT_PATH
from centralized_ml_api.local.envoy.bootstrap import build_bootstrap
from centralized_ml_api.local.envoy.inner_listeners import build_inner_listeners
from centralized_ml_api.local.envoy.settings import Files, Settings
from centralized_ml_api.local.gateway import Gateway, ServedRoute, Translation, Upstream

SETTINGS = Settings("127.0.0.1", 8080, Files(Path("/state"), Path("/state/access.log")), Path("ca.pem"))
CHAT = ServedRoute("chat", "chat", "/v1/chat/completions", ())
PLAIN = Gateway((Upstream("chat", (40001,)),), (CHAT,), by_model={CHAT_PATH: (CHAT,)})
ANTHROPIC = replace(
    CHAT,
    translation=Translation("anthropic-messages", "openai-chat", "max_tokens", takes_stream_options=True),
)


def names(gateway: Gateway) -> list[str]:
    return [*build_inner_listeners(gateway, SETTINGS)]


def test_an_api_without_translations_and_jobs_has_the_public_one_alone() -> None:
    assert names(PLAIN) == []
    (public,) = build_bootstrap(SETTINGS)["static_resources"]["listeners"]
    assert public["name"] == "api"


def test_the_translator_has_the_two_that_it_calls_on() -> None:
    assert names(replace(PLAIN, by_model={"/v1/messages": (ANTHROPIC,)})) == ["servers", "calls"]


def test_jobs_have_theirs_once_one_is_to_be_called() -> None:
    assert names(replace(PLAIN, runs_jobs=True)) == ["jobs"]


def test_each_is_a_resource_of_its_kind() -> None:
    (listener,) = build_inner_listeners(replace(PLAIN, runs_jobs=True), SETTINGS).values()
    assert listener["@type"].endswith(".listener.v3.Listener")

"""Where each path under `/v1` leads: to servers that speak its API, or by translation."""

from __future__ import annotations

from dataclasses import replace

from centralized_ml_api.api.openai import CHAT_PATH, EMBEDDINGS_PATH
from centralized_ml_api.local.admission.terms import EntryTerms
from centralized_ml_api.local.gateway import (
    ServedRoute,
)
from centralized_ml_api.plan.bedrock import BedrockServing
from centralized_ml_api.plan.engines import UrlServing
from centralized_ml_api.plan.event import EventPlan
from centralized_ml_api.plan.provider import ProviderServing
from centralized_ml_api.plan.types import BedrockModel, LocalPlan
from support.composed import CHATS, EMBEDS, LLAMA, VLLM, Machine
from support.fake_target import entry, plan


def test_the_openai_paths_lead_to_servers_that_speak_openai_in_config_order() -> None:
    served = Machine(plan(entry("z", LLAMA), entry("e", EMBEDS), entry("echo"), entry("a", LLAMA))).gateway()
    assert [(route.name, route.upstream) for route in served.by_model[CHAT_PATH]] == [
        ("z", "z@1"),
        ("a", "a@1"),
    ]
    embeddings = ServedRoute("e", "e@1", "/v1/embeddings", (), counts_tokens=True)
    assert served.by_model[EMBEDDINGS_PATH] == (embeddings,)
    assert [upstream.name for upstream in served.upstreams] == ["z@1", "e@1", "echo@1", "a@1"]


def test_each_path_leads_to_where_the_server_has_it_and_names_its_bodies() -> None:
    vllm = replace(VLLM, invocations="/proxy/v1/chat/completions?x=1")
    one = LocalPlan(vllm, 1, {}, ("openai-chat", "anthropic-messages"))
    other = LocalPlan(replace(VLLM, invocations="/go"), 1, {}, ("anthropic-messages", "openai-embeddings"))
    served = Machine(plan(entry("a", LLAMA), entry("b", local=one), entry("c", local=other))).gateway()
    assert {
        path: [(route.name, route.rewrite) for route in routes] for path, routes in served.by_model.items()
    } == {
        "/v1/chat/completions": [("a", "/v1/chat/completions"), ("b", "/proxy/v1/chat/completions?x=1")],
        "/v1/completions": [("a", "/v1/completions")],
        "/v1/responses": [("a", "/v1/responses")],
        "/v1/messages": [("a", "/v1/messages"), ("b", "/proxy/v1/messages?x=1"), ("c", "/go")],
        "/v1/messages/count_tokens": [
            ("a", "/v1/messages/count_tokens"),
            ("b", "/proxy/v1/messages/count_tokens?x=1"),
            ("c", "/go/count_tokens"),
        ],
        "/v1/embeddings": [("c", "/v1/embeddings")],
    }
    for path, routes in served.by_model.items():
        for route in routes:
            assert route.admission is None or route.admission.path == path


def test_a_form_is_one_on_both_paths_of_a_server_that_takes_nothing_else() -> None:
    hears = LocalPlan(replace(VLLM, invocations="/v1/audio/transcriptions", model="own"), 1, {})
    served = Machine(plan(entry("w", local=hears))).gateway()
    (own,), (route,) = served.routes, served.by_model["/v1/audio/transcriptions"]
    expected = EntryTerms(model="own", path="/v1/audio/transcriptions")
    assert isinstance(own, ServedRoute)
    assert (own.admission, route.admission) == (expected, expected)
    assert (own.counts_tokens, route.counts_tokens) == (False, False), "sounds have none"
    assert (own.body_limit_bytes, route.body_limit_bytes) == (25 * 1024 * 1024,) * 2


def test_what_a_server_does_not_speak_is_translated_into_what_it_does() -> None:
    provider = ProviderServing("https://a.test/base", "claude", None, ("anthropic-messages",), "openai")
    served = plan(
        entry("claude", provider), entry("lab", UrlServing("http://a.test/v1/chat/completions", None))
    )
    plain = Machine(served).gateway()
    assert not plain.translates
    assert [route.name for route in plain.by_model[CHAT_PATH]] == ["lab"]
    gateway = Machine(served).gateway(translates=True)
    assert gateway.translates
    found = {
        (path, route.name): (route.rewrite, route.translation and route.translation.server)
        for path, routes in gateway.by_model.items()
        for route in routes
    }
    assert found == {
        (CHAT_PATH, "claude"): ("/base/messages", "anthropic-messages"),
        (CHAT_PATH, "lab"): ("/v1/chat/completions", None),
        ("/v1/responses", "claude"): ("/base/messages", "anthropic-messages"),
        ("/v1/responses", "lab"): ("/v1/chat/completions", "openai-chat"),
        ("/v1/messages", "claude"): ("/base/messages", None),
        ("/v1/messages", "lab"): ("/v1/chat/completions", "openai-chat"),
        ("/v1/messages/count_tokens", "claude"): ("/base/messages/count_tokens", None),
    }
    (chat, _) = gateway.by_model[CHAT_PATH]
    assert chat.translation
    assert chat.translation.limit_key == "max_completion_tokens"
    assert chat.admission
    assert chat.admission.takes_stream_options
    assert not gateway.by_model["/v1/messages/count_tokens"][0].translation


def test_bedrock_is_called_by_the_translator_or_by_chat_completions() -> None:
    claude = BedrockServing(BedrockModel("us.anthropic.c-1:0", "us-west-2", is_openai=False))
    gpt = BedrockServing(BedrockModel("openai.gpt-oss-1:0", "us-west-2", is_openai=True))
    event = EventPlan(aliases={"gpt-4o": "claude"})
    served = plan(replace(entry("claude", claude), fallback=("gpt",)), entry("gpt", gpt))
    machine = Machine(replace(served, event=event))
    gateway = machine.gateway(translates=True)
    found = {
        (path, route.name): (route.rewrite, route.translation and route.translation.server)
        for path, routes in gateway.by_model.items()
        for route in routes
    }
    chats, converse = "/openai/v1/chat/completions", ("/", "bedrock-converse")
    assert found == {
        (CHAT_PATH, "claude"): converse,
        (CHAT_PATH, "gpt"): (chats, None),
        ("/v1/responses", "claude"): converse,
        ("/v1/responses", "gpt"): (chats, "openai-chat"),
        ("/v1/messages", "claude"): converse,
        ("/v1/messages", "gpt"): (chats, "openai-chat"),
    }
    models = [route.translation and route.translation.model for route in gateway.by_model["/v1/messages"]]
    assert models == ["us.anthropic.c-1:0", ""], "the path of Chat Completions has none"
    own = {route.name: route for route in gateway.routes if isinstance(route, ServedRoute)}
    model = own["claude"].translation and own["claude"].translation.model
    assert model == "us.anthropic.c-1:0", "the path of Converse has it"
    assert own["gpt"].translation is None
    assert [attempt.name for attempt in own["claude"].attempts] == ["claude", "gpt"]
    assert own["claude"].counts_tokens
    for name, written in (("claude", "claude"), ("gpt", "openai.gpt-oss-1:0")):
        terms = own[name].admission
        assert terms
        assert (terms.model, terms.body_rules, terms.path) == (written, "provider", CHAT_PATH)
        assert (terms.limit_key, terms.takes_stream_options) == ("max_completion_tokens", True)


def test_where_an_alias_leads_its_own_name_is_written_into_the_body() -> None:
    aliases = {"gpt-4o": "a", "ada": "e", "org/big": "b", "x": "gone"}
    shared = replace(VLLM, model="org/own")
    entries = (entry("a", LLAMA), entry("e", EMBEDS), entry("b", shared), entry("c", VLLM))
    served = Machine(replace(plan(*entries), event=EventPlan(aliases=aliases))).gateway()
    written = {
        route.name: route.admission.model if route.admission else None
        for routes in served.by_model.values()
        for route in routes
    }
    assert written == {"a": "a", "e": "e", "b": "org/own", "c": None}
    own = {route.name: route.admission for route in served.routes if isinstance(route, ServedRoute)}
    assert own == {"a": CHATS, "e": None, "b": EntryTerms(model="org/own"), "c": None}
    assert served.aliases == aliases
    assert [(model.name, model.root) for model in served.listed] == [
        *((name, None) for name in ("a", "b", "c", "e")),
        ("gpt-4o", "a"),
        ("ada", "e"),
        ("org/big", "b"),
    ]


def test_an_openai_model_that_does_not_run_has_no_route() -> None:
    machine = Machine(plan(entry("z", LLAMA), entry("a", LLAMA)))
    del machine.services["z"]
    served = machine.gateway()
    assert [route.name for route in served.by_model[CHAT_PATH]] == ["a"]
    assert [upstream.name for upstream in served.upstreams] == ["a@1"]

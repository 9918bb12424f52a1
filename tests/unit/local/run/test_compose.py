"""What the gateway serves, from a plan and the services that run."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.api.entry_details import NOTHING_KNOWN
from centralized_ml_api.api.openai import CHAT_PATH, EMBEDDINGS_PATH
from centralized_ml_api.local.admission.terms import EntryTerms
from centralized_ml_api.local.gateway import (
    Attempt,
    ExternalUpstream,
    RefusedRoute,
    ServedRoute,
    TeamAccess,
    Upstream,
)
from centralized_ml_api.plan.apis import MESSAGES
from centralized_ml_api.plan.bedrock import BedrockServing
from centralized_ml_api.plan.engines import UrlServing
from centralized_ml_api.plan.event import EventPlan, Spending, TeamPlan, Throttle
from centralized_ml_api.plan.provider import ProviderServing
from centralized_ml_api.plan.types import BedrockModel, LocalPlan
from support.composed import CHATS, EMBEDS, LLAMA, NAPS, VLLM, Endless, Machine
from support.fake_target import FakeService, entry, function, plan

if TYPE_CHECKING:
    from pathlib import Path


def test_the_gateway_knows_the_pot_and_until_when_keys_are_refused() -> None:
    event, starts = EventPlan(pot=Spending(nanodollars=5)), datetime(2026, 12, 1, tzinfo=UTC)
    served = Machine(replace(plan(entry("a")), event=event)).gateway(starts=starts)
    assert (served.pot, served.starts) == (event.pot, starts)


def test_an_entry_goes_to_its_own_server_on_the_path_that_takes_calls() -> None:
    served = Machine(plan(entry("a", headers=("X-One",)), entry("b", integration="stream"))).gateway()
    assert served.routes == (
        ServedRoute("a", "a@1", "/run", ("X-One",)),
        ServedRoute("b", "b@1", "/run", (), streams=True),
    )
    assert served.upstreams == (Upstream("a@1", (7000,)), Upstream("b@1", (7001,)))
    assert (served.unready, served.by_model) == ((), {})


def test_a_function_takes_the_calls_as_they_are_sent(tmp_path: Path) -> None:
    wrapped = entry("a", LLAMA, function=function(tmp_path), integration="lambda", headers=("X-One",))
    served = Machine(plan(wrapped)).gateway()
    waits = EntryTerms(places=4, slots=4)  # for a place at the model; its body is the function's own
    assert served.routes == (ServedRoute("a", "a.function@1", None, None, admission=waits),)
    assert served.by_model[CHAT_PATH] == (
        ServedRoute("a", "a@1", "/v1/chat/completions", ("X-One",), admission=CHATS, counts_tokens=True),
    )
    assert served.upstreams == (Upstream("a.function@1", (7001,)), Upstream("a@1", (7000,)))


def test_a_model_behind_a_function_alone_is_no_upstream(tmp_path: Path) -> None:
    served = Machine(plan(entry("a", function=function(tmp_path), integration="lambda"))).gateway()
    assert served.upstreams == (Upstream("a.function@1", (7001,)),)


def test_the_list_of_models_tells_how_long_a_conversation_may_be_where_that_is_known() -> None:
    known = replace(NOTHING_KNOWN, created=1_906_502_400)
    served = Machine(plan(entry("chat", LLAMA), entry("other", VLLM))).gateway(known=known)
    assert {model.name: model.context_length for model in served.listed} == {"chat": 2048, "other": None}
    assert {model.created for model in served.listed} == {1_906_502_400}


def test_llama_cpp_hears_that_every_body_is_json() -> None:
    served = Machine(plan(entry("chat", LLAMA), entry("echo"))).gateway()
    chat, echo = served.routes
    assert isinstance(chat, ServedRoute)
    assert isinstance(echo, ServedRoute)
    assert (chat.reads_json, echo.reads_json) == (True, False)


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


def test_what_is_refused_answers_with_its_reason() -> None:
    machine = Machine(plan(entry("none", serving=None), entry("echo")))
    served = machine.gateway()
    refused = served.routes[0]
    assert refused == RefusedRoute("none", machine.refused["none"])
    assert "has no local block" in machine.refused["none"]
    assert served.unready == ()
    machine.refused.clear()
    assert machine.gateway().routes[0] == RefusedRoute("none", "This entry is not served here.")


def test_services_that_retire_stay_upstreams_without_a_route() -> None:
    machine = Machine(plan(entry("a")))
    spec, service = machine.services["a"].spec, machine.services["a"].service
    before = Endless(spec, service, "a@0", make=FakeService, ended=lambda: None)
    served = machine.gateway(retiring=(before,))
    assert [upstream.name for upstream in served.upstreams] == ["a@1", "a@0"]
    assert [route.upstream for route in served.routes if isinstance(route, ServedRoute)] == ["a@1"]
    assert [upstream.name for upstream in machine.gateway().upstreams] == ["a@1"]


def test_calls_go_where_the_service_says_on_the_path_that_it_says() -> None:
    machine = Machine(plan(entry("a", UrlServing("https://gpu-box:8443/go?x=1", None)), entry("b", LLAMA)))
    gpu = ExternalUpstream("", "gpu-box", 8443, tls=True, ready=False)
    machine.fake("a").elsewhere = machine.fake("b").elsewhere = gpu
    machine.fake("b").path = "/endpoints"
    served = machine.gateway()
    assert served.upstreams == (replace(gpu, name="a@1"), replace(gpu, name="b@1"))
    a, b = served.routes
    assert a == ServedRoute("a", "a@1", "/go?x=1", ())
    chats = ServedRoute("b", "b@1", "/endpoints/b-endpoint", (), admission=CHATS, counts_tokens=True)
    assert b == replace(chats, reads_json=True)
    assert served.by_model[CHAT_PATH] == (chats,)


def test_a_call_that_nothing_limits_is_not_asked_about() -> None:
    served = Machine(plan(entry("far", UrlServing("http://gpu-box:9000/x", None)))).gateway()
    (far,) = served.routes
    assert isinstance(far, ServedRoute)
    assert far.admission is None


def test_every_call_is_asked_about_when_a_team_may_have_only_so_many_at_once() -> None:
    event = EventPlan(teams=(TeamPlan("red", None, None, None, 3), TeamPlan("blue", None, None, None)))
    served = Machine(plan(entry("far", UrlServing("http://gpu-box:9000/x", None)), event=event)).gateway()
    (far,) = served.routes
    assert isinstance(far, ServedRoute)
    assert far.admission == EntryTerms()


@pytest.mark.parametrize("takes", [True, False, None])
def test_whether_a_model_can_call_tools_is_checked_and_listed(takes: bool | None) -> None:  # noqa: FBT001  # a column
    machine = Machine(plan(entry("a", LLAMA), entry("e", EMBEDS)))
    machine.fake("a").description = {"chat_template_caps": {} if takes is None else {"supports_tools": takes}}
    served = machine.gateway()
    routes = (*served.routes, *served.by_model[CHAT_PATH])
    terms = [route.admission for route in routes if isinstance(route, ServedRoute)]
    assert terms[0] == terms[-1] == replace(CHATS, takes_tools=takes)
    chat = {"chat": True, "embeddings": False, "vision": False}
    chat |= {} if takes is None else {"tools": takes}
    assert [model.capabilities for model in served.listed] == [
        chat,
        {"chat": False, "embeddings": True, "tools": False, "vision": False},
    ]


def test_teams_come_with_their_keys_models_and_limits() -> None:
    event = EventPlan(
        teams=(TeamPlan("red", Throttle(1, 2), 50, ("a",), 3), TeamPlan("blue", None, None, None)),
        throttle=Throttle(7, 8),
        ends=datetime(2030, 1, 1, tzinfo=UTC),
    )
    served = Machine(plan(entry("a"), event=event)).gateway(keys={"red": ("k1", "k2"), "green": ("k3",)})
    assert served.teams == (
        TeamAccess("red", ("k1", "k2"), ("a",), Throttle(1, 2), 50, 3),
        TeamAccess("blue", (), None, None, None),
    )
    assert (served.throttle, served.ends, served.quotas) == (Throttle(7, 8), event.ends, None)


def test_answers_of_apis_are_counted_but_not_counts_of_tokens() -> None:
    plans = plan(entry("a", LLAMA), entry("echo", UrlServing("http://h/run", None)))
    served = Machine(plans).gateway()
    assert [route.counts_tokens for route in served.routes if isinstance(route, ServedRoute)] == [True, False]
    messages = {path: route.counts_tokens for path, (route,) in served.by_model.items() if "messages" in path}
    assert messages == {"/v1/messages": True, "/v1/messages/count_tokens": False}


def test_every_call_of_an_entry_that_may_sleep_is_asked_about(tmp_path: Path) -> None:
    wrapped = entry("b", sleep=NAPS, function=function(tmp_path), integration="lambda")
    served = Machine(plan(entry("a", sleep=NAPS), wrapped, entry("c"))).gateway()
    terms = {route.name: route.admission for route in served.routes if isinstance(route, ServedRoute)}
    assert terms == {"a": EntryTerms(sleeps=True), "b": EntryTerms(sleeps=True), "c": None}
    served = Machine(plan(entry("a", LLAMA, sleep=NAPS))).gateway()
    assert {
        route.admission.sleeps
        for routes in served.by_model.values()
        for route in routes
        if route.admission is not None
    } == {True}


def test_a_server_elsewhere_gets_the_headers_of_the_api_in_which_it_is_called() -> None:
    chats = ProviderServing("https://one.test/v1", "gpt", None, ("openai-chat",))
    claude = ProviderServing("https://two.test/v1", "claude", None, ("anthropic-messages",))
    with_own = replace(entry("claude", claude), headers=("X-Own",))
    gateway = Machine(plan(entry("gpt", chats), with_own, entry("here", LLAMA))).gateway(translates=True)
    betas = ("X-Own", *MESSAGES.headers)
    messages, chat = gateway.by_model[MESSAGES.paths[0]], gateway.by_model[CHAT_PATH]
    assert {route.name: route.headers for route in messages} == {"gpt": (), "claude": betas, "here": ()}
    assert {route.name: route.headers for route in chat} == {"gpt": (), "claude": ("X-Own",), "here": ()}
    own = {route.name: route.headers for route in gateway.routes if isinstance(route, ServedRoute)}
    assert own == {"gpt": (), "claude": betas, "here": ()}


def test_where_an_entry_fails_those_with_the_same_path_are_asked_in_order() -> None:
    chats = ProviderServing("https://one.test/v1", "gpt", None, ("openai-chat",))
    claude = ProviderServing("https://two.test/v1", "claude", None, ("anthropic-messages",))
    embeds = ProviderServing("https://one.test/v1", "embed", None, ("openai-embeddings",))
    served = plan(
        replace(entry("gpt", chats), fallback=("embed", "claude", "here")),
        replace(entry("claude", claude), headers=("X-Beta",)),
        entry("embed", embeds),
        replace(entry("here", LLAMA), fallback=("gpt",)),
    )
    event = EventPlan(teams=(TeamPlan("red", None, None, ("gpt",)), TeamPlan("blue", None, None, None)))
    machine = Machine(replace(served, event=event))
    gateway = machine.gateway(translates=True)
    chat = {route.name: route.attempts for route in gateway.by_model[CHAT_PATH]}
    gpt = Attempt("gpt", f"/gpt{CHAT_PATH}")
    claudes = Attempt("claude", f"/claude{CHAT_PATH}", ("X-Beta",), ("red",))
    here = Attempt("here", f"/here{CHAT_PATH}", (), ("red",))
    assert chat == {"gpt": (gpt, claudes, here), "claude": (), "here": (here, gpt)}
    assert [route.attempts for route in gateway.by_model[EMBEDDINGS_PATH]] == [()]
    own = {route.name: route.attempts for route in gateway.routes if isinstance(route, ServedRoute)}
    assert own == {"gpt": (gpt, claudes, here), "claude": (), "embed": (), "here": ()}
    without = machine.gateway(translates=False)
    assert not any(route.attempts for routes in without.by_model.values() for route in routes)

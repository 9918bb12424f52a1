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
from centralized_ml_api.plan.engines import UrlServing
from centralized_ml_api.plan.event import EventPlan, Spending, TeamPlan, Throttle
from centralized_ml_api.plan.provider import ProviderServing
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

"""What the admission service is told of an entry: every field, engine by engine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.config.schema.local import THREADS_VARIABLE
from centralized_ml_api.config.token_prices import TokenPrice
from centralized_ml_api.config.weights import parse_weights
from centralized_ml_api.local.admission.terms import EntryTerms
from centralized_ml_api.local.run.entry_terms import NO_LIMITS, Limits, build_entry_terms
from centralized_ml_api.plan.bedrock import BedrockServing
from centralized_ml_api.plan.engines import CommandServing, LlamaCppServing, PythonServing, UrlServing
from centralized_ml_api.plan.event import EventPlan, Spending, TeamPlan
from centralized_ml_api.plan.provider import ProviderServing
from centralized_ml_api.plan.types import BedrockModel, LocalPlan, ModelDeployment, SleepPlan
from support.fake_target import entry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from centralized_ml_api.plan.serving import Serving

AT_ONCE = Limits(at_once=True)
SPENDING = Limits(spending=True)
PRICE = TokenPrice(250_000, 25_000, 2_000_000, "the config")

LLAMA = LlamaCppServing(parse_weights("hf://o/r/m.gguf"), 2048, "auto", parallel=3)
PYTHON = PythonServing(Path("/code"), None, "auto")
COMMAND = CommandServing(("serve",), ping="/ping", invocations="/run")
PROVIDER = ProviderServing("https://api.openai.com/v1", "gpt-9", None, ("openai-chat",), "openai")
CLAUDE = BedrockServing(BedrockModel("us.anthropic.c-1:0", "us-west-2", is_openai=False))
GPT = BedrockServing(BedrockModel("openai.gpt-oss-1:0", "us-west-2", is_openai=True))


def terms_of(
    serving: Serving | ModelDeployment, limits: Limits = NO_LIMITS, about: Mapping[str, Any] | None = None
) -> EntryTerms | None:
    found = serving if isinstance(serving, ModelDeployment) else entry("a", serving)
    return build_entry_terms(found, about or {}, limits=limits)


def speaking(serving: Serving, *apis: str) -> ModelDeployment:
    return entry("a", local=LocalPlan(serving, 1, {}, apis))  # type: ignore[arg-type]


def test_llama_cpp_says_what_fits_into_one_conversation() -> None:
    plain = EntryTerms(
        places=3, body_rules="llama.cpp", slots=3, context=2048, body_limit_bytes=256 * 1024 + 64 * 2048
    )
    assert terms_of(LLAMA) == plain
    assert terms_of(replace(LLAMA, share_prompts=False)) == replace(plain, share_prompts=False)
    sees = replace(LLAMA, projector=parse_weights("hf://o/r/p.gguf"))
    assert terms_of(sees) == replace(plain, takes_pictures=True, body_limit_bytes=None)
    tools = {"chat_template_caps": {"supports_tools": True}}
    assert terms_of(LLAMA, about=tools) == replace(plain, takes_tools=True)
    assert terms_of(entry("a", LLAMA, max_output_tokens=99)) == replace(plain, max_output_tokens=99)
    assert terms_of(entry("a", LLAMA, replicas=2)) == replace(plain, places=6), "each process has three"


def test_llama_cpp_says_what_tokens_cost_where_they_are_limited() -> None:
    plain = terms_of(LLAMA)
    assert plain is not None
    spent = replace(plain, has_tokens=True, answer_tokens=512)
    assert terms_of(LLAMA, SPENDING) == spent
    assert terms_of(entry("a", LLAMA, price=PRICE), SPENDING) == replace(
        spent, price=(250_000, 25_000, 2_000_000)
    )
    assert terms_of(entry("a", LLAMA, price=PRICE), AT_ONCE) == plain, "nobody asks what they cost"


def test_python_has_a_place_for_each_thread_of_each_replica() -> None:
    threads = entry("a", local=LocalPlan(PYTHON, 2, {THREADS_VARIABLE: "4"}))
    assert terms_of(threads) == EntryTerms(places=8, slots=4)
    assert terms_of(PYTHON) == EntryTerms(places=1, slots=1)


def test_a_form_is_read_as_one_and_what_it_costs_is_unknown() -> None:
    hears = speaking(PYTHON, "openai-transcriptions")
    terms = EntryTerms(places=1, slots=1, path="/v1/audio/transcriptions")
    assert terms_of(hears) == terms
    assert terms_of(hears, SPENDING) == terms


@pytest.mark.parametrize("api", ["openai-speech", "openai-images", "openai-translations"])
def test_speech_and_images_have_no_tokens(api: str) -> None:
    terms = terms_of(speaking(COMMAND, api), SPENDING)
    assert terms is not None
    assert not terms.has_tokens
    assert terms.path != EntryTerms().path


def test_the_path_says_what_a_body_is_where_its_tokens_are_limited() -> None:
    embeds = speaking(COMMAND, "openai-embeddings", "openai-chat")
    assert terms_of(embeds) is None
    assert terms_of(embeds, SPENDING) == EntryTerms(path="/v1/embeddings", has_tokens=True)
    assert terms_of(COMMAND, SPENDING) == EntryTerms(), "a body of which nobody knows the API"
    assert terms_of(speaking(COMMAND, "openai-images")) is None


def test_a_server_for_several_models_hears_the_name_that_the_config_gives_it() -> None:
    assert terms_of(replace(COMMAND, model="org/own")) == EntryTerms(model="org/own")
    assert terms_of(UrlServing("http://box/x", None, model="org/own")) == EntryTerms(model="org/own")


def test_a_provider_hears_its_own_words() -> None:
    terms = EntryTerms(
        model="gpt-9",
        body_rules="provider",
        limit_key="max_completion_tokens",
        takes_stream_options=True,
    )
    assert terms_of(PROVIDER) == terms
    priced = entry("a", PROVIDER, price=PRICE, max_output_tokens=7)
    assert terms_of(priced, SPENDING) == replace(
        terms, has_tokens=True, price=(250_000, 25_000, 2_000_000), max_output_tokens=7
    )
    assert terms_of(PROVIDER, SPENDING) == replace(terms, has_tokens=True), "nobody knows its price"
    native = ProviderServing("https://api.anthropic.com", "c", None, ("anthropic-messages",), "anthropic")
    assert terms_of(native) == EntryTerms(
        model="c", body_rules="provider", path="/v1/messages", limit_key="max_tokens"
    )


def test_bodies_for_converse_name_the_entry_and_others_the_model() -> None:
    terms = EntryTerms(
        model="a", body_rules="provider", limit_key="max_completion_tokens", takes_stream_options=True
    )
    assert terms_of(CLAUDE) == terms
    assert terms_of(GPT) == replace(terms, model="openai.gpt-oss-1:0")


def test_nobody_asks_about_an_entry_that_nothing_limits() -> None:
    assert terms_of(COMMAND) is None
    assert terms_of(COMMAND, AT_ONCE) == EntryTerms()
    assert terms_of(entry("a", COMMAND, sleep=SleepPlan(on_call=True))) == EntryTerms(sleeps=True)
    assert terms_of(entry("a", None), Limits(at_once=True, spending=True)) is None, "it is not served here"


def test_the_limits_of_an_event_are_those_of_any_team() -> None:
    free, busy = TeamPlan("free", None, None, None), TeamPlan("busy", None, None, None, 3)
    spends = replace(free, name="spends", spending=Spending(tokens=9))
    found = {
        teams: Limits.of(EventPlan(teams=teams))
        for teams in ((free,), (free, busy), (spends,), (busy, spends))
    }
    assert [*found.values()] == [NO_LIMITS, AT_ONCE, SPENDING, Limits(at_once=True, spending=True)]
    assert [limits.any for limits in found.values()] == [False, True, True, True]
    assert Limits.of(EventPlan(pot=Spending(nanodollars=1))) == SPENDING

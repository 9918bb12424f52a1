"""Which entries of one machine are part of the OpenAI-compatible paths."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.config.weights import parse_weights
from centralized_ml_api.plan.engines import (
    CommandServing,
    LlamaCppServing,
    SageMakerServing,
    UrlServing,
)
from centralized_ml_api.plan.speaks import (
    OpenAiModels,
    find_body_limit,
    local_openai_models,
    openai_models,
)
from centralized_ml_api.plan.types import (
    BODY_LIMIT_BYTES,
    About,
    ApiPlan,
    ExistingEndpoint,
    LocalPlan,
    ModelDeployment,
)

if TYPE_CHECKING:
    from centralized_ml_api.config.schema import ServerSpeaks, Speaks
    from centralized_ml_api.plan.serving import Serving

LLAMA = LlamaCppServing(parse_weights("m.gguf"), 2048, "auto")
CHAT = OpenAiModels(chat=("one",))
EMBED = OpenAiModels(embeddings=("one",))
OTHERS: tuple[ServerSpeaks, ...] = ("openai-completions", "openai-responses", "anthropic-messages")
EVERY = OpenAiModels(chat=("one",), others=tuple((api, ("one",)) for api in OTHERS), sees={"one": False})


def command(path: str) -> CommandServing:
    return CommandServing(("serve",), "/ping", path)


def plan(serving: Serving, local: ServerSpeaks | None, on_aws: Speaks | None) -> ApiPlan:
    deployment = ModelDeployment(
        name="one",
        endpoint_name="one",
        origin=ExistingEndpoint(),
        instances=(),
        autoscaling=None,
        environment={},
        integration="api",
        headers=(),
        function=None,
        description="",
        sample=None,
        local=LocalPlan(serving, 1, {}, (local,) if local else ()),
        speaks=on_aws,
    )
    return ApiPlan((deployment,), ())


def test_aliases_follow_their_entries() -> None:
    spoken: list[tuple[str, Speaks | None]] = [("one", "openai-chat"), ("two", "text-inputs-embeddings")]
    models = openai_models([*spoken, ("three", None)], {"a": "two", "b": "one", "c": "one", "d": "three"})
    assert models.aliases == {"a": "two", "b": "one", "c": "one"}
    assert models.aliases_of("one") == ("b", "c")
    assert models.with_aliases(models.chat) == ("one", "b", "c")
    assert models.only(["two"]).aliases == {"a": "two"}


@pytest.mark.parametrize(
    ("serving", "local", "on_aws", "expected"),
    [
        (LLAMA, None, None, EVERY),
        (command("/v1/chat/completions"), None, None, CHAT),
        (command("/v1/embeddings"), None, None, EMBED),
        (command("/invocations"), None, None, OpenAiModels()),
        (command("/invocations"), "openai-embeddings", None, EMBED),
        (command("/invocations"), None, "openai-chat", OpenAiModels()),
        (command("/invocations"), "text-inputs", None, OpenAiModels()),
        (command("/v1/messages"), None, None, OpenAiModels(others=(("anthropic-messages", ("one",)),))),
        (command("/v1/messages/count_tokens"), None, None, OpenAiModels()),
        (UrlServing("http://far/v1/chat/completions?x=1", None), None, None, CHAT),
        (SageMakerServing(None), None, None, OpenAiModels()),
        (SageMakerServing(None), "openai-chat", None, CHAT),
        (SageMakerServing(None), None, "openai-chat", CHAT),
        (SageMakerServing(None), None, "text-inputs", OpenAiModels()),
    ],
)
def test_an_entry_is_there_when_its_server_speaks_openais_bodies(
    serving: Serving, local: ServerSpeaks | None, on_aws: Speaks | None, expected: OpenAiModels
) -> None:
    assert local_openai_models(plan(serving, local, on_aws)) == expected


def test_what_an_entry_can_do_is_told_as_far_as_it_is_known() -> None:
    models = openai_models(
        (
            ("own", "openai-chat"),
            ("words", "text-inputs"),
            ("tgi", "text-generation-inference"),
            ("vectors", "openai-embeddings"),
            ("none", None),
        )
    )
    words = {"chat": True, "embeddings": False, "tools": False, "vision": False}
    assert {name: models.capabilities_of(name) for name in models.names} == {
        "own": {"chat": True, "embeddings": False},
        "words": words,
        "tgi": words,
        "vectors": {"chat": False, "embeddings": True, "tools": False, "vision": False},
    }
    assert OpenAiModels(("own",), takes_tools={"own": True}).capabilities_of("own")["tools"] is True
    for sees in (True, False):
        assert OpenAiModels(("own",), sees={"own": sees}).capabilities_of("own")["vision"] is sees
    media = OpenAiModels(others=(("openai-transcriptions", ("a",)), ("openai-speech", ("a", "b"))))
    neither = {"chat": False, "embeddings": False, "tools": False, "vision": False}
    assert media.capabilities_of("a") == {**neither, "transcription": True, "speech": True}
    assert media.capabilities_of("b") == {**neither, "speech": True}


def test_the_paths_of_an_entry_are_those_of_all_that_its_server_speaks() -> None:
    models = OpenAiModels(("a", "b"), ("b", "e"), (("anthropic-messages", ("m", "a")),))
    assert models.names == ("a", "b", "m", "e")
    assert models.paths_of("a") == ("/v1/chat/completions", "/v1/messages", "/v1/messages/count_tokens")
    assert models.paths_of("b") == ("/v1/chat/completions", "/v1/embeddings")
    assert models.paths_of("nobody") == ()
    assert models.only({"b", "m"}) == OpenAiModels(("b",), ("b",), (("anthropic-messages", ("m",)),))


def test_what_is_translated_has_the_path_of_what_it_becomes() -> None:
    spoken: list[tuple[str, Speaks | None]] = [
        ("a", "text-inputs"),
        ("b", None),
        ("c", "text-inputs-embeddings"),
    ]
    assert openai_models(spoken) == OpenAiModels(("a",), ("c",), takes_tools={"a": False}, sees={"a": False})


@pytest.mark.parametrize(
    ("serving", "speaks", "takes", "written", "mebibytes"),
    [
        (command("/invocations"), None, None, None, 6),
        (command("/invocations"), None, "audio/wav", None, 25),
        (command("/invocations"), None, "image/png", None, 6),
        (command("/invocations"), "openai-translations", None, None, 25),
        (command("/v1/audio/transcriptions"), None, None, None, 25),
        (command("/v1/audio/speech"), None, None, None, 6),
        (command("/invocations"), None, "audio/wav", 40, 40),
        (SageMakerServing(None), None, "audio/wav", 40, 6),
    ],
)
def test_recordings_may_be_larger_than_other_bodies_and_the_config_decides(
    serving: Serving, speaks: ServerSpeaks | None, takes: str | None, written: int | None, mebibytes: int
) -> None:
    (entry,) = plan(serving, speaks, None).deployments
    entry = replace(entry, about=About(takes=takes), max_body_mib=written)
    assert find_body_limit(entry) == mebibytes * 1024 * 1024
    assert find_body_limit(replace(entry, local=None)) == BODY_LIMIT_BYTES

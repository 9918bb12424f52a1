"""Which entries stream and which are under `/v1` on AWS, and where the function finds them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.catalog.facts import Payload
from centralized_ml_api.plan.aws.streaming import build_row, build_stream, render_table
from centralized_ml_api.plan.aws.types import AdoptedEndpoint, OwnEndpoint, StreamModel
from centralized_ml_api.plan.speaks import OpenAiModels, model_speaks
from support.synthesis import build_facts, build_test_plan, function, model, package

if TYPE_CHECKING:
    from pathlib import Path

    from centralized_ml_api.config.schema import Speaks

REGISTRY = "763104351884.dkr.ecr.us-east-1.amazonaws.com"


def speaks(task: str, repository: str, *bodies: Any) -> str | None:
    payloads = tuple(Payload("one", "application/json", "application/json", body) for body in bodies)
    return model_speaks(build_facts(task=task, image=f"{REGISTRY}/{repository}:1", payloads=payloads))


@pytest.mark.parametrize(
    ("task", "repository", "found"),
    [
        ("textgeneration", "huggingface-pytorch-tgi-inference", "text-generation-inference"),
        ("llm", "djl-inference", "text-generation-inference"),
        ("vlm (Text, Image -> Text)", "vllm", "openai-chat"),
        ("reasoning", "sglang", "openai-chat"),
        ("textgeneration", "huggingface-pytorch-inference", "text-inputs"),
        ("llm", "huggingface-pytorch-inference", None),
        ("llm", "mine", None),
        ("sentencesimilarity", "huggingface-pytorch-inference", "text-inputs-embeddings"),
        ("textembedding", "tei-cpu", "text-embeddings-inference"),
        ("sentencesimilarity", "mine", None),
        ("txt2img", "huggingface-pytorch-inference", None),
        ("summarization", "huggingface-pytorch-tgi-inference", None),
    ],
)
def test_what_a_model_speaks_by_its_task_and_image(task: str, repository: str, found: str | None) -> None:
    assert speaks(task, repository) == found


@pytest.mark.parametrize(
    ("task", "body", "found"),
    [
        ("textgeneration1", {"text_inputs": "x"}, "text-inputs"),
        ("llm", {"messages": []}, "openai-chat"),
        ("llm", {"inputs": "x", "parameters": {}}, "text-generation-inference"),
        ("llm", "a text", "text-generation-inference"),
        ("llm", None, "text-generation-inference"),
        ("textembedding", {"text_inputs": ["x"]}, "text-inputs-embeddings"),
        ("textembedding", {"inputs": ["x"]}, "text-embeddings-inference"),
    ],
)
def test_the_publishers_example_says_more_than_the_image(task: str, body: Any, found: str) -> None:
    assert speaks(task, "djl-inference", body) == found


def test_an_entry_without_either_is_only_described(tmp_path: Path) -> None:
    plan = build_test_plan({"models": [model(), model("f", integration=function())]}, tmp_path)
    assert (plan.stream.policies, plan.stream.described) == ((), (("a-model", "f"),))
    assert not plan.stream.streams
    assert plan.openai == OpenAiModels()


def test_an_entry_that_chats_is_under_v1_however_its_own_path_is_served(tmp_path: Path) -> None:
    facts = build_facts(task="textgeneration")
    plan = build_test_plan({"models": [model("f", integration=function()), model("m")]}, tmp_path, facts)
    assert plan.openai == OpenAiModels(
        chat=("f", "m"), takes_tools={"f": False, "m": False}, sees={"f": False, "m": False}
    )
    assert plan.stream.models == tuple(
        StreamModel(name, OwnEndpoint(name), "text-generation-inference", None) for name in ("f", "m")
    )


def test_the_config_says_what_nobody_else_knows(tmp_path: Path) -> None:
    adopted = {
        "name": "old",
        "endpoint_name": "Old",
        "speaks": "openai-embeddings",
        "integration": {"type": "stream"},
    }
    config = {"models": [package(speaks="openai-chat")], "endpoints": [adopted]}
    plan = build_test_plan(config, tmp_path)
    assert plan.openai == OpenAiModels(chat=("a-package",), embeddings=("old",))
    assert plan.stream.models[1] == StreamModel("old", AdoptedEndpoint("Old"), "openai-embeddings", ())


def test_an_endpoint_of_speech_has_its_path(tmp_path: Path) -> None:
    plan = build_test_plan({"models": [package(speaks="openai-speech")]}, tmp_path)
    assert plan.openai == OpenAiModels(others=(("openai-speech", ("a-package",)),))
    assert plan.openai.paths_of("a-package") == ("/v1/audio/speech",)
    assert plan.stream.models[0].speaks == "openai-speech"
    assert plan.stream.policies == (("a-package",),)


def test_aliases_go_to_those_under_v1_and_others_are_noted(tmp_path: Path) -> None:
    aliases = {"gpt-4o": "a-package", "org/gpt": "a-package", "x": "f"}
    config = {
        "models": [package(speaks="openai-chat"), model("f", integration=function())],
        "event": {"aliases": aliases},
    }
    plan = build_test_plan(config, tmp_path)
    assert plan.openai.aliases == {"gpt-4o": "a-package", "org/gpt": "a-package"}
    assert [row.aliases for row in plan.stream.models] == [("gpt-4o", "org/gpt"), ()]
    assert "The alias x leads nowhere on AWS, since f is not under /v1 there." in plan.notes


def many(count: int) -> list[StreamModel]:
    names = [f"{number:03}-" + 58 * "x" for number in range(count)]
    return [StreamModel(name, OwnEndpoint(name), "text-generation-inference", None) for name in names]


def test_a_few_models_are_in_the_environment() -> None:
    stream = build_stream(many(10))
    assert stream.tables == ()


def test_many_models_are_in_as_many_parameters_as_they_need() -> None:
    models = many(150)
    stream = build_stream(models)
    assert [name for table in stream.tables for name in table] == [model.name for model in models]
    for table in stream.tables:
        rows = [(model.name, build_row(model, 63 * "e")) for model in models if model.name in table]
        assert len(render_table(rows)) < 4096


def test_a_row_says_how_an_entry_is_called() -> None:
    called = StreamModel("a", OwnEndpoint("a"), None, ("X-Caller",))
    other = StreamModel("b", OwnEndpoint("b"), "openai-chat", None)
    limited = StreamModel("c", OwnEndpoint("c"), "openai-chat", None, 1024)
    aliased = replace(other, name="d", aliases=("gpt-4o", "org/gpt"))
    assert build_row(aliased, "D") == {**build_row(other, "D"), "aliases": ["gpt-4o", "org/gpt"]}
    rows = [("a", build_row(called, "A")), ("b", build_row(other, "B")), ("c", build_row(limited, "C"))]
    assert json.loads(render_table(rows)) == {
        "a": {"endpoint": "A", "headers": ["X-Caller"]},
        "b": {"endpoint": "B", "speaks": "openai-chat"},
        "c": {"endpoint": "C", "speaks": "openai-chat", "max_output_tokens": 1024},
    }


@pytest.mark.parametrize(
    ("speaks", "headers", "called"),
    [(None, None, False), ("openai-chat", None, True), (None, (), True), ("openai-chat", (), True)],
)
def test_a_model_is_called_under_v1_or_by_its_own_path(
    speaks: Speaks | None, headers: tuple[str, ...] | None, *, called: bool
) -> None:
    assert StreamModel("a", OwnEndpoint("a"), speaks, headers).is_called is called

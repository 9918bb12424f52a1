"""What must run for a plan."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from centralized_ml_api.config.weights import parse_weights
from centralized_ml_api.extras import build_fix
from centralized_ml_api.local.run.specs import (
    FunctionSpec,
    build_desired_state,
    code_folders,
    services_of,
)
from centralized_ml_api.local.servers.parts import ModelSpec
from centralized_ml_api.plan.bedrock import BedrockServing
from centralized_ml_api.plan.engines import LlamaCppServing, PythonServing, UrlServing
from centralized_ml_api.plan.types import BedrockModel, LocalPlan
from support.fake_target import ECHO, entry, function, plan


def test_a_model_is_one_service_with_its_own_name() -> None:
    echo = entry("echo", replicas=3)
    desired = build_desired_state(plan(echo))
    assert desired.specs == {"echo": ModelSpec("echo", LocalPlan(ECHO, 3, {}), (Path("/config"),), "")}
    assert (desired.refused, desired.notes) == ({}, ())
    assert services_of(echo) == ("echo",)


def test_a_function_is_a_second_service_and_takes_the_calls(tmp_path: Path) -> None:
    hosted = function(tmp_path)
    wrapped = entry("echo", function=hosted, integration="lambda")
    specs = build_desired_state(plan(wrapped)).specs
    assert services_of(wrapped) == ("echo.function", "echo")
    assert list(specs) == ["echo", "echo.function"]
    spec = specs["echo.function"]
    assert isinstance(spec, FunctionSpec)
    assert (spec.entry, spec.function, spec.endpoint_name) == ("echo", hosted, "echo-endpoint")
    assert spec.fingerprint != ""
    assert specs["echo"].entry == "echo"


def test_a_function_hears_what_its_model_speaks_as_written_or_as_the_engine_does(tmp_path: Path) -> None:
    llama = LlamaCppServing(parse_weights("hf://o/r/m.gguf"), 2048, "auto")
    said = LocalPlan(ECHO, 1, {}, speaks=("openai-embeddings",))
    for local, speaks in (
        (LocalPlan(llama, 1, {}), "openai-chat"),
        (LocalPlan(ECHO, 1, {}), ""),
        (said, "openai-embeddings"),
        (LocalPlan(ECHO, 1, {}, speaks=("anthropic-messages",)), ""),
        (LocalPlan(ECHO, 1, {}, speaks=("openai-responses", "openai-chat")), "openai-chat"),
    ):
        wrapped = entry("a", local=local, function=function(tmp_path), integration="lambda")
        spec = build_desired_state(plan(wrapped)).specs["a.function"]
        assert isinstance(spec, FunctionSpec)
        assert spec.model_speaks == speaks


def test_an_edit_of_code_makes_another_spec(tmp_path: Path) -> None:
    served = PythonServing(tmp_path, None, "auto")
    wrapped = entry("a", served, function=function(tmp_path), integration="lambda")
    (tmp_path / "inference.py").write_text("1")
    before = build_desired_state(plan(wrapped)).specs
    assert build_desired_state(plan(wrapped)).specs == before
    (tmp_path / "inference.py").write_text("1 + 1")
    after = build_desired_state(plan(wrapped)).specs
    assert after["a"] != before["a"]
    assert after["a.function"] != before["a.function"]
    assert before["a"] != replace(before["a"], fingerprint="")


def test_what_this_machine_cannot_serve_is_refused_with_its_reason_and_runs_nothing(tmp_path: Path) -> None:
    node = function(tmp_path, runtime="nodejs22.x")
    desired = build_desired_state(
        plan(
            entry("none", serving=None),
            entry("node", function=node, integration="lambda"),
            entry("none-either", serving=None, function=function(tmp_path), integration="lambda"),
            entry("odd", UrlServing("ftp://somewhere", None)),
        )
    )
    assert desired.specs == {}
    assert list(desired.refused) == ["none", "node", "none-either", "odd"]
    assert "has no local block" in desired.refused["none"]
    assert "nodejs22.x" in desired.refused["node"]
    assert "has no local block" in desired.refused["none-either"]


def test_layers_are_noted(tmp_path: Path) -> None:
    layered = function(tmp_path, layers=("arn:aws:lambda:::layer:x:1",))
    plain = entry("plain", function=function(tmp_path), integration="lambda")
    desired = build_desired_state(
        plan(entry("echo"), plain, entry("a", function=layered, integration="lambda"))
    )
    note = "layers are not fetched on this machine; put what the function imports into its folder"
    assert desired.notes == (f"a: {note}",)


def test_what_would_be_translated_is_noted_where_nothing_can() -> None:
    chats = UrlServing("http://a.test/v1/chat/completions", None)
    embeds = UrlServing("http://a.test/v1/embeddings", None)
    served = plan(entry("gpt", chats), entry("vectors", embeds), entry("lab", chats))
    assert build_desired_state(served, can_translate=lambda: True).notes == ()
    state = build_desired_state(served, can_translate=lambda: False)
    assert not state.translates
    (note,) = state.notes
    said = "gpt, lab: /v1/responses and /v1/messages would be translated, which needs Node.js: "
    assert note == said + build_fix("translator")


def test_what_only_the_translator_can_call_is_refused_where_there_is_none() -> None:
    claude = BedrockServing(BedrockModel("anthropic.c-1:0", None, is_openai=False))
    gpt = BedrockServing(BedrockModel("openai.gpt-oss-1:0", None, is_openai=True))
    served = plan(entry("claude", claude), entry("gpt", gpt))
    assert [*build_desired_state(served, can_translate=lambda: True).specs] == ["claude", "gpt"]
    state = build_desired_state(served, can_translate=lambda: False)
    assert [*state.specs] == ["gpt"]
    assert [*state.refused] == ["claude"]
    assert build_fix("translator") in state.refused["claude"]
    assert [note.partition(":")[0] for note in state.notes] == ["gpt"]


def test_a_server_that_limits_its_answers_starts_again_with_another_limit() -> None:
    llama = LlamaCppServing(parse_weights("hf://o/r/m.gguf"), 2048, "auto")
    for serving, limits in ((llama, [None, 700]), (ECHO, [None, None])):
        entries = (entry("a", serving), replace(entry("a", serving), max_output_tokens=700))
        specs = [build_desired_state(plan(asked)).specs["a"] for asked in entries]
        assert [spec.max_output_tokens for spec in specs if isinstance(spec, ModelSpec)] == limits


def test_folders_with_code_are_those_of_functions_and_of_python_models() -> None:
    python = PythonServing(Path("/model"), None, "auto")
    hosted = function(Path("/function"))
    asked = plan(entry("echo"), entry("a", python), entry("b", function=hosted), entry("c", serving=None))
    assert code_folders(asked) == (Path("/function"), Path("/model"))

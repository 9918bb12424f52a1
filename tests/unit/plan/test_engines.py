"""What each engine of `local` is: said here for all of them, since nobody else may decide by the engine."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import pytest

from centralized_ml_api.config.schema import LlamaCpp, Local
from centralized_ml_api.config.shape.read import read_object, read_value
from centralized_ml_api.config.weights import parse_weights
from centralized_ml_api.plan.apis import EMBEDDINGS, MEDIA_APIS, RERANK
from centralized_ml_api.plan.bedrock import BedrockServing
from centralized_ml_api.plan.engines import (
    CHAT_SAMPLE,
    ENGINES,
    CommandServing,
    LlamaCppServing,
    PythonServing,
    SageMakerServing,
    UrlServing,
    build_serving,
)
from centralized_ml_api.plan.provider import KeyPlace, ProviderServing
from centralized_ml_api.plan.types import BedrockModel, LocalPlan
from centralized_ml_api.plan.url_target import UrlTarget

if TYPE_CHECKING:
    from centralized_ml_api.config.schema import Speaks
    from centralized_ml_api.plan.serving import Serving

CODE = Path("/models/ocr")
WEIGHTS = parse_weights("hf://owner/repo/model.gguf#sha256=" + "0" * 64)
LLAMA = LlamaCppServing(WEIGHTS, 2048, "manual")
PYTHON = PythonServing(CODE, None, "auto")
COMMAND = CommandServing(("vllm", "serve"), "/health", "/v1/embeddings")
URL = UrlServing("http://gpu:8000/run?x=1", "/health")
SAGEMAKER = SageMakerServing("eu-west-1")
PROVIDER = ProviderServing("https://api.test/x/v1", "m-1", KeyPlace("env", "KEY"), ("openai-chat",))
CLAUDE = "us.anthropic.claude-haiku-4-5-20251001-v1:0"
BEDROCK = BedrockServing(BedrockModel(CLAUDE, "us-west-2", is_openai=False))
BEDROCK_CHAT = BedrockServing(BedrockModel("openai.gpt-oss-120b-1:0", None, is_openai=True))
ALL = (LLAMA, PYTHON, COMMAND, URL, SAGEMAKER, PROVIDER, BEDROCK)


def facts(serving: Serving) -> dict[str, Any]:
    """All that an engine says, without what is none."""
    said = {
        "summary": serving.summary,
        "path": serving.path,
        "ping": serving.ping_path,
        "speaks": serving.find_speaks(None),
        "always speaks": serving.speaks,
        "sample": serving.sample,
        "reads JSON": serving.reads_json,
        "runs here": serving.runs_here,
        "installs packages": serving.installs_packages,
        "keeps connections": serving.keeps_connections,
        "weights": serving.weights_to_fetch,
        "waits for pull": serving.waits_for_pull,
        "code": serving.code_folder,
        "places": serving.places({}),
        "fault": serving.find_fault(),
    }
    return {name: value for name, value in said.items() if value}


@pytest.mark.parametrize(
    ("model_id", "embeds"),
    [
        ("amazon.titan-embed-text-v2:0", True),
        ("us.cohere.embed-v4:0", True),
        ("arn:aws:bedrock:us-east-1::foundation-model/amazon.titan-embed-text-v1", True),
        ("amazon.titan-text-express-v1", False),
        ("cohere.command-r-v1:0", False),
        ("my-amazon.titan", False),
    ],
)
def test_models_of_bedrock_that_embed_are_called_by_invoke_model(model_id: str, *, embeds: bool) -> None:
    serving = BedrockServing(BedrockModel(model_id, None, is_openai=False))
    assert serving.hosted.embeds is embeds
    translated = serving.find_translated(())
    assert ("openai-embeddings" in translated, "openai-chat" in translated) == (embeds, not embeds)
    assert set(translated.values()) == {"bedrock-invoke" if embeds else "bedrock-converse"}
    assert [*serving.sample] == (["input"] if embeds else ["messages"])
    assert serving.needs_translator


@pytest.mark.parametrize("api", [api.name for api in MEDIA_APIS])
def test_one_machine_does_not_call_endpoints_of_speech_and_images(api: Any) -> None:
    assert SAGEMAKER.find_speaks(api) == ()
    assert SAGEMAKER.find_speaks("rerank") == ("rerank",)


def test_a_body_for_llama_cpp_may_be_as_large_as_its_context_needs() -> None:
    assert LlamaCppServing(WEIGHTS, 2048, "auto").body_limit_bytes == 393_216
    assert UrlServing("http://a", None).body_limit_bytes is None


@pytest.mark.parametrize(
    ("about", "takes"),
    [
        ({"chat_template_caps": {"supports_tools": True}}, True),
        ({"chat_template_caps": {"supports_tools": False}}, False),
        ({"chat_template_caps": {"supports_tools": "yes"}}, None),
        ({"chat_template_caps": {}}, None),
        ({"chat_template_caps": []}, None),
        ({}, None),
    ],
)
def test_llama_cpp_says_whether_its_model_can_call_tools(
    about: dict[str, Any],
    takes: bool | None,  # noqa: FBT001  # a column
) -> None:
    assert LLAMA.about_path == "/props"
    assert LLAMA.takes_tools(about) is takes


def test_no_other_engine_says_whether_its_model_can_call_tools() -> None:
    others = [serving for serving in ALL if serving is not LLAMA]
    assert {serving.about_path for serving in others} == {None}
    about = {"chat_template_caps": {"supports_tools": True}}
    assert {serving.takes_tools(about) for serving in others} == {None}


LLAMA_SPEAKS = ("openai-chat", "openai-completions", "openai-responses", "anthropic-messages")


def test_llama_cpp_chats_as_openai_does() -> None:
    assert facts(LLAMA) == {
        "summary": "model.gguf, 2048 tokens",
        "path": "/v1/chat/completions",
        "ping": "/health",
        "speaks": LLAMA_SPEAKS,
        "always speaks": LLAMA_SPEAKS,
        "sample": CHAT_SAMPLE,
        "reads JSON": True,
        "runs here": True,
        "weights": (WEIGHTS,),
        "waits for pull": True,
        "places": 4,
    }


def test_python_has_sagemakers_paths_and_packages() -> None:
    assert facts(PYTHON) == {
        "summary": "ocr",
        "path": "/invocations",
        "ping": "/ping",
        "runs here": True,
        "installs packages": True,
        "keeps connections": True,
        "code": CODE,
        "places": 1,
    }
    assert facts(PythonServing(CODE, WEIGHTS, "auto"))["weights"] == (WEIGHTS,)


def test_a_python_model_has_a_place_for_each_thread_of_each_replica() -> None:
    assert LocalPlan(PYTHON, 1, {"MODEL_SERVER_THREADS": "3"}).places == 3
    assert LocalPlan(PYTHON, 2, {"MODEL_SERVER_THREADS": "3"}).places == 6


def test_nobody_knows_the_places_of_a_server_that_is_not_ours() -> None:
    assert LocalPlan(LLAMA, 2, {}).places == 8
    assert [LocalPlan(serving, 2, {}).places for serving in (COMMAND, URL, SAGEMAKER)] == [None, None, None]


def test_a_command_has_the_configured_paths_and_says_by_its_path_what_it_speaks() -> None:
    assert facts(COMMAND) == {
        "summary": "vllm serve",
        "path": "/v1/embeddings",
        "ping": "/health",
        "speaks": ("openai-embeddings",),
        "runs here": True,
    }


def test_an_address_is_not_run_here() -> None:
    assert facts(URL) == {
        "summary": "http://gpu:8000/run?x=1",
        "path": "/run?x=1",
        "ping": "/ping",
    }
    chat = UrlServing("http://gpu:8000/v1/chat/completions?x=1", None)
    assert (chat.path, chat.find_speaks(None)) == ("/v1/chat/completions?x=1", ("openai-chat",))


def test_a_real_endpoint_speaks_as_the_config_says_of_it() -> None:
    assert facts(SAGEMAKER) == {"summary": "eu-west-1", "path": "/invocations", "ping": "/ping"}
    assert SAGEMAKER.find_speaks("text-inputs") == ("text-inputs",)
    assert SageMakerServing(None).summary == "the region of your AWS settings"


def test_bedrock_is_called_by_converse_or_by_chat_completions() -> None:
    sample = {"messages": [{"role": "user", "content": "What is AWS?"}]}
    assert facts(BEDROCK) == {
        "summary": f"{CLAUDE}, us-west-2",
        "path": "/",
        "ping": "/ping",
        "sample": sample,
        "reads JSON": True,
    }
    assert facts(BEDROCK_CHAT) == {
        "summary": "openai.gpt-oss-120b-1:0, the region of your AWS settings",
        "path": "/openai/v1/chat/completions",
        "ping": "/ping",
        "speaks": ("openai-chat",),
        "sample": sample,
        "reads JSON": True,
    }
    clients = ("openai-chat", "openai-responses", "anthropic-messages")
    assert BEDROCK.find_translated(()) == dict.fromkeys(clients, "bedrock-converse")
    assert BEDROCK_CHAT.find_translated(["openai-chat"]) == dict.fromkeys(clients[1:], "openai-chat")
    assert (BEDROCK.needs_translator, BEDROCK_CHAT.needs_translator) == (True, False)
    assert (BEDROCK.model, BEDROCK_CHAT.model) == (None, "openai.gpt-oss-120b-1:0")


def test_the_arn_of_a_model_of_bedrock_tells_its_region() -> None:
    arn = "arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/a1"
    assert BedrockServing(BedrockModel(arn, None, is_openai=False)).region == "eu-west-1"


@pytest.mark.parametrize(
    "serving", [LLAMA, PYTHON, COMMAND, URL, PROVIDER], ids=lambda serving: serving.engine
)
def test_what_the_config_says_of_the_endpoint_is_nothing_to_another_server(serving: Serving) -> None:
    said: Speaks = "text-inputs"
    assert serving.find_speaks(said) == serving.find_speaks(None)


@pytest.mark.parametrize(
    ("url", "ping", "path", "expected"),
    [
        ("http://gpu:8000/v1/chat", None, "/v1/chat", UrlTarget("gpu", 8000, False, None)),  # noqa: FBT003
        ("https://gpu", "/health", "/", UrlTarget("gpu", 443, True, "https://gpu/health")),  # noqa: FBT003
        ("http://gpu/a?b=c", None, "/a?b=c", UrlTarget("gpu", 80, False, None)),  # noqa: FBT003
        (
            "http://[::1]:81/a",
            "http://other/ping",
            "/a",
            UrlTarget("::1", 81, False, "http://other/ping"),  # noqa: FBT003
        ),
    ],
)
def test_an_address_is_taken_apart(url: str, ping: str | None, path: str, expected: UrlTarget) -> None:
    serving = UrlServing(url, ping)
    assert (serving.target, serving.path) == (expected, path)


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("gpu:8000/x", "gpu:8000/x is not an http:// or https:// address"),
        ("ftp://gpu/x", "ftp://gpu/x is not an http:// or https:// address"),
        ("http:///x", "http:///x is not an http:// or https:// address"),
        ("http://me:word@gpu/x", "the address may not carry a user name or a password"),
        ("http://me@gpu/x", "the address may not carry a user name or a password"),
        ("http://gpu:no/", "Port could not be cast to integer value as 'no'"),
    ],
)
def test_what_is_no_address_is_a_fault(url: str, fault: str) -> None:
    assert UrlServing(url, None).find_fault() == fault


WRITTEN: list[tuple[dict[str, Any], Serving]] = [
    (
        {"engine": "llama.cpp", "weights": WEIGHTS.written, "context": 512, "fetch": "manual"},
        LlamaCppServing(WEIGHTS, 512, "manual"),
    ),
    ({"engine": "python", "code": "models/ocr"}, PYTHON),
    (
        {"engine": "python", "code": "models/ocr", "weights": WEIGHTS.written, "fetch": "manual"},
        PythonServing(CODE, WEIGHTS, "manual"),
    ),
    (
        {"engine": "command", "run": ["vllm", "serve"], "ping": "/health", "invocations": "/v1/embeddings"},
        COMMAND,
    ),
    (
        {"engine": "command", "run": ["serve"], "model": "a/b"},
        CommandServing(("serve",), "/ping", "/invocations", "a/b"),
    ),
    ({"engine": "url", "url": URL.url, "ping": "/health"}, URL),
    ({"engine": "url", "url": URL.url, "model": "a/b"}, UrlServing(URL.url, None, "a/b")),
    ({"engine": "sagemaker", "region": "eu-west-1"}, SAGEMAKER),
    ({"engine": "bedrock", "model": CLAUDE, "region": "us-west-2"}, BEDROCK),
    ({"engine": "bedrock", "model": "openai.gpt-oss-120b-1:0", "speaks": "openai-chat"}, BEDROCK_CHAT),
]


@pytest.mark.parametrize(("written", "serving"), WRITTEN)
def test_the_decided_form_has_what_was_written(written: dict[str, Any], serving: Serving) -> None:
    local = read_value(Local, written)
    assert build_serving(local, {"models/ocr": CODE}) == serving


def test_every_engine_of_the_config_has_a_row_and_a_module_that_makes_its_services() -> None:
    tags = [get_args(member)[1].tag for member in get_args(get_args(Local)[0])]
    assert tags == list(ENGINES)
    assert [serving.engine for serving in ALL] == tags
    for engine, serving in ENGINES.items():
        module = import_module(f"centralized_ml_api.local.servers.{engine.replace('.', '_')}")
        assert module.make_service.__annotations__["serving"] == serving.__name__


def test_a_python_server_translates_speech_and_images_and_gets_all_else_as_it_is() -> None:
    for api in (*MEDIA_APIS, RERANK, EMBEDDINGS):
        for is_first in (True, False):
            path = PYTHON.path_of(api, api.paths[0], is_first=is_first)
            assert path == (api.paths[0] if api in MEDIA_APIS else "/invocations")


def test_llama_cpp_fetches_all_its_files_and_holds_as_many_conversations_as_it_is_told() -> None:
    written = read_object(
        LlamaCpp,
        {
            "engine": "llama.cpp",
            "weights": WEIGHTS.written,
            "projector": "hf://owner/repo/mmproj.gguf",
            "adapters": [{"weights": "lora.gguf", "scale": 0.5}, {"weights": "other.gguf"}],
            "parallel": 2,
            "gpu_layers": 0,
            "flags": ["--temp", "0.2"],
        },
    )
    serving = build_serving(written, {})
    assert [weights.written for weights in serving.weights_to_fetch] == [
        WEIGHTS.written,
        "hf://owner/repo/mmproj.gguf",
        "lora.gguf",
        "other.gguf",
    ]
    assert isinstance(serving, LlamaCppServing)
    assert [adapter.scale for adapter in serving.adapters] == [0.5, 1.0]
    assert (serving.places({}), serving.gpu_layers, serving.flags) == (2, 0, ("--temp", "0.2"))
    assert serving.body_limit_bytes is None

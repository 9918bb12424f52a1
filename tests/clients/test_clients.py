"""Clients that users have, against both targets: chats, streams, embeddings, counts of tokens, errors.

On one machine they call real llama.cpp. On AWS they call the function that translates, for model servers that
count no tokens; and, behind the document of API Gateway, models of a provider in Anthropic's API and in
Responses. The lines of `mlapi clients` are run as they are printed.
"""

from __future__ import annotations

import json
import math
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web

from centralized_ml_api.local.keys import KeyStore, LocalKeys
from contract.api import PROVIDER_URL
from contract.case import AWS
from contract.targets import Hosts, read_targets
from support import embedding_server
from support.anthropic_answers import TEXT as CLAUDE_SAID
from support.background import start_background
from support.bedrock import start_bedrock
from support.local_api import mlapi, start_local_api
from support.openai_answers import SEEN, WORDS
from support.provider import KEY, start_provider
from support.sdk_programs import FOLDER, PYTHONS, list_programs, run_client, run_program
from support.signed_runtime import Keys
from support.stream_host import start_front
from support.stream_host.host import node
from support.streaming import start_streaming, streams
from support.synthesis import REGION

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PROGRAMS = list_programs()
RETRYING = [
    f"programs/retrying/{name}"
    for name in ("anthropic_node.mjs", "anthropic_python.py", "openai_node.mjs", "openai_python.py")
]
OF_ANTHROPIC = ("programs/anthropic_node.mjs", "programs/anthropic_python.py")
RESPONSES = "programs/openai_responses.py"
AI_SDK = "programs/ai_sdk_responses_messages.mjs"
INSTRUCTOR = "openai2/instructor_client.py"
ON_ONE_MACHINE = {
    *OF_ANTHROPIC,
    RESPONSES,
    AI_SDK,
    "programs/langchain_messages.py",
    "programs/openai_agents_responses.py",
    INSTRUCTOR,
}
"""They call paths that models of our own lack on AWS, or ask them for an object, which the function refuses.

Most of them call models of a provider there instead.
"""

MARK = "== that was one\n"
PATHS, SAY = "process.argv.slice(1)", f"process.stdout.write({MARK!r});"
RUNNERS = {
    "shell": ("-ec", f'for script; do . "$script"; printf "%s" "{MARK}"; done', "bash"),
    "python": (
        "-c",
        f"import runpy, sys\nfor path in sys.argv[1:]: runpy.run_path(path); print({MARK!r}, end='')",
    ),
    "javascript": (
        "--input-type=module",
        "--eval",
        f"for (const path of {PATHS}) {{ await import(path); {SAY} }}",
    ),
}
"""Runs scripts one after the other, each followed by a mark."""

AGENTS = {"claude-code", "codex", "opencode", "continue"}
"""Not installed here: large programs, each with its own release a day."""

ANSWER_TOKENS = 32

QUESTION = "Name a colour, such as “café au lait”."
PICTURE = (
    "data:image/png;base64,"
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="
)
ANSWER = "Crème 🎨"
ESTIMATE = math.ceil(len(QUESTION.encode()) / 4) + math.ceil(len(ANSWER.encode()) / 4)


@dataclass(frozen=True)
class Target:
    """An API: its address, what chats there and what embeds; and what programs reported of it."""

    url: str
    chats: str
    embeds: str
    reports: dict[str, dict[str, Any]] = field(default_factory=dict)

    def run(self, program: str) -> dict[str, Any]:
        """Returns what a program reports of its calls; each runs once."""
        if program not in self.reports:
            base = f"{self.url}/v1"
            self.reports[program] = run_program(program, base, self.chats, self.embeds, QUESTION, PICTURE)
        return self.reports[program]


@dataclass(frozen=True)
class Hosted:
    """An API with models that a provider hosts, and what programs reported of each."""

    url: str
    targets: dict[tuple[str, str], Target] = field(default_factory=dict)

    def target(self, chats: str, other: str = "claude") -> Target:
        """It, for programs that call these two models."""
        return self.targets.setdefault((chats, other), Target(self.url, chats, other))


@pytest.fixture(scope="module")
def one_machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """The default config, whose model is a real one, and an entry that embeds."""
    folder = tmp_path_factory.mktemp("clients")
    for part in ("functions", "models"):
        shutil.copytree(ROOT / part, folder / part)
    config = json.loads((ROOT / "config/models.json").read_text())
    config["models"][0]["max_output_tokens"] = ANSWER_TOKENS
    config["endpoints"].append(
        {
            "name": "embed",
            "integration": {"type": "api"},
            "local": {
                "engine": "command",
                "run": [sys.executable, embedding_server.__file__, "{port}"],
                "invocations": "/v1/embeddings",
            },
        }
    )
    (folder / "models.json").write_text(json.dumps(config))
    with start_local_api(folder, folder / "models.json") as api:
        yield Target(api.wait_serving().url, "open-llama", "embed")


@pytest.fixture(scope="module")
def openai_provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """A provider that speaks OpenAI's chats alone, and a model of it that is called too often."""
    folder = tmp_path_factory.mktemp("translated")
    with start_background() as loop, start_provider(loop, folder) as provider:
        hosted = {"name": "openai", "url": provider.url, "key": {"env": "ORGANIZERS_KEY"}}
        endpoints = [
            {"name": name, "provider": {**hosted, "model": model}, "integration": {"type": "api"}}
            for name, model in (("gpt", "gpt-fake"), ("limited", "limited"))
        ]
        environment = {"SSL_CERT_FILE": str(provider.certificate), "ORGANIZERS_KEY": KEY}
        with start_local_api(folder, {"models": [], "endpoints": endpoints}, environment=environment) as api:
            yield Target(api.wait_serving().url, "gpt", "limited")


@pytest.fixture(scope="module")
def limited_teams(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str, str, str]]:
    """An API, its model, and the keys of two teams: one has no money, one has a call in four seconds."""
    folder = tmp_path_factory.mktemp("limited")
    with start_background() as loop, start_provider(loop, folder) as provider:
        hosted = {
            "name": "openai",
            "url": provider.url,
            "key": {"env": "ORGANIZERS_KEY"},
            "model": "gpt-fake",
        }
        price = {"input_per_million": 1, "output_per_million": 1}
        entry = {"name": "gpt", "provider": hosted, "price": price, "integration": {"type": "api"}}
        poor = {"name": "poor", "usd": 0.000001}
        slow = {"name": "slow", "requests_per_second": 0.25, "burst": 1}
        config = {"models": [], "endpoints": [entry], "event": {"teams": [poor, slow]}}
        environment = {"SSL_CERT_FILE": str(provider.certificate), "ORGANIZERS_KEY": KEY}
        with start_local_api(folder, config, environment=environment) as api:
            keys = LocalKeys(KeyStore(folder / ".mlapi"))
            url = f"{api.wait_serving().url}/v1"
            yield url, "gpt", keys.show("poor"), keys.show("slow")


@pytest.mark.parametrize("program", RETRYING)
def test_a_client_tries_again_when_that_helps_and_only_then(
    limited_teams: tuple[str, str, str, str], program: str
) -> None:
    """Without `Retry-After` it would have given up within two seconds."""
    url, model, poor, slow = limited_teams
    report = run_program(program, url, model, poor, slow)
    assert "Your team may spend" in report["refused"]
    assert (report["refused_after"], report["waited"]) == (1, "".join(WORDS))
    assert report["waited_after"] > 1


@pytest.fixture(scope="module")
def function_url() -> Iterator[str]:
    """The function of the AWS target, over servers of Hugging Face's APIs and of OpenAI's."""
    with (
        start_background() as loop,
        start_streaming(loop) as streaming,
        start_front(streaming.host) as url,
    ):
        streaming.model.answering = answer_as_hugging_face
        yield url


@pytest.fixture(scope="module")
def aws(function_url: str) -> Target:
    """It, with entries of Hugging Face's APIs."""
    return Target(function_url, "text-generation-inference", "text-embeddings-inference")


async def answer_as_hugging_face(request: web.Request, body: bytes) -> web.StreamResponse:
    """Answers as TGI and TEI do, neither of which says how many tokens a prompt has; a chat as vLLM does."""
    asked = json.loads(body)
    if "messages" in asked:
        return await answer_by_schema(request, body)
    if isinstance(asked["inputs"], list):
        return web.json_response([[0.5, -1.0] for _ in asked["inputs"]])
    if not asked.get("stream"):
        return web.json_response({"generated_text": ANSWER})
    tokens = [json.dumps({"token": {"text": text}}, ensure_ascii=False) for text in ANSWER]
    streaming = streams(*(f"data:{token}\n\n".encode() for token in tokens))
    return await streaming(request, body)


async def answer_by_schema(request: web.Request, body: bytes) -> web.StreamResponse:
    """Answers a chat with the first object that its schema allows, in two pieces."""
    asked = json.loads(body)
    (name,) = (
        field["enum"][0] for field in asked["response_format"]["json_schema"]["schema"]["properties"].values()
    )
    words = ('{"name":', f' "{name}"}}')
    common = {"id": "chat-1", "created": 1, "model": "of the server"}
    if not asked.get("stream"):
        choice = {
            "index": 0,
            "message": {"role": "assistant", "content": "".join(words)},
            "finish_reason": "stop",
        }
        usage = {"prompt_tokens": 5, "completion_tokens": 4, "total_tokens": 9}
        return web.json_response({**common, "object": "chat.completion", "choices": [choice], "usage": usage})
    chunks = [
        {**common, "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": text}}]}
        for text in words
    ]
    events = (f"data: {json.dumps(chunk)}\n\n".encode() for chunk in chunks)
    return await streams(*events, b"data: [DONE]\n\n")(request, body)


@pytest.fixture(scope="module")
def hosted_on_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosted]:
    """The AWS target of models that a provider hosts: its document, and the function, behind API Gateway."""
    folder = tmp_path_factory.mktemp("hosted")
    with start_background() as loop, start_provider(loop, folder) as provider:
        keys = Keys(REGION, "bedrock")
        keys.add("none", "none")
        environment = {"SSL_CERT_FILE": str(provider.certificate), "ORGANIZERS_KEY": KEY}
        config = {"models": [], "endpoints": build_hosted(provider.url)}
        with (
            start_bedrock(loop, folder, keys, provider.certificate) as bedrock,
            start_local_api(folder, config, environment=environment) as local,
            read_targets(local.wait_serving(), folder, loop, Hosts(provider, bedrock)) as targets,
        ):
            yield Hosted(targets.url(AWS))


def build_hosted(url: str) -> list[dict[str, Any]]:
    """Endpoints of a provider that AWS finds elsewhere; Anthropic's own speaks its API."""
    of_openai = {"name": "openai", "key": {"env": "ORGANIZERS_KEY"}}
    of_anthropic = {**of_openai, "name": "anthropic", "speaks": "anthropic-messages"}
    named = {
        "gpt": {**of_openai, "model": "gpt-fake"},
        "limited": {**of_openai, "model": "limited"},
        "claude": {**of_anthropic, "model": "claude-fake"},
    }
    return [
        {
            "name": name,
            "provider": {**provider, "url": PROVIDER_URL},
            "local": {"engine": "provider", **provider, "url": url},
            "integration": {"type": "api"},
        }
        for name, provider in named.items()
    ]


@pytest.mark.parametrize("program", PROGRAMS)
def test_one_machine_answers_a_client(one_machine: Target, program: str) -> None:
    report = one_machine.run(program)
    assert report["chat"].strip()
    assert report["streamed"].strip()
    check(report, vector=32)


@pytest.mark.parametrize("program", OF_ANTHROPIC)
def test_anthropics_clients_read_what_they_expect(one_machine: Target, program: str) -> None:
    report = one_machine.run(program)
    assert "reads text alone" in report["refused"]
    assert report["counted"] > 0
    assert report["models"] == ["open-llama", "embed"]
    assert report["kind"] == "not_found_error"
    assert report["request"].startswith("req-")


@pytest.mark.parametrize("program", OF_ANTHROPIC)
def test_anthropics_clients_call_anthropics_models_on_aws(hosted_on_aws: Hosted, program: str) -> None:
    report = hosted_on_aws.target("claude").run(program)
    assert (report["chat"], report["streamed"]) == (CLAUDE_SAID, CLAUDE_SAID)
    assert (report["streamed_tokens"], report["counted"]) == (11, 7)
    assert report["models"] == ["gpt", "limited", "claude"]
    assert report["kind"] == "not_found_error"
    assert report["request"]
    check(report, vector=0)
    assert "refused" not in report, "this model sees pictures"


def test_openais_client_calls_responses_of_a_provider_on_aws(hosted_on_aws: Hosted) -> None:
    report = hosted_on_aws.target("gpt", "nobody-else").run(RESPONSES)
    said = "".join(WORDS)
    assert (report["chat"], report["streamed"]) == (said, said)
    assert report["tokens"] == report["streamed_tokens"] == 29
    assert "Nothing is served at this path" in report["not_completed"], "nobody translates completions"
    assert "'previous_response_id' cannot be translated" in report["unkept"]
    check(report, vector=0)


def test_an_agent_of_openais_calls_responses_of_a_provider_on_aws(hosted_on_aws: Hosted) -> None:
    report = hosted_on_aws.target("gpt").run("programs/openai_agents_responses.py")
    said = "".join(WORDS)
    assert (report["chat"], report["streamed"]) == (said, said)
    assert report["tokens"] == report["streamed_tokens"] == 29
    check(report, vector=0)


def test_vercels_sdk_calls_responses_and_messages_of_a_provider_on_aws(hosted_on_aws: Hosted) -> None:
    report = hosted_on_aws.target("gpt").run(AI_SDK)
    said = "".join(WORDS)
    assert [report[name] for name in ("chat", "streamed", "message", "message_streamed")] == [said] * 4
    assert report["tokens"] == report["streamed_tokens"] == report["message_tokens"] == 29
    assert "There is no such model" in report["unknown_message"]
    check(report, vector=0)


def test_anthropics_client_calls_a_provider_of_openais_chats_on_aws(hosted_on_aws: Hosted) -> None:
    check_translated(hosted_on_aws.target("gpt", "limited"), "")


def test_anthropics_client_calls_a_provider_of_openais_chats(openai_provider: Target) -> None:
    check_translated(openai_provider, "req-")


def check_translated(target: Target, id_begins: str) -> None:
    """Checks what Anthropic's client reads of a model that is called in OpenAI's API."""
    report = target.run("programs/translated/anthropic_python.py")
    said = "".join(WORDS)
    assert (report["chat"], report["streamed"]) == (said, said)
    assert report["went_on"] == SEEN.format("image/png"), "its picture came along"
    assert (report["stop"], report["tokens"]) == ("end_turn", [15, 4, 10])
    assert report["streamed_tokens"] == [15, 10]
    assert report["called"] == ["get_weather", {"city": "Bern"}, "tool_use"]
    assert report["limited"][0] == "rate_limit_error"
    kind, message, request_id = report["refused"]
    assert kind == "invalid_request_error"
    assert "'top_k' cannot be translated" in message
    assert request_id.startswith(id_begins)
    assert report["uncounted"][0] == "not_found_error"
    assert report["routes"][:2] == [["/v1/chat/completions", "/v1/responses", "/v1/messages"]] * 2


def test_openais_newer_paths_answer_its_client(one_machine: Target) -> None:
    report = one_machine.run(RESPONSES)
    assert "reads text alone" in report["refused"]
    assert report["completed"]
    assert report["completed_streamed"]
    assert "but at POST /v1/embeddings" in report["elsewhere"]
    assert "keeps no responses" in report["unkept"]


def test_vercels_sdk_calls_anthropics_path_too(one_machine: Target) -> None:
    report = one_machine.run(AI_SDK)
    assert report["message"].strip()
    assert report["message_streamed"].strip()
    assert report["message_tokens"] > 0
    assert "There is no such model" in report["unknown_message"]


def test_the_printed_lines_of_each_client_call_the_model(one_machine: Target, tmp_path: Path) -> None:
    (tmp_path / "node_modules").symlink_to(FOLDER / "node_modules")
    scripts: dict[tuple[str, ...], list[str]] = {}
    left = {}
    for name in ("open-llama", "embed"):
        shown = json.loads(mlapi("clients", name, "--json", "--url", one_machine.url, cwd=tmp_path).out)
        runnable = [one for one in shown["clients"] if one["language"] in RUNNERS and one["id"] not in AGENTS]
        left[name] = {client["id"] for client in shown["clients"]} - {client["id"] for client in runnable}
        for client in runnable:
            script = tmp_path / f"{name}-{client['id']}.mjs"
            script.write_text(client["lines"])
            scripts.setdefault(find_runner(client), []).append(str(script))
    for runner, paths in scripts.items():
        said = run_client([*runner, *paths], MLAPI_KEY="none").split(MARK)
        assert len(said) == len(paths) + 1
        assert all(words.strip() for words in said[:-1]), said
    assert left == {"open-llama": {*AGENTS, "box"}, "embed": {"box"}}


def find_runner(client: dict[str, Any]) -> tuple[str, ...]:
    """Returns what runs the client's scripts: in one process for each language, to import things once."""
    python = PYTHONS["openai2" if client["id"] == "llama-index" else "programs"]
    program = {"python": str(python), "javascript": node(), "shell": "bash"}[client["language"]]
    return (program, *RUNNERS[client["language"]])


@pytest.mark.parametrize("program", [program for program in PROGRAMS if program not in ON_ONE_MACHINE])
def test_aws_answers_a_client(aws: Target, program: str) -> None:
    report = aws.run(program)
    assert report["chat"] == report["streamed"] == ANSWER
    assert report["tokens"] == report.get("streamed_tokens", report["tokens"]) == ESTIMATE
    check(report, vector=2)


def test_aws_passes_a_schema_on_to_servers_of_openais_api(function_url: str) -> None:
    report = Target(function_url, "openai-chat", "openai-embeddings").run(INSTRUCTOR)
    assert (report["chat"], report["streamed"], report["tokens"]) == ("red", "red", 9)
    assert "There is no such model" in report["unknown"]


def check(report: dict[str, Any], *, vector: int) -> None:
    """Checks what every client reports: vectors, tokens, the reasons of errors."""
    assert set(report.get("vectors", [vector])) == {vector}
    for count in ("tokens", "streamed_tokens", "embedding_tokens"):
        assert report.get(count, 1) > 0
    assert "There is no such model" in report["unknown"]
    assert "reads text alone" in report.get("refused", "reads text alone")

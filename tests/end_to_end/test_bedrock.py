"""Models of Bedrock behind a real `mlapi up`: its Envoy signs, its translator speaks Converse.

The answers and errors that both targets share are in the contract's cases.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openai
import pytest

from support.access_log import read_line
from support.background import start_background
from support.bedrock import ACCOUNT, CLAUDE, GPT, WORDS, Bedrock, start_bedrock
from support.local_api import LocalApi, start_local_api
from support.signed_runtime import Keys
from support.waiting import text_of, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    import urllib3

pytestmark = pytest.mark.slow
REGION = "us-west-2"
SECRET = "this/is+a=secret"  # noqa: S105
TEXT = "".join(WORDS)
CHAT_PATH = "/v1/chat/completions"
ASK: list[Any] = [{"role": "user", "content": "What is AWS?"}]
TOOLS: Any = [{"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}]
MODELS = {"claude": CLAUDE, "gpt": GPT, "cut": "anthropic.cut", "fails": "anthropic.fails"}
FALLING = {"falls": "anthropic.busy", "paid": "anthropic.stumbles"}
MODELS |= FALLING


@dataclass
class OnBedrock:
    """A running API, Bedrock, and where the organizer logs in."""

    api: LocalApi
    bedrock: Bedrock
    credentials: Path

    def call(self, name: str, path: str = CHAT_PATH, **more: Any) -> urllib3.BaseHTTPResponse:
        return self.api.call(path, json.dumps({"model": name, "messages": ASK, **more}).encode())


def log_in(keys: Keys, credentials: Path, key: str) -> None:
    """Logs in as `aws configure` does."""
    keys.add(key, SECRET)
    text = f"[default]\naws_access_key_id = {key}\naws_secret_access_key = {SECRET}\n"
    credentials.write_text(text)


def entry(name: str, model_id: str) -> dict[str, Any]:
    more: dict[str, Any] = {"speaks": "openai-chat"} if model_id == GPT else {}
    more |= {"max_output_tokens": 50} if name == "claude" else {}
    more |= {"fallback": ["claude"]} if name in FALLING else {}
    api = {"integration": {"type": "api"}}
    return {"name": name, "bedrock_model_id": model_id, "bedrock_region": REGION, **api, **more}


@pytest.fixture(scope="module")
def on_bedrock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OnBedrock]:
    """The API of an organizer who has logged in."""
    folder = tmp_path_factory.mktemp("bedrock")
    keys = Keys(REGION, "bedrock")
    with start_background() as background, start_bedrock(background, folder, keys) as bedrock:
        environment = {
            "SSL_CERT_FILE": str(bedrock.certificate),
            "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": bedrock.url,
            "AWS_SHARED_CREDENTIALS_FILE": str(folder / "aws-credentials"),
            "AWS_CONFIG_FILE": str(folder / "aws-config"),
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        config = {"endpoints": [entry(name, model_id) for name, model_id in MODELS.items()]}
        log_in(keys, folder / "aws-credentials", "AKIDFIRST")
        with start_local_api(folder, config, environment=environment) as api:
            api.wait_serving()
            yield OnBedrock(api, bedrock, folder / "aws-credentials")


@pytest.fixture(scope="module")
def client(on_bedrock: OnBedrock) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{on_bedrock.api.url}/v1", api_key="my own", max_retries=0) as client:
        yield client


def test_openais_client_chats_whole_and_streamed(client: openai.OpenAI, on_bedrock: OnBedrock) -> None:
    whole = client.chat.completions.create(model="claude", messages=ASK)
    assert (whole.choices[0].message.content, whole.model) == (TEXT, "claude")
    assert whole.usage
    assert (whole.usage.prompt_tokens, whole.usage.completion_tokens) == (23, 10)
    model, operation, body = on_bedrock.bedrock.seen[-1]
    assert (model, operation, body["inferenceConfig"]) == (CLAUDE, "converse", {"maxTokens": 50})
    stream = client.chat.completions.create(model="claude", messages=ASK, stream=True)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in stream) == TEXT
    assert on_bedrock.bedrock.seen[-1][1] == "converse-stream"


def test_openais_client_calls_tools_whole_and_streamed(client: openai.OpenAI) -> None:
    whole = client.chat.completions.create(model="claude", messages=ASK, tools=TOOLS)
    with client.chat.completions.stream(model="claude", messages=ASK, tools=TOOLS) as stream:
        final = stream.get_final_completion()
    for answer in (whole, final):
        (call,) = answer.choices[0].message.tool_calls or []
        assert call.type == "function"
        assert json.loads(call.function.arguments) == {"city": "Bern"}


def test_other_apis_are_translated_and_the_entrys_own_path_takes_a_chat(
    client: openai.OpenAI, on_bedrock: OnBedrock
) -> None:
    assert client.responses.create(model="claude", input="What is AWS?").output_text == TEXT
    for name in ("claude", "gpt"):
        message = on_bedrock.call(name, "/v1/messages", max_tokens=9).json()
        assert (message["type"], message["content"][0]["text"]) == ("message", TEXT)
    own = on_bedrock.api.call("/claude", json.dumps({"messages": ASK}).encode())
    assert own.json()["choices"][0]["message"]["content"] == TEXT
    counted = on_bedrock.call("claude", "/v1/messages/count_tokens")
    assert (counted.status, counted.json()["error"]["type"]) == (404, "not_found_error")


def test_chat_completions_of_bedrock_get_the_body_as_it_is(on_bedrock: OnBedrock) -> None:
    answer = on_bedrock.call("gpt", seed=1)
    assert answer.json()["choices"][0]["message"]["content"] == TEXT
    assert on_bedrock.bedrock.seen[-1] == (GPT, "openai", {"model": GPT, "messages": ASK, "seed": 1})


def test_a_large_body_is_signed_too(on_bedrock: OnBedrock) -> None:
    large = [{"role": "user", "content": "a" * 3_000_000}]
    assert on_bedrock.call("claude", messages=large).status == 200


@pytest.mark.parametrize("name", ["cut", "fails"])
def test_a_stream_that_breaks_ends_with_an_error(on_bedrock: OnBedrock, name: str) -> None:
    text = on_bedrock.call(name, stream=True).data.decode()
    assert WORDS[0] in text
    assert "[DONE]" not in text
    assert '"error":' in text.split("\n\n")[-2]


def test_where_bedrock_is_busy_the_next_entry_is_asked(on_bedrock: OnBedrock) -> None:
    for path in (CHAT_PATH, "/falls"):
        answer = on_bedrock.call("falls", path, stream=True)
        assert (answer.status, answer.headers["x-served-by"]) == (200, "claude")
    before = len(on_bedrock.bedrock.seen)
    assert on_bedrock.call("paid", stream=True).status == 500
    assert [model for model, _, _ in on_bedrock.bedrock.seen[before:]] == [FALLING["paid"]], "it had begun"


def test_what_converse_has_no_place_for_is_refused_by_its_name(on_bedrock: OnBedrock) -> None:
    answer = on_bedrock.call("claude", n=2)
    assert (answer.status, answer.json()["error"]["code"]) == (400, "invalid_body")


def find_logged(log: Path, request_id: str) -> dict[str, Any]:
    wait_until(lambda: request_id in log.read_text(), "the call is in the access log")
    (line,) = (line for line in log.read_text().splitlines() if request_id in line)
    return read_line(line)


def test_the_access_log_counts_tokens(on_bedrock: OnBedrock) -> None:
    log = on_bedrock.api.folder / ".mlapi/logs/access.log"
    for stream in (False, True):
        request_id = on_bedrock.call("claude", stream=stream).headers["x-request-id"]
        logged = find_logged(log, request_id)
        assert (logged["tokens_in"], logged["tokens_cached"], logged["tokens_out"]) == (23, 4, 10)


def test_a_refused_login_is_not_the_callers_fault_and_a_new_one_counts(on_bedrock: OnBedrock) -> None:
    on_bedrock.bedrock.keys.expired.add("AKIDFIRST")
    answer = on_bedrock.call("claude")
    assert (answer.status, answer.json()["error"]["code"]) == (502, "provider_refused_key")
    log = on_bedrock.api.folder / ".mlapi/logs/gateway.log"
    wait_until(lambda: "the provider of claude answered 403" in text_of(log), "the reason is in the log")
    assert ACCOUNT not in log.read_text()
    log_in(on_bedrock.bedrock.keys, on_bedrock.credentials, "AKIDNEXTONE")
    wait_until(lambda: on_bedrock.call("claude").status == 200, "the new login is used")


def test_nothing_but_the_file_for_envoy_has_the_secret(on_bedrock: OnBedrock) -> None:
    kept = [path for path in (on_bedrock.api.folder / ".mlapi").rglob("*") if path.is_file()]
    with_secret = [path for path in kept if SECRET in path.read_text(errors="replace")]
    assert {path.name for path in with_secret} == {"credentials"}
    for path in with_secret:
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.parent.stat().st_mode & 0o777 == 0o700
    for process in on_bedrock.api.pids():
        assert SECRET not in f"{process.cmdline()}{process.environ()}"

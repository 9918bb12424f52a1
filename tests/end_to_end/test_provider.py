"""The engine `provider`: one key of the organizer behind a real `mlapi up`, and nobody else who sees it."""

from __future__ import annotations

import http.client
import json
import socket
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openai
import pytest

from centralized_ml_api.local.envoy.admin import shorten_path
from support.access_log import read_line
from support.background import start_background
from support.local_api import LocalApi, mlapi, odd_command, start_local_api, write_config
from support.openai_answers import WORDS
from support.provider import KEY, ORGANIZATION, Provider, start_provider
from support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow
FILE_KEY = "sk-the-key-in-the-file-0123456789"
TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}
ASK: list[Any] = [{"role": "user", "content": "What is AWS?"}]


@dataclass
class Hosted:
    """A running API, the provider behind it, the file with one of its keys."""

    api: LocalApi
    provider: Provider
    key_file: Path
    environment: dict[str, str]

    def entry(self, name: str) -> dict[str, Any]:
        entries: list[dict[str, Any]] = self.api.status()["entries"]
        return next(entry for entry in entries if entry["name"] == name)


def entry(name: str, url: str, key: dict[str, str], model: str = "gpt-fake") -> dict[str, Any]:
    speaks = ["openai-chat", "openai-responses"]
    provider = {"name": "openai", "url": url, "model": model, "key": key, "speaks": speaks}
    return {"name": name, "provider": provider, "integration": {"type": "api"}}


@pytest.fixture(scope="module")
def hosted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosted]:
    folder = tmp_path_factory.mktemp("provider")
    key_file = folder / "openai.key"
    key_file.write_text(f"{FILE_KEY}\n")
    key_file.chmod(0o600)
    with start_background() as background, start_provider(background, folder) as provider:
        provider.keys.add(FILE_KEY)
        config = {
            "models": [{"name": "here", "integration": {"type": "api"}, "local": odd_command()}],
            "endpoints": [
                entry("gpt", provider.url, {"env": "ORGANIZERS_KEY"}),
                entry("limited", provider.url, {"env": "ORGANIZERS_KEY"}, "limited"),
                entry("from-file", provider.url, {"file": "openai.key"}),
            ],
        }
        environment = {"SSL_CERT_FILE": str(provider.certificate), "ORGANIZERS_KEY": KEY}
        with start_local_api(folder, config, environment=environment) as api:
            yield Hosted(api.wait_serving(), provider, key_file, environment)


@pytest.fixture(scope="module")
def client(hosted: Hosted) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{hosted.api.url}/v1", api_key="my own", max_retries=0) as client:
        yield client


def test_openais_client_chats_whole_and_streamed(client: openai.OpenAI) -> None:
    whole = client.chat.completions.create(model="gpt", messages=ASK)
    assert whole.choices[0].message.content == "".join(WORDS)
    assert whole.usage
    assert whole.usage.completion_tokens == 10
    stream = client.chat.completions.create(model="from-file", messages=ASK, stream=True)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in stream) == "".join(WORDS)


def test_openais_client_calls_tools_whole_and_streamed(client: openai.OpenAI) -> None:
    tools: Any = [TOOL]
    whole = client.chat.completions.create(model="gpt", messages=ASK, tools=tools)
    assert whole.choices[0].message.tool_calls
    with client.chat.completions.stream(model="gpt", messages=ASK, tools=tools) as stream:
        final = stream.get_final_completion()
    calls = final.choices[0].message.tool_calls
    assert calls
    assert calls[0].function.arguments == '{"city": "Bern"}'


def test_openais_client_asks_for_a_response(client: openai.OpenAI) -> None:
    assert client.responses.create(model="gpt", input="What is AWS?").output_text == "".join(WORDS)


def test_openais_client_reads_why_it_must_wait(client: openai.OpenAI) -> None:
    with pytest.raises(openai.RateLimitError) as refused:
        client.chat.completions.create(model="limited", messages=ASK)
    assert refused.value.response.headers["retry-after"] == "7"
    assert ORGANIZATION not in str(refused.value)


def test_nothing_but_the_api_itself_has_the_key(hosted: Hosted, client: openai.OpenAI) -> None:
    client.chat.completions.create(model="gpt", messages=ASK)
    secrets = [KEY, FILE_KEY]
    top, *others = hosted.api.pids()
    assert KEY in Path(f"/proc/{top.pid}/environ").read_text(), "it looks where the key would be"
    assert len(others) >= 3
    for process in others:
        seen = f"{process.cmdline()}{process.environ()}"
        assert [secret for secret in secrets if secret in seen] == [], process.cmdline()
    state = hosted.api.folder / ".mlapi"
    found = {path for path in state.rglob("*") if path.is_file() and _has_any(path, secrets)}
    assert {path.name for path in found} == {"key.json"}, "Envoy reads these, and nobody else"
    assert len(found) == 3
    for path in found:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert _has_any(hosted.api.folder / "up.out", secrets) is False


def _has_any(path: Path, secrets: list[str]) -> bool:
    content = path.read_bytes()
    return any(secret.encode() in content for secret in secrets)


def ask_envoy(admin: Path, path: str) -> tuple[int, bytes]:
    with shorten_path(admin) as name, socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(name))
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
        response = http.client.HTTPResponse(connection)
        response.begin()
        return response.status, response.read()


def test_envoy_shows_no_key(hosted: Hosted) -> None:
    admin = next((hosted.api.folder / ".mlapi").rglob("admin.sock"))
    assert ask_envoy(admin, "/config_dump")[0] == 403, "its whole configuration is for nobody"
    status, shown = ask_envoy(admin, "/stats")
    assert status == 200
    assert b"gpt" in shown
    assert KEY.encode() not in shown
    assert FILE_KEY.encode() not in shown


@pytest.mark.parametrize(
    "words",
    [
        ["status"],
        ["status", "--json"],
        ["plan", "--json"],
        ["doctor", "--target", "local", "--port", "0", "--json"],
        ["models", "--provider", "openai"],
        ["logs"],
        ["clients", "gpt"],
        ["call", "gpt"],
        ["call", "limited"],
        ["usage", "--json"],
    ],
    ids=" ".join,
)
def test_no_verb_shows_a_key(hosted: Hosted, words: list[str]) -> None:
    ran = mlapi(*words, cwd=hosted.api.folder, environment=hosted.environment)
    assert ran.out or ran.talk
    assert [secret for secret in (KEY, FILE_KEY) if secret in f"{ran.out}{ran.talk}"] == []


def test_no_document_shows_a_key_not_even_to_the_organizer(hosted: Hosted) -> None:
    paths = ("/", "/health", "/models", "/openapi.json", "/v1/models", "/nope")
    shown = [hosted.api.call(path, method="GET").data for path in paths]
    board, _, token = mlapi("board", cwd=hosted.api.folder).out.strip().partition("#token=")
    headers = {"Authorization": f"Bearer {token}"}
    answer = hosted.api.http.request("GET", f"{board}board.json", headers=headers)
    assert (answer.status, b"from-file" in answer.data) == (200, True)
    seen = b"".join([*shown, answer.data])
    assert [secret for secret in (KEY, FILE_KEY) if secret.encode() in seen] == []


def test_a_replaced_key_file_counts_and_an_open_one_does_not(hosted: Hosted, client: openai.OpenAI) -> None:
    replacement = "sk-the-next-key-in-the-file-0123456789"
    hosted.provider.keys.remove(FILE_KEY)
    with pytest.raises(openai.InternalServerError) as refused:
        client.chat.completions.create(model="from-file", messages=ASK)
    assert (refused.value.status_code, refused.value.code) == (502, "provider_refused_key")
    hosted.provider.keys.add(replacement)
    hosted.key_file.write_text(replacement)

    def answers() -> bool:
        try:
            return bool(client.chat.completions.create(model="from-file", messages=ASK).choices)
        except openai.APIStatusError:
            return False

    wait_until(answers, "the new key is used")
    assert hosted.entry("from-file")["state"] == "ready"
    hosted.key_file.chmod(0o644)
    wait_until(lambda: hosted.entry("from-file")["state"] == "unready", "the open file is noticed")
    detail = hosted.entry("from-file")["detail"]
    assert "others on this machine may read the key file" in detail
    assert replacement not in detail
    wait_until(lambda: not answers(), "no call goes out with it")
    hosted.key_file.chmod(0o600)
    wait_until(answers, "it is closed again")


def test_status_says_that_the_provider_refuses_the_key(hosted: Hosted) -> None:
    replacement = hosted.key_file.read_text()
    hosted.key_file.write_text("sk-a-wrong-key-0123456789")
    wait_until(lambda: "refuses the key" in hosted.entry("from-file")["detail"], "it is asked")
    assert hosted.entry("from-file")["detail"].startswith(
        "openai refuses the key from the file openai.key (401)"
    )
    wait_until(
        lambda: (
            hosted.api.call("/health", method="GET").json().get("unready") == {"from-file": "is not ready"}
        ),
        "the gateway knows",
    )
    hosted.key_file.write_text(replacement)
    wait_until(lambda: hosted.entry("from-file")["state"] == "ready", "the right key is back")


def test_the_access_log_counts_tokens(hosted: Hosted, client: openai.OpenAI) -> None:
    client.chat.completions.create(model="gpt", messages=ASK)
    log = next((hosted.api.folder / ".mlapi").rglob("access.log"))
    wait_until(lambda: '"tokens_out":"10"' in log.read_text(), "the call is logged")
    line = read_line(next(line for line in log.read_text().splitlines() if '"tokens_out":"10"' in line))
    assert (line["tokens_in"], line["tokens_cached"], line["tokens_out"]) == (19, 4, 10)


def test_up_without_the_variable_serves_the_others_and_says_what_to_set(tmp_path: Path) -> None:
    config = {
        "endpoints": [
            entry("gpt", "https://localhost:9/v1", {"env": "NOT_SET"}),
            {"name": "here", "integration": {"type": "api"}, "local": odd_command()},
        ]
    }
    with start_local_api(tmp_path, config) as api:
        assert api.wait_serving().call("/here").status == 200
        assert api.call("/gpt").status == 503
        assert "NOT_SET" in mlapi("status", cwd=tmp_path).out


def test_a_provider_that_is_added_while_the_api_serves(hosted: Hosted, tmp_path: Path) -> None:
    here = {"name": "here", "integration": {"type": "api"}, "local": odd_command()}
    with start_local_api(tmp_path, {"endpoints": [here]}, environment=hosted.environment) as api:
        api.wait_serving()
        gpt = entry("gpt", hosted.provider.url, {"env": "ORGANIZERS_KEY"})
        write_config(tmp_path, {"endpoints": [here, gpt]})
        body = json.dumps({"messages": ASK}).encode()
        wait_until(lambda: api.call("/gpt", body).status == 200, "it is called")
        write_config(tmp_path, {"endpoints": [here]})
        wait_until(lambda: api.call("/gpt", body).status == 404, "it is gone")
        wait_until(lambda: not list((tmp_path / ".mlapi").rglob("key.json")), "its key is gone")

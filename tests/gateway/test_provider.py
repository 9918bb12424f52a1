"""A provider behind the gateway: the key is added, the answers are counted, the errors are reworded."""

from __future__ import annotations

import functools
import http.client
import json
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import urllib3

from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.local.admission.terms import EntryTerms
from centralized_ml_api.local.envoy.provider_key import render_provider_key
from centralized_ml_api.local.envoy.settings import find_envoy
from centralized_ml_api.local.gateway import ExternalUpstream, Gateway, ProviderAccess, ServedRoute
from centralized_ml_api.local.machine.ports import bind_loopback
from centralized_ml_api.local.machine.private_file import write_private_file
from support.openai_answers import USAGE, WORDS
from support.provider import KEY, MODELS, OF_ITS_CDN, ORDINARY, ORGANIZATION, Provider, start_provider
from support.running_gateway import RunningGateway, start_gateway
from support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.background import Background
    from support.running_gateway import Answer

pytestmark = pytest.mark.slow
CHAT_PATH = "/v1/chat/completions"
ASK = {"messages": [{"role": "user", "content": "What is AWS?"}]}
TEXT = "".join(WORDS)


@dataclass
class Hosted:
    """A gateway before a provider; the entry `e-NAME` is the provider's model `NAME`."""

    gateway: RunningGateway
    provider: Provider
    key: Path

    def call(self, model: str = "gpt-fake", path: str = CHAT_PATH, **more: Any) -> Answer:
        """A call of one of the paths."""
        name = f"e-{model}"
        return self.gateway.call(path.format(name=name), json.dumps({"model": name, **ASK, **more}).encode())

    def logged(self, answer: Answer) -> dict[str, Any]:
        """The call's tokens in the access log; no cache writes any."""
        line = self.gateway.logged(answer.header("x-request-id"))
        assert line.pop("tokens_cache_writes") is None
        return {name: value for name, value in line.items() if name.startswith("tokens")}

    @property
    def sent(self) -> Any:
        """The body that the provider got last."""
        return self.provider.seen[-1].json


def route_of(model: str, path: str, *, cap: int | None = None, streams: bool = False) -> ServedRoute:
    terms = EntryTerms(
        model=model,
        body_rules="provider",
        max_output_tokens=cap,
        path=path,
        limit_key="max_completion_tokens",
        takes_stream_options=True,
    )
    return ServedRoute(
        f"e-{model}",
        "hosted",
        path,
        (),
        streams=streams,
        reads_json=True,
        admission=terms,
        counts_tokens=True,
    )


@pytest.fixture(scope="module")
def hosted(tmp_path_factory: pytest.TempPathFactory, background: Background) -> Iterator[Hosted]:
    folder = tmp_path_factory.mktemp("hosted")
    key = folder / "key/key.json"
    write_private_file(key, render_provider_key(KEY))
    with pytest.MonkeyPatch.context() as patch, start_provider(background, folder) as provider:
        patch.setenv("SSL_CERT_FILE", str(provider.certificate))
        port = urlsplit(provider.url).port
        assert port
        access = ProviderAccess("authorization", "Bearer ", key)
        upstream = ExternalUpstream("hosted", "localhost", port, tls=True, provider=access)
        untrusted = replace(upstream, name="untrusted", host="127.0.0.1")
        chats = tuple(route_of(model, CHAT_PATH) for model in (*MODELS, "unheard-of"))
        capped = replace(route_of("gpt-fake", CHAT_PATH, cap=50), name="e-capped")
        streamed = replace(route_of("gpt-fake", CHAT_PATH, streams=True), name="e-streamed")
        whole = replace(route_of("unstreamed", CHAT_PATH, streams=True), name="e-whole")
        foreign = replace(route_of("gpt-fake", CHAT_PATH), name="e-foreign", upstream="untrusted")
        by_model = {
            CHAT_PATH: (*chats, capped),
            "/v1/embeddings": (route_of("gpt-fake", "/v1/embeddings"),),
            "/v1/responses": (route_of("gpt-fake", "/v1/responses"),),
        }
        gateway = Gateway(
            (upstream, untrusted), (*chats, capped, streamed, whole, foreign), by_model=by_model
        )
        with start_gateway(folder, background, gateway, seconds=2) as running:
            yield Hosted(running, provider, key)


def test_the_key_is_added_and_nothing_of_the_caller_but_the_body(hosted: Hosted) -> None:
    body = b'{ "messages":[{"role":"user","content":"\\u00fc"}],"model" : "e-gpt-fake", "seed": 1.50 }'
    headers = {
        "Authorization": "Bearer mine",
        "X-Api-Key": "mine",
        "Accept-Encoding": "gzip",
        "Cookie": "a=b",
    }
    assert hosted.gateway.call(CHAT_PATH, body, headers).status == 200
    call = hosted.provider.seen[-1]
    assert call.headers.pop("Authorization") == f"Bearer {KEY}"
    assert call.body == body.replace(b"e-gpt-fake", b"gpt-fake")
    assert sorted(name.lower() for name in call.headers) == ["content-length", "content-type", "host"]


def test_a_whole_answer_keeps_its_bytes_and_is_counted(hosted: Hosted) -> None:
    answer = hosted.call()
    assert (answer.status, answer.json["choices"][0]["message"]["content"]) == (200, TEXT)
    assert answer.json["usage"] == USAGE
    assert hosted.logged(answer) == {"tokens_in": 19, "tokens_cached": 4, "tokens_out": 10}


@pytest.mark.parametrize("path", ["/e-gpt-fake", "/e-streamed"])
def test_the_entrys_own_path_is_counted_too(hosted: Hosted, path: str) -> None:
    answer = hosted.gateway.call(path, json.dumps(ASK).encode())
    assert answer.json["choices"][0]["message"]["content"] == TEXT
    assert hosted.logged(answer) == {"tokens_in": 19, "tokens_cached": 4, "tokens_out": 10}
    assert hosted.sent == {"model": "gpt-fake", **ASK}


def test_a_provider_cannot_say_who_has_answered(hosted: Hosted) -> None:
    answer = hosted.call()
    assert hosted.gateway.logged(answer.header("x-request-id"))["served_by"] is None
    assert not [name for name, _ in answer.headers if name.lower() in map(str.lower, OF_ITS_CDN)]


def test_embeddings_have_no_tokens_out(hosted: Hosted) -> None:
    answer = hosted.call(path="/v1/embeddings", input="a")
    assert answer.json["data"][0]["embedding"] == [0.25, -0.5]
    assert hosted.logged(answer) == {"tokens_in": 8, "tokens_cached": None, "tokens_out": None}


def test_a_response_is_counted(hosted: Hosted) -> None:
    answer = hosted.call(path="/v1/responses", input="a", max_output_tokens=9)
    assert hosted.logged(answer) == {"tokens_in": 36, "tokens_cached": 3, "tokens_out": 87}


def events_of(answer: Answer) -> list[Any]:
    lines = [line.removeprefix("data: ") for line in answer.body.decode().split("\n\n") if line]
    assert lines[-1] == "[DONE]"
    return [json.loads(line) for line in lines[:-1]]


def test_a_stream_is_counted_and_its_caller_sees_no_event_for_which_it_did_not_ask(hosted: Hosted) -> None:
    answer = hosted.call(stream=True)
    events = events_of(answer)
    assert hosted.sent["stream_options"] == {"include_usage": True}
    assert "".join(event["choices"][0]["delta"].get("content", "") for event in events) == TEXT
    assert [event["choices"][0]["finish_reason"] for event in events] == [None] * 4 + ["stop"]
    assert hosted.logged(answer) == {"tokens_in": 19, "tokens_cached": 4, "tokens_out": 10}


def test_a_caller_who_asks_sees_the_tokens(hosted: Hosted) -> None:
    answer = hosted.call(stream=True, stream_options={"include_usage": True})
    assert [event["usage"] for event in events_of(answer)] == [None] * 5 + [USAGE]
    assert hosted.logged(answer) == {"tokens_in": 19, "tokens_cached": 4, "tokens_out": 10}


def test_other_stream_options_stay(hosted: Hosted) -> None:
    hosted.call(stream=True, stream_options={"include_obfuscation": False})
    assert hosted.sent["stream_options"] == {"include_obfuscation": False, "include_usage": True}


def test_a_stream_on_the_entrys_own_path(hosted: Hosted) -> None:
    answer = hosted.gateway.call("/e-streamed", json.dumps({**ASK, "stream": True}).encode())
    assert len(events_of(answer)) == 5
    assert hosted.logged(answer)["tokens_out"] == 10


def test_a_stream_that_is_held_to_its_end_hides_its_tokens_too(hosted: Hosted) -> None:
    answer = hosted.gateway.call("/e-gpt-fake", json.dumps({**ASK, "stream": True}).encode())
    assert len(events_of(answer)) == 5
    assert hosted.logged(answer) == {"tokens_in": 19, "tokens_cached": 4, "tokens_out": 10}


@pytest.mark.parametrize("path", ["/e-whole", CHAT_PATH, "/e-unstreamed"])
def test_a_whole_answer_to_who_asks_for_a_stream_keeps_its_bytes(hosted: Hosted, path: str) -> None:
    answer = hosted.call("unstreamed", path, stream=True)
    assert hosted.sent["stream_options"] == {"include_usage": True}
    assert answer.json["choices"][0]["message"]["content"] == TEXT
    assert answer.json["usage"] == USAGE
    assert hosted.logged(answer) == {"tokens_in": 19, "tokens_cached": 4, "tokens_out": 10}


def test_the_last_event_of_a_stream_passes_without_a_blank_line(hosted: Hosted) -> None:
    events = hosted.call("uncounted", stream=True).body.decode().split("\n\n")
    assert [json.loads(event.removeprefix("data: "))["choices"][0]["finish_reason"] for event in events] == [
        *[None] * 4,
        "stop",
    ]


def test_the_last_event_of_a_stream_is_hidden_without_a_blank_line_too(hosted: Hosted) -> None:
    answer = hosted.call("unended", stream=True)
    assert answer.body.decode().count("data: ") == 5
    assert b'"prompt_tokens"' not in answer.body
    assert hosted.logged(answer) == {"tokens_in": 19, "tokens_cached": 4, "tokens_out": 10}


@pytest.mark.parametrize(
    ("asked", "sent"),
    [
        ({}, {"max_completion_tokens": 50}),
        ({"max_tokens": 51}, {"max_tokens": 50}),
        ({"max_tokens": 9}, {"max_tokens": 9}),
        ({"max_tokens": "900"}, {"max_tokens": 50}),
        ({"max_tokens": None}, {"max_tokens": 50}),
        ({"max_tokens": 9, "max_completion_tokens": 900}, {"max_tokens": 9, "max_completion_tokens": 50}),
    ],
)
def test_an_answer_is_kept_to_the_entrys_limit(hosted: Hosted, asked: Any, sent: Any) -> None:
    assert hosted.call("capped", **asked).status == 200
    assert {name: value for name, value in hosted.sent.items() if name.startswith("max")} == sent


def test_a_limit_that_is_there_twice_is_refused(hosted: Hosted) -> None:
    body = b'{"model": "e-capped", "messages": [], "max_tokens": 1000, "max_tokens": 1}'
    answer = hosted.gateway.call(CHAT_PATH, body)
    assert (answer.status, answer.error["message"]) == (400, 'The body has the key "max_tokens" twice.')


def nothing_of_the_account(answer: Answer) -> bool:
    text = answer.body.decode() + str(answer.headers)
    return not any(secret in text for secret in (KEY, KEY[-4:], KEY[:8], ORGANIZATION, "localhost"))


def test_a_refused_key_is_no_fault_of_the_caller(hosted: Hosted) -> None:
    hosted.provider.keys.clear()
    try:
        for stream in (False, True):
            answer = hosted.call(stream=stream)
            assert (answer.status, answer.error["code"]) == (502, "provider_refused_key")
            assert answer.error["request_id"] == answer.header("x-request-id")
            assert answer.header("www-authenticate") is None
            assert nothing_of_the_account(answer)
    finally:
        hosted.provider.keys.add(KEY)
    for model in ("forbidden", "keyless", "worded"):
        refused = hosted.call(model)
        assert (refused.status, refused.error["code"]) == (502, "provider_refused_key")


def test_too_many_requests_pass_with_their_pause(hosted: Hosted) -> None:
    for path, stream in ((CHAT_PATH, False), (CHAT_PATH, True), ("/{name}", False)):
        answer = hosted.call("limited", path, stream=stream)
        assert (answer.status, answer.header("retry-after")) == (429, "7")
        assert answer.error["code"] == "rate_limit_exceeded"
        assert "in organization (hidden) on tokens" in answer.error["message"]
        assert nothing_of_the_account(answer)


def test_an_error_in_openais_shape_keeps_it(hosted: Hosted) -> None:
    answer = hosted.call("broken")
    assert answer.status == 500
    message = "The server had an error ((hidden))."
    assert answer.json["error"] == {"message": message, "type": "server_error", "param": None, "code": None}
    unknown = hosted.call("unheard-of")
    assert (unknown.status, unknown.error["code"]) == (404, "model_not_found")


def test_ordinary_words_of_an_error_stay(hosted: Hosted) -> None:
    answer = hosted.call("wordy")
    assert answer.error["message"] == f"{ORDINARY}, not (hidden) or (hidden)."


def test_any_other_error_is_put_into_the_one_shape(hosted: Hosted) -> None:
    page = hosted.call("page")
    assert (page.status, page.header("content-type")) == (503, "application/json")
    assert (page.error["code"], page.error["message"]) == ("model_failed", errors.MODEL_FAILED.message)
    detail = hosted.call("detail")
    assert (detail.status, detail.error["code"], detail.error["message"]) == (
        422,
        "model_refused",
        'no "such" field',
    )
    moved = hosted.call("moved")
    assert (moved.status, moved.error["code"], moved.header("location")) == (502, "model_failed", None)


def test_an_error_within_a_stream_tells_nothing_of_the_customer(hosted: Hosted) -> None:
    for options in ({}, {"include_usage": True}):
        text = hosted.call("late", stream=True, stream_options=options).body.decode()
        assert "The server had an error (request of (hidden))." in text
        assert ORGANIZATION not in text


def test_an_answer_that_breaks_off_is_an_error_and_a_stream_that_does_ends_without_its_end(
    hosted: Hosted,
) -> None:
    answer = hosted.call("cut")
    assert (answer.status, answer.error["code"]) == (502, "model_failed")
    with pytest.raises(http.client.IncompleteRead) as broken:
        hosted.call("cut", stream=True)
    assert b"[DONE]" not in broken.value.partial
    assert b"Cloud" in broken.value.partial


def test_a_provider_that_is_silent_is_too_slow(hosted: Hosted) -> None:
    answer = hosted.call("slow", "/{name}")
    assert (answer.status, answer.error["code"]) == (504, "model_too_slow")


def test_a_certificate_for_another_name_is_not_trusted(hosted: Hosted) -> None:
    seen = len(hosted.provider.seen)
    answer = hosted.gateway.call("/e-foreign", json.dumps(ASK).encode())
    assert (answer.status, answer.error["code"]) == (503, "model_not_ready")
    assert len(hosted.provider.seen) == seen


@pytest.fixture
def dump(hosted: Hosted, tmp_path: Path) -> Iterator[bytes]:
    """All that Envoy says of its configuration, of one with the same files that may say all."""
    bootstrap = json.loads((hosted.gateway.folder / "bootstrap.json").read_text())
    with bind_loopback() as held:
        port = held.getsockname()[1]
    bootstrap["admin"] = {"address": {"socket_address": {"address": "127.0.0.1", "port_value": port}}}
    (tmp_path / "open.json").write_text(json.dumps(bootstrap))
    flags = ("-c", str(tmp_path / "open.json"), "--disable-hot-restart", "--log-level", "critical")
    process = subprocess.Popen([str(find_envoy()), *flags], cwd=hosted.gateway.folder)
    http = urllib3.PoolManager(retries=urllib3.Retry(300, backoff_factor=0.1, backoff_max=0.1))
    try:
        ask = functools.partial(http.request, "GET")
        wait_until(lambda: ask(f"http://127.0.0.1:{port}/ready").status == 200, "Envoy is ready")
        yield ask(f"http://127.0.0.1:{port}/config_dump?include_eds").data
    finally:
        process.kill()
        process.wait()


def test_envoys_whole_configuration_has_no_key(dump: bytes) -> None:
    assert b"provider-key" in dump
    assert b"[redacted]" in dump
    assert KEY.encode() not in dump


def test_a_replaced_key_counts_without_a_restart(hosted: Hosted) -> None:
    replacement = "sk-another-key-of-the-organizer"
    hosted.provider.keys = {replacement}
    write_private_file(hosted.key, render_provider_key(replacement))
    try:
        wait_until(lambda: hosted.call().status == 200, "the new key is used")
    finally:
        hosted.provider.keys = {KEY}
        write_private_file(hosted.key, render_provider_key(KEY))
        wait_until(lambda: hosted.call().status == 200, "the first key is used again")

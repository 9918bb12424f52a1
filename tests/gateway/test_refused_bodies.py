"""Whoever sends a large body that is refused reads why, however its client sends and reads."""

from __future__ import annotations

import contextlib
import json
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import openai
import pytest
import requests

from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.api.error_shape import ApiError
from centralized_ml_api.api.openai import CHAT_PATH
from centralized_ml_api.local.admission.terms import EntryTerms
from centralized_ml_api.local.envoy import Limits
from centralized_ml_api.local.gateway import Gateway, ServedRoute, TeamAccess, Upstream
from centralized_ml_api.plan.event import Throttle
from contract.case import LOCAL, refused
from support.odd_server import OddServer
from support.running_gateway import DEADLINE_SECONDS, read, start_gateway

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.background import Background
    from support.running_gateway import RunningGateway

Form = Callable[[bytes], Any]
MIB = 1024 * 1024
DROPPED = 16 * MIB
MODEL_LIMIT = 300_000
CHAT = "/v1/chat/completions"
TEAMS = (
    TeamAccess("blue", ("blue-key",)),
    TeamAccess("listed", ("listed-key",), models=("echo",)),
    TeamAccess("slow", ("slow-key",), throttle=Throttle(0.001, 1)),
)


@dataclass(frozen=True)
class Refusal:
    """A body of that size in MiB, sent to a path with a key; and the error that it gets."""

    path: str
    mebibytes: int
    key: str
    error: ApiError


REFUSALS = (
    Refusal("/echo", 8, "blue-key", errors.BODY_TOO_LARGE),
    Refusal("/echo?a=b", 8, "blue-key", errors.BODY_TOO_LARGE),
    Refusal("/function", 8, "blue-key", errors.BODY_TOO_LARGE),
    Refusal(CHAT, 8, "blue-key", errors.BODY_TOO_LARGE),
    Refusal("/echo", 5, "wrong", errors.UNAUTHORIZED),
    Refusal("/echo", 8, "wrong", errors.UNAUTHORIZED),
    Refusal("/nope", 5, "wrong", errors.UNAUTHORIZED),
    Refusal("/teapot", 5, "listed-key", errors.NOT_ALLOWED),
    Refusal("/echo", 5, "slow-key", errors.TOO_MANY_REQUESTS),
    Refusal("/nope", 5, "blue-key", errors.UNKNOWN_PATH),
    Refusal("/health", 5, "", errors.METHOD_NOT_ALLOWED),
    Refusal("/refused", 5, "blue-key", errors.NOT_SERVED),
    Refusal("/starting", 5, "blue-key", errors.MODEL_NOT_READY),
)


@pytest.fixture(scope="module")
def guarded(served: Gateway) -> Gateway:
    return replace(served, teams=TEAMS, by_model={CHAT_PATH: (ServedRoute("echo", "odd", "/chat", ()),)})


@pytest.fixture(scope="module")
def keyed(
    tmp_path_factory: pytest.TempPathFactory, background: Background, guarded: Gateway
) -> Iterator[RunningGateway]:
    folder, limits = tmp_path_factory.mktemp("keyed"), Limits(dropped_bytes=DROPPED)
    with start_gateway(folder, background, guarded, limits=limits) as running:
        running.call("/echo", headers={"x-api-key": "slow-key"})  # its burst
        yield running


def whole(body: bytes) -> bytes:
    """A body whose length is said first."""
    return body


def in_pieces(body: bytes) -> Iterator[bytes]:
    """A body that goes chunked."""
    for start in range(0, len(body), MIB):
        yield body[start : start + MIB]


def post_with_urllib(url: str, body: Any, headers: dict[str, str]) -> tuple[int, Any]:
    request = urllib.request.Request(url, body, headers)
    try:
        with urllib.request.urlopen(request, timeout=DEADLINE_SECONDS) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def post_with_requests(url: str, body: Any, headers: dict[str, str]) -> tuple[int, Any]:
    response = requests.post(url, data=body, headers=headers, timeout=DEADLINE_SECONDS)
    return response.status_code, response.json()


@pytest.mark.slow
@pytest.mark.parametrize("post", [post_with_urllib, post_with_requests])
@pytest.mark.parametrize("form", [whole, in_pieces])
@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda one: f"{one.path} {one.error.code}")
def test_a_refusal_is_read_by_who_sends_before_reading(
    keyed: RunningGateway, refusal: Refusal, form: Form, post: Callable[..., tuple[int, Any]]
) -> None:
    body = bytes(refusal.mebibytes * MIB)
    url = f"http://127.0.0.1:{keyed.port}{refusal.path}"
    status, answer = post(url, form(body), {"X-Api-Key": refusal.key})
    assert (status, answer["error"]["code"]) == (refusal.error.status, refusal.error.code)


@pytest.mark.slow
@pytest.mark.parametrize("form", [whole, in_pieces])
@pytest.mark.parametrize(("key", "error"), [("blue-key", errors.BODY_TOO_LARGE), ("no", errors.UNAUTHORIZED)])
def test_the_connection_is_good_for_another_call(
    keyed: RunningGateway, key: str, error: ApiError, form: Form
) -> None:
    """Nothing is left of the body, and so nobody waits for a connection to be given up."""
    body = bytes(8 * MIB)
    with contextlib.closing(keyed.connect()) as connection:
        connection.request("POST", "/echo", form(body), {"x-api-key": key})
        answer = read(connection)
        refused(error).check(answer, LOCAL)
        assert answer.header("connection") is None
        connection.request("POST", "/echo", b"{}", {"x-api-key": "blue-key"})
        assert read(connection).status == 200


@pytest.mark.slow
@pytest.mark.parametrize(
    ("key", "megabytes", "error"),
    [("blue-key", 8, openai.APIStatusError), ("wrong", 5, openai.AuthenticationError)],
)
def test_openais_client_raises_what_it_was_told(
    keyed: RunningGateway, key: str, megabytes: int, error: type[openai.APIStatusError]
) -> None:
    url, content = f"http://127.0.0.1:{keyed.port}/v1", "x" * (megabytes * MIB)
    with openai.OpenAI(base_url=url, api_key=key, max_retries=0) as client, pytest.raises(error) as raised:
        client.chat.completions.create(model="echo", messages=[{"role": "user", "content": content}])
    assert raised.value.code == ("unauthorized" if key == "wrong" else "body_too_large")


@pytest.fixture
def small(tmp_path: Path, background: Background) -> Iterator[tuple[RunningGateway, OddServer]]:
    """A gateway to a model whose context holds little, and the model's server."""
    terms = EntryTerms(body_rules="llama.cpp", slots=4, context=MIB, body_limit_bytes=MODEL_LIMIT)
    route = ServedRoute("echo", "odd", "/chat", (), admission=terms)
    with OddServer() as server:
        upstreams = (Upstream("odd", (server.port,)),)
        served = Gateway(upstreams, (route,), by_model={CHAT_PATH: (route,)}, teams=TEAMS[:2])
        with start_gateway(tmp_path, background, served) as running:
            yield running, server


def build_chat(size: int) -> bytes:
    """A chat of that many bytes."""
    empty = json.dumps({"model": "echo", "messages": [{"role": "user", "content": ""}]})
    return empty.replace('""', f'"{"x" * (size - len(empty))}"').encode()


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/echo", "/echo?a=b", CHAT])
@pytest.mark.parametrize("form", [whole, in_pieces])
def test_a_body_too_large_for_its_model_is_refused_naming_its_limit(
    small: tuple[RunningGateway, OddServer], path: str, form: Form
) -> None:
    running, server = small
    headers = {"x-api-key": "blue-key"}
    answer = running.call(path, form(build_chat(MODEL_LIMIT + 1)), headers)
    assert (answer.status, answer.error["code"]) == (413, "body_too_large")
    assert f"this model's limit of {MODEL_LIMIT} bytes" in answer.error["message"]
    assert server.asked == []
    assert running.call(path, form(build_chat(MODEL_LIMIT + 1)), {"x-api-key": "wrong"}).status == 401
    assert running.call(path, form(build_chat(MODEL_LIMIT)), headers).status == 200


@pytest.mark.slow
def test_a_body_too_large_for_its_model_does_not_reach_the_admission_service(
    small: tuple[RunningGateway, OddServer],
) -> None:
    running, _ = small
    assert running.admission is not None
    running.admission.kill()
    running.admission.wait()
    for path in ("/echo", CHAT):
        for size, status in ((MODEL_LIMIT + 1, 413), (MODEL_LIMIT, 503)):
            assert running.call(path, build_chat(size), {"x-api-key": "blue-key"}).status == status


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/echo", "/echo?a=b", "/function", CHAT])
@pytest.mark.parametrize("form", [whole, in_pieces])
def test_a_large_body_within_the_limit_arrives_whole(keyed: RunningGateway, path: str, form: Form) -> None:
    said = "x" * (5 * MIB)
    body = json.dumps({"model": "echo", "messages": [{"role": "user", "content": said}]}).encode()
    answer = keyed.call(path, form(body), {"x-api-key": "blue-key"})
    assert answer.status == 200
    if path == CHAT:
        assert answer.json["choices"][0]["message"]["content"] == said
    else:
        assert answer.json["length"] == len(body)


@pytest.mark.slow
@pytest.mark.parametrize("key", ["blue-key", "wrong"])
def test_a_body_without_end_is_not_read_to_its_end(keyed: RunningGateway, key: str) -> None:
    """Past what may be dropped, the call is refused at once and the connection closed."""
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        while True:
            sent += MIB
            yield bytes(MIB)

    answer = keyed.call("/echo", endless(), {"x-api-key": key})
    assert answer.status in {401, 413}
    assert answer.header("connection") == "close"
    assert sent > DROPPED

"""`/{name}/v1/...`: the path names the model, for SDKs whose base address it is."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.api import openai
from centralized_ml_api.api.openai import CHAT_PATH, ListedModel
from centralized_ml_api.local.envoy import Limits
from centralized_ml_api.local.gateway import Gateway, ServedRoute, TeamAccess, Upstream
from centralized_ml_api.plan.apis import MESSAGES, TRANSCRIPTIONS
from support.odd_server import OddServer
from support.running_gateway import start_gateway

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.background import Background
    from support.running_gateway import Answer, RunningGateway

pytestmark = pytest.mark.slow
MESSAGES_PATH = MESSAGES.paths[0]
(HEARING_PATH,) = TRANSCRIPTIONS.paths
LARGE = 8 * 1024 * 1024
FORM = {"Content-Type": "multipart/form-data; boundary=b"}
SOME_FILE = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nx\r\n--b--\r\n'


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory, background: Background) -> Iterator[RunningGateway]:
    """One team may call all of it, the other one `far` alone."""
    with OddServer() as server:
        chats = ServedRoute("chat", "odd", "/echo", ())
        served = Gateway(
            upstreams=(Upstream("odd", (server.port,)),),
            routes=(ServedRoute("chat", "odd", None, None), ServedRoute("far", "odd", None, None)),
            by_model={
                CHAT_PATH: (chats, ServedRoute("far", "odd", "/hang", ())),
                MESSAGES_PATH: (ServedRoute("chat", "odd", "/status/418", ()),),
                HEARING_PATH: (ServedRoute("chat", "odd", "/echo/hears", (), body_limit_bytes=LARGE),),
            },
            teams=(TeamAccess("all", ("all-key",)), TeamAccess("one", ("one-key",), models=("far",))),
            listed=(ListedModel("chat", 7), ListedModel("far", 7)),
        )
        limits = Limits(stream_idle_seconds=1, request_seconds=3)
        folder = tmp_path_factory.mktemp("gateway")
        with start_gateway(folder, background, served, limits=limits, seconds=0.5) as running:
            yield running


def call(gateway: RunningGateway, path: str, body: Any = b"{}", key: str = "all-key", **more: Any) -> Answer:
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    return gateway.call(path, sent, {"Authorization": f"Bearer {key}"}, **more)


def sha256(body: Any) -> str:
    return hashlib.sha256(body if isinstance(body, bytes) else json.dumps(body).encode()).hexdigest()


@pytest.mark.parametrize("model", [{"model": "chat"}, {"model": "gpt-4o"}, {"model": "far"}])
def test_the_server_gets_the_entrys_name_whatever_the_body_says(
    gateway: RunningGateway, model: dict[str, str]
) -> None:
    answer = call(gateway, f"/chat{CHAT_PATH}?api-version=1", {**model, "seed": 1})
    assert (answer.status, answer.json["path"]) == (200, "/echo")
    assert answer.json["sha256"] == sha256({"model": "chat", "seed": 1})
    assert gateway.logged(answer.header("x-request-id"))["model"] == "chat"


def test_a_body_needs_no_model_and_may_be_one_that_envoy_cannot_read(gateway: RunningGateway) -> None:
    for body in ({"seed": 2**64}, {"model": 3}, {}):
        answer = call(gateway, f"/chat{CHAT_PATH}", body)
        assert (answer.status, answer.json["path"]) == (200, "/echo"), answer
    broken = call(gateway, f"/chat{CHAT_PATH}", b"{,}")
    assert (broken.status, broken.error["code"]) == (400, errors.INVALID_BODY.code)


@pytest.mark.parametrize("stream", [False, True])
def test_the_time_limits_are_those_of_v1(gateway: RunningGateway, stream: bool) -> None:  # noqa: FBT001
    slow = call(gateway, f"/far{CHAT_PATH}", {"stream": stream, "seed": 2**64})
    assert (slow.status, slow.error["code"]) == (504, errors.MODEL_TOO_SLOW.code)
    assert "within 1 seconds" in slow.error["message"]


def test_a_form_goes_there_too_and_may_be_as_large_as_the_entrys(gateway: RunningGateway) -> None:
    headers = {**FORM, "x-api-key": "all-key"}
    answer = gateway.call(f"/chat{HEARING_PATH}", SOME_FILE, headers)
    named = b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nchat\r\n' + SOME_FILE
    assert (answer.json["path"], answer.json["sha256"]) == ("/echo/hears", sha256(named))
    room = len(named)  # the name of the entry counts too
    large = SOME_FILE.replace(b"x\r\n", bytes(LARGE - room) + b"\r\n")
    taken = gateway.call(f"/chat{HEARING_PATH}", large, headers)
    assert taken.status == 200, taken
    assert taken.json["length"] > LARGE - room
    refused = gateway.call(f"/chat{HEARING_PATH}", large + bytes(room), headers)
    assert (refused.status, refused.error["code"]) == (413, "body_too_large")
    assert "limit of 8 MB" in refused.error["message"]


def test_only_teams_that_may_call_the_entry_get_there(gateway: RunningGateway) -> None:
    for body in ({"model": "far"}, bytes(100_000)):
        refused = call(gateway, f"/chat{CHAT_PATH}", body, "one-key")
        assert (refused.status, refused.error["code"]) == (403, errors.NOT_ALLOWED.code)
    unknown = call(gateway, f"/chat{CHAT_PATH}", {}, "nobody's")
    assert (unknown.status, unknown.error["code"]) == (401, errors.UNAUTHORIZED.code)
    assert call(gateway, "/chat/v1/models", b"", "one-key", method="GET").status == 403


def test_what_the_entry_does_not_have_is_a_404_that_says_what_it_has(gateway: RunningGateway) -> None:
    answer = call(gateway, "/chat/v1/embeddings")
    assert (answer.status, answer.error["code"]) == (404, openai.MODEL_NOT_FOUND.code)
    for path in (CHAT_PATH, MESSAGES_PATH, HEARING_PATH):
        assert f"POST /chat{path}" in answer.error["message"]
    assert call(gateway, f"/nobody{CHAT_PATH}").error["code"] == errors.UNKNOWN_PATH.code
    assert call(gateway, f"/chat{CHAT_PATH}", b"", method="GET").status == 405


def test_errors_of_messages_have_anthropics_shape(gateway: RunningGateway) -> None:
    teapot = call(gateway, f"/chat{MESSAGES_PATH}", {})
    assert (teapot.status, teapot.json["type"]) == (418, "error")
    for path, key in ((f"/chat{MESSAGES_PATH}/nothing", "all-key"), (f"/chat{MESSAGES_PATH}", "wrong")):
        answer = call(gateway, path, {}, key)
        assert answer.json["type"] == "error", answer


def test_the_list_has_the_entry_alone(gateway: RunningGateway) -> None:
    model = ListedModel("chat", 7)
    assert call(gateway, "/chat/v1/models", b"", method="GET").json == openai.build_model_list([model])
    assert call(gateway, "/chat/v1/models/chat", b"", method="GET").json == openai.build_model(model)
    assert call(gateway, "/chat/v1/models/far", b"", method="GET").status == 404

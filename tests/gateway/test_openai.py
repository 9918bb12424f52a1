"""The OpenAI-compatible paths: the model that is called is the one that the body names."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.api import openai
from centralized_ml_api.api.openai import CHAT_PATH, EMBEDDINGS_PATH, ListedModel
from centralized_ml_api.local.admission.terms import EntryTerms
from centralized_ml_api.local.envoy import Limits
from centralized_ml_api.local.gateway import Gateway, RefusedRoute, ServedRoute, Upstream
from centralized_ml_api.plan.apis import TRANSCRIPTIONS
from centralized_ml_api.plan.types import BODY_LIMIT_BYTES
from support.odd_server import OddServer
from support.running_gateway import start_gateway

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.background import Background
    from support.running_gateway import Answer, RunningGateway

CHAT = openai.CHAT_PATH
LARGE = 20 * 1024 * 1024
(HEARING_PATH,) = TRANSCRIPTIONS.paths
FORM = {"Content-Type": "multipart/form-data; boundary=b"}


@pytest.fixture(scope="module")
def server() -> Iterator[OddServer]:
    with OddServer() as server:
        yield server


@pytest.fixture(scope="module")
def gateway(
    tmp_path_factory: pytest.TempPathFactory, background: Background, server: OddServer
) -> Iterator[RunningGateway]:
    """It waits half a second for a model, one for what is called below `/v1`."""
    served = Gateway(
        upstreams=(Upstream("odd", (server.port,)), Upstream("empty", ())),
        routes=(
            ServedRoute("chat", "odd", None, None),
            ServedRoute("hears", "odd", "/echo/own", (), body_limit_bytes=LARGE),
            RefusedRoute("refused", "no engine"),
        ),
        by_model={
            CHAT_PATH: (
                ServedRoute("chat", "odd", "/echo", ("X-Custom",)),
                ServedRoute("3", "odd", "/echo/three", ()),
                ServedRoute("steps", "odd", "/steps", ()),
                ServedRoute("silent", "odd", "/half-hang", ()),
                ServedRoute("hang", "odd", "/hang", ()),
                ServedRoute("teapot", "odd", "/status/418", ()),
                ServedRoute("starting", "empty", "/echo", ()),
            ),
            EMBEDDINGS_PATH: (ServedRoute("embed", "odd", "/echo/embed", ()),),
            HEARING_PATH: (
                ServedRoute("hears", "odd", "/echo/hears", (), body_limit_bytes=LARGE),
                ServedRoute(
                    "renamed", "odd", "/echo", (), admission=EntryTerms(model="own", path=HEARING_PATH)
                ),
            ),
        },
        listed=(ListedModel("chat"), ListedModel("org/gpt:4", root="chat")),
        aliases={"org/gpt:4": "chat", "ada": "embed"},
    )
    limits = Limits(stream_idle_seconds=1, request_seconds=3)
    folder = tmp_path_factory.mktemp("gateway")
    with start_gateway(folder, background, served, limits=limits, seconds=0.5) as running:
        yield running


def ask(gateway: RunningGateway, model: Any, path: str = CHAT, **more: Any) -> Answer:
    return gateway.call(path, json.dumps({"model": model, **more}).encode())


def build_form(model: str, recording: bytes = b"RIFF\xff") -> bytes:
    named = b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\n' + model.encode()
    file = b'\r\n--b\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n' + recording
    return named + file + b"\r\n--b--\r\n"


def assert_error(answer: Answer, error: errors.ApiError) -> None:
    assert (answer.status, answer.error["code"]) == (error.status, error.code)
    assert answer.header("content-type") == "application/json"
    assert answer.header("access-control-allow-origin") == "*"
    assert answer.error["request_id"] == answer.header("x-request-id")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "model", "asked"),
    [(CHAT, "chat", "/echo"), (CHAT, "3", "/echo/three"), (openai.EMBEDDINGS_PATH, "embed", "/echo/embed")],
)
def test_a_call_goes_to_the_server_of_the_model_it_names(
    gateway: RunningGateway, path: str, model: str, asked: str
) -> None:
    answer = ask(gateway, model, path)
    assert (answer.status, answer.json["path"]) == (200, asked)
    assert gateway.logged(answer.header("x-request-id"))["model"] == model


@pytest.mark.slow
def test_a_call_by_another_name_goes_to_the_entry_and_counts_as_its_own(gateway: RunningGateway) -> None:
    answer = ask(gateway, "org/gpt:4")
    assert (answer.status, answer.json["path"]) == (200, "/echo")
    assert gateway.logged(answer.header("x-request-id"))["model"] == "chat"
    elsewhere = ask(gateway, "ada")
    assert_error(elsewhere, openai.MODEL_NOT_FOUND)
    for path in ("org/gpt:4", "org%2Fgpt%3A4", "org%2Fgpt:4"):
        described = gateway.call(f"/v1/models/{path}", method="GET")
        assert (described.status, described.json["root"]) == (200, "chat")
    assert gateway.call("/v1/models/org", method="GET").status == 404


@pytest.mark.slow
def test_only_allowed_headers_reach_the_model_and_its_own_stay_behind(gateway: RunningGateway) -> None:
    sent = {"Authorization": "Bearer secret", "Accept": "a/b", "X-Custom": "1", "X-Stainless-Os": "Linux"}
    answer = gateway.call(f"{CHAT}?api-version=1", b'{"model": "chat"}', sent)
    headers = dict(answer.json["headers"])
    assert headers.keys() - {"host", "content-length"} == {"content-type", "accept", "x-custom"}
    assert answer.json["path"] == "/echo", "the query is not the model's"
    teapot = ask(gateway, "teapot")
    assert (teapot.status, teapot.body) == (418, b"as it is: \xff")
    assert teapot.header("set-cookie") is None


@pytest.mark.slow
@pytest.mark.parametrize("kind", [None, "application/x-www-form-urlencoded", "text/plain; charset=utf-8"])
def test_a_body_is_json_whatever_it_calls_itself(gateway: RunningGateway, kind: str | None) -> None:
    answer = gateway.call(CHAT, b'{"model": "chat"}', {"Content-Type": kind} if kind else {})
    assert [value for name, value in answer.json["headers"] if name == "content-type"] == ["application/json"]


@pytest.mark.slow
def test_a_body_arrives_as_it_was_sent_in_one_piece_or_many(
    tmp_path: Path, background: Background, server: OddServer
) -> None:
    """Both ways, by a gateway that waits as long as a busy machine takes."""
    chat = ServedRoute("chat", "odd", "/echo", ())
    served = Gateway((Upstream("odd", (server.port,)),), (chat,), by_model={CHAT: (chat,)})
    body = json.dumps({"messages": "x" * 5_000_000, "model": "chat"}).encode()
    pieces = iter([body[at : at + 100_000] for at in range(0, len(body), 100_000)])
    with start_gateway(tmp_path, background, served) as gateway:
        whole, chunked = gateway.call(CHAT, body), gateway.call(CHAT, pieces)
    assert whole.json["length"] == chunked.json["length"] == len(body)
    assert whole.json["sha256"] == chunked.json["sha256"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "body",
    [
        b'{"messages": {"model": "chat"}}',
        b'{"model": 3}',
        b'{"model": null}',
        b'{"model": ["chat"]}',
        b'{"model": {"model": "chat"}}',
    ],
    ids=bytes.decode,
)
def test_a_body_that_names_no_model_is_400_that_lists_them(gateway: RunningGateway, body: bytes) -> None:
    answer = gateway.call(CHAT, body)
    assert_error(answer, openai.MODEL_MISSING)
    assert "chat, 3, steps" in answer.error["message"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "is empty"),
        (b"{", "ends too early, at line 1, column 2"),
        (b"[]", "not an array"),
        (b'"chat"', "not a string"),
        (b"model=chat", "expected a value, at line 1, column 1"),
        (b'[{"model": "chat"}]', "not an array"),
        (b'{"model": "chat"} and more', "there is more after the object, at line 1, column 19"),
        (b'{"model": "chat",}', "a trailing comma, at line 1, column 18"),
        (b'{"model": "\xff"}', "not valid UTF-8: byte 12"),
        (b'{"model": "chat", "x": "\\ud800"}', "half of a surrogate pair, at line 1, column 25"),
        (b'{"model": "chat", "x": NaN}', "NaN is not a JSON number"),
        (gzip.compress(b'{"model": "chat"}'), "compressed with gzip"),
        (b'{"model": "chat", "x": ' + b"[" * 3_000_000 + b"]" * 3_000_000 + b"}", "nested too deeply"),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)
def test_a_body_that_is_no_json_object_is_400_that_says_what_is_wrong_and_where(
    gateway: RunningGateway, body: bytes, said: str
) -> None:
    answer = gateway.call(CHAT, body)
    assert_error(answer, errors.INVALID_BODY)
    assert said in answer.error["message"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "value",
    [
        "18446744073709551615",
        "-9223372036854775809",
        "1" * 300,
        "1e400",
        "[" * 1000 + "]" * 1000,
        '"' + "x" * 2_000_000 + '"',
    ],
    ids=lambda value: value[:20],
)
def test_whatever_json_allows_arrives_as_it_was_sent(gateway: RunningGateway, value: str) -> None:
    body = f'{{"messages": {value}, "model": "chat"}}'.encode()
    answer = gateway.call(CHAT, body)
    assert answer.status == 200
    assert answer.json["sha256"] == hashlib.sha256(body).hexdigest()


@pytest.mark.slow
@pytest.mark.parametrize("model", ["", "Chat", "chat ", " chat", "chat\0", "refused", "embed", ".*"])
def test_a_model_that_is_not_of_this_path_is_404_that_lists_them(gateway: RunningGateway, model: str) -> None:
    answer = ask(gateway, model)
    assert_error(answer, openai.MODEL_NOT_FOUND)
    assert "chat, 3, steps" in answer.error["message"]


@pytest.mark.slow
def test_of_equal_keys_the_last_one_counts_as_for_the_model_server(gateway: RunningGateway) -> None:
    answer = gateway.call(CHAT, b'{"model": "3", "model": "chat"}')
    assert answer.json["path"] == "/echo"


@pytest.mark.slow
def test_no_header_says_what_only_the_body_can(gateway: RunningGateway) -> None:
    said = {"model": "chat", "body": '{"model": "chat"}', "x-envoy-metadata": "chat"}
    assert_error(gateway.call(CHAT, b"{}", said), openai.MODEL_MISSING)


@pytest.mark.slow
def test_a_body_over_the_limit_is_413(gateway: RunningGateway) -> None:
    body = json.dumps({"model": "chat", "x": "y" * BODY_LIMIT_BYTES}).encode()
    assert_error(gateway.call(CHAT, body), errors.BODY_TOO_LARGE)


@pytest.mark.slow
def test_a_model_that_is_not_ready_is_503_with_retry_after(gateway: RunningGateway) -> None:
    answer = ask(gateway, "starting")
    assert_error(answer, errors.MODEL_NOT_READY)
    assert answer.header("retry-after") == str(errors.RETRY_AFTER_SECONDS)


@pytest.mark.slow
@pytest.mark.parametrize("path", [CHAT, openai.EMBEDDINGS_PATH])
def test_another_method_is_405_with_allow(gateway: RunningGateway, path: str) -> None:
    answer = gateway.call(path, method="GET")
    assert_error(answer, errors.METHOD_NOT_ALLOWED)
    assert answer.header("allow") == "POST, OPTIONS"


@pytest.mark.slow
def test_models_are_listed_and_looked_up(gateway: RunningGateway) -> None:
    listed = gateway.call(openai.MODELS_PATH, method="GET")
    names = ["chat", "3", "steps", "silent", "hang", "teapot", "starting", "embed", "hears", "renamed"]
    models = [*map(openai.ListedModel, names), openai.ListedModel("org/gpt:4", root="chat")]
    assert listed.json == openai.build_model_list(models)
    assert listed.header("access-control-allow-origin") == "*"
    assert gateway.call(f"{openai.MODELS_PATH}/embed", method="GET").json == openai.build_model(
        openai.ListedModel("embed")
    )
    assert_error(gateway.call(f"{openai.MODELS_PATH}/refused", method="GET"), openai.MODEL_NOT_FOUND)
    posted = gateway.call(openai.MODELS_PATH)
    assert_error(posted, errors.METHOD_NOT_ALLOWED)
    assert posted.header("allow") == "GET, HEAD, OPTIONS"


@pytest.mark.slow
def test_an_unknown_path_lists_these_too(gateway: RunningGateway) -> None:
    message = gateway.call("/v1/completions").error["message"]
    for path in ("POST /v1/chat/completions", "POST /v1/embeddings", "GET /v1/models"):
        assert path in message


@pytest.mark.slow
def test_without_such_entries_there_are_no_such_paths(
    gateway: RunningGateway, background: Background
) -> None:
    with start_gateway(gateway.folder.parent / "other", background, Gateway((), ())) as other:
        for path, method in ((CHAT, "POST"), (openai.EMBEDDINGS_PATH, "POST"), (openai.MODELS_PATH, "GET")):
            answer = other.call(path, b'{"model": "chat"}' if method == "POST" else b"", method=method)
            assert_error(answer, errors.UNKNOWN_PATH)


@pytest.mark.slow
def test_a_stream_comes_as_it_is_made(gateway: RunningGateway, server: OddServer) -> None:
    server.steps.clear()
    with contextlib.closing(gateway.connect()) as connection:
        connection.request("POST", CHAT, b'{"model": "steps", "stream": true}')
        response = connection.getresponse()
        assert response.headers["Content-Type"] == "text/event-stream; charset=utf-8"
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert response.read(3) == b"one"
        server.steps.set()
        assert response.read() == b"two"


@pytest.mark.slow
@pytest.mark.parametrize("stream", [False, True])
def test_a_model_that_is_silent_for_too_long_is_504(gateway: RunningGateway, stream: bool) -> None:  # noqa: FBT001
    answer = ask(gateway, "hang", stream=stream)
    assert_error(answer, errors.MODEL_TOO_SLOW)
    assert "within 1 seconds" in answer.error["message"], "not the time of the models' own paths"


@pytest.mark.slow
def test_half_an_answer_in_one_piece_is_504_and_half_a_stream_is_cut(gateway: RunningGateway) -> None:
    assert_error(ask(gateway, "silent"), errors.MODEL_TOO_SLOW)
    with contextlib.closing(gateway.connect()) as connection:
        connection.request("POST", CHAT, b'{"model": "silent", "stream": true}')
        with pytest.raises(Exception, match=r"IncompleteRead|reset"):
            connection.getresponse().read()


@pytest.mark.slow
def test_the_listeners_own_patience_does_not_cut_it_short(
    tmp_path: Path, background: Background, server: OddServer
) -> None:
    hangs = ServedRoute("hang", "odd", "/hang", ())
    served = Gateway(upstreams=(Upstream("odd", (server.port,)),), routes=(), by_model={CHAT_PATH: (hangs,)})
    limits = Limits(stream_idle_seconds=1.5, request_seconds=0.4)
    with start_gateway(tmp_path, background, served, limits=limits, seconds=0.4) as patient:
        answer = ask(patient, "hang")
        assert_error(answer, errors.MODEL_TOO_SLOW)
        assert patient.logged(answer.header("x-request-id"))["flags"] == "UT", "not by its silence"


@pytest.mark.slow
def test_a_form_goes_to_the_server_of_the_model_that_it_names_byte_for_byte(gateway: RunningGateway) -> None:
    body = build_form("hears", bytes(range(256)) * 4096)
    answer = gateway.call(HEARING_PATH, body, FORM)
    assert (answer.status, answer.json["path"]) == (200, "/echo/hears")
    assert answer.json["sha256"] == hashlib.sha256(body).hexdigest()
    assert ["content-type", FORM["Content-Type"]] in answer.json["headers"]
    assert gateway.logged(answer.header("x-request-id"))["model"] == "hears"
    renamed = gateway.call(HEARING_PATH, build_form("renamed"), FORM)
    assert renamed.json["sha256"] == hashlib.sha256(build_form("own")).hexdigest()


@pytest.mark.slow
def test_a_form_that_leads_nowhere_is_told_why(gateway: RunningGateway) -> None:
    assert_error(gateway.call(HEARING_PATH, build_form("nobody"), FORM), openai.MODEL_NOT_FOUND)
    elsewhere = gateway.call(HEARING_PATH, build_form("chat"), FORM)
    assert_error(elsewhere, openai.MODEL_NOT_FOUND)
    assert "POST /v1/chat/completions" in elsewhere.error["message"]
    unnamed = gateway.call(
        HEARING_PATH, b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--b--', FORM
    )
    assert_error(unnamed, openai.MODEL_MISSING)
    assert "The form must have a field" in unnamed.error["message"]
    assert_error(gateway.call(HEARING_PATH, b"--b--", {"Content-Type": "text/plain"}), errors.INVALID_BODY)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "asked"), [(HEARING_PATH, "/echo/hears"), ("/hears", "/echo/own"), ("/hears?a=b", "/echo/own")]
)
def test_an_entry_may_have_larger_bodies_than_others_up_to_its_own_limit(
    gateway: RunningGateway, path: str, asked: str
) -> None:
    body = build_form("hears", bytes(LARGE - len(build_form("hears", b""))))
    assert len(body) == LARGE
    answer = gateway.call(path, body, FORM)
    assert (answer.status, answer.json["path"], answer.json["length"]) == (200, asked, LARGE)
    assert answer.json["sha256"] == hashlib.sha256(body).hexdigest()
    over = gateway.call(path, body + b"!", FORM)
    assert_error(over, errors.BODY_TOO_LARGE)
    assert "this model's limit of 20 MB (20971520 bytes)" in over.error["message"]
    in_pieces = gateway.call(path, iter([body[: LARGE // 2], body[LARGE // 2 :]]), FORM)
    assert_error(in_pieces, errors.BODY_TOO_LARGE)


@pytest.mark.slow
def test_no_other_entry_of_the_path_has_them(gateway: RunningGateway) -> None:
    over = gateway.call(HEARING_PATH, build_form("renamed", bytes(BODY_LIMIT_BYTES)), FORM)
    assert_error(over, errors.BODY_TOO_LARGE)
    assert "limit of 6 MB (6291456 bytes)" in over.error["message"]
    unknown = gateway.call(HEARING_PATH, build_form("nobody", bytes(BODY_LIMIT_BYTES)), FORM)
    assert_error(unknown, openai.MODEL_NOT_FOUND)
    assert_error(gateway.call("/chat", bytes(BODY_LIMIT_BYTES + 1)), errors.BODY_TOO_LARGE)

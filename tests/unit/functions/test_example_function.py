"""The default function, hosted as `mlapi up` hosts it, over a model server that a test tells what to do."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web

from centralized_ml_api.local.lambda_host import FunctionServer
from support.function_host import FunctionHost, build_function_plan, hosting
from support.model_server import ModelServer, answer, exit_at_once, hang
from support.runtime import FakeEndpoint, start_runtime

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.background import Background

pytestmark = pytest.mark.slow
FUNCTIONS = Path(__file__).parents[3] / "functions"
ORIGINAL_FORM = """
import json
import os

import boto3
from botocore.exceptions import ClientError

ENDPOINT_NAME = os.environ["ENDPOINT_NAME"]
runtime = boto3.client("runtime.sagemaker")


def lambda_handler(event, context):
    body = json.loads(event["body"])
    print("path", event["path"])
    content_type = event["headers"].get("Content-Type", "application/json")
    accept = event["headers"].get("Accept", "application/json")
    try:
        response = runtime.invoke_endpoint(
            EndpointName=ENDPOINT_NAME,
            Body=json.dumps(body).encode("utf-8"),
            ContentType=content_type,
            Accept=accept,
        )
        result = json.loads(response["Body"].read())
        headers = {"Content-Type": "application/json"}
        return {"statusCode": 200, "body": json.dumps(result), "headers": headers}
    except ClientError as error:
        details = error.response["Error"]
        return {
            "statusCode": error.response["ResponseMetadata"]["HTTPStatusCode"],
            "body": json.dumps(f"{details['Code']}: {details['Message']}"),
            "headers": {"Content-Type": "application/json"},
        }
"""


@pytest.fixture
def endpoint(model: ModelServer) -> FakeEndpoint:
    return FakeEndpoint("llama", [model.url])


@pytest.fixture
def function(background: Background, endpoint: FakeEndpoint) -> Iterator[Callable[..., FunctionHost]]:
    """Hosts the example function, or another folder's, over a model that speaks `speaks`."""
    with contextlib.ExitStack() as stack:

        def start(
            speaks: str = "", code: Path = FUNCTIONS / "example_function", timeout_seconds: float = 20
        ) -> FunctionHost:
            url = stack.enter_context(start_runtime(background, endpoint, timeout_seconds=timeout_seconds))
            server = FunctionServer(
                build_function_plan(code),
                name="open-llama",
                endpoint_name=endpoint.name,
                runtime_url=url,
                model_speaks=speaks,
                inherited={},
            )
            return stack.enter_context(hosting(server))

        yield start


async def continue_text(_request: web.Request, body: bytes) -> web.StreamResponse:
    """What TGI answers, made of what it was asked."""
    return web.json_response([{"generated_text": json.loads(body)["inputs"].upper()}])


async def chat(_request: web.Request, body: bytes) -> web.StreamResponse:
    """What an OpenAI-compatible server answers."""
    content = json.loads(body)["messages"][0]["content"].upper()
    return web.json_response({"choices": [{"index": 0, "message": {"content": content}}]})


@pytest.mark.parametrize(
    ("speaks", "answering"),
    [("", continue_text), ("text-generation-inference", continue_text), ("openai-chat", chat)],
)
def test_the_documented_call_of_the_original_works_whatever_the_model_speaks(
    function: Callable[..., FunctionHost], model: ModelServer, speaks: str, answering: Any
) -> None:
    model.answering = answering
    as_curl = {"content-type": "application/x-www-form-urlencoded"}
    reply = function(speaks).call(b'{"text_inputs": "What is AWS?"}', as_curl)
    assert (reply.status, reply.json()) == (200, {"generated_texts": ["WHAT IS AWS?"]})
    assert reply.headers["access-control-allow-origin"] == "*"
    assert model.asked[0].headers["content-type"] == "application/json"


def test_several_texts_and_sequences_come_back_in_order(
    function: Callable[..., FunctionHost], model: ModelServer
) -> None:
    model.answering = continue_text
    reply = function().call(json.dumps({"text_inputs": list("abc"), "num_return_sequences": 2}).encode())
    assert reply.json() == {"generated_texts": ["A", "A", "B", "B", "C", "C"]}


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (bytes(range(256)), "application/octet-stream"),
        (b"\xff\xfe not utf-8", "text/plain"),
        ("naïve".encode(), "text/plain; charset=utf-8"),
        (b'{"messages": [ ]}', "application/json"),
        (b"[1, 2]", "application/json"),
        (b"", "application/json"),
    ],
)
def test_other_bodies_pass_through_byte_for_byte_both_ways(
    function: Callable[..., FunctionHost], model: ModelServer, body: bytes, content_type: str
) -> None:
    reply = function().call(body, {"content-type": content_type, "accept": "*/*", "x-own": "1"})
    assert (reply.status, reply.body, reply.headers["content-type"]) == (200, body, content_type)
    asked = model.asked[0]
    assert (asked.body, asked.headers["accept"]) == (body, "*/*")
    assert "x-own" not in asked.headers


def test_json_that_curl_calls_a_form_is_json_to_the_model(
    function: Callable[..., FunctionHost], model: ModelServer
) -> None:
    function().call(b'{"a": 1}', {"content-type": "application/x-www-form-urlencoded"})
    assert (model.asked[0].headers["content-type"], model.asked[0].body) == ("application/json", b'{"a": 1}')


def test_json_that_is_too_deep_to_be_read_is_left_to_the_model(
    function: Callable[..., FunctionHost], model: ModelServer
) -> None:
    deep = b"[" * 100_000
    assert function().call(deep).status == 200
    assert model.asked[0].body == deep


def test_custom_attributes_pass_both_ways(function: Callable[..., FunctionHost], model: ModelServer) -> None:
    model.answering = answer(200, b"{}", X_Amzn_SageMaker_Custom_Attributes="out")
    reply = function().call(b"{}", {"x-amzn-sagemaker-custom-attributes": "in"})
    assert model.asked[0].headers["x-amzn-sagemaker-custom-attributes"] == "in"
    assert reply.headers["x-amzn-sagemaker-custom-attributes"] == "out"


def test_an_image_comes_back_as_its_bytes(function: Callable[..., FunctionHost], model: ModelServer) -> None:
    model.answering = answer(200, b"\x89PNG", Content_Type="image/png")
    assert function().call(b"{}").body == b"\x89PNG"


@pytest.mark.parametrize(
    ("status", "said", "message"),
    [
        (400, b'{"error": {"message": "too long"}}', "too long"),
        (422, b'{"error": "bad temperature", "error_type": "validation"}', "bad temperature"),
        (500, b'{"message": "out of memory"}', "out of memory"),
        (429, b"plain words", "plain words"),
    ],
)
def test_a_models_error_keeps_its_status_and_its_words(
    function: Callable[..., FunctionHost], model: ModelServer, status: int, said: bytes, message: str
) -> None:
    model.answering = answer(status, said)
    reply = function().call(b'{"text_inputs": "a"}', {"x-request-id": "r-1"})
    assert (reply.status, reply.error["message"], reply.error["request_id"]) == (status, message, "r-1")
    assert reply.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize(
    ("speaks", "body", "message"),
    [
        ("openai-chat", {"text_input": "a"}, 'no. The body has neither "text_inputs" nor "messages".'),
        ("openai-chat", {"messages": "a"}, "no."),
        ("openai-chat", ["a"], "no."),
        ("", {"prompt": "a"}, 'no. The body has neither "text_inputs" nor "inputs".'),
        ("", {"inputs": 3}, "no."),
        ("another", {"text_input": "a"}, "no."),
    ],
)
def test_a_refused_body_without_any_input_is_told_which_keys_have_it(
    function: Callable[..., FunctionHost], model: ModelServer, speaks: str, body: Any, message: str
) -> None:
    model.answering = answer(400, b'{"message": "no."}')
    reply = function(speaks).call(json.dumps(body).encode())
    assert (reply.status, reply.error["code"], reply.error["message"]) == (400, "model_refused", message)


def test_a_wrong_parameter_is_400_and_the_model_is_not_asked(
    function: Callable[..., FunctionHost], model: ModelServer
) -> None:
    reply = function().call(b'{"text_inputs": "a", "top_p": 7}')
    assert (reply.status, reply.error["message"]) == (400, "top_p must be a number above 0 and up to 1")
    assert model.asked == []


def test_an_unavailable_model_is_503_with_retry_after(
    function: Callable[..., FunctionHost], endpoint: FakeEndpoint
) -> None:
    endpoint.replicas.clear()
    reply = function().call(b'{"text_inputs": "a"}')
    assert (reply.status, reply.headers["retry-after"]) == (503, "2")
    assert "the model is starting" in reply.error["message"]


@pytest.mark.parametrize(("answering", "status"), [(hang, 504), (exit_at_once, 502)])
def test_a_model_that_hangs_is_504_and_one_that_ends_502(
    function: Callable[..., FunctionHost], model: ModelServer, answering: Any, status: int
) -> None:
    model.answering = answering
    assert function(timeout_seconds=0.5).call(b'{"text_inputs": "a"}').status == status


def test_a_model_that_speaks_another_language_is_502_that_says_so(
    function: Callable[..., FunctionHost], model: ModelServer
) -> None:
    model.answering = answer(200, b'{"generated_texts": ["a"]}')
    reply = function().call(b'{"text_inputs": "a"}')
    assert reply.status == 502
    assert "MODEL_SPEAKS" in reply.error["message"]


def test_a_function_in_the_originals_form_runs_unmodified(
    function: Callable[..., FunctionHost], model: ModelServer, tmp_path: Path
) -> None:
    (tmp_path / "index.py").write_text(ORIGINAL_FORM)
    model.answering = answer(200, b'{"generated_texts": ["a cloud"]}')
    host = function(code=tmp_path)
    reply = host.call(
        b'{"text_inputs": "What is AWS?"}', {"content-type": "application/json"}, path="/open-llama"
    )
    assert (reply.status, reply.json()) == (200, {"generated_texts": ["a cloud"]})
    assert json.loads(model.asked[0].body) == {"text_inputs": "What is AWS?"}
    assert model.asked[0].headers["content-type"] == "application/json"
    assert host.wait_for_line("path /open-llama")


def test_a_function_in_the_originals_form_sees_the_sdks_errors(
    function: Callable[..., FunctionHost], model: ModelServer, tmp_path: Path
) -> None:
    (tmp_path / "index.py").write_text(ORIGINAL_FORM)
    model.answering = answer(400, b"too long")
    reply = function(code=tmp_path).call(b"{}")
    assert reply.status == 424
    assert reply.json().startswith("ModelError: Received client error (400) from primary")

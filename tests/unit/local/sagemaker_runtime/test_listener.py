"""boto3 reaches a local model by endpoint name, and errors are the SDK's own exception types."""

from __future__ import annotations

import contextlib
import http.client
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from support.model_server import ModelServer, answer, exit_at_once, exit_midway, hang
from support.own_ports import own_ports

if TYPE_CHECKING:
    from support.runtime import FakeEndpoint

Client = Callable[..., Any]
ENDPOINT = "open-llama-endpoint"
LIMIT = 6 * 1024 * 1024


def invoke(client: Any, body: bytes = b"{}", name: str = ENDPOINT, **parameters: str) -> Any:
    response = client.invoke_endpoint(EndpointName=name, Body=body, **parameters)
    with contextlib.closing(response["Body"]) as stream:
        return {**response, "Body": stream.read()}


def model_error(client: Any) -> dict[str, Any]:
    with pytest.raises(client.exceptions.ModelError) as error:
        invoke(client)
    response: dict[str, Any] = error.value.response
    return response


@pytest.mark.parametrize("service", ["sagemaker-runtime", "runtime.sagemaker"])
def test_the_service_answers_under_its_name_and_its_old_name(
    client: Client, model: ModelServer, service: str
) -> None:
    response = invoke(client(service), b"\x00\xff", ContentType="application/x-npy", Accept="text/plain")
    assert response["Body"] == b"\x00\xff"
    assert (response["ContentType"], response["InvokedProductionVariant"]) == (
        "application/x-npy",
        "AllTraffic",
    )
    assert model.asked[0].path == "/v1/chat/completions"
    assert response["ResponseMetadata"]["RequestId"]


def test_only_type_accept_and_custom_attributes_reach_the_model(client: Client, model: ModelServer) -> None:
    invoke(client(), b"{}", ContentType="application/json", Accept="image/png", CustomAttributes="c1")
    headers = model.asked[0].headers
    assert headers.pop("host") == model.url.removeprefix("http://")
    assert headers == {
        "connection": "close",
        "content-type": "application/json",
        "accept": "image/png",
        "x-amzn-sagemaker-custom-attributes": "c1",
        "content-length": "2",
    }


def test_custom_attributes_of_the_model_come_back(client: Client, model: ModelServer) -> None:
    model.answering = answer(200, b"", X_Amzn_SageMaker_Custom_Attributes="trace=1")
    assert invoke(client())["CustomAttributes"] == "trace=1"


@pytest.mark.parametrize("size", [0, 1, 5_000_000, LIMIT])
def test_bodies_up_to_the_limit_pass_byte_for_byte(client: Client, model: ModelServer, size: int) -> None:
    body = (bytes(range(256)) * (size // 256 + 1))[:size]
    response = invoke(client(), body, ContentType="application/octet-stream")
    assert (model.asked[0].body == body, response["Body"] == body) == (True, True)


def test_a_body_over_the_limit_is_the_services_413(client: Client, model: ModelServer) -> None:
    with pytest.raises(ClientError) as error:
        invoke(client(), b"x" * (LIMIT + 1))
    assert error.value.response["Error"] == {
        "Code": "413",
        "Message": "HTTP content length exceeded 6291456 bytes.",
    }
    assert model.asked == []


def test_an_unknown_endpoint_is_a_validation_error_naming_those_there_are(client: Client) -> None:
    runtime = client()
    with pytest.raises(runtime.exceptions.ValidationError) as error:
        invoke(runtime, name="nope")
    assert error.value.response["Message"] == f"Endpoint nope not found. Endpoints here: {ENDPOINT}"


@pytest.mark.parametrize(
    ("status", "side"), [(400, "client"), (404, "client"), (500, "server"), (302, "client")]
)
def test_an_error_of_the_model_is_a_model_error_with_its_status_and_message(
    client: Client, model: ModelServer, status: int, side: str
) -> None:
    model.answering = answer(status, b'{"error": "no"}', Location="/elsewhere")
    response = model_error(client())
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert (response["OriginalStatusCode"], response["OriginalMessage"]) == (status, '{"error": "no"}')
    assert response["LogStreamArn"].endswith(f"/aws/sagemaker/Endpoints/{ENDPOINT}")
    assert response["Error"]["Message"].startswith(f"Received {side} error ({status}) from primary")


@pytest.mark.parametrize("ending", [exit_at_once, exit_midway])
def test_a_model_that_ends_in_a_call_is_a_model_error_without_a_status(
    client: Client, model: ModelServer, ending: Any
) -> None:
    model.answering = ending
    response = model_error(client())
    assert response["OriginalStatusCode"] == 0
    assert "the model process exited" in response["OriginalMessage"]


def test_a_model_that_is_too_slow_is_a_model_error_that_says_so(client: Client, model: ModelServer) -> None:
    model.answering = hang
    response = model_error(client(timeout_seconds=0.2))
    assert response["OriginalStatusCode"] == 0
    assert "timed out" in response["OriginalMessage"]


def test_an_endpoint_without_a_ready_replica_is_unavailable_with_the_reason(
    client: Client, endpoint: FakeEndpoint
) -> None:
    endpoint.replicas.clear()
    runtime = client()
    with pytest.raises(runtime.exceptions.ServiceUnavailable, match="the model is starting"):
        invoke(runtime)


def test_a_replica_that_refuses_connections_is_passed_over(
    client: Client, model: ModelServer, endpoint: FakeEndpoint
) -> None:
    endpoint.replicas.insert(0, f"http://127.0.0.1:{own_ports()}")
    runtime = client()
    assert [invoke(runtime)["ResponseMetadata"]["HTTPStatusCode"] for _ in range(4)] == [200] * 4
    assert len(model.asked) == 4


def test_an_endpoint_whose_replicas_all_refuse_is_unavailable(client: Client, endpoint: FakeEndpoint) -> None:
    endpoint.replicas[:] = [f"http://127.0.0.1:{own_ports()}"]
    runtime = client()
    with pytest.raises(runtime.exceptions.ServiceUnavailable):
        invoke(runtime)


def request(url: str, method: str, path: str, **options: Any) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=30)
    try:
        connection.request(method, path, **options)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def test_chunked_bodies_without_a_type_are_json(runtime: Callable[..., str], model: ModelServer) -> None:
    path = f"/endpoints/{ENDPOINT}/invocations"
    status, body = request(runtime(), "POST", path, body=iter([b"[1,", b"2]"]), encode_chunked=True)
    assert (status, body) == (200, b"[1,2]")
    assert model.asked[0].headers["content-type"] == "application/json"


def test_compressed_bodies_are_not_touched(runtime: Callable[..., str], model: ModelServer) -> None:
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/octet-stream"}
    path = f"/endpoints/{ENDPOINT}/invocations"
    assert request(runtime(), "POST", path, body=b"\x1f\x8b", headers=headers) == (200, b"\x1f\x8b")
    assert "content-encoding" not in model.asked[0].headers


def test_a_caller_that_expects_100_continue_gets_it(runtime: Callable[..., str]) -> None:
    host, port = runtime().removeprefix("http://").split(":")
    head = f"POST /endpoints/{ENDPOINT}/invocations HTTP/1.1\r\nHost: {host}\r\nContent-Length: 2\r\n"
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(f"{head}Expect: 100-continue\r\nConnection: close\r\n\r\n".encode())
        with connection.makefile("rb") as stream:
            assert stream.readline() == b"HTTP/1.1 100 Continue\r\n"
            connection.sendall(b"{}")
            assert stream.read().endswith(b"\r\n\r\n{}")


@pytest.mark.parametrize(("method", "path"), [("GET", f"/endpoints/{ENDPOINT}/invocations"), ("POST", "/x")])
def test_other_operations_are_refused_in_the_services_form(
    runtime: Callable[..., str], method: str, path: str
) -> None:
    status, body = request(runtime(), method, path)
    assert status == 404
    assert b"only InvokeEndpoint" in body

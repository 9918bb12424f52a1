"""The streaming twin: pieces as they come, and failures that botocore raises as its own types."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web
from botocore.exceptions import EventStreamError

from support.model_server import ModelServer, answer, exit_midway

if TYPE_CHECKING:
    from support.background import Background

Client = Callable[..., Any]
ENDPOINT = "open-llama-endpoint"


@contextlib.contextmanager
def streaming(client: Any, **parameters: str) -> Iterator[Any]:
    response = client.invoke_endpoint_with_response_stream(EndpointName=ENDPOINT, Body=b"{}", **parameters)
    with contextlib.closing(response["Body"]):
        yield response


def test_each_piece_arrives_before_the_model_sends_the_next(
    client: Client, model: ModelServer, background: Background
) -> None:
    gates = [asyncio.Event() for _ in range(3)]

    async def piece_by_piece(request: web.Request, _body: bytes) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for number, gate in enumerate(gates):
            await response.write(f"data: {number}\n\n".encode())
            await gate.wait()
        return response

    async def let_go(gate: asyncio.Event) -> None:
        gate.set()

    model.answering = piece_by_piece
    received = []
    with streaming(client(), Accept="text/event-stream") as response:
        assert response["ContentType"] == "text/event-stream"
        for gate, part in zip(gates, response["Body"], strict=False):
            received.append(part["PayloadPart"]["Bytes"])
            background.run(let_go(gate))
    assert received == [b"data: 0\n\n", b"data: 1\n\n", b"data: 2\n\n"]
    assert model.asked[0].headers["accept"] == "text/event-stream"


def test_bytes_are_passed_on_unchanged(client: Client, model: ModelServer) -> None:
    body = bytes(range(256)) * 5000
    model.answering = answer(200, body, Content_Type="application/x-npy")
    with streaming(client()) as response:
        parts = [part["PayloadPart"]["Bytes"] for part in response["Body"]]
    assert b"".join(parts) == body


def test_a_model_that_breaks_off_is_a_model_stream_error(client: Client, model: ModelServer) -> None:
    model.answering = exit_midway
    received = []
    with streaming(client()) as response, pytest.raises(EventStreamError) as error:
        received.extend(response["Body"])
    assert received == [{"PayloadPart": {"Bytes": b"half"}}]
    assert error.value.response["Error"]["Code"] == "ModelStreamError"


@pytest.mark.slow
def test_a_model_that_does_not_finish_in_time_is_a_model_stream_error(
    client: Client, model: ModelServer
) -> None:
    async def stall(request: web.Request, _body: bytes) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"first")
        return await asyncio.Future[web.StreamResponse]()

    model.answering = stall
    with (
        streaming(client(timeout_seconds=1)) as response,
        pytest.raises(EventStreamError, match="allotted time"),
    ):
        list(response["Body"])


def test_a_model_that_refuses_is_a_model_error_before_the_stream(client: Client, model: ModelServer) -> None:
    model.answering = answer(429, b"slow down")
    runtime = client()
    with pytest.raises(runtime.exceptions.ModelError) as error, streaming(runtime):
        pytest.fail("the model refused")
    assert error.value.response["OriginalStatusCode"] == 429

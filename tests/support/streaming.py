"""The function that streams on AWS, run by Node over model servers of the tests."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiohttp import web

from support.model_server import ModelServer, start_model_server
from support.runtime import FakeEndpoint, start_runtime
from support.stream_host import StreamAnswer, StreamHost, build_event, start_stream_host

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from support.background import Background
    from support.model_server import Answering

SPEAKS = (
    "openai-chat",
    "openai-embeddings",
    "text-embeddings-inference",
    "text-generation-inference",
    "text-inputs",
    "text-inputs-embeddings",
    "openai-speech",
    "openai-transcriptions",
    "rerank",
)
CUSTOM_ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"


@dataclass
class Streaming:
    """The function and the model behind each of its entries; `down` has no model
    server, `missing` no endpoint."""

    host: StreamHost
    model: ModelServer
    runtime_url: str

    def call(self, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> StreamAnswer:
        return self.host.invoke(build_event(path, body, headers))

    def chat(self, model: str, *messages: str | tuple[str, str], **more: Any) -> StreamAnswer:
        """A chat; a message is of the user where no role is given."""
        turns = [("user", message) if isinstance(message, str) else message for message in messages]
        asked = [{"role": role, "content": text} for role, text in turns]
        return self.call("/v1/chat/completions", {"model": model, "messages": asked, **more})


@contextlib.contextmanager
def start_streaming(
    loop: Background, *, max_output_tokens: int | None = None, **settings: Any
) -> Iterator[Streaming]:
    """An entry for each language, `plain` and `bare` by their paths alone, `down` and `missing`."""
    names = (*SPEAKS, "plain", "bare", "down")
    limit = {"max_output_tokens": max_output_tokens} if max_output_tokens else {}
    models: dict[str, dict[str, object]] = {
        name: {"endpoint": f"{name}-endpoint", "speaks": name, **limit} for name in SPEAKS
    }
    models["text-inputs"]["aliases"] = ["gpt-4", "org/gpt:4"]
    models["plain"] = {"endpoint": "plain-endpoint", "headers": [CUSTOM_ATTRIBUTES]}
    models["bare"] = {"endpoint": "bare-endpoint", "headers": []}
    models["down"] = {"endpoint": "down-endpoint", "headers": []}
    models["missing"] = {"endpoint": "no-such-endpoint", "headers": []}
    with start_model_server(loop) as model:
        endpoints = [
            FakeEndpoint(f"{name}-endpoint", [] if name == "down" else [model.url]) for name in names
        ]
        with (
            start_runtime(loop, *endpoints) as url,
            start_stream_host(models=models, sagemaker_url=url, **settings) as host,
        ):
            yield Streaming(host, model, url)


def streams(*pieces: bytes, then: Answering | None = None, kind: str = "text/event-stream") -> Answering:
    """Sends these pieces, then does what `then` says; without it, ends well."""

    async def answering(request: web.Request, body: bytes) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": kind})
        await response.prepare(request)
        for piece in pieces:
            await response.write(piece)
        if then is not None:
            await then(request, body)
        return response

    return answering


class Gate:
    """A model that sends one event and waits with the second until `open`; `left` when its caller goes."""

    def __init__(self, loop: Background, *events: bytes) -> None:
        self._loop = loop
        self._first, self._second = events or (b"data: one\n\n", b"data: two\n\n")
        self._opened = asyncio.Event()
        self.left = threading.Event()

    async def __call__(self, request: web.Request, _body: bytes) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(self._first)
        try:
            await self._opened.wait()
        except asyncio.CancelledError:
            self.left.set()
            raise
        await response.write(self._second)
        return response

    def open(self) -> None:
        async def release() -> None:
            self._opened.set()

        self._loop.run(release())

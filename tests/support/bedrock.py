"""Bedrock's runtime as botocore describes it: it answers only signed calls whose bodies have its shapes.

What it answers depends on the model, or on what the model is told to do, see `find_act`:

    us.anthropic.claude-fake-v1:0       a chat, whole or streamed, with a call of each of the first two tools;
                                        of an image or 1 token at most, what `openai_answers` says
    anthropic.first                     the same
    anthropic.filtered                  nothing: a guardrail ends it
    anthropic.silent                    nothing until `release` is set
    openai.gpt-fake-1:0                 the same by Chat Completions
    anthropic.limited, .forbidden, …    the errors of Converse by their names: see `ERRORS`
    amazon.titan-embed-fake-v2:0        an embedding
    cohere.embed-fake-v3                an embedding of each text
    anthropic.cut                       the connection breaks in mid-stream
    anthropic.fails                     a stream that ends with an exception
    anthropic.busy, .stumbles           a stream of nothing else: see `STREAM_ERRORS`

Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from aiohttp import web
from botocore.session import Session
from botocore.validate import ParamValidator

from centralized_ml_api.local.machine.ports import bind_loopback
from support.certificate import write_certificate
from support.openai_answers import CALLS, SEEN, find_act
from support.signed_runtime import Keys
from support.translation import frame

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from support.background import Background

CLAUDE = "us.anthropic.claude-fake-v1:0"
GPT = "openai.gpt-fake-1:0"
TITAN = "amazon.titan-embed-fake-v2:0"
COHERE = "cohere.embed-fake-v3"
VECTOR = [0.25, -0.5]
WORDS = ("Cloud", " computing")
USAGE = {"inputTokens": 19, "outputTokens": 10, "totalTokens": 29, "cacheReadInputTokens": 4}
ACCOUNT = "111122223333"
ERRORS = {
    "anthropic.limited": ("ThrottlingException", 429, "Too many tokens, please wait before trying again."),
    "anthropic.forbidden": (
        "AccessDeniedException",
        403,
        f"User: arn:aws:sts::{ACCOUNT}:assumed-role/x/y is not authorized to invoke the model.",
    ),
    "anthropic.unknown": (
        "ResourceNotFoundException",
        404,
        "The model has reached its end of life.",
    ),
    "anthropic.slow": ("ModelTimeoutException", 408, "The model took too long."),
    "anthropic.broken": ("ModelErrorException", 424, "The model failed."),
    "anthropic.invalid": ("ValidationException", 400, "The provided model identifier is invalid."),
}
STREAM_ERRORS: dict[str, tuple[str, dict[str, Any]]] = {
    "anthropic.busy": ("throttlingException", {"message": "Too many requests."}),
    "anthropic.stumbles": (
        "modelStreamErrorException",
        {"message": f"The model of arn:aws:bedrock:::{ACCOUNT} stumbled.", "originalStatusCode": 500},
    ),
}
"""What a stream ends with before there is an answer."""

_SERVICE = Session().get_service_model("bedrock-runtime")


@dataclass
class Bedrock:
    """A running one; `seen` has the model, the operation and the body of each call.

    It takes calls with one of `api_keys`, too.
    """

    url: str
    certificate: Path
    keys: Keys
    api_keys: set[str] = field(default_factory=set)
    seen: list[tuple[str, str, Any]] = field(default_factory=list)
    release: asyncio.Event = field(default_factory=asyncio.Event)

    async def speak(self) -> None:
        """Lets the model that is silent answer, until `release` is cleared."""
        self.release.set()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answers a call."""
        body = await request.read()
        is_known = request.headers.get("Authorization", "").removeprefix("Bearer ") in self.api_keys
        if not is_known and (refused := self.keys.why_refused(request, body)):
            return _error(refused, 403, "The request is not signed.")
        document = json.loads(body)
        if request.path.startswith("/openai/v1/"):
            self.seen.append((document["model"], "openai", document))
            return _answer_openai(document)
        _, _, model, operation = request.raw_path.split("/")
        model = unquote(model)
        self.seen.append((model, operation, document))
        if operation == "invoke":
            return _embed(model, document)
        _check_shape(operation, {"modelId": model, **document})
        model = find_act(model, document["messages"])
        if model in ERRORS:
            return _error(*ERRORS[model])
        if model == "anthropic.silent":
            await self.release.wait()
        if operation == "converse":
            return web.json_response(_whole(model, document))
        return await _stream(request, model, document)


def _check_shape(operation: str, parameters: dict[str, Any]) -> None:
    name = {"converse": "Converse", "converse-stream": "ConverseStream"}[operation]
    decoded = json.loads(json.dumps(parameters), object_hook=_decode_bytes)
    report = ParamValidator().validate(decoded, _SERVICE.operation_model(name).input_shape)
    assert not report.has_errors(), report.generate_report()


def _decode_bytes(value: dict[str, Any]) -> dict[str, Any]:
    return {
        key: base64.b64decode(inner) if key == "bytes" and isinstance(inner, str) else inner
        for key, inner in value.items()
    }


def _embed(model: str, document: dict[str, Any]) -> web.Response:
    """Answers as the models do; InvokeModel's bodies are theirs, and no shape of botocore's.

    Source: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html,
    https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-embed.html
    """
    if model == TITAN:
        assert document.keys() <= {"inputText", "dimensions", "normalize"}, document
        assert isinstance(document["inputText"], str)
        return web.json_response({"embedding": VECTOR, "inputTextTokenCount": 3})
    assert model == COHERE
    assert document.keys() <= {"texts", "input_type", "embedding_types", "output_dimension"}, document
    vectors = [VECTOR for _ in document["texts"]]
    return web.json_response({"id": "1", "texts": document["texts"], "embeddings": {"float": vectors}})


def _error(code: str, status: int, message: str) -> web.Response:
    headers = {"x-amzn-ErrorType": f"{code}:http://internal.amazon.com/"}
    return web.json_response({"message": message}, status=status, headers=headers)


def _whole(model: str, document: dict[str, Any]) -> dict[str, Any]:
    words, reason = _speak(model, document)
    calls: list[dict[str, Any]] = [{"toolUse": call} for call in _calls(document)]
    content = calls or [{"text": "".join(words)}]
    message = {"role": "assistant", "content": content}
    return {
        "output": {"message": message},
        "stopReason": reason,
        "usage": USAGE,
        "metrics": {"latencyMs": 1},
    }


def _speak(model: str, document: dict[str, Any]) -> tuple[tuple[str, ...], str]:
    """Returns the words, and why they end."""
    parts = [part for message in document["messages"] for part in message["content"]]
    images = [part["image"]["format"] for part in parts if "image" in part]
    if model == "anthropic.filtered":
        return (), "guardrail_intervened"
    if images:
        return (SEEN.format(f"image/{images[0]}"),), "end_turn"
    if document.get("inferenceConfig", {}).get("maxTokens") == 1:
        return WORDS[:1], "max_tokens"
    return WORDS, "tool_use" if "toolConfig" in document else "end_turn"


def _calls(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Returns the calls of tools: one for each that it is offered, up to two."""
    tools = document.get("toolConfig", {}).get("tools", ())
    return [
        {"toolUseId": f"tooluse_{number}", "name": tool["toolSpec"]["name"], "input": arguments}
        for number, (tool, arguments) in enumerate(zip(tools, CALLS, strict=False), 1)
    ]


def _events(model: str, document: dict[str, Any]) -> Iterator[bytes]:
    yield frame("messageStart", {"role": "assistant"})
    words, reason = _speak(model, document)
    calls = _calls(document)
    for index, call in enumerate(calls):
        start = {"toolUse": {"toolUseId": call["toolUseId"], "name": call["name"]}}
        yield frame("contentBlockStart", {"contentBlockIndex": index, "start": start})
        text = json.dumps(call["input"])
        for piece in (text[:8], text[8:]):
            delta = {"toolUse": {"input": piece}}
            yield frame("contentBlockDelta", {"contentBlockIndex": index, "delta": delta})
        yield frame("contentBlockStop", {"contentBlockIndex": index})
    if not calls:
        for word in words:
            yield frame("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": word}})
        yield frame("contentBlockStop", {"contentBlockIndex": 0})
    yield frame("messageStop", {"stopReason": reason})
    yield frame("metadata", {"usage": USAGE, "metrics": {"latencyMs": 1}})


async def _stream(request: web.Request, model: str, document: dict[str, Any]) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/vnd.amazon.eventstream"})
    await response.prepare(request)
    for number, event in enumerate(_events(model, document)):
        middle = len(event) // 2
        await response.write(event[:middle])
        await response.write(event[middle:])
        if model in STREAM_ERRORS:
            await response.write(frame(*STREAM_ERRORS[model], "exception"))
            return response
        if number == 1 and model == "anthropic.cut":
            assert request.transport
            request.transport.abort()
            return response
        if number == 1 and model == "anthropic.fails":
            await response.write(frame("throttlingException", {"message": "Slow down."}, "exception"))
            return response
    return response


def _answer_openai(document: dict[str, Any]) -> web.Response:
    message = {"role": "assistant", "content": "".join(WORDS)}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    usage = {"prompt_tokens": 19, "completion_tokens": 10, "total_tokens": 29}
    whole = {"id": "c", "object": "chat.completion", "created": 1, "model": document["model"]}
    return web.json_response({**whole, "choices": [choice], "usage": usage})


@contextlib.asynccontextmanager
async def _serve(bedrock: Bedrock, listening: Any) -> AsyncIterator[None]:
    application = web.Application(client_max_size=20 * 1024 * 1024)
    application.router.add_post("/{path:.*}", bedrock.answer)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(bedrock.certificate)
    runner = web.AppRunner(application, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.SockSite(runner, listening, ssl_context=context).start()
        yield
    finally:
        bedrock.release.set()
        await runner.cleanup()


@contextlib.contextmanager
def start_bedrock(
    background: Background, folder: Path, keys: Keys, certificate: Path | None = None
) -> Iterator[Bedrock]:
    """Bedrock at `https://localhost:PORT`, for callers with these keys, until the end of the block.

    `certificate` is another server's for `localhost`: who trusts two of that name finds one of them.
    """
    listening = bind_loopback()
    port = listening.getsockname()[1]
    certificate = certificate or write_certificate(folder / "bedrock.pem", "localhost")
    bedrock = Bedrock(f"https://localhost:{port}", certificate, keys)
    serving = _serve(bedrock, listening)
    background.run(serving.__aenter__())
    try:
        yield bedrock
    finally:
        background.run(serving.__aexit__(None, None, None))

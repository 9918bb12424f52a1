"""A provider as OpenAI's is in truth: its published shapes, over TLS, for calls with a valid key alone.

Calls with the header of Anthropic's API are answered by `anthropic_answers`.

What it answers depends on the model that a body names, or on what the model is told to do, see `find_act`:

    gpt-fake        a chat, whole or streamed, as `openai_answers` says; embeddings; a response
    first           the same
    filtered        a chat that the filter of contents ends
    limited         429 with `Retry-After` and the organization's id in the message
    broken          500 in OpenAI's shape
    forbidden       403
    unkeyed         401, as to a wrong key
    page            503 with an HTML page
    detail          422 in the shape of another framework
    moved           a redirect
    gone            the connection breaks before an answer
    cut             the connection breaks in mid-answer, in mid-stream
    late            a stream with an error in it that names the organization
    unstreamed      a whole chat, also where a stream is asked for
    unended         a stream with a length, whose last event, of tokens, no blank line follows
    uncounted       the same without the event of tokens
    keyless         400 as Gemini answers to an invalid key
    worded          400 with Gemini's sentence alone
    wordy           400 with ordinary words that look like identities, and with identities
    slow            nothing until `release` is set
    anything else   404

Sources:
    https://platform.openai.com/docs/api-reference/models
    https://platform.openai.com/docs/guides/error-codes
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiohttp import web

from centralized_ml_api.local.machine.ports import bind_loopback
from support.anthropic_answers import KEY_HEADER, VERSION_HEADER, answer_messages, anthropic_error
from support.certificate import write_certificate
from support.openai_answers import (
    build_chunks,
    build_completion,
    build_embeddings,
    build_response,
    find_act,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from support.background import Background

KEY = "sk-proj-Fake0123456789Organizer0123456789-TAIL"
ORGANIZATION = "org-AbCdEf0123456789"
MODELS = (
    *("gpt-fake", "limited", "broken", "forbidden", "page", "detail", "moved", "gone", "cut", "late", "slow"),
    *("unstreamed", "unended", "uncounted", "keyless", "worded", "wordy", "filtered", "unkeyed"),
)
OF_ITS_CDN = {"X-Served-By": "cache-fra-1", "X-Mlapi-Own-Reply": "-", "X-Mlapi-Kept-Id": "req-1"}
"""Headers of names that mean something between the gateway and its own processes."""
SUCCEEDING = {"gpt-fake", "first", "filtered", "cut", "late", "slow", "unstreamed", "unended", "uncounted"}


@dataclass
class Call:
    """One call that had a valid key."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass
class Provider:
    """A running one; `start_provider` makes it.

    `keys` are valid now. `seen` has every call with a valid key, `refused` the keys of the others.
    """

    url: str
    certificate: Path
    keys: set[str] = field(default_factory=lambda: {KEY})
    header: str = "Authorization"
    prefix: str = "Bearer "
    seen: list[Call] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    release: asyncio.Event = field(default_factory=asyncio.Event)

    async def speak(self) -> None:
        """Lets the model that is silent answer, until `release` is cleared."""
        self.release.set()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answers a call."""
        body = await request.read()
        if VERSION_HEADER in request.headers:
            return await self._answer_as_anthropic(request, body)
        key = request.headers.get(self.header, "").removeprefix(self.prefix)
        if key not in self.keys:
            self.refused.append(key)
            return _refuse_key(key)
        if request.path == "/v1/models":
            listed = [{"id": name, "object": "model", "created": 1, "owned_by": "openai"} for name in MODELS]
            return web.json_response({"object": "list", "data": listed})
        self.seen.append(Call(request.path, dict(request.headers), body))
        document = json.loads(body)
        if "messages" in document:
            document["model"] = find_act(document["model"], document["messages"])
        return await self._answer_model(request, document)

    async def _answer_as_anthropic(self, request: web.Request, body: bytes) -> web.StreamResponse:
        key = request.headers.get(KEY_HEADER, "")
        if key not in self.keys:
            self.refused.append(key)
            return anthropic_error(401, "authentication_error", f"invalid x-api-key {key[:8]}")
        if request.path == "/v1/models":
            data = [
                {"id": "claude-fake", "type": "model", "display_name": "Claude", "created_at": "2026-08-07"}
            ]
            return web.json_response({"data": data, "has_more": False})
        self.seen.append(Call(request.path, dict(request.headers), body))
        document = json.loads(body)
        document["model"] = find_act(document.get("model"), document["messages"])
        return await answer_messages(request, document)

    async def _answer_model(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        model = body.get("model")
        if model == "slow":
            await self.release.wait()
        if model == "gone":
            _break(request)
        if model in SUCCEEDING:
            return await _succeed(request, body)
        said = f"The model `{model}` does not exist or you do not have access to it."
        unknown = _error(404, said, "invalid_request_error", "model_not_found")
        return FAILURES[model]() if model in FAILURES else unknown


def _refuse_key(key: str) -> web.Response:
    said = f"Incorrect API key provided: {key[:8]}{'*' * 20}{key[-4:]}. Find yours in {ORGANIZATION}."
    return _error(401, said, "invalid_request_error", "invalid_api_key")


async def _succeed(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    if body["model"] in {"unended", "uncounted"}:
        chunks = build_chunks(body if body["model"] == "unended" else {})
        events = [f"data: {json.dumps(chunk)}" for chunk in chunks]
        return web.Response(text="\n\n".join(events), content_type="text/event-stream")
    if body.get("stream") and body["model"] != "unstreamed":
        return await _stream(request, body)
    if body["model"] == "cut":
        return await _cut(request)
    build = {"/v1/embeddings": build_embeddings, "/v1/responses": build_response}.get(
        request.path, build_completion
    )
    return web.json_response(build(body), headers=OF_ITS_CDN)


def _error(
    status: int, message: str, kind: str, code: str | None, headers: dict[str, str] | None = None
) -> web.Response:
    error = {"message": message, "type": kind, "param": None, "code": code}
    return web.json_response({"error": error}, status=status, headers=headers)


def _limited() -> web.Response:
    said = f"Rate limit reached for gpt-fake in organization {ORGANIZATION} on tokens per min."
    headers = {"Retry-After": "7", "x-ratelimit-limit-tokens": "30000"}
    return _error(429, said, "tokens", "rate_limit_exceeded", headers)


INVALID_KEY = "API key not valid. Please pass a valid API key."
"""Gemini's sentence."""

ORDINARY = "The user-provided value is task-specific and org_specific; use a Bearer token"
"""Words that tell nothing of a customer."""

_DETAILS = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}
_OF_GEMINI = {"code": 400, "message": "Not so.", "status": "INVALID_ARGUMENT", "details": [_DETAILS]}

FAILURES: dict[str, Callable[[], web.Response]] = {
    "limited": _limited,
    "broken": lambda: _error(500, f"The server had an error ({KEY}).", "server_error", None),
    "forbidden": lambda: _error(403, f"{ORGANIZATION} has no access.", "invalid_request_error", None),
    "unkeyed": lambda: _refuse_key(KEY),
    "keyless": lambda: web.json_response([{"error": _OF_GEMINI}], status=400),
    "worded": lambda: _error(400, INVALID_KEY, "INVALID_ARGUMENT", None),
    "wordy": lambda: _error(400, f"{ORDINARY}, not {ORGANIZATION} or user-0123456789.", "a", None),
    "page": lambda: web.Response(status=503, text="<html>try later</html>", content_type="text/html"),
    "detail": lambda: web.json_response({"detail": 'no "such" field'}, status=422),
    "moved": lambda: web.Response(status=307, headers={"Location": "https://elsewhere.test/"}),
}


async def _stream(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    """Sends events in pieces that end anywhere."""
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
    await response.prepare(request)
    chunks = list(build_chunks(body))
    if body["model"] == "late":
        said = f"The server had an error (request of {ORGANIZATION})."
        chunks[2:] = [{"error": {"message": said, "type": "server_error"}}]
    for number, chunk in enumerate(chunks):
        event = f"data: {json.dumps(chunk)}\n\n".encode()
        middle = len(event) // 2
        for piece in (event[:middle], event[middle:]):
            await response.write(piece)
            await asyncio.sleep(0)
        if body["model"] == "cut" and number == 1:
            _break(request)
            return response
    await response.write(b"data: [DONE]\n\n")
    return response


async def _cut(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b'{"id": ')
    _break(request)
    return response


def _break(request: web.Request) -> None:
    assert request.transport
    request.transport.abort()


@contextlib.asynccontextmanager
async def _serve(provider: Provider, listening: Any) -> AsyncIterator[None]:
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", provider.answer)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(provider.certificate)
    runner = web.AppRunner(application, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.SockSite(runner, listening, ssl_context=context).start()
        yield
    finally:
        provider.release.set()
        await runner.cleanup()


@contextlib.contextmanager
def start_provider(background: Background, folder: Path) -> Iterator[Provider]:
    """A provider at `https://localhost:PORT/v1`; SSL_CERT_FILE must name the file of its certificate."""
    listening = bind_loopback()
    port = listening.getsockname()[1]
    certificate = write_certificate(folder / "provider.pem", "localhost")
    provider = Provider(f"https://localhost:{port}/v1", certificate)
    serving = _serve(provider, listening)
    background.run(serving.__aenter__())
    try:
        yield provider
    finally:
        background.run(serving.__aexit__(None, None, None))

"""A server of OpenAI's chats and embeddings: `python bench/programs/any_openai.py PORT`.

It answers nearly any body. One that is no JSON object, or has no messages, is a 400 in OpenAI's shape.
"""

from __future__ import annotations

import json
import sys

from aiohttp import web

_MOST_BYTES = 8 * 1024 * 1024
_USAGE = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
_KNOWN = {"id": "chatcmpl-1", "created": 1, "model": "any"}


def build_application() -> web.Application:
    """Builds `GET /v1/models`, `POST /v1/chat/completions` and `POST /v1/embeddings`."""
    application = web.Application(client_max_size=_MOST_BYTES)
    application.add_routes(
        [
            web.get("/v1/models", _list_models),
            web.post("/v1/chat/completions", _chat),
            web.post("/v1/embeddings", _embed),
        ]
    )
    return application


async def _list_models(_: web.Request) -> web.Response:
    return web.json_response({"object": "list", "data": [{"id": "any", "object": "model"}]})


async def _chat(request: web.Request) -> web.StreamResponse:
    asked = await _read_object(request)
    if not isinstance(asked.get("messages"), list):
        raise _refuse("Missing required parameter: 'messages'.")
    if asked.get("stream") is not True:
        message = {"role": "assistant", "content": "yes"}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return web.json_response(
            {**_KNOWN, "object": "chat.completion", "choices": [choice], "usage": _USAGE}
        )
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    for delta, reason in (({"role": "assistant", "content": "yes"}, None), ({}, "stop")):
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        chunk = {**_KNOWN, "object": "chat.completion.chunk", "choices": [choice], "usage": None}
        await response.write(f"data: {json.dumps(chunk)}\n\n".encode())
    last = {**_KNOWN, "object": "chat.completion.chunk", "choices": [], "usage": _USAGE}
    await response.write(f"data: {json.dumps(last)}\n\ndata: [DONE]\n\n".encode())
    return response


async def _embed(request: web.Request) -> web.Response:
    await _read_object(request)
    item = {"object": "embedding", "index": 0, "embedding": [0.5]}
    return web.json_response({"object": "list", "data": [item], "model": "any", "usage": _USAGE})


async def _read_object(request: web.Request) -> dict[str, object]:
    try:
        asked = json.loads(await request.read())
    except (ValueError, RecursionError):
        asked = None
    if not isinstance(asked, dict):
        raise _refuse("We could not parse the JSON body of your request.")
    return asked


def _refuse(message: str) -> web.HTTPBadRequest:
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": None}
    return web.HTTPBadRequest(text=json.dumps({"error": error}), content_type="application/json")


if __name__ == "__main__":
    web.run_app(build_application(), host="127.0.0.1", port=int(sys.argv[1]), print=None)

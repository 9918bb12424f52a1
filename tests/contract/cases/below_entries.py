"""`/{name}/v1/...`: an address that SDKs take as a base, whose path names the entry."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.api import openai
from centralized_ml_api.api.http import EVENTS_IN_UTF8
from contract.case import JSON, Bytes, Case, Expected, Json, Request, refused, render_json
from contract.cases.bedrock import Message
from contract.cases.hosted import Whole
from contract.cases.openai import SAID, Completion, Events, Listed
from support.openai_answers import WORDS

if TYPE_CHECKING:
    from typing import Any

    from support.running_gateway import Answer

_TALK = [{"role": "user", "content": SAID}]


@dataclass(frozen=True)
class AnthropicError:
    """An error of this type, in the shape of Anthropic's API, with these words."""

    type: str
    says: str = ""

    def check(self, answer: Answer) -> None:
        """Compares them."""
        document = json.loads(answer.body)
        said = {"type": self.type, "message": document["error"]["message"]}
        assert document == {"type": "error", "error": said, "request_id": answer.header("x-request-id")}
        assert self.says in said["message"], answer


def _ask(path: str, method: str = "POST", **body: Any) -> Request:
    return Request(path, render_json(body) if body else b"", method, {"Content-Type": JSON})


CASES = [
    *(
        Case(
            f"the path names the model of a chat, whatever the body says: {name} {more}",
            _ask(f"/{name}/v1/chat/completions", messages=_TALK, **more),
            Expected(200, Completion(SAID), JSON),
        )
        for name in ("chat", "translated")
        for more in ({}, {"model": "another"}, {"model": 7})
    ),
    Case(
        "a chat streams below an entry",
        _ask("/chat/v1/chat/completions", messages=_TALK, stream=True),
        Expected(200, Events(tuple(SAID.split())), EVENTS_IN_UTF8),
    ),
    Case(
        "a hosted chat is answered below its entry",
        _ask("/hosted/v1/chat/completions", messages=_TALK, model="another"),
        Expected(200, Whole("".join(WORDS))),
    ),
    Case(
        "a model of Bedrock answers Anthropic's clients below its entry",
        _ask("/claude/v1/messages", max_tokens=9, messages=_TALK),
        Expected(200, Message(), JSON),
    ),
    Case(
        "what is no JSON object is 400 below an entry",
        Request("/chat/v1/chat/completions", b"[]"),
        refused(errors.INVALID_BODY, "not an array"),
    ),
    Case(
        "a list below an entry has it alone",
        Request("/chat/v1/models", b"", "GET"),
        Expected(200, Listed(("chat",)), JSON),
    ),
    Case(
        "HEAD of a list below an entry is GET without the body",
        Request("/chat/v1/models", b"", "HEAD"),
        Expected(200, Bytes(b""), JSON),
    ),
    Case(
        "an entry is described below itself",
        Request("/chat/v1/models/chat", b"", "GET"),
        Expected(200, Json({"id": "chat", "object": "model", "owned_by": "centralized-ml-api"}), JSON),
    ),
    Case(
        "another model is unknown below an entry",
        Request("/chat/v1/models/translated", b"", "GET"),
        refused(openai.MODEL_NOT_FOUND, "Available: chat."),
    ),
    Case(
        "a path that the entry does not have is 404 and lists those that it has",
        _ask("/hosted/v1/embeddings", input="a"),
        refused(openai.MODEL_NOT_FOUND, "POST /hosted/v1/chat/completions", "Available: hosted."),
    ),
    Case(
        "errors below an entry's messages have Anthropic's shape",
        Request("/claude/v1/messages/nothing"),
        Expected(404, AnthropicError("not_found_error", "POST /claude/v1/messages"), JSON),
    ),
    Case(
        "errors below /v1/messages have Anthropic's shape",
        Request("/v1/messages/nothing"),
        Expected(404, AnthropicError("not_found_error"), JSON),
    ),
    *(
        Case(
            f"another method below an entry is 405 with Allow: {method} {path}",
            Request(path, method=method),
            refused(errors.METHOD_NOT_ALLOWED, allowed, headers={"allow": allowed}),
        )
        for method, path, allowed in (
            ("GET", "/chat/v1/chat/completions", "POST, OPTIONS"),
            ("DELETE", "/chat/v1/models", "GET, HEAD, OPTIONS"),
        )
    ),
    *(
        Case(
            f"an unknown path below an entry is 404: {method} {path}",
            Request(path, method=method),
            refused(errors.UNKNOWN_PATH, "POST /echo", "GET /health"),
        )
        for method, path in (
            ("POST", "/echo/v1/chat/completions"),
            ("GET", "/chat/v1/nothing"),
            ("POST", "/chat/v2/chat/completions"),
            ("POST", "/nope/v1/chat/completions"),
            ("POST", "/v1/v1/chat/completions"),
        )
    ),
    Case(
        "a preflight succeeds: /chat/v1/chat/completions",
        Request("/chat/v1/chat/completions", b"", "OPTIONS"),
        Expected(204, headers={"access-control-allow-headers": "*, Authorization"}),
    ),
]

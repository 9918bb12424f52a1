"""A model that does what its `BEHAVES_AS` says, as the contract's odd server does on one machine.

Runs in SageMaker's container for scikit-learn, which serves it with Flask and passes on whatever
`transform_fn` returns.
Source: https://github.com/aws/sagemaker-scikit-learn-container (serving.py)
and https://github.com/aws/sagemaker-containers (_transformer.py)
"""

from __future__ import annotations

import hashlib
import json
import os
from typing import Any

import flask

REFUSAL = b'{"detail": "it\'s \\"wrong\\": \xc3\xa9"}'
OWN_HEADERS = {
    "X-Amzn-SageMaker-Custom-Attributes": "trace=1",
    "Retry-After": "7",
    "Set-Cookie": "session=1",
    "X-Powered-By": "a model",
    "X-Request-Id": "the-models-own",
}
TOLD = {
    "accept",
    "authorization",
    "content-type",
    "cookie",
    "origin",
    "proxy-authorization",
    "referer",
    "traceparent",
    "x-amz-security-token",
    "x-amzn-sagemaker-custom-attributes",
    "x-amzn-sagemaker-target-model",
    "x-api-key",
    "x-other",
}
"""The headers that the echo tells of: what a caller can send. SageMaker adds some of its own."""


def model_fn(model_dir: str) -> str:
    """Loads nothing: the behaviour is the model."""
    del model_dir
    return os.environ.get("BEHAVES_AS", "/echo")


def transform_fn(behaviour: str, content: object, content_type: str, accept: str) -> Any:
    """Answers one request; Flask's own has the bytes and the headers."""
    del content, content_type, accept
    headers = {name.lower(): value for name, value in flask.request.headers.items()}
    status, answered, body = answer(behaviour, flask.request.get_data(), headers)
    return flask.Response(body, status=status, headers=answered)


def answer(behaviour: str, body: bytes, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
    """Decides the status, the headers and the body. Pure; the names of the headers are in lower case."""
    what, _, detail = behaviour.strip("/").partition("/")
    if what == "same":
        return 200, {"Content-Type": headers.get("content-type", "application/json")}, body
    if what == "status":
        return int(detail), {"Content-Type": "text/plain; charset=utf-8", **OWN_HEADERS}, b"as it is: \xff"
    if what == "refuse":
        return int(detail), {"Content-Type": "application/json"}, REFUSAL
    if what == "chat":
        return _chat(json.loads(body))
    echo = {
        "path": "/echo",
        "headers": [[name, value] for name, value in headers.items() if name in TOLD],
        "length": len(body),
        "sha256": hashlib.sha256(body).hexdigest(),
    }
    return 200, {"Content-Type": "application/json"}, json.dumps(echo).encode()


def _chat(asked: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
    """Says the last message back, whole or word by word."""
    try:
        words = str(asked["messages"][-1]["content"])
    except (LookupError, TypeError):
        return 400, {"Content-Type": "application/json"}, REFUSAL
    said = {"id": "one", "created": 0, "model": asked.get("model", "its own")}
    if not asked.get("stream"):
        choice = {"index": 0, "message": {"role": "assistant", "content": words}, "finish_reason": "stop"}
        whole = {**said, "object": "chat.completion", "choices": [choice]}
        return 200, {"Content-Type": "application/json"}, json.dumps(whole, ensure_ascii=False).encode()
    events = []
    for word in words.split():
        piece = {"index": 0, "delta": {"role": "assistant", "content": word}, "finish_reason": None}
        chunk = {**said, "object": "chat.completion.chunk", "choices": [piece]}
        events.append(f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n")
    return 200, {"Content-Type": "text/event-stream"}, "".join([*events, "data: [DONE]\n\n"]).encode()

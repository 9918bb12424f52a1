"""Counts the tokens of answers, by Lua on the routes to models: what servers report, in their APIs' shapes.

Sources:
    https://platform.openai.com/docs/api-reference/chat/object (`usage`, also of completions and embeddings)
    https://platform.openai.com/docs/api-reference/responses/object
    https://platform.claude.com/docs/en/api/messages (`usage`, of which the cache's tokens are no part)
    https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md (`timings`)
"""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

from centralized_ml_api.local.admission.terms import USAGE_NAMESPACE
from centralized_ml_api.local.envoy.headers import OWN_REPLY_HEADER
from centralized_ml_api.local.envoy.stats import build_tokens_logger

COUNTED_ANSWER = "counted-answer"
COUNTED_STREAM = "counted-stream"
"""The names of the Lua scripts for complete responses and for streams, of which nothing is changed."""

TOKEN_FORMATS = {
    **{f"tokens_{name}": f"%DYNAMIC_METADATA({USAGE_NAMESPACE}:{name})%" for name in ("in", "cached", "out")},
    "answer": f"%DYNAMIC_METADATA({USAGE_NAMESPACE}:answer)%",
}
"""What the access log says of a call's tokens, as far as its server reports them.

`answer` is `whole` or `stream` for every answer that has tokens, reported or not.
"""

_COUNTS = Path(__file__).with_name("token_counts.lua")
_ANSWERS = Path(__file__).with_name("counted_answers.lua")


@functools.cache
def render_counting() -> str:
    """Renders the Lua functions that count; they are read once: no disk can stop a later start."""
    names = {"USAGE": USAGE_NAMESPACE, "OWN_REPLY": OWN_REPLY_HEADER}
    head = "".join(f"local {name} = {json.dumps(value)}\n" for name, value in names.items())
    return f"{head}{_COUNTS.read_text(encoding='ascii')}"


@functools.cache
def render_counted_answers(held_bytes: int, *, streams: bool) -> str:
    """Renders the Lua script of a route whose answers pass as they are; it is read once.

    Args:
        held_bytes: The largest response that is held until it is complete.
        streams: Whether responses pass as they come.
    """
    return (
        f"{render_counting()}local HELD_BYTES = {held_bytes}\nlocal STREAMS = {json.dumps(streams)}\n"
        f"{_ANSWERS.read_text(encoding='ascii')}"
    )


def build_token_loggers(labels: dict[str, str]) -> list[dict[str, Any]]:
    """Builds the access loggers that add tokens up for Prometheus. Pure.

    Args:
        labels: Each label with Envoy's format string for it.
    """
    formats = {name: TOKEN_FORMATS[f"tokens_{name}"] for name in ("in", "cached", "out")}
    reported = [
        build_tokens_logger(f"tokens_{name}", {f"tokens_{name}": text}, labels, [_is_noted(name)])
        for name, text in formats.items()
    ]
    # What is not reported is estimated by `plan/usage/tokens.py`, from the same bytes as in the log.
    bytes_of = {"unreported_in": "%BYTES_RECEIVED%", "unreported_out": "%BYTES_SENT%"}
    unreported = build_tokens_logger(
        "unreported",
        bytes_of,
        {**labels, "answer": TOKEN_FORMATS["answer"]},
        [_is_noted("answer"), _is_not_noted("in"), _is_not_noted("out")],
    )
    return [*reported, unreported]


def _is_noted(name: str) -> dict[str, Any]:
    return _match_metadata(name, {"present_match": True}, otherwise=False)


def _is_not_noted(name: str) -> dict[str, Any]:
    """Matches where there is no such value; such a filter ignores `invert`."""
    return _match_metadata(name, {"null_match": {}}, otherwise=True)


def _match_metadata(name: str, value: dict[str, Any], *, otherwise: bool) -> dict[str, Any]:
    matcher = {"filter": USAGE_NAMESPACE, "path": [{"key": name}], "value": value}
    return {"metadata_filter": {"matcher": matcher, "match_if_key_not_found": otherwise}}

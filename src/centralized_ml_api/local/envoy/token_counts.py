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
from typing import Any

from centralized_ml_api.local.admission.endings import NEVER_SENT_FLAGS
from centralized_ml_api.local.admission.terms import USAGE_NAMESPACE
from centralized_ml_api.local.envoy.headers import (
    HIDES_USAGE_HEADER,
    OWN_REPLY_HEADER,
    SERVED_BY_HEADER,
    UNTAKEN_HEADER,
)
from centralized_ml_api.local.envoy.lua_scripts import read_script, render_declared_encoding
from centralized_ml_api.local.envoy.stats import build_stats_logger, build_sums_logger

COUNTED_ANSWER = "counted-answer"
COUNTED_STREAM = "counted-stream"
"""The names of the Lua scripts for complete responses and for streams, of which nothing is changed."""

SELDOM_NOTED = ("cached", "cache_writes")
"""What few servers report, or few calls have."""

TOKEN_FORMATS = {
    **{f"tokens_{name}": f"%DYNAMIC_METADATA({USAGE_NAMESPACE}:{name})%" for name in ("in", "out")},
    "answer": f"%DYNAMIC_METADATA({USAGE_NAMESPACE}:answer)%",
}
SELDOM_TOKEN_FORMATS = {
    f"tokens_{name}": f"%DYNAMIC_METADATA({USAGE_NAMESPACE}:{name})%" for name in SELDOM_NOTED
}
"""What the access log says of a call's tokens, as far as its server reports them.

`answer` is `whole` or `stream` for every answer that has tokens, reported or not.
"""

FIRST_WORD_FORMAT = f"%DYNAMIC_METADATA({USAGE_NAMESPACE}:first_word)%"
"""When the first event of a stream came, in milliseconds since the epoch."""

ATTEMPT_NAMESPACE = "attempt"
"""The dynamic metadata that marks the calls of one entry among several: `is` is true."""

UNTAKEN = "untaken"
UNTAKEN_FORMAT = f"%DYNAMIC_METADATA({USAGE_NAMESPACE}:{UNTAKEN})%"
"""Whether no server has got a call of several entries from any of them."""

SERVED_BY_FORMAT = f"%DYNAMIC_METADATA({USAGE_NAMESPACE}:served_by)%"
"""The entry that has answered, where the call had several."""


@functools.cache
def render_counting() -> str:
    """Renders the Lua functions that count; they are read once: no disk can stop a later start."""
    names = {
        "USAGE": USAGE_NAMESPACE,
        "OWN_REPLY": OWN_REPLY_HEADER,
        "SERVED_BY": SERVED_BY_HEADER,
        "UNTAKEN": UNTAKEN_HEADER,
        "HIDES_USAGE_HEADER": HIDES_USAGE_HEADER,
        "ATTEMPT": ATTEMPT_NAMESPACE,
    }
    head = "".join(f"local {name} = {json.dumps(value)}\n" for name, value in names.items())
    head += f"local UNSENT = {{ {', '.join(f'{flag} = true' for flag in NEVER_SENT_FLAGS)} }}\n"
    return f"{render_declared_encoding()}{head}{read_script('token_counts')}"


@functools.cache
def render_counted_answers(held_bytes: int, *, streams: bool) -> str:
    """Renders the Lua script of a route whose answers pass as they are; it is read once.

    Args:
        held_bytes: The largest response that is held until it is complete.
        streams: Whether responses pass as they come.
    """
    return (
        f"{render_counting()}local HELD_BYTES = {held_bytes}\nlocal STREAMS = {json.dumps(streams)}\n"
        f"{read_script('counted_answers')}"
    )


def build_stats_loggers(labels: dict[str, str]) -> list[dict[str, Any]]:
    """Builds the access loggers that count calls, and add up their tokens, for Prometheus. Pure.

    Args:
        labels: Each label with Envoy's format string for it.
    """
    tokens = {f"tokens_{name}": TOKEN_FORMATS[f"tokens_{name}"] for name in ("in", "out")}
    cached = {"tokens_cached": SELDOM_TOKEN_FORMATS["tokens_cached"]}
    # What is not reported is estimated by `plan/usage/tokens.py`, from the same bytes as in the log.
    bytes_of = {"unreported_in": "%BYTES_RECEIVED%", "unreported_out": "%BYTES_SENT%"}
    is_unreported = [is_noted("answer"), is_not_noted("in"), is_not_noted("out")]
    loggers = []
    for suffix, own, condition in _by_who_answered(labels):
        loggers += [
            build_stats_logger(f"traffic{suffix}", own, tokens, condition),
            build_sums_logger(f"cached{suffix}", own, cached, [is_noted("cached"), condition]),
        ]
        with_answer = {**own, "answer": TOKEN_FORMATS["answer"]}
        loggers.append(
            build_sums_logger(f"unreported{suffix}", with_answer, bytes_of, [*is_unreported, condition])
        )
    return loggers


def _by_who_answered(labels: dict[str, str]) -> list[tuple[str, dict[str, str], dict[str, Any]]]:
    """Returns the labels of calls that their entry answers, and of those that another one may have."""
    return [
        ("", labels, is_not_noted("served_by")),
        ("_in_turn", {**labels, "model": SERVED_BY_FORMAT}, is_noted("served_by")),
    ]


def is_noted(name: str) -> dict[str, Any]:
    """Builds an access log filter: something of this name was noted about the answer. Pure."""
    return _match_metadata(name, {"present_match": True}, otherwise=False)


def is_not_noted(name: str) -> dict[str, Any]:
    """Builds an access log filter: nothing of this name was noted about the answer. Pure.

    Such a filter ignores `invert`, so it is no `is_noted` turned round.
    """
    return _match_metadata(name, {"null_match": {}}, otherwise=True)


def _match_metadata(name: str, value: dict[str, Any], *, otherwise: bool) -> dict[str, Any]:
    matcher = {"filter": USAGE_NAMESPACE, "path": [{"key": name}], "value": value}
    return {"metadata_filter": {"matcher": matcher, "match_if_key_not_found": otherwise}}

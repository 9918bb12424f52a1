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

from centralized_ml_api.api.error_shape import ANSWER_TOO_LARGE
from centralized_ml_api.local.admission.endings import NEVER_SENT_FLAGS
from centralized_ml_api.local.admission.terms import (
    USAGE_NAMESPACE,
    USAGE_NOTES,
    USAGE_STATE,
    build_usage_format,
)
from centralized_ml_api.local.envoy.headers import (
    HIDES_USAGE_HEADER,
    OWN_REPLY_HEADER,
    SERVED_BY_HEADER,
    UNTAKEN_HEADER,
)
from centralized_ml_api.local.envoy.log_filters import (
    all_of,
    any_of,
    build_expression_filter,
    has_flags,
    has_status,
)
from centralized_ml_api.local.envoy.lua_scripts import read_script, render_declared_encoding
from centralized_ml_api.local.envoy.stats import build_stats_logger, build_sums_logger

COUNTED_ANSWER = "counted-answer"
COUNTED_STREAM = "counted-stream"
"""The names of the Lua scripts for complete responses and for streams, of which nothing is changed."""

TOKEN_FORMATS = {
    **{f"tokens_{name}": build_usage_format(name) for name in ("in", "out", "cached", "cache_writes")},
    "answer": build_usage_format("answer"),
}
"""What the access log says of a call's tokens, as far as its server reports them.

`answer` is `whole` or `stream` for every answer that has tokens, reported or not.
"""

FIRST_WORD_FORMAT = build_usage_format("first_word")
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
    keys = ", ".join(f'["{name}"] = {json.dumps(USAGE_STATE + name)}' for name in USAGE_NOTES)
    head += f"local STATE = {{{keys}}}\n"
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
    tokens = {name: TOKEN_FORMATS[name] for name in ("tokens_in", "tokens_out", "tokens_cached")}
    # What is not reported is estimated by `plan/usage/tokens.py`, from the same bytes as in the log.
    bytes_of = {"unreported_in": "%BYTES_RECEIVED%", "unreported_out": "%BYTES_SENT%"}
    loggers = []
    for suffix, own, condition in _by_who_answered(labels):
        with_answer = {**own, "answer": TOKEN_FORMATS["answer"]}
        loggers += [
            build_stats_logger(f"traffic{suffix}", own, tokens, condition),
            build_sums_logger(f"unreported{suffix}", with_answer, bytes_of, [_is_unreported(), condition]),
        ]
    return loggers


_CUT_SHORT = ("DC", "DPE", "DT", "LR", "OM", "SI", "UC", "UMSDR", "UPE", "UR", "UT")
"""The response flags of answers that may have begun, but did not come to their end."""


def _is_unreported() -> dict[str, Any]:
    """Builds a filter of answers that have tokens, of which their servers have reported none.

    A script notes that at the end of an answer. What did not get there is looked at by an expression, which
    takes longer.
    """
    answer, tokens_in, tokens_out = (
        f"'{USAGE_STATE}{name}' in filter_state" for name in ("answer", "in", "out")
    )
    expression = build_expression_filter(f"{answer} && !({tokens_in}) && !({tokens_out})")
    did_not_end = any_of(has_flags(*_CUT_SHORT), has_status(ANSWER_TOO_LARGE.status))
    return any_of(is_noted("unreported"), all_of(did_not_end, expression))


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

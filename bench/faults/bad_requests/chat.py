"""Chats with fields that are odd, for llama.cpp."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from bench.faults.bad_requests.requests import BadRequest
from bench.faults.bad_requests.sending import send_bad_requests
from bench.faults.bad_requests.values import NUMBERS, OTHERS, TEXTS
from bench.faults.malformed_kinds import build_request
from centralized_ml_api.local.admission.llama_cpp_rules import (
    adapt_llama_cpp_request,
    check_llama_cpp_request,
)

if TYPE_CHECKING:
    from random import Random

    from bench.faults.bad_requests.sending import Outcome
    from centralized_ml_api.local.admission.violation import LlamaCppLimits

NUMERIC = (
    *("temperature", "top_p", "top_k", "min_p", "typical_p", "top_n_sigma", "xtc_probability"),
    *("xtc_threshold", "dynatemp_range", "dynatemp_exponent", "repeat_penalty", "repeat_last_n"),
    *("frequency_penalty", "presence_penalty", "dry_multiplier", "dry_base", "dry_allowed_length"),
    *("dry_penalty_last_n", "mirostat", "mirostat_tau", "mirostat_eta"),
    *("adaptive_target", "adaptive_decay", "seed", "n", "n_cmpl", "n_probs", "logprobs", "top_logprobs"),
    *("min_keep", "n_keep", "n_discard", "n_indent", "t_max_predict_ms", "thinking_budget_tokens"),
    *("max_tokens", "sse_ping_interval"),
)
FIELDS = (
    *NUMERIC,
    *("dry_sequence_breakers", "ignore_eos", "cache_prompt", "user", "metadata", "prompt", "messages"),
    *("stop", "samplers", "logit_bias", "lora", "id_slot", "grammar", "json_schema", "response_format"),
    *("tools", "tool_choice", "parallel_tool_calls", "stream", "stream_options", "reasoning_format"),
    *("chat_template_kwargs", "chat_template", "add_generation_prompt", "continue_final_message"),
    *("reasoning_effort", "post_sampling_probs", "timings_per_token", "model", "return_progress"),
    *("json_schema", "response_format", "tools") * 4,
)
PATTERN_PARTS = (
    "a",
    "[a-z]",
    "(a|b)",
    "(a)",
    ".",
    "\\d",
    "\\.",
    "|",
    "*",
    "+",
    "?",
    "{2}",
    "{0,9}",
    "(",
    ")",
    "^",
    "$",
)
SCHEMA_TYPES = ("string", "integer", "number", "boolean", "null", "array", "object", "x", ["string", "null"])


def build_bad_chat(chance: Random) -> dict[str, Any]:
    """Builds the body of a chat call with up to three fields that are odd."""
    body: dict[str, Any] = {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 4}
    for _ in range(chance.choice([1, 1, 1, 2, 3])):
        name = chance.choice(FIELDS)
        body[name] = _build_value(chance, name)
    if chance.random() < 0.2:  # one in five
        body["messages"] = [_build_message(chance) for _ in range(chance.randint(0, 4))]
    return body


def try_chat(port: int, limits: LlamaCppLimits, *, count: int, seed: int) -> Outcome:
    """Sends a llama.cpp server itself the chats that the rules of admission let through.

    Args:
        port: Of llama.cpp's own server.
        limits: What one request may ask.
        count: How many; those that the rules refuse count as 400.
        seed: Makes them the same again.
    """

    def build(chance: Random) -> BadRequest | None:
        body = build_bad_chat(chance)
        if check_llama_cpp_request(body, limits):
            return None
        adapted = adapt_llama_cpp_request(body, limits)
        text = json.dumps({**adapted, "max_tokens": 4, "n_predict": 4}).encode()
        head = (b"Host: x", b"Content-Type: application/json", b"Content-Length: %d" % len(text))
        return BadRequest(build_request(b"/v1/chat/completions", *head, body=text), complete=True)

    return send_bad_requests(port, build, count=count, seed=seed, in_shape=False)


def _build_value(chance: Random, name: str) -> Any:
    if name in {"json_schema", "response_format"} and chance.random() < 0.9:  # nearly always
        schema = _build_schema(chance, 3)
        wrapped = {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}
        return schema if name == "json_schema" else wrapped
    if name == "tools" and chance.random() < 0.8:  # mostly
        function = {"name": chance.choice(TEXTS[:4]), "parameters": _build_schema(chance, 2)}
        return [{"type": "function", "function": function}]
    if name in NUMERIC and chance.random() < 0.8:  # mostly
        return chance.choice(NUMBERS)
    kinds: list[tuple[Any, ...]] = [NUMBERS, TEXTS, OTHERS, ([chance.choice(TEXTS)] * chance.randint(1, 40),)]
    return chance.choice(chance.choice(kinds))


def _build_schema(chance: Random, depth: int) -> dict[str, Any]:
    kind = chance.choice(SCHEMA_TYPES)
    schema: dict[str, Any] = {"type": kind}
    if chance.random() < 0.3:  # three in ten
        name = chance.choice(["minLength", "maxLength", "minItems", "maxItems", "minimum", "maximum"])
        schema[name] = chance.choice(NUMBERS)
    if chance.random() < 0.4 and kind == "string":  # four in ten
        schema["pattern"] = f"^{''.join(chance.choices(PATTERN_PARTS, k=chance.randint(1, 8)))}$"
    if depth and kind == "array":
        schema["items"] = _build_schema(chance, depth - 1)
    if depth and kind == "object":
        schema["properties"] = {f"p{index}": _build_schema(chance, depth - 1) for index in range(3)}
        schema["required"] = chance.sample(["p0", "p1", "p2", "q"], 2)
    if depth and chance.random() < 0.2:  # one in five
        schema = {"anyOf": [_build_schema(chance, depth - 1) for _ in range(3)]}
    if chance.random() < 0.1:  # one in ten
        schema["$ref"] = chance.choice(["#", "#/properties/p0", "#/$defs/a", "http://a/b"])
    if chance.random() < 0.1:  # one in ten
        schema["enum"] = [chance.choice([*NUMBERS, *TEXTS, *OTHERS]) for _ in range(3)]
    return schema


def _build_message(chance: Random) -> Any:
    role = chance.choice(["user", "assistant", "system", "tool", "x", None])
    parts = [{"type": chance.choice(["text", "image_url", "input_audio"]), "text": "a"}]
    content = chance.choice([*TEXTS, *OTHERS, parts])
    return chance.choice([{"role": role, "content": content}] * 9 + list(OTHERS))

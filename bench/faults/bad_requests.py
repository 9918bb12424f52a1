"""Requests that no careful caller would send, and what an engine makes of them; the same ones for a seed.

    python -m bench.faults.bad_requests chat http://127.0.0.1:9000/v1/chat/completions --count 5000
    python -m bench.faults.bad_requests python http://127.0.0.1:9001/invocations --count 5000

The first address is a llama.cpp server's own, which gets what the rules of admission let through. The second
is that of a Python model. A finding is an answer of 500 or more, or none in time.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import urllib3

from centralized_ml_api.local.admission.llama_cpp_rules import (
    adapt_llama_cpp_request,
    check_llama_cpp_request,
)
from centralized_ml_api.local.admission.violation import LlamaCppLimits

if TYPE_CHECKING:
    from collections.abc import Callable

LIMIT_SECONDS = 29.0
NUMBERS = (0, 1, -1, 2, 0.5, -0.5, 1e30, -1e30, 1e-30, 2**31 - 1, 2**31, 2**63, -(2**63), 10**30, 999_999.0)
TEXTS = ("", "a", " ", "\0", "\n", "é中😀", "\ud800", "%llguidance", "<|im_end|>", "{{ x }}", "a" * 5000)
OTHERS: tuple[Any, ...] = (None, True, False, [], {}, [[]], {"": {}}, [None], [1, "a", None])
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
BODIES = {
    "application/json": b"[1]",
    "text/csv": b"1,2\n3,4\n",
    "application/x-npy": b"\x93NUMPY\x01\x00",
    "text/plain": b"a",
}


@dataclass(slots=True)
class Outcome:
    """What became of requests: how many there were of each status, and those that are findings."""

    statuses: Counter[int] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)


def build_bad_chat(chance: random.Random) -> dict[str, Any]:
    """Builds the body of a chat call with up to three fields that are odd."""
    body: dict[str, Any] = {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 4}
    for _ in range(chance.choice([1, 1, 1, 2, 3])):
        name = chance.choice(FIELDS)
        body[name] = _build_value(chance, name)
    if chance.random() < 0.2:  # noqa: PLR2004  one in five
        body["messages"] = [_build_message(chance) for _ in range(chance.randint(0, 4))]
    return body


def build_bad_body(chance: random.Random) -> tuple[bytes, str]:
    """Builds a body and its type, for a Python model: one that fits, is cut, or has other bytes in it."""
    content_type = chance.choice(list(BODIES))
    body = bytearray(chance.choice([BODIES[content_type], *BODIES.values()]) * chance.choice([1, 1, 2, 50]))
    for _ in range(chance.randint(0, 8)):
        body.insert(chance.randint(0, len(body)), chance.randint(0, 255))
    return bytes(body[: chance.randint(0, len(body))]), content_type


def try_chat(url: str, limits: LlamaCppLimits, *, count: int, seed: int) -> Outcome:
    """Sends chat calls that the rules let through, one after the other; the others count as 400.

    Args:
        url: the path of llama.cpp's own server that takes chat calls.
        limits: what one request may ask.
        count: how many.
        seed: makes them the same again.
    """

    def build(chance: random.Random) -> tuple[bytes, str] | None:
        body = build_bad_chat(chance)
        if check_llama_cpp_request(body, limits):
            return None
        adapted = adapt_llama_cpp_request(body, limits)
        return json.dumps({**adapted, "max_tokens": 4, "n_predict": 4}).encode(), "application/json"

    return _try(url, build, count, seed)


def try_python(url: str, *, count: int, seed: int) -> Outcome:
    """Sends bodies to a Python model, one after the other.

    Args:
        url: its path for calls.
        count: how many.
        seed: makes them the same again.
    """
    return _try(url, build_bad_body, count, seed)


def _try(
    url: str, build: Callable[[random.Random], tuple[bytes, str] | None], count: int, seed: int
) -> Outcome:
    chance, outcome = random.Random(seed), Outcome()  # noqa: S311  for requests, not for secrets
    with urllib3.PoolManager(timeout=LIMIT_SECONDS, retries=False) as pool:
        for _ in range(count):
            request = build(chance)
            status = _send(pool, url, *request) if request else 400
            outcome.statuses[status] += 1
            if request and not 200 <= status < 500:  # noqa: PLR2004  a caller's mistake is a 4xx
                outcome.findings.append(f"{status}: {request[0][:2000]!r}")
    return outcome


def _send(pool: urllib3.PoolManager, url: str, body: bytes, content_type: str) -> int:
    """Returns the status of the answer; 0 if none came in time."""
    try:
        return pool.request("POST", url, body=body, headers={"Content-Type": content_type}).status
    except urllib3.exceptions.HTTPError:
        return 0


def _build_value(chance: random.Random, name: str) -> Any:
    if name in {"json_schema", "response_format"} and chance.random() < 0.9:  # noqa: PLR2004  nearly always
        schema = _build_schema(chance, 3)
        wrapped = {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}
        return schema if name == "json_schema" else wrapped
    if name == "tools" and chance.random() < 0.8:  # noqa: PLR2004  mostly
        function = {"name": chance.choice(TEXTS[:4]), "parameters": _build_schema(chance, 2)}
        return [{"type": "function", "function": function}]
    if name in NUMERIC and chance.random() < 0.8:  # noqa: PLR2004  mostly
        return chance.choice(NUMBERS)
    kinds: list[tuple[Any, ...]] = [NUMBERS, TEXTS, OTHERS, ([chance.choice(TEXTS)] * chance.randint(1, 40),)]
    return chance.choice(chance.choice(kinds))


def _build_schema(chance: random.Random, depth: int) -> dict[str, Any]:
    kind = chance.choice(SCHEMA_TYPES)
    schema: dict[str, Any] = {"type": kind}
    if chance.random() < 0.3:  # noqa: PLR2004  three in ten
        name = chance.choice(["minLength", "maxLength", "minItems", "maxItems", "minimum", "maximum"])
        schema[name] = chance.choice(NUMBERS)
    if chance.random() < 0.4 and kind == "string":  # noqa: PLR2004  four in ten
        schema["pattern"] = f"^{''.join(chance.choices(PATTERN_PARTS, k=chance.randint(1, 8)))}$"
    if depth and kind == "array":
        schema["items"] = _build_schema(chance, depth - 1)
    if depth and kind == "object":
        schema["properties"] = {f"p{index}": _build_schema(chance, depth - 1) for index in range(3)}
        schema["required"] = chance.sample(["p0", "p1", "p2", "q"], 2)
    if depth and chance.random() < 0.2:  # noqa: PLR2004  one in five
        schema = {"anyOf": [_build_schema(chance, depth - 1) for _ in range(3)]}
    if chance.random() < 0.1:  # noqa: PLR2004  one in ten
        schema["$ref"] = chance.choice(["#", "#/properties/p0", "#/$defs/a", "http://a/b"])
    if chance.random() < 0.1:  # noqa: PLR2004  one in ten
        schema["enum"] = [chance.choice([*NUMBERS, *TEXTS, *OTHERS]) for _ in range(3)]
    return schema


def _build_message(chance: random.Random) -> Any:
    role = chance.choice(["user", "assistant", "system", "tool", "x", None])
    parts = [{"type": chance.choice(["text", "image_url", "input_audio"]), "text": "a"}]
    content = chance.choice([*TEXTS, *OTHERS, parts])
    return chance.choice([{"role": role, "content": content}] * 9 + list(OTHERS))


def main() -> int:
    """Sends what the command line says; returns 1 if there is a finding."""
    parser = argparse.ArgumentParser(description="Send an engine requests that no careful caller would send.")
    parser.add_argument("engine", choices=["chat", "python"])
    parser.add_argument("url")
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if options.engine == "chat":
        limits = LlamaCppLimits(context_tokens=2048, max_output_tokens=4, slots=4)
        outcome = try_chat(options.url, limits, count=options.count, seed=options.seed)
    else:
        outcome = try_python(options.url, count=options.count, seed=options.seed)
    sys.stdout.write(f"{dict(sorted(outcome.statuses.items()))}\n{chr(10).join(outcome.findings)}\n")
    return 1 if outcome.findings else 0


if __name__ == "__main__":
    sys.exit(main())

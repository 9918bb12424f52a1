"""Hostile calls to a language model: one small body that would stop llama.cpp, fill it, or crash it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from bench.faults.hostile.call import (
    GONE,
    OK,
    REFUSED,
    SERVED,
    TOO_LARGE,
    HostileCall,
    build_json,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

MOST_TOKENS = 32
"""The entry's `max_output_tokens`."""

WORDS = "a cloud that wanted to see the sea and left no word out of its story "
_V1 = "/v1/chat/completions"
_NAME = "chat"
_FITS_BODY = 300_000
"""Bytes that a body for this context may have."""


def chat(**fields: Any) -> dict[str, Any]:
    """Returns the document of a chat call with these fields besides."""
    return {"messages": [{"role": "user", "content": "Say hello."}], "max_tokens": 4, **fields}


def _says(*messages: Any, **fields: Any) -> dict[str, Any]:
    return chat(**fields) | {"messages": list(messages)}


def _user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


def _schema(schema: Any) -> dict[str, Any]:
    return {"response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": schema}}}


def _pattern(pattern: str) -> dict[str, Any]:
    return _schema({"type": "string", "pattern": pattern})


def _nest(levels: int, innermost: Any, wrap: Callable[[Any], Any]) -> Any:
    for _ in range(levels):
        innermost = wrap(innermost)
    return innermost


def _judge_tokens(answer: Any) -> str:
    written = answer["usage"]["completion_tokens"]
    return f"{written} tokens, more than {MOST_TOKENS}" if written > MOST_TOKENS else ""


def _chain_rules(count: int) -> Callable[[], bytes]:
    def build_body() -> bytes:
        rules = "".join(f"r{number} ::= r{number + 1}\n" for number in range(count))
        return json.dumps(chat(grammar=f'root ::= r0\n{rules}r{count} ::= "a"')).encode()

    return build_body


def _refuse(kinds: dict[str, tuple[str, dict[str, Any]]]) -> Iterable[HostileCall]:
    """Yields calls to `/chat` with these fields, each of which is a 400."""
    for name, (tries, document) in kinds.items():
        yield HostileCall(name, tries, REFUSED, build_body=build_json(document))


_ENDLESS = chat(max_tokens=-1, ignore_eos=True)
_TOOL = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
_TWICE = (
    b'{"max_tokens": -1, "ignore_eos": true, "messages": [{"role": "user", "content": "a"}], "max_tokens": 2}'
)
_SPINS = "keeps the grammar compiler busy for good, for everybody"
_MANY_KEYS = {f"key{number}": 0 for number in range(_FITS_BODY // 16)}
_CIRCLE = {"$ref": "#/$defs/a", "$defs": {"a": {"anyOf": [{"$ref": "#/$defs/a"}, {"type": "null"}]}}}
_DEEP = _nest(40, {"type": "null"}, lambda inner: {"type": "array", "items": inner})

_STOPS_OR_CRASHES = {
    "pattern with a repeat of what may be empty": (_SPINS, chat(**_pattern("^([a-z]?){1,1000}$"))),
    "pattern with repeats in repeats": (_SPINS, chat(**_pattern("^(([a-z]+)+)+$"))),
    "pattern with nested bounds": (_SPINS, chat(**_pattern("^((a{1,99}){1,99}){1,99}$"))),
    "pattern in a tool": (
        _SPINS,
        chat(
            tools=[
                {
                    "type": "function",
                    "function": {
                        "name": "look",
                        "parameters": {
                            "type": "object",
                            "properties": {"a": {"type": "string", "pattern": "^(([a-z]+)+)+$"}},
                        },
                    },
                }
            ]
        ),
    ),
    "pattern with an edge in its middle": (_SPINS, chat(**_pattern("^(a$|b)$"))),
    "sampler that fills in": (
        "keeps the server busy for good with a sampler for another purpose",
        chat(samplers=["infill"]),
    ),
    "schema of 40 levels": (_SPINS, chat(**_schema(_DEEP))),
    "schema with 10,000 values": (_SPINS, chat(**_schema({"enum": [f"v{n}" for n in range(10_000)]}))),
    "schema with a million items": (
        "fills memory with one rule written out",
        chat(**_schema({"type": "array", "items": {"type": "null"}, "minItems": 10**6, "maxItems": 10**6})),
    ),
    "schema that refers to itself": (_SPINS, chat(**_schema(_CIRCLE))),
    "grammar of nested brackets": (
        "ends the process by recursion",
        chat(grammar="root ::= " + "(" * 50_000 + '"a"' + ")" * 50_000),
    ),
}
_NUMBERS = {
    "a million probabilities": ("makes each token weigh megabytes", chat(n_probs=10**6)),
    "a million log probabilities": (
        "makes each token weigh megabytes",
        chat(logprobs=True, top_logprobs=10**6),
    ),
    "a thousand answers": ("takes every place at the model", chat(n=1000)),
    "20,000 stops": (
        "makes each token be compared with a long list",
        chat(stop=[f"s{n}" for n in range(20_000)]),
    ),
    "500 sequence breakers": (
        "makes each breaker be compared with the vocabulary",
        chat(dry_multiplier=0.8, dry_sequence_breakers=[f"{n:040}" for n in range(500)]),
    ),
    "9,000 messages": ("makes the template run for long", _says(*[_user("a")] * 9_000)),
    "part of a message with 20,000 keys": (
        "makes reading quadratic",
        _says(_user([{"type": "text", "text": "a", **{f"k{n}": 0 for n in range(20_000)}}])),
    ),
    "object of 20,000 keys in a part of a message": (
        "makes reading quadratic",
        _says(_user([{"type": "text", "text": "a", "b": {f"k{n}": 0 for n in range(20_000)}}])),
    ),
    "20,000 biases": (
        "makes each token be weighed anew",
        chat(logit_bias={str(n): 1 for n in range(20_000)}),
    ),
    "prompt of digits": ("makes a refusal cost a hundred times its size", _says(_user("1" * 200_000))),
    "words of two contexts": ("makes a refusal cost much", _says(_user(WORDS * 300))),
}
_MISTAKES = {
    "message without a role": ("makes a mistake", _says({"content": "a"})),
    "message that is a number": ("makes a mistake", _says(3)),
    "tool without a function": ("makes a mistake", chat(tools=[{"type": "function"}])),
    "reasoning format that is none": ("makes a mistake", chat(reasoning_format="loud")),
    "picture": (
        "makes a mistake",
        _says(_user([{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}])),
    ),
    "sound": (
        "makes a mistake",
        _says(_user([{"type": "input_audio", "input_audio": {"data": "AA", "format": "wav"}}])),
    ),
    "fields that exclude each other": ("makes a mistake", chat(tools=[_TOOL], grammar='root ::= "a"')),
    "adapter of the server": ("changes the model for everybody", chat(lora=[{"id": 0, "scale": 9}])),
    "slot of another team": ("takes another team's place", chat(id_slot=0)),
    "template of the caller": (
        "runs a program in the template engine",
        chat(chat_template="{% for a in range(99999999) %}a{% endfor %}"),
    ),
}

CHAT_CALLS: tuple[HostileCall, ...] = (
    *_refuse(_STOPS_OR_CRASHES),
    *_refuse(_NUMBERS),
    *_refuse(_MISTAKES),
    HostileCall(
        "grammar of 150,000 rules",
        "ends the process by recursion",
        REFUSED | {TOO_LARGE},
        build_body=_chain_rules(150_000),
    ),
    HostileCall("grammar of 9,000 rules", "ends the process by recursion", build_body=_chain_rules(9_000)),
    HostileCall(
        "eight prompts of 3 MB",
        "fills memory with prompts that are refused",
        REFUSED | {TOO_LARGE},
        build_body=build_json(_says(_user("1" * 3_000_000))),
        copies=8,
    ),
    HostileCall(
        "memory of half a billion tokens",
        "fills memory with the tokens that a penalty looks back at",
        SERVED,
        build_body=build_json(chat(repeat_penalty=1.1, repeat_last_n=500_000_000)),
        judge=_judge_tokens,
    ),
    HostileCall(
        "answer without an end",
        "keeps a place for good",
        SERVED,
        _V1,
        build_json({**_ENDLESS, "model": _NAME}),
        judge=_judge_tokens,
        lasts_seconds=5,
    ),
    HostileCall(
        "ten answers without an end",
        "takes all places, and all turns after them",
        SERVED,
        _V1,
        build_json({**_ENDLESS, "model": _NAME, "stream": True}),
        copies=10,
        lasts_seconds=30,
    ),
    HostileCall(
        "six answers for nobody",
        "hangs up and leaves the work",
        frozenset({GONE, OK}),  # a fast machine has written it all before
        _V1,
        build_json({**_ENDLESS, "model": _NAME, "stream": True}),
        copies=6,
        hang_up_ms=300,
    ),
    HostileCall(
        "prompt of nearly a context",
        "makes others wait for a prompt to be read",
        SERVED,
        _V1,
        build_json(_says(_user(WORDS * 90), model=_NAME)),
        lasts_seconds=30,
    ),
    HostileCall(
        "prompt for nobody",
        "hangs up while the prompt is read",
        frozenset({GONE}),
        build_body=build_json(_says(_user(WORDS * 30))),
        hang_up_ms=100,
    ),
    HostileCall(
        "keys without number",
        "makes reading quadratic",
        path=_V1,
        build_body=build_json(chat(model=_NAME, **_MANY_KEYS)),
    ),
    HostileCall(
        "keys without number in a message",
        "makes reading quadratic, where nobody looks",
        path=_V1,
        build_body=build_json(_says(_user("a") | _MANY_KEYS, model=_NAME)),
    ),
    HostileCall(
        "field that is written twice",
        "has one checked and the other one obeyed",
        SERVED,
        build_body=lambda: _TWICE,
        judge=_judge_tokens,
    ),
    HostileCall(
        "300 kB of blanks",
        "makes the server read what says nothing",
        SERVED,
        build_body=lambda: b" " * _FITS_BODY + json.dumps(chat()).encode(),
    ),
    HostileCall(
        "value of 60 levels that nobody knows",
        "ends the process by recursion",
        SERVED,
        build_body=build_json(chat(mystery=_nest(60, 0, lambda inner: [inner]))),
    ),
    HostileCall(
        "seed of 64 bits",
        "is careless: half of all random seeds",
        SERVED,
        _V1,
        build_json(chat(model=_NAME, seed=2**64 - 1)),
    ),
)

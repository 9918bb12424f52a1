"""What a chat may ask: absurd numbers and malformed messages are a 400 before any model is asked."""

from __future__ import annotations

from typing import Any

import pytest

from support.stream_host.script import run_script

CHECK = """
import { checkChat } from "./chat_rules.mjs";
import { FAMILIES } from "./families.mjs";
const attempt = ([speaks, document]) => {
    try {
        checkChat(document);
        FAMILIES[speaks].check?.(document);
        return null;
    } catch ({ code, message }) {
        return `${code}: ${message}`;
    }
};
console.log(JSON.stringify(input.map(attempt)));
"""
OPENAI, TGI = "openai-chat", "text-generation-inference"
PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
SOUND = {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}}
TEXT = {"type": "text", "text": "Hi"}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {}}}


def user(content: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": content}]}


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"messages": []}, "'messages' must be a list with at least one message."),
    ({"messages": "Hi"}, "'messages' must be a list with at least one message."),
    ({"messages": None}, "'messages' must be a list with at least one message."),
    (
        {"messages": user("x")["messages"] * 10_001},
        "'messages' has 10,001 messages; this path takes at most 10,000.",
    ),
    ({"messages": ["Hi"]}, "'messages[0]' must be an object with 'role' and 'content'."),
    ({"messages": [{"content": "Hi"}]}, "'messages[0].role' must be a string such as \"user\"."),
    (user(7), "'messages[0].content' must be a string or a list of parts."),
    (user(["Hi"]), '\'messages[0].content[0]\' must be a part such as {"type": "text", "text": "…"}.'),
    (
        user([{"type": "text"}]),
        '\'messages[0].content[0]\' must be a part such as {"type": "text", "text": "…"}.',
    ),
    ({"max_tokens": -2}, "'max_tokens' must be an integer from -1 on."),
    ({"max_tokens": "7"}, "'max_tokens' must be an integer from -1 on."),
    ({"max_completion_tokens": 1.5}, "'max_completion_tokens' must be an integer from -1 on."),
    ({"n": 1_000_000}, "'n' must be an integer from 1 to 128."),
    ({"n": 0}, "'n' must be an integer from 1 to 128."),
    ({"top_logprobs": 2_000_000}, "'top_logprobs' must be an integer from 0 to 20."),
    ({"n_probs": 2_000_000}, "'n_probs' must be an integer from 0 to 20."),
    ({"logprobs": 5_000}, "'logprobs' must be an integer from 0 to 20."),
    ({"stop": ["x"] * 17}, "'stop' takes at most 16 strings of at most 256 characters each."),
    ({"stop": "x" * 257}, "'stop' takes at most 16 strings of at most 256 characters each."),
    ({"stop": [1]}, "'stop' takes at most 16 strings of at most 256 characters each."),
    (
        {"logit_bias": {str(token): 1 for token in range(301)}},
        "'logit_bias' must be an object of at most 300 tokens.",
    ),
    ({"stream": "yes"}, "'stream' must be true or false."),
    ({"tools": {}}, "'tools' must be a list."),
    ({"tools": [TOOL] * 129}, "'tools' has 129 tools; this model takes at most 128."),
    (
        {"tools": [{"type": "function"}]},
        "'tools[0]' must have 'type': 'function' and an object as 'function'.",
    ),
    ({"tools": [{"type": "function", "function": {}}]}, "'tools[0].function.name' must be a string."),
]
REFUSED_BY_PLAIN_SERVERS: list[tuple[dict[str, Any], str]] = [
    (user([TEXT, PICTURE]), "This model reads text alone: 'messages[0].content[1]' has pictures."),
    (user([SOUND]), "This model reads text alone: 'messages[0].content[0]' has audio."),
    (
        user([{"type": "odd"}]),
        "This model reads text alone: 'messages[0].content[0]' has a part of the type \"odd\".",
    ),
    (user(None), "'messages[0].content' is missing."),
    (
        {"messages": [{"role": "tool", "content": "x"}]},
        "This model accepts only the roles system, developer, user and assistant.",
    ),
    ({"tools": [TOOL]}, "This model cannot call tools: its server has no place for them."),
    ({"functions": [{"name": "f"}]}, "This model cannot call tools: its server has no place for them."),
    ({"tool_choice": "required"}, "This model cannot call tools: its server has no place for them."),
    (
        {"tool_choice": {"type": "function"}},
        "This model cannot call tools: its server has no place for them.",
    ),
    ({"n": 2}, "This model generates one answer per request: remove 'n'."),
    ({"response_format": {"type": "json_object"}}, "This model does not support 'response_format'."),
    ({"logprobs": True}, "This model does not support 'logprobs'."),
    ({"temperature": "hot"}, "'temperature' must be a number."),
    ({"top_p": []}, "'top_p' must be a number."),
    ({"seed": 0.5}, "'seed' must be an integer from -9223372036854776000 on."),
]
TAKEN: list[dict[str, Any]] = [
    {"max_tokens": -1, "n": 1, "stop": ["x", None], "stream": True, "logprobs": False, "top_logprobs": 0},
    {"stop": "x" * 256, "seed": 2**63, "temperature": 0, "top_p": 1, "logit_bias": {"7": -100}},
    {"tools": [], "tool_choice": "auto"},
    {"tools": [TOOL], "tool_choice": "none"},
    user([TEXT, TEXT]),
    {"unheard_of": {"deeply": ["nested"]}},
]
TAKEN_BY_OPENAIS_SERVERS: list[dict[str, Any]] = [
    user([TEXT, PICTURE, SOUND]),
    {"tools": [TOOL], "tool_choice": "required", "n": 128, "logprobs": True, "top_logprobs": 20},
    {"messages": [{"role": "assistant", "tool_calls": []}, {"role": "tool", "content": "x"}]},
    {"messages": [{"role": "the model's own", "content": None}]},
]


def check(speaks: str, documents: list[dict[str, Any]]) -> list[str | None]:
    """What each is told; None where it is taken."""
    found = run_script(CHECK, [[speaks, {**user("Hi"), **document}] for document in documents])
    return list(found)


@pytest.mark.parametrize("speaks", [OPENAI, TGI])
def test_what_no_chat_may_ask(speaks: str) -> None:
    assert check(speaks, [document for document, _ in REFUSED]) == [
        f"invalid_body: {message}" for _, message in REFUSED
    ]


def test_what_a_server_that_continues_texts_cannot_do() -> None:
    documents = [document for document, _ in REFUSED_BY_PLAIN_SERVERS]
    assert check(TGI, documents) == [f"invalid_body: {message}" for _, message in REFUSED_BY_PLAIN_SERVERS]


@pytest.mark.parametrize("speaks", [OPENAI, TGI, "text-inputs"])
def test_what_every_chat_may_ask(speaks: str) -> None:
    assert check(speaks, TAKEN) == [None] * len(TAKEN)


def test_servers_of_openais_bodies_decide_the_rest_themselves() -> None:
    assert check(OPENAI, TAKEN_BY_OPENAIS_SERVERS) == [None] * len(TAKEN_BY_OPENAIS_SERVERS)

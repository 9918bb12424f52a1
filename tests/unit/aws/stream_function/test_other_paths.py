"""Paths that are no resources of the API: below an entry, and unknown ones. No servers, one process."""

from __future__ import annotations

import functools
from typing import Any

import pytest

from centralized_ml_api.aws.document.other_paths import describe_other_paths, list_calls
from centralized_ml_api.plan.aws.spending import NOT_COUNTED
from centralized_ml_api.plan.speaks import OpenAiModels
from support.stream_host.host import write_function
from support.stream_host.script import run_script

OPENAI = OpenAiModels(chat=("undefined", "chat"), embeddings=("vectors",))
CALLS = list_calls(("vectors", "chat", "undefined"), OPENAI, ("/", "/models"), tells_usage=True)

SCRIPT = """
import { findOtherCall } from "./other_paths.mjs";
import { headersOf, isAnthropicPath } from "./errors.mjs";
const told = async ([method, path, refused = []]) => {
    const request = { method, path, refused, headers: {}, body: Buffer.from("[]") };
    let sent;
    const send = (status, headers, text) => { sent = { status, text, type: headers["content-type"] }; };
    try {
        const { run } = await findOtherCall(request, new Map());
        await run({ send }, {});
        return sent;
    } catch (error) {
        return { status: error.status, code: error.code, text: error.message, allow: headersOf(error).allow };
    }
};
console.log(JSON.stringify({
    told: await Promise.all(input.requests.map(told)),
    anthropic: input.paths.filter(isAnthropicPath),
}));
"""
REQUESTS: dict[str, tuple[Any, ...]] = {
    "list": ("GET", "/chat/v1/models"),
    "head": ("HEAD", "/chat/v1/models"),
    "model": ("GET", "/chat/v1/models/chat"),
    "other model": ("GET", "/chat/v1/models/vectors"),
    "post of a list": ("POST", "/chat/v1/models"),
    "call": ("POST", "/chat/v1/chat/completions"),
    "get of a call": ("GET", "/chat/v1/chat/completions"),
    "elsewhere": ("POST", "/vectors/v1/chat/completions"),
    "get elsewhere": ("GET", "/vectors/v1/chat/completions"),
    "refused": ("POST", "/chat/v1/chat/completions", ["chat"]),
    "refused list": ("GET", "/chat/v1/models", ["chat"]),
    "no entry": ("GET", "/nobody/v1/models"),
    "nothing": ("GET", "/undefined"),
    "inherited": ("GET", "/constructor/v1/models"),
}
UNKNOWN = (
    "Nothing is served at this path. Available: POST /chat, POST /undefined, POST /vectors,"
    " POST /v1/chat/completions, POST /v1/embeddings, GET /v1/models, GET /, GET /models, GET /health,"
    " GET /v1/usage."
)
ANTHROPIC = ("/v1/messages", "/v1/messages/x", "/chat/v1/messages", "/chat/v1/messages/count_tokens")
OTHERS = ("/v1/messagesx", "/a/chat/v1/messages", "/chat/messages", "/v1/chat/completions")


@functools.cache
def answers() -> dict[str, Any]:
    folder = write_function(NOT_COUNTED, describe_other_paths(OPENAI, CALLS))
    given = {"requests": [*REQUESTS.values()], "paths": [*ANTHROPIC, *OTHERS]}
    found = run_script(SCRIPT, given, folder)
    return {**dict(zip(REQUESTS, found["told"], strict=True)), "anthropic": found["anthropic"]}


def test_the_list_has_the_entry_alone_and_says_what_it_can() -> None:
    listed, head = answers()["list"], answers()["head"]
    assert (listed["status"], listed["type"]) == (200, "application/json")
    assert '"id":"chat"' in listed["text"]
    assert '"first_id":"chat","last_id":"chat"' in listed["text"]
    assert '"routes":["/v1/chat/completions"]' in listed["text"]
    assert "vectors" not in listed["text"]
    assert (head["status"], head["text"]) == (200, "")
    assert answers()["model"]["text"].startswith('{"id":"chat","object":"model"')


@pytest.mark.parametrize(
    ("name", "status", "code", "says"),
    [
        ("other model", 404, "model_not_found", "Available: chat."),
        ("call", 400, "invalid_body", "not an array"),
        ("elsewhere", 404, "model_not_found", "but at POST /vectors/v1/embeddings. Available: vectors."),
        ("get elsewhere", 404, "unknown_path", UNKNOWN),
        ("refused", 403, "not_allowed", ""),
        ("refused list", 403, "not_allowed", ""),
        ("no entry", 404, "unknown_path", UNKNOWN),
        ("nothing", 404, "unknown_path", UNKNOWN),
        ("inherited", 404, "unknown_path", UNKNOWN),
    ],
)
def test_what_is_refused_says_why(name: str, status: int, code: str, says: str) -> None:
    error = answers()[name]
    assert (error["status"], error["code"]) == (status, code)
    assert says in error["text"]


@pytest.mark.parametrize(
    ("name", "allow"), [("post of a list", "GET, HEAD, OPTIONS"), ("get of a call", "POST, OPTIONS")]
)
def test_another_method_is_405_with_allow(name: str, allow: str) -> None:
    error = answers()[name]
    assert (error["status"], error["code"], error["allow"]) == (405, "method_not_allowed", allow)


def test_errors_have_anthropics_shape_below_entries_too() -> None:
    assert answers()["anthropic"] == [*ANTHROPIC]

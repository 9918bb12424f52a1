"""Models of Bedrock: the same answers and errors, whichever target translates and signs."""

from __future__ import annotations

import base64
import json
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.api.http import EVENTS_IN_UTF8
from contract.case import AWS, JSON, LOCAL, Case, Expected, Request, render_json
from contract.cases.hosted import TOOLS
from contract.cases.openai import Events, chat, tell
from support.bedrock import ACCOUNT, VECTOR, WORDS

if TYPE_CHECKING:
    from support.running_gateway import Answer

TEXT = "".join(WORDS)
USAGE = {"prompt_tokens": 23, "completion_tokens": 10, "total_tokens": 33}


@dataclass(frozen=True)
class Whole:
    """A whole chat: these words, or a call of a tool; its tokens; the entry's name of the model."""

    words: str | None

    def check(self, answer: Answer) -> None:
        """Compares it."""
        said = answer.json
        message = said["choices"][0]["message"]
        assert (message["content"] or None, said["model"]) == (self.words, "claude"), answer
        assert {name: said["usage"][name] for name in USAGE} == USAGE, answer
        calls = message.get("tool_calls") or []
        given = [json.loads(call["function"]["arguments"]) for call in calls]
        assert given == ([] if self.words else [{"city": "Bern"}]), answer


@dataclass(frozen=True)
class ToolStream:
    """A stream whose pieces of arguments are those of one call."""

    def check(self, answer: Answer) -> None:
        """Compares them."""
        *events, end = answer.body.decode().removesuffix("\n\n").split("\n\n")
        said = [json.loads(event.removeprefix("data: ")) for event in events]
        assert end == "data: [DONE]", answer
        calls = [call for each in said for call in each["choices"][0]["delta"].get("tool_calls") or []]
        text = "".join(call["function"].get("arguments", "") for call in calls)
        assert json.loads(text) == {"city": "Bern"}, answer


@dataclass(frozen=True)
class BrokenOff:
    """A stream that begins with a word, and ends with an error of this status's type."""

    type: str

    def check(self, answer: Answer) -> None:
        """Compares them."""
        text = answer.body.decode()
        assert WORDS[0] in text, answer
        assert "[DONE]" not in text, answer
        error = json.loads(text.removesuffix("\n\n").split("\n\n")[-1].removeprefix("data: "))["error"]
        assert error["type"] == self.type, answer


@dataclass(frozen=True)
class Refused:
    """An error with this code, which tells nothing of the account."""

    code: str
    says: str = ""

    def check(self, answer: Answer) -> None:
        """Compares it."""
        text = answer.body.decode()
        error = json.loads(text)["error"]
        assert error["code"] == self.code, answer
        assert self.says in error["message"], answer
        assert error["request_id"] == answer.header("x-request-id"), answer
        assert ACCOUNT not in text, answer


@dataclass(frozen=True)
class Message:
    """Anthropic's message with the text."""

    def check(self, answer: Answer) -> None:
        """Compares it."""
        assert answer.json["content"] == [{"type": "text", "text": TEXT}], answer
        assert (answer.json["type"], answer.json["model"]) == ("message", "claude"), answer


def _ask(name: str, **more: Any) -> Request:
    return chat(model=name, **more)


def _post(path: str, **body: Any) -> Request:
    return Request(path, render_json(body), headers={"Content-Type": JSON})


_TALK = [{"role": "user", "content": "What is AWS?"}]
_FAILURES = (
    ("limited", 429, "too_many_requests", "Too many tokens"),
    ("forbidden", 502, "provider_refused_key", ""),
    ("slow", 504, "model_too_slow", ""),
    ("broken", 502, "model_failed", "The model failed."),
    ("invalid", 400, "model_refused", "model identifier is invalid"),
    ("unknown", 404, "model_refused", "end of life"),
)


@dataclass(frozen=True)
class Vectors:
    """A list with these vectors, of this many tokens, and the entry's name of the model."""

    vectors: tuple[Any, ...]
    tokens: int
    model: str

    def check(self, answer: Answer) -> None:
        """Compares them."""
        found = [(item["object"], item["index"], item["embedding"]) for item in answer.json["data"]]
        assert found == [("embedding", index, vector) for index, vector in enumerate(self.vectors)], answer
        assert (answer.json["object"], answer.json["model"]) == ("list", self.model), answer
        usage = {"prompt_tokens": self.tokens, "total_tokens": self.tokens}
        assert answer.json["usage"] == usage, answer


_ENCODED = base64.b64encode(struct.pack("<2f", *VECTOR)).decode()

CASES = [
    Case(
        "Titan embeds a text",
        _post("/v1/embeddings", model="titan", input="Hello"),
        Expected(200, Vectors((VECTOR,), 3, "titan"), JSON),
    ),
    Case("Titan embeds at its own path", _post("/titan", input=["Hello"], dimensions=256), Expected(200)),
    Case(
        "Cohere's model embeds texts, encoded as OpenAI's client asks for it",
        _post("/v1/embeddings", model="cohere", input=["Hello", "you"], encoding_format="base64"),
        Expected(200, Vectors((_ENCODED, _ENCODED), 2, "cohere"), JSON),
    ),
    Case(
        "Titan takes one text at a time",
        _post("/v1/embeddings", model="titan", input=["Hello", "you"]),
        Expected(400, Refused("invalid_body", "one at a time"), JSON),
    ),
    Case("a model that embeds does not chat", _ask("titan"), Expected(404, Refused("model_not_found"), JSON)),
    Case("a chat of Bedrock", _ask("claude"), Expected(200, Whole(TEXT), JSON)),
    Case(
        "a chat of Bedrock streams", _ask("claude", stream=True), Expected(200, Events(WORDS), EVENTS_IN_UTF8)
    ),
    Case("a chat of Bedrock calls tools", _ask("claude", tools=TOOLS), Expected(200, Whole(None), JSON)),
    Case(
        "a chat of Bedrock streams the arguments of tools",
        _ask("claude", tools=TOOLS, stream=True),
        Expected(200, ToolStream(), EVENTS_IN_UTF8),
    ),
    Case(
        "a model of Bedrock answers Anthropic's clients",
        _post("/v1/messages", model="claude", max_tokens=9, messages=_TALK),
        Expected(200, Message(), JSON),
    ),
    Case(
        "a model of Bedrock answers at its own path",
        _post("/claude", messages=_TALK),
        Expected(200, Whole(TEXT), JSON),
    ),
    Case(
        "what Converse has no place for is refused by its name",
        _ask("claude", n=2),
        Expected(400, Refused("invalid_body", "'n' cannot be translated"), JSON),
    ),
    *(
        Case(
            f"an error of Bedrock, {'streamed' if stream else 'whole'}: {act}",
            tell("claude", f"anthropic.{act}", stream=stream),
            Expected(status, Refused(code, says), JSON),
        )
        for act, status, code, says in _FAILURES
        for stream in (False, True)
    ),
    *(
        Case(
            f"a stream of Bedrock that fails before its answer has a status: {act}",
            tell("claude", f"anthropic.{act}", stream=True),
            Expected(status, Refused(code), JSON),
        )
        for act, status, code in (
            ("busy", 429, "too_many_requests"),
            ("stumbles", 500, "model_failed"),
        )
    ),
    Case(
        "a stream of Bedrock that fails in the middle ends with an error",
        tell("claude", "anthropic.fails", stream=True),
        Expected(200, BrokenOff("rate_limit_error"), EVENTS_IN_UTF8),
    ),
    *(
        Case(
            f"a stream of Bedrock that breaks off ends with an error on {target}",
            tell("claude", "anthropic.cut", stream=True),
            Expected(200, BrokenOff(kind), EVENTS_IN_UTF8),
            only=target,
        )
        for target, kind in ((LOCAL, "server_error"), (AWS, errors.MODEL_FAILED.type))
    ),
]

"""Models that a provider hosts: the same answers and errors, whichever target calls it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from centralized_ml_api.api import error_shape as errors
from contract.case import JSON, Case, Expected, Json, refused
from contract.cases.openai import Events, chat, tell
from support.openai_answers import USAGE, WORDS
from support.provider import KEY, ORGANIZATION

if TYPE_CHECKING:
    from support.running_gateway import Answer

TEXT = "".join(WORDS)
TOOLS = [{"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}]
EVENTS = "text/event-stream; charset=utf-8"
_BROKEN = {
    "message": "The server had an error ((hidden)).",
    "type": "server_error",
    "param": None,
    "code": None,
}


@dataclass(frozen=True)
class Whole:
    """A whole chat of the provider: these words, or a call of a tool; with its tokens."""

    words: str | None

    def check(self, answer: Answer) -> None:
        """Compares it."""
        message = answer.json["choices"][0]["message"]
        assert (message["content"], answer.json["usage"]) == (self.words, USAGE), answer
        assert self.words or message["tool_calls"][0]["function"]["arguments"] == '{"city": "Bern"}', answer


@dataclass(frozen=True)
class ToolStream:
    """A stream with the arguments of a tool, and without the tokens for which nobody asked."""

    def check(self, answer: Answer) -> None:
        """Compares them."""
        *events, end = answer.body.decode().removesuffix("\n\n").split("\n\n")
        said = [json.loads(event.removeprefix("data: ")) for event in events]
        assert end == "data: [DONE]", answer
        calls = [each["choices"][0]["delta"].get("tool_calls") for each in said]
        assert [call[0]["function"]["arguments"] for call in calls if call] == ['{"city": "Bern"}'], answer


@dataclass(frozen=True)
class OfTheProvider:
    """An error that keeps the provider's code, and tells nothing of its customer."""

    code: str

    def check(self, answer: Answer) -> None:
        """Compares it."""
        text = answer.body.decode()
        assert json.loads(text)["error"]["code"] == self.code, answer
        assert not any(secret in text for secret in (KEY, KEY[-4:], ORGANIZATION)), answer


@dataclass(frozen=True)
class Late:
    """A stream that begins with a word; then an error tells nothing of the provider's customer."""

    def check(self, answer: Answer) -> None:
        """Compares it."""
        text = answer.body.decode()
        assert WORDS[0] in text, answer
        assert "The server had an error (request of (hidden))." in text, answer
        assert ORGANIZATION not in text, answer


def _ask(name: str, **more: Any) -> Any:
    return chat(model=name, **more)


CASES = [
    Case("a hosted chat", _ask("hosted"), Expected(200, Whole(TEXT))),
    Case(
        "a hosted chat streams, without tokens for which nobody asked",
        _ask("hosted", stream=True),
        Expected(200, Events(WORDS), EVENTS),
    ),
    Case("a hosted chat calls tools", _ask("hosted", tools=TOOLS), Expected(200, Whole(None))),
    Case(
        "a hosted chat streams the arguments of tools",
        _ask("hosted", tools=TOOLS, stream=True),
        Expected(200, ToolStream(), EVENTS),
    ),
    Case(
        "a hosted model whose provider is busy: its pause passes",
        tell("hosted", "limited"),
        Expected(429, OfTheProvider("rate_limit_exceeded"), JSON, headers={"retry-after": "7"}),
    ),
    Case(
        "a hosted model that the provider does not know",
        tell("hosted", "unheard-of"),
        Expected(404, OfTheProvider("model_not_found"), JSON),
    ),
    Case(
        "a hosted model without access is no fault of the caller",
        tell("hosted", "forbidden"),
        refused(errors.PROVIDER_REFUSED_KEY),
    ),
    Case(
        "a provider that refuses the key with 400 is no fault of the caller",
        tell("hosted", "keyless"),
        refused(errors.PROVIDER_REFUSED_KEY),
    ),
    Case(
        "a provider that takes the key for a wrong one is no fault of the caller",
        tell("hosted", "unkeyed"),
        refused(errors.PROVIDER_REFUSED_KEY),
    ),
    Case(
        "a hosted stream with an error in it tells nothing of the customer",
        tell("hosted", "late", stream=True),
        Expected(200, Late(), EVENTS),
    ),
    Case("a hosted answer that breaks off is 502", tell("hosted", "cut"), refused(errors.MODEL_FAILED)),
    Case(
        "a hosted model's own failure keeps its status",
        tell("hosted", "broken"),
        Expected(500, Json({"error": {**_BROKEN}}), JSON),
    ),
    Case(
        "a body that providers read differently is refused",
        _ask("hosted", MAX_TOKENS=1),
        refused(errors.INVALID_BODY, 'write "max_tokens"'),
    ),
]

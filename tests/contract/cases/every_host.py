"""What every host of models does, whatever it speaks: OpenAI's API, Anthropic's, or Bedrock's Converse."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from centralized_ml_api.api.http import EVENTS_IN_UTF8
from contract.case import Case, Expected
from contract.cases.openai import chat, tell
from support import anthropic_answers, bedrock, openai_answers
from support.openai_answers import CALLS, FORMATTED, SEEN

if TYPE_CHECKING:
    from collections.abc import Callable

    from contract.case import Request
    from support.running_gateway import Answer

PICTURE = (
    "data:image/png;base64,"
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="
)
TOOLS = [
    {"type": "function", "function": {"name": name, "parameters": {"type": "object"}}}
    for name in ("get_weather", "get_time")
]
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
FORMAT = {"type": "json_schema", "json_schema": {"name": "place", "schema": CITY}}
LOOK = [
    {
        "role": "user",
        "content": [
            {"type": "text", "text": "What is this?"},
            {"type": "image_url", "image_url": {"url": PICTURE}},
        ],
    }
]


@dataclass(frozen=True)
class Host:
    """An entry of a host: what it says, its first word, its tokens as read, of these cached, and written."""

    name: str
    text: str
    first: str
    tokens: tuple[int, int, int]


HOSTS = (
    Host("hosted", "".join(openai_answers.WORDS), openai_answers.WORDS[0], (19, 4, 10)),
    Host("messages", anthropic_answers.TEXT, anthropic_answers.TEXT[:5], (14, 5, 11)),
    Host("claude", "".join(bedrock.WORDS), bedrock.WORDS[0], (23, 4, 10)),
)
FILTERED = {"hosted": "filtered", "messages": "refuses", "claude": "anthropic.filtered"}
"""What the models of some entries are told to do."""


@dataclass(frozen=True)
class Said:
    """A chat as a client reads it, whole or streamed: its text, the calls of tools in order, why it ended."""

    text: str | None = None
    calls: tuple[Mapping[str, Any], ...] = ()
    finish: str = "stop"
    tokens: tuple[int, int, int] | None = None
    is_json: bool = False

    def check(self, answer: Answer) -> None:
        """Compares it."""
        is_stream = (answer.header("content-type") or "").startswith("text/event-stream")
        text, calls, finish, usage = _read_stream(answer) if is_stream else _read_whole(answer)
        if self.is_json:
            assert json.loads(text) == json.loads(str(self.text)), answer
        elif self.text is not None:
            assert text == self.text, answer
        assert [json.loads(call) for call in calls] == list(self.calls), answer
        assert finish == self.finish, answer
        if self.tokens is not None:
            cached = usage["prompt_tokens_details"]["cached_tokens"]
            assert (usage["prompt_tokens"], cached, usage["completion_tokens"]) == self.tokens, answer
            assert usage["total_tokens"] == self.tokens[0] + self.tokens[2], answer


def _read_whole(answer: Answer) -> tuple[str, list[str], str, Any]:
    choice = answer.json["choices"][0]
    calls = [call["function"]["arguments"] for call in choice["message"].get("tool_calls") or ()]
    return choice["message"]["content"] or "", calls, choice["finish_reason"], answer.json.get("usage")


def _read_stream(answer: Answer) -> tuple[str, list[str], str, Any]:
    """Reads a stream as OpenAI's clients do: by the indexes of calls, of which the first piece has an id."""
    *events, end = answer.body.decode().removesuffix("\n\n").split("\n\n")
    assert end == "data: [DONE]", answer
    chunks = [json.loads(event.removeprefix("data: ")) for event in events if not event.startswith(":")]
    choices = [chunk["choices"][0] for chunk in chunks if chunk["choices"]]
    text = "".join(choice["delta"].get("content") or "" for choice in choices)
    calls: dict[int, str] = {}
    for piece in (piece for choice in choices for piece in choice["delta"].get("tool_calls") or ()):
        assert (piece["index"] in calls) is ("id" not in piece), answer
        calls[piece["index"]] = calls.get(piece["index"], "") + (piece["function"].get("arguments") or "")
    assert list(calls) == list(range(len(calls))), answer
    (finish,) = (choice["finish_reason"] for choice in choices if choice["finish_reason"])
    usage = next((chunk["usage"] for chunk in chunks if chunk.get("usage")), None)
    return text, list(calls.values()), finish, usage


def _cases(what: str, ask: Callable[..., Request], name: str, said: Said, **more: Any) -> list[Case]:
    """Builds the case of a whole chat and that of a streamed one."""
    return [
        Case(f"{name} {what}", ask(**more), Expected(200, said)),
        Case(f"{name} {what}, streamed", ask(**more, stream=True), Expected(200, said, EVENTS_IN_UTF8)),
    ]


def _host_cases(host: Host) -> list[Case]:
    name = host.name
    ask = partial(chat, model=name)
    options = {"stream": True, "stream_options": {"include_usage": True}}
    counted = Said(host.text, tokens=host.tokens)
    return [
        Case(f"{name} says its tokens", chat(model=name), Expected(200, counted)),
        Case(
            f"{name} says its tokens at the end of a stream that asks for them",
            chat(model=name, **options),
            Expected(200, counted, EVENTS_IN_UTF8),
        ),
        *_cases("calls tools in parallel", ask, name, Said(calls=CALLS, finish="tool_calls"), tools=TOOLS),
        *_cases("answers in a format", ask, name, Said(FORMATTED, is_json=True), response_format=FORMAT),
        *_cases("sees an image", ask, name, Said(SEEN.format("image/png")), messages=LOOK),
        *_cases("says that it was cut short", ask, name, Said(host.first, finish="length"), max_tokens=1),
    ]


CASES = [
    *(case for host in HOSTS for case in _host_cases(host)),
    *(
        case
        for name, act in FILTERED.items()
        for case in _cases(
            "says that a filter ended it", partial(tell, name, act), name, Said("", finish="content_filter")
        )
    ),
]

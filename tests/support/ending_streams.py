"""Streams that end properly: some after their last report, some before it. Both targets count them alike."""

from __future__ import annotations

import json
from typing import Any


def event(document: dict[str, Any]) -> bytes:
    """An event without a name."""
    return f"data: {json.dumps(document)}\n\n".encode()


def piece(finish: str | None = None, **more: Any) -> bytes:
    """A piece of a chat."""
    return event({"choices": [{"index": 0, "delta": {"content": "x"}, "finish_reason": finish}], **more})


def message(kind: str, **more: Any) -> bytes:
    """An event of Anthropic's."""
    return f"event: {kind}\n".encode() + event({"type": kind, **more})


USAGE = {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4}
NOTHING = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
TIMINGS = {"prompt_n": 3, "cache_n": 0, "predicted_n": 1}
BEGIN = message(
    "message_start", message={"stop_reason": None, "usage": {"input_tokens": 3, "output_tokens": 1}}
)
SAYING = message("content_block_delta", delta={"text": 'It says "stop_reason": "end", [DONE].'})
TOLD = {"output_tokens": 1}
QUOTED = {"parameters": {"examples": [{"choices": [{"a": 1}]}]}}
COMPLETED = {"status": "completed", "tools": [QUOTED], "usage": {"input_tokens": 3, "output_tokens": 1}}

STOPPED = {
    "a chat that reports as it goes": (piece(usage=USAGE), piece(usage=USAGE)),
    "a chat of llama.cpp that does": (piece(timings=TIMINGS), piece(timings=TIMINGS)),
    "a chat whose server counts nothing": (piece("stop"), event({"choices": [], "usage": NOTHING})),
    "a chat without a report": (piece("stop"), b"data: [DONE]\n\n"),
    "a message": (BEGIN, SAYING),
    "a response": (event({"type": "response.created", "response": {"usage": None}}),),
}
"""Nobody knows what their servers have written."""

ENDED = {
    "a chat": (piece("stop"), event({"choices": [], "usage": USAGE})),
    "a chat that reports as it goes": (piece(usage=USAGE), piece("length", usage=USAGE)),
    "a chat that says no reason": (piece(usage=USAGE), b"data: [DO", b"NE]\n\n"),
    "a chat of llama.cpp": (piece(), piece("stop", timings=TIMINGS)),
    "a chat with an early reason": (piece("stop"), piece(usage=USAGE), b"\n"),
    "a message": (BEGIN, SAYING, message("message_delta", delta={"stop_reason": "end_turn"}, usage=TOLD)),
    "a message that says no reason": (BEGIN, message("message_delta", usage=TOLD), message("message_stop")),
    "a response that quotes": (event({"type": "response.completed", "response": COMPLETED}),),
    "another API's": (
        event({"type": "transcript.text.done", "usage": {"input_tokens": 3, "output_tokens": 1}}),
    ),
}
"""Their last report came; a marker at the end is missing where others show that they are complete."""

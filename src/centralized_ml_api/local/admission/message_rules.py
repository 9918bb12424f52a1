"""What llama.cpp takes as `messages` of a chat; its own answer to most mistakes in them is a 500. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from centralized_ml_api.local.admission.violation import LlamaCppLimits, Violation

if TYPE_CHECKING:
    from collections.abc import Iterator

ROLES = ("system", "developer", "user", "assistant", "tool", "function")
BYTES_PER_TOKEN = 32
"""More than a token has on average: a prompt with more bytes for each token of the context is too long.

Words have about four, long runs of blanks or dashes sixteen.
"""

TOKENS_PER_MESSAGE = 2
"""Fewer than any chat template puts around a message."""

TOOL_CALLS = 64
PART_FIELDS = 8
"""Of a part of a message, a call of a tool or its function: OpenAI's have three."""

_MESSAGE_FIELDS = (
    "role",
    "content",
    "name",
    "tool_calls",
    "tool_call_id",
    "reasoning_content",
    "refusal",
)

_MEDIA = {
    "image_url": "pictures",
    "input_image": "pictures",
    "input_audio": "audio",
    "audio_url": "audio",
    "input_video": "video",
    "video_url": "video",
    "file": "files",
    "input_file": "files",
}


def check_messages(messages: Any, limits: LlamaCppLimits) -> Iterator[Violation]:
    """Yields what is wrong with `messages`."""
    wrong = check_list("messages", messages, "message", limits)
    if wrong is not None:
        yield wrong
        return
    for index, message in enumerate(messages):
        yield from _check_message(f"messages[{index}]", message)
    if [message["role"] for message in messages[-2:]] == ["assistant"] * 2:
        yield Violation("messages", "'messages' ends with two messages of the assistant.")
        return
    yield from check_size("messages", messages, limits)


def check_list(
    field: str, items: Any, item: str, limits: LlamaCppLimits, *, or_else: str = ""
) -> Violation | None:
    """Returns what is wrong with a conversation as a list: it is none, or longer than the context.

    Args:
        field: Where it stands.
        items: Its value.
        item: What one of the items is called.
        limits: What one request may ask.
        or_else: What the value may be instead, such as `a string or `.
    """
    if not isinstance(items, list) or not items:
        return Violation(field, f"'{field}' must be {or_else}a list with at least one {item}.")
    most = max(1, limits.context_tokens // TOKENS_PER_MESSAGE)
    if len(items) <= most:
        return None
    return Violation(
        field,
        f"'{field}' has {len(items):,} {item}s; this model's context of {limits.context_tokens:,} "
        f"tokens holds at most {most:,}.",
    )


def check_size(field: str, value: Any, limits: LlamaCppLimits) -> Iterator[Violation]:
    """Yields that all texts of a value together cannot fit into the context.

    Args:
        field: Where the value stands.
        value: JSON of any form.
        limits: What one request may ask.
    """
    size = measure_text(value)
    if size > limits.context_tokens * BYTES_PER_TOKEN:
        yield Violation(
            field,
            f"'{field}' has {size:,} bytes of text: more than this model's context of "
            f"{limits.context_tokens:,} tokens can hold.",
        )


def adapt_message(message: dict[str, Any]) -> dict[str, Any]:
    """Returns what the server gets of a message: it takes quadratic time for the fields of an object."""
    return {name: value for name, value in message.items() if name in _MESSAGE_FIELDS}


def _check_message(field: str, message: Any) -> Iterator[Violation]:
    if not isinstance(message, dict):
        yield Violation(field, f"'{field}' must be an object with 'role' and 'content'.")
        return
    role = message.get("role")
    if role not in ROLES:
        yield Violation(f"{field}.role", f"'{field}.role' must be one of {', '.join(ROLES)}.")
        return
    calls = message.get("tool_calls")
    if "content" not in message and not (role == "assistant" and calls):
        yield Violation(f"{field}.content", f"'{field}.content' is missing.")
        return
    yield from _check_content(f"{field}.content", message.get("content"))
    if calls is not None:
        yield from _check_tool_calls(f"{field}.tool_calls", calls)
    for name in ("name", "tool_call_id", "reasoning_content", "refusal"):
        if not isinstance(message.get(name), str | None):
            yield Violation(f"{field}.{name}", f"'{field}.{name}' must be a string.")


def _check_content(field: str, content: Any) -> Iterator[Violation]:
    if isinstance(content, str | None):
        return
    if not isinstance(content, list):
        yield Violation(field, f"'{field}' must be a string or a list of parts.")
        return
    for index, part in enumerate(content):
        where = f"{field}[{index}]"
        kind = part.get("type") if isinstance(part, dict) else None
        if isinstance(kind, str) and kind in _MEDIA:
            yield Violation(where, f"This model reads text alone: '{where}' has {_MEDIA[kind]}.")
        elif kind != "text" or not isinstance(part.get("text"), str) or len(part) > PART_FIELDS:
            yield Violation(where, f'\'{where}\' must be a part such as {{"type": "text", "text": "…"}}.')


def _check_tool_calls(field: str, calls: Any) -> Iterator[Violation]:
    if not isinstance(calls, list) or len(calls) > TOOL_CALLS:
        yield Violation(field, f"'{field}' must be a list of at most {TOOL_CALLS} calls.")
        return
    for index, call in enumerate(calls):
        function = call.get("function") if isinstance(call, dict) else None
        if not isinstance(function, dict) or max(len(call), len(function)) > PART_FIELDS:
            yield Violation(f"{field}[{index}]", f"'{field}[{index}]' must be an object with 'function'.")
            continue
        for name in ("name", "arguments"):
            if not isinstance(function.get(name), str):
                where = f"{field}[{index}].function.{name}"
                yield Violation(where, f"'{where}' must be a string.")
        if not isinstance(call.get("id"), str | None) or call.get("type", "function") != "function":
            yield Violation(
                f"{field}[{index}]",
                f"'{field}[{index}]' must have a string as 'id' and 'function' as 'type'.",
            )


def collect_texts(value: Any) -> Iterator[str]:
    """Yields all texts in a JSON value, without recursion; of objects, those of their values."""
    values: list[Any] = [value]
    while values:
        value = values.pop()
        if isinstance(value, str):
            yield value
        else:
            values.extend(
                value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
            )


def measure_text(value: Any) -> int:
    """Returns the bytes of all texts in a value."""
    return sum(len(text.encode("utf-8", "replace")) for text in collect_texts(value))

"""What a chat call may ask of llama.cpp's server, so that no call stops the model for others. Pure.

    check_llama_cpp_request   says what is wrong with a request, in words for its caller
    adapt_llama_cpp_request   returns what the server gets: numbers cut to its limits, unknown fields left out

Source: https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from centralized_ml_api.local.admission.llama_cpp_fields import (
    FIELDS,
    adapt_fields,
    check_fields,
    check_refused,
)
from centralized_ml_api.local.admission.message_rules import adapt_message, check_messages
from centralized_ml_api.local.admission.tool_rules import adapt_tool, check_tool_choice, check_tools
from centralized_ml_api.local.admission.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.local.admission.field_checks import Check
    from centralized_ml_api.local.admission.violation import LlamaCppLimits


def check_llama_cpp_request(document: dict[str, Any], limits: LlamaCppLimits) -> Violation | None:
    """Returns the first thing that is wrong with the body of a chat call; None if nothing is.

    Args:
        document: The body, parsed.
        limits: What one request may ask.
    """
    return next(check_chat(document, limits), None)


def adapt_llama_cpp_request(document: dict[str, Any], limits: LlamaCppLimits) -> dict[str, Any]:
    """Returns the body that the server gets; `document` stays as it is.

    See `adapt_fields`; fields of messages that the server does not know are left out too, and bounds in the
    schemas of tools that are too large to be written out.

    Args:
        document: The body, which `check_llama_cpp_request` has nothing against.
        limits: What one request may ask.
    """
    adapted = adapt_fields(document, _FIELDS, limits)
    adapted["messages"] = [adapt_message(message) for message in document["messages"]]
    if "tools" in adapted:
        adapted["tools"] = [*map(adapt_tool, adapted["tools"])]
    return adapted


def check_chat(document: dict[str, Any], limits: LlamaCppLimits) -> Iterator[Violation]:
    """Yields what is wrong with the body of a chat call."""
    yield from check_refused(document)
    yield from check_messages(document.get("messages"), limits)
    yield from check_fields(document, _FIELDS, limits)
    yield from _check_together(document)


def _check_together(document: dict[str, Any]) -> Iterator[Violation]:
    """Yields fields that the server does not take together, and answers with a 500."""
    shapes = [name for name in ("grammar", "json_schema") if document.get(name) is not None]
    if (
        isinstance(document.get("response_format"), dict)
        and document["response_format"].get("type") != "text"
    ):
        shapes.append("response_format")
    if len(shapes) > 1:
        yield Violation(shapes[1], f"'{shapes[0]}' and '{shapes[1]}' cannot be used together.")
    if document.get("tools") and document.get("grammar") is not None:
        yield Violation("grammar", "'grammar' and 'tools' cannot be used together.")
    if document.get("add_generation_prompt") and document.get("continue_final_message"):
        yield Violation(
            "add_generation_prompt",
            "'add_generation_prompt' and 'continue_final_message' cannot be used together.",
        )
    if document.get("top_logprobs") is not None and not document.get("logprobs"):
        yield Violation("top_logprobs", "'top_logprobs' needs 'logprobs': true.")
    if document.get("tools") and document.get("logprobs") and document.get("stream"):
        yield Violation("logprobs", "'logprobs' cannot be used together with 'tools' and 'stream'.")


_FIELDS: dict[str, Check] = {
    "messages": lambda _, __: iter(()),  # first of all, see `check_chat`
    "tools": check_tools,
    "tool_choice": check_tool_choice,
    **FIELDS,
}

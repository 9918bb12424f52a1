"""What a call of `/v1/messages` may ask of llama.cpp's server, which ignores most mistakes in it. Pure.

The body is written anew from what is known of it. So `cache_control`, `metadata`, `service_tier`, `betas` and
whatever else Anthropic's clients send never reach the server.

Source: https://platform.claude.com/docs/en/api/messages; what llama.cpp reads of it:
https://github.com/ggml-org/llama.cpp/blob/master/tools/server/server-chat.cpp
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from centralized_ml_api.local.admission.field_checks import (
    Check,
    check_integer,
    check_texts,
    nests_deeper,
)
from centralized_ml_api.local.admission.llama_cpp_fields import (
    FIELDS,
    JSON_DEPTH,
    STOP_CHARACTERS,
    STOPS,
    adapt_fields,
    check_fields,
    cut,
    without_nulls,
)
from centralized_ml_api.local.admission.message_rules import check_list, check_size
from centralized_ml_api.local.admission.tool_rules import (
    adapt_function,
    check_calls_tools,
    check_function,
    check_tool_list,
)
from centralized_ml_api.local.admission.violation import LlamaCppLimits, Violation

if TYPE_CHECKING:
    from collections.abc import Iterator

ROLES = ("user", "assistant", "system")
INPUT_CHARACTERS = 65_536
"""Of what a tool was called with. llama.cpp takes quadratic time for the keys of an object."""

INPUT_KEYS = 256

_TEXT = ("text",)
_IN_MESSAGES = ("text", "thinking", "redacted_thinking", "tool_use", "tool_result")
_MEDIA = {"image": "pictures", "document": "documents", "container_upload": "files"}
_STRINGS = {
    "text": ("text",),
    "thinking": ("thinking",),
    "redacted_thinking": (),
    "tool_use": ("id", "name"),
    "tool_result": ("tool_use_id",),
}
"""The fields of each kind of block that must be strings."""

_KEPT = {
    "text": ("type", "text"),
    "thinking": ("type", "thinking"),
    "redacted_thinking": ("type",),
    "tool_use": ("type", "id", "name", "input"),
    "tool_result": ("type", "tool_use_id", "content"),
}
_SAMPLING = ("temperature", "top_p", "top_k", "stream", "chat_template_kwargs", "model")
_TOOL_FIELDS = ("name", "description", "input_schema")
_CHOICES = ("auto", "any", "tool", "none")


def check_anthropic_messages(document: dict[str, Any], limits: LlamaCppLimits) -> Iterator[Violation]:
    """Yields what is wrong with a body, also with one whose tokens are to be counted."""
    yield from _check_conversation(document.get("messages"), limits)
    if document.get("system") is not None:
        yield from _check_blocks("system", document["system"], _TEXT)
    for violation in check_size("messages", [document.get("system"), document["messages"]], limits):
        # Agents look for these words of Anthropic's API, to shorten the conversation.
        yield Violation(violation.field, f"prompt is too long: {violation.message}")
    yield from check_fields(document, _FIELDS, limits)
    yield from _check_tool_choice(document, limits)
    output = document.get("output_config")
    if document.get("output_format") is not None or (isinstance(output, dict) and output.get("format")):
        yield Violation("output_format", "'output_format' is not taken here: this server ignores it.")
    if document.get("mcp_servers"):
        yield Violation("mcp_servers", "'mcp_servers' is not taken here: this server calls no others.")


def adapt_anthropic_messages(document: dict[str, Any], limits: LlamaCppLimits) -> dict[str, Any]:
    """Returns the body that the server gets.

    - `max_tokens` is cut to `max_output_tokens`; where it is missing, the server takes its own longest answer
      instead of the 4,096 tokens that it takes for these bodies
    - `thinking.budget_tokens` is cut to the context
    - of tools, those alone are left that `tool_choice` allows: the server does not read its name
    """
    fields = {name: check for name, check in FIELDS.items() if name in _SAMPLING}
    adapted = adapt_fields(document, fields, limits)
    adapted.pop("cache_prompt", None)
    adapted["messages"] = [
        {"role": message["role"], "content": _adapt_content(message["content"])}
        for message in document["messages"]
    ]
    if document.get("system") is not None:
        adapted["system"] = _adapt_content(document["system"])
    asked = document.get("max_tokens")
    adapted["max_tokens"] = -1 if asked is None else cut(asked, limits.max_output_tokens)
    if document.get("stop_sequences"):
        adapted["stop_sequences"] = without_nulls(document["stop_sequences"])
    thinking = document.get("thinking") or {}
    if thinking.get("type") == "enabled":
        said = thinking.get("budget_tokens")
        budget = limits.context_tokens if said is None else cut(said, limits.context_tokens)
        adapted["thinking"] = {"type": "enabled", "budget_tokens": budget}
    return {**adapted, **_adapt_tools(document)}


def _adapt_content(content: str | list[dict[str, Any]]) -> str | list[dict[str, Any]]:
    if isinstance(content, str):
        return content
    return [_adapt_block(block) for block in content]


def _adapt_block(block: dict[str, Any]) -> dict[str, Any]:
    kept = {name: block[name] for name in _KEPT[block["type"]] if block.get(name) is not None}
    if block["type"] == "tool_result" and "content" in kept:
        kept["content"] = _adapt_content(kept["content"])
    return kept


def _adapt_tools(document: dict[str, Any]) -> dict[str, Any]:
    choice = document.get("tool_choice") or {"type": "auto"}
    tools = [
        adapt_function(
            {name: tool[name] for name in _TOOL_FIELDS if tool.get(name) is not None}, "input_schema"
        )
        for tool in document.get("tools") or ()
        if choice["type"] != "tool" or tool["name"] == choice["name"]
    ]
    if not tools or choice["type"] == "none":
        return {}
    return {"tools": tools, "tool_choice": {"type": "auto" if choice["type"] == "auto" else "any"}}


def _check_conversation(messages: Any, limits: LlamaCppLimits) -> Iterator[Violation]:
    wrong = check_list("messages", messages, "message", limits)
    if wrong is not None:
        yield wrong
        return
    for index, message in enumerate(messages):
        field = f"messages[{index}]"
        role = message.get("role") if isinstance(message, dict) else None
        if role not in ROLES:
            yield Violation(f"{field}.role", f"'{field}.role' must be one of {', '.join(ROLES)}.")
            return
        yield from _check_blocks(f"{field}.content", message.get("content"), _IN_MESSAGES)


def _check_blocks(field: str, content: Any, kinds: tuple[str, ...]) -> Iterator[Violation]:
    """Yields what is wrong with a string or a list of blocks of these kinds."""
    if isinstance(content, str):
        return
    if not isinstance(content, list):
        yield Violation(field, f"'{field}' must be a string or a list of blocks.")
        return
    for index, block in enumerate(content):
        where = f"{field}[{index}]"
        kind = block.get("type") if isinstance(block, dict) else None
        if isinstance(kind, str) and kind in _MEDIA:
            yield Violation(where, f"This model reads text alone: '{where}' has {_MEDIA[kind]}.")
        elif kind not in kinds:
            yield Violation(where, f"'{where}.type' must be one of {', '.join(kinds)}.")
        else:
            yield from _check_block(where, block)


def _check_block(where: str, block: dict[str, Any]) -> Iterator[Violation]:
    for name in _STRINGS[block["type"]]:
        if not isinstance(block.get(name), str):
            yield Violation(f"{where}.{name}", f"'{where}.{name}' must be a string.")
    if block["type"] == "tool_use":
        yield from _check_input(f"{where}.input", block.get("input"))
    elif block["type"] == "tool_result" and block.get("content") is not None:
        yield from _check_blocks(f"{where}.content", block["content"], _TEXT)


def _check_input(where: str, value: Any) -> Iterator[Violation]:
    """Yields what is wrong with the arguments of a tool that was called."""
    if not isinstance(value, dict):
        yield Violation(where, f"'{where}' must be an object.")
    elif nests_deeper(value, JSON_DEPTH):
        yield Violation(where, f"'{where}' is nested more than {JSON_DEPTH} levels deep.")
    elif _most_keys(value) > INPUT_KEYS or len(json.dumps(value)) > INPUT_CHARACTERS:
        yield Violation(
            where,
            f"'{where}' takes objects of at most {INPUT_KEYS} keys, "
            f"and {INPUT_CHARACTERS:,} characters in all.",
        )


def _most_keys(value: Any) -> int:
    """Returns the number of keys of the largest object in a value."""
    if isinstance(value, dict):
        return max(len(value), *map(_most_keys, value.values()), 0)
    return max(map(_most_keys, value), default=0) if isinstance(value, list) else 0


def _check_tools(tools: Any, _: LlamaCppLimits) -> Iterator[Violation]:
    yield from check_tool_list(tools, _check_tool)


def _check_tool(field: str, tool: Any) -> Iterator[Violation]:
    if not isinstance(tool, dict):
        yield Violation(field, f"'{field}' must be an object.")
    elif tool.get("type") not in (None, "custom"):
        yield Violation(
            f"{field}.type", f"'{field}.type' must be 'custom': this API has no tools of its own."
        )
    elif tool.get("input_schema") is None:
        yield Violation(f"{field}.input_schema", f"'{field}.input_schema' is missing.")
    else:
        yield from check_function(field, tool, "input_schema")


def _check_tool_choice(document: dict[str, Any], limits: LlamaCppLimits) -> Iterator[Violation]:
    choice = document.get("tool_choice")
    if choice is None:
        return
    kind = choice.get("type") if isinstance(choice, dict) else None
    if kind not in _CHOICES:
        yield Violation("tool_choice", f"'tool_choice.type' must be one of {', '.join(_CHOICES)}.")
        return
    names = [tool["name"] for tool in document.get("tools") or ()]
    if kind == "tool" and choice.get("name") not in names:
        yield Violation("tool_choice", "'tool_choice.name' must be one of the names in 'tools'.")
    if kind in ("any", "tool"):
        yield from check_calls_tools(limits)


def _check_thinking(value: Any, limits: LlamaCppLimits) -> Iterator[Violation]:
    kind = value.get("type") if isinstance(value, dict) else None
    if kind not in ("enabled", "disabled", "adaptive"):
        yield Violation("thinking", "'thinking.type' must be 'enabled', 'disabled' or 'adaptive'.")
    elif value.get("budget_tokens") is not None:
        yield from check_integer("thinking.budget_tokens", 0)(value["budget_tokens"], limits)


_FIELDS: dict[str, Check] = {
    "messages": lambda _, __: iter(()),  # only how deep they are
    "system": lambda _, __: iter(()),
    "tools": _check_tools,
    "max_tokens": check_integer("max_tokens", 1),
    "stop_sequences": check_texts("stop_sequences", STOPS, STOP_CHARACTERS, alone=False),
    "thinking": _check_thinking,
    **{name: FIELDS[name] for name in _SAMPLING},
}

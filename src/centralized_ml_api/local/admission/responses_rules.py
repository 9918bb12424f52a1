"""What a call of `/v1/responses` may ask of llama.cpp's server, which keeps no responses. Pure.

The body is written anew from what is known of it. Tools that are not functions are left out, as the server
does: clients send them unasked. What would change the answer and is not there is refused.

Source: https://platform.openai.com/docs/api-reference/responses/create; what llama.cpp reads of it:
https://github.com/ggml-org/llama.cpp/blob/master/tools/server/server-chat.cpp
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from centralized_ml_api.local.admission.field_checks import check_integer, check_text
from centralized_ml_api.local.admission.json_schema_rules import check_json_schema
from centralized_ml_api.local.admission.llama_cpp_fields import (
    FIELDS,
    adapt_fields,
    check_fields,
    check_refused,
    cut,
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

    from centralized_ml_api.local.admission.field_checks import Check

ROLES = ("user", "system", "developer", "assistant")
EFFORT_CHARACTERS = 256
ITEMS = ("message", "function_call", "function_call_output", "reasoning")
FORMATS = ("text", "json_object", "json_schema")

_NOT_KEPT = "this server keeps no responses: send the whole conversation as 'input'"
_NOT_HERE: dict[str, str] = {
    "previous_response_id": _NOT_KEPT,
    "conversation": _NOT_KEPT,
    "background": "this server answers while the caller waits",
    "prompt": "this server keeps no prompts: send 'instructions' and 'input'",
    "response_format": "say 'text': {'format': …}",
    "n": "a response is one answer",
}
_MEDIA = {"input_image": "pictures", "input_file": "files", "input_audio": "audio"}
_TEXT_PARTS = ("input_text", "output_text", "text")
_LEFT_OUT = ("response_format", "n", "top_logprobs", "logprobs", "stream_options", "reasoning_effort")
"""Fields of chats that this API has in another form, or not at all."""


def check_response(document: dict[str, Any], limits: LlamaCppLimits) -> Iterator[Violation]:
    """Yields what is wrong with a body."""
    yield from check_refused(document)
    for name, reason in _NOT_HERE.items():
        if document.get(name):
            yield Violation(name, f"'{name}' is not taken here: {reason}.")
    yield from _check_input(document.get("input"), limits)
    for name in ("input", "instructions"):
        yield from check_size(name, document.get(name), limits)
    yield from check_fields(document, _FIELDS, limits)
    yield from _check_tool_choice(document, limits)


def adapt_response(document: dict[str, Any], limits: LlamaCppLimits) -> dict[str, Any]:
    """Returns the body that the server gets.

    - `max_output_tokens` is cut to the entry's
    - `text.format` becomes the field in which the server has it for chats; it ignores this one
    - of tools, those alone are left that `tool_choice` allows, without bounds that are too large to be
      written out; reasoning without its text is left out
    """
    adapted = adapt_fields(document, _SAMPLING, limits)
    given = document["input"]
    adapted["input"] = given if isinstance(given, str) else [*filter(None, map(_adapt_item, given))]
    if document.get("instructions") is not None:
        adapted["instructions"] = document["instructions"]
    if document.get("max_output_tokens") is not None:
        adapted["max_output_tokens"] = cut(document["max_output_tokens"], limits.max_output_tokens)
    effort = (document.get("reasoning") or {}).get("effort")
    if effort is not None:
        adapted["reasoning"] = {"effort": effort}
    return {**adapted, **_adapt_format(document), **_adapt_tools(document)}


def _adapt_format(document: dict[str, Any]) -> dict[str, Any]:
    said = (document.get("text") or {}).get("format") or {"type": "text"}
    if said["type"] == "json_schema":
        schema = {"name": said.get("name", "response"), "schema": said["schema"]}
        return {"response_format": {"type": "json_schema", "json_schema": schema}}
    return {} if said["type"] == "text" else {"response_format": {"type": said["type"]}}


def _adapt_tools(document: dict[str, Any]) -> dict[str, Any]:
    choice = document.get("tool_choice") or "auto"
    allowed = _list_allowed(choice)
    tools = [
        adapt_function(
            {name: tool[name] for name in _TOOL_FIELDS if tool.get(name) is not None}, "parameters"
        )
        for tool in document.get("tools") or ()
        if tool["type"] == "function" and (allowed is None or tool["name"] in allowed)
    ]
    if not tools or choice == "none":
        return {}
    mode = choice if isinstance(choice, str) else choice.get("mode", "required")
    return {"tools": tools, "tool_choice": mode}


def _list_allowed(choice: Any) -> list[str] | None:
    """Returns the names of the functions that may be called; None for all."""
    if isinstance(choice, str):
        return None
    if choice["type"] == "function":
        return [choice["name"]]
    return [tool["name"] for tool in choice["tools"] if tool.get("type") == "function"]


def _adapt_item(item: dict[str, Any]) -> dict[str, Any] | None:
    kind = item.get("type", "message")
    if kind == "message":
        written = "output_text" if item["role"] == "assistant" else "input_text"
        return {"type": kind, "role": item["role"], "content": _adapt_parts(item["content"], written)}
    if kind == "reasoning":
        content = _adapt_parts(item.get("content") or [], "reasoning_text")
        return {"type": kind, "summary": [], "content": content} if content else None
    if kind == "function_call_output":
        output = item["output"]
        texts = output if isinstance(output, str) else _adapt_parts(output, "input_text")
        return {"type": kind, "call_id": item["call_id"], "output": texts}
    return {"type": kind, **{name: item[name] for name in _CALL}}


def _adapt_parts(content: str | list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    parts = [{"text": content}] if isinstance(content, str) else content
    return [{"type": kind, "text": part.get("text", part.get("refusal"))} for part in parts]


def _check_input(given: Any, limits: LlamaCppLimits) -> Iterator[Violation]:
    if isinstance(given, str):
        return
    wrong = check_list("input", given, "item", limits, or_else="a string or ")
    if wrong is not None:
        yield wrong
        return
    for index, item in enumerate(given):
        yield from _check_item(f"input[{index}]", item)


def _check_item(field: str, item: Any) -> Iterator[Violation]:
    kind = item.get("type", "message") if isinstance(item, dict) else None
    if kind == "message":
        if item.get("role") not in ROLES:
            yield Violation(f"{field}.role", f"'{field}.role' must be one of {', '.join(ROLES)}.")
            return
        yield from _check_parts(f"{field}.content", item.get("content"))
    elif kind == "function_call":
        for name in _CALL:
            if not isinstance(item.get(name), str):
                yield Violation(f"{field}.{name}", f"'{field}.{name}' must be a string.")
    elif kind == "function_call_output":
        if not isinstance(item.get("call_id"), str):
            yield Violation(f"{field}.call_id", f"'{field}.call_id' must be a string.")
        yield from _check_parts(f"{field}.output", item.get("output"), ("input_text",))
    elif kind == "reasoning":
        yield from _check_reasoning(field, item)
    else:
        yield Violation(f"{field}.type", f"'{field}.type' must be one of {', '.join(ITEMS)}.")


def _check_reasoning(field: str, item: dict[str, Any]) -> Iterator[Violation]:
    for name in ("summary", "content"):
        parts = item.get(name) or []
        if not isinstance(parts, list) or not all(
            isinstance(part, dict) and isinstance(part.get("text"), str) for part in parts
        ):
            yield Violation(f"{field}.{name}", f"'{field}.{name}' must be a list of parts with 'text'.")


def _check_parts(field: str, content: Any, kinds: tuple[str, ...] = _TEXT_PARTS) -> Iterator[Violation]:
    if isinstance(content, str):
        return
    if not isinstance(content, list):
        yield Violation(field, f"'{field}' must be a string or a list of parts.")
        return
    for index, part in enumerate(content):
        where = f"{field}[{index}]"
        kind = part.get("type") if isinstance(part, dict) else None
        if isinstance(kind, str) and kind in _MEDIA:
            yield Violation(where, f"This model reads text alone: '{where}' has {_MEDIA[kind]}.")
        elif kind == "refusal" and isinstance(part.get("refusal"), str):
            continue
        elif kind not in kinds or not isinstance(part.get("text"), str):
            yield Violation(
                where, f'\'{where}\' must be a part such as {{"type": "input_text", "text": "…"}}.'
            )


def _check_tools(tools: Any, _: LlamaCppLimits) -> Iterator[Violation]:
    yield from check_tool_list(tools, _check_tool)


def _check_tool(field: str, tool: Any) -> Iterator[Violation]:
    if not isinstance(tool, dict) or not isinstance(tool.get("type"), str):
        yield Violation(field, f"'{field}' must be an object with 'type'.")
    elif tool["type"] == "function":
        yield from check_function(field, tool, "parameters")


def _check_tool_choice(document: dict[str, Any], limits: LlamaCppLimits) -> Iterator[Violation]:
    choice = document.get("tool_choice")
    if choice in (None, "none", "auto"):
        return
    if isinstance(choice, dict):
        functions = [tool.get("name") for tool in document.get("tools") or () if tool["type"] == "function"]
        listed = choice.get("tools") if choice.get("type") == "allowed_tools" else [choice]
        tools = listed if isinstance(listed, list) else ()
        named = [tool.get("name") for tool in tools if isinstance(tool, dict)]
        if not named or not all(name in functions for name in named) or choice.get("mode") not in _MODES:
            yield Violation("tool_choice", "'tool_choice' must name functions that are in 'tools'.")
            return
        if choice.get("mode") == "auto":
            return
    elif choice != "required":
        yield Violation("tool_choice", "'tool_choice' must be 'none', 'auto', 'required' or a function.")
        return
    yield from check_calls_tools(limits)


def _check_format(value: Any, _: LlamaCppLimits) -> Iterator[Violation]:
    said = value.get("format") if isinstance(value, dict) else value
    if said is None and isinstance(value, dict):
        return
    if not isinstance(said, dict) or said.get("type") not in FORMATS:
        yield Violation("text.format", f"'text.format.type' must be one of {', '.join(FORMATS)}.")
    elif said["type"] == "json_schema":
        yield from check_json_schema("text.format.schema", said.get("schema"))


def _check_reasoning_options(value: Any, limits: LlamaCppLimits) -> Iterator[Violation]:
    if not isinstance(value, dict):
        yield Violation("reasoning", "'reasoning' must be an object.")
    elif value.get("effort") is not None:
        yield from check_text("reasoning.effort", EFFORT_CHARACTERS)(value["effort"], limits)


_TOOL_FIELDS = ("type", "name", "description", "parameters", "strict")
_MODES = (None, "auto", "required")
_CALL = ("call_id", "name", "arguments")

_SAMPLING: dict[str, Check] = {name: check for name, check in FIELDS.items() if name not in _LEFT_OUT}
_FIELDS: dict[str, Check] = {
    "input": lambda _, __: iter(()),  # only how deep it is
    "instructions": check_text("instructions", 2**31),
    "tools": _check_tools,
    "max_output_tokens": check_integer("max_output_tokens", 1),
    "text": _check_format,
    "reasoning": _check_reasoning_options,
    **_SAMPLING,
}

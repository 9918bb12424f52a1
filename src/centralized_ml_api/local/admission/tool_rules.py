"""What llama.cpp takes as `tools` and `tool_choice`, in the forms of each API. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from centralized_ml_api.local.admission.json_schema_rules import (
    check_json_schema,
    without_descriptions,
    without_large_counts,
)
from centralized_ml_api.local.admission.violation import LlamaCppLimits, Violation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TOOLS = 128
"""OpenAI's limit."""

TOOLS_CHARACTERS = 262_144
"""Coding agents describe two dozen tools of their own in 80,000 characters, and those of others besides."""

GRAMMAR_CHARACTERS = 65_536
"""Of all tools without their descriptions, which the model reads and no grammar is made of."""

NAME_CHARACTERS = 64
"""OpenAI's limit for the name of a function."""


def check_tools(tools: Any, _: LlamaCppLimits) -> Iterator[Violation]:
    """Yields what is wrong with `tools` of a chat."""
    yield from check_tool_list(tools, _check_tool)


def check_tool_list(tools: Any, check: Callable[[str, Any], Iterator[Violation]]) -> Iterator[Violation]:
    """Yields what is wrong with a list of tools; `check` gets the path and the value of each."""
    if not isinstance(tools, list):
        yield Violation("tools", "'tools' must be a list.")
    elif len(tools) > TOOLS:
        yield Violation("tools", f"'tools' has {len(tools):,} tools; this model takes at most {TOOLS}.")
    elif len(json.dumps(tools)) > TOOLS_CHARACTERS:
        yield Violation(
            "tools", f"'tools' is too long; this model takes at most {TOOLS_CHARACTERS:,} characters."
        )
    elif len(json.dumps(without_descriptions(tools))) > GRAMMAR_CHARACTERS:
        yield Violation(
            "tools",
            "'tools' is too long without its descriptions; "
            f"this model takes at most {GRAMMAR_CHARACTERS:,} characters.",
        )
    else:
        for index, tool in enumerate(tools):
            yield from check(f"tools[{index}]", tool)


def check_function(field: str, function: dict[str, Any], schema: str) -> Iterator[Violation]:
    """Yields what is wrong with the description of a function, which the server gets by `adapt_function`.

    Args:
        field: Where it stands.
        function: The description.
        schema: The key of the JSON schema of its arguments, which each API names differently.
    """
    name = function.get("name")
    if not isinstance(name, str) or not 0 < len(name) <= NAME_CHARACTERS:
        where = f"{field}.name"
        yield Violation(where, f"'{where}' must be a string of at most {NAME_CHARACTERS} characters.")
    if not isinstance(function.get("description"), str | None):
        yield Violation(f"{field}.description", f"'{field}.description' must be a string.")
    if function.get(schema) is not None:
        yield from check_json_schema(f"{field}.{schema}", without_large_counts(function[schema]))


def adapt_function(function: dict[str, Any], schema: str) -> dict[str, Any]:
    """Returns the description of a function without bounds of its arguments that are too large. Pure."""
    if function.get(schema) is None:
        return function
    return {**function, schema: without_large_counts(function[schema])}


def adapt_tool(tool: dict[str, Any]) -> dict[str, Any]:
    """Returns what the server gets of a tool of a chat. Pure."""
    return {**tool, "function": adapt_function(tool["function"], "parameters")}


def check_tool_choice(choice: Any, limits: LlamaCppLimits) -> Iterator[Violation]:
    """Yields what is wrong with `tool_choice` of a chat."""
    if isinstance(choice, dict):
        name = choice["function"].get("name") if isinstance(choice.get("function"), dict) else None
        if not isinstance(name, str):
            yield Violation(
                "tool_choice",
                '\'tool_choice\' must name a function: {"type": "function", "function": {"name": "…"}}.',
            )
            return
    elif choice not in ("none", "auto", "required"):
        yield Violation("tool_choice", "'tool_choice' must be 'none', 'auto', 'required' or a function.")
        return
    if choice not in ("none", "auto"):
        yield from check_calls_tools(limits)


def check_calls_tools(limits: LlamaCppLimits) -> Iterator[Violation]:
    """Yields that a model cannot do what a call requires of it."""
    if limits.takes_tools is False:
        yield Violation(
            "tool_choice", "This model cannot call tools: its chat template has no place for them."
        )


def _check_tool(field: str, tool: Any) -> Iterator[Violation]:
    function = tool.get("function") if isinstance(tool, dict) else None
    if not isinstance(function, dict) or tool.get("type") != "function":
        yield Violation(field, f"'{field}' must have 'type': 'function' and an object as 'function'.")
        return
    yield from check_function(f"{field}.function", function, "parameters")

"""What a call of `/v1/messages` may ask of llama.cpp, and what the server gets of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from centralized_ml_api.local.admission.anthropic_rules import (
    adapt_anthropic_messages,
    check_anthropic_messages,
)
from centralized_ml_api.local.admission.violation import LlamaCppLimits

LIMITS = LlamaCppLimits(context_tokens=2048, max_output_tokens=512, slots=4, takes_tools=False)
WITH_TOOLS = replace(LIMITS, takes_tools=True)
HELLO = [{"role": "user", "content": "Hello"}]
WEATHER = {"name": "weather", "description": "How it is.", "input_schema": {"type": "object"}}


def call(**fields: Any) -> dict[str, Any]:
    return {"model": "m", "max_tokens": 16, "messages": HELLO, **fields}


def said(*blocks: Any, role: str = "user") -> dict[str, Any]:
    return call(messages=[{"role": role, "content": [*blocks]}])


def found(document: dict[str, Any], limits: LlamaCppLimits = LIMITS) -> str | None:
    violation = next(check_anthropic_messages(document, limits), None)
    return violation.message if violation else None


@pytest.mark.parametrize(
    "document",
    [
        call(),
        {"model": "m", "messages": HELLO},
        call(system="Be brief.", temperature=0.5, top_p=None, top_k=40, stream=True, stop_sequences=["a"]),
        call(system=[{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}]),
        call(metadata={"user_id": "u"}, service_tier="auto", betas=["a"], container=None, mcp_servers=[]),
        call(thinking={"type": "enabled", "budget_tokens": 1024}),
        call(thinking={"type": "disabled"}),
        call(thinking={"type": "adaptive"}, output_config={"effort": "high"}),
        call(tools=[WEATHER], tool_choice={"type": "auto", "disable_parallel_tool_use": True}),
        call(tools=[{**WEATHER, "type": "custom", "cache_control": {}}], tool_choice={"type": "none"}),
        call(tool_choice=None, tools=None, stop_sequences=None),
        said({"type": "text", "text": "Hi", "citations": []}),
        said({"type": "tool_result", "tool_use_id": "t"}),
        said({"type": "tool_result", "tool_use_id": "t", "content": "sunny", "is_error": False}),
        said({"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": "sunny"}]}),
        said(
            {"type": "thinking", "thinking": "Hm.", "signature": "s"},
            {"type": "redacted_thinking", "data": "…"},
            {"type": "tool_use", "id": "t", "name": "weather", "input": {"city": {"name": "Bern"}}},
            role="assistant",
        ),
    ],
)
def test_what_clients_send_passes(document: dict[str, Any]) -> None:
    assert found(document) is None


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (call(messages=None), "'messages' must be a list with at least one message."),
        (call(messages=[]), "'messages' must be a list with at least one message."),
        (call(messages=HELLO * 1025), "'messages' has 1,025 messages"),
        (call(messages=["hi"]), "'messages[0].role' must be one of user, assistant, system."),
        (call(messages=[{"role": "tool", "content": ""}]), "'messages[0].role' must be one of"),
        (call(messages=[{"role": "user"}]), "'messages[0].content' must be a string or a list of blocks."),
        (said("hi"), "'messages[0].content[0].type' must be one of text, thinking"),
        (said({"type": "search_result"}), "'messages[0].content[0].type' must be one of text, thinking"),
        (said({"type": ["text"]}), "'messages[0].content[0].type' must be one of text, thinking"),
        (said({"type": "text", "text": 1}), "'messages[0].content[0].text' must be a string."),
        (said({"type": "thinking"}), "'messages[0].content[0].thinking' must be a string."),
        (said({"type": "image", "source": {}}), "reads text alone: 'messages[0].content[0]' has pictures."),
        (said({"type": "document"}), "reads text alone: 'messages[0].content[0]' has documents."),
        (said({"type": "tool_result"}), "'messages[0].content[0].tool_use_id' must be a string."),
        (
            said({"type": "tool_result", "tool_use_id": "t", "content": [{"type": "image"}]}),
            "reads text alone: 'messages[0].content[0].content[0]' has pictures.",
        ),
        (said({"type": "tool_use", "id": "t"}), "'messages[0].content[0].name' must be a string."),
        (
            said({"type": "tool_use", "id": "t", "name": "n", "input": []}),
            "'messages[0].content[0].input' must be an object.",
        ),
        (
            said(
                {
                    "type": "tool_use",
                    "id": "t",
                    "name": "n",
                    "input": {"a": dict.fromkeys(map(str, range(257)))},
                }
            ),
            "takes objects of at most 256 keys",
        ),
        (
            said({"type": "tool_use", "id": "t", "name": "n", "input": {"a": "a" * 70_000}}),
            "and 65,536 characters in all.",
        ),
        (call(system=1), "'system' must be a string or a list of blocks."),
        (call(system=[{"type": "image"}]), "This model reads text alone: 'system[0]' has pictures."),
        (call(system="a" * 66_000), "prompt is too long: 'messages' has 66,009 bytes of text"),
        (call(max_tokens=0), "'max_tokens' must be an integer from 1 on."),
        (call(max_tokens="many"), "'max_tokens' must be an integer from 1 on."),
        (call(stop_sequences="a"), "'stop_sequences' takes at most 16 strings"),
        (call(stop_sequences=["a"] * 17), "'stop_sequences' takes at most 16 strings"),
        (call(temperature="hot"), "'temperature' must be a number."),
        (call(stream=1), "'stream' must be true or false."),
        (call(thinking={"type": "on"}), "'thinking.type' must be 'enabled', 'disabled' or 'adaptive'."),
        (
            call(thinking={"type": "enabled", "budget_tokens": -1}),
            "'thinking.budget_tokens' must be an integer from 0 on.",
        ),
        (call(tools={}), "'tools' must be a list."),
        (call(tools=[1]), "'tools[0]' must be an object."),
        (call(tools=[WEATHER] * 129), "'tools' has 129 tools; this model takes at most 128."),
        (call(tools=[{"name": "a"}]), "'tools[0].input_schema' is missing."),
        (call(tools=[{**WEATHER, "name": ""}]), "'tools[0].name' must be a string of at most 64 characters."),
        (call(tools=[{**WEATHER, "description": 1}]), "'tools[0].description' must be a string."),
        (
            call(tools=[{"type": "web_search_20250305", "name": "web_search"}]),
            "'tools[0].type' must be 'custom': this API has no tools of its own.",
        ),
        (
            call(tools=[{**WEATHER, "input_schema": {"pattern": "(a?)*"}}]),
            "'tools[0].input_schema.pattern' repeats what may be empty.",
        ),
        (call(tool_choice="any"), "'tool_choice.type' must be one of auto, any, tool, none."),
        (
            call(tools=[WEATHER], tool_choice={"type": "tool", "name": "other"}),
            "'tool_choice.name' must be one of the names in 'tools'.",
        ),
        (call(tools=[WEATHER], tool_choice={"type": "any"}), "This model cannot call tools"),
        (call(output_format={"type": "json_schema"}), "'output_format' is not taken here"),
        (call(output_config={"format": {"type": "json_schema"}}), "'output_format' is not taken here"),
        (call(mcp_servers=[{}]), "'mcp_servers' is not taken here"),
    ],
)
def test_what_is_wrong_is_named(document: dict[str, Any], message: str) -> None:
    assert message in (found(document) or "")


def test_no_depth_of_a_body_harms() -> None:
    deep: Any = []
    for _ in range(20_000):
        deep = {"a": deep}
    use = {"type": "tool_use", "id": "t", "name": "n", "input": deep}
    assert found(said(use)) == "'messages[0].content[0].input' is nested more than 64 levels deep."
    assert found(call(metadata=deep)) is None


SENT = call(
    max_tokens=99_999,
    metadata={"user_id": "u"},
    seed=1,
    grammar="root ::= x",
    system=[{"type": "text", "text": "Be brief.", "cache_control": {}}],
    stop_sequences=["a"],
    top_p=None,
    top_k=40,
    thinking={"type": "enabled", "budget_tokens": 10**9},
    messages=[
        {
            "role": "assistant",
            "x": 1,
            "content": [
                {"type": "thinking", "thinking": "Hm.", "signature": "s"},
                {"type": "redacted_thinking", "data": "…"},
                {"type": "tool_use", "id": "t", "name": "weather", "input": {"a": 1}, "caller": {}},
            ],
        },
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": "t",
                    "content": [{"type": "text", "text": "sunny", "x": 1}],
                    "is_error": True,
                }
            ],
        },
    ],
    tools=[{**WEATHER, "type": "custom", "cache_control": {}}],
)


def test_the_server_gets_what_it_reads_and_no_more() -> None:
    assert adapt_anthropic_messages(SENT, WITH_TOOLS) == {
        "model": "m",
        "max_tokens": 512,
        "system": [{"type": "text", "text": "Be brief."}],
        "stop_sequences": ["a"],
        "top_k": 40,
        "thinking": {"type": "enabled", "budget_tokens": 2048},
        "messages": [
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "Hm."},
                    {"type": "redacted_thinking"},
                    {"type": "tool_use", "id": "t", "name": "weather", "input": {"a": 1}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {
                        "type": "tool_result",
                        "tool_use_id": "t",
                        "content": [{"type": "text", "text": "sunny"}],
                    }
                ],
            },
        ],
        "tools": [WEATHER],
        "tool_choice": {"type": "auto"},
    }


def test_who_asks_for_no_length_gets_the_servers_own() -> None:
    assert adapt_anthropic_messages({"messages": HELLO}, LIMITS) == {"messages": HELLO, "max_tokens": -1}


@pytest.mark.parametrize(
    ("choice", "names", "written"),
    [
        (None, ["weather", "time"], {"type": "auto"}),
        ({"type": "auto"}, ["weather", "time"], {"type": "auto"}),
        ({"type": "any"}, ["weather", "time"], {"type": "any"}),
        ({"type": "tool", "name": "time"}, ["time"], {"type": "any"}),
        ({"type": "none"}, [], None),
    ],
)
def test_the_server_sees_the_tools_that_may_be_called(choice: Any, names: list[str], written: Any) -> None:
    sent = call(tools=[WEATHER, {**WEATHER, "name": "time"}], tool_choice=choice)
    assert found(sent, WITH_TOOLS) is None
    adapted = adapt_anthropic_messages(sent, WITH_TOOLS)
    assert [tool["name"] for tool in adapted.get("tools", [])] == names
    assert adapted.get("tool_choice") == written


def test_bounds_that_are_too_large_to_write_out_are_left_out_of_tools() -> None:
    schema = {
        "type": "object",
        "properties": {
            "script": {"type": "string", "minLength": 1, "maxLength": 524_288},
            "maxLength": {"anyOf": [{"type": "array", "maxItems": 5_000}, {"maxProperties": 3}]},
        },
    }
    sent = call(tools=[{**WEATHER, "input_schema": schema}])
    assert found(sent) is None
    (tool,) = adapt_anthropic_messages(sent, LIMITS)["tools"]
    assert tool["input_schema"]["properties"] == {
        "script": {"type": "string", "minLength": 1},
        "maxLength": {"anyOf": [{"type": "array"}, {"maxProperties": 3}]},
    }
    assert found(call(tools=[{**WEATHER, "input_schema": {"minLength": 5_000}}])) is not None

"""What a call of `/v1/responses` may ask of llama.cpp, and what the server gets of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from centralized_ml_api.local.admission.responses_rules import adapt_response, check_response
from centralized_ml_api.local.admission.violation import LlamaCppLimits

LIMITS = LlamaCppLimits(context_tokens=2048, max_output_tokens=512, slots=4, takes_tools=False)
WITH_TOOLS = replace(LIMITS, takes_tools=True)
WEATHER = {"type": "function", "name": "weather", "parameters": {"type": "object"}}
SCHEMA = {"type": "json_schema", "name": "n", "schema": {"type": "object"}, "strict": True}


def call(**fields: Any) -> dict[str, Any]:
    return {"model": "m", "input": "Hello", **fields}


def item(**fields: Any) -> dict[str, Any]:
    return call(input=[fields])


def found(document: dict[str, Any], limits: LlamaCppLimits = LIMITS) -> str | None:
    violation = next(check_response(document, limits), None)
    return violation.message if violation else None


@pytest.mark.parametrize(
    "document",
    [
        call(),
        call(instructions="Be brief.", max_output_tokens=16, temperature=None, top_p=1, stream=True),
        call(store=True, include=[], metadata={}, user="u", truncation="auto", service_tier="auto"),
        call(previous_response_id=None, conversation=None, background=False, prompt=None),
        call(text={"format": SCHEMA, "verbosity": "low"}, reasoning={"effort": "low", "summary": "auto"}),
        call(text={}, reasoning={"effort": None}),
        call(text={"format": {"type": "json_object"}}, stream_options={"include_obfuscation": False}),
        call(
            tools=[WEATHER, {"type": "web_search"}, {"type": "custom", "name": "patch"}], tool_choice="auto"
        ),
        call(tools=[{"type": "web_search"}], tool_choice="none", parallel_tool_calls=False),
        call(
            tools=[WEATHER],
            tool_choice={
                "type": "allowed_tools",
                "mode": "auto",
                "tools": [{"type": "function", "name": "weather"}],
            },
        ),
        item(role="user", content="Hi"),
        item(type="message", role="developer", content=[{"type": "input_text", "text": "Hi"}]),
        item(
            role="assistant",
            content=[{"type": "output_text", "text": "Hi"}, {"type": "refusal", "refusal": "No"}],
        ),
        item(type="function_call", id="i", call_id="c", name="weather", arguments="{}", status="completed"),
        item(type="function_call_output", call_id="c", output="sunny"),
        item(type="function_call_output", call_id="c", output=[{"type": "input_text", "text": "sunny"}]),
        item(type="reasoning", id="r", summary=[], encrypted_content="…", content=None),
    ],
)
def test_what_clients_send_passes(document: dict[str, Any]) -> None:
    assert found(document) is None


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({}, "'input' must be a string or a list with at least one item."),
        (call(input=[]), "'input' must be a string or a list with at least one item."),
        (call(input=[{"role": "user", "content": ""}] * 1025), "'input' has 1,025 items"),
        (call(input="a" * 66_000), "'input' has 66,000 bytes of text"),
        (call(instructions="a" * 66_000), "'instructions' has 66,000 bytes of text"),
        (call(instructions=[]), "'instructions' must be a string"),
        (call(input=["hi"]), "'input[0].type' must be one of message, function_call"),
        (item(type="local_shell_call"), "'input[0].type' must be one of message, function_call"),
        (item(type=["message"]), "'input[0].type' must be one of message, function_call"),
        (item(role="tool", content=""), "'input[0].role' must be one of user, system, developer, assistant."),
        (item(role="user"), "'input[0].content' must be a string or a list of parts."),
        (item(role="user", content=[{"type": "input_image"}]), "'input[0].content[0]' has pictures."),
        (item(role="user", content=[{"type": "input_file"}]), "'input[0].content[0]' has files."),
        (item(role="user", content=["hi"]), "'input[0].content[0]' must be a part such as"),
        (item(role="user", content=[{"type": "input_text"}]), "'input[0].content[0]' must be a part such as"),
        (item(type="function_call", call_id="c", name="n"), "'input[0].arguments' must be a string."),
        (item(type="function_call_output", output=""), "'input[0].call_id' must be a string."),
        (
            item(type="function_call_output", call_id="c", output=[{"type": "output_text", "text": ""}]),
            "'input[0].output[0]' must be a part such as",
        ),
        (item(type="reasoning", summary=1), "'input[0].summary' must be a list of parts with 'text'."),
        (item(type="reasoning", content=["a"]), "'input[0].content' must be a list of parts with 'text'."),
        (call(previous_response_id="r"), "'previous_response_id' is not taken here: this server keeps no"),
        (call(conversation="c"), "'conversation' is not taken here: this server keeps no responses"),
        (call(background=True), "'background' is not taken here: this server answers while"),
        (call(prompt={"id": "p"}), "'prompt' is not taken here: this server keeps no prompts"),
        (call(n=2), "'n' is not taken here: a response is one answer."),
        (call(response_format={"type": "json_object"}), "'response_format' is not taken here: say 'text'"),
        (call(grammar="root ::= x"), "'grammar' is not taken here"),
        (call(max_output_tokens=0), "'max_output_tokens' must be an integer from 1 on."),
        (call(seed="x"), "'seed' must be an integer"),
        (call(text="json"), "'text.format.type' must be one of text, json_object, json_schema."),
        (call(text={"format": {"type": "xml"}}), "'text.format.type' must be one of text, json_object"),
        (call(text={"format": {"type": "json_schema"}}), "'text.format.schema' must be a JSON schema"),
        (call(reasoning="low"), "'reasoning' must be an object."),
        (call(reasoning={"effort": 1}), "'reasoning.effort' must be a string of at most 256 characters."),
        (call(tools=1), "'tools' must be a list."),
        (call(tools=[{}]), "'tools[0]' must be an object with 'type'."),
        (call(tools=[{"type": "function"}]), "'tools[0].name' must be a string of at most 64 characters."),
        (
            call(tools=[{**WEATHER, "parameters": {"pattern": "(a?)*"}}]),
            "'tools[0].parameters.pattern' repeats what may be empty.",
        ),
        (call(tool_choice="maybe"), "'tool_choice' must be 'none', 'auto', 'required' or a function."),
        (call(tool_choice={"type": "function"}), "'tool_choice' must name functions that are in 'tools'."),
        (
            call(tools=[WEATHER], tool_choice={"type": "function", "name": "other"}),
            "'tool_choice' must name functions that are in 'tools'.",
        ),
        (
            call(tools=[WEATHER], tool_choice={"type": "allowed_tools", "mode": "auto", "tools": "weather"}),
            "'tool_choice' must name functions that are in 'tools'.",
        ),
        (call(tools=[WEATHER], tool_choice="required"), "This model cannot call tools"),
        (call(tools=[WEATHER], tool_choice={"type": "function", "name": "weather"}), "cannot call tools"),
    ],
)
def test_what_is_wrong_is_named(document: dict[str, Any], message: str) -> None:
    assert message in (found(document) or "")


def test_no_depth_of_a_body_harms() -> None:
    deep: Any = []
    for _ in range(20_000):
        deep = [deep]
    assert found(call(metadata=deep)) is None
    assert found(call(text={"format": deep})) == "'text' is nested more than 64 levels deep."


def test_the_server_gets_what_it_reads_and_no_more() -> None:
    sent = call(
        instructions="Be brief.",
        max_output_tokens=99_999,
        reasoning={"effort": "low", "summary": "auto"},
        text={"format": SCHEMA},
        metadata={"a": 1},
        store=True,
        logprobs=True,
        temperature=0.5,
        tools=[{**WEATHER, "x": 1}, {"type": "web_search"}],
        input=[
            {"role": "user", "content": "Hi", "x": 1},
            {"type": "reasoning", "id": "r", "summary": [], "encrypted_content": "…"},
            {"type": "reasoning", "content": [{"type": "reasoning_text", "text": "Hm.", "x": 1}]},
            {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]},
            {"type": "function_call", "id": "i", "call_id": "c", "name": "weather", "arguments": "{}"},
            {
                "type": "function_call_output",
                "call_id": "c",
                "output": [{"type": "input_text", "text": "sunny", "x": 1}],
            },
            {"type": "function_call_output", "call_id": "c", "output": "sunny"},
        ],
    )
    assert found(sent, WITH_TOOLS) is None
    assert adapt_response(sent, WITH_TOOLS) == {
        "model": "m",
        "instructions": "Be brief.",
        "max_output_tokens": 512,
        "reasoning": {"effort": "low"},
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "n", "schema": {"type": "object"}},
        },
        "temperature": 0.5,
        "tools": [WEATHER],
        "tool_choice": "auto",
        "input": [
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]},
            {
                "type": "reasoning",
                "summary": [],
                "content": [{"type": "reasoning_text", "text": "Hm."}],
            },
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "No."}]},
            {"type": "function_call", "call_id": "c", "name": "weather", "arguments": "{}"},
            {
                "type": "function_call_output",
                "call_id": "c",
                "output": [{"type": "input_text", "text": "sunny"}],
            },
            {"type": "function_call_output", "call_id": "c", "output": "sunny"},
        ],
    }


def test_formats_without_a_schema_are_passed_on_where_the_server_has_them() -> None:
    for kind, written in (("text", None), ("json_object", {"type": "json_object"})):
        adapted = adapt_response(call(text={"format": {"type": kind}}), LIMITS)
        assert adapted.get("response_format") == written
    assert adapt_response(call(), replace(LIMITS, shares_prompts=False)) == call(cache_prompt=False)


@pytest.mark.parametrize(
    ("choice", "names", "written"),
    [
        (None, ["weather", "time"], "auto"),
        ("required", ["weather", "time"], "required"),
        ({"type": "function", "name": "time"}, ["time"], "required"),
        (
            {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "time"}]},
            ["time"],
            "auto",
        ),
        ("none", [], None),
    ],
)
def test_the_server_sees_the_tools_that_may_be_called(choice: Any, names: list[str], written: Any) -> None:
    sent = call(tools=[WEATHER, {**WEATHER, "name": "time"}], tool_choice=choice)
    assert found(sent, WITH_TOOLS) is None
    adapted = adapt_response(sent, WITH_TOOLS)
    assert [tool["name"] for tool in adapted.get("tools", [])] == names
    assert adapted.get("tool_choice") == written


def test_bounds_that_are_too_large_to_write_out_are_left_out_of_tools_alone() -> None:
    def tool(**bounds: int) -> dict[str, Any]:
        return {
            **WEATHER,
            "parameters": {"type": "object", "properties": {"script": {"minLength": 1, **bounds}}},
        }

    sent = call(tools=[tool(maxLength=524_288)])
    assert found(sent, WITH_TOOLS) is None
    assert adapt_response(sent, WITH_TOOLS)["tools"] == [tool()]
    schema = {"type": "json_schema", "schema": {"maxLength": 524_288}}
    assert "must be an integer from 0 to 2,000." in (found(call(text={"format": schema})) or "")

"""What servers get for single fields of the bodies of clients."""

from __future__ import annotations

import json
from typing import Any

import pytest

from support.translation import (
    CHAT,
    CLAUDE,
    CONVERSE,
    MESSAGES,
    RESPONSES,
    SCHEMA,
    Translation,
    translate_all,
    translate_one,
)


def plain(**fields: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", "content": "Hi"}], **fields}


def chat_tool(name: str) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "parameters": SCHEMA}}


FORMAT = {"type": "json_schema", "json_schema": {"name": "place", "description": "Where.", "schema": SCHEMA}}
ANSWER_TOOL = {
    "name": "answer_in_format",
    "description": "Gives the final answer in the format that the user asked for. place: Where.",
}
CHOSEN = {"type": "tool", "name": "answer_in_format"}


def document(title: str) -> dict[str, Any]:
    return {"type": "document", "source": {"type": "text", "data": "x"}, "title": title}


def named(name: str) -> dict[str, Any]:
    return {"document": {"format": "txt", "name": name, "source": {"bytes": "eA=="}}}


PARTS: list[tuple[str, Translation, dict[str, Any]]] = [
    ("no limit", Translation(CHAT, MESSAGES, plain()), {"max_tokens": 4096, "output_config": None}),
    (
        "a limit of the target",
        Translation(CHAT, MESSAGES, plain(), options={"maxTokens": 7}),
        {"max_tokens": 7},
    ),
    ("the old limit", Translation(CHAT, MESSAGES, plain(max_tokens=5)), {"max_tokens": 5}),
    (
        "both limits",
        Translation(CHAT, MESSAGES, plain(max_tokens=5, max_completion_tokens=6)),
        {"max_tokens": 6},
    ),
    (
        "no thoughts",
        Translation(CHAT, MESSAGES, plain(reasoning_effort="none")),
        {"thinking": {"type": "disabled"}, "output_config": None},
    ),
    (
        "few thoughts",
        Translation(CHAT, MESSAGES, plain(reasoning_effort="minimal")),
        {"output_config": {"effort": "low"}},
    ),
    (
        "a format",
        Translation(CHAT, MESSAGES, plain(response_format=FORMAT)),
        {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}, "tools": None},
    ),
    (
        "JSON",
        Translation(CHAT, MESSAGES, plain(response_format={"type": "json_object"})),
        {
            "tools": [
                {
                    "name": "answer_in_format",
                    "description": "Gives the final answer in the format that the user asked for.",
                    "input_schema": {"type": "object"},
                }
            ],
            "tool_choice": CHOSEN,
        },
    ),
    (
        "a format on Bedrock",
        Translation(CHAT, CONVERSE, plain(response_format=FORMAT)),
        {
            "toolConfig": {
                "tools": [{"toolSpec": {**ANSWER_TOOL, "inputSchema": {"json": SCHEMA}}}],
                "toolChoice": {"tool": {"name": "answer_in_format"}},
            },
            "outputConfig": None,
        },
    ),
    (
        "a format on Bedrock beside tools",
        Translation(CHAT, CONVERSE, plain(response_format=FORMAT, tools=[chat_tool("answer_in_format")])),
        {
            "toolConfig": {
                "tools": [
                    {"toolSpec": {"name": "answer_in_format", "inputSchema": {"json": SCHEMA}}},
                    {
                        "toolSpec": {
                            **ANSWER_TOOL,
                            "name": "answer_in_format_",
                            "inputSchema": {"json": SCHEMA},
                        }
                    },
                ],
                "toolChoice": {"any": {}},
            }
        },
    ),
    (
        "Anthropic's format on Bedrock",
        Translation(
            MESSAGES,
            CONVERSE,
            plain(output_config={"format": {"type": "json_schema", "schema": SCHEMA}, "effort": "max"}),
        ),
        {
            "outputConfig": {
                "textFormat": {
                    "type": "json_schema",
                    "structure": {
                        "jsonSchema": {"name": "answer", "schema": json.dumps(SCHEMA, separators=(",", ":"))}
                    },
                },
                "effort": "max",
            },
            "toolConfig": None,
        },
    ),
    (
        "Anthropic's format on a server of chats",
        Translation(
            MESSAGES,
            CHAT,
            plain(output_config={"format": {"type": "json_schema", "schema": SCHEMA}, "effort": "low"}),
        ),
        {
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "answer", "schema": SCHEMA, "strict": True},
            },
            "reasoning_effort": "low",
        },
    ),
    (
        "the most effort",
        Translation(MESSAGES, CHAT, plain(output_config={"effort": "max"})),
        {"reasoning_effort": "xhigh"},
    ),
    (
        "tools called before and none now",
        Translation(
            CHAT,
            CONVERSE,
            plain(
                messages=[
                    {"role": "user", "content": "Hi"},
                    {
                        "role": "assistant",
                        "tool_calls": [{"id": "a", "function": {"name": "f", "arguments": "{}"}}],
                    },
                    {"role": "tool", "tool_call_id": "a", "content": ""},
                ]
            ),
        ),
        {"toolConfig": {"tools": [{"toolSpec": {"name": "f", "inputSchema": {"json": {"type": "object"}}}}]}},
    ),
    (
        "tools that may not be called",
        Translation(CHAT, CONVERSE, plain(tools=[chat_tool("f")], tool_choice="none")),
        {"toolConfig": None},
    ),
    (
        "tools that must be called",
        Translation(
            MESSAGES,
            CHAT,
            plain(
                tools=[{"name": "f", "input_schema": SCHEMA}],
                tool_choice={"type": "any", "disable_parallel_tool_use": True},
            ),
        ),
        {"tool_choice": "required", "parallel_tool_calls": False},
    ),
    (
        "a choice without tools",
        Translation(MESSAGES, CHAT, plain(tool_choice={"type": "auto"})),
        {"tool_choice": None},
    ),
    (
        "top_k for Claude",
        Translation(MESSAGES, CONVERSE, plain(top_k=5), options=CLAUDE),
        {"additionalModelRequestFields": {"top_k": 5}},
    ),
    (
        "thinking that Claude decides",
        Translation(
            MESSAGES, CONVERSE, plain(thinking={"type": "adaptive", "display": "omitted"}), options=CLAUDE
        ),
        {"additionalModelRequestFields": {"thinking": {"type": "adaptive", "display": "omitted"}}},
    ),
    (
        "thinking of another model",
        Translation(MESSAGES, CONVERSE, plain(thinking={"type": "enabled", "budget_tokens": 2000})),
        {"additionalModelRequestFields": None},
    ),
    (
        "thinking where nothing is known of the model but that it is another one",
        Translation(
            MESSAGES,
            CONVERSE,
            plain(thinking={"type": "enabled", "budget_tokens": 2000}),
            options={"model": "arn:aws:bedrock:us-east-1:1:inference-profile/us.amazon.nova-pro-v1:0"},
        ),
        {"additionalModelRequestFields": None},
    ),
    (
        "no effort of Claude behind Bedrock",
        Translation(CHAT, CONVERSE, plain(reasoning_effort="none"), options=CLAUDE),
        {"additionalModelRequestFields": {"thinking": {"type": "disabled"}}, "outputConfig": None},
    ),
    (
        "minimal effort behind Bedrock",
        Translation(CHAT, CONVERSE, plain(reasoning_effort="minimal")),
        {"outputConfig": {"effort": "low"}},
    ),
    (
        "documents of one name, in results too",
        Translation(
            MESSAGES,
            CONVERSE,
            plain(
                messages=[
                    {"role": "user", "content": "Hi"},
                    {
                        "role": "assistant",
                        "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {}}],
                    },
                    {
                        "role": "user",
                        "content": [
                            {"type": "tool_result", "tool_use_id": "t", "content": [document("a 2.txt")]},
                            document("a.txt"),
                            document("x" * 300),
                        ],
                    },
                ],
                tools=[{"name": "f", "input_schema": SCHEMA}],
            ),
        ),
        {
            "messages": [
                {"role": "user", "content": [{"text": "Hi"}]},
                {"role": "assistant", "content": [{"toolUse": {"toolUseId": "t", "name": "f", "input": {}}}]},
                {
                    "role": "user",
                    "content": [
                        {"toolResult": {"toolUseId": "t", "content": [named("a 2")]}},
                        named("a 3"),
                        named("x" * 198 + " 3"),
                    ],
                },
            ]
        },
    ),
    (
        "empty texts",
        Translation(
            CHAT,
            MESSAGES,
            plain(
                messages=[
                    {"role": "user", "content": "Hi"},
                    {"role": "assistant", "content": "", "refusal": "No."},
                    {"role": "user", "content": ""},
                ]
            ),
        ),
        {
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": "Hi"}]},
                {"role": "assistant", "content": [{"type": "text", "text": "No."}]},
                {"role": "user", "content": [{"type": "text", "text": ""}]},
            ]
        },
    ),
    (
        "documents of text",
        Translation(
            MESSAGES,
            CONVERSE,
            plain(
                messages=[
                    {
                        "role": "user",
                        "content": [
                            {
                                "type": "document",
                                "source": {"type": "text", "media_type": "text/plain", "data": "é"},
                                "title": "a_b.txt",
                            },
                            {"type": "document", "source": {"type": "text", "data": "x"}},
                        ],
                    }
                ]
            ),
        ),
        {
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"document": {"format": "txt", "name": "a b", "source": {"bytes": "w6k="}}},
                        {"document": {"format": "txt", "name": "document 2", "source": {"bytes": "eA=="}}},
                    ],
                }
            ]
        },
    ),
    (
        "a text as the input of Responses",
        Translation(RESPONSES, MESSAGES, {"model": "m", "input": "Hi", "instructions": "Be brief."}),
        {
            "system": [{"type": "text", "text": "Be brief."}],
            "messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}],
            "stream": None,
        },
    ),
]


@pytest.fixture(scope="module")
def parts() -> list[dict[str, Any]]:
    return translate_all(case for _, case, _ in PARTS)


@pytest.mark.parametrize("number", range(len(PARTS)), ids=[name for name, *_ in PARTS])
def test_a_part_of_a_body_is_translated(parts: list[dict[str, Any]], number: int) -> None:
    """None stands for a field that is not there."""
    body, expected = parts[number]["body"], PARTS[number][2]
    assert {name: body.get(name) for name in expected} == expected


def test_there_are_translators_of_these_pairs_alone() -> None:
    with pytest.raises(AssertionError, match="no translator from anthropic-messages to anthropic-messages"):
        translate_one(Translation(MESSAGES, MESSAGES, plain()))

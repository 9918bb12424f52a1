"""What servers get for the bodies of clients, held against the vendors' own descriptions of their APIs."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.session import Session
from botocore.validate import ParamValidator
from openai.types.chat.completion_create_params import CompletionCreateParamsStreaming
from pydantic import TypeAdapter

from support.client_bodies import CLAUDE_CODE, CODEX, OPENAI_SDK
from support.translation import (
    CHAT,
    CLAUDE,
    CONVERSE,
    MESSAGES,
    PDF,
    PNG,
    RESPONSES,
    SCHEMA,
    Translation,
    translate_all,
)

EXPECTED: dict[str, tuple[Translation, dict[str, Any]]] = {
    "Claude Code on a server of chats": (
        Translation(MESSAGES, CHAT, CLAUDE_CODE),
        {
            "model": "m",
            "messages": [
                {"role": "system", "content": "You are Claude Code.\n\nBe brief."},
                {"role": "user", "content": "What is here?"},
                {
                    "role": "assistant",
                    "content": "I look.",
                    "tool_calls": [
                        {
                            "id": "toolu_1",
                            "type": "function",
                            "function": {"name": "Read", "arguments": '{"city":"a"}'},
                        },
                        {
                            "id": "toolu_2",
                            "type": "function",
                            "function": {"name": "Read", "arguments": '{"city":"b"}'},
                        },
                    ],
                },
                {"role": "tool", "tool_call_id": "toolu_1", "content": "Error: one"},
                {
                    "role": "tool",
                    "tool_call_id": "toolu_2",
                    "content": "two\n(What else the tool returned is in the next message.)",
                },
                {
                    "role": "user",
                    "content": [
                        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
                        {"type": "text", "text": "Go on."},
                    ],
                },
            ],
            "max_completion_tokens": 32000,
            "tools": [
                {
                    "type": "function",
                    "function": {
                        "name": "Read",
                        "description": "Reads a file.",
                        "parameters": {"$schema": "http://json-schema.org/draft-07/schema#", **SCHEMA},
                    },
                }
            ],
            "stream": True,
            "stream_options": {"include_usage": True},
        },
    ),
    "the openai SDK on Anthropic's server": (
        Translation(CHAT, MESSAGES, OPENAI_SDK),
        {
            "model": "m",
            "max_tokens": 100,
            "system": [{"type": "text", "text": "Be brief."}, {"type": "text", "text": "Be kind."}],
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "Look:"},
                        {
                            "type": "image",
                            "source": {"type": "base64", "media_type": "image/png", "data": PNG},
                        },
                        {
                            "type": "document",
                            "source": {"type": "base64", "media_type": "application/pdf", "data": PDF},
                            "title": "my report.pdf",
                        },
                    ],
                },
                {
                    "role": "assistant",
                    "content": [
                        {"type": "tool_use", "id": "call_1", "name": "f", "input": {"city": "a"}},
                        {"type": "tool_use", "id": "call_2", "name": "f", "input": {}},
                    ],
                },
                {
                    "role": "user",
                    "content": [
                        {
                            "type": "tool_result",
                            "tool_use_id": "call_1",
                            "content": [{"type": "text", "text": "one"}],
                        },
                        {
                            "type": "tool_result",
                            "tool_use_id": "call_2",
                            "content": [{"type": "text", "text": "two"}],
                        },
                        {"type": "text", "text": "Go on."},
                    ],
                },
            ],
            "temperature": 0.5,
            "top_p": 0.9,
            "stop_sequences": ["END"],
            "output_config": {"effort": "low"},
            "tools": [{"name": "f", "description": "F.", "input_schema": SCHEMA, "strict": True}],
            "tool_choice": {"type": "tool", "name": "f", "disable_parallel_tool_use": True},
            "stream": True,
        },
    ),
    "Codex on a server of chats": (
        Translation(RESPONSES, CHAT, CODEX, options={"limitKey": "max_tokens", "takesStreamOptions": False}),
        {
            "model": "m",
            "messages": [
                {"role": "system", "content": "You are a coding agent.\n\nNo network."},
                {"role": "user", "content": "List."},
                {
                    "role": "assistant",
                    "content": None,
                    "tool_calls": [
                        {
                            "id": "call_1",
                            "type": "function",
                            "function": {"name": "shell", "arguments": '{"city":"a"}'},
                        },
                        {
                            "id": "call_2",
                            "type": "function",
                            "function": {"name": "agents__close", "arguments": "{}"},
                        },
                    ],
                },
                {"role": "tool", "tool_call_id": "call_1", "content": "a.txt"},
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "And this?"},
                        {"type": "image_url", "image_url": {"url": "https://a.test/a.png"}},
                    ],
                },
            ],
            "max_tokens": 50,
            "reasoning_effort": "medium",
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "place", "schema": SCHEMA, "strict": True},
            },
            "tools": [
                {"type": "function", "function": {"name": "shell", "parameters": SCHEMA}},
                {"type": "function", "function": {"name": "agents__close", "parameters": SCHEMA}},
            ],
            "tool_choice": "auto",
            "stream": True,
        },
    ),
    "Claude Code on Bedrock": (
        Translation(MESSAGES, CONVERSE, CLAUDE_CODE, options=CLAUDE),
        {
            "system": [
                {"text": "You are Claude Code."},
                {"text": "Be brief."},
                {"cachePoint": {"type": "default", "ttl": "1h"}},
            ],
            "messages": [
                {"role": "user", "content": [{"text": "What is here?"}]},
                {
                    "role": "assistant",
                    "content": [
                        {"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "c2ln"}}},
                        {"text": "I look."},
                        {"toolUse": {"toolUseId": "toolu_1", "name": "Read", "input": {"city": "a"}}},
                        {"toolUse": {"toolUseId": "toolu_2", "name": "Read", "input": {"city": "b"}}},
                    ],
                },
                {
                    "role": "user",
                    "content": [
                        {
                            "toolResult": {
                                "toolUseId": "toolu_1",
                                "content": [{"text": "one"}],
                                "status": "error",
                            }
                        },
                        {
                            "toolResult": {
                                "toolUseId": "toolu_2",
                                "content": [
                                    {"text": "two"},
                                    {"image": {"format": "png", "source": {"bytes": PNG}}},
                                ],
                            }
                        },
                        {"text": "Go on."},
                        {"cachePoint": {"type": "default"}},
                    ],
                },
            ],
            "inferenceConfig": {"maxTokens": 32000},
            "toolConfig": {
                "tools": [
                    {
                        "toolSpec": {
                            "name": "Read",
                            "description": "Reads a file.",
                            "inputSchema": {
                                "json": {"$schema": "http://json-schema.org/draft-07/schema#", **SCHEMA}
                            },
                        }
                    },
                    {"cachePoint": {"type": "default"}},
                ]
            },
            "additionalModelRequestFields": {"thinking": {"type": "enabled", "budget_tokens": 31999}},
        },
    ),
    "the openai SDK on Bedrock": (
        Translation(CHAT, CONVERSE, OPENAI_SDK, options=CLAUDE),
        {
            "system": [{"text": "Be brief."}, {"text": "Be kind."}],
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"text": "Look:"},
                        {"image": {"format": "png", "source": {"bytes": PNG}}},
                        {"document": {"format": "pdf", "name": "my report", "source": {"bytes": PDF}}},
                    ],
                },
                {
                    "role": "assistant",
                    "content": [
                        {"toolUse": {"toolUseId": "call_1", "name": "f", "input": {"city": "a"}}},
                        {"toolUse": {"toolUseId": "call_2", "name": "f", "input": {}}},
                    ],
                },
                {
                    "role": "user",
                    "content": [
                        {"toolResult": {"toolUseId": "call_1", "content": [{"text": "one"}]}},
                        {"toolResult": {"toolUseId": "call_2", "content": [{"text": "two"}]}},
                        {"text": "Go on."},
                    ],
                },
            ],
            "inferenceConfig": {
                "maxTokens": 100,
                "temperature": 0.5,
                "topP": 0.9,
                "stopSequences": ["END"],
            },
            "toolConfig": {
                "tools": [
                    {
                        "toolSpec": {
                            "name": "f",
                            "description": "F.",
                            "inputSchema": {"json": SCHEMA},
                            "strict": True,
                        }
                    }
                ],
                "toolChoice": {"tool": {"name": "f"}},
            },
            "outputConfig": {"effort": "low"},
            "additionalModelRequestFields": {
                "tool_choice": {"type": "tool", "name": "f", "disable_parallel_tool_use": True}
            },
        },
    ),
}


@pytest.fixture(scope="module")
def built() -> dict[str, dict[str, Any]]:
    results = translate_all(case for case, _ in EXPECTED.values())
    return dict(zip(EXPECTED, results, strict=True))


@pytest.mark.parametrize("name", EXPECTED)
def test_a_server_gets_what_the_client_meant(built: dict[str, dict[str, Any]], name: str) -> None:
    assert built[name]["body"] == EXPECTED[name][1]
    assert built[name]["streams"] is True


@pytest.mark.parametrize("name", [name for name, (case, _) in EXPECTED.items() if case.server == CONVERSE])
def test_bedrock_takes_the_body(built: dict[str, dict[str, Any]], name: str) -> None:
    shape = Session().get_service_model("bedrock-runtime").operation_model("ConverseStream").input_shape
    report = ParamValidator().validate({"modelId": "m", **built[name]["body"]}, shape)
    assert not report.has_errors(), report.generate_report()


@pytest.mark.parametrize("name", [name for name, (case, _) in EXPECTED.items() if case.server == CHAT])
def test_openai_takes_the_body(built: dict[str, dict[str, Any]], name: str) -> None:
    known = TypeAdapter(CompletionCreateParamsStreaming)
    assert built[name]["body"].keys() <= CompletionCreateParamsStreaming.__annotations__.keys() | {
        "max_tokens"
    }
    known.validate_python(built[name]["body"])

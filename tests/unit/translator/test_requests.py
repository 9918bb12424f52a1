"""What servers get for the bodies of clients, held against the vendors' own descriptions of their APIs."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from botocore.session import Session
from botocore.validate import ParamValidator
from openai.types.chat.completion_create_params import CompletionCreateParamsStreaming
from pydantic import TypeAdapter

from support.translation import Translation, translate_all, translate_one

CHAT, RESPONSES, MESSAGES = "openai-chat", "openai-responses", "anthropic-messages"
CONVERSE = "bedrock-converse"
PNG = base64.b64encode(b"png").decode()
PDF = base64.b64encode(b"%PDF").decode()
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
CLAUDE = {"model": "us.anthropic.claude-haiku-4-5-20251001-v1:0"}

CLAUDE_CODE: dict[str, Any] = {
    "model": "m",
    "max_tokens": 32000,
    "stream": True,
    "metadata": {"user_id": "user_0a_account__session_1"},
    "thinking": {"type": "enabled", "budget_tokens": 31999},
    "output_config": {"effort": "high"},
    "context_management": {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]},
    "system": [
        {"type": "text", "text": "You are Claude Code."},
        {"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
    ],
    "tools": [
        {
            "name": "Read",
            "description": "Reads a file.",
            "input_schema": {"$schema": "http://json-schema.org/draft-07/schema#", **SCHEMA},
            "cache_control": {"type": "ephemeral"},
            "eager_input_streaming": True,
        }
    ],
    "messages": [
        {"role": "user", "content": "What is here?"},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"},
                {"type": "text", "text": "I look."},
                {"type": "tool_use", "id": "toolu_1", "name": "Read", "input": {"city": "a"}},
                {"type": "tool_use", "id": "toolu_2", "name": "Read", "input": {"city": "b"}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "toolu_1", "content": "one", "is_error": True},
                {
                    "type": "tool_result",
                    "tool_use_id": "toolu_2",
                    "content": [
                        {"type": "text", "text": "two"},
                        {
                            "type": "image",
                            "source": {"type": "base64", "media_type": "image/png", "data": PNG},
                        },
                    ],
                },
                {"type": "text", "text": "Go on.", "cache_control": {"type": "ephemeral"}},
            ],
        },
    ],
}
"""As Claude Code sends it: budget, cache points, parallel tools, a tool's picture."""

OPENAI_SDK: dict[str, Any] = {
    "model": "m",
    "max_completion_tokens": 100,
    "temperature": 0.5,
    "top_p": 0.9,
    "n": 1,
    "stop": "END",
    "user": "team",
    "store": False,
    "seed": None,
    "reasoning_effort": "low",
    "parallel_tool_calls": False,
    "stream": True,
    "stream_options": {"include_usage": True},
    "tools": [
        {
            "type": "function",
            "function": {"name": "f", "description": "F.", "parameters": SCHEMA, "strict": True},
        }
    ],
    "tool_choice": {"type": "function", "function": {"name": "f"}},
    "messages": [
        {"role": "developer", "content": "Be brief."},
        {"role": "system", "content": [{"type": "text", "text": "Be kind."}]},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Look:"},
                {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}", "detail": "low"}},
                {
                    "type": "file",
                    "file": {"filename": "my report.pdf", "file_data": f"data:application/pdf;base64,{PDF}"},
                },
            ],
        },
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"city": "a"}'}},
                {"id": "call_2", "type": "function", "function": {"name": "f", "arguments": ""}},
            ],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": "one"},
        {"role": "tool", "tool_call_id": "call_2", "content": [{"type": "text", "text": "two"}]},
        {"role": "user", "content": "Go on."},
    ],
}
CODEX: dict[str, Any] = {
    "model": "m",
    "instructions": "You are a coding agent.",
    "input": [
        {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "No network."}]},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "List."}]},
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "x"},
        {"type": "function_call", "call_id": "call_1", "name": "shell", "arguments": '{"city": "a"}'},
        {
            "type": "function_call",
            "call_id": "call_2",
            "name": "close",
            "namespace": "agents",
            "arguments": "{}",
        },
        {"type": "function_call_output", "call_id": "call_1", "output": "a.txt"},
        {
            "role": "user",
            "content": [
                {"type": "input_text", "text": "And this?"},
                {"type": "input_image", "image_url": "https://a.test/a.png", "detail": "auto"},
            ],
        },
    ],
    "tools": [
        {"type": "function", "name": "shell", "parameters": SCHEMA, "strict": False},
        {
            "type": "namespace",
            "name": "agents",
            "description": "Tools for agents.",
            "tools": [{"type": "function", "name": "close", "strict": False, "parameters": SCHEMA}],
        },
        {"type": "web_search", "external_web_access": True},
    ],
    "tool_choice": "auto",
    "parallel_tool_calls": True,
    "reasoning": {"effort": "medium", "summary": "auto"},
    "text": {"format": {"type": "json_schema", "name": "place", "schema": SCHEMA, "strict": True}},
    "store": False,
    "stream": True,
    "include": ["reasoning.encrypted_content"],
    "prompt_cache_key": "k",
    "max_output_tokens": 50,
}

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

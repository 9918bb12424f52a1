"""What cannot be translated is refused by the name of its field."""

from __future__ import annotations

from typing import Any

import pytest

from support.translation import CHAT, CONVERSE, MESSAGES, RESPONSES, Translation, translate_all

USER = {"role": "user", "content": "Hi"}


def asked(**fields: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [USER], **fields}


def said(*parts: dict[str, Any]) -> dict[str, Any]:
    return asked(messages=[{"role": "user", "content": list(parts)}])


def responding(**fields: Any) -> dict[str, Any]:
    return {"model": "m", "input": "Hi", **fields}


CALLED = [
    USER,
    {"role": "assistant", "tool_calls": [{"id": "a", "function": {"name": "f", "arguments": "{}"}}]},
    {"role": "tool", "tool_call_id": "a", "content": "x"},
]
FUNCTION = {"type": "function", "function": {"name": "f"}}

REFUSED: list[tuple[str, str, dict[str, Any], str]] = [
    *[
        (CHAT, server, asked(**{field: value}), field)
        for server in (MESSAGES, CONVERSE)
        for field, value in {
            "n": 2,
            "seed": 7,
            "logprobs": True,
            "top_logprobs": 3,
            "frequency_penalty": 0.5,
            "presence_penalty": 1,
            "logit_bias": {"1": 5},
            "modalities": ["text", "audio"],
            "verbosity": "low",
            "web_search_options": {},
            "functions": [],
            "chat_template_kwargs": {},
        }.items()
    ],
    (CHAT, MESSAGES, asked(messages=[]), "messages"),
    (CHAT, MESSAGES, asked(messages="Hi"), "messages"),
    (CHAT, MESSAGES, asked(messages=["Hi"]), "messages[0]"),
    (CHAT, MESSAGES, asked(messages=[{"role": "robot"}]), "messages[0].role"),
    (CHAT, MESSAGES, asked(max_tokens="7"), "max_tokens"),
    (CHAT, MESSAGES, asked(stream="yes"), "stream"),
    (CHAT, MESSAGES, said({"type": "input_audio", "input_audio": {}}), "messages[0].content[0].type"),
    (CHAT, MESSAGES, said({"type": "file", "file": {"file_id": "x"}}), "messages[0].content[0].file.file_id"),
    (
        CHAT,
        MESSAGES,
        said({"type": "file", "file": {"file_data": "data:text/csv;base64,eA=="}}),
        "messages[0].content[0].file.file_data",
    ),
    (
        CHAT,
        MESSAGES,
        said({"type": "image_url", "image_url": {"url": "file:///etc/passwd"}}),
        "messages[0].content[0].image_url.url",
    ),
    (
        CHAT,
        CONVERSE,
        said({"type": "image_url", "image_url": {"url": "https://a.test/a.png"}}),
        "messages[0].content[0].image_url.url",
    ),
    (
        CHAT,
        CONVERSE,
        said({"type": "image_url", "image_url": {"url": "data:image/bmp;base64,eA=="}}),
        "messages[0].content[0].image_url.url",
    ),
    (
        CHAT,
        MESSAGES,
        asked(messages=[USER, {"role": "assistant", "tool_calls": [{"id": "a", "type": "custom"}]}]),
        "messages[1].tool_calls[0].type",
    ),
    (
        CHAT,
        MESSAGES,
        asked(
            messages=[
                USER,
                {
                    "role": "assistant",
                    "tool_calls": [{"id": "a", "function": {"name": "f", "arguments": "[]"}}],
                },
            ]
        ),
        "messages[1].tool_calls[0].function.arguments",
    ),
    (
        CHAT,
        MESSAGES,
        asked(messages=[USER, {"role": "assistant", "audio": {"id": "x"}}]),
        "messages[1].audio",
    ),
    (CHAT, MESSAGES, asked(tools=[{"type": "custom"}]), "tools[0].type"),
    (CHAT, MESSAGES, asked(tool_choice={"type": "allowed_tools"}), "tool_choice.type"),
    (CHAT, MESSAGES, asked(response_format={"type": "grammar"}), "response_format.type"),
    (CHAT, CONVERSE, asked(tools=[FUNCTION], parallel_tool_calls=False), "parallel_tool_calls"),
    (CHAT, CONVERSE, asked(messages=CALLED, tools=[FUNCTION], tool_choice="none"), "tool_choice"),
    (MESSAGES, CHAT, asked(top_k=5), "top_k"),
    (MESSAGES, CONVERSE, asked(top_k=5), "top_k"),
    (MESSAGES, CHAT, asked(messages=[USER, {"role": "assistant", "content": "It is"}]), "messages"),
    (MESSAGES, CHAT, asked(tools=[{"type": "web_search_20250305", "name": "web_search"}]), "tools[0].type"),
    (
        MESSAGES,
        CHAT,
        asked(tools=[{"name": "f", "input_schema": {}, "allowed_callers": ["code_execution_20250825"]}]),
        "tools[0].allowed_callers",
    ),
    (MESSAGES, CHAT, asked(tools=[{"name": "f"}]), "tools[0].input_schema"),
    (MESSAGES, CHAT, asked(mcp_servers=[{"url": "x"}]), "mcp_servers"),
    (MESSAGES, CHAT, asked(container="x"), "container"),
    (MESSAGES, CHAT, asked(speed="fast"), "speed"),
    (
        MESSAGES,
        CHAT,
        asked(context_management={"edits": [{"type": "clear_tool_uses_20250919"}]}),
        "context_management.edits[0].type",
    ),
    (MESSAGES, CHAT, asked(output_config={"format": {"type": "regex"}}), "output_config.format.type"),
    (MESSAGES, CHAT, said({"type": "search_result"}), "messages[0].content[0].type"),
    (
        MESSAGES,
        CHAT,
        said({"type": "document", "source": {"type": "url", "url": "https://a.test"}}),
        "messages[0].content[0]",
    ),
    (
        MESSAGES,
        CHAT,
        said({"type": "image", "source": {"type": "file", "file_id": "x"}}),
        "messages[0].content[0].source.type",
    ),
    (
        MESSAGES,
        CHAT,
        said({"type": "document", "source": {"type": "text", "data": "x"}, "citations": {"enabled": True}}),
        "messages[0].content[0].citations",
    ),
    (RESPONSES, CHAT, responding(previous_response_id="resp_1"), "previous_response_id"),
    (RESPONSES, CHAT, responding(conversation="conv_1"), "conversation"),
    (RESPONSES, CHAT, responding(background=True), "background"),
    (RESPONSES, CHAT, responding(truncation="auto"), "truncation"),
    (RESPONSES, CHAT, responding(include=["file_search_call.results"]), "include"),
    (RESPONSES, CHAT, responding(tools=[{"type": "web_search"}], tool_choice="required"), "tools[0].type"),
    (RESPONSES, CHAT, responding(tools=[{"type": "file_search"}]), "tools[0].type"),
    (
        RESPONSES,
        CHAT,
        responding(tools=[{"type": "namespace", "name": "a", "tools": [{"type": "custom"}]}]),
        "tools[0].tools[0].type",
    ),
    (RESPONSES, CHAT, responding(input=[{"type": "item_reference", "id": "x"}]), "input[0].type"),
    (RESPONSES, CHAT, responding(input=[]), "input"),
    (RESPONSES, CHAT, responding(text={"verbosity": "high"}), "text.verbosity"),
    (
        RESPONSES,
        CHAT,
        responding(input=[{"role": "user", "content": [{"type": "input_image", "file_id": "x"}]}]),
        "input[0].content[0].file_id",
    ),
]


@pytest.fixture(scope="module")
def refusals() -> list[dict[str, Any]]:
    return translate_all(Translation(client, server, body) for client, server, body, _ in REFUSED)


@pytest.mark.parametrize("number", range(len(REFUSED)), ids=[f"{case[3]}-{case[1]}" for case in REFUSED])
def test_a_field_is_refused(refusals: list[dict[str, Any]], number: int) -> None:
    client, _, _, field = REFUSED[number]
    found = refusals[number]
    assert found.get("refused") == field
    error = found["refusal"]["body"]["error"]
    assert error["message"].startswith(f"'{field}' ")
    assert found["refusal"]["status"] == 400
    assert error["type"] == "invalid_request_error"
    assert error.get("param") == (None if client == MESSAGES else field)


@pytest.mark.parametrize("kind", ["application-inference-profile", "provisioned-model", "prompt-router"])
def test_thinking_is_refused_where_an_arn_does_not_tell_whether_the_model_is_claude(kind: str) -> None:
    thinking = {"type": "enabled", "budget_tokens": 2000}
    options = {"model": f"arn:aws:bedrock:us-east-1:111122223333:{kind}/abc"}
    found = translate_all([Translation(MESSAGES, CONVERSE, asked(thinking=thinking), options=options)])
    assert found[0]["refused"] == "thinking"
    assert "111122223333" not in str(found)


def test_usual_values_ask_for_nothing() -> None:
    body = asked(
        n=1,
        logprobs=False,
        top_logprobs=None,
        frequency_penalty=0,
        presence_penalty=0,
        logit_bias={},
        modalities=["text"],
        verbosity="medium",
        metadata={"a": "b"},
        service_tier="auto",
        store=True,
        user="x",
    )
    (result,) = translate_all([Translation(CHAT, MESSAGES, body)])
    assert result["body"].keys() == {"model", "max_tokens", "messages"}

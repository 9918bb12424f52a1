"""Streams: each event of a server becomes those that the client knows, in the order that it relies on."""

from __future__ import annotations

from typing import Any

import pytest
from openai.types.chat import ChatCompletionChunk

from support.streamed_events import (
    ASKED,
    BEDROCK,
    BY_TOOL,
    BY_TURNS,
    FORMATTED,
    IN_TIME,
    NAMESPACED,
    OF_CLAUDE,
    RESPONDING,
    SPOKEN,
    THINKING,
    TOKENS,
    UNNUMBERED,
    WITH_USAGE,
    block,
    call,
    check_responses,
    chunk,
    finish,
    in_bytes,
    input_of,
    of_chats,
)
from support.translation import (
    CHAT,
    CONVERSE,
    MESSAGES,
    RESPONSES,
    Translation,
    frame,
    named_sse,
    read_events,
    sse,
    translate_all,
)


@pytest.fixture(scope="module")
def streams() -> dict[str, dict[str, Any]]:
    cases = {
        "text for Anthropic's client": Translation(MESSAGES, CHAT, THINKING, pieces=[SPOKEN]),
        "the same in bytes": Translation(MESSAGES, CHAT, THINKING, pieces=in_bytes(SPOKEN)),
        "the same with line ends of two": Translation(
            MESSAGES, CHAT, THINKING, pieces=in_bytes(SPOKEN.replace(b"\n", b"\r\n"))
        ),
        "tools for Anthropic's client": Translation(MESSAGES, CHAT, ASKED, pieces=[BY_TURNS]),
        "text for a client of Responses": Translation(RESPONSES, CHAT, RESPONDING, pieces=[SPOKEN]),
        "tools for a client of Responses": Translation(RESPONSES, CHAT, RESPONDING, pieces=[BY_TURNS]),
        "a namespace for a client of Responses": Translation(
            RESPONSES,
            CHAT,
            NAMESPACED,
            pieces=[sse(call(0, "{}", id="a", name="agents__close"), chunk({}, "stop"))],
        ),
        "Claude for a client of chats": Translation(
            CHAT, MESSAGES, WITH_USAGE, pieces=[named_sse(*OF_CLAUDE)]
        ),
        "Bedrock for a client of chats": Translation(CHAT, CONVERSE, WITH_USAGE, pieces=in_bytes(BEDROCK)),
        "Bedrock for Anthropic's client": Translation(MESSAGES, CONVERSE, THINKING, pieces=[BEDROCK]),
        "in time": Translation(MESSAGES, CHAT, THINKING, pieces=IN_TIME),
        "no usage asked for": Translation(CHAT, MESSAGES, ASKED, pieces=[named_sse(*OF_CLAUDE)]),
        "JSON by a tool": Translation(CHAT, MESSAGES, FORMATTED, pieces=[named_sse(*BY_TOOL)]),
        "no last line": Translation(MESSAGES, CHAT, ASKED, pieces=[SPOKEN.removesuffix(sse("[DONE]"))]),
        "a comment": Translation(MESSAGES, CHAT, ASKED, pieces=[IN_TIME[0], b": PROCESSING\n\n"]),
        "tools without numbers": Translation(MESSAGES, CHAT, ASKED, pieces=[UNNUMBERED]),
    }
    return dict(zip(cases, translate_all(cases.values()), strict=True))


def test_anthropics_client_gets_texts_and_thoughts(streams: dict[str, dict[str, Any]]) -> None:
    started, *events = read_events(streams["text for Anthropic's client"])
    assert started == {
        "type": "message_start",
        "message": {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "gpt",
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": dict.fromkeys(TOKENS, 0),
        },
    }
    assert events == [
        *block(
            0,
            {"type": "thinking", "thinking": "", "signature": ""},
            {"type": "thinking_delta", "thinking": "Hm."},
        ),
        *block(
            1,
            {"type": "text", "text": ""},
            {"type": "text_delta", "text": "Héllo"},
            {"type": "text_delta", "text": " 🎨"},
        ),
        *finish("end_turn"),
    ]


@pytest.mark.parametrize("name", ["the same in bytes", "the same with line ends of two"])
def test_pieces_may_be_cut_anywhere(streams: dict[str, dict[str, Any]], name: str) -> None:
    assert "".join(streams[name]["pieces"]) == "".join(streams["text for Anthropic's client"]["pieces"])


def test_an_event_is_passed_on_as_soon_as_it_is_complete(streams: dict[str, dict[str, Any]]) -> None:
    pieces = streams["in time"]["pieces"]
    assert "Hm." in pieces[1]
    assert "Héllo" in pieces[2]
    assert " 🎨" in pieces[3]


def test_tools_whose_arguments_come_by_turns_follow_one_another(streams: dict[str, dict[str, Any]]) -> None:
    _, *events = read_events(streams["tools for Anthropic's client"])
    assert events == [
        *input_of(0, "a", "f", '{"x": ', "1}"),
        *input_of(1, "b", "g", '{"y"', ": 2}"),
        *input_of(2, "c", "h", "{}"),
        *finish("tool_use"),
    ]


def test_a_client_of_responses_gets_every_event_of_a_text(streams: dict[str, dict[str, Any]]) -> None:
    events = read_events(streams["text for a client of Responses"])
    assert [event["type"] for event in events] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.reasoning_text.delta",
        "response.reasoning_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    done = next(event for event in events if event["type"] == "response.output_text.done")
    assert (done["output_index"], done["content_index"], done["text"]) == (1, 0, "Héllo 🎨")
    last = events[-1]["response"]
    assert [item["type"] for item in last["output"]] == ["reasoning", "message"]
    assert done["item_id"] == last["output"][1]["id"]
    assert last["usage"]["output_tokens_details"] == {"reasoning_tokens": 3}
    check_responses(events)


def test_a_client_of_responses_gets_arguments_as_they_come(streams: dict[str, dict[str, Any]]) -> None:
    events = read_events(streams["tools for a client of Responses"])
    deltas = [
        (event["output_index"], event["delta"])
        for event in events
        if event["type"] == "response.function_call_arguments.delta"
    ]
    assert deltas == [(0, '{"x": '), (0, "1}"), (1, '{"y"'), (1, ": 2}"), (2, "{}")]
    calls = [(item["call_id"], item["name"], item["arguments"]) for item in events[-1]["response"]["output"]]
    assert calls == [("a", "f", '{"x": 1}'), ("b", "g", '{"y": 2}'), ("c", "h", "{}")]
    check_responses(events)


def test_a_client_of_responses_knows_a_tool_by_its_namespace(streams: dict[str, dict[str, Any]]) -> None:
    events = read_events(streams["a namespace for a client of Responses"])
    (done,) = (event for event in events if event["type"] == "response.function_call_arguments.done")
    assert done["name"] == "close"
    (item,) = events[-1]["response"]["output"]
    assert (item["namespace"], item["name"], item["call_id"]) == ("agents", "close", "a")
    check_responses(events)


def test_a_client_of_chats_gets_claudes_thoughts_text_and_tools(streams: dict[str, dict[str, Any]]) -> None:
    result = streams["Claude for a client of chats"]
    assert ": ping\n\n" in "".join(result["pieces"])
    *events, report, done = read_events(result)
    assert [event["choices"][0] for event in events] == of_chats(
        ({"role": "assistant", "content": ""}, None),
        ({"reasoning_content": "Hm."}, None),
        ({"content": "I look."}, None),
        (
            {
                "tool_calls": [
                    {"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": ""}}
                ]
            },
            None,
        ),
        ({"tool_calls": [{"index": 0, "function": {"arguments": '{"x": 1}'}}]}, None),
        (
            {
                "tool_calls": [
                    {"index": 1, "id": "b", "type": "function", "function": {"name": "g", "arguments": ""}}
                ]
            },
            None,
        ),
        ({"tool_calls": [{"index": 1, "function": {"arguments": "{}"}}]}, None),
        ({}, "tool_calls"),
    )
    assert (report["choices"], report["usage"]["prompt_tokens"]) == ([], 20)
    assert report["usage"]["completion_tokens"] == 7
    assert done == {"type": "DONE"}
    for event in (*events, report):
        ChatCompletionChunk.model_validate(event, strict=True)
        assert (event["id"], event["model"]) == ("chatcmpl-1", "claude")


def test_bedrocks_frames_are_read(streams: dict[str, dict[str, Any]]) -> None:
    *events, report, _ = read_events(streams["Bedrock for a client of chats"])
    assert [event["choices"][0]["delta"] for event in events[1:3]] == [
        {"reasoning_content": "Hm."},
        {"content": "Hello"},
    ]
    assert events[-1]["choices"][0]["finish_reason"] == "tool_calls"
    assert report["usage"] == {
        "prompt_tokens": 20,
        "completion_tokens": 7,
        "total_tokens": 27,
        "prompt_tokens_details": {"cached_tokens": 12},
    }
    _, *of_anthropic = read_events(streams["Bedrock for Anthropic's client"])
    assert of_anthropic == [
        *block(
            0,
            {"type": "thinking", "thinking": "", "signature": ""},
            {"type": "thinking_delta", "thinking": "Hm."},
            {"type": "signature_delta", "signature": "s"},
        ),
        *block(1, {"type": "text", "text": ""}, {"type": "text_delta", "text": "Hello"}),
        *input_of(2, "a", "f", '{"x": 1}'),
        *finish("tool_use"),
    ]


def test_usage_is_for_clients_of_chats_that_ask(streams: dict[str, dict[str, Any]]) -> None:
    *_, last, done = read_events(streams["no usage asked for"])
    assert (last["choices"][0]["finish_reason"], done) == ("tool_calls", {"type": "DONE"})


def test_json_by_a_tool_is_a_text(streams: dict[str, dict[str, Any]]) -> None:
    choices = [event["choices"][0] for event in read_events(streams["JSON by a tool"])[:-1]]
    assert [choice["delta"] for choice in choices[1:]] == [{"content": '{"x": 1}'}, {}]
    assert choices[-1]["finish_reason"] == "stop"


def failed(message: str, kind: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message}}


CUT = "The stream of the model's server ended before its answer did."
UNREADABLE = "The model's server sent a stream that cannot be read."
NO_WORDS = "The model's server failed."

BROKEN: list[tuple[str, list[bytes], dict[str, Any]]] = [
    ("cut", [sse(chunk({"content": "Hel"}))], failed(CUT, "api_error")),
    ("empty", [b""], failed(CUT, "api_error")),
    (
        "an error",
        [sse(chunk({"content": "Hel"}), {"error": {"message": "Too many.", "code": 429}}, chunk({}, "stop"))],
        failed("Too many.", "rate_limit_error"),
    ),
    ("no words", [sse({"error": {"code": 500}})], failed(NO_WORDS, "api_error")),
    ("no JSON", [sse("{")], failed(UNREADABLE, "api_error")),
    ("another API", [sse({"choices": 5})], failed(UNREADABLE, "api_error")),
]


def test_a_broken_stream_ends_with_an_error_and_nothing_else() -> None:
    results = translate_all(Translation(MESSAGES, CHAT, ASKED, pieces=pieces) for _, pieces, _ in BROKEN)
    assert [read_events(result)[-1] for result in results] == [expected for *_, expected in BROKEN]
    for result in results:
        assert all(event["type"] != "message_stop" for event in read_events(result))


def test_a_stream_whose_last_line_is_missing_is_whole(streams: dict[str, dict[str, Any]]) -> None:
    assert read_events(streams["no last line"])[-1] == {"type": "message_stop"}


def test_clients_get_errors_in_their_own_shape() -> None:
    overloaded = [named_sse(OF_CLAUDE[0], failed("Overloaded", "overloaded_error"))]
    throttled = [frame("messageStart", {}), frame("throttlingException", {"message": "Slow."}, "exception")]
    broken = frame("messageStart", {})[:-1] + b"\x00"
    malformed = [frame("messageStart", {}), frame("messageStop", {"stopReason": "malformed_tool_use"})]
    cases = [
        Translation(CHAT, MESSAGES, ASKED, pieces=overloaded),
        Translation(CHAT, CONVERSE, ASKED, pieces=throttled),
        Translation(CHAT, CONVERSE, ASKED, pieces=[broken]),
        Translation(MESSAGES, CONVERSE, ASKED, pieces=malformed),
        Translation(RESPONSES, CHAT, RESPONDING, pieces=[sse({"error": {"message": "No.", "code": 429}})]),
        Translation(
            MESSAGES, CHAT, ASKED, pieces=[SPOKEN[:200]], breaks={"status": 504, "message": "Too slow."}
        ),
    ]
    last = [read_events(result)[-1] for result in translate_all(cases)]
    of_claude, of_bedrock, of_noise, of_malformed, response, late = last
    assert of_claude["error"] == {
        "message": "Overloaded",
        "type": "server_error",
        "param": None,
        "code": None,
    }
    assert of_bedrock["error"]["type"] == "rate_limit_error"
    assert of_noise["error"]["message"] == UNREADABLE
    assert of_malformed == failed("The model called a tool in a malformed way.", "api_error")
    assert response["response"]["status"] == "failed"
    assert response["response"]["error"] == {"code": "rate_limit_exceeded", "message": "No."}
    check_responses([response])
    assert late == failed("Too slow.", "timeout_error")


def test_a_comment_of_a_server_keeps_the_clients_connection_alive(streams: dict[str, dict[str, Any]]) -> None:
    assert streams["a comment"]["pieces"][1] == 'event: ping\ndata: {"type":"ping"}\n\n'


def test_servers_that_number_no_tools_send_each_at_once(streams: dict[str, dict[str, Any]]) -> None:
    _, *events = read_events(streams["tools without numbers"])
    assert events[:6] == [*input_of(0, "a", "a", '{"x":1}'), *input_of(1, "b", "b", '{"x":1}')]
    assert events[6]["delta"]["stop_reason"] == "tool_use"

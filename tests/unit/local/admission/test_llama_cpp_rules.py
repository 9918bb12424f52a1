"""What a chat call may ask of llama.cpp: each field, and what becomes of it."""

from __future__ import annotations

from typing import Any

import pytest

from centralized_ml_api.local.admission.llama_cpp_rules import (
    adapt_llama_cpp_request,
    check_llama_cpp_request,
)
from centralized_ml_api.local.admission.violation import LlamaCppLimits

LIMITS = LlamaCppLimits(context_tokens=2048, max_output_tokens=512, slots=4, takes_tools=False)
HELLO = [{"role": "user", "content": "Hello"}]
WEATHER = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}


def _call(**fields: Any) -> dict[str, Any]:
    return {"messages": HELLO, **fields}


def _message(document: dict[str, Any], limits: LlamaCppLimits = LIMITS) -> str | None:
    violation = check_llama_cpp_request(document, limits)
    if violation is None:
        return None
    assert violation.field.split("[")[0].split(".")[0] in violation.message or "tool" in violation.message
    return violation.message


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"model": "m", "stream": True, "stream_options": {"include_usage": True}},
        {
            "user": "u",
            "metadata": {"a": {"b": []}},
            "store": False,
            "service_tier": "auto",
            "unknown": [[[1]]],
        },
        {"temperature": 0.2, "top_p": None, "seed": 2**63, "presence_penalty": -1, "frequency_penalty": 0},
        {"stop": "a"},
        {"stop": ["a", None]},
        {"logprobs": True, "top_logprobs": 20},
        {"logprobs": 5},
        {"n": 2},
        {"max_tokens": -1, "ignore_eos": True},
        {"max_completion_tokens": 10**30},
        {"max_tokens": 16.0},
        {"logit_bias": {"15043": -100, "no": False}},
        {"logit_bias": [[15043, 1.5], ["no", False]]},
        {"tools": [WEATHER], "tool_choice": "auto", "parallel_tool_calls": True},
        {"response_format": {"type": "text"}},
        {"response_format": {"type": "json_object"}},
        {
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "n", "schema": {"type": "object"}},
            }
        },
        {"json_schema": {"type": "object"}},
        {"chat_template_kwargs": {"enable_thinking": False, "budget": 3}},
        {"reasoning_format": "none", "reasoning_effort": "low", "thinking_budget_tokens": 100},
        {"samplers": ["top_k", "temperature"], "mirostat": 2, "dry_sequence_breakers": ["\n", ":"]},
        {"id_slot": None, "lora": None, "grammar": None},
    ],
)
def test_what_sdks_and_careful_callers_send_passes(fields: dict[str, Any]) -> None:
    assert _message(_call(**fields)) is None


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"max_tokens": -2}, "'max_tokens' must be an integer from -1 on."),
        ({"max_tokens": "5"}, "'max_tokens' must be an integer from -1 on."),
        ({"max_tokens": True}, "'max_tokens' must be an integer from -1 on."),
        ({"max_tokens": float("inf")}, "'max_tokens' must be an integer from -1 on."),
        ({"n": 3}, "'n' must be an integer from 1 to 2."),
        ({"n": 0}, "'n' must be an integer from 1 to 2."),
        ({"n_cmpl": 4}, "'n_cmpl' is not taken here: say 'n'."),
        ({"n_probs": 21}, "'n_probs' must be an integer from 0 to 20."),
        ({"logprobs": True, "top_logprobs": 5_000_000}, "'top_logprobs' must be an integer from 0 to 20."),
        ({"logprobs": 5_000_000}, "'logprobs' must be an integer from 0 to 20."),
        ({"top_logprobs": 1}, "'top_logprobs' needs 'logprobs': true."),
        ({"stop": ["a"] * 17}, "'stop' takes at most 16 strings of at most 256 characters each."),
        ({"stop": ["a" * 257]}, "'stop' takes at most 16 strings of at most 256 characters each."),
        ({"stop": [1]}, "'stop' takes at most 16 strings of at most 256 characters each."),
        (
            {"dry_sequence_breakers": ["a" * 17]},
            "'dry_sequence_breakers' takes at most 8 strings of at most 16 characters each.",
        ),
        ({"samplers": ["dry"] * 11}, "'samplers' must be a list with some of penalties, dry, top_n_sigma"),
        ({"samplers": ["infill"]}, "'samplers' must be a list with some of penalties, dry, top_n_sigma"),
        ({"samplers": "ki"}, "'samplers' must be a list with some of penalties, dry, top_n_sigma"),
        ({"logit_bias": dict.fromkeys(map(str, range(301)), 1)}, "an object of at most 300 tokens."),
        ({"logit_bias": {"1": float("nan")}}, "'logit_bias' must be an object of tokens with a number each."),
        ({"logit_bias": [[1, 2, 3]]}, "'logit_bias' must be an object of tokens with a number each."),
        ({"temperature": "hot"}, "'temperature' must be a number."),
        ({"temperature": float("nan")}, "'temperature' must be a number."),
        ({"top_p": 10**400}, "'top_p' must be a number."),
        ({"stream": "yes"}, "'stream' must be true or false."),
        ({"stream_options": {"include_usage": 1}}, "'stream_options.include_usage' must be true or false."),
        ({"stream_options": []}, "'stream_options' must be an object."),
        ({"mirostat": 3}, "'mirostat' must be an integer from 0 to 2."),
        (
            {"reasoning_format": "x"},
            "'reasoning_format' must be one of none, auto, deepseek, deepseek-legacy.",
        ),
        (
            {"reasoning_format": []},
            "'reasoning_format' must be one of none, auto, deepseek, deepseek-legacy.",
        ),
        ({"model": 1}, "'model' must be a string of at most 256 characters."),
        ({"chat_template_kwargs": {"a": []}}, "takes short strings, numbers, true and false."),
        ({"chat_template_kwargs": {"a": "b" * 256}}, "takes short strings, numbers, true and false."),
        ({"chat_template_kwargs": {str(i): 1 for i in range(17)}}, "an object of at most 16 values."),
        ({"chat_template_kwargs": {"enable_thinking": "yes"}}, "enable_thinking' must be true or false."),
        ({"response_format": {"type": "xml"}}, "must be 'text', 'json_object' or 'json_schema'."),
        ({"response_format": {"type": "json_schema"}}, "must be an object with 'schema'."),
        ({"response_format": "json"}, "must be 'text', 'json_object' or 'json_schema'."),
        (
            {"response_format": {"type": "json_object", "schema": {"pattern": "(a?)*"}}},
            "'response_format.schema.pattern' repeats what may be empty.",
        ),
        (
            {"json_schema": {}, "response_format": {"type": "json_object"}},
            "'json_schema' and 'response_format' cannot be used together.",
        ),
        ({"grammar": "root ::= [a-z]"}, "'grammar' is not taken here: its cost cannot be foreseen"),
        ({"lora": [{"id": 0, "scale": 1}]}, "'lora' is not taken here: it is set for all callers."),
        ({"id_slot": 1}, "'id_slot' is not taken here: the server chooses."),
        ({"chat_parser": "x"}, "'chat_parser' is not taken here: it is the server's own."),
        ({"grammar_triggers": []}, "'grammar_triggers' is not taken here: it is the server's own."),
        ({"tools": {}}, "'tools' must be a list."),
        ({"tools": [WEATHER] * 129}, "'tools' has 129 tools; this model takes at most 128."),
        ({"tools": [{"a": 1}]}, "'tools[0]' must have 'type': 'function' and an object as 'function'."),
        ({"tools": [{**WEATHER, "type": "x"}]}, "'tools[0]' must have 'type': 'function'"),
        (
            {"tools": [{"type": "function", "function": {"name": "a" * 65}}]},
            "'tools[0].function.name' must be a string of at most 64 characters.",
        ),
        (
            {"tools": [{"type": "function", "function": {"name": "a", "parameters": 1}}]},
            "'tools[0].function.parameters' must be a JSON schema: an object.",
        ),
        ({"tool_choice": "maybe"}, "'tool_choice' must be 'none', 'auto', 'required' or a function."),
        ({"tool_choice": {"type": "function"}}, "'tool_choice' must name a function"),
        (
            {"tool_choice": "required"},
            "This model cannot call tools: its chat template has no place for them.",
        ),
        (
            {"tools": [WEATHER], "logprobs": True, "stream": True},
            "'logprobs' cannot be used together with 'tools' and 'stream'.",
        ),
        ({"add_generation_prompt": True, "continue_final_message": True}, "cannot be used together."),
    ],
)
def test_what_is_wrong_is_named(fields: dict[str, Any], message: str) -> None:
    found = _message(_call(**fields))
    assert found is not None
    assert message in found


def _tool(**schema: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": "run", "parameters": {"type": "object", **schema}}}


def test_bounds_that_are_too_large_to_write_out_are_left_out_of_tools_alone() -> None:
    tool = _tool(properties={"script": {"type": "string", "minLength": 1, "maxLength": 524_288}})
    sent = _call(tools=[tool, {"type": "function", "function": {"name": "now"}}])
    assert _message(sent) is None
    adapted = adapt_llama_cpp_request(sent, LIMITS)
    assert adapted["tools"] == [
        _tool(properties={"script": {"type": "string", "minLength": 1}}),
        {"type": "function", "function": {"name": "now"}},
    ]
    assert sent["tools"][0] == tool
    schema = {"type": "json_schema", "json_schema": {"schema": {"maxLength": 524_288}}}
    assert "must be an integer from 0 to 2,000." in (_message(_call(response_format=schema)) or "")


def test_tools_have_long_descriptions_but_small_schemas() -> None:
    description = "It runs what you say. " * 100
    many = [_tool(description=description, properties={"description": {"description": description}})] * 50
    assert len(str(many)) > 200_000
    assert _message(_call(tools=many)) is None
    too_long = "'tools' is too long; this model takes at most 262,144 characters."
    assert _message(_call(tools=many * 2)) == too_long
    listed = [_tool(properties={f"{'a' * 60}{number}": {} for number in range(300)})] * 4
    without = "'tools' is too long without its descriptions; this model takes at most 65,536 characters."
    assert _message(_call(tools=listed)) == without


def test_a_field_is_nested_as_deep_as_anything_sensible() -> None:
    deep: Any = []
    for _ in range(20_000):
        deep = [deep]
    assert _message(_call(logit_bias=deep)) == "'logit_bias' is nested more than 64 levels deep."
    assert _message(_call(metadata=deep)) is None


def test_tools_may_be_required_of_a_model_that_has_them_or_of_which_nobody_knows() -> None:
    for takes_tools in (True, None):
        limits = LlamaCppLimits(2048, 512, 4, takes_tools)
        assert _message(_call(tools=[WEATHER], tool_choice="required"), limits) is None


@pytest.mark.parametrize(
    ("messages", "message"),
    [
        (None, "'messages' must be a list with at least one message."),
        ([], "'messages' must be a list with at least one message."),
        (
            HELLO * 1025,
            "'messages' has 1,025 messages; this model's context of 2,048 tokens holds at most 1,024.",
        ),
        (["hi"], "'messages[0]' must be an object with 'role' and 'content'."),
        ([*HELLO, {"content": "hi"}], "'messages[1].role' must be one of system, developer, user"),
        ([{"role": "user"}], "'messages[0].content' is missing."),
        ([{"role": "user", "content": 1}], "'messages[0].content' must be a string or a list of parts."),
        ([{"role": "user", "content": ["hi"]}], "'messages[0].content[0]' must be a part such as"),
        (
            [{"role": "user", "content": [{"type": "text"}]}],
            "'messages[0].content[0]' must be a part such as",
        ),
        (
            [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:"}}]}],
            "This model reads text alone: 'messages[0].content[0]' has pictures.",
        ),
        (
            [{"role": "user", "content": [{"type": "input_audio", "input_audio": {}}]}],
            "This model reads text alone: 'messages[0].content[0]' has audio.",
        ),
        ([{"role": "assistant"}], "'messages[0].content' is missing."),
        ([{"role": "assistant", "tool_calls": 1}], "must be a list of at most 64 calls."),
        ([{"role": "assistant", "tool_calls": [1]}], "'messages[0].tool_calls[0]' must be an object"),
        (
            [{"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": {}}}]}],
            "'messages[0].tool_calls[0].function.arguments' must be a string.",
        ),
        (
            [{"role": "assistant", "tool_calls": [{"id": 1, "function": {"name": "f", "arguments": ""}}]}],
            "must have a string as 'id' and 'function' as 'type'.",
        ),
        (
            [{"role": "tool", "content": "5", "tool_call_id": 5}],
            "'messages[0].tool_call_id' must be a string.",
        ),
        ([{"role": "user", "content": "1" * 70_000}], "'messages' has 70,004 bytes of text: more than"),
        ([{"role": "user", "content": "", "x": [["é" * 40_000]]}], "'messages' has 80,004 bytes of text"),
        (
            [{"role": "assistant", "content": "a"}, {"role": "assistant", "content": "b"}],
            "'messages' ends with two messages of the assistant.",
        ),
    ],
)
def test_what_is_wrong_with_messages_is_named(messages: Any, message: str) -> None:
    found = _message({"messages": messages})
    assert found is not None
    assert message in found


def test_a_conversation_with_tools_passes() -> None:
    call = {"id": "a", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
    conversation = [
        {"role": "system", "content": [{"type": "text", "text": "Be brief."}]},
        *HELLO,
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "a", "content": "sunny"},
    ]
    assert _message({"messages": conversation}) is None


def test_numbers_are_cut_to_what_the_server_has() -> None:
    sent = _call(
        max_tokens=-1,
        n_predict=10**12,
        max_completion_tokens=100,
        repeat_last_n=500_000_000,
        dry_penalty_last_n=-1,
        n_keep=7.0,
        seed=2**63 + 5,
        stop=["a", None],
    )
    assert adapt_llama_cpp_request(sent, LIMITS) == {
        "messages": HELLO,
        "max_tokens": 512,
        "n_predict": 512,
        "max_completion_tokens": 100,
        "repeat_last_n": 2048,
        "dry_penalty_last_n": 2048,
        "n_keep": 7,
        "seed": 5,
        "stop": ["a"],
    }
    assert sent["stop"] == ["a", None]


def test_where_callers_share_no_prompts_none_is_kept() -> None:
    apart = LlamaCppLimits(2048, 512, 4, shares_prompts=False)
    expected = {"messages": HELLO, "cache_prompt": False}
    assert adapt_llama_cpp_request(_call(cache_prompt=True), apart) == expected


def test_what_the_server_does_not_know_of_a_message_never_reaches_it() -> None:
    message = {"role": "user", "content": "Hello", **{str(number): 0 for number in range(10_000)}}
    assert check_llama_cpp_request({"messages": [message]}, LIMITS) is None
    assert adapt_llama_cpp_request({"messages": [message]}, LIMITS) == {"messages": HELLO}
    part = {"type": "text", "text": "", **{str(number): 0 for number in range(10_000)}}
    assert check_llama_cpp_request({"messages": [{"role": "user", "content": [part]}]}, LIMITS) is not None


def test_what_the_server_does_not_know_never_reaches_it() -> None:
    sent = _call(user="u", metadata={}, top_p=None, verbose=True, response_fields=["a"], sse_ping_interval=0)
    assert adapt_llama_cpp_request(sent, LIMITS) == {"messages": HELLO}

"""What Envoy's scripts decide about responses, in the same Lua, with Envoy's objects played."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lupa.luajit21 import LuaRuntime

from centralized_ml_api.local.envoy.listener import build_connection_manager
from centralized_ml_api.local.envoy.route_action import RESPONSE_FILTER
from centralized_ml_api.local.envoy.settings import Files, Settings
from centralized_ml_api.local.envoy.token_counts import render_counting

SETTINGS = Settings("127.0.0.1", 0, Files(Path("/x"), Path("/x/access.log")), Path("/x/ca.pem"))
PLAYED = """
noted = {}
local function play_metadata()
  return {get = function() end, set = function(_, _, key, value) noted[key] = value end}
end
local function play_state()
  return {set = function(_, key, _, text) noted[key:match("[^.]+$")] = text end}
end
local function play_headers(given)
  return {
    get = function(_, name) return given[name] end,
    replace = function(_, name, value) given[name] = value end,
    remove = function(_, name) given[name] = nil end,
  }
end
function play(given, text)
  local body = {length = function() return 0 end, getBytes = function() return text or "" end}
  return {
    headers = function() return play_headers(given) end,
    body = function() return body end,
    bodyChunks = function() return function() end end,
    streamInfo = function() return {dynamicMetadata = play_metadata, filterState = play_state} end,
  }
end
"""
COUNT = """
return function(text)
  noted = {}
  note_usage(play({}), {}, text, false)
  return noted
end
"""
ANSWER = """
return function(status, length, text)
  noted = {}
  local given = {[":status"] = status, ["content-length"] = length, ["x-mlapi-kept-id"] = "req-1"}
  local answered = play(given, text)
  if not text then answered.body = function() end end
  envoy_on_response(answered)
  return noted
end
"""
RESPOND = """
return function(kind)
  local given = {[":status"] = "200", ["content-type"] = kind}
  envoy_on_response(play(given))
  return given["content-type"]
end
"""


COUNTING = LuaRuntime().execute(f"{PLAYED}{render_counting()}{COUNT}")


def count(**document: Any) -> dict[str, int]:
    return count_in(json.dumps(document))


def count_in(text: str) -> dict[str, int]:
    return {name: int(number) for name, number in COUNTING(text).items()}


def read_by_patterns(text: str) -> dict[str, int]:
    """What the objects behind `usage` and `timings` say, up to the brace that closes each."""
    noted: dict[str, int] = {}
    for key, names in (("usage", {"in": "prompt_tokens", "cached": "cached_tokens"}), ("timings", {})):
        place = 0
        while found := re.compile(rf'"{key}"').search(text, place):
            place = found.end()
            opened = re.compile(r"\s*:\s*(?=\{)").match(text, place)
            end = opened and find_end(text, opened.end())
            if not opened or not end:
                continue
            numbers: dict[str, int] = {}
            for name, digits in re.findall(r'"([a-z_]+)"\s*:\s*(\d+)', text[opened.end() : end]):
                numbers.setdefault(name, int(digits))
            place = end
            told = {short: numbers.get(name) for short, name in names.items()}
            if key == "timings" and "prompt_n" in numbers:
                told = {"in": numbers["prompt_n"]}
            if key == "usage" and "prompt_tokens" not in numbers:
                told = {"cached": numbers.get("cached_tokens")}
            larger = {name: value for name, value in told.items() if value and value > noted.get(name, 0)}
            noted.update(larger)
    return noted


def find_end(text: str, place: int) -> int | None:
    """Where the braces that are opened at a place are closed, whatever is between them."""
    depth = 0
    for at in range(place, len(text)):
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        if depth == 0:
            return at + 1
    return None


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        ({"prompt_tokens": 17, "completion_tokens": 5, "total_tokens": 22}, {"in": 17, "out": 5}),
        ({"prompt_tokens": 8, "completion_tokens": 3, "total_tokens": 20}, {"in": 8, "out": 12}),
        ({"prompt_tokens": 8, "total_tokens": 8}, {"in": 8}),
        ({"total_tokens": 8}, {"in": 8}),
        (
            {"prompt_tokens": 9, "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 3}},
            {"in": 9, "cached": 4, "cache_writes": 3},
        ),
        (
            {"input_tokens": 9, "input_tokens_details": {"cached_tokens": 3}, "output_tokens": 7},
            {"in": 9, "cached": 3, "out": 7},
        ),
        (
            {
                "input_tokens": 7,
                "cache_read_input_tokens": 20,
                "cache_creation_input_tokens": 2,
                "output_tokens": 5,
            },
            {"in": 29, "cached": 20, "cache_writes": 2, "out": 5},
        ),
        ({"prompt_tokens": 10**12, "output_tokens": 5}, {"out": 5}),
        ({"prompt_tokens": 10**12 - 1}, {"in": 10**12 - 1}),
        ({"prompt_tokens": None, "completion_tokens": 0}, {}),
        ({"prompt_tokens": 3, "details": {"prompt_tokens": 99, "other": 1}}, {"in": 3}),
    ],
)
def test_tokens_are_what_a_server_reports(usage: dict[str, Any], tokens: dict[str, int]) -> None:
    assert count(choices=[], usage=usage) == tokens


def test_the_report_of_llama_cpp_counts_what_its_cache_had_as_read() -> None:
    assert count(timings={"cache_n": 5, "prompt_n": 14, "prompt_ms": 9.5, "predicted_n": 10}) == {
        "in": 19,
        "cached": 5,
        "out": 10,
    }


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ('{"usage"\t:\n{"prompt_tokens"\v:\f7}}', {"in": 7}),
        ('{"usage": {"a": {}, "b": {"prompt_tokens": 7}, "output_tokens": 3}}', {"in": 7}),
        ('{"usage": {"note": "a \\" b", "prompt_tokens": 7}}', {"in": 7}),
        ('{"usage": {"prompt_tokens": "7", "input_tokens": 8}}', {"in": 8}),
        ('{"usage": {"prompt_tokens": -7, "input_tokens": 8.9}}', {"in": 8}),
        ('{"usage": {"prompt_tokens" 7, "input_tokens":: 8}}', {}),
        ('{"usage": {"prompt_tokens": 7', {}),
        ('{"usage": "prompt_tokens", "usage": {"prompt_tokens": 7}}', {"in": 7}),
        ('{"usage": {"prompt_tokens": 7}, "usage": {"prompt_tokens": 9}}', {"in": 9}),
        ('{"usage": {"prompt_tokens":', {}),
        ('{"usage"', {}),
        ('{"usage":', {}),
    ],
)
def test_a_report_is_found_in_any_text(text: str, tokens: dict[str, int]) -> None:
    assert count_in(text) == tokens


NOT_QUOTES = st.sampled_from(("{", "}", ":", " ", "\n", ",", "1", "27", "x", "\\"))
KEYS = st.sampled_from(('"usage"', '"timings"', '"prompt_tokens"', '"cached_tokens"', '"prompt_n"', '"a"'))


@given(st.lists(st.one_of(NOT_QUOTES, KEYS, st.just('"'), st.just(": {"), st.just('": 5')), max_size=40))
def test_bytes_are_read_as_patterns_would_read_them(parts: list[str]) -> None:
    text = "".join(parts)
    assert count_in(text) == read_by_patterns(text)


def test_of_several_reports_the_largest_counts() -> None:
    quoted = {"parameters": {"usage": {"input_tokens": 0, "output_tokens": 900}}}
    assert count(usage={"input_tokens": 36, "output_tokens": 87}, tools=[quoted]) == {"in": 36, "out": 900}


REPORTED = '{"usage": {"prompt_tokens": 7}}'


@pytest.mark.parametrize("name", ["counted-answer", "provider-answer"])
@pytest.mark.parametrize(
    ("answer", "notes"),
    [
        (("200", "30", REPORTED), {"answer": "whole", "in": "7"}),
        (("200", "2", "{}"), {"answer": "whole", "unreported": True}),
        (("200", "99999999", REPORTED), {"answer": "whole", "unreported": True}),  # too long to be held
        (("204", None, None), {"answer": "whole", "unreported": True}),
    ],
)
def test_a_script_notes_what_was_reported_or_that_nothing_was(
    name: str, answer: tuple[str, str | None, str | None], notes: dict[str, Any]
) -> None:
    respond = LuaRuntime().execute(f"{PLAYED}{list_scripts()[name]}{ANSWER}")
    assert dict(respond(*answer).items()) == notes


def test_a_refusal_has_no_tokens() -> None:
    respond = LuaRuntime().execute(f"{PLAYED}{list_scripts()['counted-answer']}{ANSWER}")
    assert dict(respond("400", "30", REPORTED).items()) == {}


def list_scripts() -> dict[str, str]:
    """The scripts by name; the one that a route need not name is `default`."""
    filters = build_connection_manager(SETTINGS)["http_filters"]
    (config,) = [each["typed_config"] for each in filters if each["name"] == RESPONSE_FILTER]
    named = {name: source["inline_string"] for name, source in config["source_codes"].items()}
    return {"default": config["default_source_code"]["inline_string"], **named}


@pytest.mark.parametrize("name", list_scripts())
@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("text/event-stream", "text/event-stream; charset=utf-8"),
        ("text/event-stream; charset=latin1", "text/event-stream; charset=latin1"),
        ("application/json", "application/json"),
        (None, None),
    ],
)
def test_every_script_names_the_encoding_of_events_alone(
    name: str, kind: str | None, told: str | None
) -> None:
    respond = LuaRuntime().execute(f"{PLAYED}{list_scripts()[name]}{RESPOND}")
    assert respond(kind) == told

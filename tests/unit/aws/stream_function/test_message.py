"""The function that streams says what organizers tell everybody, as one machine does."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from centralized_ml_api.api.notices import MESSAGE_HEADER, MESSAGE_TIME_HEADER, Message, build_message_headers
from support.stream_host.host import function_folder
from support.stream_host.script import run_script

SCRIPT = """
console.error = console.log; // what is no message is logged
process.env.EVENT_MESSAGE = input.told;
const { Answer } = await import(input.module);
let sent;
const begin = (stream, head) => { sent = head; return stream; };
new Answer({ on() {} }, "id", false, begin).writeHead(200, { "content-type": "application/json" });
console.log(JSON.stringify(sent.headers));
"""


def headers(told: str | None) -> dict[str, str]:
    """Those of an answer, while the variable has this value."""
    script = SCRIPT if told is not None else SCRIPT.replace("process.env.EVENT_MESSAGE = input.told;", "")
    module = (function_folder() / "answer.mjs").as_uri()
    sent: dict[str, str] = run_script(script, {"told": told, "module": module})
    return sent


@pytest.mark.parametrize(
    "words",
    [
        "Lunch is here",
        "<b>Käse</b>, 100 % \u2615 \U0001f469\u200d\U0001f680",
        "%20 %25 #?&=+;,/:@$-_.!~*'()",
        'quotes " \\ ` ^ | {} [] <>',
    ],
)
def test_words_and_their_time_are_written_as_on_one_machine(words: str) -> None:
    sent = headers(json.dumps({"words": words, "at": "2030-06-01T12:00:00Z"}))
    told = build_message_headers(Message(words, datetime(2030, 6, 1, 12, tzinfo=UTC)))
    assert told.keys() == {MESSAGE_HEADER, MESSAGE_TIME_HEADER}
    assert told.items() <= sent.items()


@pytest.mark.parametrize(
    "told",
    [
        "Lunch is here",
        '"Lunch is here"',
        "",
        "null",
        "[]",
        '{"words": "Lunch"}',
        '{"words": 1, "at": "2030-06-01T12:00:00Z"}',
        '{"words": "Lunch", "at": "noon"}',
        '{"words": "Lunch", "at": "2030-06-01T12:00:00Z\\n"}',
        '{"words": "\\ud800", "at": "2030-06-01T12:00:00Z"}',
    ],
)
def test_a_message_that_somebody_wrote_by_hand_breaks_no_call(told: str) -> None:
    assert {MESSAGE_HEADER, MESSAGE_TIME_HEADER}.isdisjoint(headers(told))


@pytest.mark.parametrize("told", ['""', None])
def test_without_words_there_is_no_header(told: str | None) -> None:
    """Also in a stack that was deployed before there were messages."""
    assert {MESSAGE_HEADER, MESSAGE_TIME_HEADER}.isdisjoint(headers(told))

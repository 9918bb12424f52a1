"""The function that streams refuses what organizers have paused, as the authorizer says."""

from __future__ import annotations

from typing import Any

import pytest

from support.stream_host.script import run_script

SCRIPT = """
import { refusePaused } from "./openai.mjs";
import { headersOf } from "./errors.mjs";
const told = input.names.map((name) => {
    try {
        refusePaused(name, { paused: input.paused });
        return null;
    } catch (error) {
        return [error.status, error.code, error.message, headersOf(error)];
    }
});
console.log(JSON.stringify(told));
"""
HEADERS = {"content-type": "application/json", "retry-after": "60", "x-should-retry": "false"}
PLAIN = "The organizers have paused this for now."


def refused(words: str = "") -> list[Any]:
    return [503, "paused", f"{PLAIN[:-1]}: {words}" if words else PLAIN, HEADERS]


@pytest.mark.parametrize(
    ("paused", "told"),
    [
        ({}, [None, None]),
        ({"": 'Back "at" 14:00'}, [refused('Back "at" 14:00')] * 2),
        ({"": ""}, [refused()] * 2),
        ({"chat": ""}, [refused(), None]),
        ({"": "All", "chat": "Chat"}, [refused("All")] * 2),
    ],
)
def test_a_call_is_refused_with_the_words_of_the_pause(paused: dict[str, str], told: list[Any]) -> None:
    assert run_script(SCRIPT, {"paused": paused, "names": ["chat", "constructor"]}) == told

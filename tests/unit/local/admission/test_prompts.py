"""How many tokens of a prompt are new to a server, and which prompts are long."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from centralized_ml_api.local.admission.prompts import (
    LONG_TOKENS,
    READING_REMEMBERED,
    TOKENS_PER_MESSAGE,
    Prompt,
    RecentPrompts,
    estimate_tokens,
)
from centralized_ml_api.local.admission.terms import EntryTerms

SLOTS = 4
ENTRY = EntryTerms(places=SLOTS, body_rules="llama.cpp", slots=SLOTS, context=2048, max_output_tokens=64)
WORDS = "word " * 400


def say(content: str, role: str = "user") -> dict[str, Any]:
    return {"role": role, "content": content}


def measure(recent: RecentPrompts, *messages: dict[str, Any], **fields: Any) -> Prompt:
    return recent.measure("chat", ENTRY, {"messages": list(messages), **fields})


def read(recent: RecentPrompts, *messages: dict[str, Any], slot: int | None = None) -> Prompt:
    prompt = measure(recent, *messages)
    recent.note("call", "chat", prompt, SLOTS, slot=slot)
    recent.end("call", was_read=True)
    return prompt


@pytest.mark.parametrize(
    ("value", "tokens"),
    [
        (None, 0),
        ([], 0),
        ("word " * 8, 10),
        ("1" * 40, 40),
        ("\N{PILE OF POO}", 4),
        ({"content": ["a" * 8, {"text": "b" * 8}]}, 4),
    ],
)
def test_tokens_are_estimated_by_the_kinds_of_characters(value: Any, tokens: int) -> None:
    assert estimate_tokens(value) == (tokens + TOKENS_PER_MESSAGE if tokens else 0)


@pytest.mark.parametrize(
    ("context", "letters", "is_long"),
    [(2048, 400, False), (2048, 600, True), (32_768, 600, False), (32_768, 4 * LONG_TOKENS, True)],
)
def test_a_prompt_is_long_by_its_share_of_the_context(context: int, letters: int, *, is_long: bool) -> None:
    entry = EntryTerms(places=4, body_rules="llama.cpp", slots=4, context=context)
    prompt = RecentPrompts().measure("chat", entry, {"messages": [say("a" * letters)]})
    assert prompt.is_long is is_long


def test_tools_count_and_what_the_server_never_gets_does_not() -> None:
    recent = RecentPrompts()
    plain = measure(recent, say("hi"))
    assert measure(recent, say("hi") | {"mystery": WORDS}) == plain
    assert measure(recent, say("hi"), tools=[{"description": WORDS}]).is_long


def test_a_conversation_that_goes_on_counts_as_what_is_new() -> None:
    recent = RecentPrompts()
    first = read(recent, say(WORDS))
    assert first.is_long
    again = measure(recent, say(WORDS))
    assert (again.tokens, again.is_long) == (0, False)
    second = read(recent, say(WORDS), say("An answer.", "assistant"), say("More?"))
    assert (second.tokens, second.is_long) == (estimate_tokens(say("More?")), False)
    third = measure(recent, say(WORDS), say("An answer.", "assistant"), say("More?"), say(WORDS))
    assert third.is_long


def test_a_prompt_that_is_being_read_is_not_known_yet() -> None:
    recent = RecentPrompts()
    recent.note(1, "chat", measure(recent, say(WORDS)), SLOTS, slot=None)
    assert measure(recent, say(WORDS)).is_long
    assert measure(recent, say(WORDS), say("More?")).is_long
    assert measure(recent, say(WORDS), say("Words of the caller.", "assistant"), say("More?")).is_long
    recent.end(1, was_read=True)
    assert not measure(recent, say(WORDS)).is_long


def test_a_prompt_that_may_not_have_been_read_is_not_known() -> None:
    recent = RecentPrompts()
    recent.note(1, "chat", measure(recent, say(WORDS)), SLOTS, slot=None)
    recent.end(1, was_read=False)
    assert measure(recent, say(WORDS)).is_long
    assert measure(recent, say(WORDS), say("An answer.", "assistant"), say("More?")).is_long


def test_only_so_many_prompts_that_nobody_tells_the_end_of_are_remembered() -> None:
    recent = RecentPrompts()
    prompts = [measure(recent, say(f"{number} {WORDS}")) for number in range(2)]
    for number in range(READING_REMEMBERED):
        recent.note(number, "chat", prompts[number > 0], SLOTS, slot=None)
    assert measure(recent, say(f"0 {WORDS}")).is_long, "it is being read"
    recent.note("one more", "chat", prompts[1], SLOTS, slot=None)
    assert not measure(recent, say(f"0 {WORDS}")).is_long


def test_an_answer_that_the_server_cannot_have_written_is_new() -> None:
    recent = RecentPrompts()
    read(recent, say("hi"))
    assert measure(recent, say("hi"), say(WORDS, "assistant"), say("More?")).is_long


def test_no_more_prompts_are_known_than_there_are_slots() -> None:
    recent = RecentPrompts()
    read(recent, say(WORDS))
    for number in range(SLOTS - 1):
        read(recent, say(f"{number}"))
    assert not measure(recent, say(WORDS)).is_long
    read(recent, say("one more"))
    assert measure(recent, say(WORDS)).is_long


def test_a_slot_keeps_one_prompt() -> None:
    recent = RecentPrompts()
    read(recent, say(WORDS), slot=3)
    read(recent, say(WORDS), say("More?"))
    read(recent, say("other " + WORDS), slot=3)
    assert not measure(recent, say("other " + WORDS)).is_long
    assert measure(recent, say(WORDS)).is_long
    assert measure(recent, say(WORDS), say("More?")).is_long


def test_prompts_of_another_entry_or_with_other_tools_are_not_known() -> None:
    recent = RecentPrompts()
    read(recent, say(WORDS))
    assert recent.measure("other", ENTRY, {"messages": [say(WORDS)]}).is_long
    assert measure(recent, say(WORDS), tools=[{}]).is_long


def test_where_callers_share_no_prompts_everything_is_new() -> None:
    recent = RecentPrompts()
    read(recent, say(WORDS))
    apart = EntryTerms(places=4, body_rules="llama.cpp", slots=4, context=2048, share_prompts=False)
    assert recent.measure("chat", apart, {"messages": [say(WORDS)]}).is_long


def test_a_prompt_is_measured_on_every_path() -> None:
    system, long, answer = say("Be brief.", "system"), say(WORDS), say("yes", "assistant")
    bodies: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
        "/v1/messages": (
            {"system": "Be brief.", "messages": [long]},
            {"system": "Be brief.", "messages": [long, answer, say("Why?")]},
        ),
        "/v1/responses": (
            {"instructions": "Be brief.", "input": WORDS},
            {"instructions": "Be brief.", "input": [long, answer, say("Why?")]},
        ),
        "/v1/chat/completions": (
            {"messages": [system, long]},
            {"messages": [system, long, answer, say("Why?")]},
        ),
    }
    for path, (first, second) in bodies.items():
        entry, recent = replace(ENTRY, path=path), RecentPrompts()
        prompt = recent.measure("chat", entry, first)
        assert prompt.is_long, path
        recent.note("call", "chat", prompt, SLOTS, slot=None)
        recent.end("call", was_read=True)
        assert not recent.measure("chat", entry, second).is_long, path


def test_of_a_completion_the_whole_prompt_is_read() -> None:
    entry = replace(ENTRY, path="/v1/completions")
    for prompt, is_long in ((WORDS, True), ("Once", False), ([WORDS, "Once"], True), ([1] * 300, True)):
        assert RecentPrompts().measure("chat", entry, {"prompt": prompt}).is_long is is_long

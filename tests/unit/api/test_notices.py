from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import unquote

import pytest

from centralized_ml_api.api.notices import (
    LONGEST_WORDS,
    SILENCE,
    Message,
    build_message_headers,
    build_pause_error,
    clean_words,
    encode_message,
)
from centralized_ml_api.errors import UsageError


def test_words_are_one_line() -> None:
    assert clean_words("  Lunch\n is \t here ") == "Lunch is here"
    assert clean_words(" \n") == ""
    assert clean_words("<b>Käse</b> 🧀") == "<b>Käse</b> 🧀"
    joined = "👩\u200d💻 می\u200cرویم"  # an emoji of two, and a word of Persian
    assert clean_words(joined) == joined


@pytest.mark.parametrize("words", ["a\x00b", "\x1b[31mred", "\u202eback", "a" * (LONGEST_WORDS + 1)])
def test_what_nobody_can_read_is_refused(words: str) -> None:
    with pytest.raises(UsageError):
        clean_words(words)


@pytest.mark.parametrize("words", ["Lunch is here!", "Käse, 100 %", "日本語", 'say "hi" \\ there', "a+b=c;d"])
def test_a_header_takes_any_words_and_gives_them_back(words: str) -> None:
    encoded = encode_message(words)
    assert encoded.isascii()
    assert encoded.isprintable()
    assert unquote(encoded) == words
    assert encode_message("Lunch is here!") == "Lunch is here!"


def test_a_message_comes_with_its_time_and_silence_with_nothing() -> None:
    assert build_message_headers(Message("Käse", datetime(2030, 6, 1, 12, tzinfo=UTC))) == {
        "x-event-message": "K%C3%A4se",
        "x-event-message-time": "2030-06-01T12:00:00Z",
    }
    assert build_message_headers(SILENCE) == {}


def test_braces_of_an_organizer_are_no_placeholders() -> None:
    assert build_pause_error("{words} {0}").message.endswith(": {words} {0}")
    assert build_pause_error("").message == "The organizers have paused this for now."

"""The message to everybody, and the pause: their words, and the error and `Retry-After` of a paused call."""

from __future__ import annotations

from urllib.parse import quote

from centralized_ml_api.api.error_shape import LONGEST_WAIT_SECONDS, PAUSED, STOP_RETRYING, ApiError
from centralized_ml_api.errors import UsageError

MESSAGE_HEADER = "x-event-message"
"""There while an organizer has something to say, on every answer: `encode_message`."""

LONGEST_WORDS = 280

PAUSE_HEADERS = (("retry-after", str(LONGEST_WAIT_SECONDS)), STOP_RETRYING)
"""Nobody knows how long a pause is: people look again in a minute, and SDKs do not try by themselves."""

_JOINERS = "\u200c\u200d"
"""They have no shape of their own, but spell Persian, and join emoji such as that of a family."""

_PLAIN = " !#$&'()*+,-./:;=?@_~"


def clean_words(written: str) -> str:
    """Returns what an organizer says on one line, with single spaces. Pure.

    Raises:
        UsageError: It is too long, or has characters that nobody can read.
    """
    words = " ".join(written.split())
    if len(words) > LONGEST_WORDS:
        raise UsageError(f"these are {len(words)} characters", fix=f"say it in up to {LONGEST_WORDS}")
    if not words.translate(dict.fromkeys(map(ord, _JOINERS))).isprintable():
        raise UsageError("these words have characters that cannot be shown", fix="write plain text")
    return words


def encode_message(words: str) -> str:
    """Encodes words for a header, which holds ASCII alone: as in a URL, where that is needed. Pure.

    Source: RFC 3986, section 2.1; RFC 9110, section 5.5.
    """
    return quote(words, safe=_PLAIN)


def build_pause_error(words: str) -> ApiError:
    """Builds the error of calls to what is paused, with the organizer's words, if there are any. Pure."""
    return PAUSED.with_message("saying", words=words) if words else PAUSED

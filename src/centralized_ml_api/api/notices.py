"""The message to everybody, and the pause: their words, and the error and `Retry-After` of a paused call."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import quote

from centralized_ml_api.api.error_shape import LONGEST_WAIT_SECONDS, PAUSED, STOP_RETRYING, ApiError
from centralized_ml_api.api.event_end import render_instant
from centralized_ml_api.errors import UsageError
from centralized_ml_api.record import record

MESSAGE_HEADER = "x-event-message"
"""There while an organizer has something to say, on every answer: `encode_message`."""

MESSAGE_TIME_HEADER = "x-event-message-time"
"""Since when, beside it: an instant as `render_instant` writes it."""

LONGEST_WORDS = 280

PAUSE_HEADERS = (("retry-after", str(LONGEST_WAIT_SECONDS)), STOP_RETRYING)
"""Nobody knows how long a pause is: people look again in a minute, and SDKs do not try by themselves."""

_JOINERS = "\u200c\u200d"
"""They have no shape of their own, but spell Persian, and join emoji such as that of a family."""

_PLAIN = " !#$&'()*+,-./:;=?@_~"


@record
class Message:
    """What an organizer tells everybody, and since when; without words it is nothing."""

    words: str = ""
    at: datetime | None = None


SILENCE = Message()


def build_message_headers(message: Message) -> dict[str, str]:
    """Builds the headers of every answer that tell the message; none while there is nothing to tell. Pure."""
    if not message.words:
        return {}
    since = {MESSAGE_TIME_HEADER: render_instant(message.at)} if message.at else {}
    return {MESSAGE_HEADER: encode_message(message.words), **since}


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

"""Says something to everybody who uses a deployed stack: a variable of the function that streams.

That function answers chats, the other calls under `/v1` and `/health`, which the page asks every few seconds.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from centralized_ml_api.api.event_end import render_instant
from centralized_ml_api.api.notices import SILENCE, Message
from centralized_ml_api.aws.event.function_variable import FunctionVariable, VariableWords
from centralized_ml_api.aws.stack.contract import MESSAGE_VARIABLE, NO_MESSAGE, STREAM_FUNCTION
from centralized_ml_api.aws.stack.stored import StoredValueError, read_object, read_texts
from centralized_ml_api.config.checks.event.ends import parse_instant

if TYPE_CHECKING:
    from centralized_ml_api.aws.clients import AwsClients

_WORDS = VariableWords(
    older="messages to all",
    absent="has no function that could tell anybody anything",
    absent_fix="deploy it again",
    one_more="this message",
    room_fix="use fewer words",
)


class AwsMessage:
    """The message to all of a deployed stack; every method raises what those of `FunctionVariable` do.

    Args:
        clients: Of the region of the stack.
        stack: Its name.
    """

    def __init__(self, clients: AwsClients, stack: str) -> None:
        self._variable = FunctionVariable(
            clients, stack, part=STREAM_FUNCTION, name=MESSAGE_VARIABLE, words=_WORDS
        )

    def load(self) -> Message:
        """Returns what is said now.

        Raises:
            StoredValueError: Somebody has written something else there; callers are told nothing then.
        """
        message = _read(self._variable.load())
        if message is None:
            raise StoredValueError(
                f"the variable {MESSAGE_VARIABLE} of the function that streams is not in the form of a"
                " message, so nobody sees it",
                fix="set another message, or clear it: both rewrite the variable",
            )
        return message

    def say(self, message: Message) -> Message:
        """Says something, or nothing more where there are no words; returns what was said before."""
        return self._variable.change(lambda value: (_read(value) or SILENCE, _write(message)))


def _read(value: str) -> Message | None:
    """Reads a message; None for what is none, and says nothing."""
    if value == NO_MESSAGE:
        return SILENCE
    told = read_texts(read_object(value))
    words, at = told.get("words"), parse_instant(told.get("at", ""))
    return Message(words, at) if words and at else None


def _write(message: Message) -> str:
    if not message.words or message.at is None:
        return NO_MESSAGE
    told = {"words": message.words, "at": render_instant(message.at)}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))

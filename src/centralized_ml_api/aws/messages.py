"""Says something to everybody who uses a deployed stack: a variable of the function that streams.

That function answers chats, the other calls under `/v1` and `/health`, which the page asks every few seconds.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from centralized_ml_api.aws.function_variable import FunctionVariable, VariableWords
from centralized_ml_api.aws.stack_contract import MESSAGE_VARIABLE, STREAM_FUNCTION

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

    def load(self) -> str:
        """Returns what is said now; empty while that is nothing."""
        return _read(self._variable.load())

    def say(self, words: str) -> str:
        """Says something, or nothing more where `words` are empty; returns what was said before."""
        return self._variable.change(lambda value: (_read(value), json.dumps(words, ensure_ascii=False)))


def _read(value: str) -> str:
    words: str = json.loads(value)
    return words

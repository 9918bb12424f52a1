"""Calls a language model, and times its first and its last word; each call has its own connection."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from http.client import HTTPResponse

_OK = 200


@dataclass(frozen=True, slots=True)
class Question:
    """What to send to a path, at a port of loopback."""

    port: int
    path: str
    body: Mapping[str, Any]


def ask(question: Question) -> Any:
    """Returns the JSON of a response that is not streamed.

    Raises:
        RuntimeError: The status is not 200. The other functions raise it too.
    """
    with _answer(question) as answer:
        return json.loads(answer.read())


def time_answer(question: Question) -> float:
    """Returns the seconds until a response is complete."""
    begun = time.perf_counter()
    with _answer(question) as answer:
        answer.read()
        return time.perf_counter() - begun


def time_first_word(question: Question) -> float:
    """Returns the seconds until the first word of a streamed response, after reading all of it."""
    begun = time.perf_counter()
    with _answer(question) as answer:
        next(streamed_words(answer))
        seconds = time.perf_counter() - begun
        answer.read()
    return seconds


def is_answered(question: Question) -> bool:
    """Returns whether a server answers with 200."""
    with contextlib.suppress(OSError, HTTPException, RuntimeError):
        time_answer(question)
        return True
    return False


def streamed_words(lines: Iterable[bytes]) -> Iterator[str]:
    """Yields the words of a response in server-sent events as they arrive. Pure."""
    for line in lines:
        if line.startswith(b"data: {"):
            for choice in json.loads(line.removeprefix(b"data: "))["choices"]:
                if words := choice["delta"].get("content"):
                    yield words


@contextlib.contextmanager
def _answer(question: Question) -> Iterator[HTTPResponse]:
    with contextlib.closing(HTTPConnection("127.0.0.1", question.port)) as connection:
        body = json.dumps(question.body).encode()
        connection.request("POST", question.path, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        if answer.status != _OK:
            raise RuntimeError(f"{question.path} answers {answer.status}: {answer.read()!r}")
        yield answer

"""Calls to a language model, timed until its first and its last word; each on a connection of its own."""

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
    """What is sent to a path of a port of loopback."""

    port: int
    path: str
    body: Mapping[str, Any]


def ask(question: Question) -> Any:
    """The answer of a call that is not streamed.

    Raises:
        RuntimeError: it is no 200; so do the other functions.
    """
    with _answer(question) as answer:
        return json.loads(answer.read())


def time_answer(question: Question) -> float:
    """Seconds until all of an answer is there."""
    begun = time.perf_counter()
    with _answer(question) as answer:
        answer.read()
        return time.perf_counter() - begun


def time_first_word(question: Question) -> float:
    """Seconds until the first word of a streamed answer; the rest is waited for."""
    begun = time.perf_counter()
    with _answer(question) as answer:
        next(streamed_words(answer))
        seconds = time.perf_counter() - begun
        answer.read()
    return seconds


def is_answered(question: Question) -> bool:
    """Whether a server is there, and answers with a 200."""
    with contextlib.suppress(OSError, HTTPException, RuntimeError):
        time_answer(question)
        return True
    return False


def streamed_words(lines: Iterable[bytes]) -> Iterator[str]:
    """The words of an answer in server-sent events, as they come. Pure."""
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

"""Calls that wait for the model, and callers who leave meanwhile."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.local.python_engine.mlapi_model_server.answer import Answer, Head
from centralized_ml_api.local.python_engine.mlapi_model_server.handler import Handler, Request
from centralized_ml_api.local.python_engine.mlapi_model_server.model_threads import (
    ABANDONED_SECONDS,
    Call,
    ModelThreads,
)
from centralized_ml_api.local.python_engine.mlapi_model_server.refusal import Refusal, refused_input

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def _load() -> Handler:
    raise NotImplementedError


def _call(*, gone: bool) -> Call:
    return Call(Request(b"", "", "", {}), lambda: gone)


def test_who_has_left_takes_no_place_in_the_queue() -> None:
    threads = ModelThreads(_load, threads=1, waiting=2, limit_seconds=60)
    threads.submit(_call(gone=True))
    threads.submit(_call(gone=False))
    threads.submit(_call(gone=False))
    with pytest.raises(Refusal, match="Too many requests at once"):
        threads.submit(_call(gone=False))


def test_a_call_that_nobody_waits_for_ends_sooner() -> None:
    patient = ModelThreads(_load, threads=1, waiting=1, limit_seconds=60)
    assert patient.limit_of(_call(gone=False)) == 60
    assert patient.limit_of(_call(gone=True)) == ABANDONED_SECONDS
    strict = ModelThreads(_load, threads=1, waiting=1, limit_seconds=5)
    assert strict.limit_of(_call(gone=True)) == 5


class Refusing(Handler):
    """A model that refuses each request with the caller's own words."""

    def __init__(self) -> None:
        pass

    def answer(self, request: Request) -> Answer:
        raise refused_input(request.body.decode())


def test_what_a_caller_wrote_is_no_line_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    threads = ModelThreads(Refusing, threads=1, waiting=1, limit_seconds=60)
    threads.start()
    call = Call(Request(b"no\nTraceback (most recent call last):\rx", "", "", {}), lambda: False)
    with caplog.at_level(logging.INFO, "model server"):
        threads.submit(call)
        head = call.take()
    assert isinstance(head, Head)
    assert head.status == 400
    words = "The model refused the input: no Traceback (most recent call last): x"
    assert caplog.messages == [f"reference {call.reference}: 400: {words}"]


class Failing(Handler):
    """A model that fails, or refuses, each request as its body says."""

    def __init__(self) -> None:
        pass

    def answer(self, request: Request) -> Answer:
        if request.body == b"refuse":
            raise refused_input("no")
        if request.body == b"begin":
            return Answer(Head(200, "text/event-stream", None), self._pieces())
        raise MemoryError("a detail of the inside")

    def _pieces(self) -> Iterator[bytes]:
        yield b"data: 1\n\n"
        raise KeyboardInterrupt("a detail of the inside")


class Raising(logging.Handler):
    """What a model may have added to logging."""

    def emit(self, record: logging.LogRecord) -> None:
        raise ValueError(f"I/O operation on closed file: {record.name}")


def _parts_of(call: Call) -> list[object]:
    parts: list[object] = []
    while (part := call.take()) is not None:
        parts.append(part)
    return parts


def test_a_model_that_breaks_logging_loses_neither_answers_nor_reasons(
    capfd: pytest.CaptureFixture[str],
) -> None:
    threads = ModelThreads(Failing, threads=1, waiting=3, limit_seconds=60)
    threads.start()
    raising, logger = Raising(), logging.getLogger("model server")
    level = logger.level
    logger.addHandler(raising)
    logger.setLevel(logging.INFO)
    try:
        for body, status in ((b"fail", 500), (b"refuse", 400), (b"begin", 200), (b"fail", 500)):
            call = Call(Request(body, "", "", {}), time_limit())
            threads.submit(call)
            head, *pieces = _parts_of(call)
            assert isinstance(head, Head), body
            assert head.status == status
            assert call.reference in str(pieces), "the caller can tell which failure it was"
            assert "a detail of the inside" not in str(pieces)
            logged = capfd.readouterr().err
            assert f"reference {call.reference}: " in logged
            assert ("a detail of the inside" in logged) == (body != b"refuse")
    finally:
        logger.removeHandler(raising)
        logger.setLevel(level)


def time_limit() -> Callable[[], bool]:
    """Returns when a caller hangs up that gets no answer."""
    deadline = time.monotonic() + 20
    return lambda: time.monotonic() > deadline

"""Calls that wait for the model, and callers who leave meanwhile."""

from __future__ import annotations

import logging

import pytest

from centralized_ml_api.local.python_engine.mlapi_model_server.answer import Answer, Head
from centralized_ml_api.local.python_engine.mlapi_model_server.handler import Handler, Request
from centralized_ml_api.local.python_engine.mlapi_model_server.model_threads import (
    ABANDONED_SECONDS,
    Call,
    ModelThreads,
)
from centralized_ml_api.local.python_engine.mlapi_model_server.refusal import Refusal, refused_input


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

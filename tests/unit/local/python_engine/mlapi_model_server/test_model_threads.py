"""Calls that wait for the model, and callers who leave meanwhile."""

from __future__ import annotations

import pytest

from centralized_ml_api.local.python_engine.mlapi_model_server.handler import Handler, Request
from centralized_ml_api.local.python_engine.mlapi_model_server.model_threads import (
    ABANDONED_SECONDS,
    Call,
    ModelThreads,
)
from centralized_ml_api.local.python_engine.mlapi_model_server.refusal import Refusal


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

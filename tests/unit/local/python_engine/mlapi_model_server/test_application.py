"""The model server as a WSGI application."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from centralized_ml_api.local.python_engine.mlapi_model_server.application import Application
from centralized_ml_api.local.python_engine.mlapi_model_server.model_threads import ModelThreads

if TYPE_CHECKING:
    from centralized_ml_api.local.python_engine.mlapi_model_server.handler import Handler


def load_nothing() -> Handler:
    raise AssertionError("no thread was started")


def test_a_caller_who_left_gets_a_status_that_nobody_reads() -> None:
    # Without one, waitress raises, and the log has a traceback for everyone who hangs up.
    threads = ModelThreads(load_nothing, threads=1, waiting=1, limit_seconds=1)
    started: list[tuple[str, list[tuple[str, str]]]] = []
    request = {
        "PATH_INFO": "/invocations",
        "REQUEST_METHOD": "POST",
        "wsgi.input": io.BytesIO(b"{}"),
        "waitress.client_disconnected": lambda: True,
    }
    body = Application(threads)(request, lambda status, headers: started.append((status, headers)))
    assert list(body) == []
    assert started == [("503 Service Unavailable", [("Content-Length", "0")])]

"""While the event has an end, every answer of a route names it, whoever gives the answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from support.running_gateway import start_gateway

if TYPE_CHECKING:
    from pathlib import Path

    from centralized_ml_api.local.gateway import Gateway
    from support.background import Background

ENDS = datetime(2030, 6, 1, 18, tzinfo=timezone(timedelta(hours=2)))
CALLS = [
    ("POST", "/echo", 200),
    ("POST", "/function", 200),
    ("POST", "/teapot", 418),
    ("POST", "/close", 502),
    ("POST", "/starting", 503),
    ("POST", "/refused", 501),
    ("POST", "/nope", 404),
    ("PUT", "/echo", 405),
    ("OPTIONS", "/echo", 204),
    ("GET", "/health", 503),
]


@pytest.mark.slow
def test_every_answer_names_the_end_until_there_is_none(
    tmp_path: Path, background: Background, served: Gateway
) -> None:
    ending = replace(served, ends=ENDS)
    with start_gateway(tmp_path, background, ending) as running:
        for method, path, status in CALLS:
            answer = running.call(path, method=method)
            assert (path, answer.status) == (path, status)
            assert answer.header("x-event-ends") == "2030-06-01T16:00:00Z", path
        too_large = running.call("/echo", bytes(7_000_000))
        assert (too_large.status, too_large.header("x-event-ends")) == (413, "2030-06-01T16:00:00Z")

        running.apply(replace(ending, ends=ENDS + timedelta(hours=1)))
        assert running.call("/echo").header("x-event-ends") == "2030-06-01T17:00:00Z"
        running.apply(served)
        assert running.call("/echo").header("x-event-ends") is None

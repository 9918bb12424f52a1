"""Streams pass as they come, on both targets."""

from __future__ import annotations

import contextlib
import http.client
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from contract.case import AWS, DEADLINE_SECONDS, LOCAL
from contract.cases import openai

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contract.case import Request
    from contract.targets import Targets
    from support.odd_server import OddServer

pytestmark = pytest.mark.slow
EVENTS = (b"data: one\n\n", b"data: two\n\n", b"data: [DONE]\n\n")


@contextlib.contextmanager
def opened(url: str, path: str, request: Request | None = None) -> Iterator[http.client.HTTPResponse]:
    """The answer with its body still to come."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=DEADLINE_SECONDS)
    with contextlib.closing(connection):
        body, headers = (request.body, dict(request.headers)) if request else (b"{}", {})
        connection.request("POST", f"{address.path}{path}", body, headers)
        yield connection.getresponse()


@pytest.mark.parametrize("target", [LOCAL, AWS])
def test_the_first_event_does_not_wait_for_the_second(targets: Targets, odd: OddServer, target: str) -> None:
    """The model makes the second only when the first has been read."""
    odd.steps.clear()
    with opened(targets.url(target), "/events") as answer:
        assert (answer.status, answer.getheader("content-type")) == (200, "text/event-stream")
        assert answer.getheader("access-control-allow-origin") == "*"
        assert answer.getheader("x-request-id")
        first = answer.read(len(EVENTS[0]))
        odd.steps.set()
        assert (first, answer.read()) == (EVENTS[0], b"".join(EVENTS[1:]))


@pytest.mark.parametrize("target", [LOCAL, AWS])
def test_a_chat_that_streams_is_the_same_bytes_on_both(targets: Targets, target: str) -> None:
    request = openai.chat(stream=True)
    with opened(targets.url(target), request.path, request) as answer:
        assert answer.read().endswith(b"data: [DONE]\n\n")

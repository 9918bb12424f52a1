"""A stream of the odd server's `/events`, read event by event."""

from __future__ import annotations

import contextlib
import http.client
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from centralized_ml_api.api.http import EVENTS_IN_UTF8
from contract.case import DEADLINE_SECONDS
from support.running_gateway import Answer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contract.case import Request
    from support.odd_server import OddServer

EVENTS = (b"data: one\n\n", b"data: two\n\n", b"data: [DONE]\n\n")


@dataclass(frozen=True)
class StreamAnswer(Answer):
    """An answer that was read to its last byte; `ended` says whether HTTP's own end came after that."""

    ended: bool


def read_stream(url: str, request: Request) -> StreamAnswer:
    """The answer of the API at `url`, also one that breaks off."""
    with opened(url, request.path, request) as answer:
        try:
            body, ended = answer.read(), True
        except http.client.IncompleteRead as cut:
            body, ended = cut.partial, False
        headers = tuple((name.lower(), value) for name, value in answer.getheaders())
        return StreamAnswer(answer.status, headers, body, ended)


@contextlib.contextmanager
def opened(
    url: str, path: str, request: Request | None = None, seconds: float = DEADLINE_SECONDS
) -> Iterator[http.client.HTTPResponse]:
    """The answer with its body still to come; `seconds` for each piece."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=seconds)
    with contextlib.closing(connection):
        body, headers = (request.body, dict(request.headers)) if request else (b"{}", {})
        connection.request("POST", f"{address.path}{path}", body, headers)
        yield connection.getresponse()


def check_events(url: str, odd: OddServer, seconds: float = DEADLINE_SECONDS) -> None:
    """Fails where an event does not pass before the next one is made: the model waits until it was read.

    Raises:
        TimeoutError: nothing came for so long.
    """
    odd.steps.clear()
    try:
        with opened(url, "/events", seconds=seconds) as answer:
            assert (answer.status, answer.getheader("content-type")) == (200, EVENTS_IN_UTF8)
            assert answer.getheader("access-control-allow-origin") == "*"
            assert answer.getheader("x-request-id")
            first = answer.read(len(EVENTS[0]))
            odd.steps.set()
            assert (first, answer.read()) == (EVENTS[0], b"".join(EVENTS[1:]))
    finally:
        odd.steps.set()

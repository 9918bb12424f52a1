"""A stream of the odd server's `/events`, read event by event."""

from __future__ import annotations

import contextlib
import http.client
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from contract.case import DEADLINE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contract.case import Request
    from support.odd_server import OddServer

EVENTS = (b"data: one\n\n", b"data: two\n\n", b"data: [DONE]\n\n")


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
            assert (answer.status, answer.getheader("content-type")) == (200, "text/event-stream")
            assert answer.getheader("access-control-allow-origin") == "*"
            assert answer.getheader("x-request-id")
            first = answer.read(len(EVENTS[0]))
            odd.steps.set()
            assert (first, answer.read()) == (EVENTS[0], b"".join(EVENTS[1:]))
    finally:
        odd.steps.set()

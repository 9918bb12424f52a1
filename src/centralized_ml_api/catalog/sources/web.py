"""One anonymous HTTPS request that is given up soon: a machine without a network must not wait for it."""

from __future__ import annotations

import queue
import threading
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from urllib3.util import Timeout

from centralized_ml_api.catalog.failures import SourceError
from centralized_ml_api.http_client import HttpError, ProxyError, host_of, send_request

if TYPE_CHECKING:
    from collections.abc import Mapping

ANSWER_SECONDS = 4.0
"""How long all of looking up the host's name, connecting and the first byte of the answer may take."""

BODY_SECONDS = 60.0
"""How long the rest may take: the manifest is some megabytes."""

_PAUSE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said; `text` is empty unless `status` is 200."""

    status: int
    etag: str
    text: str


def fetch(url: str, headers: Mapping[str, str], *, answer_seconds: float = ANSWER_SECONDS) -> Answer:
    """Gets a document without any credentials.

    The request runs in a thread of its own because the look-up of a name has no timeout.

    Args:
        url: The document's address.
        headers: Sent with the request.
        answer_seconds: How long the first byte of the answer may take.

    Raises:
        SourceError: No answer came in time, or it broke off.
    """
    inbox: queue.SimpleQueue[Answer | Exception | None] = queue.SimpleQueue()
    threading.Thread(target=_run, args=(url, dict(headers), inbox), daemon=True).start()
    _next(inbox, answer_seconds, url)
    answer = _next(inbox, BODY_SECONDS, url)
    if answer is None:
        raise SourceError(f"{host_of(url)} could not be asked")
    return answer


def _next(inbox: queue.SimpleQueue[Answer | Exception | None], seconds: float, url: str) -> Answer | None:
    try:
        came = inbox.get(timeout=seconds)
    except queue.Empty:
        raise SourceError(f"{host_of(url)} did not answer within {seconds:g} s") from None
    match came:
        case ProxyError():
            raise SourceError(f"{came.message} ({came.fix})") from came
        case HttpError():
            raise SourceError(came.message) from came
        case ValueError():
            raise SourceError(f"{host_of(url)} did not answer with text in UTF-8") from came
        case Exception():
            raise came
    return came


def _run(url: str, headers: dict[str, str], inbox: queue.SimpleQueue[Answer | Exception | None]) -> None:
    try:
        with send_request(
            url, headers, timeout=Timeout(connect=ANSWER_SECONDS, read=_PAUSE_SECONDS)
        ) as response:
            inbox.put(None)
            text = response.read().decode() if response.status == HTTPStatus.OK else ""
            inbox.put(Answer(response.status, response.headers.get("ETag", ""), text))
    except Exception as error:  # noqa: BLE001  raised again in the thread that waits
        inbox.put(error)

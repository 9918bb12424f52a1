"""One anonymous HTTPS request that is given up soon: a machine without a network must not wait for it."""

from __future__ import annotations

import queue
import re
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3
from urllib3.exceptions import HTTPError

from centralized_ml_api.catalog.failures import SourceError

if TYPE_CHECKING:
    from collections.abc import Mapping

ANSWER_SECONDS = 4.0
"""How long all of looking up the host's name, connecting and the first byte of the answer may take."""

BODY_SECONDS = 60.0
"""How long the rest may take: the manifest is some megabytes."""

_PAUSE_SECONDS = 10.0
_OK = 200
_SYSTEM = re.compile(r"\[Errno -?\d+\] ([^)]+)")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said; `text` is empty unless `status` is 200."""

    status: int
    etag: str
    text: str


def fetch(url: str, headers: Mapping[str, str], *, answer_seconds: float = ANSWER_SECONDS) -> Answer:
    """GETs a document without any credentials.

    It runs in a thread of its own because the look-up of a name cannot be limited in time otherwise.

    Raises:
        SourceError: no answer came in time, or it broke off.
    """
    inbox: queue.SimpleQueue[Answer | Exception | None] = queue.SimpleQueue()
    threading.Thread(target=_run, args=(url, dict(headers), inbox), daemon=True).start()
    host = urlsplit(url).netloc
    _next(inbox, answer_seconds, host)
    answer = _next(inbox, BODY_SECONDS, host)
    if answer is None:
        raise SourceError(f"{host} could not be asked")
    return answer


def _next(inbox: queue.SimpleQueue[Answer | Exception | None], seconds: float, host: str) -> Answer | None:
    try:
        came = inbox.get(timeout=seconds)
    except queue.Empty:
        raise SourceError(f"{host} did not answer within {seconds:g} s") from None
    if isinstance(came, Exception):
        raise SourceError(f"{host} could not be reached ({_reason(came)})") from came
    return came


def _run(url: str, headers: dict[str, str], inbox: queue.SimpleQueue[Answer | Exception | None]) -> None:
    timeout = urllib3.Timeout(connect=ANSWER_SECONDS, read=_PAUSE_SECONDS)
    try:
        with _pool(url) as pool:
            response = pool.request(
                "GET", url, headers=headers, retries=False, timeout=timeout, preload_content=False
            )
            inbox.put(None)
            text = response.read().decode() if response.status == _OK else ""
            inbox.put(Answer(response.status, response.headers.get("ETag", ""), text))
            response.release_conn()
    except (HTTPError, OSError, ValueError) as error:
        inbox.put(error)


def _pool(url: str) -> urllib3.PoolManager:
    """A pool that honours the proxy settings of the machine."""
    address = urlsplit(url)
    proxy = getproxies().get(address.scheme)
    if proxy and not proxy_bypass(address.hostname or ""):
        return urllib3.ProxyManager(proxy)
    return urllib3.PoolManager()


def _reason(error: Exception) -> str:
    """The operating system's words where there are some, else urllib3's without the objects before them."""
    said = _SYSTEM.search(str(error))
    return said[1] if said else str(error).rpartition(": ")[2] or type(error).__name__

"""`https://…`: a download that follows redirects, and continues where it was cut."""

from __future__ import annotations

import re
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from urllib3.util import Retry, Timeout

from centralized_ml_api.errors import WeightsError
from centralized_ml_api.http_client import (
    LOOPBACK,
    ONCE,
    HttpError,
    IncompleteAnswerError,
    host_of,
    send_request,
)
from centralized_ml_api.local.weights.disk import check_free
from centralized_ml_api.local.weights.partial import Head
from centralized_ml_api.local.weights.progress import read_in_background

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping

    import urllib3

    from centralized_ml_api.local.weights.partial import Partial
    from centralized_ml_api.local.weights.progress import Monitor

_PIECE_BYTES = 1 << 18
_SHORT_BYTES = 16_000_000
_BREAKS_WITHOUT_PROGRESS = 3
_FIRST_PAUSE_SECONDS = 0.25
_CONNECT_SECONDS = 10
_MAX_REDIRECTS = 10
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_BUSY = (429, 500, 502, 503, 504)
_SHA256_TAG = re.compile(r'"?([0-9a-f]{64})"?')
_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")
_RETRY_LATER = "try again later: the download continues where it stopped"

# Retry-After is not followed: a server may say an hour, and nobody should wait that long without a word.
_RETRY = Retry(
    total=4,
    connect=2,
    read=1,
    status=3,
    other=1,
    redirect=False,
    status_forcelist=_BUSY,
    raise_on_status=False,
    backoff_factor=0.5,
    respect_retry_after_header=False,
)


class RefusedError(WeightsError):
    """The server asks for credentials (401), or refuses those that it got (403)."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a file is. `token` is sent to the host of `url` alone, never to one it redirects to."""

    url: str
    token: str = field(default="", repr=False)
    timeout_seconds: float = 30
    retry: Retry = _RETRY

    def asked_once(self) -> Address:
        """Returns the address without a second attempt, for a question that must be answered soon or not."""
        return replace(self, retry=ONCE)


@dataclass(frozen=True, slots=True)
class Piece:
    """The next bytes of an answer; the first piece has none, so that its head can be judged."""

    head: Head
    data: bytes


def download_file(address: Address, partial: Partial, monitor: Monitor, *, what: str) -> str | None:
    """Downloads a file into `partial`, continuing what is there of the same version.

    Args:
        address: Where the file is.
        partial: Where it goes; what has come is kept if it can be continued.
        monitor: Follows the download, and can end it.
        what: The weights, for messages.

    Returns:
        The SHA-256 that the host vouches for, if it does.

    Raises:
        WeightsError: It cannot be downloaded.
    """
    breaks, furthest = 0, partial.size
    with _explain_failures():
        while True:
            try:
                return _transfer(address, partial, monitor, what).sha256
            except IncompleteAnswerError:
                breaks = 0 if partial.size > furthest else breaks + 1
                furthest = max(furthest, partial.size)
                if breaks >= _BREAKS_WITHOUT_PROGRESS:
                    raise
                monitor.pause(_FIRST_PAUSE_SECONDS * 2**breaks if breaks else 0)


def read_short_answer(address: Address, monitor: Monitor) -> bytes:
    """Returns an answer that fits into memory, such as a listing.

    Raises:
        WeightsError: It cannot be read, or is longer than 16 MB.
    """
    answer = b""
    with _explain_failures(), closing(_start(address, {}, monitor)) as pieces:
        for piece in pieces:
            answer += piece.data
            if len(answer) > _SHORT_BYTES:
                raise WeightsError(
                    f"{host_of(address.url)} sends more than a listing could have", fix="check the address"
                )
    return answer


def measure_file(address: Address, monitor: Monitor) -> int | None:
    """Returns the size of a file in bytes, if its server says.

    Raises:
        WeightsError: The server cannot be asked, or refuses.
    """
    with _explain_failures(), closing(_start(address, {}, monitor)) as pieces:
        return next(pieces).head.total_bytes


def receive(address: Address, headers: Mapping[str, str]) -> Generator[Piece, None, None]:
    """Asks for a file and yields its bytes.

    Raises:
        WeightsError: The server refuses.
        HttpError: There is no answer, or it broke off.
    """
    with _open(address, headers) as (response, head):
        yield Piece(head, b"")
        # The bytes as they are: a file that is stored compressed stays so.
        for data in response.stream(_PIECE_BYTES, decode_content=False):
            yield Piece(head, data)


@contextmanager
def _explain_failures() -> Iterator[None]:
    try:
        yield
    except HttpError as exc:
        raise WeightsError(exc.message, fix=exc.fix or _RETRY_LATER) from exc


def _start(address: Address, headers: dict[str, str], monitor: Monitor) -> Generator[Piece, None, None]:
    return read_in_background(receive(address, headers), monitor)


def _transfer(address: Address, partial: Partial, monitor: Monitor, what: str) -> Head:
    with closing(_start(address, partial.resume_headers(), monitor)) as pieces:
        head = next(pieces).head
        if partial.accepts(head):
            _write(head, pieces, partial, monitor, what)
            return head
    # The file there is another one by now, or the server counts differently: from the start, without a range.
    partial.discard()
    return _transfer(address, partial, monitor, what)


def _write(head: Head, pieces: Iterator[Piece], partial: Partial, monitor: Monitor, what: str) -> None:
    done = partial.begin(head)
    if head.total_bytes is not None:
        check_free(partial.path.parent, head.total_bytes - done, what=what)
    with partial.path.open("ab") as file:
        for piece in pieces:
            file.write(piece.data)
            done += len(piece.data)
            monitor.report("downloading", done, head.total_bytes)


@contextmanager
def _open(address: Address, headers: Mapping[str, str]) -> Iterator[tuple[urllib3.BaseHTTPResponse, Head]]:
    timeout = Timeout(connect=min(_CONNECT_SECONDS, address.timeout_seconds), read=address.timeout_seconds)
    url, sha256 = address.url, None
    for _ in range(_MAX_REDIRECTS):
        at_home = _origin(url) == _origin(address.url)
        token = {"Authorization": f"Bearer {address.token}"} if address.token and at_home else {}
        with send_request(url, {**headers, **token}, timeout=timeout, retry=address.retry) as response:
            sha256 = sha256 or (_linked_sha256(response) if at_home else None)
            if response.status not in _REDIRECTS:
                yield response, _read_head(response, url, sha256, ranged="Range" in headers)
                return
            url = _follow(url, response.headers.get("Location", ""))
    raise WeightsError(
        f"{host_of(address.url)} redirects more than {_MAX_REDIRECTS} times", fix="check the address"
    )


def _follow(url: str, location: str) -> str:
    target = urljoin(url, location)
    here, there = urlsplit(url), urlsplit(target)
    stays_local = here.scheme == "http" and there.scheme == "http" and there.hostname in LOOPBACK
    if not location or not (there.scheme == "https" or stays_local):
        raise WeightsError(
            f"{host_of(url)} redirects to {there.scheme or 'no'}://{host_of(target)}, which is not https",
            fix="name an address that is served over https all the way",
        )
    return target


def _read_head(response: urllib3.BaseHTTPResponse, url: str, sha256: str | None, *, ranged: bool) -> Head:
    tag = str(response.headers.get("ETag", ""))
    validator = tag if tag and not tag.startswith("W/") else str(response.headers.get("Last-Modified", ""))
    match response.status:
        case 200:
            length = response.headers.get("Content-Length", "")
            return Head(None, int(length) if length.isdigit() else None, validator, sha256)
        case 206 if ranged:
            found = _CONTENT_RANGE.match(response.headers.get("Content-Range", ""))
            total = int(found[2]) if found and found[2] != "*" else None
            return Head(int(found[1]) if found else -1, total, validator, sha256)
        case 416 if ranged:
            return Head(sha256=sha256, past_end=True)
        case status:
            raise _explain_status(status, url, response.headers)


def _explain_status(status: int, url: str, headers: Mapping[str, str]) -> WeightsError:
    """Builds the error for a status other than success, without the query, which may be a secret."""
    host = host_of(url)
    address = f"{urlsplit(url).scheme}://{host}{urlsplit(url).path}"
    if status in _BUSY:
        wait = headers.get("Retry-After", "")
        after = f" (it asks for {wait} s)" if wait.isdigit() else ""
        return WeightsError(
            f"{host} is overloaded or broken: it answered {status} several times",
            fix=f"try again later{after}",
        )
    match status:
        case 404 | 410:
            return WeightsError(f"there is no {address} ({status})", fix="check the address")
        case 401 | 403:
            return RefusedError(
                f"{host} refuses {address} ({status})",
                fix="download the file yourself, and write its path as the weights",
            )
        case _:
            return WeightsError(f"{address} answered {status} instead of a file", fix="check the address")


def _linked_sha256(response: urllib3.BaseHTTPResponse) -> str | None:
    """Returns the digest that the Hugging Face hub gives for a large file when it redirects to its CDN.

    Source: https://huggingface.co/docs/huggingface_hub/package_reference/file_download (HfFileMetadata.etag).
    """
    found = _SHA256_TAG.fullmatch(response.headers.get("X-Linked-Etag", ""))
    return found[1] if found else None


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc

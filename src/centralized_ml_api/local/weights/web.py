"""`https://…`: a download that continues where it was cut."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from urllib3.exceptions import HTTPError

from centralized_ml_api.errors import WeightsError
from centralized_ml_api.local.weights.background import read_in_background
from centralized_ml_api.local.weights.connection import Address, receive
from centralized_ml_api.local.weights.disk import check_free
from centralized_ml_api.local.weights.web_errors import explain_failure

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from centralized_ml_api.local.weights.connection import Piece
    from centralized_ml_api.local.weights.partial import Head, Partial
    from centralized_ml_api.local.weights.watch import Watch

_BREAKS_WITHOUT_PROGRESS = 3
_FIRST_PAUSE_SECONDS = 0.25
_SHORT_BYTES = 16_000_000


def download(address: Address, partial: Partial, watch: Watch, *, what: str) -> str | None:
    """Brings a file into `partial`, continuing what is there of the same version.

    Returns:
        The SHA-256 that the host vouches for, if it does.

    Raises:
        WeightsError: it cannot be had; what has come is kept if it can be continued.
    """
    breaks, furthest = 0, partial.size
    while True:
        try:
            return _transfer(address, partial, watch, what).sha256
        except HTTPError as exc:
            breaks = 0 if partial.size > furthest else breaks + 1
            furthest = max(furthest, partial.size)
            if breaks >= _BREAKS_WITHOUT_PROGRESS:
                raise explain_failure(exc, urlsplit(address.url).netloc) from exc
            watch.pause(_FIRST_PAUSE_SECONDS * 2**breaks if breaks else 0)


def read_whole(address: Address, watch: Watch) -> bytes:
    """A short answer, such as a listing.

    Raises:
        WeightsError: it cannot be had, or is not short.
    """
    host, answer = urlsplit(address.url).netloc, b""
    try:
        with closing(_start(address, {}, watch)) as pieces:
            for piece in pieces:
                answer += piece.data
                if len(answer) > _SHORT_BYTES:
                    raise WeightsError(f"{host} answers without an end", fix="check the address")
    except HTTPError as exc:
        raise explain_failure(exc, host) from exc
    return answer


def measure(address: Address, watch: Watch) -> int | None:
    """The size of a file in bytes, if its server says."""
    with closing(_start(address, {}, watch)) as pieces:
        return next(pieces).head.total_bytes


def _start(address: Address, headers: dict[str, str], watch: Watch) -> Generator[Piece, None, None]:
    return read_in_background(receive(address, headers), watch)


def _transfer(address: Address, partial: Partial, watch: Watch, what: str) -> Head:
    with closing(_start(address, partial.resume_headers(), watch)) as pieces:
        head = next(pieces).head
        if partial.accepts(head):
            _write(head, pieces, partial, watch, what)
            return head
    # The file there is another one by now, or the server counts differently: from the start, without a range.
    partial.discard()
    return _transfer(address, partial, watch, what)


def _write(head: Head, pieces: Iterator[Piece], partial: Partial, watch: Watch, what: str) -> None:
    done = partial.begin(head)
    if head.total_bytes is not None:
        check_free(partial.path.parent, head.total_bytes - done, what=what)
    with partial.path.open("ab") as file:
        for piece in pieces:
            file.write(piece.data)
            done += len(piece.data)
            watch.report("downloading", done, head.total_bytes)

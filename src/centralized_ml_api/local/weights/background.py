"""Reading from something that may hang, so that the reader can always leave at once.

A name lookup, a TLS handshake or a silent server cannot be interrupted from Python. So they run in a thread
of their own, which does nothing but read; files are only touched by the thread that called.
"""

from __future__ import annotations

import queue
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from centralized_ml_api.local.weights.watch import Watch

T = TypeVar("T")

_POLL_SECONDS = 0.05
_PIECES_AHEAD = 4


@dataclass(frozen=True, slots=True)
class _End:
    """The source has ended, with an error or without."""

    error: BaseException | None


class _Reader(threading.Thread, Generic[T]):
    """Reads `source` ahead into a short queue until it ends or nobody wants it any more."""

    def __init__(self, source: Generator[T, None, None]) -> None:
        # A daemon: a name lookup that hangs must not keep the program from ending.
        super().__init__(name="weights-reader", daemon=True)
        self.pieces: queue.Queue[T | _End] = queue.Queue(_PIECES_AHEAD)
        self.abandoned = threading.Event()
        self._source = source

    def run(self) -> None:
        error: BaseException | None = None
        try:
            for piece in self._source:
                if not self._hand_over(piece):
                    break
        except BaseException as exc:  # noqa: BLE001  raised again in the thread that reads
            error = exc
        finally:
            self._source.close()
        self._hand_over(_End(error))

    def _hand_over(self, piece: T | _End) -> bool:
        while not self.abandoned.is_set():
            try:
                self.pieces.put(piece, timeout=_POLL_SECONDS)
            except queue.Full:
                continue
            return True
        return False


def read_in_background(source: Generator[T, None, None], watch: Watch) -> Generator[T, None, None]:
    """What `source` yields, or its exception; it runs in another thread.

    Close the generator (`contextlib.closing`) to leave early; `source` is closed as soon as it comes back.

    Raises:
        FetchCancelledError: the caller has had enough; raised at once even while `source` hangs.
    """
    reader = _Reader(source)
    reader.start()
    try:
        yield from _take(reader, watch)
    finally:
        reader.abandoned.set()


def _take(reader: _Reader[T], watch: Watch) -> Iterator[T]:
    while True:
        watch.check()
        try:
            piece = reader.pieces.get(timeout=_POLL_SECONDS)
        except queue.Empty:
            continue
        if not isinstance(piece, _End):
            yield piece
            continue
        if piece.error:
            raise piece.error
        return

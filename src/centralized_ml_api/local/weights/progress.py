"""What a caller sees of a fetch while it runs, and how the caller ends it, even while the source hangs.

A name lookup, a TLS handshake or a silent server cannot be interrupted from Python. They run in a thread that
does nothing but read; only the thread that called touches files.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterator
from typing import Generic, Literal, TypeVar

from centralized_ml_api.errors import WeightsError
from centralized_ml_api.record import record

T = TypeVar("T")
Stage = Literal["waiting", "downloading", "unpacking", "verifying"]

_POLL_SECONDS = 0.05
_PIECES_AHEAD = 4


class FetchCancelledError(WeightsError):
    """The caller ended the fetch; nothing went wrong."""


@record
class Progress:
    """How far a fetch is.

    `waiting` means that another process fetches the same weights. `total_bytes` is None while unknown.
    """

    stage: Stage
    done_bytes: int = 0
    total_bytes: int | None = None


@record
class Monitor:
    """The caller's side of a fetch: where progress goes, and the event that ends it."""

    progress: Callable[[Progress], None]
    cancelled: threading.Event

    def report(self, stage: Stage, done_bytes: int = 0, total_bytes: int | None = None) -> None:
        """Tells the caller how far the fetch is.

        Args:
            stage: What is being done.
            done_bytes: How much of it is done.
            total_bytes: How much there is to do, if that is known.

        Raises:
            FetchCancelledError: The caller has cancelled the fetch.
        """
        self.check()
        self.progress(Progress(stage, done_bytes, total_bytes))

    def check(self) -> None:
        """Returns while the fetch is wanted.

        Raises:
            FetchCancelledError: The caller has cancelled the fetch.
        """
        if self.cancelled.is_set():
            raise FetchCancelledError("the fetch was cancelled")

    def pause(self, seconds: float) -> None:
        """Waits, until the caller cancels at the latest.

        Raises:
            FetchCancelledError: The caller has cancelled the fetch.
        """
        self.cancelled.wait(seconds)
        self.check()


def read_in_background(source: Generator[T, None, None], monitor: Monitor) -> Generator[T, None, None]:
    """Yields what `source` yields, or raises what it raises; `source` runs in another thread.

    Close the generator (`contextlib.closing`) to leave early; `source` is closed as soon as it returns.

    Raises:
        FetchCancelledError: The caller has cancelled the fetch; raised at once even while `source` hangs.
    """
    reader = _Reader(source)
    reader.start()
    try:
        yield from _take(reader, monitor)
    finally:
        reader.abandoned.set()


@record
class _End:
    """The source has ended, with an error or without."""

    error: BaseException | None


class _Reader(threading.Thread, Generic[T]):
    """Reads `source` ahead into a short queue until it ends or is abandoned."""

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


def _take(reader: _Reader[T], monitor: Monitor) -> Iterator[T]:
    while True:
        monitor.check()
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

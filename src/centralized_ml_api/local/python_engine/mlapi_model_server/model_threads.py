"""Runs calls in the model's threads: each takes one call at a time from a bounded queue, with a time limit.

The model is loaded in such a thread and, with the default of one, never sees another: numeric libraries keep
a pool for each thread that calls them.
"""

from __future__ import annotations

import contextlib
import faulthandler
import logging
import os
import queue
import threading
import time
import traceback
from typing import TYPE_CHECKING

from .answer import JSON, Answer, Head, closed_after, find_framing
from .call_clock import CallClock
from .freed_memory import FreedMemory
from .refusal import Refusal, build_reference, model_broke, overloaded, stopping

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .handler import Answers, Request

LOG = logging.getLogger("model server")

ABANDONED_SECONDS = 30.0
"""How long a call may run whose caller has left: as long as the API waits for an answer, and a moment."""

PIECES_AHEAD = 16
LOOK_SECONDS = 0.25
STDERR = 2
"""The descriptor of the log; `sys.stderr` is what the model has made of it."""


class BrokenAnswerError(Exception):
    """The model failed after its answer had begun; only ending the connection is left."""


class Call:
    """One call: what the model's thread answers, part by part, and whether the caller still waits."""

    def __init__(self, request: Request, gone: Callable[[], bool]) -> None:
        self.request = request
        self.reference = build_reference()
        self.progress_at = 0.0
        self._gone = gone
        self._abandoned = threading.Event()
        self._parts: queue.Queue[Head | bytes | BaseException | None] = queue.Queue(PIECES_AHEAD)

    @property
    def wanted(self) -> bool:
        """Whether the caller is still there."""
        return not self._abandoned.is_set() and not self._gone()

    def abandon(self) -> None:
        """Records that the caller takes no more."""
        self._abandoned.set()

    def tell(self, part: Head | bytes | BaseException | None) -> bool:
        """Hands a part over, None at the end; waits for a slow caller, and is False once that is gone."""
        while self.wanted:
            self.progress_at = time.monotonic()  # a caller who reads slowly is not the model's fault
            try:
                self._parts.put(part, timeout=LOOK_SECONDS)
            except queue.Full:
                continue
            return True
        return False

    def take(self) -> Head | bytes | BaseException | None:
        """Returns the next part; None at the end, and if the caller is gone."""
        while self.wanted:
            try:
                return self._parts.get(timeout=LOOK_SECONDS)
            except queue.Empty:
                continue
        return None


class ModelThreads:
    """Runs calls; `start` loads the model and returns when it can be called."""

    def __init__(
        self, load: Callable[[], Answers], *, threads: int, waiting: int, limit_seconds: float
    ) -> None:
        self._load = load
        self._count = threads
        self._limit_seconds = limit_seconds
        self._calls: queue.Queue[Call] = queue.Queue(waiting)
        self._running: dict[int, Call] = {}
        self._stopping = threading.Event()
        self._loaded: queue.Queue[Answers | BaseException] = queue.Queue()

    def start(self) -> None:
        """Loads the model in the first thread.

        Raises:
            BaseException: What loading it raised.
        """
        self._start_thread(self._load_and_run)
        loaded = self._loaded.get()
        if isinstance(loaded, BaseException):
            raise loaded
        for _ in range(self._count - 1):
            self._start_thread(lambda: self._run(loaded))
        self._start_thread(self._enforce_limit)

    def submit(self, call: Call) -> None:
        """Queues a call.

        Raises:
            Refusal: 503, the queue is full or the process is ending.
        """
        if self._stopping.is_set():
            raise stopping()
        try:
            self._calls.put_nowait(call)
        except queue.Full:
            self._drop_abandoned()
            try:
                self._calls.put_nowait(call)
            except queue.Full:
                raise overloaded() from None

    def limit_of(self, call: Call) -> float:
        """Returns how many seconds a call may run without progress: fewer if nobody waits for it."""
        return self._limit_seconds if call.wanted else min(self._limit_seconds, ABANDONED_SECONDS)

    def drain(self, seconds: float) -> None:
        """Refuses new calls; returns when those under way are answered, after `seconds` at the latest."""
        self._stopping.set()
        LOG.info("stopping: new calls are refused")
        deadline = time.monotonic() + seconds
        while (self._running or not self._calls.empty()) and time.monotonic() < deadline:
            time.sleep(LOOK_SECONDS / 10)

    def _drop_abandoned(self) -> None:
        """Makes room in the queue: calls whose callers have left would be skipped in any case."""
        with self._calls.mutex:
            waiting = [call for call in self._calls.queue if call.wanted]
            self._calls.queue.clear()
            self._calls.queue.extend(waiting)

    def _start_thread(self, target: Callable[[], None]) -> None:
        # Daemons: a model that hangs must not keep the process from ending.
        threading.Thread(target=target, name="model", daemon=True).start()

    def _load_and_run(self) -> None:
        try:
            handler = self._load()
        except BaseException as error:  # noqa: BLE001  raised again where `start` waits
            self._loaded.put(error)
            return
        self._loaded.put(handler)
        self._run(handler)

    def _run(self, handler: Answers) -> None:
        freed = FreedMemory()
        while True:
            call = self._calls.get()
            call.progress_at = time.monotonic()
            self._running[threading.get_native_id()] = call
            try:
                if call.wanted:
                    _serve(handler, call)
            finally:
                del self._running[threading.get_native_id()]
            del call  # with its body
            freed.give_back(is_idle=not self._running)

    def _enforce_limit(self) -> None:
        """Ends the process when a call takes too long, and sooner if nobody waits for it.

        A thread cannot be ended alone.
        """
        clock = CallClock()
        while True:
            time.sleep(LOOK_SECONDS)
            for thread, call in list(self._running.items()):
                limit = self.limit_of(call)
                if clock.stalled_seconds(thread, call.progress_at) > limit:
                    _give_up(call, limit)


def _log(log: Callable[..., None], text: str, *values: object) -> None:
    """Logs, whatever the model has done to logging and `sys.stderr`: an error here would end the thread."""
    try:
        log(text, *values)
    except BaseException:  # noqa: BLE001  a handler or filter of the model may raise anything
        lines = f"{text % values}\n{traceback.format_exc()}"  # also why the call failed, which came before
        with contextlib.suppress(OSError):
            os.write(STDERR, lines.encode(errors="replace"))


def _serve(handler: Answers, call: Call) -> None:
    try:
        answer = _begun(handler.answer(call.request))
    except Refusal as refusal:
        # On one line: a message may quote the caller, who must not write lines of their own.
        message = " ".join(refusal.message.splitlines())
        _log(LOG.info, "reference %s: %d: %s", call.reference, refusal.status, message)
        _tell(call, _refuse(refusal, call.reference))
    except BaseException:  # noqa: BLE001  also sys.exit() in a model is its bug, and this thread goes on
        _log(LOG.exception, "reference %s: 500: the model failed", call.reference)
        _tell(call, _refuse(model_broke(call.reference), call.reference))
    else:
        _stream(call, answer)


def _stream(call: Call, answer: Answer) -> None:
    framing = find_framing(answer.head.content_type)
    try:
        _tell(call, Answer(answer.head, framing.cut(answer.pieces)) if framing else answer)
    except BaseException as error:  # noqa: BLE001  as above
        _log(LOG.exception, "reference %s: the model failed after its answer had begun", call.reference)
        if framing:
            call.tell(framing.render_last(model_broke(call.reference).body(call.reference)))
            call.tell(None)
        else:
            call.tell(BrokenAnswerError(f"{type(error).__name__}, see reference {call.reference}"))


def _tell(call: Call, answer: Answer) -> None:
    with closed_after(answer.pieces):
        if not call.tell(answer.head):
            return
        for piece in answer.pieces:
            if not call.tell(piece):
                return
        call.tell(None)


def _begun(answer: Answer) -> Answer:
    """Returns the answer once it has a piece: a model that fails before that still gets an error's head."""
    if answer.head.length is not None:
        return answer
    first = next(answer.pieces, b"")
    return Answer(answer.head, _chain(first, answer.pieces))


def _chain(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    with closed_after(rest):
        if first:
            yield first
        yield from rest


def _refuse(refusal: Refusal, reference: str) -> Answer:
    body = refusal.body(reference)
    return Answer(Head(refusal.status, JSON, len(body)), iter([body]))


def _give_up(call: Call, limit_seconds: float) -> None:
    _log(
        LOG.error,
        "reference %s: no answer after %g seconds; this process ends and is restarted. The call was here:",
        call.reference,
        limit_seconds,
    )
    faulthandler.dump_traceback(STDERR)
    os._exit(1)

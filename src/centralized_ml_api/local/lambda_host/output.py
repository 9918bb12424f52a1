"""Logs what a worker prints, line by line, each labelled with the request that it was printed for."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import sys

from centralized_ml_api.local.launch import LINE_LIMIT_BYTES

_CHUNK_BYTES = 64 * 1024
_CHUNKS_AT_ONCE = 16
_CLOSED = -1
_LINE_END = re.compile(rb"[\r\n]")


def write_line(text: str) -> None:
    """Writes one line to the host's own output, which the supervisor logs."""
    with contextlib.suppress(BrokenPipeError, ValueError):
        sys.stdout.buffer.write(text.encode(errors="replace") + b"\n")
        sys.stdout.buffer.flush()


class WorkerOutput:
    """A pipe for a worker's stdout and stderr; `label`, a request id or `init`, begins each logged line.

    It is read here and not by a stream because of `drain`: what a worker printed before it answered must be
    in the log before the line that ends the request.
    """

    def __init__(self) -> None:
        self.label = "init"
        self._partial = b""
        self._reading, self.writing = os.pipe()
        os.set_blocking(self._reading, False)
        asyncio.get_running_loop().add_reader(self._reading, self._read)

    def close_writing(self) -> None:
        """Closes our copy of the writing end, so that only the worker holds it."""
        if self.writing != _CLOSED:
            os.close(self.writing)
            self.writing = _CLOSED

    def drain(self) -> None:
        """Logs everything printed so far, including an unfinished line; does nothing after `close`."""
        if self._reading == _CLOSED:
            return
        self._read()
        if self._partial:
            self._log(self._partial)
            self._partial = b""

    def close(self) -> None:
        """Logs the rest and closes the pipe."""
        self.close_writing()
        self.drain()
        asyncio.get_running_loop().remove_reader(self._reading)
        os.close(self._reading)
        self._reading = _CLOSED

    def _read(self) -> None:
        """Reads what is there, up to 1 MiB: a worker that prints endlessly must not block the host."""
        for _ in range(_CHUNKS_AT_ONCE):
            try:
                chunk = os.read(self._reading, _CHUNK_BYTES)
            except BlockingIOError:
                return
            if not chunk:
                asyncio.get_running_loop().remove_reader(self._reading)
                return
            self._take(chunk)

    def _take(self, chunk: bytes) -> None:
        *lines, self._partial = _LINE_END.split(self._partial + chunk)
        for line in lines:
            if line:
                self._log(line)
        if len(self._partial) >= LINE_LIMIT_BYTES:
            self._log(self._partial)
            self._partial = b""

    def _log(self, line: bytes) -> None:
        write_line(f"{self.label} {line.decode(errors='replace')}")

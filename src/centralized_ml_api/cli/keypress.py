"""Keys of the terminal, one at a time, without Enter; where there is no terminal, waiting alone."""

from __future__ import annotations

import contextlib
import select
import sys
import termios
import time
import tty
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextlib.contextmanager
def read_keys() -> Iterator[Callable[[float], str]]:
    """Gives a callable that waits so many seconds for a key, and gives it, or nothing.

    The terminal is afterwards as it was, however the block is left. Ctrl-C stays what it is.
    """
    if not sys.stdin.isatty():
        yield _only_wait
        return
    before = termios.tcgetattr(sys.stdin)
    try:
        tty.setcbreak(sys.stdin)
        yield _wait_for_key
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def _only_wait(seconds: float) -> str:
    time.sleep(seconds)
    return ""


def _wait_for_key(seconds: float) -> str:
    ready, _, _ = select.select([sys.stdin], [], [], seconds)
    return sys.stdin.read(1) if ready else ""

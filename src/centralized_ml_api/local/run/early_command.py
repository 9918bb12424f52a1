"""Starts the servers of the last `mlapi up` before click is imported, which takes as long as Python to start.

Of the command line, it reads only what is plain: the words of `WITH_VALUE` and `ALONE` and one CONFIG. For
any other, `mlapi up` does so itself, a moment later. Whatever becomes of the command line, what nobody took
is ended.
"""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from centralized_ml_api.commands import DEFAULT_CONFIG, DEFAULT_STATE
from centralized_ml_api.local.run.early import EarlyServers
from centralized_ml_api.local.servers.llama_cpp_program import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

WITH_VALUE = frozenset({"--host", "--port", "--for", "--metrics-port", "--certificate", "--key", "--state"})
ALONE = frozenset({"--https", "--public"})
"""The options of `mlapi up` with a value, and those without one that leave it in the foreground."""

_begun: dict[tuple[Path, Path], EarlyServers] = {}
"""What has begun and what `mlapi up` has not taken over yet, by config and state folder: one at most."""


@contextlib.contextmanager
def begun(words: Sequence[str], program: tuple[str, ...] = PROGRAM) -> Iterator[None]:
    """Starts the servers of the last start if this is a plain `mlapi up` with the same config.

    Those that nobody has taken over end with the block.

    Args:
        words: Those behind the program's name.
        program: The program that is started.
    """
    # Whoever closed a standard stream finds the next file that is opened in its place.
    has_streams = None not in (sys.stdin, sys.stdout, sys.stderr)
    try:
        if has_streams and (found := find_files(words)) is not None:
            # Where the working folder was removed, nothing starts early; `mlapi` will say so.
            with contextlib.suppress(FileNotFoundError):
                _begun[found] = EarlyServers(*found, program)
                _begun[found].begin()
        yield
    finally:
        while _begun:
            _begun.popitem()[1].end()


def take_begun(config: Path, state: Path) -> EarlyServers:
    """Returns what has begun for these files, which the caller ends from now on; otherwise one that has not.

    Args:
        config: The config's file.
        state: The state folder.
    """
    return _begun.pop((config, state), None) or EarlyServers(config, state)


def find_files(words: Sequence[str]) -> tuple[Path, Path] | None:
    """Returns config and state folder of a plain `mlapi up` that serves in the foreground; None for others.

    Pure. Without CONFIG it is the default one: where another runs, nothing starts early.
    """
    config, state = DEFAULT_CONFIG, DEFAULT_STATE
    if not words or words[0] != "up":
        return None
    rest, has_config = iter(words[1:]), False
    for word in rest:
        value = next(rest, None) if word in WITH_VALUE else word
        if value is None or (word.startswith("-") and word not in WITH_VALUE | ALONE):
            return None
        if word == "--state":
            state = Path(value)
        elif not word.startswith("-"):
            if has_config:
                return None
            config, has_config = Path(word), True
    return config, state

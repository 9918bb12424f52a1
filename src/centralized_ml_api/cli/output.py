"""The only module that prints: stdout is data, stderr is talk.

A pipe gets what was said to the byte. On a terminal nothing of it can steer: some of it others have written.
"""

from __future__ import annotations

import codecs
import contextlib
import json
import os
import sys
from typing import TYPE_CHECKING

import click

from centralized_ml_api.cli.terminal_text import render_for_terminal
from centralized_ml_api.errors import CatalogError, ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import TextIO

    from centralized_ml_api.errors import MlApiError

_CHARACTERS = codecs.getincrementaldecoder("utf-8")("replace")
"""Bytes come in pieces, which may end within a character."""


def data(text: str) -> None:
    """What the user asked for, to stdout."""
    click.echo(_shown(text, sys.stdout), color=_color())


def data_json(value: Mapping[str, object] | Sequence[object]) -> None:
    """What a script asked for, to stdout: one JSON document, indented."""
    click.echo(_shown(json.dumps(value, indent=2, ensure_ascii=False), sys.stdout))


def data_bytes(value: bytes) -> None:
    """Bytes as they are, to stdout; a terminal is shown the text that they are."""
    click.echo(_shown(_CHARACTERS.decode(value), sys.stdout) if sys.stdout.isatty() else value, nl=False)


def talk(text: str) -> None:
    """What the user should know meanwhile, to stderr."""
    click.echo(_shown(text, sys.stderr), err=True, color=_color())


def next_command(text: str) -> None:
    """The last line of a verb: what is useful next."""
    talk(f"Next: {text}")


def fail(error: MlApiError) -> None:
    """An error and how to fix it, to stderr; a config's problems in their full form."""
    if isinstance(error, ConfigError):
        from centralized_ml_api.config.render import render_problems  # noqa: PLC0415  # only when it is needed

        talk(render_problems(error.problems, error.source))
        return
    talk(click.style("error: ", fg="red", bold=True) + error.message)
    if isinstance(error, CatalogError) and error.expected:
        talk(f"  expected: {error.expected}")
    if error.fix:
        talk(f"  fix: {error.fix}")


def _shown(text: str, stream: TextIO) -> str:
    return render_for_terminal(text) if stream.isatty() else text


def _color() -> bool | None:
    """False when the user asked for none (https://no-color.org), else click decides by the terminal."""
    return False if os.environ.get("NO_COLOR") else None


def try_talk(text: str) -> None:
    """The same as `talk`, of a reader who may not be reached any more."""
    with contextlib.suppress(OSError):
        talk(text)


def give_up_unwritable() -> None:
    """Lets an output that takes no more lead nowhere, or Python would try once more when it ends."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def flush() -> None:
    """Sends on what was printed so far."""
    sys.stdout.flush()

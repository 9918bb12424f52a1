"""Prints for all verbs, in one place: stdout is data, stderr is talk.

A pipe gets every byte unchanged. On a terminal no text can move the cursor or worse: models, logs and servers
wrote some of it.
"""

from __future__ import annotations

import codecs
import contextlib
import json
import os
import re
import sys
from typing import TYPE_CHECKING

import click

from centralized_ml_api.errors import CatalogError, ConfigError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import TextIO

    from centralized_ml_api.errors import MlApiError

_CHARACTERS = codecs.getincrementaldecoder("utf-8")("replace")
"""Bytes come in pieces, which may end within a character."""

_COLOR = r"\x1b\[[0-9;]*m"
"""Select graphic rendition: it changes how text looks and nothing else.

Source: https://www.ecma-international.org/publications-and-standards/standards/ecma-48/ (8.3.117)
"""

_CONTROLS = r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]"
"""Control characters except tab and line feed, and those that change the direction of writing.

Source: https://www.unicode.org/reports/tr9/ (explicit directional embeddings, overrides and isolates)
"""

_PARTS = re.compile(rf"(?P<kept>{_COLOR}|\r\n)|(?P<overwrites>\r)|{_CONTROLS}")


def data(text: str) -> None:
    """Prints what the user asked for, to stdout."""
    click.echo(_shown(text, sys.stdout), color=_color())


def data_json(value: Mapping[str, object] | Sequence[object]) -> None:
    """Prints what a script asked for, to stdout: one JSON document, indented."""
    click.echo(_shown(json.dumps(value, indent=2, ensure_ascii=False), sys.stdout))


def data_bytes(value: bytes) -> None:
    """Prints bytes unchanged, to stdout; a terminal gets them decoded as UTF-8."""
    click.echo(_shown(_CHARACTERS.decode(value), sys.stdout) if sys.stdout.isatty() else value, nl=False)


def talk(text: str) -> None:
    """Prints what the user should know, to stderr."""
    click.echo(_shown(text, sys.stderr), err=True, color=_color())


def try_talk(text: str) -> None:
    """Does the same as `talk` where stderr may be closed or full."""
    with contextlib.suppress(OSError):
        talk(text)


def next_command(line: str) -> None:
    """Prints the last line of a verb: the next useful command, made by `command`, and nothing behind it."""
    talk(f"Next: {line}")


def fail(error: MlApiError) -> None:
    """Prints an error and its fix, to stderr; the problems of a config in full."""
    if isinstance(error, ConfigError):
        from centralized_ml_api.config.render import render_problems

        talk(render_problems(error.problems, error.source))
        return
    talk(click.style("error: ", fg="red", bold=True) + error.message)
    if isinstance(error, CatalogError) and error.expected:
        talk(f"  expected: {error.expected}")
    if error.fix:
        talk(f"  fix: {error.fix}")


def flush() -> None:
    """Flushes what was printed so far."""
    sys.stdout.flush()


def give_up_unwritable() -> None:
    """Redirects a closed output to the null device; otherwise Python would write to it again at exit."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def confirm(question: str, *, yes: bool, flag: str = "--yes") -> None:
    """Asks before something costs money or is lost; returns when the user agreed.

    Args:
        question: What to ask.
        yes: Whether the user agreed by the flag.
        flag: What agrees without being asked.

    Raises:
        UsageError: Stdin is no terminal and the flag was not given.
        click.Abort: The user said no.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError(
            "this needs your confirmation, and standard input is not a terminal", fix=f"add {flag} to confirm"
        )
    click.confirm(question, abort=True, err=True)


def counted(count: int, noun: str, plural: str = "") -> str:
    """Returns a number with its noun, such as `1 time` or `2,000 times`. Pure.

    Args:
        count: The number.
        noun: For one.
        plural: For several; without it the noun with an `s`.
    """
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"


def render_for_terminal(text: str) -> str:
    """Returns the text without what moves the cursor or sets a title, clipboard or direction. Pure.

    Colours stay. A carriage return, with which a line hides what stood there before, begins a new line.
    """
    return _PARTS.sub(_replace, text)


def _replace(part: re.Match[str]) -> str:
    if part["kept"]:
        return part["kept"]
    return "\n" if part["overwrites"] else "\N{REPLACEMENT CHARACTER}"


def _shown(text: str, stream: TextIO) -> str:
    return render_for_terminal(text) if stream.isatty() else text


def _color() -> bool | None:
    """Returns False when the user asked for no colour (https://no-color.org); otherwise click decides."""
    return False if os.environ.get("NO_COLOR") else None

"""The only module that prints: stdout is data, stderr is talk."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from typing import TYPE_CHECKING

import click

from centralized_ml_api.errors import CatalogError, ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from centralized_ml_api.errors import MlApiError


def data(text: str) -> None:
    """What the user asked for, to stdout."""
    click.echo(text, color=_color())


def data_json(value: Mapping[str, object] | Sequence[object]) -> None:
    """What a script asked for, to stdout: one JSON document, indented."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def data_bytes(value: bytes) -> None:
    """Bytes as they are, to stdout."""
    click.echo(value, nl=False)


def talk(text: str) -> None:
    """What the user should know meanwhile, to stderr."""
    click.echo(text, err=True, color=_color())


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

"""`mlapi logs`: prints what the servers and `mlapi` wrote."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, BinaryIO

import click

from centralized_ml_api.cli import output
from centralized_ml_api.cli.options import state_option
from centralized_ml_api.commands import command, state_flags
from centralized_ml_api.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

TAIL_LINES = 50
BLOCK_BYTES = 64 * 1024
LOOK_SECONDS = 0.2


@click.command()
@click.argument("name", required=False)
@click.option("-f", "--follow", is_flag=True, help="Keep printing new lines until Ctrl-C.")
@state_option
def logs(name: str | None, state: Path, *, follow: bool) -> None:
    """Print the newest log lines of NAME, or of all.

    NAME is a model, NAME.function, gateway, admission or access.
    """
    files = find_logs(state.absolute() / "logs", name)
    for file in files:
        if len(files) > 1:
            output.talk(f"==> {file.stem}")
        output.data_bytes(_tail(file))
    if follow:
        _follow(files)
    output.next_command(command("logs", *([name] if name else []), "--follow", *state_flags(state)))


def find_logs(folder: Path, name: str | None) -> list[Path]:
    """Returns the log files of a name: those of a model, its replicas and its function, or one of `mlapi`.

    Without a name, all of them.

    Raises:
        UsageError: There is none; the fix lists those that exist.
    """
    models, ours = sorted((folder / "models").glob("*.log")), sorted(folder.glob("*.log"))
    if name is None:
        chosen = [*models, *ours]
    else:
        chosen = [file for file in models if _belongs(file.stem, name)] or [
            file for file in ours if file.stem == name
        ]
    if not chosen:
        have = ", ".join(file.stem for file in [*models, *ours]) or "none"
        raise UsageError(f"no log {f'of {name} ' if name else ''}in {folder}", fix=f"logs that exist: {have}")
    return chosen


def has_log(state: Path, name: str) -> bool:
    """Returns whether there is a log of that name in a state folder."""
    try:
        return bool(find_logs(state.absolute() / "logs", name))
    except UsageError:
        return False


def _belongs(stem: str, name: str) -> bool:
    """Returns whether a log belongs to a name: `chat`, `chat.2` and `chat.function` all belong to `chat`."""
    return stem == name or stem.partition(".")[0] == name


def _tail(file: Path) -> bytes:
    """Returns the last lines, read in blocks from the end: a log may be large."""
    with file.open("rb") as handle:
        start, tail = handle.seek(0, os.SEEK_END), b""
        while start > 0 and tail.count(b"\n") <= TAIL_LINES:
            size = min(start, BLOCK_BYTES)
            start = handle.seek(start - size)
            tail = handle.read(size) + tail
    return b"".join(tail.splitlines(keepends=True)[-TAIL_LINES:])


def _follow(files: Sequence[Path]) -> None:
    """Prints what is appended, also after a file was replaced; never returns."""
    opened = {file: _open_at_end(file) for file in files}
    while True:
        for file, handle in opened.items():
            output.data_bytes(handle.read())
            if _was_replaced(file, handle):
                handle.close()
                opened[file] = file.open("rb")
        output.flush()
        time.sleep(LOOK_SECONDS)


def _open_at_end(file: Path) -> BinaryIO:
    handle = file.open("rb")
    handle.seek(0, 2)
    return handle


def _was_replaced(file: Path, handle: BinaryIO) -> bool:
    try:
        return file.stat().st_ino != os.fstat(handle.fileno()).st_ino
    except FileNotFoundError:
        return False

"""How far something is that takes long: a bar for a file, words for other work; on a pipe, silence."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from centralized_ml_api.local.weights import Progress as Fetched


@contextmanager
def show_transfer(name: str) -> Iterator[Callable[[Fetched], None]]:
    """Shows a bar on stderr while the block runs; the callable takes how far the fetch is."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        bar = bars.add_task(name, total=None)

        def show(now: Fetched) -> None:
            bars.update(
                bar, description=f"{name}: {now.stage}", completed=now.done_bytes, total=now.total_bytes
            )

        yield show


@contextmanager
def show_work(name: str) -> Iterator[Callable[[str], None]]:
    """Shows a line on stderr while the block runs; the callable takes how far the work is, in words."""
    console = Console(stderr=True)
    with Progress(
        TextColumn("{task.description}"), console=console, disable=not console.is_terminal
    ) as lines:
        line = lines.add_task(name, total=None)
        yield lambda words: lines.update(line, description=f"{name}: {words}")

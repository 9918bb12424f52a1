"""Shows `mlapi status --watch`: looks every second until the user leaves."""

from __future__ import annotations

import contextlib
import select
import sys
import termios
import time
import tty
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live

from centralized_ml_api.cli import output
from centralized_ml_api.cli.targets import connect
from centralized_ml_api.cli.verbs.watch.rows import Window
from centralized_ml_api.cli.verbs.watch.table import build_screen, render_model, render_team

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from centralized_ml_api.local.status import LocalStatus

    Show = Callable[[LocalStatus, Window], None]

LOOK_SECONDS = 1.0
_LEAVE = "q"


def watch(state: Path) -> None:
    """Shows the local target of a state folder until `q` or Ctrl-C.

    Raises:
        NotRunningError: It does not run, or not any more.
    """
    window = Window()
    console = Console()
    showing = _screen(console) if console.is_terminal else contextlib.nullcontext(Lines().show)
    with read_keys() as wait, showing as show:
        while True:
            client = connect(state)  # each time: it may have been started again
            status = client.status()
            window.add(client.traffic())
            show(status, window)
            if wait(LOOK_SECONDS) == _LEAVE:
                return


@contextlib.contextmanager
def _screen(console: Console) -> Iterator[Show]:
    """Uses the terminal's alternate screen, so that the earlier content comes back."""
    with Live(console=console, screen=True, auto_refresh=False) as live:

        def show(status: LocalStatus, window: Window) -> None:
            models, teams = window.model_rows(status), window.team_rows()
            screen = build_screen(status, models, teams, datetime.now(UTC), console.height)
            live.update(screen, refresh=True)

        yield show


class Lines:
    """Without a terminal: a line for every row that changed, with the time before it."""

    def __init__(self) -> None:
        self._shown: dict[str, str] = {}

    def show(self, status: LocalStatus, window: Window) -> None:
        """Prints what changed since the last look."""
        self._say("gateway", f"gateway: {status.gateway_trouble or 'ready'}")
        self._say("edit", status.unapplied.sentence if status.unapplied else "")
        self._say("end", f"Ends at {status.ends}" if status.ends else "")
        for model in window.model_rows(status):
            self._say(f"model {model.name}", render_model(model))
        for team in window.team_rows():
            self._say(f"team {team.limit.name}", render_team(team))
        output.flush()

    def _say(self, row: str, line: str) -> None:
        if line and self._shown.get(row) != line:
            self._shown[row] = line
            output.data(f"{datetime.now(UTC):%H:%M:%SZ} {line}")


@contextlib.contextmanager
def read_keys() -> Iterator[Callable[[float], str]]:
    """Yields a callable that waits that many seconds for a key and returns it, or an empty text.

    Without a terminal it only waits. Afterwards the terminal is as it was, however the block ends. Ctrl-C
    keeps its meaning.
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

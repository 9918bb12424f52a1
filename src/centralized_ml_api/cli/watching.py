"""`mlapi status --watch`: a look every second, until somebody has seen enough."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live

from centralized_ml_api.cli import output
from centralized_ml_api.cli.keypress import read_keys
from centralized_ml_api.cli.watch_rows import Window
from centralized_ml_api.cli.watch_table import build_screen, render_model, render_team
from centralized_ml_api.local.run.control import ControlClient

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from centralized_ml_api.local.machine.state_folder import StateFolder
    from centralized_ml_api.local.status import LocalStatus

    Show = Callable[[LocalStatus, Window], None]

LOOK_SECONDS = 1.0
_LEAVE = "q"


def watch(state: StateFolder) -> None:
    """Shows the local target of a state folder until `q` or Ctrl-C.

    Raises:
        NotRunningError: it does not run, or not any more.
    """
    window = Window()
    console = Console()
    showing = _screen(console) if console.is_terminal else contextlib.nullcontext(Lines().show)
    with read_keys() as wait, showing as show:
        while True:
            client = ControlClient(state.load_run())  # anew: it may have been started again meanwhile
            status = client.status()
            window.add(client.traffic())
            show(status, window)
            if wait(LOOK_SECONDS) == _LEAVE:
                return


@contextlib.contextmanager
def _screen(console: Console) -> Iterator[Show]:
    """The terminal's other screen, so that what stood there before stands there again."""
    with Live(console=console, screen=True, auto_refresh=False) as live:

        def show(status: LocalStatus, window: Window) -> None:
            rows, teams = window.rows_of_models(status), window.rows_of_teams()
            screen = build_screen(status, rows, teams, datetime.now(UTC), console.height)
            live.update(screen, refresh=True)

        yield show


class Lines:
    """Without a terminal: a line for every row that changed, with the time before it."""

    def __init__(self) -> None:
        self._shown: dict[str, str] = {}

    def show(self, status: LocalStatus, window: Window) -> None:
        """Prints what is new since the last look."""
        self._say("gateway", f"gateway: {status.gateway_trouble or 'ready'}")
        self._say("end", f"Ends at {status.ends}" if status.ends else "")
        for row in window.rows_of_models(status):
            self._say(f"model {row.name}", render_model(row))
        for team in window.rows_of_teams():
            self._say(f"team {team.limit.name}", render_team(team))
        output.flush()

    def _say(self, what: str, line: str) -> None:
        if line and self._shown.get(what) != line:
            self._shown[what] = line
            output.data(f"{datetime.now(UTC):%H:%M:%SZ} {line}")

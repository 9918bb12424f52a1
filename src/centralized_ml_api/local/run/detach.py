"""Starts the local target in the background and waits until it serves."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from centralized_ml_api.errors import NotRunningError, StartError
from centralized_ml_api.local.machine.state_folder import StateFolder
from centralized_ml_api.local.run.control_client import ControlClient

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from centralized_ml_api.local.machine.state_folder import Run
    from centralized_ml_api.local.run.options import ServeOptions
    from centralized_ml_api.local.status import LocalStatus

LOOK_SECONDS, LONGEST_PAUSE_SECONDS = 0.1, 5.0
LOOK_SHARE = 20
"""The pause after a look is so many times as long as this process works at one, up to some seconds: the
status of thousands of entries takes both processes a while. Every second, that took half of the time of their
start. How long the answer takes says nothing: a process that starts has other work, and answers when that is
done. The pause only delays what is shown of the way: the next look ends it once the API is announced."""

STOP_SECONDS = 30
LAST_LINES = 15


def start_detached(
    options: ServeOptions,
    show: Callable[[LocalStatus], None],
    argv: Sequence[str] | None = None,
    *,
    worked: Callable[[], float] = time.process_time,
) -> LocalStatus:
    """Starts `mlapi up` in a session of its own, shows how it goes, and returns when it serves.

    It serves when the start of every model is over, or when the slow ones are no longer waited for. Its
    output goes to `up.log` in the state folder's logs. An interruption ends the process again.

    Args:
        options: What `mlapi up` is asked for.
        show: Takes every status until then.
        argv: The command, where it is not the one of the options.
        worked: Returns the seconds that this process has worked.

    Raises:
        StartError: The folder is held, or the process ended; the message has its last lines.
    """
    state = StateFolder(options.state)
    with state:  # makes the folders, and says at once who holds them
        log = state.logs / "up.log"
        log.write_bytes(b"")
    with log.open("ab") as file:  # appends: another may have been started at the same moment
        child = subprocess.Popen(  # noqa: S603  # our own program
            argv or build_command(options),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that we end the child, too
    try:
        status = _until_settled(child, state, show, worked)
    except BaseException:
        _end(child)
        raise
    if status is None:
        raise _ended(child.returncode, log.read_text(errors="replace"))
    return status


def _ended(status: int, output: str) -> StartError:
    """Returns the reason that the process gave, or else its last lines."""
    _, said, reason = output.rpartition("error: ")
    if said:
        return StartError(reason.strip(), fix="")
    lines = "\n".join(output.splitlines()[-LAST_LINES:])
    return StartError(f"mlapi ended with status {status}; its last lines:\n{lines}")


def _until_settled(
    child: subprocess.Popen[bytes],
    state: StateFolder,
    show: Callable[[LocalStatus], None],
    worked: Callable[[], float],
) -> LocalStatus | None:
    """Returns the status once it serves; None when the process ended instead."""
    pause = LOOK_SECONDS
    while child.poll() is None:
        began, before = time.monotonic(), worked()
        with contextlib.suppress(NotRunningError):
            client = ControlClient(_load_run_of(child, state), state.path)
            status = client.status(announced_within=pause)
            show(status)
            if status.announced:
                return status
        pause = pause_after(worked() - before)
        time.sleep(max(0.0, LOOK_SECONDS - (time.monotonic() - began)))  # where nobody answers yet
    return None


def pause_after(worked_seconds: float) -> float:
    """Returns how long to wait after a look at the status for which this process worked so long. Pure."""
    return min(max(LOOK_SECONDS, LOOK_SHARE * worked_seconds), LONGEST_PAUSE_SECONDS)


def _load_run_of(child: subprocess.Popen[bytes], state: StateFolder) -> Run:
    """Returns the run of this very process: of two started at the same moment, one gets the folder.

    Raises:
        NotRunningError: The process does not run yet, or the other one has the folder.
    """
    run = state.load_run()
    if run.pid != child.pid:
        raise NotRunningError(f"another process has the state folder {state.path}")
    return run


def _end(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def build_command(options: ServeOptions) -> list[str]:
    """Builds the command that serves in the background."""
    return [sys.executable, "-m", "centralized_ml_api", "up", str(options.config), *options.flags]

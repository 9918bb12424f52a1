"""Starting the local target in the background, and waiting until it serves."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from centralized_ml_api.errors import NotRunningError, StartError
from centralized_ml_api.local.machine.state_folder import StateFolder
from centralized_ml_api.local.run.control import ControlClient

if TYPE_CHECKING:
    from collections.abc import Callable

    from centralized_ml_api.local.machine.state_folder import Run
    from centralized_ml_api.local.run.options import ServeOptions
    from centralized_ml_api.local.status import LocalStatus

LOOK_SECONDS = 0.1
STOP_SECONDS = 30
LAST_LINES = 15


def start_detached(options: ServeOptions, show: Callable[[LocalStatus], None]) -> LocalStatus:
    """Starts `mlapi up` in a session of its own, shows how it goes, returns when it serves.

    That is when every model has settled, or when the slow ones are not waited for any more. The output goes
    to `up.log` in the state folder's logs. Interrupted meanwhile, the process is ended again.

    Raises:
        StartError: the folder is held, or the process ended; the message has its last lines.
    """
    state = StateFolder(options.state)
    with state:  # makes the folders, and says at once who holds them
        log = state.logs / "up.log"
        log.write_bytes(b"")
    with log.open("ab") as file:  # appended to: another may have been started at the same moment
        child = subprocess.Popen(  # noqa: S603  # our own program
            _command(options), stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True
        )
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # end the child, too, before we end
    try:
        status = _until_settled(child, state, show)
    except BaseException:
        _end(child)
        raise
    if status is None:
        raise _ended(child.returncode, log.read_text(errors="replace"))
    return status


def _ended(status: int, output: str) -> StartError:
    """What it said itself, when it said why."""
    _, said, reason = output.rpartition("error: ")
    if said:
        return StartError(reason.strip(), fix="")
    lines = "\n".join(output.splitlines()[-LAST_LINES:])
    return StartError(f"it ended with status {status}; its last lines:\n{lines}")


def _until_settled(
    child: subprocess.Popen[bytes], state: StateFolder, show: Callable[[LocalStatus], None]
) -> LocalStatus | None:
    """None when the process ended instead."""
    while child.poll() is None:
        with contextlib.suppress(NotRunningError):
            status = ControlClient(_load_run_of(child, state)).status()
            show(status)
            if status.announced:
                return status
        time.sleep(LOOK_SECONDS)
    return None


def _load_run_of(child: subprocess.Popen[bytes], state: StateFolder) -> Run:
    """Of two that are started at the same moment, one gets the folder: it may be the other.

    Raises:
        NotRunningError: it does not run yet.
    """
    run = state.load_run()
    if run.pid != child.pid:
        raise NotRunningError(f"the state folder {state.path} is not ours")
    return run


def _end(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _command(options: ServeOptions) -> list[str]:
    duration = [] if options.for_seconds is None else ["--for", f"{options.for_seconds:g}s"]
    return [
        *(sys.executable, "-m", "centralized_ml_api", "up", str(options.config)),
        *("--host", options.host, "--port", str(options.port), "--state", str(options.state), "--public"),
        *duration,
        *([] if options.metrics_port is None else ["--metrics-port", str(options.metrics_port)]),
    ]

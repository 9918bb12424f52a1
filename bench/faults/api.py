"""Runs a real `mlapi up` in the background, finds its processes by their roles, and kills them."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import psutil

from bench.programs import gated_model, slow_model
from bench.serving import MLAPI, PUBLIC_LIMIT, START_SECONDS
from centralized_ml_api.errors import MlApiError
from centralized_ml_api.local.machine.state_folder import StateFolder
from centralized_ml_api.local.run.control_client import ControlClient

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from centralized_ml_api.local.status import LocalStatus

FUNCTION = """\
import json

def lambda_handler(event, context):
    return {"statusCode": 200, "body": json.dumps({"characters": len(event["body"] or "")})}
"""
ADMISSION = "centralized_ml_api.local.admission"
"""The module that the admission service runs."""
MODEL, REPLICATED, FUNCTION_ENTRY = "model", "replicated", "function"
SLEEPER, NEIGHBOUR = "sleeper", "neighbour"
"""Two that share a place and start when they are called. The first wakes when its gate lets it."""
GATE = "gate"
THINKS_SECONDS = "0.002"
"""How long a model takes for a call."""
WELL_SECONDS = 120.0
_LOOK_SECONDS = 0.05


def build_config(turn: int = 0) -> dict[str, Any]:
    """Builds a config: a model with one server, another with two, one behind a function, and two that sleep.

    Every second `turn` replaces the server of the first; the other turns change descriptions.
    """
    run = [sys.executable, slow_model.__file__, "{port}", THINKS_SECONDS]
    local = {"engine": "command", "run": run, "ping": "/ping", "invocations": "/invocations"}
    entry = {"model_id": "any", "instance": "ml.g5.xlarge", "description": f"Turn {turn}."}
    api = {"type": "api"}
    function = {
        "type": "lambda",
        "properties": {"code": "function", "permissions": [], "timeout": 20, "memory": 256},
    }
    own = {**local, "run": [*run, f"turn-{turn // 2}"]}
    sleeps = {**local, "shares": "place", "starts": "on-call"}
    gated = [sys.executable, gated_model.__file__, "{port}", GATE]
    return {
        "models": [
            {**entry, "name": MODEL, "integration": api, "local": own},
            {**entry, "name": REPLICATED, "integration": api, "local": {**local, "replicas": 2}},
            {**entry, "name": FUNCTION_ENTRY, "integration": function, "local": local},
            {**entry, "name": SLEEPER, "integration": api, "local": {**sleeps, "run": gated}},
            {**entry, "name": NEIGHBOUR, "integration": api, "local": sleeps},
        ],
        "event": PUBLIC_LIMIT,
    }


def find_quiet_port() -> int:
    """Returns a free port outside the ephemeral range, so it stays free between two starts.

    The ephemeral ports start at 32768 on Linux, and at 49152 on macOS.
    Source: https://docs.kernel.org/networking/ip-sysctl.html (ip_local_port_range)
    """
    for port in random.sample(range(15_000, 30_000), 100):
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise RuntimeError("no port is free")


class Api:
    """The API of one folder; `start_api` creates and stops it."""

    def __init__(self, folder: Path, state: Path, prefix: Sequence[str] = ()) -> None:
        self.folder = folder
        self.state = state
        self.temporary = folder / "temporary"
        self.port = find_quiet_port()
        self._prefix = prefix
        self._killed = 0
        self._started: set[psutil.Process] = set()

    def mlapi(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs a verb on this state folder and waits for it; `up` continues in the background."""
        self.temporary.mkdir(exist_ok=True)
        return subprocess.run(  # noqa: S603  # our own
            [*self._prefix, *MLAPI, *arguments, "--state", str(self.state)],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=START_SECONDS,
            env={**os.environ, "NO_COLOR": "1", "TMPDIR": str(self.temporary)},
        )

    def write_config(self, config: Mapping[str, Any]) -> Path:
        """Replaces the config atomically."""
        file = self.folder / "models.json"
        draft = file.with_suffix(".new")
        draft.write_text(json.dumps(config), encoding="utf-8")
        draft.replace(file)
        return file

    def start(self) -> None:
        """Starts the API, on the same port each time.

        Raises:
            RuntimeError: It does not start; the message has its stderr.
        """
        started = self.mlapi("up", "models.json", "--detach", "--port", str(self.port))
        if started.returncode:
            raise RuntimeError(f"mlapi up: {started.stderr}")
        self.port = int(started.stdout.partition("Serving on ")[2].partition("\n")[0].rpartition(":")[2])
        self.note()

    @property
    def supervisor(self) -> psutil.Process:
        """The supervisor's process."""
        run: dict[str, Any] = json.loads((self.state / "run.json").read_text(encoding="utf-8"))
        return psutil.Process(int(run["pid"]))

    def note(self) -> None:
        """Remembers the processes that run now, for `list_left`."""
        self._started.update([self.supervisor, *self.supervisor.children(recursive=True)])

    def list_left(self, seconds: float = 10) -> list[psutil.Process]:
        """Waits up to `seconds`, then returns the noted processes that still run."""
        _, alive = psutil.wait_procs(self._started, timeout=seconds)
        return [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]

    def gateway(self) -> psutil.Process:
        """Returns Envoy's process."""
        return next(child for child in self.supervisor.children() if child.name().startswith("envoy"))

    def admission(self) -> psutil.Process:
        """Returns the process of the admission service."""
        return next(child for child in self.supervisor.children() if ADMISSION in child.cmdline())

    def control(self) -> ControlClient:
        """Returns what talks to the running supervisor.

        Raises:
            MlApiError: None runs.
        """
        return ControlClient(StateFolder(self.state).load_run(), self.state)

    def status(self) -> LocalStatus:
        """Asks the running API for its status.

        Raises:
            MlApiError: Nothing answers.
        """
        return self.control().status()

    def servers(self, entry: str) -> list[psutil.Process]:
        """Returns the processes of a model's servers, or of a function's host."""
        parts = next(found.parts for found in self.status().entries if found.name == entry)
        part = next((candidate for candidate in parts if candidate.name.endswith(".function")), parts[0])
        return [psutil.Process(pid) for pid in part.pids]

    def workers(self) -> list[psutil.Process]:
        """Returns the processes that run the function."""
        return [worker for host in self.servers(FUNCTION_ENTRY) for worker in host.children()]

    def wait_well(self) -> float:
        """Waits until everything serves and what was killed is replaced; returns how many seconds it took.

        Raises:
            RuntimeError: That takes too long.
        """
        begun = time.monotonic()
        while time.monotonic() - begun < WELL_SECONDS:
            with contextlib.suppress(psutil.Error, MlApiError, StopIteration):
                if self._is_well():
                    self.note()
                    return time.monotonic() - begun
            time.sleep(_LOOK_SECONDS)
        raise RuntimeError(f"not everything serves after {WELL_SECONDS:g} s:\n{self.mlapi('status').stdout}")

    def _is_well(self) -> bool:
        status = self.status()
        parts = [part for entry in status.entries if entry.state != "asleep" for part in entry.parts]
        running = {self.gateway().pid, *(pid for part in parts for pid in part.pids)}
        complete = bool(parts) and all(part.ready_replicas == part.replicas for part in parts)
        return complete and not status.gateway_trouble and self._killed not in running

    def reload(self) -> None:
        """Reloads the config; returns when that is done.

        Raises:
            RuntimeError: Part of it was refused.
        """
        done = self.control().reload(None)
        if "added" not in done or done["kept"] or done["failed"]:
            raise RuntimeError(f"the reload was refused: {done}")

    def kill(self, process: psutil.Process) -> None:
        """Sends `kill -9` and waits until the process is gone."""
        self._killed = process.pid
        process.send_signal(signal.SIGKILL)
        psutil.wait_procs([process], timeout=10)


@contextlib.contextmanager
def run_api(api: Api) -> Iterator[None]:
    """Runs the API of a folder that is laid out; after the block, none of its processes runs."""
    try:
        api.start()
        yield
    finally:
        api.mlapi("down")
        for process in api.list_left(5):
            process.kill()


@contextlib.contextmanager
def start_api(folder: Path, *, state: Path | None = None, prefix: Sequence[str] = ()) -> Iterator[Api]:
    """Runs the API of `build_config()` in `folder`."""
    (folder / "function").mkdir(parents=True)
    (folder / "function/index.py").write_text(FUNCTION, encoding="utf-8")
    (folder / GATE).touch()
    api = Api(folder, state or folder / "state", prefix)
    api.write_config(build_config())
    with run_api(api):
        yield api

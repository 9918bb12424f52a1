"""A real `mlapi up` in the background, its processes by what they do, and how they are killed."""

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

from bench.programs import slow_model
from bench.serving import MLAPI, PUBLIC_LIMIT, START_SECONDS
from centralized_ml_api.errors import MlApiError
from centralized_ml_api.local.machine.state_folder import StateFolder
from centralized_ml_api.local.run.control import ControlClient

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from centralized_ml_api.local.status import LocalStatus

FUNCTION = """\
import json

def lambda_handler(event, context):
    return {"statusCode": 200, "body": json.dumps({"characters": len(event["body"] or "")})}
"""
MODEL, REPLICATED, FUNCTION_ENTRY = "model", "replicated", "function"
THINKS_SECONDS = "0.002"
"""A model about a call."""
WELL_SECONDS = 120.0
_LOOK_SECONDS = 0.05


def build_config(turn: int = 0) -> dict[str, Any]:
    """A model with one server, another with two, and one behind a function.

    Every second `turn` asks for another server of the first, the others for another description.
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
    return {
        "models": [
            {**entry, "name": MODEL, "integration": api, "local": own},
            {**entry, "name": REPLICATED, "integration": api, "local": {**local, "replicas": 2}},
            {**entry, "name": FUNCTION_ENTRY, "integration": function, "local": local},
        ],
        "event": PUBLIC_LIMIT,
    }


def find_quiet_port() -> int:
    """A free port that no program is given which asks for any: between two starts it stays free.

    Linux gives ports from 32768 on, macOS from 49152.
    Source: https://docs.kernel.org/networking/ip-sysctl.html (ip_local_port_range)
    """
    for port in random.sample(range(15_000, 30_000), 100):
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise RuntimeError("no port is free")


class Api:
    """The API of one folder; `start_api` makes it and ends it."""

    def __init__(self, folder: Path, state: Path, prefix: Sequence[str] = ()) -> None:
        self.folder = folder
        self.state = state
        self.temporary = folder / "temporary"
        self.port = find_quiet_port()
        self._prefix = prefix
        self._killed = 0
        self._started: set[psutil.Process] = set()

    def mlapi(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A verb on this state folder, to its end; `up` stays in the background."""
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
        """Makes this the config, at once."""
        file = self.folder / "models.json"
        draft = file.with_suffix(".new")
        draft.write_text(json.dumps(config), encoding="utf-8")
        draft.replace(file)
        return file

    def start(self) -> None:
        """Starts it, on the same port each time.

        Raises:
            RuntimeError: it does not start, with what it said.
        """
        started = self.mlapi("up", "models.json", "--detach", "--port", str(self.port))
        if started.returncode:
            raise RuntimeError(f"mlapi up: {started.stderr}")
        self.port = int(started.stdout.partition("Serving on ")[2].partition("\n")[0].rpartition(":")[2])
        self.note()

    @property
    def supervisor(self) -> psutil.Process:
        """The process that supervises."""
        run: dict[str, Any] = json.loads((self.state / "run.json").read_text(encoding="utf-8"))
        return psutil.Process(int(run["pid"]))

    def note(self) -> None:
        """Remembers what runs now, for `list_left`."""
        self._started.update([self.supervisor, *self.supervisor.children(recursive=True)])

    def list_left(self, seconds: float = 10) -> list[psutil.Process]:
        """What of all that was ever noted still runs after so long."""
        _, alive = psutil.wait_procs(self._started, timeout=seconds)
        return [one for one in alive if one.status() != psutil.STATUS_ZOMBIE]

    def gateway(self) -> psutil.Process:
        """Envoy."""
        return next(one for one in self.supervisor.children() if one.name().startswith("envoy"))

    def status(self) -> LocalStatus:
        """How it is.

        Raises:
            MlApiError: nothing answers.
        """
        return ControlClient(StateFolder(self.state).load_run()).status()

    def servers(self, entry: str) -> list[psutil.Process]:
        """The processes of a model's servers, or of the host of a function."""
        parts = next(one.parts for one in self.status().entries if one.name == entry)
        part = next((one for one in parts if one.name.endswith(".function")), parts[0])
        return [psutil.Process(pid) for pid in part.pids]

    def workers(self) -> list[psutil.Process]:
        """The processes in which the function runs."""
        return [one for host in self.servers(FUNCTION_ENTRY) for one in host.children()]

    def wait_well(self) -> float:
        """Returns when everything serves, and what was killed is replaced, with the seconds that it took.

        Raises:
            RuntimeError: it does not.
        """
        begun = time.monotonic()
        while time.monotonic() - begun < WELL_SECONDS:
            with contextlib.suppress(psutil.Error, MlApiError, StopIteration):
                if self._is_well():
                    self.note()
                    return time.monotonic() - begun
            time.sleep(_LOOK_SECONDS)
        raise RuntimeError(f"it is not well after {WELL_SECONDS:g} s:\n{self.mlapi('status').stdout}")

    def _is_well(self) -> bool:
        status = self.status()
        parts = [part for one in status.entries for part in one.parts]
        running = {self.gateway().pid, *(pid for part in parts for pid in part.pids)}
        whole = bool(parts) and all(part.ready_replicas == part.replicas for part in parts)
        return whole and not status.gateway_trouble and self._killed not in running

    def reload(self) -> None:
        """Applies the config anew; returns when that is done.

        Raises:
            RuntimeError: something of it was refused.
        """
        done = ControlClient(StateFolder(self.state).load_run()).reload(None)
        if "added" not in done or done["kept"] or done["failed"]:
            raise RuntimeError(f"the reload was refused: {done}")

    def kill(self, process: psutil.Process) -> None:
        """`kill -9`; returns when the process is gone."""
        self._killed = process.pid
        process.send_signal(signal.SIGKILL)
        psutil.wait_procs([process], timeout=10)


@contextlib.contextmanager
def start_api(folder: Path, *, state: Path | None = None, prefix: Sequence[str] = ()) -> Iterator[Api]:
    """The API of `build_config()` in a folder of its own; nothing of it runs after the block."""
    (folder / "function").mkdir(parents=True)
    (folder / "function/index.py").write_text(FUNCTION, encoding="utf-8")
    api = Api(folder, state or folder / "state", prefix)
    api.write_config(build_config())
    try:
        api.start()
        yield api
    finally:
        api.mlapi("down")
        for process in api.list_left(5):
            process.kill()

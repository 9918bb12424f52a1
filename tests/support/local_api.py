"""A whole local target as a user starts it: `mlapi up` in a process of its own."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import urllib3

from centralized_ml_api.errors import NotRunningError
from centralized_ml_api.local.machine.state_folder import StateFolder
from centralized_ml_api.local.run.control_client import ControlClient
from support import odd_server
from support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MLAPI = (sys.executable, "-m", "centralized_ml_api")
STOP_SECONDS = 40.0
PLAIN = {"integration": {"type": "api"}, "instance": "ml.g5.xlarge", "model_id": "some-model"}


@dataclass(frozen=True)
class Ran:
    """A finished command."""

    status: int
    out: str
    talk: str


def mlapi(
    *arguments: str, cwd: Path, stdin: bytes = b"", environment: Mapping[str, str] | None = None
) -> Ran:
    """Runs one verb to its end, without colour."""
    done = subprocess.run(
        [*MLAPI, *arguments],
        cwd=cwd,
        input=stdin,
        capture_output=True,
        timeout=120,
        check=False,
        env={**os.environ, "NO_COLOR": "1", **(environment or {})},
    )
    return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())


class LocalApi:
    """A running `mlapi up` in `folder`; `start_local_api` makes it and ends it."""

    def __init__(self, folder: Path, process: subprocess.Popen[bytes]) -> None:
        self.folder = folder
        self.process = process
        self.http = urllib3.PoolManager(retries=False, maxsize=16)

    @property
    def output(self) -> str:
        """Everything it printed so far."""
        return (self.folder / "up.out").read_text()

    def status(self) -> dict[str, Any]:
        """What `mlapi status --json` gives, without a process of its own; empty while nothing answers."""
        state = self.folder / ".mlapi"
        with contextlib.suppress(NotRunningError):
            now = ControlClient(StateFolder(state).load_run(), state).status()
            told: dict[str, Any] = json.loads(json.dumps(now.to_json()))
            return told
        return {}

    @property
    def url(self) -> str:
        """The address of the API, once it serves; on a busy machine the line names what still starts."""
        return self.output.partition("Serving on ")[2].partition("\n")[0].partition(";")[0]

    def wait_serving(self, seconds: float = 120) -> LocalApi:
        """Returns when every model has settled."""
        wait_until(lambda: self.url or self.process.poll() is not None, "the API serves", seconds=seconds)
        assert self.url, self.output
        return self

    def wait_talk(self, text: str) -> None:
        """Returns when it has printed that."""
        wait_until(lambda: text in self.output, f"it says {text!r}; it said:\n{self.output}")

    def call(
        self, path: str, body: bytes = b"{}", method: str = "POST", **headers: str
    ) -> urllib3.BaseHTTPResponse:
        """One request; header names with underscores for hyphens."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.http.request(
            method, f"{self.url}{path}", body=body, headers=named, timeout=60, redirect=False
        )

    def pids(self) -> list[psutil.Process]:
        """Its process and all below it."""
        with contextlib.suppress(psutil.NoSuchProcess):
            top = psutil.Process(self.process.pid)
            return [top, *top.children(recursive=True)]
        return []

    def part_pids(self, name: str) -> list[int]:
        """The processes of one model or function."""
        parts = [part for entry in self.status()["entries"] for part in entry["parts"]]
        pids: list[int] = next(part["pids"] for part in parts if part["name"] == name)
        return pids

    def part_restarts(self, name: str) -> int:
        """How often a model or function was restarted."""
        parts = [part for entry in self.status()["entries"] for part in entry["parts"]]
        restarts: int = next(part["restarts"] for part in parts if part["name"] == name)
        return restarts

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Sends the signal and gives the exit status."""
        self.process.send_signal(number)
        return self.process.wait(STOP_SECONDS)


@contextlib.contextmanager
def start_local_api(
    folder: Path, config: Mapping[str, Any] | Path, *flags: str, environment: Mapping[str, str] | None = None
) -> Iterator[LocalApi]:
    """`mlapi up` on a free port with the state folder `folder/.mlapi`; afterwards nothing of it runs."""
    path = config if isinstance(config, Path) else write_config(folder, config)
    with (folder / "up.out").open("wb") as out:
        process = subprocess.Popen(
            [*MLAPI, "up", str(path), "--port", "0", *flags],
            cwd=folder,
            stdout=out,
            stderr=out,
            env={**os.environ, "NO_COLOR": "1", **(environment or {})},
            start_new_session=True,
        )
    api = LocalApi(folder, process)
    try:
        yield api
    finally:
        everything = api.pids()
        if process.poll() is None:
            api.stop()
        _, alive = psutil.wait_procs(everything, timeout=10)
        assert not alive, f"left running: {alive}\n{api.output}"


def write_config(folder: Path, config: Mapping[str, Any], name: str = "models.json") -> Path:
    """Writes a config into the folder."""
    path = folder / name
    path.write_text(json.dumps(config, indent=2))
    return path


def models(**local: Mapping[str, Any]) -> dict[str, Any]:
    """A config with one `api` model a keyword, served as said; underscores stand for hyphens."""
    entries = [{"name": name.replace("_", "-"), **PLAIN, "local": block} for name, block in local.items()]
    return {"models": entries}


def unlimited(**local: Mapping[str, Any]) -> dict[str, Any]:
    """A config whose API takes more calls than are made here, not the hundred a second of a public one."""
    return {**models(**local), "event": {"requests_per_second": 10_000, "burst": 10_000}}


def odd_command(path: str = "/echo", **more: Any) -> dict[str, Any]:
    """A `local` block that runs the odd server as a program."""
    run = [sys.executable, odd_server.__file__, "{port}"]
    return {"engine": "command", "run": run, "ping": "/echo", "invocations": path} | more

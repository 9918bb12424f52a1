"""A Lambda host as the supervisor starts it, with its output as lines to wait for."""

from __future__ import annotations

import contextlib
import http.client
import json
import subprocess
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from centralized_ml_api.plan.types import FunctionPlan
from support.own_ports import own_ports
from support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from centralized_ml_api.local.lambda_host import FunctionServer

DEADLINE_SECONDS = 60.0
NOWHERE = "http://127.0.0.1:9"


@dataclass(frozen=True)
class Reply:
    """An answer of the host: header names in lower case, repeated ones joined with a comma."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as a value."""
        return json.loads(self.body)

    @property
    def error(self) -> dict[str, str]:
        """What stands in the API's error shape."""
        error: dict[str, str] = self.json()["error"]
        return error


class FunctionHost:
    """A running host; `lines` is everything that it printed so far."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process = process
        self.port = port
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def call(
        self,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        *,
        path: str = "/echo",
        method: str = "POST",
    ) -> Reply:
        """One request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE_SECONDS)
        with contextlib.closing(connection):
            connection.request(method, path, body=body, headers=dict(headers or {}))
            response = connection.getresponse()
            names = {name.lower() for name in response.headers}
            joined = {name: ",".join(response.headers.get_all(name) or []) for name in names}
            return Reply(response.status, joined, response.read())

    def is_ready(self) -> bool:
        """Whether the ping says so; an ended host never will be."""
        assert self.process.poll() is None, "\n".join(self.lines)
        with contextlib.suppress(OSError):
            return self.call(method="GET", path="/ping").status == 200
        return False

    def wait_for_line(self, part: str) -> str:
        """The first line that has `part` in it."""
        wait_until(lambda: any(part in line for line in self.lines), f"a line with {part!r}")
        return next(line for line in self.lines if part in line)

    def end(self) -> int:
        """Asks the host to stop, kills it if it does not, and returns its exit status."""
        self.process.terminate()
        try:
            return self.process.wait(DEADLINE_SECONDS)
        finally:
            self.process.kill()
            self.process.wait()
            self._reader.join()

    def wait(self) -> int:
        """The exit status of a host that ends by itself; its output is then complete."""
        status = self.process.wait(DEADLINE_SECONDS)
        self._reader.join()
        return status

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as output:
            for line in output:
                self.lines.append(line.decode().rstrip("\n"))


def build_function_plan(
    code: Path,
    *,
    timeout_seconds: int = 20,
    environment: Mapping[str, str] | None = None,
    runtime: str = "python3.13",
    handler: str = "index.lambda_handler",
    layers: tuple[str, ...] = (),
) -> FunctionPlan:
    """A function in that folder."""
    return FunctionPlan(
        code=code,
        handler=handler,
        runtime=runtime,
        timeout_seconds=timeout_seconds,
        memory_mib=256,
        environment=environment or {},
        layers=layers,
        actions=(),
        resources=None,
    )


def start_host(server: FunctionServer) -> FunctionHost:
    """Starts a host without waiting for anything."""
    port = own_ports()
    launch = server.launch(port)
    process = subprocess.Popen(
        launch.argv,
        env=dict(launch.environment),
        cwd=launch.cwd,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert process.stdin is not None
    with process.stdin as stdin:
        stdin.write(launch.stdin)
    return FunctionHost(process, port)


@contextlib.contextmanager
def hosting(server: FunctionServer) -> Iterator[FunctionHost]:
    """A host that is ready, until the end of the block."""
    host = start_host(server)
    try:
        wait_until(host.is_ready, "the host is ready", DEADLINE_SECONDS)
        yield host
    finally:
        host.end()

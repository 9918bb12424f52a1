"""A real Envoy under test, and a client that shows every byte it answers."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from centralized_ml_api.local.admission.terms import OCCUPANCY_SOCKET
from centralized_ml_api.local.envoy import EnvoyGateway
from support.access_log import read_line
from support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from centralized_ml_api.local.envoy import Limits
    from centralized_ml_api.local.gateway import Gateway
    from support.background import Background

DEADLINE_SECONDS = 30.0


@dataclass(frozen=True)
class Answer:
    """One answer; header names in lower case, in the order and number in which they came."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        """The value of a header that may be there at most once."""
        values = [value for key, value in self.headers if key == name]
        assert len(values) <= 1, f"{name} came {len(values)} times: {values}"
        return values[0] if values else None

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def error(self) -> dict[str, str]:
        """What stands in the error shape."""
        error: dict[str, str] = self.json["error"]
        return error


class RunningGateway:
    """One started Envoy with its admission service; `start_gateway` makes it."""

    def __init__(self, envoy: EnvoyGateway, folder: Path, background: Background, access_log: Path) -> None:
        self.envoy = envoy
        self.folder = folder
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None
        self.admission: subprocess.Popen[bytes] | None = None
        self._background = background
        self._access_log = access_log

    def start(self) -> None:
        """Starts Envoy and waits until it takes calls."""
        self.start_admission()
        launch = self.envoy.launch()
        self.process = subprocess.Popen(
            launch.argv, env=dict(launch.environment), cwd=launch.cwd, stderr=subprocess.DEVNULL
        )
        self.port = self._background.run(self.envoy.wait_started(DEADLINE_SECONDS))
        wait_until((self.folder / OCCUPANCY_SOCKET).exists, "the admission service listens")

    def start_admission(self) -> None:
        """Starts the admission service, which takes a moment to answer."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / OCCUPANCY_SOCKET).unlink(missing_ok=True)
        self.admission = subprocess.Popen(
            [sys.executable, "-m", "centralized_ml_api.local.admission"], cwd=self.folder
        )

    def stop(self) -> None:
        """Ends both."""
        for process in (self.process, self.admission):
            if process is not None:
                process.kill()
                process.wait()
        self.process = self.admission = None

    def apply(self, gateway: Gateway) -> None:
        """Makes it serve that."""
        self._background.run(self.envoy.apply(gateway))

    def call(
        self, path: str, body: Any = b"", headers: Mapping[str, str] | None = None, method: str = "POST"
    ) -> Answer:
        """One call on a connection of its own. A body that is an iterator goes chunked."""
        with contextlib.closing(self.connect()) as connection:
            with contextlib.suppress(ConnectionError):  # an answer may come before the whole body has gone
                connection.request(method, path, body, dict(headers or {}))
            return read(connection)

    def connect(self) -> http.client.HTTPConnection:
        """A connection for more than one call."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE_SECONDS)

    def raw(self, request: bytes) -> Answer:
        """Bytes that no client library would send."""
        with socket.create_connection(("127.0.0.1", self.port), DEADLINE_SECONDS) as connection:
            connection.sendall(request)
            response = http.client.HTTPResponse(connection)
            response.begin()
            return _answer(response)

    def logged(self, request_id: str | None) -> dict[str, Any]:
        """The line of the access log for that request."""
        assert request_id
        wait_until(lambda: request_id in self._access_log.read_text(), f"{request_id} is in the access log")
        lines = [line for line in self._access_log.read_text().splitlines() if request_id in line]
        assert len(lines) == 1, f"one line for each answer, not {lines}"
        return read_line(lines[0])


def read(connection: http.client.HTTPConnection) -> Answer:
    """The answer to the request that was sent."""
    return _answer(connection.getresponse())


def _answer(response: http.client.HTTPResponse) -> Answer:
    headers = tuple((name.lower(), value) for name, value in response.getheaders())
    return Answer(response.status, headers, response.read())


@contextlib.contextmanager
def start_gateway(
    folder: Path,
    background: Background,
    gateway: Gateway,
    *,
    limits: Limits | None = None,
    seconds: float = 29,
) -> Iterator[RunningGateway]:
    """A gateway on a free port that serves that, until the end of the block."""
    access_log = folder / "logs/access.log"
    envoy = EnvoyGateway(
        folder / "envoy",
        host="127.0.0.1",
        port=0,
        access_log=access_log,
        timeout_seconds=seconds,
        limits=limits,
    )
    running = RunningGateway(envoy, folder / "envoy", background, access_log)
    running.apply(gateway)
    try:
        running.start()
        yield running
    finally:
        running.stop()

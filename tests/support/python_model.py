"""Models of the engine `python` on the disk, and their server as a process of its own."""

from __future__ import annotations

import contextlib
import os
import subprocess
import textwrap
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import urllib3

from centralized_ml_api.local.python_engine import prepare_environment
from centralized_ml_api.local.servers.python import PythonServer, build_python_environment
from centralized_ml_api.plan.engines import PythonServing
from support.own_ports import own_ports
from support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

END_SECONDS = 20


def write_model(folder: Path, source: str, requirements: str | None = None) -> Path:
    """A folder with `inference.py`; the source may be indented."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "inference.py").write_text(textwrap.dedent(source))
    if requirements is not None:
        (folder / "requirements.txt").write_text(requirements)
    return folder


@dataclass
class ModelProcess:
    """A model's server; `output` is all that it printed so far."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path
    http: urllib3.PoolManager

    @property
    def output(self) -> str:
        return self.log.read_text()

    def call(
        self, body: bytes | None, method: str = "POST", path: str = "/invocations", **headers: str
    ) -> urllib3.BaseHTTPResponse:
        """One request; header names with underscores for hyphens."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        url = f"http://127.0.0.1:{self.port}{path}"
        return self.http.request(method, url, body=body, headers=named, timeout=END_SECONDS)

    def wait_output(self, text: str) -> None:
        """Returns when it has printed that."""
        wait_until(lambda: text in self.output, f"the model prints {text!r}; it printed:\n{self.output}")

    def wait_end(self) -> int:
        """Its exit status."""
        return self.process.wait(END_SECONDS)


@contextlib.contextmanager
def start_model(code: Path, environment: Mapping[str, str] | None = None) -> Iterator[ModelProcess]:
    """Runs the folder's model in the environment that fits it; afterwards it is gone."""
    python = prepare_environment(
        code, say=lambda _: None, log=lambda _: None, cancelled=threading.Event(), cache=code.parent / "cache"
    )
    variables = build_python_environment(os.environ, environment or {})
    port = own_ports()
    serving = PythonServing(code, None, "auto")
    threads = serving.places(environment or {})
    launch = PythonServer(serving, code, code.name, threads, python, variables).launch(port)
    log = code.parent / f"{code.name}.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            launch.argv, env=launch.environment, cwd=launch.cwd, stdout=out, stderr=out
        )
    try:
        yield ModelProcess(process, port, log, urllib3.PoolManager(retries=False, maxsize=64))
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def serve_model(code: Path, environment: Mapping[str, str] | None = None) -> Iterator[ModelProcess]:
    """The same, ready to be called."""
    with start_model(code, environment) as model:
        wait_until(
            lambda: "serving" in model.output or model.process.poll() is not None, "the model is loaded"
        )
        assert model.process.poll() is None, model.output
        yield model

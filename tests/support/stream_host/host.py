"""Node with the function in it, and a way to call it."""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
import os
import queue
import shutil
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from centralized_ml_api.aws.app import choose_node
from centralized_ml_api.aws.constructs.stream_function_code import NO_OTHER_PATHS, load_stream_code
from centralized_ml_api.plan.aws.spending import NOT_COUNTED
from support.stream_host.runtime_api import DELIMITER, PRELUDE_TYPE, Invocation, RuntimeApi
from support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from centralized_ml_api.plan.aws.spending import SpendingPlan

OUR_CLIENT = Path(__file__).with_name("runtime_client.mjs")
ROOT = Path(__file__).resolve().parents[3]
STOP_SECONDS = 10.0

# What Lambda sets. AWS's client ends where one of these is missing.
# Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
LAMBDA_VARIABLES = {
    "_HANDLER": "index.handler",
    "AWS_LAMBDA_FUNCTION_NAME": "stream",
    "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
    "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/stream",
    "AWS_LAMBDA_LOG_STREAM_NAME": "one",
}


class StreamBody:
    """The bytes of an answer as they come; `close` is the caller leaving."""

    def __init__(self, first: bytes, invocation: Invocation) -> None:
        self._invocation = invocation
        self._pieces = self._iterate(first)

    def __iter__(self) -> Iterator[bytes]:
        return self._pieces

    def __next__(self) -> bytes:
        return next(self._pieces)

    def _iterate(self, first: bytes) -> Iterator[bytes]:
        if first:
            yield first
        yield from (piece for piece in self._invocation if piece)

    def read(self) -> bytes:
        """All that is left of it."""
        return b"".join(self)

    def close(self) -> None:
        """Leaves without reading on."""
        self._invocation.close()


class StreamAnswer(NamedTuple):
    """What API Gateway would send: header names in lower case."""

    status: int
    headers: dict[str, str]
    body: StreamBody


class StreamHost:
    """A running function. It takes one event at a time, as an instance of Lambda does; where its process
    ends over an event, the next event finds a new one."""

    def __init__(self, environment: Mapping[str, str], folder: Path) -> None:
        self._environment = environment
        self._folder = folder
        self._api = RuntimeApi()
        self.lines: list[str] = []
        self._closed = False
        self._changing = threading.Lock()
        self._process = self._start()
        self._keeper = threading.Thread(target=self._keep)
        self._keeper.start()

    def invoke(self, event: dict[str, Any], *, timeout_seconds: float = 60) -> StreamAnswer:
        """Runs the function on an event; returns when status and headers are there.

        Raises:
            BrokenAnswerError: the function failed before them.
        """
        return self.take(self.begin(event, timeout_seconds=timeout_seconds))

    def take(self, invocation: Invocation) -> StreamAnswer:
        """Returns when status and headers of an answer are there.

        Raises:
            BrokenAnswerError: the function failed before them.
        """
        head = b""
        with self._telling():
            pieces = iter(invocation)
            while DELIMITER not in head:
                head += next(pieces)
        assert invocation.content_type == PRELUDE_TYPE
        prelude, _, first = head.partition(DELIMITER)
        metadata = json.loads(prelude)
        headers = {name.lower(): value for name, value in metadata["headers"].items()}
        return StreamAnswer(metadata["statusCode"], headers, StreamBody(first, invocation))

    def begin(self, event: dict[str, Any], *, timeout_seconds: float = 60) -> Invocation:
        """Runs the function on an event without waiting for anything."""
        invocation = Invocation(event, timeout_seconds)
        self._api.waiting.put(invocation)
        return invocation

    def wait_for_line(self, *parts: str) -> None:
        """Returns when a line with all these parts was printed: it comes by another way than the answer."""
        wait_until(
            lambda: any(all(part in line for part in parts) for line in self.lines), f"{parts} is printed"
        )

    @contextlib.contextmanager
    def _telling(self) -> Iterator[None]:
        """A function that says nothing is told with what it printed."""
        try:
            yield
        except (queue.Empty, StopIteration) as error:
            raise AssertionError("\n".join(["the function gave no answer", *self.lines])) from error

    def kill(self) -> None:
        """Kills Node in the middle of whatever it does."""
        self._process.kill()

    def close(self) -> None:
        """Ends Node."""
        with self._changing:
            self._closed = True
            self._process.kill()
        self._process.wait(STOP_SECONDS)
        self._api.close()
        self._keeper.join()

    def _start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            (node(), str(runtime_client())),
            env={
                **LAMBDA_VARIABLES,
                "LAMBDA_TASK_ROOT": str(self._folder),
                **self._environment,
                "AWS_LAMBDA_RUNTIME_API": self._api.address,
            },
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def _keep(self) -> None:
        while True:
            assert self._process.stdout is not None
            with self._process.stdout as output:
                self.lines.extend(line.rstrip("\n") for line in output)
            self._process.wait()
            if not self._start_anew():
                return

    def _start_anew(self) -> bool:
        """Not where the process took no event: the next one would end likewise."""
        with self._changing:
            if self._closed or self._api.running is None:
                return False
            self._api.running = None
            self._process = self._start()
            return True


@functools.cache
def function_folder() -> Path:
    """Writes the function as it is deployed where nothing is counted, once."""
    return write_function(NOT_COUNTED)


def write_function(spending: SpendingPlan, other_paths: Mapping[str, Any] = NO_OTHER_PATHS) -> Path:
    """Writes the function as it is deployed, below the project, whose `node_modules` have AWS's SDK."""
    cache = ROOT / ".cache"
    cache.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="stream-function-", dir=cache))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for name, content in load_stream_code(spending, other_paths).items():
        file = folder / name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(content)
    return folder


def runtime_client() -> Path:
    """Ours, or AWS's own where `make lambda-runtime` names it."""
    return Path(os.environ.get("MLAPI_LAMBDA_RUNTIME_CLIENT", OUR_CLIENT))


def node() -> str:
    """The Node that the CDK runs on, too."""
    choose_node()
    return os.environ.get("JSII_NODE", "node")


@contextlib.contextmanager
def start_stream_host(
    *,
    models: Mapping[str, Mapping[str, object]],
    sagemaker_url: str,
    idle_seconds: float = 30,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Iterator[StreamHost]:
    """The function over models at a SageMaker runtime, until the end of the block.

    Args:
        models: what the environment variable MODELS holds.
        sagemaker_url: where InvokeEndpoint is answered.
        idle_seconds: how long a model may be silent.
        environment: more variables; they win.
        folder: the function; None for the one that counts nothing.
    """
    variables = {
        "MODELS": json.dumps(models),
        "IDLE_SECONDS": str(idle_seconds),
        "HEALTH_SECONDS": "10",
        "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": sagemaker_url,
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
        **(environment or {}),
    }
    host = StreamHost(variables, folder or function_folder())
    try:
        yield host
    finally:
        host.close()

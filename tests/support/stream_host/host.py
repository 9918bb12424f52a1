"""Node with the function in it, and a way to call it."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from centralized_ml_api.aws.app import choose_node
from support.stream_host.runtime_api import DELIMITER, PRELUDE_TYPE, Invocation, RuntimeApi

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

RUNTIME_CLIENT = Path(__file__).with_name("runtime_client.mjs")
ROOT = Path(__file__).resolve().parents[3]
FUNCTION = ROOT / "src/centralized_ml_api/aws/constructs/stream_function"
STOP_SECONDS = 10.0


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
    """A running function. It takes one event at a time, as an instance of Lambda does."""

    def __init__(self, environment: Mapping[str, str], client: Sequence[str] = ()) -> None:
        self._api = RuntimeApi()
        self.lines: list[str] = []
        command = client or (node(), str(RUNTIME_CLIENT), str(FUNCTION / "index.mjs"))
        self._process = subprocess.Popen(
            command,
            env={**environment, "AWS_LAMBDA_RUNTIME_API": self._api.address},
            cwd=FUNCTION,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read_lines)
        self._reader.start()

    def invoke(self, event: dict[str, Any], *, timeout_seconds: float = 60) -> StreamAnswer:
        """Runs the function on an event; returns when status and headers are there.

        Raises:
            BrokenAnswerError: the function failed before them.
        """
        invocation = self.begin(event, timeout_seconds=timeout_seconds)
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

    @contextlib.contextmanager
    def _telling(self) -> Iterator[None]:
        """A function that says nothing is told with what it printed."""
        try:
            yield
        except (queue.Empty, StopIteration) as error:
            raise AssertionError("\n".join(["the function gave no answer", *self.lines])) from error

    def close(self) -> None:
        """Ends Node."""
        self._process.kill()
        self._process.wait(STOP_SECONDS)
        self._api.close()
        self._reader.join()

    def _read_lines(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as output:
            self.lines.extend(line.rstrip("\n") for line in output)


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
    client: Sequence[str] = (),
) -> Iterator[StreamHost]:
    """The function over models at a SageMaker runtime, until the end of the block.

    Args:
        models: what the environment variable MODELS holds.
        sagemaker_url: where InvokeEndpoint is answered.
        idle_seconds: how long a model may be silent.
        environment: more variables; they win.
        client: another runtime client, as a command.
    """
    variables = {
        "MODELS": json.dumps(models),
        "IDLE_SECONDS": str(idle_seconds),
        "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": sagemaker_url,
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
        **(environment or {}),
    }
    host = StreamHost(variables, client)
    try:
        yield host
    finally:
        host.close()

"""The SageMaker runtime listener over model servers of a test."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from centralized_ml_api.local.machine.listen import serve_application
from centralized_ml_api.local.machine.ports import bind_loopback, url_of
from centralized_ml_api.local.sagemaker_runtime import build_application

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.background import Background


@dataclass
class FakeEndpoint:
    """An endpoint whose replicas a test sets: base URLs, picked in turn; none when empty."""

    name: str
    replicas: list[str]
    invocations_path: str = "/invocations"
    refused: int = 0

    def pick(self) -> str | None:
        """The next replica."""
        if not self.replicas:
            return None
        self.replicas.append(self.replicas.pop(0))
        return self.replicas[-1]

    def check(self, body: bytes) -> bytes:
        """The body as it is."""
        return body

    def why_unavailable(self) -> str:
        """The reason that callers read; counts them."""
        self.refused += 1
        return "the model is starting"


@contextlib.contextmanager
def start_runtime(
    background: Background, *endpoints: FakeEndpoint, timeout_seconds: float = 20
) -> Iterator[str]:
    """The URL of a listener that knows these endpoints, until the end of the block."""
    by_name = {endpoint.name: endpoint for endpoint in endpoints}
    application = build_application(by_name.get, by_name.keys, timeout_seconds=timeout_seconds)
    stack, listening = contextlib.AsyncExitStack(), bind_loopback()
    background.run(serve_application(stack, application, listening, cancels=True))
    try:
        yield url_of(listening)
    finally:
        background.run(stack.aclose())

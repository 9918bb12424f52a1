"""A host on a function that a test writes."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.local.lambda_host import FunctionServer
from centralized_ml_api.local.lambda_host.server import HostSpecification
from support.function_host import NOWHERE, FunctionHost, build_function_plan, hosting, start_host

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def make_server(tmp_path: Path) -> Callable[..., FunctionServer]:
    """A server on `source`, as index.py of a folder with a space in its name."""

    def make(source: str, *, max_workers: int = 8, idle_seconds: float = 300, **plan: Any) -> FunctionServer:
        code, scratch = tmp_path / "my function", tmp_path / "scratch"
        code.mkdir(exist_ok=True)
        scratch.mkdir(exist_ok=True)
        (code / "index.py").write_text(source)
        return FunctionServer(
            build_function_plan(code, **plan),
            name="echo",
            endpoint_name="echo-endpoint",
            runtime_url=NOWHERE,
            model_speaks="openai-chat",
            inherited={"PATH": "/usr/bin:/bin", "SECRET_OF_THE_USER": "hunter2"},
            scratch=scratch,
            max_workers=max_workers,
            idle_seconds=idle_seconds,
        )

    return make


@pytest.fixture
def host(make_server: Callable[..., FunctionServer]) -> Iterator[Callable[..., FunctionHost]]:
    """Starts a host on `source` and waits until it is ready."""
    with contextlib.ExitStack() as stack:
        yield lambda source, **options: stack.enter_context(hosting(make_server(source, **options)))


@pytest.fixture
def unready_host(make_server: Callable[..., FunctionServer]) -> Iterator[Callable[..., FunctionHost]]:
    """Starts a host on `source` and waits for nothing."""
    with contextlib.ExitStack() as stack:

        def start(source: str, **options: Any) -> FunctionHost:
            started = start_host(make_server(source, **options))
            stack.callback(started.end)
            return started

        yield start


@pytest.fixture
def specify(tmp_path: Path) -> Callable[..., HostSpecification]:
    """Makes a specification of a function whose code is in `tmp_path`, with some fields changed."""

    def make(**changes: Any) -> HostSpecification:
        fields: dict[str, Any] = {
            "name": "echo",
            "code": str(tmp_path),
            "handler": "index.lambda_handler",
            "timeout_seconds": 20,
            "memory_mib": 256,
            "endpoint_name": "echo-endpoint",
            "runtime_url": NOWHERE,
            "model_speaks": "openai-chat",
            "port": 0,
            "region": "us-east-1",
            "path": "/usr/bin:/bin",
            "scratch": str(tmp_path),
        }
        return HostSpecification(**fields | changes)

    return make

"""A runtime listener over two model servers, and boto3 as a user has it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config

from support.background import Background, start_background
from support.model_server import ModelServer, start_model_server
from support.runtime import FakeEndpoint, start_runtime

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ENDPOINT = "open-llama-endpoint"


@pytest.fixture
def background() -> Iterator[Background]:
    with start_background() as running:
        yield running


@pytest.fixture
def model(background: Background) -> Iterator[ModelServer]:
    with start_model_server(background) as running:
        yield running


@pytest.fixture
def endpoint(model: ModelServer) -> FakeEndpoint:
    return FakeEndpoint(ENDPOINT, [model.url], "/v1/chat/completions")


@pytest.fixture
def runtime(background: Background, endpoint: FakeEndpoint) -> Iterator[Callable[..., str]]:
    """Starts a listener; returns its URL."""
    with contextlib.ExitStack() as stack:
        yield lambda **options: stack.enter_context(start_runtime(background, endpoint, **options))


@pytest.fixture
def client(runtime: Callable[..., str]) -> Iterator[Callable[..., Any]]:
    """A boto3 client of the listener; without retries, which would only repeat what a test set up."""
    with contextlib.ExitStack() as stack:

        def make(service: str = "sagemaker-runtime", **options: Any) -> Any:
            made = boto3.client(
                service,
                endpoint_url=runtime(**options),
                region_name="us-east-1",
                aws_access_key_id="anything",
                aws_secret_access_key="anything",  # noqa: S106
                config=Config(retries={"mode": "standard", "total_max_attempts": 1}),
            )
            stack.callback(made.close)
            return made

        yield make

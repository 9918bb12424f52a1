"""A model that sends its callers elsewhere: no one goes there for them, least of all with credentials."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest
import urllib3

from centralized_ml_api.local.machine.listen import serve_application
from centralized_ml_api.local.machine.ports import bind_loopback, url_of
from centralized_ml_api.local.sagemaker_runtime import build_application
from support.model_server import ModelServer, answer, start_model_server
from support.runtime import FakeEndpoint

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from centralized_ml_api.local.sagemaker_runtime.forward import Endpoint
    from centralized_ml_api.local.sagemaker_runtime.relay import RemoteEndpoint
    from support.background import Background

PATHS = ("/endpoints/one/invocations", "/endpoints/one/invocations-response-stream")
REDIRECTS = (301, 302, 303, 307, 308)


class InAws:
    """An endpoint in AWS, at an address that a test sets."""

    name = "one"

    def __init__(self, url: str) -> None:
        self._url = url

    def sign(self, operation: str, headers: Mapping[str, str], body: bytes) -> tuple[str, dict[str, str]]:
        """As `SignedEndpoint`, with a token that nobody else may see."""
        del body
        return f"{self._url}/{operation}", {**headers, "X-Amz-Security-Token": "secret"}


@pytest.fixture
def elsewhere(background: Background) -> Iterator[ModelServer]:
    with start_model_server(background) as running:
        yield running


def ask(background: Background, endpoint: Endpoint | RemoteEndpoint, path: str) -> int:
    application = build_application(lambda _: endpoint, list, timeout_seconds=20)
    stack, listening = contextlib.AsyncExitStack(), bind_loopback()
    background.run(serve_application(stack, application, listening, cancels=True))
    try:
        with urllib3.PoolManager(retries=False) as http:
            return http.request("POST", f"{url_of(listening)}{path}", body=b"{}", redirect=False).status
    finally:
        background.run(stack.aclose())


@pytest.mark.parametrize("path", PATHS)
def test_a_models_redirect_is_its_error(
    background: Background, model: ModelServer, elsewhere: ModelServer, path: str
) -> None:
    for status in REDIRECTS:
        model.answering = answer(status, b"", Location=f"{elsewhere.url}/latest/meta-data/")
        assert ask(background, FakeEndpoint("one", [model.url]), path) == 424
    assert elsewhere.asked == []


@pytest.mark.parametrize("path", PATHS)
def test_a_redirect_of_aws_takes_no_credentials_elsewhere(
    background: Background, model: ModelServer, elsewhere: ModelServer, path: str
) -> None:
    for status in REDIRECTS:
        model.answering = answer(status, b"", Location=f"{elsewhere.url}/")
        assert ask(background, InAws(model.url), path) == status
    assert elsewhere.asked == []

"""Forwards a call to a model: passes on exactly what SageMaker passes on, unchanged."""

from __future__ import annotations

import asyncio
import contextlib
import io
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import aiohttp
from multidict import CIMultiDict

from centralized_ml_api.local.sagemaker_runtime import service_error
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

CUSTOM_ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"

CONNECT_ATTEMPTS = 3
"""How many replicas are tried if they refuse the connection; a call that was sent is never repeated."""

_SUCCESS = range(200, 300)


class Endpoint(Protocol):
    """A model as SageMaker's API knows it: named, with replicas that come and go."""

    @property
    def name(self) -> str:
        """The endpoint name."""
        ...

    @property
    def invocations_path(self) -> str:
        """The path of a replica that takes calls, such as `/invocations`."""
        ...

    def pick(self) -> str | None:
        """Returns the base URL of a ready replica, such as `http://127.0.0.1:9001`; None if none is ready.

        Called again for each attempt: a replica that refused a connection should not be picked again at once.
        """
        ...

    def check(self, body: bytes) -> bytes:
        """Returns the body that the server gets; raises a `ServiceError` if it may not get it."""
        ...

    def why_unavailable(self) -> str:
        """Returns why `pick` returned None, as a message for the caller."""
        ...


@record
class Call:
    """What the model receives: the body, and those headers that the caller sent."""

    body: bytes
    headers: Mapping[str, str]


@record
class ModelAnswer:
    """A complete 2xx answer."""

    body: bytes
    headers: Mapping[str, str]


def start_session() -> aiohttp.ClientSession:
    """Returns a client that adds no headers, decodes nothing and uses each connection once.

    The server might close an idle connection just as the next call is sent, and that call could not safely be
    repeated. A new connection takes a tenth of a millisecond on loopback.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, force_close=True),
        auto_decompress=False,
        skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
    )


async def invoke(
    session: aiohttp.ClientSession, endpoint: Endpoint, call: Call, deadline: float
) -> ModelAnswer:
    """Calls the model and returns its complete answer.

    Args:
        session: The client, from `start_session`.
        endpoint: The model.
        call: What it receives.
        deadline: When the answer must be complete, in seconds of the event loop's clock.

    Raises:
        ServiceError: The one that SageMaker answers in the same case.
    """
    async with _as_service_errors(endpoint, deadline), await _open(session, endpoint, call) as answer:
        return ModelAnswer(await answer.read(), answer.headers)


async def open_answer(
    session: aiohttp.ClientSession, endpoint: Endpoint, call: Call, deadline: float
) -> aiohttp.ClientResponse:
    """Calls the model and returns its 2xx answer, whose body the caller reads before `deadline`, then closes.

    Args:
        session: The client, from `start_session`.
        endpoint: The model.
        call: What it receives.
        deadline: When the answer must begin, in seconds of the event loop's clock.

    Raises:
        ServiceError: The one that SageMaker answers in the same case.
    """
    async with _as_service_errors(endpoint, deadline):
        return await _open(session, endpoint, call)


@contextlib.asynccontextmanager
async def _as_service_errors(endpoint: Endpoint, deadline: float) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout_at(deadline):
            yield
    except TimeoutError as error:
        raise service_error.model_too_slow(endpoint.name) from error
    except aiohttp.ClientError as error:
        raise service_error.model_exited(endpoint.name) from error


async def _open(session: aiohttp.ClientSession, endpoint: Endpoint, call: Call) -> aiohttp.ClientResponse:
    answer = await _send(session, endpoint, replace(call, body=endpoint.check(call.body)))
    if answer.status in _SUCCESS:
        return answer
    async with answer:
        message = (await answer.read()).decode(errors="replace")
    raise service_error.model_error(endpoint.name, answer.status, message)


async def _send(session: aiohttp.ClientSession, endpoint: Endpoint, call: Call) -> aiohttp.ClientResponse:
    """Sends the call to the first replica that accepts the connection."""
    for _ in range(CONNECT_ATTEMPTS):
        base_url = endpoint.pick()
        if base_url is None:
            raise service_error.unavailable(endpoint.name, endpoint.why_unavailable())
        with contextlib.suppress(aiohttp.ClientConnectorError):
            return await session.post(
                f"{base_url}{endpoint.invocations_path}",
                data=io.BytesIO(call.body),
                headers=CIMultiDict(call.headers),
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=None),
            )
    raise service_error.unavailable(endpoint.name, "the model server refuses connections")

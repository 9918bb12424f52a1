"""One call to a model: only what SageMaker passes on, nothing added, nothing changed."""

from __future__ import annotations

import asyncio
import contextlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import aiohttp
from multidict import CIMultiDict

from centralized_ml_api.local.sagemaker_runtime import service_error

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from centralized_ml_api.local.sagemaker_runtime.endpoint import Endpoint

CUSTOM_ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"

CONNECT_ATTEMPTS = 3
"""How many replicas are tried where connections are refused; a call that was sent is never repeated."""

_SUCCESS = range(200, 300)


@dataclass(frozen=True, slots=True)
class Call:
    """What reaches the model: the body and, where the caller gave them, these headers."""

    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ModelAnswer:
    """A whole answer of 2xx."""

    body: bytes
    headers: Mapping[str, str]


def start_session() -> aiohttp.ClientSession:
    """A client that adds no header of its own, decodes nothing and uses each connection once.

    A kept connection may be closed by the server just when the next call is sent, and that call could not be
    repeated safely; a new one costs a tenth of a millisecond on loopback.
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
    """The model's whole answer; `deadline` is an instant of the event loop's clock.

    Raises:
        ServiceError: as SageMaker answers in the same case.
    """
    async with _as_service_errors(endpoint, deadline), await _open(session, endpoint, call) as answer:
        return ModelAnswer(await answer.read(), answer.headers)


async def open_answer(
    session: aiohttp.ClientSession, endpoint: Endpoint, call: Call, deadline: float
) -> aiohttp.ClientResponse:
    """The model's answer of 2xx with its body still to come: read it before `deadline`, and close it.

    Raises:
        ServiceError: as SageMaker answers in the same case.
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
    answer = await _send(session, endpoint, call)
    if answer.status in _SUCCESS:
        return answer
    async with answer:
        message = (await answer.read()).decode(errors="replace")
    raise service_error.model_error(endpoint.name, answer.status, message)


async def _send(session: aiohttp.ClientSession, endpoint: Endpoint, call: Call) -> aiohttp.ClientResponse:
    """Sends the call to the first replica that takes the connection."""
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
    raise service_error.unavailable(endpoint.name, "the model server takes no connections")

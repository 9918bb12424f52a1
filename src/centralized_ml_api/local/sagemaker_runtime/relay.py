"""Calls to a real endpoint, passed on to AWS: only signed anew, for callers here have no credentials."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

import aiohttp
from aiohttp import web

from centralized_ml_api.local.sagemaker_runtime import service_error

if TYPE_CHECKING:
    from collections.abc import Mapping

_SENT = ("accept", "content-type", "x-amzn-sagemaker-")
_ANSWERED = ("content-type", "retry-after", "x-amzn-")


@runtime_checkable
class RemoteEndpoint(Protocol):
    """An endpoint that is in AWS."""

    @property
    def name(self) -> str:
        """The endpoint name."""
        ...

    def sign(self, operation: str, headers: Mapping[str, str], body: bytes) -> tuple[str, dict[str, str]]:
        """The address of an operation (`invocations`, ...) and all the headers to send, signed.

        Raises:
            ServiceError: there is no way into AWS.
        """
        ...


async def relay(
    session: aiohttp.ClientSession, endpoint: RemoteEndpoint, request: web.Request, deadline_seconds: float
) -> web.StreamResponse:
    """AWS's own answer, errors and event streams too, piece by piece as it comes.

    Raises:
        ServiceError: AWS cannot be reached, or there are no credentials.
    """
    body = await request.read()
    url, headers = endpoint.sign(request.path.rpartition("/")[2], _choose(request.headers, _SENT), body)
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=deadline_seconds)
    try:
        async with session.post(
            url, data=body, headers=headers, timeout=timeout, allow_redirects=False
        ) as answer:
            return await _pass_on(answer, request)
    except (aiohttp.ClientError, TimeoutError) as error:
        raise service_error.unavailable(endpoint.name, "AWS did not answer") from error


async def _pass_on(answer: aiohttp.ClientResponse, request: web.Request) -> web.StreamResponse:
    """Once the first piece has gone, what breaks off there breaks off here."""
    response = web.StreamResponse(status=answer.status, headers=_choose(answer.headers, _ANSWERED))
    await response.prepare(request)
    try:
        async for piece in answer.content.iter_any():
            await response.write(piece)
    except (aiohttp.ClientError, TimeoutError):
        if request.transport is not None:
            request.transport.abort()
        return response
    await response.write_eof()
    return response


def _choose(headers: Mapping[str, str], prefixes: tuple[str, ...]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower().startswith(prefixes)}

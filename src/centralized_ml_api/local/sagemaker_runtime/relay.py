"""Relays calls to a real endpoint in AWS, signed anew because callers here have no credentials."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

import aiohttp
from aiohttp import web

from centralized_ml_api.local.sagemaker_runtime import service_error

if TYPE_CHECKING:
    from collections.abc import Mapping

_REQUEST_PREFIXES = ("accept", "content-type", "x-amzn-sagemaker-")
_RESPONSE_PREFIXES = ("content-type", "retry-after", "x-amzn-")


@runtime_checkable
class RemoteEndpoint(Protocol):
    """An endpoint in AWS."""

    @property
    def name(self) -> str:
        """The endpoint name."""
        ...

    def sign(self, operation: str, headers: Mapping[str, str], body: bytes) -> tuple[str, dict[str, str]]:
        """Returns the URL of an operation and all headers to send, signed.

        Args:
            operation: The last segment of its path, such as `invocations`.
            headers: The caller's headers.
            body: The caller's body.

        Raises:
            ServiceError: There are no credentials for AWS.
        """
        ...


async def relay(
    session: aiohttp.ClientSession, endpoint: RemoteEndpoint, request: web.Request, deadline_seconds: float
) -> web.StreamResponse:
    """Passes on AWS's own answer, including errors and event streams, piece by piece as it arrives.

    Args:
        session: The client.
        endpoint: The endpoint in AWS.
        request: The caller's request.
        deadline_seconds: How long AWS may send nothing.

    Raises:
        HTTPRequestEntityTooLarge: The body is over the limit.
        ServiceError: AWS cannot be reached, or there are no credentials.
    """
    body = await request.read()
    url, headers = endpoint.sign(
        request.path.rpartition("/")[2], _choose(request.headers, _REQUEST_PREFIXES), body
    )
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=deadline_seconds)
    try:
        async with session.post(
            url, data=body, headers=headers, timeout=timeout, allow_redirects=False
        ) as answer:
            return await _pass_on(answer, request)
    except (aiohttp.ClientError, TimeoutError) as error:
        raise service_error.unavailable(endpoint.name, "AWS did not answer") from error


async def _pass_on(answer: aiohttp.ClientResponse, request: web.Request) -> web.StreamResponse:
    """Sends the answer on; if AWS breaks off, closes the connection, as the status is already sent."""
    response = web.StreamResponse(status=answer.status, headers=_choose(answer.headers, _RESPONSE_PREFIXES))
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

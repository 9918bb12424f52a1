"""What travels through the gateway."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Request:
    """A request as the client sent it; `path` is without the stage, `query` is decoded."""

    method: str
    path: str
    query: Pairs
    headers: Pairs
    body: bytes
    request_id: str

    def header(self, name: str) -> str | None:
        """The last value of a header."""
        return last_value(self.headers, name)

    @property
    def content_type(self) -> str:
        """API Gateway takes a body without a type for JSON.

        Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/integration-passthrough-behaviors.html
        """
        return self.header("Content-Type") or "application/json"


@dataclass(frozen=True)
class Response:
    """An answer: of a back end to the gateway, or of the gateway to the client."""

    status: int
    headers: Pairs
    body: bytes

    def header(self, name: str) -> str | None:
        """The last value of a header."""
        return last_value(self.headers, name)


class Pieces(Protocol):
    """The body of an answer that streams. Each step waits; `close` is the caller leaving."""

    def __next__(self) -> bytes:
        """The next bytes."""
        ...

    def close(self) -> None:
        """Leaves without reading on."""
        ...


@dataclass(frozen=True)
class Streamed:
    """An answer whose status and headers are there and whose body comes in pieces."""

    status: int
    headers: Pairs
    pieces: Pieces


@dataclass(frozen=True)
class Call:
    """What the integration request makes of a request."""

    headers: Mapping[str, str]
    body: bytes


def last_value(headers: Pairs, name: str) -> str | None:
    """The value that counts where a header came more than once.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
    """
    return next((value for key, value in reversed(headers) if key.lower() == name.lower()), None)


class GatewayError(Exception):
    """The gateway answers by itself: `kind` is the type of its gateway response.

    `status` is for the types that leave it open.
    """

    def __init__(self, kind: str, message: str, status: int = 500) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.status = status

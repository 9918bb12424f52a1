"""A case of the contract: a request, and what every target must answer."""

from __future__ import annotations

import contextlib
import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlsplit

from centralized_ml_api.api.error_shape import ApiError
from support.running_gateway import Answer, read

DEADLINE_SECONDS = 40.0
"""More than the 29 seconds after which either target gives up on a model."""

LOCAL, AWS = "local", "aws"
CORS = {"access-control-allow-origin": "*", "access-control-expose-headers": "*"}
JSON = "application/json"
_FRAMING = {"connection", "content-length", "host"}


class Body(Protocol):
    """What the body of an answer must be."""

    def check(self, answer: Answer) -> None:
        """Fails where it is something else."""
        ...


@dataclass(frozen=True)
class Request:
    """A request. A key or a team belongs into `headers`."""

    path: str
    body: bytes = b"{}"
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict)
    chunked: bool = False


@dataclass(frozen=True)
class Expected:
    """An answer. `headers` and `absent` are in lower case.

    `cors` and `identified`: it carries the CORS headers and an `x-request-id`, as every answer does.
    `anonymous_on_aws`: there a function's answer has no id, see `differences`.
    """

    status: int
    body: Body | None = None
    content_type: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    absent: tuple[str, ...] = ()
    cors: bool = True
    identified: bool = True
    anonymous_on_aws: bool = False

    def check(self, answer: Answer, target: str) -> None:
        """Fails where the answer is another one."""
        assert answer.status == self.status, f"status {answer.status} instead of {self.status}: {answer}"
        for name, value in self._headers().items():
            assert answer.header(name) == value, f"{name}: {answer.header(name)} instead of {value}"
        for name in self.absent:
            assert answer.header(name) is None, f"{name} is there: {answer.header(name)}"
        identified = self.identified and not (self.anonymous_on_aws and target == AWS)
        assert bool(answer.header("x-request-id")) is identified, f"x-request-id: {answer.headers}"
        if self.body is not None:
            self.body.check(answer)

    def _headers(self) -> dict[str, str]:
        content_type = {"content-type": self.content_type} if self.content_type else {}
        return {**(CORS if self.cors else {}), **content_type, **self.headers}


@dataclass(frozen=True)
class Case:
    """One line of the contract, or a part of one. `only` names the one target that has it.

    `patient` is for what takes long: it is asked at the start of a run and read at the end.
    """

    name: str
    request: Request
    expected: Expected
    only: str | None = None
    patient: bool = False


@dataclass(frozen=True)
class Bytes:
    """Exactly these bytes."""

    body: bytes

    def check(self, answer: Answer) -> None:
        """Compares them."""
        assert answer.body == self.body, f"the body is {answer.body[:200]!r} instead of {self.body[:200]!r}"


@dataclass(frozen=True)
class Json:
    """A JSON object with at least these members."""

    members: Mapping[str, Any]

    def check(self, answer: Answer) -> None:
        """Compares them."""
        got = {name: answer.json.get(name) for name in self.members}
        assert got == self.members, f"{got} instead of {self.members}"


@dataclass(frozen=True)
class Refusal:
    """The one shape of errors: `type` and `code` of `error`, `says` in the message, the id of the request."""

    error: ApiError
    says: tuple[str, ...] = ()

    def check(self, answer: Answer) -> None:
        """Compares them."""
        assert answer.header("content-type") == JSON, answer
        assert answer.json.keys() == {"error"}, answer
        assert answer.error.keys() == {"message", "type", "code", "request_id"}, answer
        assert (answer.error["type"], answer.error["code"]) == (self.error.type, self.error.code), answer
        for part in self.says:
            assert part in answer.error["message"], f"{part!r} is not in {answer.error['message']!r}"
        assert answer.error["request_id"] == answer.header("x-request-id"), "the body has another request id"


def refused(error: ApiError, *says: str, **more: Any) -> Expected:
    """An answer in the error shape."""
    return Expected(error.status, Refusal(error, says), JSON, **more)


@dataclass(frozen=True)
class Saw:
    """What the model got, as the echo server tells it: these headers and no others but of HTTP itself."""

    headers: Mapping[str, str]
    path: str = "/echo"
    sha256: str | None = None

    def check(self, answer: Answer) -> None:
        """Compares them."""
        got = {name: value for name, value in answer.json["headers"] if name not in _FRAMING}
        assert got == self.headers, f"the model got {got} instead of {self.headers}"
        assert answer.json["path"] == self.path, answer.json
        assert self.sha256 in {None, answer.json["sha256"]}, "the model got another body"


def send(url: str, request: Request) -> Answer:
    """The answer of the API at `url`, over a connection of its own."""
    address = urlsplit(url)
    kind = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
    connection = kind(str(address.hostname), address.port, timeout=DEADLINE_SECONDS)
    body: Any = iter([request.body]) if request.chunked else request.body
    with contextlib.closing(connection):
        with contextlib.suppress(ConnectionError):  # an answer may come before the whole body has gone
            connection.request(request.method, f"{address.path}{request.path}", body, dict(request.headers))
        return read(connection)


def render_json(value: Any) -> bytes:
    """A body."""
    return json.dumps(value).encode()

"""HTTP: which path gets which answer. A WSGI application.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html (the two paths)
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from .answer import ATTRIBUTES, JSON, Head
from .handler import INVOCATIONS, Request
from .model_threads import Call
from .openai_api import PATHS
from .refusal import RETRY_AFTER_SECONDS, Refusal, build_reference, unknown_path, wrong_method

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from .model_threads import ModelThreads

    Environ = dict[str, Any]
    StartResponse = Callable[[str, list[tuple[str, str]]], object]

PING = "/ping"
UNAVAILABLE_STATUS = 503
_METHODS = {PING: ("GET", "HEAD"), **dict.fromkeys((INVOCATIONS, *PATHS), ("POST",))}


class Application:
    """Answers `GET /ping` at once, and every `POST` from the model's threads."""

    def __init__(self, threads: ModelThreads) -> None:
        self._threads = threads

    def __call__(self, request: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answers one request, as PEP 3333 defines."""
        try:
            return self._answer(request, start_response)
        except Refusal as refusal:
            return _refuse(refusal, start_response)

    def _answer(self, request: Environ, start_response: StartResponse) -> Iterable[bytes]:
        path, method = request["PATH_INFO"], request["REQUEST_METHOD"]
        if path not in _METHODS:
            raise unknown_path()
        if method not in _METHODS[path]:
            raise wrong_method()
        if path != PING:
            return self._invoke(request, start_response)
        start_response("200 OK", [("Content-Length", "0")])
        return []

    def _invoke(self, request: Environ, start_response: StartResponse) -> Iterable[bytes]:
        call = Call(_read_request(request), request["waitress.client_disconnected"])
        self._threads.submit(call)
        head = call.take()
        if not isinstance(head, Head):  # nobody is there to read it, but an application must not stay silent
            start_response(_status_line(UNAVAILABLE_STATUS), [("Content-Length", "0")])
            return []
        start_response(_status_line(head.status), _headers(head))
        return Pieces(call)


class Pieces:
    """The body of one answer, piece by piece."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def __iter__(self) -> Iterator[bytes]:
        """Yields the pieces until the end.

        Raises:
            BrokenAnswerError: The model failed; the connection must not end as if the answer were complete.
        """
        while (part := self._call.take()) is not None:
            if isinstance(part, BaseException):
                raise part
            if isinstance(part, bytes):
                yield part

    def close(self) -> None:
        """Ends the call: the caller has everything, or is gone."""
        self._call.abandon()


def _read_request(request: Environ) -> Request:
    headers = {
        name.removeprefix("HTTP_").replace("_", "-").title(): value
        for name, value in request.items()
        if name.startswith("HTTP_")
    }
    content_type = request.get("CONTENT_TYPE") or JSON
    headers["Content-Type"] = content_type
    body = request["wsgi.input"].read()
    return Request(body, content_type, request.get("HTTP_ACCEPT", ""), headers, request["PATH_INFO"])


def _headers(head: Head) -> list[tuple[str, str]]:
    headers = [("Content-Type", head.content_type)]
    if head.attributes:
        headers.append((ATTRIBUTES, head.attributes))
    if head.length is not None:
        headers.append(("Content-Length", str(head.length)))
    if head.status == UNAVAILABLE_STATUS:
        headers.append(("Retry-After", str(RETRY_AFTER_SECONDS)))
    return headers


def _refuse(refusal: Refusal, start_response: StartResponse) -> list[bytes]:
    body = refusal.body(build_reference())
    start_response(_status_line(refusal.status), _headers(Head(refusal.status, JSON, len(body))))
    return [body]


def _status_line(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"{status} Refused"

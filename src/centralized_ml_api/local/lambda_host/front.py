"""HTTP for the gateway: a request becomes an event, what the function returns becomes the response."""

from __future__ import annotations

import json
import re
import time
import uuid
from typing import TYPE_CHECKING

from aiohttp import web
from multidict import CIMultiDict

from centralized_ml_api.api import error_shape
from centralized_ml_api.local.lambda_host.answer import MalformedAnswerError, read_answer
from centralized_ml_api.local.lambda_host.event import Received, build_event
from centralized_ml_api.local.lambda_host.invocation import Failed, Invocation, Outcome
from centralized_ml_api.local.lambda_host.output import write_line
from centralized_ml_api.plan.types import BODY_LIMIT_BYTES

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

EVENT_LIMIT_BYTES = 6_291_556
"""The largest event of a synchronous invocation.

Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""

HEADERS_LIMIT_BYTES = 128 * 1024
"""Of the request line, and of a header: more than the gateway lets through. What is larger it has refused."""

MODEL_FAILED = error_shape.ERRORS["function_failed"]
TOO_SLOW = error_shape.ERRORS["function_too_slow"]
NOT_READY = error_shape.ERRORS["function_not_ready"]
_ERRORS = {error.status: error for error in (MODEL_FAILED, TOO_SLOW, NOT_READY, error_shape.BODY_TOO_LARGE)}
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")


class Front:
    """Answers the gateway. `invoke` runs an invocation; `ready` says whether the function was ever loaded."""

    def __init__(
        self, name: str, *, invoke: Callable[[Invocation], Awaitable[Outcome]], ready: Callable[[], bool]
    ) -> None:
        self._name = name
        self._invoke = invoke
        self._ready = ready

    def build_application(self) -> web.Application:
        """`GET /ping`, and everything else to the function."""
        application = web.Application(client_max_size=BODY_LIMIT_BYTES)
        every = web.route("*", "/{tail:.*}", self._handle, expect_handler=_expect_nothing)
        application.add_routes([web.get("/ping", self._ping), every])
        return application

    async def _ping(self, _request: web.Request) -> web.Response:
        return web.Response(status=200 if self._ready() else 503)

    async def _handle(self, request: web.Request) -> web.Response:
        request_id = _request_id(request)
        outcome = await self._outcome(request, request_id)
        if isinstance(outcome, Failed):
            return self._refuse(outcome, request_id)
        try:
            answer = read_answer(outcome.payload)
        except MalformedAnswerError as error:
            return self._refuse(Failed(502, f"the function returned {error}"), request_id)
        return web.Response(status=answer.status, headers=CIMultiDict(answer.headers), body=answer.body)

    async def _outcome(self, request: web.Request, request_id: str) -> Outcome:
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            return Failed(413, f"a body may have {BODY_LIMIT_BYTES} bytes (6 MB)")
        event = json.dumps(build_event(_received(request, body, request_id))).encode()
        if len(event) > EVENT_LIMIT_BYTES:
            return Failed(
                413,
                f"a function's event may have 6 MB; this body of {len(body)} bytes makes one of {len(event)}"
                " (as base64, binary bodies grow by a third)",
            )
        return await self._invoke(Invocation(request_id, event))

    def _refuse(self, failed: Failed, request_id: str) -> web.Response:
        """The API's error shape; the reason is for the organizer, and in the log as well."""
        write_line(f"{request_id} {failed.status}: {failed.reason}")
        error = _ERRORS[failed.status].saying(f"{self._name}: {failed.reason}")
        headers = (
            {"Retry-After": str(error_shape.RETRY_AFTER_SECONDS)} if failed.status == NOT_READY.status else {}
        )
        return web.Response(
            status=error.status,
            headers=headers,
            content_type="application/json",
            body=error_shape.render_error(error, request_id).encode(),
        )


def _received(request: web.Request, body: bytes, request_id: str) -> Received:
    return Received(
        method=request.method,
        path=request.path,
        query=tuple(request.query.items()),
        headers=tuple((_text(name), _text(value)) for name, value in request.raw_headers),
        body=body,
        request_id=request_id,
        peer=request.remote or "127.0.0.1",
        received_at=time.time(),
    )


async def _expect_nothing(_request: web.Request) -> None:
    """Whatever a caller expects: of `100-continue` the gateway takes care, of the rest a function does.

    aiohttp's own answer, a 417, is none in the API's shape.
    """


def _text(header: bytes) -> str:
    return header.decode(errors="replace")


def _request_id(request: web.Request) -> str:
    """The gateway's id for the request, which becomes Lambda's; a new one where it is missing or odd."""
    given = request.headers.get("x-request-id", "")
    return given if _REQUEST_ID.fullmatch(given) else str(uuid.uuid4())

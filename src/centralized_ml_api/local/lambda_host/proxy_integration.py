"""Invokes the function for an HTTP request and answers with its result, as a proxy integration does."""

from __future__ import annotations

import json
import re
import time
import uuid
from typing import TYPE_CHECKING

from aiohttp import web
from multidict import CIMultiDict

from centralized_ml_api.api import error_shape
from centralized_ml_api.local.lambda_host.lambda_event import Received, build_lambda_event
from centralized_ml_api.local.lambda_host.output import write_line
from centralized_ml_api.local.lambda_host.response import MalformedResponseError, read_response
from centralized_ml_api.local.lambda_host.runtime_api import PAYLOAD_LIMIT_BYTES, Failed, Invocation, Outcome
from centralized_ml_api.plan.types import BODY_LIMIT_BYTES

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

FUNCTION_FAILED = error_shape.ERRORS["function_failed"]
FUNCTION_TOO_SLOW = error_shape.ERRORS["function_too_slow"]
FUNCTION_NOT_READY = error_shape.ERRORS["function_not_ready"]
_ERRORS = {
    error.status: error
    for error in (FUNCTION_FAILED, FUNCTION_TOO_SLOW, FUNCTION_NOT_READY, error_shape.BODY_TOO_LARGE)
}
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")


class ProxyIntegration:
    """Answers the gateway.

    Args:
        name: The entry that the function belongs to; begins the message of every error.
        invoke: Runs an invocation.
        ready: Says whether the function was ever loaded.
    """

    def __init__(
        self, name: str, *, invoke: Callable[[Invocation], Awaitable[Outcome]], ready: Callable[[], bool]
    ) -> None:
        self._name = name
        self._invoke = invoke
        self._ready = ready

    def build_application(self) -> web.Application:
        """Builds the application: `GET /ping` says whether the function is ready, all else invokes it."""
        application = web.Application(client_max_size=BODY_LIMIT_BYTES)
        everything = web.route("*", "/{tail:.*}", self._handle, expect_handler=_ignore_expect)
        application.add_routes([web.get("/ping", self._ping), everything])
        return application

    async def _ping(self, _request: web.Request) -> web.Response:
        return web.Response(status=200 if self._ready() else 503)

    async def _handle(self, request: web.Request) -> web.Response:
        given = request.headers.get("x-request-id", "")
        # The gateway's id becomes Lambda's; one that could garble a log is replaced.
        request_id = given if _REQUEST_ID.fullmatch(given) else str(uuid.uuid4())
        outcome = await self._run(request, request_id)
        if isinstance(outcome, Failed):
            return self._refuse(outcome, request_id)
        try:
            response = read_response(outcome.payload)
        except MalformedResponseError as error:
            return self._refuse(Failed(502, f"the function returned {error}"), request_id)
        return web.Response(status=response.status, headers=CIMultiDict(response.headers), body=response.body)

    async def _run(self, request: web.Request, request_id: str) -> Outcome:
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            return Failed(413, f"the body is larger than {BODY_LIMIT_BYTES} bytes (6 MB)")
        lambda_event = json.dumps(build_lambda_event(_describe(request, body, request_id))).encode()
        if len(lambda_event) > PAYLOAD_LIMIT_BYTES:
            return Failed(
                413,
                f"the body of {len(body)} bytes makes an event of {len(lambda_event)} bytes, over"
                " Lambda's limit of 6 MB: base64 makes binary bodies a third larger",
            )
        return await self._invoke(Invocation(request_id, lambda_event))

    def _refuse(self, failed: Failed, request_id: str) -> web.Response:
        """Answers in the API's error shape, and logs the reason for the organizer."""
        write_line(f"{request_id} {failed.status}: {failed.reason}")
        error = _ERRORS[failed.status].saying(f"{self._name}: {failed.reason}")
        retry = {"Retry-After": str(error_shape.RETRY_AFTER_SECONDS)}
        return web.Response(
            status=error.status,
            headers=retry if error.status == FUNCTION_NOT_READY.status else {},
            content_type="application/json",
            body=error_shape.render_error(error, request_id).encode(),
        )


def _describe(request: web.Request, body: bytes, request_id: str) -> Received:
    return Received(
        method=request.method,
        path=request.path,
        query=tuple(request.query.items()),
        headers=tuple(
            (name.decode(errors="replace"), value.decode(errors="replace"))
            for name, value in request.raw_headers
        ),
        body=body,
        request_id=request_id,
        peer=request.remote or "127.0.0.1",
        received_at=time.time(),
    )


async def _ignore_expect(_request: web.Request) -> None:
    """Accepts every `Expect`: the gateway handles `100-continue`, and the function whatever else there is.

    aiohttp itself would answer 417, which is not in the API's error shape.
    """

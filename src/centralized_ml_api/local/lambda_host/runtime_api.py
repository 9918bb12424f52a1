"""Serves the Lambda Runtime API to one worker, on a loopback port that identifies the worker.

Source: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import field
from typing import TYPE_CHECKING

from aiohttp import web

from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Callable

PAYLOAD_LIMIT_BYTES = 6_291_556
"""The largest event, and the largest response, of a synchronous invocation: slightly more than 6 MB.

Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""

REASON_LIMIT_CHARACTERS = 300
SHUTDOWN_SECONDS = 0.1
_PREFIX = "/2018-06-01/runtime"
_ACCEPTED = 202


@record
class Returned:
    """The handler returned; `payload` is its result as JSON."""

    payload: bytes


@record
class Failed:
    """There is no result: an HTTP status, and the reason for the organizer, without a stack trace."""

    status: int
    reason: str


Outcome = Returned | Failed


@record
class Invocation:
    """An event on its way to a worker; whoever first knows the outcome sets it."""

    request_id: str
    lambda_event: bytes
    outcome: asyncio.Future[Outcome] = field(default_factory=asyncio.Future)

    def settle(self, outcome: Outcome) -> None:
        """Sets the outcome unless it is set already."""
        if not self.outcome.done():
            self.outcome.set_result(outcome)


class RuntimeApi:
    """Hands a worker its invocations; `polled` is called whenever the worker asks for the next one."""

    def __init__(self, *, function_arn: str, polled: Callable[[], None]) -> None:
        self._function_arn = function_arn
        self._polled = polled
        self._next: asyncio.Queue[tuple[Invocation, float]] = asyncio.Queue(maxsize=1)
        self._current: Invocation | None = None
        self._runner = web.AppRunner(
            self._application(), access_log=None, handler_cancellation=True, shutdown_timeout=SHUTDOWN_SECONDS
        )
        self.init_failure: Failed | None = None

    async def start(self) -> str:
        """Starts to listen on a free loopback port and returns `host:port`."""
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        return f"{host}:{port}"

    async def stop(self) -> None:
        """Closes the port and every connection to it."""
        await self._runner.cleanup()

    def give(self, invocation: Invocation, deadline: float) -> None:
        """Hands the worker its next invocation; `deadline` is in seconds since 1970."""
        self._current = invocation
        self._next.put_nowait((invocation, deadline))

    def _application(self) -> web.Application:
        application = web.Application(client_max_size=PAYLOAD_LIMIT_BYTES)
        application.add_routes(
            [
                web.get(f"{_PREFIX}/invocation/next", self._answer_next),
                web.post(f"{_PREFIX}/invocation/{{id}}/response", self._take_response),
                web.post(f"{_PREFIX}/invocation/{{id}}/error", self._take_error),
                web.post(f"{_PREFIX}/init/error", self._take_init_error),
            ]
        )
        return application

    async def _answer_next(self, _request: web.Request) -> web.Response:
        self._polled()
        invocation, deadline = await self._next.get()
        return web.Response(
            body=invocation.lambda_event,
            headers={
                "Content-Type": "application/json",
                "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
                "Lambda-Runtime-Deadline-Ms": str(int(deadline * 1000)),
                "Lambda-Runtime-Invoked-Function-Arn": self._function_arn,
            },
        )

    async def _take_response(self, request: web.Request) -> web.Response:
        try:
            outcome: Outcome = Returned(await request.read())
        except web.HTTPRequestEntityTooLarge:
            outcome = Failed(502, "the function's response is larger than 6 MB, Lambda's limit")
        return self._settle(request, outcome)

    async def _take_error(self, request: web.Request) -> web.Response:
        return self._settle(request, Failed(502, f"the function raised {_read_reason(await request.read())}"))

    async def _take_init_error(self, request: web.Request) -> web.Response:
        self.init_failure = Failed(
            502, f"the function could not be loaded: {_read_reason(await request.read())}"
        )
        return web.Response(status=_ACCEPTED)

    def _settle(self, request: web.Request, outcome: Outcome) -> web.Response:
        """Refuses an answer to any invocation but the current one, as Lambda does."""
        current = self._current
        if current is None or current.request_id != request.match_info["id"]:
            return web.json_response({"errorMessage": "not the current invocation"}, status=400)
        current.settle(outcome)
        self._current = None
        return web.Response(status=_ACCEPTED)


def _read_reason(body: bytes) -> str:
    """Returns the type and the first line of a reported error, without its stack trace."""
    error = {}
    with contextlib.suppress(ValueError):
        error = json.loads(body)
    kind = error.get("errorType") or "an error"
    message = str(error.get("errorMessage") or "").strip().partition("\n")[0]
    return f"{kind}: {message}"[:REASON_LIMIT_CHARACTERS] if message else str(kind)

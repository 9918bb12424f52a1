"""The gateway over HTTP: one request through all of its stages."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
import uuid
from typing import TYPE_CHECKING, Any

from aiohttp import web
from multidict import CIMultiDict

from centralized_ml_api.local.machine.listen import serve_application
from centralized_ml_api.local.machine.ports import bind_loopback, url_of
from support.api_gateway.authorizers import Door
from support.api_gateway.back_ends import answer_mock
from support.api_gateway.gateway_responses import build_gateway_response
from support.api_gateway.integration_request import build_call
from support.api_gateway.lambda_proxy import build_event, read_answer
from support.api_gateway.message import GatewayError, Request, Response, Streamed
from support.api_gateway.method_request import check_request
from support.api_gateway.responses import build_response
from support.api_gateway.routing import find_route
from support.api_gateway.selection import choose_response
from support.api_gateway.templates import Context
from support.api_gateway.usage_plans import API_ID, UsagePlans
from support.stream_host import BrokenAnswerError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.api_gateway.back_ends import BackEnds
    from support.api_gateway.document import RestApi
    from support.api_gateway.routing import Route
    from support.background import Background

STAGE = "prod"
PAYLOAD_LIMIT_BYTES = 10 * 1024 * 1024
"""Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html."""

_TIMEOUT_MILLISECONDS = 29_000


class ApiGateway:
    """Answers requests by the rules of the REST API `api`."""

    def __init__(self, api: RestApi, back_ends: BackEnds, usage: UsagePlans | None = None) -> None:
        self._api = api
        self._back_ends = back_ends
        self.door = Door(api, back_ends, usage or UsagePlans(()))

    async def answer(self, request: Request) -> Response | Streamed:
        """The whole way there and back."""
        context = Context(_context_of(request))
        try:
            return await self._through(request, context)
        except GatewayError as error:
            return build_gateway_response(self._api, error, context)

    async def _through(self, request: Request, context: Context) -> Response | Streamed:
        if len(request.body) > PAYLOAD_LIMIT_BYTES:
            raise GatewayError("REQUEST_TOO_LARGE", "Request Too Long")
        route = find_route(self._api, request.method, request.path)
        context = await self.door.admit(request, route, context)
        check_request(request, route)
        milliseconds = route.integration.get("timeoutInMillis", _TIMEOUT_MILLISECONDS)
        try:
            async with asyncio.timeout(milliseconds / 1000):
                return await self._integrate(request, route, context)
        except TimeoutError as error:
            raise GatewayError("INTEGRATION_TIMEOUT", "Endpoint request timed out") from error

    async def _integrate(self, request: Request, route: Route, context: Context) -> Response | Streamed:
        """Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-integration-types.html."""
        integration = route.integration
        if integration["type"] == "aws_proxy":
            return await self._run_function(request, route, context)
        call = build_call(self._api, request, integration, context)
        if integration["type"] == "mock":
            answer = answer_mock(call)
        else:
            answer = await self._back_ends.call_service(integration["uri"], integration["httpMethod"], call)
        chosen = choose_response(integration["responses"], answer.status)
        return build_response(self._api, request, chosen, answer, context)

    async def _run_function(self, request: Request, route: Route, context: Context) -> Response | Streamed:
        """Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode.html."""
        event = build_event(self._api, request, route, context)
        if route.integration.get("responseTransferMode") == "STREAM":
            return await asyncio.to_thread(self._back_ends.stream(route.integration["uri"]), event)
        invoke = self._back_ends.function(route.integration["uri"])
        payload = await invoke(request.request_id, json.dumps(event).encode())
        return read_answer(self._api, request, payload)


@contextlib.contextmanager
def serve_api(background: Background, gateway: ApiGateway) -> Iterator[str]:
    """The address of the API with its stage (`http://127.0.0.1:4711/prod`), until the end of the block."""

    async def handle(request: web.Request) -> web.StreamResponse:
        return await _handle(gateway, request)

    application = web.Application(client_max_size=2 * PAYLOAD_LIMIT_BYTES)
    application.on_response_prepare.append(_hide_server)
    application.router.add_route("*", f"/{STAGE}{{path:/.*}}", handle)
    stack, listening = contextlib.AsyncExitStack(), bind_loopback()
    background.run(serve_application(stack, application, listening, cancels=True))
    try:
        yield f"{url_of(listening)}/{STAGE}"
    finally:
        background.run(stack.aclose())


async def _handle(gateway: ApiGateway, received: web.Request) -> web.StreamResponse:
    """Every answer names the request.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html
    """
    request = Request(
        method=received.method,
        path=received.rel_url.raw_path.removeprefix(f"/{STAGE}"),
        query=tuple(received.query.items()),
        headers=tuple((name.decode(), value.decode()) for name, value in received.raw_headers),
        body=await received.read(),
        request_id=str(uuid.uuid4()),
    )
    answer = await gateway.answer(request)
    headers = CIMultiDict([*answer.headers, ("x-amzn-RequestId", request.request_id)])
    if isinstance(answer, Streamed):
        return await _pass_on(answer, received, headers)
    return web.Response(status=answer.status, headers=headers, body=answer.body)


async def _pass_on(answer: Streamed, received: web.Request, headers: CIMultiDict[str]) -> web.StreamResponse:
    """Each piece as it comes; a function that breaks off takes the connection with it.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode.html
    """
    response = web.StreamResponse(status=answer.status, headers=headers)
    await response.prepare(received)
    try:
        while piece := await asyncio.to_thread(next, answer.pieces, b""):
            await response.write(piece)
        await response.write_eof()
    except BrokenAnswerError:
        if received.transport is not None:
            received.transport.abort()
    finally:
        answer.pieces.close()
    return response


async def _hide_server(_request: web.Request, answer: web.StreamResponse) -> None:
    answer.headers.popall("Server", None)


def _context_of(request: Request) -> dict[str, Any]:
    """Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html."""
    return {
        "accountId": "123456789012",
        "apiId": API_ID,
        "httpMethod": request.method,
        "identity": {"sourceIp": "127.0.0.1", "userAgent": request.header("User-Agent")},
        "path": f"/{STAGE}{request.path}",
        "protocol": "HTTP/1.1",
        "requestId": request.request_id,
        "requestTimeEpoch": int(time.time() * 1000),
        "resourcePath": request.path,
        "stage": STAGE,
    }

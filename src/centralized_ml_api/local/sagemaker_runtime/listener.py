"""Answers the two invocations over HTTP; accepts any signature, because it listens on loopback only."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import TYPE_CHECKING

from aiohttp import web

from centralized_ml_api.local.launch import CALLERS
from centralized_ml_api.local.machine.listen import refuse_web_pages
from centralized_ml_api.local.sagemaker_runtime import event_stream, service_error
from centralized_ml_api.local.sagemaker_runtime.forward import (
    CUSTOM_ATTRIBUTES,
    Call,
    Endpoint,
    invoke,
    open_answer,
    start_session,
)
from centralized_ml_api.local.sagemaker_runtime.relay import RemoteEndpoint, relay
from centralized_ml_api.plan.types import BODY_LIMIT_BYTES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping

    import aiohttp

MODEL_TIMEOUT_SECONDS = 60.0
"""How long a model may take to answer.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html ("must respond to
requests within 60 seconds")
"""

DEFAULT_CONTENT_TYPE = "application/json"
VARIANT = "AllTraffic"


class Service:
    """The two invocations of the API, over the endpoints of `build_application`."""

    def __init__(
        self,
        find: Callable[[str], Endpoint | RemoteEndpoint | None],
        names: Callable[[], Iterable[str]],
        timeout_seconds: float,
    ) -> None:
        self._find = find
        self._names = names
        self._timeout_seconds = timeout_seconds
        self._session: aiohttp.ClientSession | None = None

    async def keep_session(self, _application: web.Application) -> AsyncIterator[None]:
        """Keeps the client open while the application runs."""
        async with start_session() as self._session:
            yield

    async def invoke(self, request: web.Request) -> web.StreamResponse:
        """Answers InvokeEndpoint: the model's bytes in one piece."""
        endpoint = self._endpoint(request)
        if isinstance(endpoint, RemoteEndpoint):
            return await self._relay(endpoint, request)
        call = await _read_call(request, accept_header="Accept")
        answer = await invoke(self._client, endpoint, call, self._deadline())
        return web.Response(body=answer.body, headers=_answer_headers(answer.headers, "Content-Type"))

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Answers InvokeEndpointWithResponseStream: the model's bytes as they arrive, in `PayloadPart`s."""
        endpoint = self._endpoint(request)
        if isinstance(endpoint, RemoteEndpoint):
            return await self._relay(endpoint, request)
        call = await _read_call(request, accept_header="X-Amzn-SageMaker-Accept")
        deadline = self._deadline()
        async with await open_answer(self._client, endpoint, call, deadline) as answer:
            headers = _answer_headers(answer.headers, "X-Amzn-SageMaker-Content-Type")
            response = web.StreamResponse(headers={**headers, "Content-Type": event_stream.CONTENT_TYPE})
            _identify(response)
            await response.prepare(request)
            await event_stream.send_parts(answer, response, deadline)
        await response.write_eof()
        return response

    async def _relay(self, endpoint: RemoteEndpoint, request: web.Request) -> web.StreamResponse:
        """Answers both operations of an endpoint in AWS as AWS does."""
        try:
            return await relay(self._client, endpoint, request, self._timeout_seconds)
        except web.HTTPRequestEntityTooLarge as error:
            raise service_error.too_large() from error

    def _deadline(self) -> float:
        return asyncio.get_running_loop().time() + self._timeout_seconds

    @property
    def _client(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise RuntimeError("the application was never started")
        return self._session

    def _endpoint(self, request: web.Request) -> Endpoint | RemoteEndpoint:
        name = request.match_info["name"]
        endpoint = self._find(name)
        if endpoint is None:
            raise service_error.unknown_endpoint(name, self._names())
        return endpoint


def build_application(
    find: Callable[[str], Endpoint | RemoteEndpoint | None],
    names: Callable[[], Iterable[str]],
    *,
    timeout_seconds: float = MODEL_TIMEOUT_SECONDS,
) -> web.Application:
    """Builds the API over some endpoints. It needs bodies as they were sent: serve it by `machine.listen`.

    Args:
        find: Returns the endpoint with a name; None if there is none.
        names: Lists the names of all endpoints, for messages.
        timeout_seconds: How long a model may take.
    """
    service = Service(find, names, timeout_seconds)
    application = web.Application(
        client_max_size=BODY_LIMIT_BYTES, middlewares=[refuse_web_pages, _answer_errors]
    )
    application.cleanup_ctx.append(service.keep_session)
    for base in ("", f"{CALLERS}/{{caller}}"):
        application.add_routes(
            [
                web.post(f"{base}/endpoints/{{name}}/invocations", service.invoke),
                web.post(f"{base}/endpoints/{{name}}/invocations-response-stream", service.stream),
            ]
        )
    return application


@web.middleware
async def _answer_errors(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Puts errors into the service's form and gives every answer a request id."""
    try:
        answer = await handler(request)
    except service_error.ServiceError as error:
        answer = _error_answer(error)
    except (web.HTTPNotFound, web.HTTPMethodNotAllowed):
        answer = _error_answer(service_error.unknown_operation(request.method, request.path))
    if not answer.prepared:
        _identify(answer)
    return answer


def _error_answer(error: service_error.ServiceError) -> web.Response:
    return web.Response(
        status=error.status,
        headers={"x-amzn-ErrorType": error.code},
        content_type="application/json",
        body=json.dumps(error.members).encode(),
    )


def _identify(answer: web.StreamResponse) -> None:
    """Sets the id that SDKs show as `RequestId`."""
    answer.headers["x-amzn-RequestId"] = str(uuid.uuid4())


async def _read_call(request: web.Request, *, accept_header: str) -> Call:
    try:
        body = await request.read()
    except web.HTTPRequestEntityTooLarge as error:
        raise service_error.too_large() from error
    given = {
        "Content-Type": request.headers.get("Content-Type", DEFAULT_CONTENT_TYPE),
        "Accept": request.headers.get(accept_header),
        CUSTOM_ATTRIBUTES: request.headers.get(CUSTOM_ATTRIBUTES),
    }
    return Call(body, {name: value for name, value in given.items() if value is not None})


def _answer_headers(model_headers: Mapping[str, str], content_type_header: str) -> dict[str, str]:
    headers = {
        content_type_header: model_headers.get("Content-Type", "application/octet-stream"),
        "x-Amzn-Invoked-Production-Variant": VARIANT,
    }
    if CUSTOM_ATTRIBUTES in model_headers:
        headers[CUSTOM_ATTRIBUTES] = model_headers[CUSTOM_ATTRIBUTES]
    return headers

"""What integrations call: SageMaker's runtime, functions, or nothing."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import aiohttp

from support.api_gateway.message import GatewayError, Response, Streamed
from support.api_gateway.objects import read_object

if TYPE_CHECKING:
    from support.api_gateway.message import Call

Invoke = Callable[[str, bytes], Awaitable[bytes]]
"""Runs a function: the id of the request and the event, to what the function returned, both as JSON."""

Stream = Callable[[dict[str, Any]], Streamed]
"""Runs a function that streams: from the event to the answer's head; it waits for that."""

_OBJECT = re.compile(r"arn:aws:apigateway:[\w-]+:s3:path/([^/]+/[^/]+)")
_SAGEMAKER = re.compile(r"arn:aws:apigateway:[\w-]+:runtime\.sagemaker:path/endpoints/([^/]+)/invocations")
_FUNCTION = re.compile(r"arn:aws:apigateway:[\w-]+:lambda:path/2015-03-31/functions/([^/]+)/invocations")

_STREAM = re.compile(
    r"arn:aws:apigateway:[\w-]+:lambda:path/2021-11-15/functions/([^/]+)/response-streaming-invocations"
)


@dataclass(frozen=True)
class BackEnds:
    """`sagemaker_url` is a listener that speaks SageMaker's runtime API.

    `endpoints` are the names that it knows by those in the template; functions are found by ARN, `objects` of
    S3 by bucket and key.
    """

    sagemaker_url: str
    endpoints: Mapping[str, str]
    functions: Mapping[str, Invoke]
    streams: Mapping[str, Stream]
    objects: Mapping[str, bytes] = field(default_factory=dict)

    def function(self, uri: str) -> Invoke:
        """The function of an integration's address.

        Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-as-lambda-proxy-export-swagger-with-extensions.html
        """
        return self.functions[_named(_FUNCTION, uri)]

    def stream(self, uri: str) -> Stream:
        """The function of an integration that streams.

        Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode-lambda.html
        """
        return self.streams[_named(_STREAM, uri)]

    async def call_service(self, uri: str, method: str, call: Call) -> Response:
        """The service's answer, whatever its status.

        Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/integrating-api-with-aws-services-s3.html
        """
        if found := _OBJECT.fullmatch(uri):
            return read_object(self.objects, found[1], method)
        return await self._call_sagemaker(uri, call)

    async def _call_sagemaker(self, uri: str, call: Call) -> Response:
        """The answer of the model behind the endpoint, or what SageMaker says instead.

        Source: https://docs.aws.amazon.com/apigateway/latest/api/API_Integration.html (`uri`, `path/`) and
        https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html
        """
        url = f"{self.sagemaker_url}/endpoints/{self.endpoints[_named(_SAGEMAKER, uri)]}/invocations"
        try:
            async with (
                aiohttp.ClientSession(auto_decompress=False, skip_auto_headers=("Accept",)) as session,
                session.post(url, data=io.BytesIO(call.body), headers=call.headers) as answer,
            ):
                return Response(answer.status, tuple(answer.headers.items()), await answer.read())
        except aiohttp.ClientError as error:
            raise GatewayError("INTEGRATION_FAILURE", "Internal server error") from error


def answer_mock(call: Call) -> Response:
    """The status that the request's template names, and no body.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-mock-integration.html
    """
    return Response(int(json.loads(call.body)["statusCode"]), (), b"")


def _named(pattern: re.Pattern[str], uri: str) -> str:
    found = pattern.fullmatch(uri)
    if found is None:
        raise ValueError(f"the integration {uri} is not known here")
    return found[1]

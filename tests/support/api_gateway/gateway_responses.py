"""What the gateway says when a request reaches no integration, or its integration fails.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from support.api_gateway.message import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from support.api_gateway.document import RestApi
    from support.api_gateway.message import GatewayError
    from support.api_gateway.templates import Context

STATUSES = {
    "ACCESS_DENIED": 403,
    "API_CONFIGURATION_ERROR": 500,
    "AUTHORIZER_FAILURE": 500,
    "BAD_REQUEST_BODY": 400,
    "BAD_REQUEST_PARAMETERS": 400,
    "INTEGRATION_FAILURE": 504,
    "INTEGRATION_TIMEOUT": 504,
    "INVALID_API_KEY": 403,
    "MISSING_AUTHENTICATION_TOKEN": 403,
    "QUOTA_EXCEEDED": 429,
    "REQUEST_TOO_LARGE": 413,
    "RESOURCE_NOT_FOUND": 404,
    "THROTTLED": 429,
    "UNAUTHORIZED": 401,
    "UNSUPPORTED_MEDIA_TYPE": 415,
}
"""What each type answers where the API says nothing else."""

_DEFAULT_TEMPLATE = '{"message":$context.error.messageString}'
_VARIABLE = re.compile(r"\$context\.([\w.]*\w)")
_MAPPED = "gatewayresponse.header."
_FROM_CONTEXT = "context."


def build_gateway_response(api: RestApi, error: GatewayError, context: Context) -> Response:
    """The API's own response of that type, else its default for 4xx or 5xx, else API Gateway's."""
    status = STATUSES.get(error.kind, error.status)
    own = api.gateway_responses.get(error.kind)
    response = own or api.gateway_responses.get(f"DEFAULT_{status // 100}XX", {})
    template = response.get("responseTemplates", {}).get("application/json", _DEFAULT_TEMPLATE)
    values = {
        "error.message": error.message,
        "error.messageString": json.dumps(error.message),
        "error.responseType": error.kind,
    }
    headers = {
        "content-type": "application/json",
        **_headers(response.get("responseParameters", {}), context),
    }
    return Response(
        int(response.get("statusCode", status)),
        tuple(headers.items()),
        _substitute(template, values, context).encode(),
    )


def _substitute(template: str, error: Mapping[str, str], context: Context) -> str:
    """These templates know variables and nothing else.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-gatewayResponse-definition.html
    """

    def value(found: re.Match[str]) -> str:
        return error.get(found[1]) or context.value(found[1]) or ""

    return _VARIABLE.sub(value, template)


def _headers(parameters: Mapping[str, str], context: Context) -> dict[str, str]:
    """Fixed values and those of the context.

    The context is a source of REST APIs' parameter mappings in general; the page of gateway responses itself
    names fixed values and the request's.
    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-parameter-mapping-sources.html
    and https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions-gateway-responses.responseParameters.html
    """
    mapped = {name.removeprefix(_MAPPED).lower(): source for name, source in parameters.items()}
    return {name: _value(source, context) for name, source in mapped.items()}


def _value(source: str, context: Context) -> str:
    if source.startswith("'"):
        return source.strip("'")
    if source.startswith(_FROM_CONTEXT):
        return context.value(source.removeprefix(_FROM_CONTEXT)) or ""
    raise ValueError(f"the mapping source {source} is not known here")

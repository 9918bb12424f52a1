"""From the method request to what the back end gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from support.api_gateway.content_types import BINARY, TO_TEXT, convert_request, kind_of, media_type
from support.api_gateway.message import Call, GatewayError
from support.api_gateway.templates import render

if TYPE_CHECKING:
    from collections.abc import Mapping

    from support.api_gateway.document import RestApi
    from support.api_gateway.message import Request
    from support.api_gateway.templates import Context

_HEADER = "integration.request.header."
_FROM_HEADER = "method.request.header."


def build_call(api: RestApi, request: Request, integration: Mapping[str, Any], context: Context) -> Call:
    """The headers and the body for the back end."""
    kind = kind_of(request.content_type, api.binary_media_types)
    handling = integration.get("contentHandling")
    body = convert_request(request.body, kind, handling)
    template = choose_template(integration, request.content_type)
    if template is not None:
        if kind == BINARY and handling != TO_TEXT and request.body:
            # Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-mock-integration.html
            raise GatewayError("DEFAULT_5XX", "Internal server error")
        body = render(template, body, context).encode()
    return Call(_headers(request, integration.get("requestParameters", {})), body)


def choose_template(integration: Mapping[str, Any], content_type: str) -> str | None:
    """The template for that type; None lets the body through as it is.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/integration-passthrough-behaviors.html
    """
    templates = integration.get("requestTemplates", {})
    template: str | None = templates.get(media_type(content_type))
    behaviour = integration.get("passthroughBehavior", "when_no_match").lower()
    passes = behaviour == "when_no_match" or (behaviour == "when_no_templates" and not templates)
    if template is None and not passes:
        raise GatewayError("UNSUPPORTED_MEDIA_TYPE", "Unsupported Media Type")
    return template


def _headers(request: Request, mapped: Mapping[str, str]) -> dict[str, str]:
    """Only what is mapped; the type is JSON where nothing else is said.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-parameter-mapping-sources.html
    """
    values = {
        name.removeprefix(_HEADER): _value(request, source)
        for name, source in mapped.items()
        if name.startswith(_HEADER)
    }
    return {"Content-Type": "application/json"} | {
        name: value for name, value in values.items() if value is not None
    }


def _value(request: Request, source: str) -> str | None:
    if source.startswith("'"):
        return source.strip("'")
    if source.startswith(_FROM_HEADER):
        return request.header(source.removeprefix(_FROM_HEADER))
    raise ValueError(f"the mapping source {source} is not known here")

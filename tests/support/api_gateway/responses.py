"""From the answer of the back end to what the client gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from support.api_gateway.content_types import TEXT, convert_response, first_accepted, kind_of, media_type
from support.api_gateway.message import Response
from support.api_gateway.templates import render

if TYPE_CHECKING:
    from collections.abc import Mapping

    from support.api_gateway.document import RestApi
    from support.api_gateway.message import Request
    from support.api_gateway.templates import Context

JSON = "application/json"
_MAPPED = "method.response.header."
_FROM_HEADER = "integration.response.header."
_FROM_CONTEXT = "context."


def build_response(
    api: RestApi, request: Request, chosen: Mapping[str, Any], answer: Response, context: Context
) -> Response:
    """The method response: mapped headers, the template's body or the back end's, what templates override.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-data-transformations.html
    """
    content_type = answer.header("Content-Type") or JSON
    headers = {"content-type": JSON} | _mapped(chosen.get("responseParameters", {}), answer, context)
    body, kind = answer.body, kind_of(content_type, api.binary_media_types)
    template = choose_template(chosen.get("responseTemplates", {}), content_type)
    if template is not None:
        body, kind = render(template, answer.body, context).encode(), TEXT
    accepted = kind_of(first_accepted(request.header("Accept")), api.binary_media_types)
    body = convert_response(body, kind, accepted, chosen.get("contentHandling")) if body else body
    headers |= {name.lower(): value for name, value in context.headers.items()}
    return Response(context.status or int(chosen["statusCode"]), tuple(headers.items()), body)


def choose_template(templates: Mapping[str, str], content_type: str) -> str | None:
    """The one for the answer's type, else the one for JSON, which is the default; None where none is.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-integration-settings-integration-response.html
    """
    return templates.get(media_type(content_type), templates.get(JSON))


def _mapped(parameters: Mapping[str, str], answer: Response, context: Context) -> dict[str, str]:
    """Headers that are not mapped do not pass.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-parameter-mapping-sources.html
    """
    values = {
        name.removeprefix(_MAPPED).lower(): _value(source, answer, context)
        for name, source in parameters.items()
    }
    return {name: value for name, value in values.items() if value is not None}


def _value(source: str, answer: Response, context: Context) -> str | None:
    if source.startswith("'"):
        return source.strip("'")
    if source.startswith(_FROM_CONTEXT):
        return context.value(source.removeprefix(_FROM_CONTEXT))
    if source.startswith(_FROM_HEADER):
        return answer.header(source.removeprefix(_FROM_HEADER))
    raise ValueError(f"the mapping source {source} is not known here")

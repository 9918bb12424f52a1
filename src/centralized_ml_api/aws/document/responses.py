"""Builds integration responses, and the method responses that declare their headers."""

from __future__ import annotations

from typing import Any

from centralized_ml_api.api.http import CORS_HEADERS
from centralized_ml_api.record import record

JSON = "application/json"

EVERY_ANSWER: dict[str, str] = {
    "x-request-id": "context.requestId",
    **{name: f"'{value}'" for name, value in CORS_HEADERS},
}
"""The headers of every answer, each with its mapping expression; a value in quotes is a literal.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-parameter-mapping-sources.html
"""


@record
class PassedResponse:
    """An answer whose body passes unchanged; `headers` are added to those of every answer.

    `pattern` is a regular expression for the status of the integration, or `default` for all others. With
    `is_text` the body stays text whatever the caller accepts.
    """

    pattern: str
    status: int
    headers: dict[str, str]
    is_text: bool = False


@record
class MadeResponse:
    """An answer that a template makes: body, headers and, where the template sets it, another status."""

    pattern: str
    status: int
    template: str


Response = PassedResponse | MadeResponse


def build_responses(responses: list[Response]) -> dict[str, Any]:
    """Builds the operation's `responses`, which must declare mapped headers but not a template's."""
    return {str(response.status): _declare(response) for response in responses}


def build_integration_responses(responses: list[Response]) -> dict[str, Any]:
    """Builds the integration's `responses`, by their patterns."""
    return {response.pattern: _integration_response(response) for response in responses}


def _declare(response: Response) -> dict[str, Any]:
    if isinstance(response, MadeResponse):
        return {"description": ""}
    names = (*EVERY_ANSWER, *response.headers)
    return {"description": "", "headers": {name: {"schema": {"type": "string"}} for name in names}}


def _integration_response(response: Response) -> dict[str, Any]:
    """Converts texts to text explicitly: a caller that accepts only binary types would get them decoded.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-payload-encodings-workflow.html
    """
    status = {"statusCode": str(response.status)}
    if isinstance(response, MadeResponse):
        made = {"responseTemplates": {JSON: response.template}}
        return {**status, "contentHandling": "CONVERT_TO_TEXT", **made}
    headers = {**EVERY_ANSWER, **response.headers}
    mapped = {f"method.response.header.{name}": value for name, value in headers.items()}
    text = {"contentHandling": "CONVERT_TO_TEXT"} if response.is_text else {}
    return {**status, **text, "responseParameters": mapped}

"""Integration responses and the method responses that declare their headers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from centralized_ml_api.api.cors import CORS_HEADERS

JSON = "application/json"

EVERY_ANSWER: dict[str, str] = {
    "x-request-id": "context.requestId",
    **{name: f"'{value}'" for name, value in CORS_HEADERS},
}
"""Headers of every answer and what they are mapped from: a value in quotes is the value itself.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-parameter-mapping-sources.html
"""


@dataclass(frozen=True, slots=True)
class PassedResponse:
    """An answer whose body passes as it is; `headers` come on top of those of every answer.

    `pattern` is a regular expression over the status of the integration, `default` for all others. With
    `is_text` the body stays one whatever the caller accepts.
    """

    pattern: str
    status: int
    headers: dict[str, str] = field(default_factory=dict)
    is_text: bool = False


@dataclass(frozen=True, slots=True)
class MadeResponse:
    """An answer that a template makes: body, headers, and another status where it says so."""

    pattern: str
    status: int
    template: str


Response = PassedResponse | MadeResponse


def build_responses(responses: list[Response]) -> dict[str, Any]:
    """The operation's `responses`. Mapped headers must be declared here; those of a template need not."""
    return {str(one.status): _declared(one) for one in responses}


def _declared(response: Response) -> dict[str, Any]:
    if isinstance(response, MadeResponse):
        return {"description": ""}
    names = (*EVERY_ANSWER, *response.headers)
    return {"description": "", "headers": {name: {"schema": {"type": "string"}} for name in names}}


def build_integration_responses(responses: list[Response]) -> dict[str, Any]:
    """The integration's `responses`, by their patterns."""
    return {one.pattern: _integration_response(one) for one in responses}


def _integration_response(response: Response) -> dict[str, Any]:
    """A text stays one even where the caller accepts only binary types, for which it would be decoded.

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

"""The end of the event in the document: a header on every answer that API Gateway makes or passes. Pure.

API Gateway cannot compute the time that is left, so the header says when, not how long.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from centralized_ml_api.api.event_end import ENDS_HEADER, render_instant
from centralized_ml_api.aws.document.templates import render_header

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

_INTEGRATION = "x-amazon-apigateway-integration"
_GATEWAY_RESPONSES = "x-amazon-apigateway-gateway-responses"


def announce_end(document: Mapping[str, Any], ends: datetime) -> dict[str, Any]:
    """The document, with `x-event-ends` on every answer but those that functions give themselves."""
    instant = render_instant(ends)
    return {
        **document,
        _GATEWAY_RESPONSES: {
            kind: _mapped(response, "gatewayresponse", instant)
            for kind, response in document[_GATEWAY_RESPONSES].items()
        },
        "paths": {
            path: {method: _operation(one, instant) for method, one in item.items()}
            for path, item in document["paths"].items()
        },
    }


def _operation(operation: Mapping[str, Any], instant: str) -> dict[str, Any]:
    integration = operation[_INTEGRATION]
    if "responses" not in integration:
        return {**operation}
    answers = {pattern: _answer(one, instant) for pattern, one in integration["responses"].items()}
    return {
        **operation,
        "responses": {status: _declared(one) for status, one in operation["responses"].items()},
        _INTEGRATION: {**integration, "responses": answers},
    }


def _answer(response: Mapping[str, Any], instant: str) -> dict[str, Any]:
    """Where a template makes the answer, it makes its headers too."""
    templates = response.get("responseTemplates")
    if templates is None:
        return _mapped(response, "method.response", instant)
    header = render_header(ENDS_HEADER, f'"{instant}"')
    return {**response, "responseTemplates": {media: header + text for media, text in templates.items()}}


def _mapped(response: Mapping[str, Any], where: str, instant: str) -> dict[str, Any]:
    parameters = {**response.get("responseParameters", {}), f"{where}.header.{ENDS_HEADER}": f"'{instant}'"}
    return {**response, "responseParameters": parameters}


def _declared(response: Mapping[str, Any]) -> dict[str, Any]:
    """Mapped headers are declared; those of a template need not be."""
    if "headers" not in response:
        return {**response}
    return {**response, "headers": {**response["headers"], ENDS_HEADER: {"schema": {"type": "string"}}}}

"""What becomes of a body on its way in and out: the two tables of AWS, row by row.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-payload-encodings-workflow.html
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from support.api_gateway.message import GatewayError

if TYPE_CHECKING:
    from collections.abc import Iterable

TO_TEXT, TO_BINARY = "CONVERT_TO_TEXT", "CONVERT_TO_BINARY"
TEXT, BINARY = "text", "binary"

REQUESTS = {
    (TEXT, None): "as UTF-8",
    (TEXT, TO_BINARY): "decoded",
    (TEXT, TO_TEXT): "as UTF-8",
    (BINARY, None): "as it is",
    (BINARY, TO_BINARY): "as it is",
    (BINARY, TO_TEXT): "encoded",
}
"""By what the body is and `contentHandling` of the integration; "coded" means base64."""

RESPONSES = {
    (TEXT, TEXT, None): "as UTF-8",
    (TEXT, TEXT, TO_BINARY): "decoded",
    (TEXT, TEXT, TO_TEXT): "as UTF-8",
    (TEXT, BINARY, None): "decoded",
    (TEXT, BINARY, TO_BINARY): "decoded",
    (TEXT, BINARY, TO_TEXT): "as UTF-8",
    (BINARY, TEXT, None): "encoded",
    (BINARY, TEXT, TO_BINARY): "as it is",
    (BINARY, TEXT, TO_TEXT): "encoded",
    (BINARY, BINARY, None): "as it is",
    (BINARY, BINARY, TO_BINARY): "as it is",
    (BINARY, BINARY, TO_TEXT): "encoded",
}
"""By what the body is, what the first type of `Accept` is, and `contentHandling` of the response."""


def media_type(value: str) -> str:
    """A type without its parameters, in lower case."""
    return value.partition(";")[0].strip().lower()


def first_accepted(accept: str | None) -> str:
    """Of several types in `Accept`, only the first counts; none is a text type."""
    return media_type((accept or "").partition(",")[0])


def kind_of(value: str, binary_media_types: Iterable[str]) -> str:
    """Whether a type is one of the API's binary media types, which may be `*/*` or a whole family.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-payload-encodings-configure-with-console.html
    """
    found = media_type(value)
    families = {found, f"{found.partition('/')[0]}/*", "*/*"}
    return BINARY if families & set(binary_media_types) else TEXT


def convert_request(body: bytes, kind: str, handling: str | None) -> bytes:
    """The body that the integration gets."""
    return _convert(body, REQUESTS[kind, handling])


def convert_response(body: bytes, kind: str, accepted: str, handling: str | None) -> bytes:
    """The body that the client gets."""
    return _convert(body, RESPONSES[kind, accepted, handling])


def _convert(body: bytes, how: str) -> bytes:
    match how:
        case "encoded":
            return base64.b64encode(body)
        case "decoded":
            return decode(body)
        case "as UTF-8":
            return body.decode(errors="replace").encode()
    return body


def decode(body: bytes) -> bytes:
    """From base64; what is none is a mistake in the API to API Gateway.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
    """
    try:
        return base64.b64decode(body, validate=True)
    except binascii.Error as error:
        raise GatewayError("API_CONFIGURATION_ERROR", "Internal server error") from error

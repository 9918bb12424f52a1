"""What the OpenAPI document says of the path at which teams join. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.api.joining import LONGEST_CODE, LONGEST_JOINED_NAME
from centralized_ml_api.api.qr import MOST_CHARACTERS

if TYPE_CHECKING:
    from collections.abc import Callable

_REFUSALS = {
    "400": (errors.INVALID_BODY, errors.JOIN_NAME_INVALID),
    "403": (errors.JOIN_CLOSED, errors.JOIN_CODE_WRONG, errors.JOIN_FULL),
    "409": (errors.JOIN_NAME_TAKEN,),
    "429": (errors.JOIN_LIMITED,),
    "503": (errors.JOIN_NOT_KEPT,),
}


def build_join_operations(build_error: Callable[[str], Any]) -> dict[str, Any]:
    """Builds the page and the call; neither needs a key.

    Args:
        build_error: Builds a response in the one shape of errors from its description.
    """
    page = {"description": "Success.", "content": {"text/html": {"schema": {"type": "string"}}}}
    joined = {"description": "The team and its key.", "content": {"application/json": {"schema": _ANSWER}}}
    return {
        "get": {
            "operationId": "show_join_page",
            "summary": "The page to join on",
            "security": [],
            "responses": {"200": page},
        },
        "post": {
            "operationId": "join",
            "summary": "Join with a team, and get its key",
            "security": [],
            "requestBody": {"required": True, "content": {"application/json": {"schema": _REQUEST}}},
            "responses": {
                "200": joined,
                **{
                    status: build_error(" Or: ".join(error.message for error in refusals))
                    for status, refusals in _REFUSALS.items()
                },
            },
        },
    }


_REQUEST: dict[str, Any] = {
    "type": "object",
    "required": ["code", "name"],
    "properties": {
        "code": {
            "type": "string",
            "maxLength": LONGEST_CODE,
            "description": "The code of the link for joining.",
        },
        "name": {
            "type": "string",
            "maxLength": LONGEST_JOINED_NAME,
            "description": "How the team is to be called.",
        },
        "address": {
            "type": "string",
            "maxLength": MOST_CHARACTERS,
            "description": "The address of the API as you see it. With it, the answer has `qr`.",
        },
    },
}

_ANSWER: dict[str, Any] = {
    "type": "object",
    "required": ["team", "key"],
    "properties": {
        "team": {"type": "string"},
        "key": {"type": "string", "description": "The key of the team. It is told once."},
        "qr": {
            "type": "object",
            "description": "A QR code that opens the page, signed in: an SVG path in a square of `size`.",
            "properties": {"path": {"type": "string"}, "size": {"type": "integer"}},
        },
    },
}

"""Small APIs and requests, for the examples of AWS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from support.api_gateway.document import build_rest_api
from support.api_gateway.message import Pairs, Request

if TYPE_CHECKING:
    from collections.abc import Mapping

    from support.api_gateway.document import RestApi


def api(paths: Mapping[str, Any] | None = None, **parts: Any) -> RestApi:
    named = {f"x-amazon-apigateway-{name.replace('_', '-')}": value for name, value in parts.items()}
    return build_rest_api({"paths": paths or {}, **named})


def request(body: bytes = b"", query: Pairs = (), **headers: str | None) -> Request:
    """A request to `/pets`; header names with underscores for hyphens, None for none."""
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items() if value is not None)
    return Request("POST", "/pets", query, named, body, "an-id")


def methods(*names: str) -> dict[str, Any]:
    """Methods with an integration each."""
    return {name: {"x-amazon-apigateway-integration": {"type": name}} for name in names}

"""A CORS preflight succeeds on any path, without a key."""

from __future__ import annotations

from contract.case import Bytes, Case, Expected, Request

_ASKED = {
    "Origin": "https://page.example",
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "content-type, authorization",
}
_TOLD = {
    "access-control-allow-methods": "GET, HEAD, POST, DELETE, OPTIONS",
    "access-control-allow-headers": "*, Authorization",
    "access-control-max-age": "7200",
}
CASES = [
    Case(
        f"a preflight succeeds: {path}",
        Request(path, b"", "OPTIONS", _ASKED),
        Expected(204, Bytes(b""), headers=_TOLD),
    )
    for path in ("/echo", "/function", "/gone", "/nope", "/", "/deep/down")
]

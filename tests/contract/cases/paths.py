"""An unknown path is 404 and lists the paths that exist."""

from __future__ import annotations

from centralized_ml_api.api import error_shape as errors
from contract.case import Case, Request, refused

_LISTED = ("POST /echo", "POST /function", "POST /gone", "GET /models", "GET /health")
_UNKNOWN = (
    ("POST", "/nope"),
    ("GET", "/nope"),
    ("POST", "/Echo"),
    ("POST", "/echo/more"),
    ("POST", "/ech"),
)
CASES = [
    Case(
        f"an unknown path is 404 and lists those that exist: {method} {path}",
        Request(path, method=method),
        refused(errors.UNKNOWN_PATH, *_LISTED),
    )
    for method, path in _UNKNOWN
]

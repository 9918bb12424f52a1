"""Any other method on a path is 405 with `Allow`."""

from __future__ import annotations

from centralized_ml_api.api import error_shape as errors
from contract.case import Case, Expected, Request, refused

ALLOW = {"allow": "POST, OPTIONS"}
CASES = [
    *(
        Case(
            f"another method is 405 with Allow: {method} {path}",
            Request(path, method=method),
            refused(errors.METHOD_NOT_ALLOWED, "POST, OPTIONS", headers=ALLOW),
        )
        for method in ("GET", "PUT", "PATCH", "DELETE")
        for path in ("/echo", "/function")
    ),
    Case(
        "another method is 405 with Allow: HEAD",
        Request("/echo", method="HEAD"),
        Expected(405, headers=ALLOW),
    ),
    *(
        Case(
            f"another method is 405 whatever body comes with it: {content_type}",
            Request("/echo", b"\x89PNG\xff", "PUT", {"Content-Type": content_type, "Accept": "image/png"}),
            refused(errors.METHOD_NOT_ALLOWED, headers=ALLOW),
        )
        for content_type in (
            "application/octet-stream",
            "multipart/form-data; boundary=x",
            "text/plain",
            "a/b",
        )
    ),
]

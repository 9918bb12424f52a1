"""`Content-Type`, `x-request-id`, CORS and the model's custom attributes; the model's others do not pass."""

from __future__ import annotations

from contract.api import CUSTOM_ATTRIBUTES
from contract.case import Case, Expected, Request

OWN = ("server", "set-cookie", "x-powered-by", "x-envoy-upstream-service-time")
CASES = [
    Case(
        "the model's Content-Type passes",
        Request("/same", b"a", headers={"Content-Type": "text/csv; header=present"}),
        Expected(200, content_type="text/csv; header=present"),
    ),
    Case(
        "the model's custom attributes pass, its other headers do not",
        Request("/attributes"),
        Expected(200, headers={CUSTOM_ATTRIBUTES.lower(): "trace=1"}, absent=OWN),
    ),
]

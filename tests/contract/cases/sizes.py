"""Bodies up to 6 MB pass; larger ones are 413 and are told the limit."""

from __future__ import annotations

import hashlib

from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.plan.types import BODY_LIMIT_BYTES
from contract.case import Case, Expected, Request, Saw, refused

_BINARY = {"Content-Type": "application/octet-stream"}
_LARGEST = bytes(range(256)) * (BODY_LIMIT_BYTES // 256)
CASES = [
    Case(
        "the largest body passes",
        Request("/echo", _LARGEST, headers=_BINARY),
        Expected(
            200,
            Saw({"content-type": "application/octet-stream"}, sha256=hashlib.sha256(_LARGEST).hexdigest()),
        ),
    ),
    Case(
        "a body over the limit is 413 naming the limit",
        Request("/echo", bytes(BODY_LIMIT_BYTES + 1), headers=_BINARY),
        refused(errors.BODY_TOO_LARGE, "6 MB", str(BODY_LIMIT_BYTES)),
    ),
]

"""Errors of the API itself: one shape, `application/json`, with CORS."""

from __future__ import annotations

from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.local.admission.sleepers import NEVER_SECONDS
from contract.case import AWS, LOCAL, Case, Request, refused

RETRY = {"retry-after": str(errors.RETRY_AFTER_SECONDS)}
CASES = [
    *(
        Case(
            f"a model that breaks off is 502: it {name}",
            Request(f"/{name}"),
            refused(errors.MODEL_FAILED),
        )
        for name in ("closes", "halves", "garbage")
    ),
    Case(
        "a model that is not ready is 503 with Retry-After",
        Request("/gone"),
        refused(errors.MODEL_NOT_READY, headers=RETRY),
    ),
    *(
        Case(
            f"a model that sleeps is 503 model_waking with Retry-After: {target}, {name}",
            Request(f"/{name}"),
            refused(errors.MODEL_WAKING, headers={"retry-after": seconds}),
            only=target,
        )
        for target, name, seconds in (
            (LOCAL, "asleep", str(NEVER_SECONDS)),
            (LOCAL, "asleep-function", str(NEVER_SECONDS)),
            (AWS, "asleep", "60"),
        )
    ),
    Case(
        "a model without a local engine is 501",
        Request("/not-served"),
        refused(errors.NOT_SERVED, '"local"'),
        only=LOCAL,
    ),
    Case(
        "an error reaches callers that accept only images as JSON",
        Request("/gone", headers={"Accept": "image/png"}),
        refused(errors.MODEL_NOT_READY, headers=RETRY),
    ),
]

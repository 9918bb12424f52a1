"""A model that is too slow is 504 after 29 seconds."""

from __future__ import annotations

from centralized_ml_api.api import error_shape as errors
from contract.case import Case, Request, refused

CASES = [
    Case(
        "a model that is too slow is 504",
        Request("/hangs"),
        refused(errors.MODEL_TOO_SLOW, "29 seconds"),
        patient=True,
    )
]

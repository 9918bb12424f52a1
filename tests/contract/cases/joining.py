"""Joining, without a place being taken: the same answers as often as it is asked.

Nor does a broken target give one away: what should not be looked at is wrong in another way, too.
"""

from __future__ import annotations

import json

from centralized_ml_api.api import error_shape as errors
from contract.case import Case, Expected, Request, refused

CODE = "HERON-4217"
LISTED = "red"
"""A team of the config."""

ALLOWED = "GET, HEAD, POST, OPTIONS"
PAGE = Case(
    "the page opens without a key",
    Request("/join", b"", "GET"),
    Expected(200, None, "text/html; charset=utf-8"),
)
METHOD = Case(
    "another method at joining is 405",
    Request("/join", method="PUT"),
    Expected(405, headers={"allow": ALLOWED}),
)
NAME = Case(
    "a name that cannot be one is refused without a key",
    Request("/join", json.dumps({"code": CODE, "name": "<script>"}).encode()),
    refused(errors.JOIN_NAME_INVALID, headers={"cache-control": "no-store"}),
)
TAKEN = Case(
    "a name of the config is taken, however it is written",
    Request("/join", json.dumps({"code": CODE, "name": LISTED.upper()}).encode()),
    refused(errors.JOIN_NAME_TAKEN),
)
WRONG = Case(
    "a wrong code is refused",
    Request("/join", json.dumps({"code": "WRONG-42", "name": LISTED}).encode()),
    refused(errors.JOIN_CODE_WRONG),
)
NO_OBJECT = Case("a body that is no object is 400", Request("/join", b"[]"), refused(errors.INVALID_BODY))
LARGE = Case(
    "a large body is 400 before anybody reads it",
    Request("/join", json.dumps({"code": CODE, "name": LISTED, "more": "x" * 100_000}).encode()),
    refused(errors.INVALID_BODY),
)
CASES = (PAGE, METHOD, NAME, TAKEN, WRONG, NO_OBJECT, LARGE)

"""What the admission service makes of a body of which nothing is limited, to compare Envoy's script with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.local.admission.body_rules import build_passed_on
from centralized_ml_api.local.admission.json_body import BodyError, read_json_object
from centralized_ml_api.local.admission.provider_rules import PROVIDER, adds_usage

if TYPE_CHECKING:
    from centralized_ml_api.local.admission.terms import EntryTerms


def rewrite_as_service(body: bytes, entry: EntryTerms) -> tuple[bytes, bool] | None:
    """Returns the body that the server gets, and whether tokens are hidden; None for one that is refused."""
    try:
        read = read_json_object(body)
        passed_on = build_passed_on(read, entry)
    except BodyError:
        return None
    hides = entry.body_rules == PROVIDER and adds_usage(read.document, entry)
    return body if passed_on is None else passed_on, hides

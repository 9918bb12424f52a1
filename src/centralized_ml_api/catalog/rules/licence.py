"""Licences that must be accepted before a model may be used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.catalog.facts import Eula
from centralized_ml_api.catalog.failures import LicenceError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.catalog.rules.regions import Buckets
    from centralized_ml_api.catalog.spec import Spec
    from centralized_ml_api.errors import CatalogError


def find_eula(spec: Spec, buckets: Buckets) -> Eula:
    """Rule 15: a licence is asked for by its text, or by a gated bucket (which may name none)."""
    key = spec.get("hosting_eula_key")
    return Eula(
        required=bool(key or spec.get("gated_bucket")),
        url=f"{buckets.content_url}/{key}" if key else None,
    )


def check_licence(spec: Spec, eula: Eula, *, accepted: bool) -> Iterator[CatalogError]:
    """Rule 15: a gated model without an accepted licence is refused, with the address of its text."""
    if not eula.required or accepted:
        return
    where = eula.url or "on the page of its publisher"
    yield LicenceError(
        f"{spec['model_id']} asks you to accept its licence: {where}",
        found="a gated model whose licence is not accepted",
        expected=f'"accept_eula": true, once you have read the licence: {where}',
        fix='write "accept_eula": true',
    )

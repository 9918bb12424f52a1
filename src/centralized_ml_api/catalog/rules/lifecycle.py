"""Decides whether a model may still be used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from centralized_ml_api.catalog.failures import DeprecatedModelError, VulnerableModelError
from centralized_ml_api.commands import command

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from centralized_ml_api.catalog.spec import Spec
    from centralized_ml_api.errors import CatalogError

Tolerance = Literal["deprecated", "vulnerable"]


def check_lifecycle(spec: Spec, tolerate: Collection[Tolerance]) -> Iterator[CatalogError]:
    """Refuses a withdrawn or vulnerable model, unless the user tolerates that by name (rule 4)."""
    name = f"{spec['model_id']} {spec['version']}"
    if spec.get("deprecated") and "deprecated" not in tolerate:
        reason = spec.get("deprecated_message") or "its publisher withdrew it"
        yield DeprecatedModelError(
            f"{name} is deprecated: {reason}",
            expected="a model that its publisher still maintains",
            fix=f"choose another model or version from the list: {command('models')}",
        )
    if spec.get("inference_vulnerable") and "vulnerable" not in tolerate:
        known = ", ".join(map(str, spec.get("inference_vulnerabilities") or []))
        yield VulnerableModelError(
            f"{name} has known vulnerabilities{': ' if known else ''}{known}",
            expected="a version without known vulnerabilities",
            fix=f"choose a newer version, or another model from the list: {command('models')}",
        )


def lifecycle_warnings(spec: Spec, tolerate: Collection[Tolerance]) -> Iterator[str]:
    """Yields what the publisher announces, and what was tolerated (rule 4)."""
    if spec.get("deprecated") and "deprecated" in tolerate:
        yield f"deprecated: {spec.get('deprecated_message') or 'its publisher withdrew it'}"
    if spec.get("inference_vulnerable") and "vulnerable" in tolerate:
        yield "vulnerable: its container has known vulnerabilities"
    for key in ("deprecate_warn_message", "usage_info_message"):
        if spec.get(key):
            yield spec[key]
    if spec.get("model_subscription_link"):
        yield f"needs a subscription on the AWS Marketplace: {spec['model_subscription_link']}"

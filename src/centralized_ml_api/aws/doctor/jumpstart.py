"""Whether the JumpStart models can be deployed so: licence, instance type, region, version."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.aws.failures import failure_of
from centralized_ml_api.catalog.catalog import open_catalog
from centralized_ml_api.catalog.failures import LicenceError, SeveralRefusals
from centralized_ml_api.errors import CatalogError
from centralized_ml_api.plan.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.aws.doctor.context import DoctorContext
    from centralized_ml_api.catalog.catalog import Catalog
    from centralized_ml_api.config.schema import ModelEntry

CHECK = "jumpstart"


def check(subject: DoctorContext) -> Iterator[Finding]:
    """One finding a model, and one for each thing that stands against it."""
    models = [one for one in subject.models if one.model_id]
    if not models:
        return
    catalog = open_catalog(subject.path)
    for model in models:
        yield from _look(catalog, model, subject.clients.region)


def _look(catalog: Catalog, model: ModelEntry, region: str) -> Iterator[Finding]:
    try:
        facts = catalog.resolve(
            model.model_id or "",
            model.model_version,
            region=region,
            instance=model.instance or next(iter(model.instances or ()), None),
            config=model.inference_config,
            accept_eula=model.accept_eula,
            instance_check=model.instance_check,
        )
    except SeveralRefusals as error:
        yield from (_refused(model.name, one) for one in error.refusals)
    except CatalogError as error:
        yield _refused(model.name, error)
    else:
        title = f"{model.name}: {facts.model_id} {facts.version} can be deployed"
        yield Finding(CHECK, "ok", title, f"known from: {facts.source}")


def _refused(name: str, error: CatalogError) -> Finding:
    page = failure_of("eula").page if isinstance(error, LicenceError) else ""
    return Finding(CHECK, "error", f"{name}: {error.message}", error.expected, error.fix, page)

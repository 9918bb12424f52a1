"""Checks that need no credentials: the limits of AWS, and whether JumpStart offers the models so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.aws.app import load_templates
from centralized_ml_api.aws.failures.known import failure_of
from centralized_ml_api.aws.planning.limit_estimates import estimate_exceeded, find_exceeded_by_entries
from centralized_ml_api.aws.planning.limits import find_exceeded
from centralized_ml_api.aws.planning.load import load_aws_plan
from centralized_ml_api.aws.settings import Settings
from centralized_ml_api.catalog.catalog import open_catalog
from centralized_ml_api.catalog.failures import LicenceError, SeveralRefusals
from centralized_ml_api.errors import CatalogError, MlApiError
from centralized_ml_api.plan.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.aws.doctor.context import DoctorContext
    from centralized_ml_api.aws.planning.limits import Exceeded
    from centralized_ml_api.catalog.catalog import Catalog
    from centralized_ml_api.config.schema import ModelEntry
    from centralized_ml_api.plan.finding import Severity

MANY = 60
"""Entries and teams from which on the templates themselves are measured, which takes seconds."""


def check_limits(context: DoctorContext) -> Iterator[Finding]:
    """Yields a finding for each limit of AWS that the config exceeds, or that it exceeds none."""
    written = find_exceeded_by_entries(context.config.entries) if context.config else ()
    exceeded = written or _find_exceeded(context)
    yield from map(_over, exceeded or ())
    if exceeded == ():
        yield Finding("limits", "ok", "the config exceeds no limit of AWS")


def _find_exceeded(context: DoctorContext) -> tuple[Exceeded, ...] | None:
    """Returns what is exceeded by the plan, else by its templates; None for a config without a plan."""
    settings = Settings(context.path, context.clients.region, context.stack, account=None, offline=True)
    try:
        plan = load_aws_plan(settings, lambda _: None)
        exceeded = estimate_exceeded(plan)
        if exceeded or len(plan.routes) + len(plan.access.teams) + len(plan.access.places) < MANY:
            return exceeded
        return find_exceeded(load_templates(settings))
    except MlApiError:  # other checks say what is wrong with the config
        return None


def _over(exceeded: Exceeded) -> Finding:
    limit = exceeded.limit
    severity: Severity = "warning" if limit.adjustable else "error"
    return Finding("limits", severity, str(exceeded), fix=limit.fix, page=failure_of("account-limit").page)


def check_jumpstart(context: DoctorContext) -> Iterator[Finding]:
    """Yields for each JumpStart model that it can be deployed so, or each reason against it."""
    models = [model for model in context.models if model.model_id]
    if not models:
        return
    catalog = open_catalog(context.path)
    for model in models:
        yield from _check_model(catalog, model, context.clients.region)


def _check_model(catalog: Catalog, model: ModelEntry, region: str) -> Iterator[Finding]:
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
        yield from (_refused(model.name, refusal) for refusal in error.refusals)
    except CatalogError as error:
        yield _refused(model.name, error)
    else:
        title = f"{model.name}: {facts.model_id} {facts.version} can be deployed"
        yield Finding("jumpstart", "ok", title, f"known from: {facts.source}")


def _refused(name: str, error: CatalogError) -> Finding:
    page = failure_of("eula").page if isinstance(error, LicenceError) else ""
    return Finding("jumpstart", "error", f"{name}: {error.message}", error.expected, error.fix, page)

"""Checks that need no credentials: the limits of AWS, and whether JumpStart offers the models so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.aws.app import load_templates
from centralized_ml_api.aws.failures.known import failure_of
from centralized_ml_api.aws.limits import find_exceeded
from centralized_ml_api.aws.settings import Settings
from centralized_ml_api.catalog.catalog import open_catalog
from centralized_ml_api.catalog.failures import LicenceError, SeveralRefusals
from centralized_ml_api.errors import CatalogError, MlApiError
from centralized_ml_api.plan.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.aws.doctor.context import DoctorContext
    from centralized_ml_api.catalog.catalog import Catalog
    from centralized_ml_api.config.schema import EndpointEntry, ModelEntry
    from centralized_ml_api.plan.finding import Severity

PATHS = 290
"""The entries of one API: 300 resources, less those that the API has of its own.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
"""

MANY = 60
"""Entries and teams from which on counts could reach a quota, so that the templates are looked at."""

LAYERS = 5
"""The layers of one function.

Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""

FUNCTION_ENVIRONMENT_BYTES = 4096
"""All names and values of a function's environment together. Source: the same page."""

CONTAINER_VARIABLES = 100
"""The variables of one container.

Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ContainerDefinition.html
"""

CONTAINER_VALUE_CHARACTERS = 1024
"""The length of one variable's value. Source: the same page."""


def check_limits(context: DoctorContext) -> Iterator[Finding]:
    """Yields a finding for each limit of AWS that the config exceeds, or that it exceeds none."""
    entries = context.config.entries if context.config else []
    found = []
    if len(entries) > PATHS:
        limit = f"one API has room for {PATHS}"
        found.append(_over(f"{len(entries)} paths", limit, "split the config, with a --stack for each part"))
    for entry in entries:
        found += _check_function(entry)
    for model in context.models:
        found += _check_container(model)
    found += [] if found else _check_templates(context)
    yield from found or [Finding("limits", "ok", "the config exceeds no limit of AWS")]


def _check_templates(context: DoctorContext) -> Iterator[Finding]:
    """Yields the quotas that the templates of a large config exceed; synthesizing them takes seconds."""
    config = context.config
    if config is None or len(config.entries) + len(config.event.teams if config.event else ()) < MANY:
        return
    settings = Settings(context.path, context.clients.region, context.stack, account=None, offline=True)
    try:
        templates = load_templates(settings)
    except MlApiError:  # other checks say what is wrong with the config
        return
    for each in find_exceeded(templates):
        severity: Severity = "warning" if each.limit.adjustable else "error"
        yield Finding(
            "limits", severity, str(each), fix=each.limit.fix, page=failure_of("account-limit").page
        )


def _check_function(entry: ModelEntry | EndpointEntry) -> Iterator[Finding]:
    properties = entry.integration.properties
    if properties is None:
        return
    size = sum(len(f"{key}{value}".encode()) for key, value in properties.environment.items())
    if len(properties.layers) > LAYERS:
        count = f"{entry.name}: {len(properties.layers)} layers"
        yield _over(count, f"a function may have {LAYERS}", "merge several into one layer")
    if size > FUNCTION_ENVIRONMENT_BYTES:
        count = f"{entry.name}: {size} bytes of environment"
        yield _over(count, f"a function may have {FUNCTION_ENVIRONMENT_BYTES}", "move values into a file")


def _check_container(model: ModelEntry) -> Iterator[Finding]:
    if len(model.environment) > CONTAINER_VARIABLES:
        count = f"{model.name}: {len(model.environment)} environment variables"
        yield _over(count, f"a container may have {CONTAINER_VARIABLES}", "leave some out")
    for key, value in model.environment.items():
        if len(value) > CONTAINER_VALUE_CHARACTERS:
            count = f"{model.name}: {len(value)} characters in {key}"
            limit = f"a value may have {CONTAINER_VALUE_CHARACTERS}"
            yield _over(count, limit, "move it into the model's artifacts")


def _over(count: str, limit: str, fix: str) -> Finding:
    return Finding("limits", "error", f"{count}: {limit}", fix=fix, page=failure_of("account-limit").page)


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

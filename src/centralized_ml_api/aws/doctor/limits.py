"""Counts of the config that are over a limit of AWS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.aws.failures import failure_of
from centralized_ml_api.plan.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.aws.doctor.context import DoctorContext
    from centralized_ml_api.config.schema import EndpointEntry, ModelEntry

CHECK = "limits"

PATHS = 290
"""The entries of one API: 300 resources, less those that the API has of its own.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
"""

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
"""The length of one of them. Source: the same page."""


def check(subject: DoctorContext) -> Iterator[Finding]:
    """One finding a limit that is passed; ok when none is."""
    entries = subject.config.entries if subject.config else []
    found = [*_paths(len(entries)), *(one for entry in entries for one in _entry(entry))]
    found += [one for model in subject.models for one in _container(model)]
    yield from found or [Finding(CHECK, "ok", "no count is over a limit of AWS")]


def _paths(count: int) -> Iterator[Finding]:
    if count > PATHS:
        yield _over(f"{count} paths", f"one API has room for {PATHS}", "divide the config, one --stack each")


def _entry(entry: ModelEntry | EndpointEntry) -> Iterator[Finding]:
    properties = entry.integration.properties
    if properties is None:
        return
    size = sum(len(f"{key}{value}".encode()) for key, value in properties.environment.items())
    if len(properties.layers) > LAYERS:
        words = f"{entry.name}: {len(properties.layers)} layers"
        yield _over(words, f"a function has room for {LAYERS}", "put several into one layer")
    if size > FUNCTION_ENVIRONMENT_BYTES:
        words = f"{entry.name}: {size} bytes of environment"
        yield _over(words, f"a function has room for {FUNCTION_ENVIRONMENT_BYTES}", "put it into a file")


def _container(model: ModelEntry) -> Iterator[Finding]:
    if len(model.environment) > CONTAINER_VARIABLES:
        words = f"{model.name}: {len(model.environment)} environment variables"
        yield _over(words, f"a container has room for {CONTAINER_VARIABLES}", "leave some away")
    for key, value in model.environment.items():
        if len(value) > CONTAINER_VALUE_CHARACTERS:
            words = f"{model.name}: {len(value)} characters in {key}"
            yield _over(words, f"at most {CONTAINER_VALUE_CHARACTERS}", "put it into the model's artifacts")


def _over(found: str, allowed: str, fix: str) -> Finding:
    return Finding(CHECK, "error", f"{found}: {allowed}", fix=fix, page=failure_of("account-limit").page)

"""The file a user writes, as types: frozen, strict, every field of the format.

Nothing here reads or decides anything. What a single value may be stands in its type; what several values
must be together is a rule in `checks/`. The JSON Schema for editors and the reference are generated from
these classes, so descriptions and examples are what a reader sees.
"""

from __future__ import annotations

from centralized_ml_api.config.schema.base import (
    ENVIRONMENT_NAME,
    INSTANCE_PATTERN,
    NAME_PATTERN,
    NOT_BLANK,
    REGION_PATTERN,
    Count,
    Environment,
    EnvironmentName,
    Rate,
    Speaks,
    Written,
)
from centralized_ml_api.config.schema.config import Config
from centralized_ml_api.config.schema.entry import Autoscaling, EndpointEntry, Entry, ModelEntry
from centralized_ml_api.config.schema.event import Budget, Event, Team
from centralized_ml_api.config.schema.integration import FunctionProperties, Integration, ScopedPermissions
from centralized_ml_api.config.schema.local import (
    Command,
    Fetch,
    LlamaCpp,
    Local,
    LocalServing,
    PythonFolder,
    SageMakerEndpoint,
    Url,
)

__all__ = [
    "ENVIRONMENT_NAME",
    "INSTANCE_PATTERN",
    "NAME_PATTERN",
    "NOT_BLANK",
    "REGION_PATTERN",
    "Autoscaling",
    "Budget",
    "Command",
    "Config",
    "Count",
    "EndpointEntry",
    "Entry",
    "Environment",
    "EnvironmentName",
    "Event",
    "Fetch",
    "FunctionProperties",
    "Integration",
    "LlamaCpp",
    "Local",
    "LocalServing",
    "ModelEntry",
    "PythonFolder",
    "Rate",
    "SageMakerEndpoint",
    "ScopedPermissions",
    "Speaks",
    "Team",
    "Url",
    "Written",
]

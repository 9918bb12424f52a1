"""The file that a user writes, as types: frozen, strict, every field of the format.

Nothing here reads or decides anything. A type says what a single value may be; a rule in `checks/` says what
several values must be together. The JSON Schema for editors and the reference are generated from these
classes: users read their descriptions and examples.
"""

from __future__ import annotations

from centralized_ml_api.config.schema.autoscaling import Autoscaling, CopyResources
from centralized_ml_api.config.schema.aws import Aws, Domain, Vpc
from centralized_ml_api.config.schema.base import (
    ENVIRONMENT_NAME,
    INSTANCE_PATTERN,
    NAME_PATTERN,
    NOT_BLANK,
    REGION_PATTERN,
    Count,
    Environment,
    EnvironmentName,
    FunctionSpeaks,
    Rate,
    ServerSpeaks,
    Speaks,
)
from centralized_ml_api.config.schema.config import Config
from centralized_ml_api.config.schema.entry import (
    EndpointEntry,
    Entry,
    ModelEntry,
    TokenPrices,
)
from centralized_ml_api.config.schema.event import Budget, Event, Join, Pot, Team, TeamLimits
from centralized_ml_api.config.schema.integration import FunctionProperties, Integration, ScopedPermissions
from centralized_ml_api.config.schema.local import (
    LLAMA_CPP_PLACES,
    THREADS_VARIABLE,
    Adapter,
    BedrockServer,
    Command,
    Fetch,
    LlamaCpp,
    Local,
    LocalServing,
    ProviderServer,
    PythonFolder,
    SageMakerEndpoint,
    SleepingServer,
    Url,
)
from centralized_ml_api.config.schema.provider import KeySource, Provider, ProviderKeys
from centralized_ml_api.config.schema.written import Written

__all__ = [
    "ENVIRONMENT_NAME",
    "INSTANCE_PATTERN",
    "LLAMA_CPP_PLACES",
    "NAME_PATTERN",
    "NOT_BLANK",
    "REGION_PATTERN",
    "THREADS_VARIABLE",
    "Adapter",
    "Autoscaling",
    "Aws",
    "BedrockServer",
    "Budget",
    "Command",
    "Config",
    "CopyResources",
    "Count",
    "Domain",
    "EndpointEntry",
    "Entry",
    "Environment",
    "EnvironmentName",
    "Event",
    "Fetch",
    "FunctionProperties",
    "FunctionSpeaks",
    "Integration",
    "Join",
    "KeySource",
    "LlamaCpp",
    "Local",
    "LocalServing",
    "ModelEntry",
    "Pot",
    "Provider",
    "ProviderKeys",
    "ProviderServer",
    "PythonFolder",
    "Rate",
    "SageMakerEndpoint",
    "ScopedPermissions",
    "ServerSpeaks",
    "SleepingServer",
    "Speaks",
    "Team",
    "TeamLimits",
    "TokenPrices",
    "Url",
    "Vpc",
    "Written",
]

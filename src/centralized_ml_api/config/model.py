"""The file a user writes, as types: frozen, strict, every field of the format.

Nothing here reads files or decides anything. What a single value may be stands in its type; what several
values must be together is a rule in `checks/`. The JSON Schema for editors is generated from these classes,
so a field's description is what an editor shows.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag


class Written(BaseModel):
    """A part of the file: unknown keys and coercions (`"3"` for 3) are refused."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class Autoscaling(Written):
    """How many instances SageMaker may run for a model."""

    min_capacity: Annotated[int, Field(ge=1)]
    max_capacity: Annotated[int, Field(ge=1)]
    invocations_per_instance: Annotated[int, Field(ge=1)]


class ScopedPermissions(Written):
    """IAM actions on named resources."""

    actions: list[str]
    resources: Annotated[list[str], Field(min_length=1)]


class FunctionProperties(Written):
    """The Lambda function between the API and the model."""

    code: str
    permissions: list[str] | ScopedPermissions
    timeout: Annotated[int, Field(ge=1, le=900)]
    memory: Annotated[int, Field(ge=128, le=10240)] = 128
    layers: list[str] = []
    runtime: str = "python3.13"
    handler: str = "index.lambda_handler"
    environment: dict[str, str] = {}


class Integration(Written):
    """How the path reaches the model."""

    type: Literal["api", "lambda", "stream"]
    headers: list[str] = []
    properties: FunctionProperties | None = None


class LocalServing(Written):
    """What every local engine has."""

    replicas: Annotated[int, Field(ge=1)] = 1
    environment: dict[str, str] = {}


class LlamaCpp(LocalServing):
    """A GGUF language model on llama.cpp's own server."""

    engine: Literal["llama.cpp"]
    weights: str
    context: Annotated[int, Field(ge=1)] = 2048
    fetch: Literal["auto", "manual"] = "auto"


class PythonFolder(LocalServing):
    """A folder with `inference.py`, SageMaker's own convention."""

    engine: Literal["python"]
    code: str
    weights: str | None = None
    fetch: Literal["auto", "manual"] = "auto"


class Command(LocalServing):
    """Anything that serves HTTP."""

    engine: Literal["command"]
    run: Annotated[list[str], Field(min_length=1)]
    ping: str = "/ping"
    invocations: str = "/invocations"


class Url(LocalServing):
    """Something that already runs."""

    engine: Literal["url"]
    url: str
    ping: str | None = None


class SageMakerEndpoint(LocalServing):
    """The real endpoint, with the user's own AWS credentials."""

    engine: Literal["sagemaker"]
    region: str | None = None


Local = Annotated[
    Annotated[LlamaCpp, Tag("llama.cpp")]
    | Annotated[PythonFolder, Tag("python")]
    | Annotated[Command, Tag("command")]
    | Annotated[Url, Tag("url")]
    | Annotated[SageMakerEndpoint, Tag("sagemaker")],
    Discriminator("engine"),
]


class Entry(Written):
    """What a model and an adopted endpoint have in common: a path of the API."""

    name: str
    integration: Integration
    description: str | None = None
    sample: Any = None
    local: Local | None = None


class ModelEntry(Entry):
    """One model to deploy."""

    model_id: str | None = None
    model_package_arn: str | None = None
    image: str | None = None
    model_data: str | None = None
    model_version: str = "*"
    inference_config: str | None = None
    accept_eula: bool = False
    environment: dict[str, str] = {}
    instance: str | None = None
    instances: Annotated[list[str], Field(min_length=1, max_length=5)] | None = None
    instance_check: bool = True
    autoscaling: Autoscaling | None = None


class EndpointEntry(Entry):
    """One existing SageMaker endpoint to adopt."""

    endpoint_name: str | None = None


class Team(Written):
    """Who may call, and how much."""

    name: str
    requests_per_second: Annotated[float, Field(gt=0)] | None = None
    burst: Annotated[int, Field(ge=1)] | None = None
    requests_per_day: Annotated[int, Field(ge=1)] | None = None
    models: list[str] | None = None


class Budget(Written):
    """When to warn about the bill."""

    usd: Annotated[float, Field(gt=0)]
    email: str


class Event(Written):
    """Who may call, how much, until when."""

    teams: list[str | Team] = []
    requests_per_second: Annotated[float, Field(gt=0)] | None = None
    burst: Annotated[int, Field(ge=1)] | None = None
    ends: str | None = None
    budget: Budget | None = None


class Config(Written):
    """The whole file."""

    schema_: Annotated[str | None, Field(alias="$schema")] = None
    models: list[ModelEntry]
    endpoints: list[EndpointEntry] = []
    event: Event | None = None

    @property
    def entries(self) -> list[ModelEntry | EndpointEntry]:
        """Every path of the API in file order, models first."""
        return [*self.models, *self.endpoints]

"""`AwsPlan`: everything that will exist on AWS, as data. The AWS target translates it and decides nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime

from centralized_ml_api.catalog.facts import ModelData
from centralized_ml_api.config.schema import ServerSpeaks, Speaks
from centralized_ml_api.plan.apis import find_translated
from centralized_ml_api.plan.aws.event import AccessPlan, DashboardPlan
from centralized_ml_api.plan.aws.nested_stacks import TemplateSize
from centralized_ml_api.plan.aws.spending import SpendingPlan
from centralized_ml_api.plan.event import Throttle
from centralized_ml_api.plan.provider import KeyPlace, ProviderServing
from centralized_ml_api.plan.speaks import OpenAiModels
from centralized_ml_api.plan.types import (
    ApiPlan,
    AutoscalingPlan,
    BedrockModel,
    CopyResources,
    FunctionPlan,
)
from centralized_ml_api.record import record


@record
class ContainerPlan:
    """What runs on the instances: an image, or a model package, which brings its own image and artifacts.

    `accept_eula` is True only where the artifacts are under a licence and the config accepts it.
    """

    image: str | None
    package_arn: str | None
    data: ModelData | None
    accept_eula: bool
    environment: Mapping[str, str]


@record
class CapacityChange:
    """From an instant on, in UTC, a model has at least and at most so many copies."""

    at: datetime
    min_capacity: int
    max_capacity: int


@record
class HoursPlan:
    """How many copies a model may have from the deploy on, and what changes that later."""

    min_capacity: int
    max_capacity: int
    changes: tuple[CapacityChange, ...]


@record
class HostingPlan:
    """One SageMaker endpoint of our own.

    `instances` holds one type, or up to five that are tried in order while there is no capacity, for at most
    `provision_timeout_seconds` in all. None stands for SageMaker's default. `role` is the id of an execution
    role. `group` names the nested stack; None is the main stack. `copy` is what a copy of a model that may
    sleep reserves: its endpoint hosts it as an inference component, since no other endpoint can have no
    instance. It is None for any other model. `hours` are how those of the event change its capacity.
    """

    name: str
    container: ContainerPlan
    network_isolation: bool
    instances: tuple[str, ...]
    provision_timeout_seconds: int | None
    initial_count: int
    volume_gib: int | None
    download_timeout_seconds: int | None
    startup_timeout_seconds: int | None
    inference_ami: str | None
    autoscaling: AutoscalingPlan | None
    role: str
    group: str | None = None
    copy: CopyResources | None = None
    hours: HoursPlan | None = None


@record
class Repository:
    """A repository of images: the account and the region of its registry, and its name."""

    account: str
    region: str
    name: str


@record
class ArtifactLocation:
    """Where artifacts lie in S3. `key` ends with `/` for a folder and is empty for all of a bucket."""

    bucket: str
    key: str

    @property
    def is_folder(self) -> bool:
        """Whether it is everything below a prefix, or in the bucket."""
        return not self.key or self.key.endswith("/")


@record
class ExecutionRolePlan:
    """What SageMaker may do while it runs the models of one source: fetch exactly what they need.

    Each list of `repositories` and of `locations` fits into one IAM policy. With `components` it also writes
    the logs of inference components.
    """

    id: str
    repositories: tuple[tuple[Repository, ...], ...]
    locations: tuple[tuple[ArtifactLocation, ...], ...]
    components: bool = False


@record
class OwnEndpoint:
    """The endpoint of the `HostingPlan` with this name; AWS gives it its real name."""

    name: str


@record
class AdoptedEndpoint:
    """An endpoint that somebody else made, by SageMaker's name of it."""

    endpoint_name: str


Endpoint = OwnEndpoint | AdoptedEndpoint


@record
class OwnSecret:
    """A secret of the stack for a provider's key, whose place at deploy time is `place`.

    The template makes it empty; the key is put there after the deploy. `id` is its name within the stack.
    """

    id: str
    place: KeyPlace


@record
class AdoptedSecret:
    """A secret that somebody else made, by name or ARN."""

    name: str


Secret = OwnSecret | AdoptedSecret


@record
class ProviderTarget:
    """A model that a provider hosts, and the secret with the key; None for a server that takes none."""

    serving: ProviderServing
    secret: Secret | None


@record
class BedrockTarget:
    """A model of Bedrock, and the region in which it is called."""

    model: BedrockModel
    region: str


@record
class ModelFunctionPlan:
    """The Lambda function of an entry.

    `environment` is complete but for `ENDPOINT_NAME`, which only AWS knows. `invoke_actions` are allowed on
    this endpoint and on `invoke_resources`, `other_actions` on `other_resources`, which is `*` where the
    config names none.
    """

    name: str
    function: FunctionPlan
    endpoint: Endpoint
    environment: Mapping[str, str]
    invoke_actions: tuple[str, ...]
    invoke_resources: tuple[str, ...]
    other_actions: tuple[str, ...]
    other_resources: tuple[str, ...]
    group: str | None = None


@record
class DirectRoute:
    """`POST /{name}` goes to a SageMaker endpoint, with these headers besides Content-Type and Accept."""

    name: str
    endpoint: Endpoint
    headers: tuple[str, ...]


@record
class FunctionRoute:
    """`POST /{name}` goes to the function of that name."""

    name: str


@record
class StreamRoute:
    """`POST /{name}` goes through the function that streams: to a SageMaker endpoint, or to a provider.

    `headers` reach the model besides Content-Type and Accept. `endpoint` is None for a provider's model.
    """

    name: str
    endpoint: Endpoint | None
    headers: tuple[str, ...]


Route = DirectRoute | FunctionRoute | StreamRoute


@record
class StreamModel:
    """An entry as the streaming function knows it.

    `speaks` is set when it is called under `/v1`, `headers` when it is called by its own path.
    `max_output_tokens` limits the answers under `/v1`, where `aliases` are its other names. A model of a
    provider has `provider` in place of `endpoint` and `speaks`, one of Bedrock `bedrock`.
    `fallback` names the entries that are asked where it fails. `sleeps` is whether an inference component of
    its endpoint has to be named.
    """

    name: str
    endpoint: Endpoint | None
    speaks: Speaks | None
    headers: tuple[str, ...] | None
    max_output_tokens: int | None = None
    aliases: tuple[str, ...] = ()
    provider: ProviderTarget | None = None
    bedrock: BedrockTarget | None = None
    fallback: tuple[str, ...] = ()
    sleeps: bool = field(default=False, repr=False)

    @property
    def hosted_apis(self) -> tuple[ServerSpeaks, ...]:
        """The APIs under `/v1` of a model that a provider or Bedrock hosts, those by translation too."""
        apis: tuple[ServerSpeaks, ...] = ()
        if self.provider:
            apis = self.provider.serving.apis
        elif self.bedrock:
            apis = self.bedrock.model.apis
        return (*apis, *find_translated(apis))

    @property
    def is_called(self) -> bool:
        """Whether the function calls it; of any other it only tells, at `/health`, whether it is ready."""
        return self.speaks is not None or self.headers is not None


@record
class StreamPlan:
    """The one function that streams, calls providers, and tells at `/health` which models are ready.

    `tables` divides its models, by name, into parameters; without any they are in its environment.
    `policies` divides the models that it calls into lists that each fit into one IAM policy, `described`
    those that it only describes for `/health`. It gives up a model that is silent for `idle_seconds`, and a
    response after `timeout_seconds`. It caches the state of the endpoints for `health_seconds`; its
    `/health` names them only with `health_names`. `spending` says whose tokens and dollars it counts. With
    `jobs`, callers need not wait for answers.
    """

    models: tuple[StreamModel, ...]
    tables: tuple[tuple[str, ...], ...]
    policies: tuple[tuple[str, ...], ...]
    described: tuple[tuple[str, ...], ...]
    idle_seconds: int
    timeout_seconds: int
    health_seconds: int
    health_names: bool = True
    spending: SpendingPlan = field(default_factory=SpendingPlan)
    jobs: bool = False

    @property
    def streams(self) -> bool:
        """Whether it calls any model."""
        return any(model.is_called for model in self.models)

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """The secrets that it reads, each once."""
        targets = (model.provider for model in self.models if model.provider)
        return tuple(dict.fromkeys(target.secret for target in targets if target.secret))

    @property
    def bedrock(self) -> tuple[BedrockTarget, ...]:
        """The models of Bedrock that it calls."""
        return tuple(model.bedrock for model in self.models if model.bedrock)


@record
class AwsPlan:
    """All of it, in config order.

    `endpoint_policies` and `function_policies` divide what the API calls, by the names of the routes, into
    lists that each fit into one IAM policy. `groups` are the nested stacks. `openai` names the entries under
    `/v1`; `stream` is there always, for `/health`. `access` says who may call. `dashboard` is
    None when nobody watches.
    `notes` are sentences that a reader must know. `licences` (addresses) and `tasks` are JumpStart's, by the
    names of the entries. `sizes` estimates what each stack takes, by its group; None is the main one.
    """

    api: ApiPlan
    region: str
    models: tuple[HostingPlan, ...]
    roles: tuple[ExecutionRolePlan, ...]
    functions: tuple[ModelFunctionPlan, ...]
    routes: tuple[Route, ...]
    endpoint_policies: tuple[tuple[str, ...], ...]
    function_policies: tuple[tuple[str, ...], ...]
    groups: tuple[str, ...]
    openai: OpenAiModels
    stream: StreamPlan
    throttle: Throttle
    access: AccessPlan
    log_retention_days: int
    notes: tuple[str, ...]
    dashboard: DashboardPlan | None = None
    licences: Mapping[str, str] = field(default_factory=dict)
    tasks: Mapping[str, str] = field(default_factory=dict)
    sizes: Mapping[str | None, TemplateSize] = field(default_factory=dict)
